/**
 * The verbs that ask no gateway, and what `help`, `completion` and -h are asked about. The tables of VERBS and COMMANDS
 * have the others.
 */
import type { CommandRow } from './command-table.js'
import { type Flag, labelOf } from './option-table.js'
import { optionsIn, TABLES, type Tables } from './output-options.js'
import { SERVICE_VERB } from './service-words.js'
import { UsageError } from './words.js'

/** A verb for the tables of help. */
export interface VerbToldOf extends Flag {
  /** The long names of options that it takes beside those that go with it. A verb that asks a gateway takes all. */
  readonly takes?: readonly string[]
}

export const SHELLS = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof SHELLS)[number]

export const HELP = 'help'
export const COMPLETION = 'completion'

/** In the order of the usage text. */
export const OTHER_VERBS: readonly VerbToldOf[] = [
  {
    flag: 'emulate',
    isVerb: true,
    help: 'be a made-up router, to try things on, until stopped',
    takes: ['json', 'color'],
    moreExamples: ['emulate --port 5000'],
  },
  { ...SERVICE_VERB, takes: [] },
  {
    flag: HELP,
    isVerb: true,
    form: '[WORD]',
    help: 'explain a command, an option or a topic',
    takes: ['json'],
    example: 'open',
    moreExamples: ['help --keep', 'help troubleshooting'],
  },
  {
    flag: COMPLETION,
    isVerb: true,
    form: 'SHELL',
    wanted: 'bash, zsh or fish',
    values: SHELLS,
    help: 'print what lets a shell complete words of upnp-ts',
    takes: [],
    example: 'bash',
    moreExamples: ['completion zsh', 'completion fish'],
  },
]

/** All verbs, in the order of the usage text. */
export function verbsOf({ verbs = [] }: Tables): readonly VerbToldOf[] {
  return [...verbs, ...OTHER_VERBS]
}

export interface HelpInvocation {
  readonly kind: 'help'
  /** A verb, a letter, an option or a topic. Undefined for the first screen. */
  readonly about?: string
}

export interface CompletionInvocation {
  readonly kind: 'completion'
  readonly shell: Shell
}

export function isHelp(word: string): boolean {
  return word === '-h' || word === '--help'
}

/** What -h, beside other words, is about: the command among them. */
export function helpBeside(argv: readonly string[], tables: Tables = TABLES): HelpInvocation {
  const about = commandIn(argv, tables)
  return about === undefined || about === HELP ? { kind: 'help' } : { kind: 'help', about }
}

/** `argv` is what follows `help`. Its words may be names of options, but --json says how to print. @throws UsageError */
export function helpOf(argv: readonly string[]): HelpInvocation {
  const isFormat = argv.length > 1 || argv[0] === '--json'
  const [about, second] = argv.filter((word) => !isHelp(word) && !(isFormat && word === '--json'))
  if (second !== undefined) throw new UsageError('help is about one word at a time', { next: `help ${about}` })
  return about === undefined ? { kind: 'help' } : { kind: 'help', about }
}

/** `argv` is what follows `completion`. @throws UsageError */
export function completionOf(argv: readonly string[]): CompletionInvocation | HelpInvocation {
  if (argv.some(isHelp)) return { kind: 'help', about: COMPLETION }
  const [word, second] = argv
  const shell = SHELLS.find((each) => each === word)
  if (second !== undefined && shell !== undefined)
    throw new UsageError(`'${second}' is not understood: completion takes one word`, { next: `completion ${shell}` })
  if (shell !== undefined) return { kind: 'completion', shell }
  const why = word === undefined ? 'nothing follows completion' : `completion does not know the shell '${word}'`
  throw new UsageError(`${why}; it takes bash, zsh or fish`, { next: 'completion bash' })
}

/** The label of the first command among the words, whatever else is wrong with them. */
export function commandIn(argv: readonly string[], tables: Tables = TABLES): string | undefined {
  for (let at = 0; at < argv.length && argv[at] !== '--'; at++) {
    const word = argv[at] ?? ''
    const found = word.startsWith('-')
      ? letterIn(word, tables)
      : verbsOf(tables).find(({ flag }) => flag === word && isFirstWord(argv.slice(0, at), tables))
    if (found !== undefined) return labelOf(found)
    if (takesNext(word, tables)) at++
  }
  return undefined
}

/** A verb answers in plain words, without upnpc's banner. Without a command, a word may be a verb that is misspelt. */
export function isForVerb(argv: readonly string[]): boolean {
  const command = commandIn(argv)
  if (command !== undefined) return !command.startsWith('-')
  return argv.some((word, at) => !word.startsWith('-') && (at === 0 || !takesNext(argv[at - 1] ?? '', TABLES)))
}

function isFirstWord(before: readonly string[], tables: Tables): boolean {
  return before.every((word, at) => word.startsWith('-') || (at > 0 && takesNext(before[at - 1] ?? '', tables)))
}

function takesNext(word: string, tables: Tables): boolean {
  return [...optionsIn(word, tables)].some(({ option, glued }) => option.form !== undefined && glued === undefined)
}

/** `-r`, `-r22`, `-ilr` or `--redirect=22` */
function letterIn(word: string, { commands, options }: Tables): CommandRow | undefined {
  const asked = commands.filter(({ onlyAlone }) => onlyAlone !== true)
  if (word.startsWith('--')) return asked.find(({ flag }) => flag === word.slice(2).split('=', 1)[0])
  for (const letter of word.slice(1)) {
    const found = asked.find((row) => row.letter === `-${letter}`)
    if (found !== undefined) return found
    if (options.find((row) => row.letter === `-${letter}`)?.form !== undefined) return undefined
  }
  return undefined
}
