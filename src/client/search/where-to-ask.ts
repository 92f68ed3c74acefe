/**
 * Where a gateway is asked for: the ways that the search for an IGD takes out of this computer, who else may have heard of
 * one, and who may speak PCP or NAT-PMP.
 */
import { isIPv6, isLinkLocalIPv6, onSameSubnet, splitZone } from '../../domain/address.js'
import { PORT_CONTROL_PORT, SSDP_PORT } from '../../domain/ports.js'
import type { Endpoint } from '../../net/datagrams.js'
import { type InterfaceAddress, isIPv6Interface } from '../../net/interfaces.js'
import type { ClientNet } from '../../net/network.js'
import { createUnixStreams } from '../../net/unix-stream.js'
import type { DiscoveryOptions } from './discovery.js'
import { searchMiniSsdpd } from './minissdpd-search.js'
import { type IPv6SearchRoute, isIPv6Route, type RouteOptions, type SearchRoute, searchRoutes } from './routes.js'

/** With an interface, its gateway is the one that is asked. */
export interface PlaceWishes extends RouteOptions {
  /** That one is asked and nobody else: with UPnP straight, with PCP and NAT-PMP on this port. */
  readonly gateway?: Endpoint | undefined
  /** Pinholes are opened over IPv6, whatever family an IGD is searched for over. */
  readonly forPinholes?: boolean | undefined
  /** The socket of MiniSSDPd: the usual one if undefined, none if empty. */
  readonly minissdpdPath?: string | undefined
  /** An IGD is searched for there and nowhere else. */
  readonly onlyRoute?: SearchRoute | undefined
  /** Who is asked for PCP and NAT-PMP, and nobody else. */
  readonly onlyEndpoint?: Endpoint | undefined
}

export interface PlacesToAsk {
  /** For an IGD. */
  readonly routes: readonly SearchRoute[]
  readonly alsoKnown: DiscoveryOptions['alsoKnown']
  /** Addresses of IPv4, the preferred one first. */
  readonly defaultGateways: Promise<readonly string[]>
  /** For PCP and NAT-PMP. */
  readonly endpoints: Promise<readonly Endpoint[]>
  /** The address to ask those from; undefined for the one on the way to them. */
  readonly localAddress: string | undefined
}

export interface PlacesNet extends ClientNet {
  readonly signal?: AbortSignal | undefined
}

/** @throws InvalidArgumentError if the interface that is wished for is not there, or has no address of the family */
export function placesToAsk(wishes: PlaceWishes, net: PlacesNet): PlacesToAsk {
  const { onlyRoute, gateway, forPinholes = false, interface: named } = wishes
  const routes = routesOf(wishes, net)
  const defaultGateways = knownGateways(wishes, net)
  const [first] = routes
  const isBound = named !== undefined && first !== undefined && !forPinholes && !isIPv6Route(first)
  return {
    routes,
    alsoKnown: onlyRoute === undefined && gateway === undefined ? devicesOfMiniSsdpd(wishes, net) : undefined,
    defaultGateways,
    endpoints: endpointsOf(wishes, net, routes, defaultGateways),
    localAddress: isBound ? first.address : undefined,
  }
}

/** The interfaces that are searched on, for people; without a name if it is not known. */
export function interfacesOf(
  routes: readonly SearchRoute[],
  interfaces: readonly InterfaceAddress[],
): { readonly name: string | undefined; readonly address: string }[] {
  return routes.map((route) => {
    if (!isIPv6Route(route))
      return { name: interfaces.find(({ address }) => address === route.address)?.name, address: route.address }
    const { zone } = route
    const ours = interfaces.filter((each) => isIPv6Interface(each) && each.zone === zone)
    const linkLocal = ours.find(({ address }) => isLinkLocalIPv6(address))
    return { name: zone === '' ? undefined : zone, address: linkLocal?.address ?? route.address }
  })
}

function routesOf({ onlyRoute, gateway, ...options }: PlaceWishes, { interfaces }: PlacesNet): readonly SearchRoute[] {
  if (onlyRoute !== undefined) return [onlyRoute]
  if (gateway === undefined) return searchRoutes(interfaces(), options)
  const straight = straightTo(gateway.address)
  if (options.interface === undefined) return [straight]
  return [{ ...straight, address: searchRoutes(interfaces(), options)[0]?.address ?? straight.address }]
}

function straightTo(gateway: string): SearchRoute {
  const unicastTo = [{ address: gateway, port: SSDP_PORT }]
  const route = { address: '0.0.0.0', netmask: '255.255.255.255', multicast: false, unicastTo }
  const { address, zone } = splitZone(gateway)
  if (!isIPv6(address)) return route
  const overIPv6: IPv6SearchRoute = { ...route, address: '::', netmask: '', zone, prefixes: [] }
  return overIPv6
}

function knownGateways({ onlyRoute, gateway }: PlaceWishes, net: PlacesNet): Promise<readonly string[]> {
  if (onlyRoute !== undefined) return Promise.resolve([])
  if (gateway !== undefined) return Promise.resolve([splitZone(gateway.address).address])
  return gatewaysOf(4, net)
}

/** None if they cannot be known: to know them only makes the search better. */
function gatewaysOf(family: 4 | 6, net: PlacesNet): Promise<readonly string[]> {
  return net.defaultGateways(family).catch(() => [])
}

async function endpointsOf(
  { onlyRoute, onlyEndpoint, gateway, forPinholes = false, family = 4, interface: named }: PlaceWishes,
  net: PlacesNet,
  routes: readonly SearchRoute[],
  defaultGateways: Promise<readonly string[]>,
): Promise<readonly Endpoint[]> {
  const given = onlyEndpoint ?? gateway
  if (given !== undefined) return forPinholes && !isIPv6(splitZone(given.address).address) ? [] : [given]
  if (onlyRoute !== undefined) return []
  const gateways = await (forPinholes || family === 6 ? gatewaysOf(6, net) : defaultGateways)
  const isAllowed = (address: string): boolean =>
    named === undefined || routes.some((route) => isReachedBy(route, address, net.interfaces()))
  return gateways.filter(isAllowed).map((address) => ({ address, port: PORT_CONTROL_PORT }))
}

function isReachedBy(route: SearchRoute, gateway: string, interfaces: readonly InterfaceAddress[]): boolean {
  const { address, zone } = splitZone(gateway)
  if (!isIPv6(address)) return onSameSubnet(route.address, route.netmask, address)
  const ours = isIPv6Route(route) ? route.zone : interfaces.find((each) => each.address === route.address)?.name
  return interfaces.some(
    (each) => isIPv6Interface(each) && each.zone === zone && (each.name === ours || each.zone === ours),
  )
}

/** What the daemon has heard, if there is one: it is asked beside the search, not instead of it. */
function devicesOfMiniSsdpd(
  { minissdpdPath: path }: PlaceWishes,
  { clock, signal }: PlacesNet,
): DiscoveryOptions['alsoKnown'] {
  if (path === '') return undefined
  return () => searchMiniSsdpd({ clock, signal, unixStreams: createUnixStreams(clock), path })
}
