/** Chooses the interfaces and addresses that a search goes out by. Pure. */
import { isLinkLocalIPv6, onSameSubnet, samePrefixIPv6, splitZone, withZone } from '../../domain/address.js'
import { InvalidArgumentError } from '../../domain/errors.js'
import type { Endpoint } from '../../net/datagrams.js'
import { type InterfaceAddress, isIPv6Interface, MAX_INTERFACES } from '../../net/interfaces.js'
import type { Prefix } from '../trusted-url.js'

/** One way out: an interface's address, and the hosts to ask through it. */
export interface SearchRoute {
  /** The address that the socket is bound to. */
  readonly address: string
  readonly netmask: string
  readonly multicast: boolean
  readonly unicastTo: readonly Endpoint[]
  /** The port to ask from. The default is any free one. */
  readonly localPort?: number
  /** The default is SSDP_MULTICAST_TTL. */
  readonly multicastTtl?: number
}

/** Bound to `::`, as in upnpc. The system then asks FF02::C from a link-local address, and FF05::C from a wider one. */
export interface IPv6SearchRoute extends SearchRoute {
  /** The interface's zone. */
  readonly zone: string
  /** The prefixes of the interface's addresses, without fe80::/10. */
  readonly prefixes: readonly Prefix[]
}

export function isIPv6Route(route: SearchRoute): route is IPv6SearchRoute {
  return 'zone' in route
}

export interface RouteOptions {
  /**
   * The default is 4. 6 searches over IPv6 only, and what it finds is good for pinholes only: many routers refuse IPv4
   * mappings that are asked for over IPv6, or map them to an address that leads nowhere.
   */
  readonly family?: 4 | 6 | undefined
  /** One interface: its name or one of its addresses. An address of the family is then the one to search from. */
  readonly interface?: string | undefined
  /** 0, the default, is any free port. */
  readonly localPort?: number | undefined
  readonly ttl?: number | undefined
}

/**
 * The named interface, or all but loopback. IPv4: one address per subnet. IPv6: one route per interface.
 * @throws InvalidArgumentError if the named interface is not there, or has no address of the family
 */
export function searchRoutes(interfaces: readonly InterfaceAddress[], options: RouteOptions = {}): SearchRoute[] {
  const { family = 4, interface: name, localPort = 0, ttl } = options
  const isOfFamily = (each: InterfaceAddress): boolean => isIPv6Interface(each) === (family === 6)
  const byAddress = name === undefined ? [] : interfaces.filter((each) => isOfFamily(each) && hasAddress(each, name))
  const allowed = name === undefined ? interfaces.filter(leadsSomewhere) : addressesOf(name, interfaces)
  const candidates = byAddress.length > 0 ? byAddress : allowed.filter(isOfFamily)
  if (name !== undefined && candidates.length === 0) {
    throw new InvalidArgumentError(
      `'${name}' has no IPv${family} address to search from; there are: ${listed(interfaces)}`,
    )
  }
  const routes = family === 6 ? ipv6Routes(candidates, interfaces, byAddress.length > 0) : ipv4Routes(candidates)
  const port = localPort === 0 ? {} : { localPort }
  const multicastTtl = ttl === undefined ? {} : { multicastTtl: ttl }
  return routes.slice(0, MAX_INTERFACES).map((route) => ({ ...route, ...port, ...multicastTtl }))
}

function leadsSomewhere(each: InterfaceAddress): boolean {
  if (each.loopback) return false
  return isIPv6Interface(each) ? each.prefixLength < 128 : each.netmask !== '255.255.255.255'
}

/** All addresses of the interfaces with that name or address. */
function addressesOf(text: string, interfaces: readonly InterfaceAddress[]): InterfaceAddress[] {
  const names = interfaces.filter((each) => each.name === text || hasAddress(each, text)).map((each) => each.name)
  if (names.length > 0) return interfaces.filter((each) => names.includes(each.name))
  const unknown = `'${text}' is neither the name nor an address of an interface here`
  throw new InvalidArgumentError(`${unknown}; there are: ${listed(interfaces)}`)
}

function hasAddress(each: InterfaceAddress, text: string): boolean {
  if (!isIPv6Interface(each)) return each.address === text
  const { address, zone } = splitZone(text)
  return samePrefixIPv6(each.address, address, 128) && (zone === '' || zone === each.zone)
}

function listed(interfaces: readonly InterfaceAddress[]): string {
  const names = [...new Set(interfaces.map((each) => each.name))]
  const described = names.map((name) => {
    const addresses = interfaces.filter((each) => each.name === name).map((each) => each.address)
    return `${name} (${addresses.join(', ')})`
  })
  return described.length === 0 ? 'none' : described.join(', ')
}

function ipv4Routes(candidates: readonly InterfaceAddress[]): SearchRoute[] {
  const firstOfSubnet = candidates.filter((each, at) => candidates.findIndex((other) => sameWayOut(each, other)) === at)
  return firstOfSubnet.map(({ address, netmask }) => ({ address, netmask, multicast: true, unicastTo: [] }))
}

function sameWayOut(a: InterfaceAddress, b: InterfaceAddress): boolean {
  if (a.address === b.address && a.name === b.name) return true
  return a.name === b.name && a.netmask === b.netmask && onSameSubnet(a.address, a.netmask, b.address)
}

function ipv6Routes(
  candidates: readonly InterfaceAddress[],
  interfaces: readonly InterfaceAddress[],
  fromThatAddress: boolean,
): IPv6SearchRoute[] {
  const found = candidates.filter(isIPv6Interface)
  const one = found.filter((each, at) => fromThatAddress || found.findIndex(({ zone }) => zone === each.zone) === at)
  return one.map((each) => {
    const address = withZone(each.address, each.zone)
    const prefixes = interfaces.flatMap((other) => (other.name === each.name ? prefixOf(other) : []))
    const { zone } = each
    return { address: fromThatAddress ? address : '::', netmask: '', multicast: true, unicastTo: [], zone, prefixes }
  })
}

function prefixOf(each: InterfaceAddress): Prefix[] {
  if (!isIPv6Interface(each) || isLinkLocalIPv6(each.address) || each.prefixLength === 0) return []
  return [{ address: each.address, prefixLength: each.prefixLength }]
}
