/**
 * VERBS: one row for each command that is a word, `upnp-ts open 25565`. A verb is for people: its answer is in plain
 * words. It is parsed into the same commands as the letters, whose text upnpc decides.
 */
import { isUnicastIPv6 } from '../../domain/address.js'
import { GATEWAY_PROTOCOLS, PROTOCOL_NUMBERS, type TransportProtocol } from '../../domain/port-mapping.js'
import {
  ABOUT_PINHOLES,
  type AnyCommand,
  type AskedMapping,
  CLOSES_PORTS,
  type CommandOptions,
  type CommandRow,
  type GatewayCommand,
  OPENS_PORTS,
  row,
} from './command-table.js'
import { labelOf } from './option-table.js'
import type { AskedPinhole } from './pinhole-words.js'
import { addToRanges, type PortPair, portPairsOf, portsOf } from './port-words.js'
import { refuseOtherSpellings } from './verb-words.js'
import { addressOf, remoteHostOf, UsageError } from './words.js'

export interface VerbRow<C extends AnyCommand = AnyCommand> extends CommandRow<C> {
  /** What the verb does over IPv6, where there are no port mappings. */
  readonly overIPv6?: CommandRow<C>
}

const OPEN = {
  flag: 'open',
  isVerb: true,
  form: '[EXTERNAL:]PORT[/PROTOCOL] ...',
  wanted: 'a port',
  example: '25565',
  moreExamples: ['open 2222:22 53/both', 'open 27015-27030/udp --keep'],
  brief: 'PORT ...',
  help: 'open ports for this computer',
} as const

const CLOSE = {
  flag: 'close',
  isVerb: true,
  form: 'PORT[/PROTOCOL] ...',
  wanted: 'a port',
  example: '25565',
  moreExamples: ['close 27015-27030/udp', 'close --mine'],
  brief: 'PORT ...',
  help: 'close ports that lead to this computer',
} as const

/** In the order of the usage text. */
export const VERBS: readonly VerbRow<GatewayCommand>[] = [
  {
    ...row({ ...OPEN, ...OPENS_PORTS, parse: parseOpen }),
    overIPv6: row({
      ...OPEN,
      ...ABOUT_PINHOLES,
      protocols: ['igd', 'pcp'],
      changes: true,
      parse: parseOpenOverIPv6,
    }),
  },
  {
    ...row({ ...CLOSE, ...CLOSES_PORTS, protocols: GATEWAY_PROTOCOLS, parse: parseClose }),
    overIPv6: row({
      ...CLOSE,
      ...ABOUT_PINHOLES,
      protocols: ['igd', 'pcp'],
      changes: true,
      parse: parseCloseOverIPv6,
    }),
  },
  row({
    flag: 'list',
    isVerb: true,
    moreExamples: ['list --json'],
    help: 'list the ports that the router has open',
    protocols: GATEWAY_PROTOCOLS,
    parse: () => ({ name: 'list' }),
  }),
  row({
    flag: 'status',
    isVerb: true,
    help: 'show your router, and if the internet can reach it',
    protocols: GATEWAY_PROTOCOLS,
    parse: () => ({ name: 'overview' }),
  }),
  row({
    flag: 'watch',
    isVerb: true,
    help: 'show both, and what changes, until Ctrl-C',
    hasNoEnd: true,
    protocols: GATEWAY_PROTOCOLS,
    parse: () => ({ name: 'watch' }),
  }),
]

/** A port of the command line in both protocols or in one. */
interface PortWord {
  readonly pairs: readonly PortPair[]
  readonly protocols: readonly TransportProtocol[]
}

/** `25565`, `2222:22`, `27015-27030/udp`, `53/both`: outside and inside as docker writes them. @throws UsageError */
function portWordsOf(
  words: readonly string[],
  { external, anyExternalPort, lease }: CommandOptions,
): readonly PortWord[] {
  const label = labelOf(OPEN)
  if (words.length === 0) throw new UsageError(`which port? Give it, as in: upnp-ts ${label} 25565`)
  if (external !== undefined && words.length > 1)
    throw new UsageError(`--external is for one port: write each as OUTSIDE:INSIDE, as in: upnp-ts ${label} 2222:22`)
  refuseOtherSpellings(label, words, lease)
  let inRanges = 0
  return words.map((word) => {
    const [, outside, inside = '', protocol = 'tcp'] = /^(?:([^:/]*):)?([^:/]*)(?:\/(.*))?$/s.exec(word) ?? []
    if (outside !== undefined && external !== undefined)
      throw new UsageError(`the port outside is given twice: ${outside} and --external`)
    const isAny = external === 'any'
    const pairs = portPairsOf(label, inside, isAny ? inside : (outside ?? external ?? inside), anyExternalPort)
    inRanges = addToRanges(label, inRanges, pairs.length)
    return { pairs, protocols: verbProtocolsOf(word, protocol) }
  })
}

