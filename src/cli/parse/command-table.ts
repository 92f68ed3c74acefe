/** COMMANDS: one row for each command that asks a gateway, with its facts and how the words after it are parsed. */
import { isUnicastIPv4 } from '../../domain/address.js'
import type { PortRange } from '../../domain/gateway.js'
import type { PinholeId } from '../../domain/pinhole.js'
import {
  GATEWAY_PROTOCOLS,
  type GatewayProtocol,
  type Lease,
  MAX_LEASE_SECONDS,
  type MappingKey,
  type MappingRequest,
  type TransportProtocol,
} from '../../domain/port-mapping.js'
import { type Flag, labelOf } from './option-table.js'
import {
  parseAddPinhole,
  parseDeletePinholes,
  parseOutboundTimeout,
  parsePinholeIds,
  parseUpdatePinhole,
} from './pinhole-words.js'
import { addToRanges, type PortPair, pinholeCommand, portPairsOf, portsOf, samePortOf } from './port-words.js'
import { integerWithin, internalClientOf, protocolsOf, remoteHostOf, UsageError, wordsOf } from './words.js'

/** A mapping that the user asks for. The internal client is 'local' until the gateway has been found. */
export type AskedMapping = Omit<MappingRequest, 'description'> & {
  /** The TCP half of TCP+UDP. The UDP half comes before it, on the same port; both are made or neither. */
  readonly pairedWithPrevious?: true
}

type MapCommand = { readonly name: 'map'; readonly any: boolean; readonly mappings: readonly AskedMapping[] }
type UnmapCommand = { readonly name: 'unmap'; readonly keys: readonly MappingKey[]; readonly exitCodeOfFailure: 2 | 3 }
type UnmapRangesCommand = { readonly name: 'unmap-ranges'; readonly ranges: readonly PortRange[] }

/** A port to close, in these protocols or in whichever it is open. */
export interface PortToClose {
  readonly port: number
  readonly protocols: readonly TransportProtocol[]
}
/** What only verbs are parsed into. */
/** Closes what upnp-ts has made. */
type CloseMineCommand = {
  readonly name: 'close-mine'
  readonly withPinholes: boolean
  /** If nobody on this computer listens there. */
  readonly onlyUnused: boolean
  /** It is not asked for. */
  readonly isAgreed: boolean
}
type CloseMyPinholesCommand = { readonly name: 'close-my-pinholes'; readonly onlyUnused: boolean }
type VerbCommand =
  | CloseMineCommand
  | CloseMyPinholesCommand
  | CloseCommand
  | ClosePinholesCommand
  | OverviewCommand
  | WatchCommand
/** The same and the table, again and again. */
type WatchCommand = { readonly name: 'watch' }
/** The state of the router, and what it speaks. */
type OverviewCommand = { readonly name: 'overview' }
/** Closes what leads to this computer, or what this user has opened. */
type CloseCommand = { readonly name: 'close'; readonly ports: readonly PortToClose[] }
type ClosePinholesCommand = { readonly name: 'close-pinholes'; readonly ports: readonly PortToClose[] }

const DELETE_FORM = 'EXTERNAL_PORT PROTOCOL [REMOTE_HOST]'

/** The options that change how the words of a command are read. */
export interface CommandOptions {
  /** --lease */
  readonly lease?: Lease | undefined
  /** External port 0 means any port, over PCP and NAT-PMP. UPnP has no such word: there 0 means all ports. */
  readonly anyExternalPort?: boolean
  /** --external, --to and --only of verbs, and the lease of --for */
  readonly external?: string | undefined
  readonly internalClient?: string | undefined
  readonly remoteHost?: string | undefined
  /** The same is done over IPv6 too. */
  readonly isForBoth?: boolean
  /** --mine, --unused and --yes */
  readonly mine?: boolean
  readonly onlyUnused?: boolean
  readonly isAgreed?: boolean
  /** What is opened over IPv6 is opened over IPv4 too. */
  readonly isBesideIPv4?: boolean
  /** Internal port 0 means the same port as outside. Only NAT-PMP has that, and only at some gateways of VPNs. */
  readonly sameInternalPort?: boolean
}

/** A command after parsing: its name, and whatever its words mean. */
export interface AnyCommand {
  readonly name: string
}

