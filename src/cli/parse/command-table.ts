/** The commands that ask a gateway: the facts of each, and what becomes of the words that follow it on the command line. */
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
} from '../../domain/port-mapping.js'
import type { Flag } from './flags.js'
import {
  ADD_PINHOLE_FORM,
  PINHOLE_IDS_FORM,
  parseAddPinhole,
  parseDeletePinholes,
  parseOutboundTimeout,
  parsePinholeIds,
  parseUpdatePinhole,
  TIMEOUT_FORM,
  UPDATE_PINHOLE_FORM,
} from './pinhole-words.js'
import { integerWithin, internalClientOf, protocolsOf, remoteHostOf, UsageError, wordsOf } from './words.js'

/** Of a mapping to be made: the internal client is 'local' until the gateway has been found. */
export type AskedMapping = Omit<MappingRequest, 'internalClient' | 'description'> & {
  readonly internalClient: string | 'local'
  /** TCP+UDP: the UDP one stands before it, on the same port, and both are made or none. */
  readonly pairedWithPrevious?: true
}

type MapCommand = { readonly name: 'map'; readonly any: boolean; readonly mappings: readonly AskedMapping[] }
type UnmapCommand = {
  readonly name: 'unmap'
  readonly keys: readonly MappingKey[]
  readonly exitCodeOfFailure: 2 | 3
}
type UnmapRangesCommand = { readonly name: 'unmap-ranges'; readonly ranges: readonly PortRange[] }

const ADD_FORM = 'IP PORT EXTERNAL_PORT PROTOCOL [LEASE] [REMOTE_HOST]'
const DELETE_FORM = 'EXTERNAL_PORT PROTOCOL [REMOTE_HOST]'
const RANGE_FORM = 'FIRST_PORT LAST_PORT PROTOCOL [MANAGE]'

/** What changes how the words of a command are read. */
export interface CommandOptions {
  /** --lease */
  readonly lease?: Lease | undefined
  /** External port 0 is any: over PCP and NAT-PMP, never over UPnP, where it is all of them. */
  readonly anyExternalPort?: boolean
}

/** What can be asked of a gateway: its name says which, and the rest is what its words mean. */
export interface AnyCommand {
  readonly name: string
}

/** What is known about a command before it runs. Nothing of this is guessed from its name. */
export interface CommandFacts {
  /** The protocols that can do it, with the words that it has. */
  readonly protocols: readonly GatewayProtocol[]
  /** No other protocol can do it: an IGD is searched for to the end. */
  readonly waitsForIgd: boolean
  /** The address family over which routers do it: many refuse what comes over the other one. */
  readonly family: 4 | 6 | undefined
  /** It is about single pinholes, which PCP opens over IPv6 only. */
  readonly isAboutPinholes: boolean
  /** It changes something at the router. */
  readonly changes: boolean
  /** The pinhole that it names, which only one protocol knows. */
  readonly pinholeId: PinholeId | undefined
}

interface RowDefinition<C extends AnyCommand> extends Flag {
  /** It may also stand alone. */
  readonly wordsOptional?: true
  /** Its flag is an option of other commands, and a command if there is no other. */
  readonly onlyAlone?: true
  readonly parse: (words: readonly string[], options?: CommandOptions) => C
  /** A function if it depends on the words. Only an IGD if it is not given. */
  readonly protocols?: readonly GatewayProtocol[] | ((command: C) => readonly GatewayProtocol[])
  /** What the words ask if a protocol that can do the command cannot do it with them, for messages. */
  readonly limit?: string
  readonly family?: 4 | 6
  /** It asks the firewall for IPv6: the usage text has a list of these. */
  readonly asksFirewall?: true
  readonly isAboutPinholes?: true
  readonly pinholeId?: (command: C) => PinholeId | undefined
  readonly changes?: true
}

/** A command and its facts. `C` is what its words are parsed into. */
export interface CommandRow<C extends AnyCommand = AnyCommand>
  extends Omit<RowDefinition<C>, 'parse' | 'protocols' | 'pinholeId'> {
  /** @throws UsageError */
  readonly read: (words: readonly string[], options?: CommandOptions) => { command: C; facts: CommandFacts }
}

