/** The options about PCP and NAT-PMP: --via --gateway --nonce. */
import type { Via } from '../../client/search/open-gateway.js'
import { isLinkLocalIPv6, isUnicastIPv4, isUnicastIPv6, splitZone } from '../../domain/address.js'
import { GATEWAY_PROTOCOLS, type GatewayProtocol, PROTOCOL_TITLES } from '../../domain/port-mapping.js'
import { PORT_CONTROL_PORT } from '../../domain/ports.js'
import type { Endpoint } from '../../net/datagrams.js'
import { zoneMeantBy } from '../../net/interfaces.js'
import type { CommandFacts, CommandRow } from './command-table.js'
import { labelOf } from './flags.js'
import { textOption } from './option-values.js'
import { integerWithin, UsageError } from './words.js'

export interface PortControlAsked {
  /** --via */
  readonly via: Via
  /** --gateway */
  readonly gateway: Endpoint | undefined
  /** --nonce: 24 hexadecimal digits. */
  readonly nonce: string | undefined
}

const VIAS: readonly string[] = ['auto', ...GATEWAY_PROTOCOLS] satisfies readonly Via[]

function isVia(word: string): word is Via {
  return VIAS.includes(word)
}

/** The value of --via, which also decides how other words are read. @throws UsageError */
export function viaOf(value: unknown): Via {
  const word = textOption(value) ?? 'auto'
  if (isVia(word)) return word
  throw new UsageError(
    `--via: '${word}' is not a protocol that upnp-ts speaks with routers: give auto, igd, pcp or nat-pmp`,
  )
}

/** Options as commander gives them. @throws UsageError */
export function portControlOf(
  options: Record<string, unknown>,
  row: Pick<CommandRow, 'flag' | 'letter' | 'limit'>,
  facts: CommandFacts,
): PortControlAsked {
  const [word, nonce, url] = [options.gateway, options.nonce, options.url].map(textOption)
  const { protocols } = facts
  const given = viaOf(options.via)
  if (given !== 'auto' && !protocols.includes(given)) throw new UsageError(cannotDo(row, given, facts))
  const via = protocols.length === 1 && protocols[0] === 'pcp' ? 'pcp' : given
  const isOverUdp = via === 'pcp' || via === 'nat-pmp'
  if (url !== undefined && (isOverUdp || word !== undefined)) {
    throw new UsageError(
      isOverUdp
        ? `-u names a router for UPnP, not for ${PROTOCOL_TITLES[via]}: leave one out`
        : '-u and --gateway both name a router: leave one out',
    )
  }
  if (nonce !== undefined && !/^[\da-f]{24}$/i.test(nonce))
    throw new UsageError(`--nonce: '${nonce}' is not a nonce: give 24 hexadecimal digits`)
  if (nonce !== undefined && via !== 'pcp') throw new UsageError('--nonce is for PCP: add --via pcp')
  if (via === 'nat-pmp' && options.ipv6 === true) throw new UsageError('-6: NAT-PMP is spoken over IPv4 only')
  const gateway = word === undefined ? undefined : endpointOf(word)
  if (gateway !== undefined) refuseOtherFamily(gateway, via, facts)
  return { via, gateway, nonce }
}

function refuseOtherFamily({ address }: Endpoint, via: Via, { family }: CommandFacts): void {
  const isIPv4 = isUnicastIPv4(address)
  if (via === 'nat-pmp' && !isIPv4)
    throw new UsageError("--gateway: NAT-PMP is spoken over IPv4 only: give the router's IPv4 address")
  if (via === 'pcp' && isIPv4 && family === 6)
    throw new UsageError("--gateway: PCP opens pinholes over IPv6: give the router's IPv6 address")
  if (via === 'pcp' && !isIPv4 && family === 4)
    throw new UsageError(
      "--gateway: PCP maps ports over IPv4: give the router's IPv4 address, or open a pinhole with -A",
    )
}

function cannotDo(
  row: Pick<CommandRow, 'flag' | 'letter' | 'limit'>,
  via: GatewayProtocol,
  { protocols, pinholeId }: CommandFacts,
): string {
  const titles = protocols.map((each) => PROTOCOL_TITLES[each]).join(' and ')
  const label = labelOf(row)
  if (pinholeId !== undefined)
    return (
      `${label}: '${pinholeId}' is a pinhole of ${titles}, but --via ${via} asks over ${PROTOCOL_TITLES[via]}: ` +
      'leave out --via'
    )
  const what = row.limit === undefined ? label : `${label} ${row.limit}`
  const options = protocols.map((each) => `--via ${each}`).join(', ')
  return `${what} cannot be done over ${PROTOCOL_TITLES[via]}: ${titles} can (${options})`
}

/** `192.168.1.1`, `192.168.1.1:5351`, `fe80::1%eth0`, `[fe80::1%eth0]:5351`. */
function endpointOf(word: string): Endpoint {
  const [, bracketed, plain = '', port] = /^(?:\[([^\]]+)\]|([^:]+|.*:.*:.*?))(?::(\d+))?$/.exec(word) ?? []
  const isBareIPv6 = bracketed === undefined && isUnicastIPv6(splitZone(word).address)
  const text = isBareIPv6 ? word : (bracketed ?? plain)
  const { address, zone } = splitZone(text)
  if (!isUnicastIPv4(text) && !isUnicastIPv6(address)) {
    throw new UsageError(
      `--gateway: '${word}' is not the address of a router: give one such as 192.168.1.1 or 192.168.1.1:5351`,
    )
  }
  if (zone.includes(':'))
    throw new UsageError(`--gateway: an IPv6 address with a port needs brackets, as in [fe80::1%eth0]:5351`)
  if (zone === '' && isLinkLocalIPv6(address))
    throw new UsageError(`--gateway: ${address} is link-local: name the interface too, as in ${address}%eth0`)
  const known =
    isBareIPv6 || port === undefined ? PORT_CONTROL_PORT : integerWithin('--gateway', 'port', port, 1, 65535)
  return { address: zone === '' ? address : `${address}%${zoneMeantBy(zone)}`, port: known }
}