/** What is known about a command before it runs. None of it is guessed from the name. */
export interface CommandFacts {
  /** The protocols that can do the command with these words. */
  readonly protocols: readonly GatewayProtocol[]
  /** Only an IGD can do the command: the search for one goes on to its end. */
  readonly waitsForIgd: boolean
  /** The address family over which to ask: many routers refuse the command over the other one. */
  readonly family: 4 | 6 | undefined
  /** The command is about single pinholes, which PCP opens over IPv6 only. */
  readonly isAboutPinholes: boolean
  /** The command changes something at the router. */
  readonly changes: boolean
  /** The pinhole that the command names. Only one protocol knows it. */
  readonly pinholeId: PinholeId | undefined
}

interface RowDefinition<C extends AnyCommand>
  extends Flag,
    Partial<Pick<CommandFacts, 'family' | 'isAboutPinholes' | 'changes'>> {
  /** The least and the most words; undefined if `parse` counts them. */
  readonly count?: readonly [number, number]
  /** What to do instead if there are fewer words than that. */
  readonly ifFewer?: string
  /** The flag is an option of other commands. Without another command, it is a command itself. */
  readonly onlyAlone?: true
  /** It goes on until it is stopped, or until --timeout. */
  readonly hasNoEnd?: true
  readonly parse: (words: readonly string[], options?: CommandOptions) => C
  /** The protocols that can do the command, or a function if they depend on the words. Default: only UPnP. */
  readonly protocols?: readonly GatewayProtocol[] | ((command: C) => readonly GatewayProtocol[])
  /** What the words ask for that some protocols cannot do, for a message: `-a for one remote host only cannot ...`. */
  readonly limit?: string
  /** The verb that does what the letter does, in plain words. */
  readonly verb?: 'open' | 'close' | 'list' | 'status'
  /** The command asks the IPv6 firewall: the usage text lists these commands apart. */
  readonly asksFirewall?: true
  readonly pinholeId?: (command: C) => PinholeId | undefined
}

/** A command and its facts. `C` is what its words are parsed into. */
export interface CommandRow<C extends AnyCommand = AnyCommand>
  extends Omit<RowDefinition<C>, 'count' | 'ifFewer' | 'parse' | 'protocols' | 'pinholeId'> {
  /** @throws UsageError */
  readonly read: (words: readonly string[], options?: CommandOptions) => { command: C; facts: CommandFacts }
}

/** Makes a row. The type of the command that `parse` returns is inferred for the other functions. */
export function row<const C extends AnyCommand>(definition: RowDefinition<C>): CommandRow<C> {
  const { count, ifFewer, parse, protocols = ['igd'], pinholeId, ...rest } = definition
  const { family, isAboutPinholes = false, changes = false } = rest
  return {
    ...rest,
    read: (words, options) => {
      if (count !== undefined) wordsOf(labelOf(rest), rest.form ?? '', words, count, ifFewer)
      const command = parse(words, options)
      const capable = typeof protocols === 'function' ? protocols(command) : protocols
      const waitsForIgd = capable.every((protocol) => protocol === 'igd')
      const id = pinholeId?.(command)
      return { command, facts: { protocols: capable, waitsForIgd, family, isAboutPinholes, changes, pinholeId: id } }
    },
  }
}

const CHANGES_PORTS = { family: 4, changes: true } as const
export const OPENS_PORTS = { ...CHANGES_PORTS, protocols: protocolsThatMap, limit: 'for one remote host only' } as const
const OPENS_ONE_PORT = {
  ...OPENS_PORTS,
  form: 'IP PORT EXTERNAL_PORT PROTOCOL [LEASE] [REMOTE_HOST]',
  count: [4, 6],
  example: '192.168.1.5 80 8080 TCP',
  ifFewer: '-r PORT PROTOCOL opens a port for this computer',
} as const
export const CLOSES_PORTS = { ...CHANGES_PORTS, protocols: protocolsThatUnmap } as const
export const ABOUT_PINHOLES = { family: 6, isAboutPinholes: true, asksFirewall: true } as const
const NAMES_PINHOLES = { ...ABOUT_PINHOLES, form: 'ID ...', example: '1 -6', count: [1, 1000] } as const