/** For the type of the command that `parse` makes and the other functions take. */
export function row<const C extends AnyCommand>(definition: RowDefinition<C>): CommandRow<C> {
  const { parse, protocols = ['igd'], pinholeId, ...rest } = definition
  const { family, isAboutPinholes = false, changes = false } = rest
  return {
    ...rest,
    read: (words, options) => {
      const command = parse(words, options)
      const capable = typeof protocols === 'function' ? protocols(command) : protocols
      const waitsForIgd = capable.every((protocol) => protocol === 'igd')
      const id = pinholeId?.(command)
      return { command, facts: { protocols: capable, waitsForIgd, family, isAboutPinholes, changes, pinholeId: id } }
    },
  }
}

const CHANGES_PORTS = { family: 4, changes: true } as const
const OPENS_PORTS = { ...CHANGES_PORTS, protocols: protocolsThatMap, limit: 'for one remote host only' } as const
const CLOSES_PORTS = { ...CHANGES_PORTS, protocols: protocolsThatUnmap } as const
const ABOUT_PINHOLES = { family: 6, isAboutPinholes: true, asksFirewall: true } as const

/** In the order of the usage text. A command is a row here and a function in run/dispatch.ts. */
export const COMMANDS = [
  row({
    flag: 'list',
    letter: '-l',
    help: 'list what the router forwards, and its state',
    parse: () => ({ name: 'list' }),
  }),
  row({
    flag: 'list-at-once',
    letter: '-L',
    help: 'list what it forwards, all at once (IGD:2)',
    parse: () => ({ name: 'list-at-once' }),
  }),
  row({
    flag: 'status',
    letter: '-s',
    help: 'show the state of the router and its traffic',
    protocols: GATEWAY_PROTOCOLS,
    parse: () => ({ name: 'status' }),
  }),
  row({
    flag: 'redirect',
    letter: '-r',
    form: 'PORT [EXTERNAL_PORT] PROTOCOL ...',
    wanted: 'PORT [EXTERNAL_PORT] PROTOCOL, as in -r 22 TCP',
    help: 'open ports for this computer; several at once',
    ...OPENS_PORTS,
    parse: parseRedirect,
  }),
  row({
    flag: 'add',
    letter: '-a',
    form: ADD_FORM,
    help: 'open a port for the computer IP (@ is this one), for LEASE seconds, for one remote host only',
    ...OPENS_PORTS,
    parse: parseAdd('-a', false),
  }),
  row({
    flag: 'add-any',
    letter: '-n',
    form: ADD_FORM,
    help: 'the same; another external port if it is taken',
    ...OPENS_PORTS,
    parse: parseAdd('-n', true),
  }),
  row({
    flag: 'delete',
    letter: '-d',
    form: DELETE_FORM,
    help: 'close a port; -d PORT PROTOCOL ... is -f',
    ...CLOSES_PORTS,
    parse: parseDelete,
  }),
  row({
    flag: 'delete-several',
    letter: '-f',
    form: 'EXTERNAL_PORT PROTOCOL ...',
    wordsOptional: true,
    help: 'close several ports',
    ...CLOSES_PORTS,
    parse: parseDeletePairs('-f'),
  }),
  row({
    flag: 'delete-range',
    letter: '-N',
    form: RANGE_FORM,
    help: 'close a range of ports (IGD:2); with MANAGE 1 those of other computers too',
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
    form: ADD_PINHOLE_FORM,
    help: 'open a pinhole, and say its ID',
    ...ABOUT_PINHOLES,
    protocols: ['igd', 'pcp'],
    changes: true,
    parse: parseAddPinhole,
  }),
  row({
    flag: 'update-pinhole',
    letter: '-U',
    form: UPDATE_PINHOLE_FORM,
    help: 'give it another LEASE seconds',
    ...ABOUT_PINHOLES,
    pinholeId: ({ id }) => id,
    protocols: ({ id }) => protocolsThatKnow(id),
    changes: true,
    parse: parseUpdatePinhole,
  }),
  row({
    flag: 'check-pinhole',
    letter: '-C',
    form: PINHOLE_IDS_FORM,
    help: 'see whether it works',
    ...ABOUT_PINHOLES,
    parse: parsePinholeIds('-C', 'check-pinholes'),
  }),
  row({
    flag: 'pinhole-packets',
    letter: '-K',
    form: PINHOLE_IDS_FORM,
    help: 'see how many packets came through it',
    ...ABOUT_PINHOLES,
    parse: parsePinholeIds('-K', 'pinhole-packets'),
  }),
  row({
    flag: 'delete-pinhole',
    letter: '-D',
    form: PINHOLE_IDS_FORM,
    help: 'close it',
    ...ABOUT_PINHOLES,
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
    form: TIMEOUT_FORM,
    help: 'see how long an idle connection stays open',
    family: 6,
    asksFirewall: true,
    parse: parseOutboundTimeout,
  }),
  row({ flag: 'discovery-time', help: '', onlyAlone: true, parse: () => ({ name: 'search' }) }),
] as const

