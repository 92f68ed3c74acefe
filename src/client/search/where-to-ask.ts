/**
 * Where to ask for a gateway: the routes of the search for an IGD, the default gateways, which may speak PCP or
 * NAT-PMP, and MiniSSDPd, a daemon that may run on this computer and has heard of IGDs already.
 */
import { isIPv6, isIPv6Host, isLinkLocalIPv6, splitZone, withoutBrackets } from '../../domain/address.js'
import { PortMappingError } from '../../domain/errors.js'
import { PORT_CONTROL_PORT, SSDP_PORT } from '../../domain/ports.js'
import type { Clock } from '../../net/clock.js'
import type { Endpoint } from '../../net/datagrams.js'
import { type InterfaceAddress, isIPv6Interface } from '../../net/interfaces.js'
import type { ClientNet } from '../../net/network.js'
import type { UnixStreams } from '../../net/unix-stream.js'
import {
  decodeMiniSsdpdReply,
  encodeMiniSsdpdRequest,
  MAX_MINISSDPD_REPLY_BYTES,
  type MiniSsdpdDevice,
} from '../../wire/minissdpd.js'
import { type IPv6SearchRoute, isIPv6Route, type RouteOptions, type SearchRoute, searchRoutes } from './routes.js'
import { type RouterPlace, whichRouter } from './which-router.js'

/** If an interface is given, its gateway is the one that is asked. */
export interface PlaceWishes extends RouteOptions {
  /** Only this host is asked: directly with UPnP, and on this port with PCP and NAT-PMP. */
  readonly gateway?: Endpoint | undefined
  /** Pinholes are opened over IPv6, whatever the family of the search for an IGD. */
  readonly forPinholes?: boolean | undefined
  /** The socket of MiniSSDPd. The default is /var/run/minissdpd.sock; an empty path is for none. */
  readonly minissdpdPath?: string | undefined
  /** An IGD is searched for on this route only. */
  readonly onlyRoute?: SearchRoute | undefined
  /** The address of the router that was used before. It is the router if this computer has no default gateway. */
  readonly routerBefore?: string | undefined
  /** A device that answers may name another host of its subnet as the IGD. */
  readonly anyHost?: boolean | undefined
  /** The only host that is asked over PCP and NAT-PMP. */
  readonly onlyEndpoint?: Endpoint | undefined
}

/** As another program has heard of it. */
export type KnownDevice = Pick<MiniSsdpdDevice, 'LOCATION' | 'ST'>

export interface PlacesToAsk {
  /** For an IGD. */
  readonly routes: readonly SearchRoute[]
  /** This computer's addresses. */
  readonly interfaces: readonly InterfaceAddress[]
  /** A device that answers may name another host of its subnet as the IGD. */
  readonly anyHost: boolean
  /** Devices that another program has heard. Their senders are not known, so only those at the router count. */
  readonly alsoKnown: (() => Promise<readonly KnownDevice[]>) | undefined
  /** The router, as the search for an IGD knows it. */
  readonly router: Promise<RouterPlace>
  /** The router, for PCP and NAT-PMP. Undefined if no router is known. */
  readonly endpoint: Promise<Endpoint | undefined>
  /** Whether an interface was named. Then an IGD is asked from the address of the route on which it answered. */
  readonly isBound: boolean
  /** The address to ask the endpoint from. If undefined, the one on the way to it. */
  readonly localAddress: string | undefined
}

export interface PlacesNet extends ClientNet {
  readonly signal?: AbortSignal | undefined
  /** How long each whole answer of an IGD may take. If undefined, 30 s. */
  readonly answerMs?: number | undefined
}

/** @throws InvalidArgumentError if the wanted interface is not there, or has no address of the family */
export function placesToAsk(wishes: PlaceWishes, net: PlacesNet): PlacesToAsk {
  const { onlyRoute, gateway, forPinholes = false, interface: named, minissdpdPath: path, anyHost = false } = wishes
  const { clock, signal } = net
  const routes = routesOf(wishes, net)
  const router = routerOf(wishes, net, routes)
  const [first] = routes
  const asksDaemon = onlyRoute === undefined && gateway === undefined && path !== ''
  const isBound = named !== undefined
  const endpointsAreBound = isBound && first !== undefined && !forPinholes && !isIPv6Route(first)
  return {
    routes,
    interfaces: net.interfaces(),
    anyHost,
    alsoKnown: asksDaemon
      ? async () => {
          const { createUnixStreams } = await import('../../net/unix-stream.js') // with node:net, which takes 4 ms to load
          return searchMiniSsdpd({ clock, signal, unixStreams: createUnixStreams(clock), path })
        }
      : undefined,
    router,
    endpoint: endpointOf(wishes, net, routes, router),
    isBound,
    localAddress: endpointsAreBound ? first.address : undefined,
  }
}

/**
 * The address from which the user wants a URL to be asked. Undefined if no interface was named; `::` leaves it to the
 * system.
 * @throws InvalidArgumentError as placesToAsk
 */