/** In the order of the usage text. Each command is a row here and a function in run/run.ts. */
export const COMMANDS = [
  row({
    flag: 'list',
    letter: '-l',
    verb: 'list',
    help: 'list what the router forwards, and its state',
    parse: () => ({ name: 'list' }),
  }),
  row({
    flag: 'list-at-once',
    letter: '-L',
    verb: 'list',
    help: 'list what it forwards, all at once (IGD:2)',
    parse: () => ({ name: 'list-at-once' }),
  }),
  row({
    flag: 'status',
    letter: '-s',
    verb: 'status',
    help: 'show the state of the router and its traffic',
    protocols: GATEWAY_PROTOCOLS,
    parse: () => ({ name: 'status' }),
  }),
  row({
    flag: 'redirect',
    moreExamples: ['-r 80 8080 TCP 53 UDP', '-r 25565 TCP --keep'],
    letter: '-r',
    verb: 'open',
    form: 'PORT [EXTERNAL_PORT] PROTOCOL ...',
    example: '22 TCP',
    help: 'open ports for this computer; several at once',
    ...OPENS_PORTS,
    parse: parseRedirect,
  }),
  row({
    flag: 'add',
    letter: '-a',
    verb: 'open',
    help: 'open a port for the computer IP (@ is this one), for LEASE seconds, for one remote host only',
    ...OPENS_ONE_PORT,
    parse: parseAdd('-a', false),
  }),
  row({
    flag: 'add-any',
    letter: '-n',
    verb: 'open',
    help: 'the same; another external port if that one is taken',
    ...OPENS_ONE_PORT,
    parse: parseAdd('-n', true),
  }),
  row({
    flag: 'delete',
    moreExamples: ['-d 27015-27030 UDP'],
    letter: '-d',
    verb: 'close',
    form: DELETE_FORM,
    example: '22 TCP',
    help: 'close a port; with several ports, the same as -f',
    ...CLOSES_PORTS,
    parse: parseDelete,
  }),
  row({
    flag: 'delete-several',
    letter: '-f',
    verb: 'close',
    form: 'EXTERNAL_PORT PROTOCOL ...',
    example: '22 TCP 80 TCP',
    help: 'close several ports',
    ...CLOSES_PORTS,
    parse: parseDeletePairs('-f'),
  }),
  row({
    flag: 'delete-range',
    letter: '-N',
    verb: 'close',
    form: 'FIRST_PORT LAST_PORT PROTOCOL [MANAGE]',
    count: [3, 4],
    example: '8000 8010 TCP',
    ifFewer: 'a range is two words here',
    help: 'close a range of ports (IGD:2); with MANAGE 1, those of other computers too',
    ...CHANGES_PORTS,
    parse: parseRange,
  }),
  row({
    flag: 'presentation',
    letter: '-P',
    help: "show the address of the router's web page",
    parse: () => ({ name: 'presentation' }),
  }),
  row({
    flag: 'add-pinhole',
    letter: '-A',
    verb: 'open',
    form: 'REMOTE_IP REMOTE_PORT INTERNAL_IP INTERNAL_PORT PROTOCOL LEASE',
    count: [6, 6],
    example: '"" 0 @ 8333 TCP 3600 -6',
    help: 'open a pinhole and print its ID',
    ...ABOUT_PINHOLES,
    protocols: ['igd', 'pcp'],
    changes: true,
    parse: parseAddPinhole,
  }),
  row({
    flag: 'update-pinhole',
    letter: '-U',
    form: 'ID LEASE',
    example: '1 3600 -6',
    count: [2, 2],
    help: 'give a pinhole another LEASE seconds',
    ...ABOUT_PINHOLES,
    pinholeId: ({ id }) => id,
    protocols: ({ id }) => protocolsThatKnow(id),
    changes: true,
    parse: parseUpdatePinhole,
  }),
  row({
    flag: 'check-pinhole',
    letter: '-C',
    help: 'see whether a pinhole works',
    ...NAMES_PINHOLES,
    parse: parsePinholeIds('-C', 'check-pinholes'),
  }),
  row({
    flag: 'pinhole-packets',
    letter: '-K',
    help: 'see how many packets came through a pinhole',
    ...NAMES_PINHOLES,
    parse: parsePinholeIds('-K', 'pinhole-packets'),
  }),
  row({
    flag: 'delete-pinhole',
    letter: '-D',
    verb: 'close',
    help: 'close a pinhole',
    ...NAMES_PINHOLES,
    pinholeId: ({ ids }) => ids[0],
    protocols: ({ ids }) => protocolsThatKnow(ids[0]),
    changes: true,
    parse: parseDeletePinholes,
  }),
  row({
    flag: 'firewall-status',
    letter: '-S',
    help: 'show the state of the firewall',
    asksFirewall: true,
    parse: () => ({ name: 'firewall-status' }),
  }),
  row({
    flag: 'outbound-timeout',
    letter: '-G',
    form: 'REMOTE_IP REMOTE_PORT INTERNAL_IP INTERNAL_PORT PROTOCOL',
    count: [5, 5],
    example: '"" 0 @ 8333 TCP -6',
    help: 'see how long an idle connection stays open',
    family: 6,
    asksFirewall: true,
    parse: parseOutboundTimeout,
  }),
  row({ flag: 'discovery-time', help: '', onlyAlone: true, parse: () => ({ name: 'search' }) }),
] as const

