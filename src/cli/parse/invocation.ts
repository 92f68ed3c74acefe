/**
 * The words of the command line -> an Invocation, or a UsageError of one line. The letters are upnpc's. But options may
 * stand anywhere, and every word is checked before anything is sent.
 */
import { Command, CommanderError } from 'commander'
import { DEFAULT_DESCRIPTION } from '../../domain/port-mapping.js'
import type { Quirk } from '../../domain/quirk.js'
import { type AnyCommand, type CommandFacts, type CommandRow, type GatewayCommand, leaseOf } from './command-table.js'
import {
  COMPLETION,
  type CompletionInvocation,
  commandIn,
  completionOf,
  HELP,
  type HelpInvocation,
  helpBeside,
  helpOf,
  isHelp,
  verbsOf,
} from './help-words.js'
import { nearest } from './nearest.js'
import { namingNext } from './next-command.js'
import {
  DEFAULT_TIMEOUT_MS,
  type Flag,
  givenIn,
  isOnlyOfEmulate,
  keyOf,
  labelOf,
  longOf,
  type OptionRow,
} from './option-table.js'
import {
  type HandOverOptions,
  handOverOptionsOf,
  type KeepOptions,
  keepOptionsOf,
  listOption,
  type Options,
  type PortControlAsked,
  portControlOf,
  quirkOf,
  type SearchOptions,
  searchOptionsOf,
  textOption,
  timeOf,
  timesOf,
  viaOf,
} from './option-values.js'
import { COLOUR_WHENS, splitProgram, TABLES, type Tables } from './output-options.js'
import { SERVICE, type ServiceInvocation, serviceOf } from './service-words.js'
import { addressOf, descriptionOf, descriptionUrlOf, integerWithin, UsageError } from './words.js'

export interface GatewayInvocation<C extends AnyCommand = GatewayCommand> {
  readonly kind: 'gateway'
  /** A letter is answered in upnpc's words, a verb in plain ones. */
  readonly voice: 'upnpc' | 'plain'
  readonly command: C
  readonly facts: CommandFacts
  readonly url: string | undefined
  readonly description: string
  readonly ignoreState: boolean
  readonly emulate: boolean
  /** --quirk: for the emulated gateway */
  readonly quirks: readonly Quirk[]
  readonly search: SearchOptions
  readonly portControl: PortControlAsked
  readonly keep?: KeepOptions | undefined
  /** --as, --print and --qr */
  readonly handOver?: HandOverOptions | undefined
  readonly discoveryTimeMs: number | undefined
  readonly timeoutMs: number
  /** The same over IPv6, if nothing has been said about the family: it is done if this computer has such an address. */
  readonly beside?: GatewayInvocation<C>
}

export interface EmulateInvocation {
  readonly kind: 'emulate'
  readonly address: string
  readonly port: number
  readonly externalAddress: string
  readonly quirks: readonly Quirk[]
}

export type Invocation<C extends AnyCommand = GatewayCommand> =
  | HelpInvocation
  | CompletionInvocation
  | { readonly kind: 'version' }
  | GatewayInvocation<C>
  | EmulateInvocation
  | ServiceInvocation

const NO_COMMAND = 'no command was given; try: upnp-ts open 25565'

/** @throws UsageError, which knows the command that it is about */
export function parseInvocation(argv: readonly string[]): Invocation {
  try {
    return parseWords(argv)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    const { message, withUsage, fix, next } = error
    throw new UsageError(message, { withUsage, fix, next, usageOf: withUsage ? '' : commandIn(argv) })
  }
}

function parseWords(argv: readonly string[]): Invocation {
  if (argv[0] === HELP) return helpOf(argv.slice(1))
  if (argv[0] === COMPLETION) return completionOf(argv.slice(1))
  if (argv[0] !== SERVICE) return parseWith(TABLES, argv)
  const parsed = serviceOf(argv.slice(1), (commandLine) => {
    const asked = parseWith(TABLES, commandLine)
    return asked.kind === 'gateway' ? asked : undefined
  })
  return parsed ?? { kind: 'help', about: SERVICE }
}

/** Parses with other tables. @throws UsageError */
export function parseWith<C extends AnyCommand>(tables: Tables<C>, argv: readonly string[]): Invocation<C> {
  if (argv.length === 0) throw new UsageError(NO_COMMAND, { withUsage: true })
  try {
    const parsed = parse(tables, argv)
    return parsed.kind === 'help' ? helpBeside(argv, tables) : parsed
  } catch (error) {
    if (!(error instanceof CommanderError || error instanceof UsageError)) throw error
    if (error instanceof CommanderError && argv.some(isHelp)) return helpBeside(argv, tables)
    const usage = error instanceof UsageError ? error : (badNumber(tables, argv, error) ?? usageErrorOf(error, tables))
    throw namingNext(usage, argv, tables, (other) => isUnderstood(tables, other))
  }
}

