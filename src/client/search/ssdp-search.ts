/**
 * The SSDP search (UPnP Device Architecture 1.1 1.3). M-SEARCH goes out on every interface at once, to the multicast
 * group, and from the same socket straight to the default gateway, which opens a host firewall for the reply. It is sent
 * again, because UDP datagrams get lost. There is a pause between the targets, because some routers drop one of two
 * requests that come together. Over IPv6 (A.3) there are two groups, and no host is asked directly.
 *
 * Multicast tells everybody the port that replies go to, and a sender can be forged. So if more comes there than is read,
 * the router is also asked alone, from a port that nobody else is told of.
 */
import { hostAndPort, isLinkLocalIPv6, onSameSubnet, samePrefixIPv6, splitZone } from '../../domain/address.js'
import { unlessMalformed } from '../../domain/errors.js'
import { SSDP_PORT } from '../../domain/ports.js'
import type { Clock } from '../../net/clock.js'
import type { DatagramOptions, DatagramSocket, Datagrams, Endpoint } from '../../net/datagrams.js'
import {
  decodeSsdp,
  encodeSearch,
  mayBeSearchReply,
  type SearchReply,
  SSDP_MULTICAST_IPV4,
  SSDP_MULTICAST_IPV6,
  SSDP_MULTICAST_TTL,
} from '../../wire/ssdp.js'
import { DatagramLimit } from './datagram-limit.js'
import { type IPv6SearchRoute, isIPv6Route, type SearchRoute } from './routes.js'

/** In the order of preference: a device is known by the first of these that it answers to. */
export const SEARCH_TARGETS = [
  'urn:schemas-upnp-org:device:InternetGatewayDevice:1',
  'urn:schemas-upnp-org:device:InternetGatewayDevice:2',
  'urn:schemas-upnp-org:service:WANIPConnection:1',
  'urn:schemas-upnp-org:service:WANIPConnection:2',
  'urn:schemas-upnp-org:service:WANPPPConnection:1',
  'upnp:rootdevice',
] as const

/** When each round of searches begins, and how far apart its targets are. */
export const ROUNDS_MS = [0, 300, 900, 2000] as const
export const BETWEEN_TARGETS_MS = 20
/** The second round is for replies that got lost. The later ones are sent only if nobody has answered. */
const LATER_ROUNDS_MS = ROUNDS_MS[2]

/** Devices answer a multicast search within that time, at random (UDA 1.1 1.3.2: at least 1). */
const MX_SECONDS = 1

export interface HeardReply {
  readonly reply: SearchReply
  readonly from: Endpoint
  /** The route by which the reply came in. */
  readonly route: SearchRoute
  /** It came from the router's address to a port that only the router was told of. */
  readonly isRoutersOwn: boolean
}

interface OpenRoute {
  readonly route: SearchRoute
  readonly socket: DatagramSocket
  readonly unicastTo: Endpoint[]
}

/** Starts at once. `onReady` gets the number of routes that could be opened. The others do no harm. */
export function startSsdpSearch(
  net: { clock: Clock; datagrams: Datagrams },
  routes: readonly SearchRoute[],
  listener: { onReply: (heard: HeardReply) => void; onReady: (opened: number) => void },
) {
  const cancels: (() => void)[] = []
  const open: OpenRoute[] = []
  const sockets: DatagramSocket[] = []
  const limit = new DatagramLimit()
  const ownLimit = new DatagramLimit()
  let direct: string | undefined
  let router: string | undefined
  let stopped = false
  let isEnough = false
  let isFlooded = false
  let isAskedAlone = false

  const receive = (route: SearchRoute, isRoutersOwn: boolean, datagram: Uint8Array, from: Endpoint): void => {
    const isRouter = from.address === router
    if (stopped || !mayBeSearchReply(datagram) || (isRoutersOwn && !isRouter)) return
    if (!(isRoutersOwn ? ownLimit : limit).admits(from.address, datagram.length, isRouter)) {
      askRouterAlone()
      return
    }
    const reply = unlessMalformed(() => decodeSsdp(datagram))
    if (reply?.kind === 'reply')
      listener.onReply({ reply, from, route: routeOf(from.address, route, routes), isRoutersOwn })
  }
  const startRoute = async (route: SearchRoute, isRoutersOwn = false): Promise<void> => {
    const onMessage: DatagramOptions['onMessage'] = (datagram, from) => receive(route, isRoutersOwn, datagram, from)
    const socket = await openSocket(net.datagrams, route, onMessage)
    if (stopped) {
      socket.close()
      return
    }
    const opened = { route, socket, unicastTo: [...route.unicastTo] }
    sockets.push(socket)
    if (!isRoutersOwn) open.push(opened)
    if (direct !== undefined) addDirect(opened, direct)
    for (const [at, target] of schedule()) {
      const isOfLaterRound = at >= LATER_ROUNDS_MS && !isRoutersOwn
      const send = (): void => {
        if (!(isOfLaterRound && isEnough)) sendSearch(opened, target)
      }
      if (at === 0) send()
      else cancels.push(net.clock.schedule(at, send))
    }
  }
  const askRouterAlone = (): void => {
    isFlooded = true
    if (router === undefined || isAskedAlone || stopped) return
    isAskedAlone = true
    for (const route of routes.filter((each) => each.multicast && leadsTo(each, router ?? ''))) {
      const alone = { ...route, multicast: false, localPort: 0, unicastTo: [{ address: router, port: SSDP_PORT }] }
      startRoute(alone, true).catch(() => {}) // the other one goes on
    }
  }
  Promise.allSettled(routes.map((route) => startRoute(route))).then(() => {
    if (!stopped) listener.onReady(open.length)
  })

  return {
    /** Asks this host directly too, on every route whose subnet it is on: the default gateway, once it is known. */
    askDirectly(address: string): void {
      direct = address
      for (const opened of open) {
        if (addDirect(opened, address)) sendTo(opened, { address, port: SSDP_PORT }, SEARCH_TARGETS[0])
      }
    },
    /** From now on the router has a bound of its own. */
    learnRouter(address: string): void {
      router = address
      if (isFlooded) askRouterAlone()
    },
    /** More is said in the router's name than one router says. */
    askRouterAlone,
    /** Whoever was searched for is known: the rounds after the second are not sent. */
    sendNoMore(): void {
      isEnough = true
    },
    stop(): void {
      stopped = true
      for (const cancel of cancels) cancel()
      for (const socket of sockets) socket.close()
    },
  }
}