/** What a row's words are parsed into. */
type CommandOf<R> = R extends CommandRow<infer C> ? C : never

export type GatewayCommand = CommandOf<(typeof COMMANDS)[number]>

/** External port 0 is not for an IGD, and NAT-PMP knows no remote host. */
function protocolsThatMap({ mappings }: MapCommand): readonly GatewayProtocol[] {
  return GATEWAY_PROTOCOLS.filter(
    (each) =>
      !(each === 'igd' && mappings.some(({ externalPort }) => externalPort === 0)) &&
      !(each === 'nat-pmp' && mappings.some(({ remoteHost }) => remoteHost !== '')),
  )
}

function protocolsThatUnmap({ keys }: UnmapCommand): readonly GatewayProtocol[] {
  return GATEWAY_PROTOCOLS.filter((each) => each !== 'nat-pmp' || keys.every(({ remoteHost }) => remoteHost === ''))
}

/** A pinhole is known by a number to an IGD and by what it leads to over PCP. */
function protocolsThatKnow(pinhole: PinholeId | undefined): readonly GatewayProtocol[] {
  return [typeof pinhole === 'number' ? 'igd' : 'pcp']
}

/** One mapping for each protocol, the second one bound to the first. */
function mappingsOf(option: string, protocol: string, common: Omit<AskedMapping, 'protocol'>): AskedMapping[] {
  return protocolsOf(option, protocol).map((each, at) => ({
    ...common,
    protocol: each,
    ...(at === 0 ? {} : { pairedWithPrevious: true as const }),
  }))
}

/** -r port [external_port] protocol … */
function parseRedirect(
  words: readonly string[],
  { lease = 'unlimited', anyExternalPort }: CommandOptions = {},
): MapCommand {
  const mappings: AskedMapping[] = []
  for (let at = 0; at < words.length; ) {
    const internalPort = integerWithin('-r', 'port', words[at] ?? '', 1, 65535)
    const hasExternal = /^-?\d/.test(words[at + 1] ?? '') // what begins like a number is meant as one
    const externalPort = hasExternal ? externalPortOf('-r', words[at + 1] ?? '', anyExternalPort) : internalPort
    at += hasExternal ? 2 : 1
    const protocol = words[at]
    if (protocol === undefined)
      throw new UsageError(`-r: the protocol is missing after ${words[at - 1]}: add TCP or UDP`)
    const common = { internalClient: 'local', internalPort, externalPort, lease, remoteHost: '' }
    mappings.push(...mappingsOf('-r', protocol, common))
    at++
  }
  return { name: 'map', any: false, mappings }
}

