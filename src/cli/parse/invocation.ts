/**
 * The command line -> an Invocation. The letters are upnpc's; unlike there, options may stand anywhere, and everything
 * that can be checked is checked before anything is sent: a bad word is a UsageError of one line.
 */
import { Command, CommanderError } from 'commander'
import type { Quirk } from '../../domain/quirk.js'
import { COMMANDS, type CommandFacts, type CommandRow, type GatewayCommand, labelOf } from './command-table.js'
import { type KeepOptions, keepOptionsOf } from './keep-options.js'
import { leaseOption, listOption, textOption, timesOf } from './option-table.js'
import { splitCommand } from './output-options.js'
import { type PortControlAsked, portControlOf, viaOf } from './port-control-options.js'
import { quirkOf } from './quirk-words.js'
import { type SearchOptions, searchOptionsOf } from './search-options.js'
import { WANTED_WORDS } from './wanted-words.js'
import { addressOf, descriptionOf, descriptionUrlOf, integerWithin, UsageError } from './words.js'

export { type Compatibility, type Output, outputOf } from './output-options.js'

export interface GatewayInvocation {
  readonly kind: 'gateway'
  readonly command: GatewayCommand
  readonly facts: CommandFacts
  /** -u */
  readonly url: string | undefined
  /** -e */
  readonly description: string
  /** -i */
  readonly ignoreState: boolean
  readonly emulate: boolean
  /** --quirk, of the emulated gateway */
  readonly quirks: readonly Quirk[]
  readonly search: SearchOptions
  readonly portControl: PortControlAsked
  /** --keep */
  readonly keep?: KeepOptions | undefined
  readonly discoveryTimeMs: number | undefined
  readonly timeoutMs: number
}

export interface EmulateInvocation {
  readonly kind: 'emulate'
  readonly address: string
  readonly port: number
  readonly externalAddress: string
  readonly quirks: readonly Quirk[]
}

export type Invocation =
  | { readonly kind: 'help' }
  | { readonly kind: 'version' }
  | GatewayInvocation
  | EmulateInvocation

export const DEFAULT_DESCRIPTION = 'upnp-ts'

function isHelp(word: string): boolean {
  return word === '-h' || word === '--help'
}

/** @throws UsageError */
export function parseInvocation(argv: readonly string[]): Invocation {
  if (argv.length === 0) throw new UsageError('Command line argument error.', { withUsage: true })
  try {
    return parseWith(makeProgram, argv)
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (argv.some(isHelp)) return { kind: 'help' }
    throw badNumber(argv, error) ?? usageErrorOf(error)
  }
}

function parseWith(make: typeof makeProgram, argv: readonly string[]): Invocation {
  let invocation: Invocation | undefined
  const { words, ownCommand } = splitCommand(argv)
  const done = (parsed: Invocation): void => {
    invocation = parsed
  }
  const program = make(done, { ownCommand })
  program.parse(words, { from: 'user' })
  if (invocation === undefined) throw new UsageError('Command line argument error.', { withUsage: true })
  return invocation
}