/** The command that a row parses its words into. */
type CommandOf<R> = R extends CommandRow<infer C> ? C : never

export type GatewayCommand = CommandOf<(typeof COMMANDS)[number]> | VerbCommand

/** An IGD cannot map external port 0, only NAT-PMP can map internal port 0, and it has no remote hosts. */
function protocolsThatMap({ mappings }: MapCommand): readonly GatewayProtocol[] {
  return GATEWAY_PROTOCOLS.filter(
    (each) =>
      !(each === 'igd' && mappings.some(({ externalPort }) => externalPort === 0)) &&
      !(each !== 'nat-pmp' && mappings.some(({ internalPort }) => internalPort === 0)) &&
      !(each === 'nat-pmp' && mappings.some(({ remoteHost }) => remoteHost !== '')),
  )
}

function protocolsThatUnmap({ keys }: UnmapCommand): readonly GatewayProtocol[] {
  return GATEWAY_PROTOCOLS.filter((each) => each !== 'nat-pmp' || keys.every(({ remoteHost }) => remoteHost === ''))
}

/** An IGD knows a pinhole by a number; PCP knows it by its destination. */
function protocolsThatKnow(pinhole: PinholeId | undefined): readonly GatewayProtocol[] {
  return [typeof pinhole === 'number' ? 'igd' : 'pcp']
}

/** A mapping for each port, and for each protocol of a port. The second protocol depends on the first. */
function mappingsOf(
  option: string,
  pairs: readonly PortPair[],
  protocol: string,
  common: Omit<AskedMapping, 'protocol' | keyof PortPair>,
): AskedMapping[] {
  const protocols = protocolsOf(option, protocol)
  return pairs.flatMap((pair) =>
    protocols.map((each, at) => ({
      ...common,
      ...pair,
      protocol: each,
      ...(at === 0 ? {} : { pairedWithPrevious: true as const }),
    })),
  )
}

/** -r port [external_port] protocol … */
function parseRedirect(
  words: readonly string[],
  { lease = 'unlimited', anyExternalPort, sameInternalPort = false }: CommandOptions = {},
): MapCommand {
  const mappings: AskedMapping[] = []
  let inRanges = 0
  for (let at = 0; at < words.length; ) {
    const internal = words[at] ?? ''
    const hasExternal = /^-?\d|^-$/.test(words[at + 1] ?? '') // a word that begins like a number is meant as one
    const external = hasExternal ? words[at + 1] : undefined
    const pairs =
      internal === '0' && (sameInternalPort || hasExternal)
        ? [samePortOf('-r', external, sameInternalPort)]
        : portPairsOf('-r', internal, external ?? internal, anyExternalPort)
    inRanges = addToRanges('-r', inRanges, pairs.length)
    at += hasExternal ? 2 : 1
    const protocol = words[at]
    if (protocol === undefined) throw protocolMissing('-r', words[at - 1] ?? '')
    mappings.push(...mappingsOf('-r', pairs, protocol, { internalClient: 'local', lease, remoteHost: '' }))
    at++
  }
  const samePorts = mappings.filter(({ internalPort }) => internalPort === 0)
  if (new Set(samePorts.map((each) => each.protocol)).size < samePorts.length)
    throw new UsageError('-r: internal port 0 is one port for each protocol: give it once')
  return { name: 'map', any: false, mappings }
}