function isUnderstood(tables: Tables<AnyCommand>, argv: readonly string[]): boolean {
  try {
    parse(tables, argv)
    return true
  } catch (error) {
    if (error instanceof CommanderError || error instanceof UsageError) return false
    throw error
  }
}

/** @throws UsageError, CommanderError */
function parse<C extends AnyCommand>(tables: Tables<C>, argv: readonly string[]): Invocation<C> {
  let invocation: Invocation<C> | undefined
  const { words, program: itsProgram } = splitProgram(argv, tables)
  const program = new Command('upnp-ts')
  const itsOptions = tables.options.filter((option) => !isOnlyOfEmulate(option))
  setUp(program, tables.commands, itsOptions)
  program.action((rest: string[], options: Options) => {
    invocation = judge(tables, rest, options, itsProgram)
  })
  const emulate = program.command('emulate')
  setUp(emulate, [], tables.options.filter(isOnlyOfEmulate))
  emulate.action((rest: string[], options: Options) => {
    invocation = judgeEmulate(tables, rest, options, program.opts())
  })
  program.parse(words, { from: 'user' })
  if (invocation === undefined) throw new UsageError(NO_COMMAND, { withUsage: true })
  return invocation
}

/**
 * Because -6 is an option, commander takes the word -5 for an unknown option. This parses again without -6, so that the
 * command itself judges the word.
 */
