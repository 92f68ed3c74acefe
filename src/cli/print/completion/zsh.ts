/** The completion for zsh. */
import {
  groupedPlaces,
  LETTERS,
  NOWHERE,
  namesOf,
  quoted,
  type Told,
  type WordsToComplete,
} from './words-to-complete.js'

export function zshCompletion(words: WordsToComplete): string {
  const { verbs, letters, options, topics, values, withPorts, help } = words
  const array = (rows: readonly Told[]): string =>
    rows.map((row) => `    ${quoted(`${row.name}:${row.help}`)}`).join('\n')
  const told = (rows: readonly (Parameters<typeof namesOf>[0] & { readonly help: string })[]): string =>
    array(rows.flatMap((row) => namesOf(row).map((name) => ({ name, help: row.help }))))
  const withValues = options.filter(({ takesValue }) => takesValue)
  const named = (rows: readonly Parameters<typeof namesOf>[0][]): string => rows.flatMap(namesOf).join('|')
  return `# To install it: echo 'eval "$(upnp-ts completion zsh)"' >> ~/.zshrc
_upnp_ts() {
  local place=${NOWHERE} letter='' previous=\${words[CURRENT-1]} at word
  local -a found names verbs topics letters options
  verbs=(
${array(verbs)}
  )
  topics=(
${array(topics)}
  )
  letters=(
${told(letters)}
  )
  options=(
${told(options)}
  )
  for ((at = 2; at < CURRENT; at++)); do
    word=\${words[at]}
    case $word in
    --)
      if [[ $place == service ]]; then
        place=${NOWHERE}
      else
        words=("\${(@)words[at+1,-1]}")
        ((CURRENT -= at))
        _normal
        return
      fi
      ;;
    ${named(withValues)}) ((at++)) ;;
    ${named(letters)}) if [[ $place == ${NOWHERE} ]]; then place=${LETTERS} letter=$word; fi ;;
    ${verbs.map(({ name }) => name).join('|')}) if [[ $place == ${NOWHERE} ]]; then place=$word; fi ;;
    esac
  done
  if [[ $PREFIX == --*=* ]]; then
    previous=\${PREFIX%%=*}
    compset -P '*='
  fi
  case $previous in
${options
  .flatMap((row) =>
    Array.isArray(row.values) ? [`  ${namesOf(row).join('|')}) compadd -- ${row.values.join(' ')}; return ;;`] : [],
  )
  .join('\n')}
  ${named(options.filter((row) => row.values === 'file'))}) _files; return ;;
  ${named(options.filter((row) => row.values === '@file'))}) if compset -P @; then _files; else _files -P @; fi; return ;;
  ${named(withValues.filter((row) => row.values === undefined))}) return ;;
  esac
  if [[ $PREFIX == -* ]]; then
    case $place in
${groupedPlaces(words)
  .map((group) => `    ${group.places.join('|')}) names=(${group.options.flatMap(namesOf).join(' ')}) ;;`)
  .join('\n')}
    esac
    if [[ $place == ${help} ]]; then
      found=($options)
    else
      for word in $names; do found+=("\${(@M)options:#$word:*}"); done
    fi
    if [[ $place == ${NOWHERE} || $place == ${help} ]]; then found+=($letters); fi
    _describe -o option found
    return
  fi
  case $place in
  ${NOWHERE}) _describe command verbs ;;
  ${help}) _describe command verbs -- topics ;;
${values.map((row) => `  ${row.verb}) compadd -- ${row.values.join(' ')} ;;`).join('\n')}
  ${withPorts.join('|')}) if [[ $PREFIX == */* ]]; then compset -P '*/'; compadd -- tcp udp both; fi ;;
  esac
  case $letter in
  ${named(letters.filter(({ takesProtocol }) => takesProtocol))}) compadd -- TCP UDP TCP+UDP ;;
  esac
}

if ! (( $+functions[compdef] )); then autoload -Uz compinit && compinit; fi
compdef _upnp_ts upnp-ts
`
}