/** -a, -n ip port external_port protocol [lease] [remote_host]. A fifth word that is no number is the remote host. */
function parseAdd(option: string, any: boolean): RowDefinition<MapCommand>['parse'] {
  return (words, { lease: leaseOption, anyExternalPort } = {}) => {
    const [ip = '', port = '', external = '', protocol = '', fifth, sixth = ''] = words
    const leaseGiven = fifth === undefined || /^\d*$/.test(fifth)
    if (!leaseGiven && (sixth !== '' || /^-\d/.test(fifth))) leaseOf(option, fifth)
    const leaseWord = leaseGiven && fifth !== '' ? fifth : undefined
    if (leaseOption !== undefined && leaseWord !== undefined) {
      throw new UsageError(`${option}: the lease is given twice: ${leaseWord} and --lease`)
    }
    const lease = leaseWord === undefined ? (leaseOption ?? 'unlimited') : leaseOf(option, leaseWord)
    const internalClient = internalClientOf(option, ip, pinholeCommand(ip, port, protocol))
    const pairs = portPairsOf(option, port, external, anyExternalPort)
    const remoteHost = remoteHostOf(option, leaseGiven ? sixth : fifth)
    return { name: 'map', any, mappings: mappingsOf(option, pairs, protocol, { internalClient, lease, remoteHost }) }
  }
}

/** -d external_port protocol [remote_host]. If another port follows, or the port is a range, -d means -f. */
function parseDelete(words: readonly string[]): UnmapCommand {
  const third = words[2] ?? ''
  const isRemoteHost = third === '' || isUnicastIPv4(third)
  if (/^\d+([-:]\d+)?$/.test(third) || (words.length > 3 && !isRemoteHost)) return parseDeletePairs('-d')(words)
  if (words.length === 1) return parseDeletePairs('-d')(words)
  wordsOf('-d', DELETE_FORM, words, [2, 3])
  const [port = '', protocol = '', remoteHost = ''] = words
  return {
    name: 'unmap',
    keys: keysOf('-d', port, protocol, remoteHost),
    exitCodeOfFailure: port.includes('-') ? 3 : 2,
  }
}

function protocolMissing(option: string, port: string): UsageError {
  return new UsageError(`${option}: the protocol is missing after ${port}: add TCP or UDP`, {
    fix: [port, `${port} TCP`],
  })
}

/** (external_port protocol) … */
function parseDeletePairs(option: string): (words: readonly string[]) => UnmapCommand {
  return (words) => {
    const keys: MappingKey[] = []
    let inRanges = 0
    for (let at = 0; at < words.length; at += 2) {
      const [port = '', protocol] = words.slice(at, at + 2)
      if (protocol === undefined) {
        portsOf(option, 'external port', port)
        throw protocolMissing(option, port)
      }
      const ofPort = keysOf(option, port, protocol, '')
      inRanges = addToRanges(option, inRanges, ofPort.length / protocolsOf(option, protocol).length)
      keys.push(...ofPort)
    }
    return { name: 'unmap', keys, exitCodeOfFailure: 3 }
  }
}

function keysOf(option: string, port: string, protocol: string, remoteHost: string): MappingKey[] {
  const externalPorts = portsOf(option, 'external port', port)
  const protocols = protocolsOf(option, protocol)
  const host = remoteHostOf(option, remoteHost)
  return externalPorts.flatMap((externalPort) =>
    protocols.map((each) => ({ externalPort, protocol: each, remoteHost: host })),
  )
}

/** -N first last protocol [manage]. Manage 1 also removes mappings that other computers made. */
function parseRange(words: readonly string[]): UnmapRangesCommand {
  const [first = '', last = '', protocol = '', manage = '0'] = words
  const startPort = integerWithin('-N', 'first port', first, 1, 65535)
  const endPort = integerWithin('-N', 'last port', last, startPort, 65535)
  const managed = integerWithin('-N', 'value for MANAGE', manage, 0, 1) === 1
  const ranges = protocolsOf('-N', protocol).map((each) => ({ startPort, endPort, protocol: each, manage: managed }))
  return { name: 'unmap-ranges', ranges }
}

export function leaseOf(option: string, word: string): Lease {
  const seconds = word === '' ? 0 : integerWithin(option, 'lease in seconds', word, 0, MAX_LEASE_SECONDS)
  return seconds === 0 ? 'unlimited' : { seconds }
}
