/**
 * The command line -> an Invocation. The letters are upnpc's; unlike there, options may stand anywhere, and everything
 * that can be checked is checked before anything is sent: a bad word is a UsageError of one line.
 */
import { Command, CommanderError } from 'commander'
import { flawOf, type Lease, type MappingKey, type MappingRequest } from '../domain/port-mapping.js'
import { addressOf, integerWithin, internalClientOf, protocolOf, remoteHostOf, UsageError, wordsOf } from './words.js'

/** Of a mapping to be made: the internal client is 'local' until the gateway has been found. */
export type AskedMapping = Omit<MappingRequest, 'internalClient' | 'description'> & {
  readonly internalClient: string | 'local'
}

export type GatewayCommand =
  | { readonly name: 'list' }
  | { readonly name: 'status' }
  | { readonly name: 'presentation' }
  | { readonly name: 'map'; readonly mappings: readonly AskedMapping[] }
  | { readonly name: 'unmap'; readonly key: MappingKey }

/** How -l is to look: as upnpc of that version printed it. */
export type Compatibility = '2.1' | '2.3.3'

export interface GatewayInvocation {
  readonly kind: 'gateway'
  readonly command: GatewayCommand
  /** -u */
  readonly url: string | undefined
  /** -e */
  readonly description: string
  /** -i */
  readonly ignoreState: boolean
  readonly emulate: boolean
  readonly discoveryTimeMs: number | undefined
  readonly timeoutMs: number
}

export interface EmulateInvocation {
  readonly kind: 'emulate'
  readonly address: string
  readonly port: number
  readonly externalAddress: string
}

export interface Output {
  readonly json: boolean
  readonly compat: Compatibility
}

export type Invocation =
  | { readonly kind: 'help' }
  | { readonly kind: 'version' }
  | GatewayInvocation
  | EmulateInvocation

export const DEFAULT_DESCRIPTION = 'upnp-ts'
export const DEFAULT_TIMEOUT_MS = 60_000
const MAX_TIMEOUT_MS = 24 * 3600 * 1000

/** Each command's long name, its letter, and what becomes of its words. */
const COMMANDS: readonly {
  readonly flag: string
  readonly letter: string
  readonly parse: (words: readonly string[]) => GatewayCommand
}[] = [
  { flag: 'list', letter: '-l', parse: () => ({ name: 'list' }) },
  { flag: 'status', letter: '-s', parse: () => ({ name: 'status' }) },
  { flag: 'presentation', letter: '-P', parse: () => ({ name: 'presentation' }) },
  { flag: 'redirect', letter: '-r', parse: parseRedirect },
  { flag: 'add', letter: '-a', parse: parseAdd },
  { flag: 'delete', letter: '-d', parse: parseDelete },
]

/** -r port [external_port] protocol … */
function parseRedirect(words: readonly string[]): GatewayCommand {
  const mappings: AskedMapping[] = []
  for (let at = 0; at < words.length; ) {
    const internalPort = integerWithin('-r', 'port', words[at] ?? '', 1, 65535)
    const hasExternal = /^\d+$/.test(words[at + 1] ?? '')
    const externalPort = hasExternal
      ? integerWithin('-r', 'external port', words[at + 1] ?? '', 1, 65535)
      : internalPort
    at += hasExternal ? 2 : 1
    const protocol = words[at]
    if (protocol === undefined) throw new UsageError(`-r: the protocol is missing after ${words[at - 1]}: TCP or UDP`)
    mappings.push({
      internalClient: 'local',
      internalPort,
      externalPort,
      protocol: protocolOf('-r', protocol),
      lease: 'unlimited',
      remoteHost: '',
    })
    at++
  }
  return { name: 'map', mappings }
}

/** -a ip port external_port protocol [lease] [remote_host]; a fifth word that is no number is the remote host. */
function parseAdd(words: readonly string[]): GatewayCommand {
  wordsOf('-a', 'IP PORT EXTERNAL_PORT PROTOCOL [LEASE] [REMOTE_HOST]', words, 4, 6)
  const [ip = '', port = '', external = '', protocol = '', fifth = '', sixth = ''] = words
  const leaseGiven = /^\d*$/.test(fifth)
  if (!leaseGiven && sixth !== '') throw new UsageError(`-a: '${fifth}' is not a lease in seconds`)
  const mapping: AskedMapping = {
    internalClient: internalClientOf('-a', ip),
    internalPort: integerWithin('-a', 'port', port, 1, 65535),
    externalPort: integerWithin('-a', 'external port', external, 1, 65535),
    protocol: protocolOf('-a', protocol),
    lease: leaseGiven ? leaseOf('-a', fifth) : 'unlimited',
    remoteHost: remoteHostOf('-a', leaseGiven ? sixth : fifth),
  }
  return { name: 'map', mappings: [mapping] }
}

/** -d external_port protocol [remote_host] */
function parseDelete(words: readonly string[]): GatewayCommand {
  wordsOf('-d', 'EXTERNAL_PORT PROTOCOL [REMOTE_HOST]', words, 2, 3)
  const [port = '', protocol = '', remoteHost = ''] = words
  const externalPort = integerWithin('-d', 'external port', port, 1, 65535)
  return {
    name: 'unmap',
    key: { externalPort, protocol: protocolOf('-d', protocol), remoteHost: remoteHostOf('-d', remoteHost) },
  }
}

function leaseOf(option: string, word: string): Lease {
  const seconds = word === '' ? 0 : integerWithin(option, 'lease', word, 0, 0xffffffff)
  return seconds === 0 ? 'unlimited' : { seconds }
}