/** -a, -n ip port external_port protocol [lease] [remote_host]; a fifth word that is no number is the remote host. */
function parseAdd(option: string, any: boolean): RowDefinition<MapCommand>['parse'] {
  return (words, { lease: leaseOption, anyExternalPort } = {}) => {
    wordsOf(option, ADD_FORM, words, 4, 6)
    const [ip = '', port = '', external = '', protocol = '', fifth, sixth = ''] = words
    const leaseGiven = fifth === undefined || /^\d*$/.test(fifth)
    if (!leaseGiven && (sixth !== '' || /^-\d/.test(fifth))) leaseOf(option, fifth)
    const leaseWord = leaseGiven && fifth !== '' ? fifth : undefined
    if (leaseOption !== undefined && leaseWord !== undefined) {
      throw new UsageError(`${option}: the lease is there twice: ${leaseWord} and --lease`)
    }
    const lease = leaseWord === undefined ? (leaseOption ?? 'unlimited') : leaseOf(option, leaseWord)
    const common = {
      internalClient: internalClientOf(option, ip),
      internalPort: integerWithin(option, 'port', port, 1, 65535),
      externalPort: externalPortOf(option, external, anyExternalPort),
      lease,
      remoteHost: remoteHostOf(option, leaseGiven ? sixth : fifth),
    }
    return { name: 'map', any, mappings: mappingsOf(option, protocol, common) }
  }
}

/** -d external_port protocol [remote_host]; followed by another port it is -f. */
function parseDelete(words: readonly string[]): UnmapCommand {
  const third = words[2] ?? ''
  const isRemoteHost = third === '' || isUnicastIPv4(third)
  if (/^\d+$/.test(third) || (words.length > 3 && !isRemoteHost)) return parseDeletePairs('-d')(words)
  wordsOf('-d', DELETE_FORM, words, 2, 3)
  const [port = '', protocol = '', remoteHost = ''] = words
  return { name: 'unmap', keys: keysOf('-d', port, protocol, remoteHost), exitCodeOfFailure: 2 }
}

/** (external_port protocol) …; none at all is nothing to do. */
function parseDeletePairs(option: string): (words: readonly string[]) => UnmapCommand {
  return (words) => {
    const keys: MappingKey[] = []
    for (let at = 0; at < words.length; at += 2) {
      const [port = '', protocol] = words.slice(at, at + 2)
      if (protocol === undefined) {
        integerWithin(option, 'external port', port, 1, 65535)
        throw new UsageError(`${option}: the protocol is missing after ${port}: add TCP or UDP`)
      }
      keys.push(...keysOf(option, port, protocol, ''))
    }
    return { name: 'unmap', keys, exitCodeOfFailure: 3 }
  }
}

function keysOf(option: string, port: string, protocol: string, remoteHost: string): MappingKey[] {
  const externalPort = integerWithin(option, 'external port', port, 1, 65535)
  return protocolsOf(option, protocol).map((each) => ({
    externalPort,
    protocol: each,
    remoteHost: remoteHostOf(option, remoteHost),
  }))
}

/** -N first last protocol [manage]: manage 1 also removes what other computers made. */
function parseRange(words: readonly string[]): UnmapRangesCommand {
  wordsOf('-N', RANGE_FORM, words, 3, 4)
  const [first = '', last = '', protocol = '', manage = '0'] = words
  const startPort = integerWithin('-N', 'first port', first, 1, 65535)
  const endPort = integerWithin('-N', 'last port', last, startPort, 65535)
  const managed = integerWithin('-N', 'value for MANAGE', manage, 0, 1) === 1
  const ranges = protocolsOf('-N', protocol).map((each) => ({ startPort, endPort, protocol: each, manage: managed }))
  return { name: 'unmap-ranges', ranges }
}

function externalPortOf(option: string, word: string, anyExternalPort = false): number {
  if (word === '0' && !anyExternalPort) {
    throw new UsageError(`${option}: external port 0, any port, is had with --via pcp and --via nat-pmp only`)
  }
  return integerWithin(option, 'external port', word, anyExternalPort ? 0 : 1, 65535)
}

export function leaseOf(option: string, word: string): Lease {
  const seconds = word === '' ? 0 : integerWithin(option, 'lease in seconds', word, 0, MAX_LEASE_SECONDS)
  return seconds === 0 ? 'unlimited' : { seconds }
}
