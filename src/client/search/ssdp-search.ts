/**
 * The SSDP search (UPnP Device Architecture 1.1 1.3), and the list of devices that were heard. M-SEARCH goes out on
 * every interface at once, to the multicast group, and from the same socket straight to the default gateway, which
 * opens a host firewall for the reply. It is sent again, because UDP datagrams get lost. There is a pause between the
 * targets, because some routers drop one of two requests that come together.
 * Over IPv6 (A.3) there are two groups, and no host is asked directly.
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
/** The rest of a flood is dropped, and one sender's flood does not drown out others. */
export const MAX_REPLIES_PER_SENDER = 128
export const MAX_SENDERS = 256
/** What LAN peers can make us keep and ask. */
export const MAX_DEVICES = 64
export const MAX_DEVICES_PER_SENDER = 16

export interface HeardReply {
  readonly reply: SearchReply
  readonly from: Endpoint
  /** The route by which the reply came in. */
  readonly route: SearchRoute
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
  const direct: string[] = []
  let stopped = false
  let isEnough = false
  const heard = new Map<string, number>()

  /** The hosts that are asked directly are always heard. */
  const isTooMuch = (sender: string): boolean => {
    const soFar = heard.get(sender) ?? 0
    if (soFar >= MAX_REPLIES_PER_SENDER) return true
    if (soFar === 0 && heard.size >= MAX_SENDERS && !direct.includes(sender)) return true
    heard.set(sender, soFar + 1)
    return false
  }
  const receive = (route: SearchRoute, datagram: Uint8Array, from: Endpoint): void => {
    if (stopped || isTooMuch(from.address)) return
    const reply = unlessMalformed(() => decodeSsdp(datagram))
    if (reply?.kind === 'reply') listener.onReply({ reply, from, route: routeOf(from.address, route, routes) })
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
      const isOfLaterRound = at >= LATER_ROUNDS_MS
      const send = (): void => {
        if (!(isOfLaterRound && isEnough)) sendSearch(opened, target)
      }
      if (at === 0) send()
      else cancels.push(net.clock.schedule(at, send))
    }
  }
  Promise.allSettled(routes.map(startRoute)).then(() => {
    if (!stopped) listener.onReady(open.length)
  })

  return {
    /** Asks this host directly too, on every route whose subnet it is on: the default gateway, once it is known. */
    askDirectly(address: string): void {
      direct.push(address)
      for (const opened of open) {
        if (addDirect(opened, address)) sendTo(opened, { address, port: SSDP_PORT }, SEARCH_TARGETS[0])
      }
    },
    /** Whoever was searched for is known: the rounds after the second are not sent. */
    sendNoMore(): void {
      isEnough = true
    },
    stop(): void {
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

/** A device that answered the search. Its texts come from the network, and are not cleaned for a terminal. */
export interface FoundDevice {
  readonly location: string
  /** The search target that it answered to. If there are several, the most specific one. */
  readonly searchTarget: string
  readonly server: string
}

/** The devices that a search has heard of. LAN peers can fill it, but one sender alone cannot. */
export class DeviceList {
  /** `sender` is the first one that told of the device. Nobody else may change the entry. */
  readonly #devices = new Map<string, FoundDevice & { readonly sender: string }>()
  readonly #perSender = new Map<string, number>()
  readonly #alwaysHasRoomFor: (sender: string) => boolean

  /** A full list still has room for these senders: the default gateways. */
  constructor(alwaysHasRoomFor: (sender: string) => boolean) {
    this.#alwaysHasRoomFor = alwaysHasRoomFor
  }

  /** Returns whether the device is new. `key` tells devices apart. */
  add(key: string, device: FoundDevice, sender: string): boolean {
    const known = this.#devices.get(key)
    if (known !== undefined && known.sender !== sender) return false
    if (known === undefined && !this.#hasRoomFor(sender)) return false
    const isBetter = known === undefined || rankOf(device.searchTarget) < rankOf(known.searchTarget)
    const searchTarget = isBetter ? device.searchTarget : known.searchTarget
    this.#devices.set(key, { ...device, searchTarget, sender })
    return known === undefined
  }

  has(key: string): boolean {
    return this.#devices.has(key)
  }

  /** In the order in which they were heard. */
  all(): FoundDevice[] {
    return [...this.#devices.values()].map(({ sender: _, ...device }) => device)
  }

  #hasRoomFor(sender: string): boolean {
    const soFar = this.#perSender.get(sender) ?? 0
    const isFull = this.#devices.size >= MAX_DEVICES && !this.#alwaysHasRoomFor(sender)
    if (isFull || soFar >= MAX_DEVICES_PER_SENDER) return false
    this.#perSender.set(sender, soFar + 1)
    return true
  }
}

function rankOf(searchTarget: string): number {
  const at = (SEARCH_TARGETS as readonly string[]).indexOf(searchTarget)
  return at === -1 ? SEARCH_TARGETS.length : at
}

/** Whether a device that answers to this target calls itself an IGD, and is not just any device. */
export function isIgdTarget(searchTarget: string): boolean {
  return /InternetGatewayDevice|WAN(IP|PPP)Connection/i.test(searchTarget)
}