/** What the whole command line looks like before it is judged; `--json` is wanted even where the rest is wrong. */
export function outputOf(argv: readonly string[]): Output {
  return { json: argv.includes('--json'), compat: argv.some(isCompat21(argv)) ? '2.1' : '2.3.3' }
}

function isCompat21(argv: readonly string[]): (word: string, at: number) => boolean {
  return (word, at) => word === '--compat=2.1' || (word === '--compat' && argv[at + 1] === '2.1')
}

/** @throws UsageError */
export function parseInvocation(argv: readonly string[]): Invocation {
  if (argv.length === 0) throw new UsageError('Command line argument error.', { withUsage: true })
  let invocation: Invocation | undefined
  const program = makeProgram((parsed) => {
    invocation = parsed
  })
  try {
    program.parse(argv, { from: 'user' })
  } catch (error) {
    if (error instanceof CommanderError) throw usageErrorOf(error)
    throw error
  }
  if (invocation === undefined) throw new UsageError('Command line argument error.', { withUsage: true })
  return invocation
}

function makeProgram(done: (invocation: Invocation) => void): Command {
  const quiet = { writeOut: () => {}, writeErr: () => {} }
  const program = new Command('upnp-ts').exitOverride().configureOutput(quiet).helpOption(false).helpCommand(false)
  program
    .argument('[words...]')
    .option('-l, --list')
    .option('-s, --status')
    .option('-P, --presentation')
    .option('-r, --redirect <words...>')
    .option('-a, --add <words...>')
    .option('-d, --delete <words...>')
    .option('-u, --url <url>')
    .option('-e, --description <text>')
    .option('-i, --ignore')
    .option('-h, --help')
    .option('-V, --version')
    .option('--emulate')
    .option('--json')
    .option('--compat <version>')
    .option('--discovery-time <ms>')
    .option('--timeout <ms>')
    .action((words: string[], options: Record<string, unknown>) => done(judge(words, options)))
  program
    .command('emulate')
    .exitOverride()
    .configureOutput(quiet)
    .helpOption(false)
    .option('--address <address>')
    .option('--port <port>')
    .option('--external-address <address>')
    .option('--json')
    .option('-h, --help')
    .action((options: Record<string, unknown>) => done(judgeEmulate(options)))
  return program
}

function judge(words: readonly string[], options: Record<string, unknown>): Invocation {
  if (options.help === true) return { kind: 'help' }
  if (options.version === true) return { kind: 'version' }
  const asked = COMMANDS.filter(({ flag }) => options[flag] !== undefined)
  const [command, second] = asked
  const stray = words[0]
  if (stray !== undefined) throw new UsageError(strayWord(stray, command?.letter))
  if (command === undefined) throw new UsageError('Command line argument error.', { withUsage: true })
  if (second !== undefined) throw new UsageError(`${command.letter} and ${second.letter}: one command at a time`)
  const url = textOption(options.url)
  if (url !== undefined && options.emulate === true)
    throw new UsageError('--emulate brings its own gateway: leave out -u')
  if (url !== undefined) checkUrl(url)
  const compat = textOption(options.compat)
  if (compat !== undefined && compat !== '2.1' && compat !== '2.3.3') {
    throw new UsageError(`--compat: '${compat}' is not a version to be like: 2.1 or 2.3.3`)
  }
  const description = textOption(options.description) ?? DEFAULT_DESCRIPTION
  const flaw = flawOf({ externalPort: 1, protocol: 'TCP', remoteHost: '', description })
  if (flaw !== undefined) throw new UsageError(`-e: ${flaw}`)
  return {
    kind: 'gateway',
    command: command.parse(listOption(options[command.flag])),
    url,
    description,
    ignoreState: options.ignore === true,
    emulate: options.emulate === true,
    discoveryTimeMs: millisecondsOption('--discovery-time', options.discoveryTime),
    timeoutMs: millisecondsOption('--timeout', options.timeout) ?? DEFAULT_TIMEOUT_MS,
  }
}

function judgeEmulate(options: Record<string, unknown>): Invocation {
  if (options.help === true) return { kind: 'help' }
  return {
    kind: 'emulate',
    address: addressOf('--address', textOption(options.address) ?? '127.0.0.1'),
    port: integerWithin('--port', 'port', textOption(options.port) ?? '0', 0, 65535),
    externalAddress: addressOf('--external-address', textOption(options.externalAddress) ?? '11.22.33.44'),
  }
}

function strayWord(word: string, letter: string | undefined): string {
  const why = letter === undefined ? 'a command begins with a dash, as in -r 22 TCP' : `${letter} does not take it`
  return `'${word}' is not understood: ${why}`
}

function checkUrl(url: string): void {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (parsed?.protocol === 'http:' && parsed.username === '' && parsed.port !== '0') return
  throw new UsageError(
    `-u: '${url}' is not the http:// URL of a root description, such as http://192.168.1.1:5000/rootDesc.xml`,
  )
}

function textOption(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function listOption(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : []
}

function millisecondsOption(option: string, value: unknown): number | undefined {
  const text = textOption(value)
  return text === undefined ? undefined : integerWithin(option, 'time in ms', text, 1, MAX_TIMEOUT_MS)
}

function usageErrorOf(error: CommanderError): UsageError {
  const option = /'(-[^' ,=]*)[^']*'/.exec(error.message)?.[1] ?? ''
  if (error.code === 'commander.unknownOption')
    return new UsageError(`Unknown switch ${option}; upnp-ts -h shows all of them`)
  if (error.code === 'commander.optionMissingArgument')
    return new UsageError(`${option} needs a value; upnp-ts -h tells which`)
  return new UsageError(error.message.replace(/^error: /, ''))
}