function badNumber(tables: Tables, argv: readonly string[], error: CommanderError): UsageError | undefined {
  if (error.code !== 'commander.unknownOption' || !/'-\d/.test(error.message)) return undefined
  const isDigit = ({ letter }: OptionRow): boolean => letter !== undefined && /\d/.test(letter)
  const digits = tables.options.filter(isDigit).map(labelOf)
  const options = tables.options.map((row) => (isDigit(row) ? { flag: row.flag, help: row.help } : row))
  const others = argv.filter((word) => !digits.includes(word))
  try {
    parse({ ...tables, options }, others)
  } catch (judged) {
    if (judged instanceof UsageError && !judged.message.startsWith("'")) return judged
  }
  return undefined
}

/** Tells commander which flags there are. Commander throws its errors and prints nothing. */
function setUp(program: Command, commands: readonly CommandRow[], options: readonly OptionRow[]): void {
  program.exitOverride().configureOutput({ writeOut: () => {}, writeErr: () => {} })
  program.showSuggestionAfterError(false).helpOption(false).helpCommand(false).argument('[words...]')
  for (const row of commands) {
    if (row.onlyAlone !== true) program.option(namesOf(row) + (row.form === undefined ? '' : ' <words...>'))
  }
  const all = (value: string, before: readonly string[] = []): string[] => [...before, value]
  for (const row of options) {
    const flags = namesOf(row) + (row.form === undefined ? '' : ' <value>')
    if (row.isList === true) program.option(flags, '', all)
    else program.option(flags)
  }
}

function namesOf(row: Flag): string {
  return row.letter === undefined ? longOf(row) : `${row.letter}, ${longOf(row)}`
}

function judge<C extends AnyCommand>(
  tables: Tables<C>,
  words: readonly string[],
  options: Options,
  program: readonly string[] | undefined,
): Invocation<C> {
  const isGiven = givenIn(options)
  const given = tables.commands.filter(isGiven)
  const commands = given.filter(({ onlyAlone }) => onlyAlone !== true)
  if (options.help === true || commands.some((row) => listOption(options[keyOf(row)]).some(isHelp)))
    return { kind: 'help' }
  if (options.version === true) return { kind: 'version' }
  const verb = tables.verbs?.find(({ flag }) => flag === words[0])
  const letter = commands[0] ?? given[0]
  const row = verb ?? letter
  const compat = textOption(options.compat)
  if (compat !== undefined && compat !== '2.1' && compat !== '2.3.3') {
    throw new UsageError(`--compat: '${compat}' is not a version of upnpc that upnp-ts can imitate: give 2.1 or 2.3.3`)
  }
  const stray = verb === undefined ? words[0] : undefined
  if (stray !== undefined) throw strayWord(stray, commands[0], options, tables)
  const url = textOption(options.url)
  if (url !== undefined) descriptionUrlOf('-u', url)
  if (row === undefined) throw new UsageError(NO_COMMAND, { withUsage: true })
  const second = verb === undefined ? commands[1] : commands[0]
  if (second !== undefined) {
    const kin =
      verb !== undefined && second.verb === verb.flag ? `; ${labelOf(second)} is the letter for ${verb.flag}` : ''
    throw new UsageError(`${labelOf(row)} and ${labelOf(second)}: one command at a time${kin}`)
  }
  const named = url !== undefined ? '-u' : '--gateway'
  if ((url !== undefined || options.gateway !== undefined) && options.emulate === true)
    throw new UsageError(`--emulate brings its own gateway: leave out ${named}`)
  refuseColour(options)
  if (options.quiet === true && options.verbose === true)
    throw new UsageError('--quiet and --verbose: one of the two at a time')
  refuseMisplaced(row, tables.options.filter(isGiven), tables.verbs)
  if (verb === undefined) return invocationOf(row, listOption(options[keyOf(row)]), options, program)
  const [, ...rest] = words
  if (verb.form === undefined && rest[0] !== undefined)
    throw new UsageError(`'${rest[0]}' is not understood: ${verb.flag} does not take it`)
  if (compat !== undefined) throw new UsageError(`--compat is for letters, not for ${verb.flag}`)
  const { overIPv6 } = verb
  if (options.ipv4 === true && options.ipv6 === true)
    throw new UsageError('--ipv4 and --ipv6: leave both out for both, or give one for one alone')
  if (overIPv6 !== undefined && options.ipv6 === true) return invocationOf(overIPv6, rest, options, program)
  const isForBoth = overIPv6 !== undefined && !ONLY_IPV4.some((flag) => isGiven({ flag })) && options.via !== 'nat-pmp'
  const invocation = invocationOf(verb, rest, { ...options, both: isForBoth }, program)
  if (!isForBoth) return invocation
  return { ...invocation, beside: invocationOf(overIPv6, rest, { ...options, ipv6: true, beside: true }, program) }
}

/** With one of these, a verb is about IPv4 if nothing is said of IPv6. */
const ONLY_IPV4 = ['ipv4', 'url', 'gateway', 'to', 'only'] as const

function invocationOf<C extends AnyCommand>(
  row: CommandRow<C>,
  words: readonly string[],
  options: Options,
  program: readonly string[] | undefined,
): GatewayInvocation<C> {
  const lease = textOption(options.lease)
  const seconds = options.keep === true ? undefined : timeOf(options)
  const via = viaOf(options.via)
  const { command, facts } = row.read(words, {
    lease: seconds !== undefined ? { seconds } : lease === undefined ? undefined : leaseOf('--lease', lease),
    external: textOption(options.external),
    internalClient: textOption(options.to),
    remoteHost: textOption(options.only),
    isBesideIPv4: options.beside === true,
    isForBoth: options.both === true,
    mine: options.mine === true,
    onlyUnused: options.unused === true,
    isAgreed: options.yes === true,
    anyExternalPort: ['pcp', 'nat-pmp'].includes(via),
    sameInternalPort: via === 'nat-pmp',
  })
  return {
    kind: 'gateway',
    voice: row.isVerb === true ? 'plain' : 'upnpc',
    command,
    facts,
    portControl: portControlOf(options, row, facts),
    keep: keepOptionsOf(options, program),
    handOver: handOverOptionsOf(options),
    url: textOption(options.url),
    description: descriptionOf('-e', textOption(options.description) ?? DEFAULT_DESCRIPTION),
    ignoreState: options.ignore === true,
    emulate: options.emulate === true,
    quirks: listOption(options.quirk).map(quirkOf),
    search: searchOptionsOf(options),
    ...timesOf(options, row.hasNoEnd === true ? Number.POSITIVE_INFINITY : DEFAULT_TIMEOUT_MS),
  }
}

/** @throws UsageError */
function refuseColour(options: Options): void {
  const when = textOption(options.color)
  if (when === undefined || COLOUR_WHENS.some((each) => each === when)) return
  throw new UsageError(`--color: '${when}' is not understood: give auto, always or never`)
}

/** @throws UsageError about an option that goes with another command, or with an option that was not given. */
function refuseMisplaced(command: CommandRow, options: readonly OptionRow[], verbs: readonly CommandRow[] = []): void {
  const labels = [command, ...options].map(labelOf)
  const wrong = options.find(({ goesWith }) => goesWith?.some((label) => labels.includes(label)) === false)
  if (wrong?.goesWith === undefined) return
  const isVerb = (label: string): boolean => verbs.some((row) => labelOf(row) === label)
  const kin = wrong.goesWith.filter((label) => isVerb(label) === isVerb(labelOf(command)))
  const shown = kin.length > 0 ? kin : wrong.goesWith
  const others = shown.slice(0, -1).join(', ')
  const all = `${others}${others === '' ? '' : ' and '}${shown.at(-1)}`
  const instead = wrong.namesOther === true ? `, not with ${labelOf(command)}` : ''
  throw new UsageError(`${labelOf(wrong)} goes with ${all}${instead}`)
}

function judgeEmulate(
  { commands, options }: Tables<AnyCommand>,
  words: readonly string[],
  own: Options,
  others: Options,
): EmulateInvocation | { kind: 'help' | 'version' } {
  const isGiven = givenIn(others)
  if (others.help === true) return { kind: 'help' }
  if (others.version === true) return { kind: 'version' }
  const command = commands.find((row) => row.onlyAlone !== true && isGiven(row))
  if (command !== undefined) throw new UsageError(`${labelOf(command)} and emulate: one command at a time`)
  const misplaced = options.find(
    (row) => isGiven(row) && !['json', 'color'].includes(row.flag) && row.goesWith?.includes('emulate') !== true,
  )
  refuseColour(others)
  const stray = words[0] ?? (misplaced === undefined ? undefined : labelOf(misplaced))
  if (stray !== undefined) throw new UsageError(`'${stray}' is not understood: emulate does not take it`)
  return {
    kind: 'emulate',
    address: addressOf('--address', textOption(own.address) ?? '127.0.0.1'),
    port: integerWithin('--port', 'port', textOption(own.port) ?? '0', 0, 65535),
    externalAddress: addressOf('--external-address', textOption(own.externalAddress) ?? '11.22.33.44'),
    quirks: listOption(others.quirk).map(quirkOf),
  }
}

function strayWord(
  word: string,
  command: CommandRow | undefined,
  options: Options,
  tables: Tables<AnyCommand>,
): UsageError {
  const { commands } = tables
  const what = `'${word}' is not understood`
  if (options.description !== undefined)
    return new UsageError(`${what}; a description of several words needs quotes`, {
      next: '-r 22 TCP -e "my web server"',
    })
  if (command === undefined) return notACommand(word, tables)
  const label = labelOf(command)
  const glued = `-${listOption(options[keyOf(command)])[0]}`
  if (commands.some(({ letter }) => letter === glued))
    return new UsageError(
      `${what}: ${label} and ${glued} are two commands; run ${label} once for each port of another computer`,
    )
  if (command.form === undefined) return new UsageError(`${what}: ${label} does not take it`)
  return new UsageError(`${what}: what ${label} takes has to follow it directly, with no option in between`)
}

function notACommand(word: string, tables: Tables<AnyCommand>): UsageError {
  const labels = verbsOf(tables).map(labelOf)
  if (labels.includes(word))
    return new UsageError(`${word} comes first, before all options`, { next: word === HELP ? word : `${HELP} ${word}` })
  const meant = /^\d/.test(word) ? labels[0] : nearest(word, labels)
  if (word === 'version') return new UsageError(`'${word}' is not a command; it is: upnp-ts --version`)
  if (meant === undefined) return new UsageError(`'${word}' is not a command; upnp-ts -h shows all of them`)
  const by = /^\d/.test(word) ? `${meant} ${word}` : meant
  return new UsageError(`'${word}' is not a command; did you mean ${meant}?`, { fix: [word, by] })
}

function usageErrorOf(error: CommanderError, { commands, options }: Tables<AnyCommand>): UsageError {
  const [, typed = '', option = ''] = /'((-[^' ,=]*)(?:[ ,=][^']*)?)'/.exec(error.message) ?? []
  if (error.code === 'commander.unknownOption') {
    const long = [...options, ...commands].map(longOf)
    if (long.includes(option)) return new UsageError(`${option} does not take a value`, { fix: [typed, option] })
    const meant = option.startsWith('--')
      ? nearest(
          option.slice(2),
          long.map((each) => each.slice(2)),
        )
      : undefined
    if (/^--(tcp|udp|both)$/.test(option))
      return new UsageError(`Unknown switch ${option}; the protocol is written after the port`, {
        next: `open 25565/${option.slice(2)}`,
      })
    if (meant === undefined) return new UsageError(`Unknown switch ${option}; upnp-ts -h shows all of them`)
    return new UsageError(`Unknown switch ${option}; did you mean --${meant}?`, {
      fix: [typed, `--${meant}${typed.slice(option.length)}`],
    })
  }
  if (error.code === 'commander.optionMissingArgument') {
    const row = [...options, ...commands].find((each) => labelOf(each) === option)
    return new UsageError(`nothing follows ${option}; it takes ${row?.wanted ?? row?.form ?? 'a value'}`)
  }
  return new UsageError(NO_COMMAND, { withUsage: true })
}