/** UDP first: on some routers (WRT54G, Zyxel) the second mapping of a port replaces the first. @throws UsageError */
function verbProtocolsOf(word: string, protocol: string): readonly TransportProtocol[] {
  const lower = protocol.toLowerCase()
  if (lower === 'tcp') return ['TCP']
  if (lower === 'udp') return ['UDP']
  if (lower === 'both' || lower === 'tcp+udp') return ['UDP', 'TCP']
  const port = word.slice(0, word.indexOf('/'))
  throw new UsageError(`'${protocol}' is not a protocol: write ${port}/tcp, ${port}/udp or ${port}/both`, {
    fix: [word, `${port}/${['tcp', 'udp'].find((each) => lettersOf(each) === lettersOf(lower)) ?? 'both'}`],
  })
}

/** In their order, because `tpc` means tcp. */
function lettersOf(word: string): string {
  return [...word].toSorted().join('')
}

function parseOpen(words: readonly string[], options: CommandOptions = {}) {
  const { internalClient = 'local', remoteHost = '', lease = 'unlimited', external } = options
  const client = internalClient === 'local' ? internalClient : addressOf('--to', internalClient)
  const common = { internalClient: client, lease, remoteHost: remoteHostOf('--only', remoteHost) }
  const mappings = portWordsOf(words, options).flatMap(({ pairs, protocols }) =>
    pairs.flatMap((pair) =>
      protocols.map(
        (protocol, at): AskedMapping => ({
          ...common,
          ...pair,
          protocol,
          ...(at === 0 ? {} : { pairedWithPrevious: true }),
        }),
      ),
    ),
  )
  return { name: 'map', any: external === 'any', mappings } as const
}

/** WANIPv6FirewallControl:1 2.4.3 */
const LONGEST_PINHOLE_SECONDS = 86_400

function parseOpenOverIPv6(words: readonly string[], options: CommandOptions = {}) {
  const { internalClient = 'stable', remoteHost = '', lease = 'unlimited' } = options
  for (const [option, address] of [
    ['--to', internalClient],
    ['--only', remoteHost],
  ] as const)
    if (address !== '' && address !== 'stable' && !isUnicastIPv6(address))
      throw new UsageError(
        `${option}: '${address}' is not an IPv6 address: give one such as 2001:db8::5, or leave out --ipv6`,
      )
  const seconds = lease === 'unlimited' ? LONGEST_PINHOLE_SECONDS : lease.seconds
  const common = {
    ...{ remoteHost, remoteHostTyped: remoteHost, remotePort: 0, internalClient },
    leaseSeconds: Math.min(seconds, LONGEST_PINHOLE_SECONDS),
  }
  const pinholes = portWordsOf(words, options).flatMap(({ pairs, protocols }) =>
    pairs.flatMap(({ internalPort, externalPort }) => {
      if (externalPort !== internalPort && options.isBesideIPv4 !== true)
        throw new UsageError(
          `over IPv6 a port is the same outside and inside: write ${internalPort}, or leave out --ipv6`,
        )
      return protocols.map((protocol, at): AskedPinhole & { leaseSeconds: number } => ({
        ...common,
        internalPort,
        protocol: PROTOCOL_NUMBERS[protocol],
        ...(at === 0 ? {} : { pairedWithPrevious: true }),
      }))
    }),
  )
  return { name: 'add-pinholes', pinholes } as const
}

/** Without a protocol, whatever is open there is closed. */
function closingWordsOf(words: readonly string[]) {
  const label = labelOf(CLOSE)
  if (words.length === 0)
    throw new UsageError(
      `which port? Give it, as in: upnp-ts ${label} 25565; for all of upnp-ts: upnp-ts ${label} --mine`,
    )
  refuseOtherSpellings(label, words)
  let inRanges = 0
  return words.flatMap((word) => {
    const [, portWord = '', protocol = 'both'] = /^([^/]*)(?:\/(.*))?$/s.exec(word) ?? []
    const ports = portsOf(label, 'port', portWord)
    inRanges = addToRanges(label, inRanges, ports.length)
    const protocols = verbProtocolsOf(word, protocol)
    return ports.map((port) => ({ port, protocols }))
  })
}

function parseClose(words: readonly string[], options: CommandOptions = {}) {
  const { mine = false, onlyUnused = false, isAgreed = false, isForBoth: withPinholes = false } = options
  if (!mine) return { name: 'close', ports: closingWordsOf(words) } as const
  refuseBesideMine(words)
  return { name: 'close-mine', withPinholes, onlyUnused, isAgreed } as const
}

function parseCloseOverIPv6(words: readonly string[], options: CommandOptions = {}) {
  const { mine = false, onlyUnused = false, isBesideIPv4 = false } = options
  if (!mine) return { name: 'close-pinholes', ports: closingWordsOf(words) } as const
  if (!isBesideIPv4) throw new UsageError('--mine closes what is open over IPv4 and over IPv6: leave out --ipv6')
  refuseBesideMine(words)
  return { name: 'close-my-pinholes', onlyUnused } as const
}

/** @throws UsageError */
function refuseBesideMine([word]: readonly string[]): void {
  if (word === undefined) return
  const label = labelOf(CLOSE)
  throw new UsageError(
    `--mine closes all that upnp-ts has opened; for one port: upnp-ts ${label} ${/^[\w/:-]+$/.test(word) ? word : 'PORT'}`,
  )
}