export function addressToAskFrom(
  { onlyRoute, interface: named }: PlaceWishes,
  url: URL,
  { interfaces }: Pick<PlacesNet, 'interfaces'>,
): string | undefined {
  if (onlyRoute !== undefined || named === undefined) return undefined
  const family = isIPv6Host(withoutBrackets(url.hostname)) ? 6 : 4
  return searchRoutes(interfaces(), { interface: named, family })[0]?.address
}

/** The interfaces of a search, for a person to read. The name is undefined if it is not known. */
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

function straightTo(gateway: string): SearchRoute | IPv6SearchRoute {
  const unicastTo = [{ address: gateway, port: SSDP_PORT }]
  const route = { address: '0.0.0.0', netmask: '255.255.255.255', multicast: false, unicastTo }
  const { address, zone } = splitZone(gateway)
  return isIPv6(address) ? { ...route, address: '::', netmask: '', zone, prefixes: [] } : route
}

async function routerOf(wishes: PlaceWishes, net: PlacesNet, routes: readonly SearchRoute[]): Promise<RouterPlace> {
  const { onlyRoute, onlyEndpoint, gateway, interface: named, family = 4, routerBefore } = wishes
  const given = gateway?.address ?? (onlyRoute && (onlyRoute.unicastTo[0] ?? onlyEndpoint)?.address)
  if (given !== undefined) return { address: given, isNamed: true, tunnel: undefined }
  if (onlyRoute !== undefined) return { address: undefined, isNamed: true, tunnel: undefined }
  const place = await whichRouter(family, net, named === undefined ? undefined : routes)
  if (place.address !== undefined || routerBefore === undefined) return place
  const isOfFamily = isIPv6(splitZone(routerBefore).address) === (family === 6)
  return isOfFamily ? { ...place, address: routerBefore, isAssumed: true } : place
}

async function endpointOf(
  wishes: PlaceWishes,
  net: PlacesNet,
  routes: readonly SearchRoute[],
  router: Promise<RouterPlace>,
): Promise<Endpoint | undefined> {
  const { onlyRoute, onlyEndpoint, gateway, forPinholes = false, interface: named } = wishes
  const given = onlyEndpoint ?? gateway
  if (given !== undefined) return forPinholes && !isIPv6(splitZone(given.address).address) ? undefined : given
  if (onlyRoute !== undefined) return undefined
  const isOther = forPinholes && wishes.family !== 6 // pinholes are opened over IPv6, whatever the search goes by
  const place = await (isOther ? whichRouter(6, net, named === undefined ? undefined : routes) : router)
  return place.address === undefined ? undefined : { address: place.address, port: PORT_CONTROL_PORT }
}

/** Where the daemon listens by default. */
export const MINISSDPD_PATH = '/var/run/minissdpd.sock'

/** In upnpc's order. The daemon ignores the version of a device type; older daemons have to be asked for 2 as well. */
export const MINISSDPD_TARGETS = [
  'urn:schemas-upnp-org:device:InternetGatewayDevice:1',
  'urn:schemas-upnp-org:device:InternetGatewayDevice:2',
  'urn:schemas-upnp-org:service:WANIPConnection:1',
  'urn:schemas-upnp-org:service:WANPPPConnection:1',
  'upnp:rootdevice',
] as const

/** For all targets together. */
export const MINISSDPD_SEARCH_MS = 500

export interface MiniSsdpdSearchOptions {
  readonly clock: Clock
  readonly unixStreams: UnixStreams
  /** The default is MINISSDPD_PATH; an empty path is for none. */
  readonly path?: string | undefined
  /** Ends the search with what it has found so far. */
  readonly signal?: AbortSignal | undefined
}

/**
 * The devices that MiniSSDPd knows, in its order, without a packet or a wait. As in upnpc there is one connection for
 * each search target, until one brings more than root devices. If anything goes wrong, it is as if there were no
 * daemon.
 */
export async function searchMiniSsdpd(options: MiniSsdpdSearchOptions): Promise<MiniSsdpdDevice[]> {
  const { clock, unixStreams, path = MINISSDPD_PATH, signal } = options
  const endMs = clock.monotonicMs() + MINISSDPD_SEARCH_MS
  const found: MiniSsdpdDevice[] = []
  try {
    for (const ST of path === '' ? [] : MINISSDPD_TARGETS) {
      const timeoutMs = endMs - clock.monotonicMs()
      if (timeoutMs <= 0 || signal?.aborted) break
      const answer = await unixStreams.exchange(path, encodeMiniSsdpdRequest({ kind: 'type', ST }), {
        timeoutMs,
        maxBytes: MAX_MINISSDPD_REPLY_BYTES,
        isComplete: (bytes) => decodeMiniSsdpdReply(bytes).ended,
        signal,
      })
      const { devices } = decodeMiniSsdpdReply(answer)
      found.push(...devices)
      if (devices.some((device) => !device.ST.includes('rootdevice'))) break
    }
  } catch (error) {
    if (!(error instanceof PortMappingError || signal?.aborted)) throw error
  }
  return found
}
