/** What can be seen of a command line before it is judged: how to print, and the command of the user that follows `--`. */

/** How -l is to look: as upnpc of that version printed it. */
export type Compatibility = '2.1' | '2.3.3'

export interface Output {
  readonly json: boolean
  readonly compat: Compatibility
}

const TAKES_VALUE =
  /^(-[emptuz]|--(description|interface|minissdpd|ttl|url|local-port|lease|via|gateway|nonce|on-change|state|check|timeout|discovery-time|quirk))$/

/** What the whole command line looks like before it is judged; `--json` is wanted even where the rest is wrong. */
export function outputOf(argvWithCommand: readonly string[]): Output {
  const { words: argv } = splitCommand(argvWithCommand)
  const last = argv.findLastIndex((word) => /^--compat(=|$)/.test(word))
  const compat = argv[last] === '--compat' ? argv[last + 1] : argv[last]?.slice('--compat='.length)
  // The value of an option is not an option: -e --json.
  const json = argv.some((word, at) => word === '--json' && !TAKES_VALUE.test(argv[at - 1] ?? ''))
  return { json, compat: compat === '2.1' ? '2.1' : '2.3.3' }
}

/** What stands before `--`, and what follows it. */
export function splitCommand(argv: readonly string[]): {
  readonly words: readonly string[]
  readonly ownCommand: readonly string[] | undefined
} {
  const at = argv.findIndex((word, index) => word === '--' && !TAKES_VALUE.test(argv[index - 1] ?? ''))
  if (at === -1) return { words: argv, ownCommand: undefined }
  return { words: argv.slice(0, at), ownCommand: argv.slice(at + 1) }
}
