/** The completion for bash, from 3.2 on, with and without the package bash-completion. */
import { groupedPlaces, LETTERS, NOWHERE, namesOf, type WordsToComplete } from './words-to-complete.js'

export function bashCompletion(words: WordsToComplete): string {
  const { verbs, letters, options, topics, values, withPorts, help } = words
  const names = (rows: readonly { readonly name: string }[]): string => rows.map(({ name }) => name).join(' ')
  const withValues = options.filter(({ takesValue }) => takesValue)
  const isFile = (kind: 'file' | '@file'): string =>
    options
      .filter((row) => row.values === kind)
      .flatMap(namesOf)
      .join(' | ')
  const enumerated = options.flatMap((row) =>
    Array.isArray(row.values) ? [`    ${namesOf(row).join(' | ')}) words='${row.values.join(' ')}' ;;`] : [],
  )
  const allLetters = letters.flatMap(namesOf)
  const withProtocol = letters.filter(({ takesProtocol }) => takesProtocol).flatMap(namesOf)
  const places = groupedPlaces(words).map(
    (group) => `      ${group.places.join(' | ')}) words='${group.options.flatMap(namesOf).join(' ')}' ;;`,
  )
  return `# To install it: echo 'eval "$(upnp-ts completion bash)"' >> ~/.bashrc
# shellcheck shell=bash
_upnp_ts() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]} place=${NOWHERE} letter='' words='' at word
  COMPREPLY=()
  if [[ $cur == = ]]; then
    cur=''
  elif [[ $prev == = ]]; then
    prev=\${COMP_WORDS[COMP_CWORD - 2]}
  fi
  for ((at = 1; at < COMP_CWORD; at++)); do
    word=\${COMP_WORDS[at]}
    case $word in
    --)
      if [[ $place == service ]]; then
        place=${NOWHERE}
      else
        place=program
        break
      fi
      ;;
    ${withValues.flatMap(namesOf).join(' | ')})
      if [[ \${COMP_WORDS[at + 1]:-} == = ]]; then ((at++)); fi
      ((at++))
      ;;
    ${allLetters.join(' | ')})
      if [[ $place == ${NOWHERE} ]]; then
        place=${LETTERS}
        letter=$word
      fi
      ;;
    ${verbs.map(({ name }) => name).join(' | ')}) if [[ $place == ${NOWHERE} ]]; then place=$word; fi ;;
    esac
  done
  if [[ $place == program ]]; then
    _upnp_ts_add '' -A command -A file -- "$cur"
    return
  fi
  case $prev in
${enumerated.join('\n')}
    ${isFile('file')})
      _upnp_ts_add '' -f -- "$cur"
      return
      ;;
    ${isFile('@file')})
      _upnp_ts_add @ -f -- "\${cur#@}"
      return
      ;;
    ${withValues
      .filter((row) => row.values === undefined)
      .flatMap(namesOf)
      .join(' | ')}) return ;;
  esac
  if [[ -z $words && $cur == -* ]]; then
    case $place in
${places.join('\n')}
    esac
    if [[ $place == ${NOWHERE} || $place == ${help} ]]; then words="$words ${allLetters.join(' ')}"; fi
    if [[ $place == ${help} ]]; then words="$words ${options.flatMap(namesOf).join(' ')}"; fi
  elif [[ -z $words ]]; then
    case $place in
    ${NOWHERE}) words='${names(verbs)}' ;;
    ${help}) words='${names(verbs)} ${names(topics)}' ;;
${values.map((row) => `    ${row.verb}) words='${row.values.join(' ')}' ;;`).join('\n')}
    ${withPorts.join(' | ')}) if [[ $cur == */* ]]; then words="\${cur%/*}/tcp \${cur%/*}/udp \${cur%/*}/both"; fi ;;
    esac
    case $letter in
    ${withProtocol.join(' | ')}) words='TCP UDP TCP+UDP' ;;
    esac
  fi
  _upnp_ts_add '' -W "$words" -- "$cur"
}

# Adds what compgen finds, with a text before each word.
_upnp_ts_add() {
  local before=$1 found
  shift
  while IFS= read -r found; do COMPREPLY+=("$before$found"); done < <(compgen "$@")
}

complete -F _upnp_ts upnp-ts
`
}
