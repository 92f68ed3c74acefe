/** Parses the words after the commands about pinholes in the router's IPv6 firewall: -A -U -C -K -D -G. */
import { isUnicastIPv4, isUnicastIPv6, parseIPv6, splitZone } from '../../domain/address.js'
import { type PinholeId, type PinholeRequest, pinholeIdOf, pinholeTargetOf } from '../../domain/pinhole.js'
import { PROTOCOL_NUMBERS } from '../../domain/port-mapping.js'
import { integerWithin, protocolsOf, UsageError } from './words.js'

/**
 * A pinhole that the user asks for. The internal client is 'local' until the gateway has been found, or 'stable': the
 * same, but an address that lasts.
 */
export interface AskedPinhole extends PinholeRequest {
  /** The remote host as the user typed it, for printing. */
  readonly remoteHostTyped: string
  /** The TCP half of TCP+UDP. The UDP half comes before it; both are opened or neither. */
  readonly pairedWithPrevious?: true
}

/** WANIPv6FirewallControl:1 2.2.5 has 1 to 86400 s, but a gateway may allow more. */
const MAX_LEASE_SECONDS = 0xffffffff

export function parseAddPinhole(words: readonly string[]) {
  const leaseSeconds = integerWithin('-A', 'lease in seconds', words[5] ?? '', 1, MAX_LEASE_SECONDS)
  const asked = pinholes('-A', words).map((each, at) => {
    return { ...each, leaseSeconds, ...(at === 0 ? {} : { pairedWithPrevious: true as const }) }
  })
  return { name: 'add-pinholes', pinholes: asked } as const
}

export function parseOutboundTimeout(words: readonly string[]) {
  return { name: 'outbound-timeout', pinholes: pinholes('-G', words) } as const
}

/** One pinhole for each protocol. */
function pinholes(option: string, words: readonly string[]): AskedPinhole[] {
  const [remote = '', remotePort = '', internal = '', internalPort = '', protocol = ''] = words
  const common = {
    remoteHost: remoteHost(option, remote),
    remoteHostTyped: remote,
    remotePort: integerWithin(option, 'remote port', remotePort, 0, 65535),
    internalClient: internalClient(option, internal),
    internalPort: onePort(option, internalPort),
  }
  return protocolNumbers(option, protocol).map((number) => ({ ...common, protocol: number }))
}

function onePort(option: string, word: string): number {
  if (/^\d+[-:]\d+$/.test(word))
    throw new UsageError(`${option}: '${word}' is not an internal port: give one; each port needs a pinhole of its own`)
  return integerWithin(option, 'internal port', word, 0, 65535)
}

/** The empty string means any host. Gateways refuse `::`, so it becomes the empty string; so does upnpc's `empty`. */
function remoteHost(option: string, word: string): string {
  const unspecified = parseIPv6(word)?.every((group) => group === 0) === true
  if (word === '' || word.startsWith('empty') || unspecified) return ''
  if (isUnicastIPv6(word) || isUnicastIPv4(word)) return word
  throw new UsageError(`${option}: '${word}' is not the address of a remote host: give "" for any`)
}

function internalClient(option: string, word: string): string | 'local' {
  if (word === '@') return 'local'
  if (isUnicastIPv6(splitZone(word).address)) return splitZone(word).address
  const overIPv4 = isUnicastIPv4(word) ? `; over IPv4 it is: upnp-ts -a ${word} 22 22 TCP` : ''
  throw new UsageError(
    `${option}: '${word}' is not the IPv6 address of a computer: give one, or @ for this computer${overIPv4}`,
  )
}

/** TCP, UDP, TCP+UDP, or an IANA protocol number. */
function protocolNumbers(option: string, word: string): number[] {
  if (/^\d+$/.test(word)) return [integerWithin(option, 'protocol number', word, 1, 65535)]
  return protocolsOf(option, word).map((protocol) => PROTOCOL_NUMBERS[protocol])
}

export function parseUpdatePinhole(words: readonly string[]) {
  const leaseSeconds = integerWithin('-U', 'lease in seconds', words[1] ?? '', 1, MAX_LEASE_SECONDS)
  return { name: 'update-pinhole', id: pinholeId('-U', words[0] ?? ''), leaseSeconds } as const
}

export function parsePinholeIds<const N extends string>(option: string, name: N) {
  return (words: readonly string[]) => ({ name, ids: words.map((word) => pinholeNumber(option, word)) })
}

export function parseDeletePinholes(words: readonly string[]) {
  if (words.some((word) => /^(tcp|udp)(\+(tcp|udp))?$/i.test(word)))
    throw new UsageError(`-D takes the IDs of pinholes; a port is closed by: upnp-ts -d ${words.join(' ')}`)
  const ids = words.map((word) => pinholeId('-D', word))
  const other = ids.find((id) => typeof id !== typeof ids[0])
  if (other === undefined) return { name: 'delete-pinholes', ids } as const
  throw new UsageError(
    `-D: '${ids[0]}' is a pinhole of one protocol and '${other}' of another: close them one by one`,
    { next: `-D ${ids[0]}` },
  )
}

/** The ID is a number for UPnP, and the destination of the pinhole for PCP. */
function pinholeId(option: string, word: string): PinholeId {
  const target = pinholeTargetOf(word)
  if (target !== undefined) return pinholeIdOf(target)
  if (word.includes(':')) {
    throw new UsageError(`${option}: '${word}' is not a pinhole ID: give a number, or for PCP TCP:[2001:db8::5]:8333`)
  }
  return pinholeNumber(option, word)
}

function pinholeNumber(option: string, word: string): number {
  return integerWithin(option, 'pinhole ID', word, 0, 65535)
}
