/** The completion for fish. */
import { LETTERS, NOWHERE, namesOf, type OptionToComplete, type WordsToComplete } from './words-to-complete.js'

const COMPLETE = 'complete -c upnp-ts'

export function fishCompletion(words: WordsToComplete): string {
  const { verbs, letters, options, topics, values, withPorts, help } = words
  const line = (places: readonly string[], rest: string, told = ''): string =>
    `${COMPLETE} -n '__upnp_ts_at ${places.join(' ')}' ${rest}${told === '' ? '' : ` -d ${fishQuoted(told)}`}`
  const listed = (place: string, rows: readonly { readonly name: string; readonly help: string }[]): string[] =>
    rows.map((row) => line([place], `-a ${row.name}`, row.help))
  const named = (rows: readonly Parameters<typeof namesOf>[0][]): string => rows.flatMap(namesOf).join(' ')
  const flags = ({ long, letter }: Parameters<typeof namesOf>[0]): string =>
    `${letter === undefined ? '' : `-s ${letter.slice(1)} `}-l ${long.slice(2)}`
  const lines = [
    `${COMPLETE} -f`,
    ...listed(NOWHERE, verbs),
    ...listed(help, [...verbs, ...topics]),
    ...values.map((row) => line([row.verb], `-a '${row.values.join(' ')}'`)),
    line(withPorts, "-a '(__upnp_ts_ports)'"),
    line([LETTERS], "-a '(__upnp_ts_protocols)'"),
    ...letters.map((row) => line([NOWHERE, help], flags(row), row.help)),
    ...options.map((row) => line([...new Set([...row.places, help])], flags(row) + valuesOf(row), row.help)),
  ]
  return `# To install it: upnp-ts completion fish > ~/.config/fish/completions/upnp-ts.fish
function __upnp_ts_place
    set -l place ${NOWHERE}
    set -l skip 0
    for word in (commandline -opc)[2..-1]
        if test $skip = 1
            set skip 0
            continue
        end
        if test "$word" = --
            if test $place != service
                set place program
                break
            end
            set place ${NOWHERE}
        else if contains -- $word ${named(options.filter(({ takesValue }) => takesValue))}
            set skip 1
        else if test $place = ${NOWHERE}
            if contains -- $word ${named(letters)}
                set place ${LETTERS}
            else if contains -- $word ${verbs.map(({ name }) => name).join(' ')}
                set place $word
            end
        end
    end
    echo $place
end

function __upnp_ts_at
    contains -- (__upnp_ts_place) $argv
end

function __upnp_ts_ports
    set -l port (string match -r '^.*/' -- (commandline -ct))
    and printf '%s\\n' $port{tcp,udp,both}
end

function __upnp_ts_protocols
    for word in (commandline -opc)
        if contains -- $word ${named(letters.filter(({ takesProtocol }) => takesProtocol))}
            printf '%s\\n' TCP UDP TCP+UDP
            return
        end
    end
end

function __upnp_ts_files
    for file in (string replace -r '^.*@' '' -- (commandline -ct))*
        echo @$file
    end
end

${lines.join('\n')}
${COMPLETE} -n '__upnp_ts_at program' -F
`
}

function valuesOf({ takesValue, values }: OptionToComplete): string {
  if (!takesValue) return ''
  if (values === undefined) return ' -x'
  if (values === 'file') return ' -r -F'
  return values === '@file' ? " -x -a '(__upnp_ts_files)'" : ` -x -a '${values.join(' ')}'`
}

function fishQuoted(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`
}
