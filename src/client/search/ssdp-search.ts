/**
 * The SSDP search (UPnP Device Architecture 1.1 1.3): M-SEARCH on every interface at once, to the multicast group and
 * straight to the default gateway from the same socket, which opens a host firewall for the reply. It is resent,
 * because UDP is lost; the targets are a little apart, because some routers drop one of two that come together.
 * Over IPv6 (A.3) there are two groups, and nobody is asked directly.
 */
import { hostAndPort, isLinkLocalIPv6, onSameSubnet, samePrefixIPv6, splitZone } from '../../domain/address.js'
import { unlessMalformed } from '../../domain/errors.js'
import { SSDP_PORT } from '../../domain/ports.js'
import type { Clock } from '../../net/clock.js'
import type { DatagramSocket, Datagrams, Endpoint } from '../../net/datagrams.js'
import {
  decodeSsdp,
  encodeSearch,
  type SearchReply,
  SSDP_MULTICAST_IPV4,
  SSDP_MULTICAST_IPV6,
  SSDP_MULTICAST_TTL,
} from '../../wire/ssdp.js'
import { type IPv6SearchRoute, isIPv6Route, type SearchRoute } from './routes.js'

export {
  type IPv6SearchRoute,
  isIPv6Route,
  type RouteOptions,
  type SearchRoute,
  searchRoutes,
} from './routes.js'

/** In the order of preference: the first one that a device answers to is the one that names it. */
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

/** Devices answer a multicast search within that time, at random (UDA 1.1 1.3.2: at least 1). */
const MX_SECONDS = 1
/** A flood is not read to its end, and one sender's flood does not keep us from hearing others. */
export const MAX_REPLIES_PER_SENDER = 128
export const MAX_SENDERS = 256

export interface HeardReply {
  readonly reply: SearchReply
  readonly from: Endpoint
  /** The one that it came in by. */
  readonly route: SearchRoute
}

export interface SsdpSearch {
  /** Adds a host to ask directly on every route whose subnet it is on: the default gateway, once it is known. */
  askDirectly(address: string): void
  stop(): void
}

interface OpenRoute {
  readonly route: SearchRoute
  readonly socket: DatagramSocket
  readonly unicastTo: Endpoint[]
}

/** Starts searching at once. `onReady` tells how many routes could be opened; one that fails does not fail the others. */
export function startSsdpSearch(
  net: { clock: Clock; datagrams: Datagrams },
  routes: readonly SearchRoute[],
  listener: { onReply: (heard: HeardReply) => void; onReady: (opened: number) => void },
): SsdpSearch {
  const cancels: (() => void)[] = []
  const open: OpenRoute[] = []
  const direct: string[] = []
  let stopped = false
  const heard = new Map<string, number>()

  /** The hosts that are asked directly are always heard. */
  const isTooMuch = (sender: string): boolean => {
    const sofar = heard.get(sender) ?? 0
    if (sofar >= MAX_REPLIES_PER_SENDER) return true
    if (sofar === 0 && heard.size >= MAX_SENDERS && !direct.includes(sender)) return true
    heard.set(sender, sofar + 1)
    return false
  }
  const receive = (route: SearchRoute, datagram: Uint8Array, from: Endpoint): void => {
    if (stopped || isTooMuch(from.address)) return
    const reply = decodeReply(datagram)
    if (reply !== undefined) listener.onReply({ reply, from, route: routeOf(from.address, route, routes) })
  }
  const startRoute = async (route: SearchRoute): Promise<void> => {
    const socket = await openSocket(net.datagrams, route, (datagram, from) => receive(route, datagram, from))
    if (stopped) {
      socket.close()
      return
    }
    const opened = { route, socket, unicastTo: [...route.unicastTo] }
    open.push(opened)
    for (const address of direct) addDirect(opened, address)
    for (const [at, target] of schedule()) {
      if (at === 0) sendSearch(opened, target)
      else cancels.push(net.clock.schedule(at, () => sendSearch(opened, target)))
    }
  }
  Promise.allSettled(routes.map(startRoute)).then(() => {
    if (!stopped) listener.onReady(open.length)
  })

  return {
    askDirectly(address) {
      direct.push(address)
      for (const opened of open) {
        if (addDirect(opened, address)) sendTo(opened, { address, port: SSDP_PORT }, SEARCH_TARGETS[0])
      }
    },
    stop() {
      stopped = true
      for (const cancel of cancels) cancel()
      for (const { socket } of open) socket.close()
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
  // A port that was asked for is taken on every interface, and 1900 may be another program's too.
  const shared = port === 0 ? {} : { shared: true }
  return datagrams.open({ address, port, onMessage, ...multicast, ...shared })
}

/** Sockets on `::` hear what comes in by any interface; when they share a port, one of them hears it all. */
function routeOf(sender: string, heardOn: SearchRoute, routes: readonly SearchRoute[]): SearchRoute {
  if (!isIPv6Route(heardOn)) return heardOn
  return [heardOn, ...routes].find((each) => isIPv6Route(each) && isNeighbourOf(sender, each)) ?? heardOn
}

function isNeighbourOf(sender: string, { zone, prefixes }: IPv6SearchRoute): boolean {
  const from = splitZone(sender)
  if (isLinkLocalIPv6(from.address)) return from.zone === zone
  return prefixes.some(({ address, prefixLength }) => samePrefixIPv6(address, from.address, prefixLength))
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

function decodeReply(datagram: Uint8Array): SearchReply | undefined {
  const message = unlessMalformed(() => decodeSsdp(datagram))
  return message?.kind === 'reply' ? message : undefined
}
