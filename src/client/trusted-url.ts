/**
 * Decides which URLs from the network may be used. Any host on the LAN can answer a search, so a URL must be plain
 * http, without user-info, to a literal address: the sender of the reply, or a host on the sender's subnet (a floating
 * gateway address answers from another one). Names are never resolved. (SSRF: CVE-2024-29415 and others come from
 * checking the text. Here the URL parser has made a canonical address of it first.)
 *
 * Over IPv6 it must be the sender, or a host with a prefix of the interface. Link-local hosts are allowed only if the
 * sender is link-local too, and through its interface. So all URLs of one device share one zone.
 */
import {
  isIPv6,
  isIPv6Host,
  isLinkLocalIPv4,
  isLinkLocalIPv6,
  isLoopbackIPv4,
  isLoopbackIPv6,
  isUnicastIPv4,
  onSameSubnet,
  parseIPv6,
  samePrefixIPv6,
  splitZone,
  withoutBrackets,
} from '../domain/address.js'
import { resolveUrl } from '../domain/url.js'

export interface Prefix {
  readonly address: string
  readonly prefixLength: number
}

/** These hosts may be asked, and everyone in the subnet or with one of the prefixes, if those are given. */
export interface Trust {
  readonly hosts: readonly string[]
  readonly subnet?: { readonly address: string; readonly netmask: string }
  readonly prefixes?: readonly Prefix[]
  /** The interface that leads to link-local IPv6 hosts. Without it they cannot be reached. */
  readonly zone?: string
}

/** The interface that a reply came in through: with its netmask for IPv4, with its zone and prefixes for IPv6. */
export interface Via {
  readonly address: string
  readonly netmask: string
  readonly zone?: string
  readonly prefixes?: readonly Prefix[]
}

/** The trust in the sender of a search reply that came in through that interface. */
export function trustSender(sender: string, via: Via): Trust {
  if (isIPv6Host(sender)) return trustIPv6Sender(sender, via)
  const { address, netmask } = via
  if (onSameSubnet(address, netmask, sender)) return { hosts: [sender], subnet: { address, netmask } }
  // A router may answer from another subnet. Link-local: a forged sender could lead to a cloud's metadata service.
  return isLinkLocalIPv4(sender) ? { hosts: [] } : { hosts: [sender] }
}

function trustIPv6Sender(sender: string, { address: own, zone: viaZone, prefixes = [] }: Via): Trust {
  const { address, zone } = splitZone(sender)
  if (isLinkLocalIPv6(address)) {
    return zone !== '' && zone === viaZone ? { hosts: [address], prefixes, zone } : { hosts: [] }
  }
  if (hasPrefix(address, prefixes)) return { hosts: [address], prefixes }
  return isOrdinary(address) || (isLoopbackIPv6(address) && isLoopbackIPv6(own)) ? { hosts: [address] } : { hosts: [] }
}

/** The URL, resolved against `base` (RFC 3986 5.2) if there is one. Undefined if it may not be used. */
export function trustedUrl(reference: string, base: string | undefined, trust: Trust): URL | undefined {
  const url = resolveUrl(reference, base)
  if (url === undefined || url.protocol !== 'http:' || url.username !== '' || url.password !== '') return undefined
  if (url.port === '0') return undefined
  const host = withoutBrackets(url.hostname)
  if (isLinkLocalIPv6(host) && (trust.zone ?? '') === '') return undefined
  return trust.hosts.some((each) => isSameHost(each, host)) || isNeighbour(host, trust) ? url : undefined
}

function isSameHost(trusted: string, host: string): boolean {
  const { address } = splitZone(withoutBrackets(trusted))
  return address === host || samePrefixIPv6(address, host, 128)
}

function isNeighbour(host: string, { subnet, prefixes, zone }: Trust): boolean {
  if (isIPv6(host)) {
    if (prefixes === undefined || !isOrdinary(host)) return false
    return isLinkLocalIPv6(host) ? zone !== undefined : hasPrefix(host, prefixes)
  }
  if (subnet === undefined || !isUnicastIPv4(host) || isLoopbackIPv4(host)) return false
  return onSameSubnet(subnet.address, subnet.netmask, host)
}

function hasPrefix(host: string, prefixes: readonly Prefix[]): boolean {
  return prefixes.some(({ address, prefixLength }) => samePrefixIPv6(address, host, prefixLength))
}

/** Neither multicast nor in ::/8, which holds the unspecified, loopback and IPv4-mapped addresses (RFC 4291 2.4). */
function isOrdinary(address: string): boolean {
  const firstByte = (parseIPv6(address)?.[0] ?? 0) >> 8
  return firstByte !== 0 && firstByte !== 0xff
}