/** Because there is -6, commander takes -5 for an unknown option. Without it, the word is judged where it stands. */
function badNumber(argv: readonly string[], error: CommanderError): UsageError | undefined {
  if (error.code !== 'commander.unknownOption' || !/'-\d/.test(error.message)) return undefined
  try {
    const words = argv.filter((word) => word !== '-6')
    parseWith((done, options) => makeProgram(done, { ...options, ipv6Flags: '--ipv6' }), words)
  } catch (judged) {
    if (judged instanceof UsageError && !judged.message.startsWith("'")) return judged
  }
  return undefined
}

interface ProgramOptions {
  readonly ipv6Flags?: string
  /** What follows `--`. */
  readonly ownCommand?: readonly string[] | undefined
}

/** What commander is to look for. It is exported for the test that compares it with the usage text. */
export function makeProgram(
  done: (invocation: Invocation) => void,
  { ipv6Flags = '-6, --ipv6', ownCommand }: ProgramOptions = {},
): Command {
  const quiet = { writeOut: () => {}, writeErr: () => {} }
  const program = new Command('upnp-ts').exitOverride().configureOutput(quiet).helpOption(false).helpCommand(false)
  for (const { flag, letter, form, wordsOptional, onlyAlone } of COMMANDS) {
    const words = form === undefined ? '' : wordsOptional === true ? ' [words...]' : ' <words...>'
    if (onlyAlone !== true) program.option(`${letter}, --${flag}${words}`)
  }
  program
    .argument('[words...]')
    .option(ipv6Flags)
    .option('-m, --interface <interface>')
    .option('-z, --local-port <port>')
    .option('-t, --ttl <ttl>')
    .option('-p, --minissdpd <path>')
    .option('--lease <seconds>')
    .option('--via <protocol>')
    .option('--gateway <address>')
    .option('--nonce <hex>')
    .option('--keep')
    .option('--on-change <command>')
    .option('--require')
    .option('--state <file>')
    .option('--check <seconds>')
    .option('-u, --url <url>')
    .option('-e, --description <text>')
    .option('-i, --ignore')
    .option('-h, --help')
    .option('-V, --version')
    .option('--emulate')
    .option('--quirk <quirk>', '', (word: string, others: readonly string[] = []) => [...others, word])
    .option('--json')
    .option('--compat <version>')
    .option('--discovery-time <ms>')
    .option('--timeout <ms>')
    .action((words: string[], options: Record<string, unknown>) => done(judge(words, options, ownCommand)))
  program
    .command('emulate')
    .exitOverride()
    .configureOutput(quiet)
    .helpOption(false)
    .argument('[words...]')
    .option('--address <address>')
    .option('--port <port>')
    .option('--external-address <address>')
    .option('--json')
    .option('-h, --help')
    .action((words: string[], options: Record<string, unknown>) => done(judgeEmulate(words, options, program)))
  return program
}

function judge(
  words: readonly string[],
  options: Record<string, unknown>,
  ownCommand: readonly string[] | undefined,
): Invocation {
  const given = COMMANDS.filter(({ flag }) => options[nameOf(flag)] !== undefined)
  const commands = given.filter(({ onlyAlone }) => onlyAlone !== true)
  if (options.help === true || commands.some(({ flag }) => listOption(options[nameOf(flag)]).some(isHelp)))
    return { kind: 'help' }
  if (options.version === true) return { kind: 'version' }
  const row = commands[0] ?? given[0]
  const stray = words[0]
  if (stray !== undefined) throw new UsageError(strayWord(stray, commands[0], options))
  const url = textOption(options.url)
  if (url !== undefined) descriptionUrlOf('-u', url)
  if (row === undefined) throw new UsageError('Command line argument error.', { withUsage: true })
  if (commands[1] !== undefined)
    throw new UsageError(`${labelOf(row)} and ${labelOf(commands[1])}: one command at a time`)
  const named = url !== undefined ? '-u' : '--gateway'
  if ((url !== undefined || options.gateway !== undefined) && options.emulate === true)
    throw new UsageError(`--emulate brings its own gateway: leave out ${named}`)
  if (options.quirk !== undefined && options.emulate !== true)
    throw new UsageError('--quirk goes with emulate and --emulate')
  const compat = textOption(options.compat)
  if (compat !== undefined && compat !== '2.1' && compat !== '2.3.3') {
    throw new UsageError(`--compat: '${compat}' is not a version of upnpc that is known here: give 2.1 or 2.3.3`)
  }
  const { command, facts } = row.read(listOption(options[nameOf(row.flag)]), {
    lease: leaseOption(labelOf(row), options.lease),
    anyExternalPort: ['pcp', 'nat-pmp'].includes(viaOf(options.via)),
  })
  return {
    kind: 'gateway',
    command,
    facts,
    portControl: portControlOf(options, command, facts, labelOf(row)),
    keep: keepOptionsOf(options, command, ownCommand),
    url,
    description: descriptionOf('-e', textOption(options.description) ?? DEFAULT_DESCRIPTION),
    ignoreState: options.ignore === true,
    emulate: options.emulate === true,
    quirks: listOption(options.quirk).map(quirkOf),
    search: searchOptionsOf(options),
    ...timesOf(options),
  }
}

function judgeEmulate(words: readonly string[], options: Record<string, unknown>, program: Command): Invocation {
  const ofProgram = program.options.filter((each) => program.getOptionValue(each.attributeName()) !== undefined)
  const names = ofProgram.map(({ short, long }) => short ?? long ?? '')
  if (options.help === true || names.includes('-h')) return { kind: 'help' }
  if (names.includes('-V')) return { kind: 'version' }
  const command = COMMANDS.find(({ letter }) => letter !== undefined && names.includes(letter))
  if (command !== undefined) throw new UsageError(`${labelOf(command)} and emulate: one command at a time`)
  const stray = words[0] ?? names.find((name) => name !== '--json' && name !== '--quirk')
  if (stray !== undefined) throw new UsageError(`'${stray}' is not understood: emulate does not take it`)
  return {
    kind: 'emulate',
    address: addressOf('--address', textOption(options.address) ?? '127.0.0.1'),
    port: integerWithin('--port', 'port', textOption(options.port) ?? '0', 0, 65535),
    externalAddress: addressOf('--external-address', textOption(options.externalAddress) ?? '11.22.33.44'),
    quirks: listOption(program.getOptionValue('quirk')).map(quirkOf),
  }
}

function strayWord(word: string, command: CommandRow | undefined, options: Record<string, unknown>): string {
  if (options.description !== undefined)
    return `'${word}' is not understood; a description of several words needs quotes: -e "my web server"`
  if (command === undefined)
    return `'${word}' is not understood: a command begins with a dash, as in -r 22 TCP; upnp-ts -h shows all of them`
  if (command.form === undefined) return `'${word}' is not understood: ${labelOf(command)} does not take it`
  return `'${word}' is not understood: what ${labelOf(command)} takes has to follow it word by word, without options between`
}

/** As commander keeps it: `--add-any` is addAny. */
function nameOf(flag: string): string {
  return flag.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())
}

function usageErrorOf(error: CommanderError): UsageError {
  const option = /'(-[^' ,=]*)[^']*'/.exec(error.message)?.[1] ?? ''
  if (error.code === 'commander.unknownOption') {
    const meant = /\(Did you mean (.+)\?\)/.exec(error.message)?.[1]
    if (meant === option) return new UsageError(`${option} does not take a value`)
    const advice = meant === undefined ? 'upnp-ts -h shows all of them' : `did you mean ${meant}?`
    return new UsageError(`Unknown switch ${option}; ${advice}`)
  }
  if (error.code === 'commander.optionMissingArgument')
    return new UsageError(`nothing follows ${option}; it takes ${WANTED_WORDS.get(option) ?? 'a value'}`)
  return new UsageError('Command line argument error.', { withUsage: true })
}
