/**
 * Decides which URLs from the network may be used. Any host on the LAN can answer a search, so a URL must be plain
 * http, without user-info, to a literal address: the sender of the reply, or the default gateway. Other hosts of the
 * subnet may be named only if the user allows it. This computer's own addresses are used only if they are the sender.
 * Names are never resolved. (SSRF: CVE-2024-29415 and others come from checking the text. Here the URL parser has made
 * a canonical address of it first.)
 *
 * A sender counts only if it is on a network of this computer. Link-local IPv6 hosts are reached only through the
 * interface of a link-local sender. So all URLs of one device share one zone.
 */
import {
  isIPv6,
  isIPv6Host,
  isLinkLocalIPv6,
  isLoopbackIPv4,
  isLoopbackIPv6,
  isSameAddress,
  isUnicastIPv4,
  onSameSubnet,
  parseIPv6,
  samePrefixIPv6,
  splitZone,
  withoutBrackets,
} from '../domain/address.js'
import { resolveUrl } from '../domain/url.js'
import type { InterfaceAddress } from '../net/interfaces.js'

export interface Prefix {
  readonly address: string
  readonly prefixLength: number
}

/** These hosts may be asked, and everyone in the subnet or with one of the prefixes, if those are given. */
export interface Trust {
  readonly hosts: readonly string[]
  readonly subnet?: { readonly address: string; readonly netmask: string }
  readonly prefixes?: readonly Prefix[]
  /** Addresses of this computer: they are no neighbours. */
  readonly own?: readonly string[]
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

/** What a search knows of its surroundings. */
export interface Around {
  /** Of this computer. */
  readonly interfaces: readonly InterfaceAddress[]
  /** The default gateway, or the host that was named. Undefined if it is not known. */
  readonly router: string | undefined
  /** Other hosts of the subnet may be named. */
  readonly anyHost: boolean
}

const NOBODY: Trust = { hosts: [] }
const LINK_LOCAL: Prefix = { address: 'fe80::', prefixLength: 10 }

/** The trust in the sender of a search reply that came in through that interface. */
export function trustSender(sender: string, via: Via, around: Around): Trust {
  const isNear = isIPv6Host(sender) ? isNearIPv6(sender, via, around) : isNearIPv4(sender, via, around)
  if (!isNear) return NOBODY
  const { address, zone } = splitZone(sender)
  const trust = trustUnknownSender(via, around)
  const hosts = [address, ...trust.hosts]
  if (!isLinkLocalIPv6(address)) return { ...trust, hosts }
  const { prefixes = [] } = via
  if (around.anyHost) return { ...trust, hosts, zone, prefixes: [...prefixes, LINK_LOCAL] }
  // A router may answer from one of its IPv6 addresses, and tell of a wider one (UDA 1.1 A.3, miniupnpd).
  return isRouter(sender, around) ? { hosts, zone, prefixes, own: ownOf(around) } : { ...trust, hosts, zone }
}

/** The same for what another program has heard, which does not say from whom. */
export function trustUnknownSender({ address, netmask, prefixes }: Via, around: Around): Trust {
  const { router = '', anyHost } = around
  const own = ownOf(around)
  const hosts = router === '' || own.some((each) => isSameHost(each, splitZone(router).address)) ? [] : [router]
  if (!anyHost) return { hosts }
  return prefixes === undefined ? { hosts, own, subnet: { address, netmask } } : { hosts, own, prefixes }
}

function isNearIPv4(sender: string, via: Via, around: Around): boolean {
  if (isRouter(sender, around)) return true
  if (isLoopbackIPv4(sender) && !isLoopbackIPv4(via.address)) return false
  return [via, ...around.interfaces].some(({ address, netmask }) => onSameSubnet(address, netmask, sender))
}

function isNearIPv6(sender: string, { address: own, zone: viaZone, prefixes = [] }: Via, around: Around): boolean {
  const { address, zone } = splitZone(sender)
  if (isLinkLocalIPv6(address)) return zone !== '' && zone === viaZone
  if (isLoopbackIPv6(address)) return isLoopbackIPv6(own) || isRouter(sender, around)
  return isOrdinary(address) && (hasPrefix(address, prefixes) || isRouter(sender, around))
}

function isRouter(sender: string, { router = '' }: Around): boolean {
  return sender === router || isSameAddress(sender, router)
}

function ownOf({ interfaces }: Around): readonly string[] {
  return interfaces.map(({ address }) => address)
}

/** The URL, resolved against `base` (RFC 3986 5.2) if there is one. Undefined if it may not be used. */
export function trustedUrl(reference: string, base: string | undefined, trust: Trust): URL | undefined {
  const url = resolveUrl(reference, base)
  if (url === undefined || url.protocol !== 'http:' || url.username !== '' || url.password !== '') return undefined
  if (url.port === '0') return undefined
  const host = withoutBrackets(url.hostname)
  if (isLinkLocalIPv6(host) && (trust.zone ?? '') === '') return undefined
  return trust.hosts.some((each) => isTrusted(each, host, trust)) || isNeighbour(host, trust) ? url : undefined
}

/** The same link-local address on another link is somebody else. */
function isTrusted(trusted: string, host: string, trust: Trust): boolean {
  const { zone } = splitZone(trusted)
  return isSameHost(trusted, host) && (zone === '' || zone === trust.zone)
}

function isSameHost(trusted: string, host: string): boolean {
  const { address } = splitZone(withoutBrackets(trusted))
  return address === host || samePrefixIPv6(address, host, 128)
}

function isNeighbour(host: string, { subnet, prefixes = [], own = [] }: Trust): boolean {
  if (own.some((each) => isSameHost(each, host))) return false
  if (isIPv6(host)) return isOrdinary(host) && hasPrefix(host, prefixes)
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
