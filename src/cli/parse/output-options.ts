/** What is read before the command line is parsed: how to print, and the user's program after `--`. */
import { type AnyCommand, COMMANDS, type CommandRow, type GatewayCommand } from './command-table.js'
import { OPTIONS, type OptionRow } from './option-table.js'
import { VERBS, type VerbRow } from './verb-table.js'

/** The version of upnpc whose output -l imitates. */
export type Compatibility = '2.1' | '2.3.3'

/** --color: when the text is painted. */
export const COLOUR_WHENS = ['auto', 'always', 'never'] as const
export type ColourWhen = (typeof COLOUR_WHENS)[number]

/** The tables to parse with. `C` is the union of their commands. */
export interface Tables<C extends AnyCommand = AnyCommand> {
  readonly commands: readonly CommandRow<C>[]
  readonly options: readonly OptionRow[]
  readonly verbs?: readonly VerbRow<C>[]
}

export const TABLES: Tables<GatewayCommand> = { commands: COMMANDS, options: OPTIONS, verbs: VERBS }

export type Output = Readonly<ReturnType<typeof outputOf>>

/** How to print the answer. This is needed even if the rest of the command line is wrong. */
export function outputOf(argv: readonly string[], tables: Tables = TABLES) {
  const { first } = scan(argv, tables)
  const compat: Compatibility = first.get('compat') === '2.1' ? '2.1' : '2.3.3'
  const color: ColourWhen = COLOUR_WHENS.find((when) => when === first.get('color')) ?? 'auto'
  return {
    json: first.has('json'),
    compat,
    color,
    quiet: first.has('quiet'), // nothing is printed unless the command fails
    verbose: first.has('verbose'), // every request and reply is shown on stderr
  }
}

/** The words before `--`, and the user's program after it. */
export function splitProgram(argv: readonly string[], tables: Tables = TABLES) {
  const { end } = scan(argv, tables)
  return { words: argv.slice(0, end), program: end === argv.length ? undefined : argv.slice(end + 1) }
}

/**
 * Finds the end of upnp-ts's own words, and the options that are read first, with their last values. The value of an
 * option is never read as an option: in `-e --json`, --json is a description.
 */
function scan(argv: readonly string[], tables: Tables) {
  const first = new Map<string, string | undefined>()
  let end = 0
  for (; end < argv.length && argv[end] !== '--'; end++) {
    for (const { option, glued } of optionsIn(argv[end] ?? '', tables)) {
      const value = option.form !== undefined && glued === undefined ? argv[++end] : glued
      if (option.readFirst === true) first.set(option.flag, value)
    }
  }
  return { end: Math.min(end, argv.length), first }
}

/**
 * Finds options in a word such as `--ttl`, `--ttl=2`, `-t`, `-t2` or `-it`, and the value that is glued to one. A command
 * letter in such a word is skipped; if the command takes words, nothing after its letter is an option.
 */
export function* optionsIn(word: string, { commands, options }: Tables) {
  if (word.startsWith('--')) {
    const [, flag, glued] = /^--([^=]+)(?:=(.*))?$/s.exec(word) ?? []
    const option = options.find((row) => row.flag === flag && (glued === undefined || row.form !== undefined))
    if (option !== undefined) yield { option, glued }
    return
  }
  if (!word.startsWith('-')) return
  for (let at = 1; at < word.length; at++) {
    const letter = `-${word[at]}`
    const option = options.find((row) => row.letter === letter)
    const flag = option ?? commands.find((row) => row.letter === letter)
    if (option !== undefined) yield { option, glued: word.slice(at + 1) || undefined }
    if (flag === undefined || flag.form !== undefined) return
  }
}