/** [ms after the start, target] */
function schedule(): [number, string][] {
  return ROUNDS_MS.flatMap((start) =>
    SEARCH_TARGETS.map((target, at): [number, string] => [start + at * BETWEEN_TARGETS_MS, target]),
  )
}

function openSocket(
  datagrams: Datagrams,
  route: SearchRoute,
  onMessage: (datagram: Uint8Array, from: Endpoint) => void,
): Promise<DatagramSocket> {
  const { address, localPort: port = 0, multicastTtl = SSDP_MULTICAST_TTL } = route
  const multicastInterface = isIPv6Route(route) ? `::%${route.zone}` : address
  const multicast = route.multicast ? { multicastInterface, multicastTtl } : {}
  // A given port is used on every interface, and another program may have port 1900 too.
  const shared = port === 0 ? {} : { shared: true }
  return datagrams.open({ address, port, onMessage, ...multicast, ...shared })
}

/** Sockets on `::` hear every interface. If they share a port, one of them hears everything. */
function routeOf(sender: string, heardOn: SearchRoute, routes: readonly SearchRoute[]): SearchRoute {
  if (!isIPv6Route(heardOn)) return heardOn
  return [heardOn, ...routes].find((each) => isIPv6Route(each) && isNeighbourOf(sender, each)) ?? heardOn
}

function isNeighbourOf(sender: string, { zone, prefixes }: IPv6SearchRoute): boolean {
  const from = splitZone(sender)
  if (isLinkLocalIPv6(from.address)) return from.zone === zone
  return prefixes.some(({ address, prefixLength }) => samePrefixIPv6(address, from.address, prefixLength))
}

function leadsTo(route: SearchRoute, router: string): boolean {
  return isIPv6Route(route) ? isNeighbourOf(router, route) : onSameSubnet(route.address, route.netmask, router)
}

function addDirect(opened: OpenRoute, address: string): boolean {
  if (!opened.route.multicast || !onSameSubnet(opened.route.address, opened.route.netmask, address)) return false
  opened.unicastTo.push({ address, port: SSDP_PORT })
  return true
}

function sendSearch(opened: OpenRoute, target: string): void {
  for (const to of opened.unicastTo) sendTo(opened, to, target)
  if (!opened.route.multicast) return
  for (const address of isIPv6Route(opened.route) ? SSDP_MULTICAST_IPV6 : [SSDP_MULTICAST_IPV4]) {
    sendTo(opened, { address, port: SSDP_PORT }, target)
  }
}

function sendTo(opened: OpenRoute, to: Endpoint, target: string): void {
  const { address } = splitZone(to.address)
  opened.socket.send(encodeSearch({ ST: target, MX: MX_SECONDS, HOST: hostAndPort({ address, port: to.port }) }), to)
}

export function rankOfTarget(searchTarget: string): number {
  const at = (SEARCH_TARGETS as readonly string[]).indexOf(searchTarget)
  return at === -1 ? SEARCH_TARGETS.length : at
}

/** Whether a device that answers to this target calls itself an IGD, and is not just any device. */
export function isIgdTarget(searchTarget: string): boolean {
  return /InternetGatewayDevice|WAN(IP|PPP)Connection/i.test(searchTarget)
}
