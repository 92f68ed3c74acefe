/**
 * The SSDP search (UPnP Device Architecture 1.1 1.3): M-SEARCH on every interface at once, to the multicast group and
 * straight to the default gateway from the same socket, which opens a host firewall for the reply. It is resent,
 * because UDP is lost; the targets are a little apart, because some routers drop one of two that come together.
 */
import { onSameSubnet } from '../domain/address.js'
import { MalformedMessageError } from '../domain/errors.js'
import type { Clock } from '../net/clock.js'
import type { DatagramSocket, Datagrams, Endpoint } from '../net/datagrams.js'
import { type InterfaceAddress, MAX_INTERFACES } from '../net/interfaces.js'
import { decodeSsdp, encodeSearch, type SearchReply, SSDP_MULTICAST_IPV4, SSDP_PORT } from '../wire/ssdp.js'

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
/** UDA 1.1 1.3.2. */
export const MULTICAST_TTL = 2
/** A flood of replies is not read to its end. */
export const MAX_REPLIES = 2048

/** One way out: an interface's address, and whom to ask through it. */
export interface SearchRoute {
  readonly address: string
  readonly netmask: string
  readonly multicast: boolean
  readonly unicastTo: readonly Endpoint[]
}

/** Every interface but loopback, one address per subnet; the default gateway's port 1900 where it is on that subnet. */
export function searchRoutes(interfaces: readonly InterfaceAddress[]): SearchRoute[] {
  const usable = interfaces.filter((each) => !each.loopback && each.netmask !== '255.255.255.255')
  const firstOfSubnet = usable.filter((each, at) => usable.findIndex((other) => sameWayOut(each, other)) === at)
  return firstOfSubnet
    .slice(0, MAX_INTERFACES)
    .map(({ address, netmask }) => ({ address, netmask, multicast: true, unicastTo: [] }))
}

function sameWayOut(a: InterfaceAddress, b: InterfaceAddress): boolean {
  return a.name === b.name && a.netmask === b.netmask && onSameSubnet(a.address, a.netmask, b.address)
}

export interface HeardReply {
  readonly reply: SearchReply
  readonly from: Endpoint
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
  let heard = 0

  const receive = (route: SearchRoute, datagram: Uint8Array, from: Endpoint): void => {
    if (stopped || heard >= MAX_REPLIES) return
    heard++
    const reply = decodeReply(datagram)
    if (reply !== undefined) listener.onReply({ reply, from, route })
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
  const multicast = route.multicast ? { multicastInterface: route.address, multicastTtl: MULTICAST_TTL } : {}
  return datagrams.open({ address: route.address, port: 0, onMessage, ...multicast })
}

function addDirect(opened: OpenRoute, address: string): boolean {
  if (!opened.route.multicast || !onSameSubnet(opened.route.address, opened.route.netmask, address)) return false
  opened.unicastTo.push({ address, port: SSDP_PORT })
  return true
}

function sendSearch(opened: OpenRoute, target: string): void {
  for (const to of opened.unicastTo) sendTo(opened, to, target)
  if (opened.route.multicast) sendTo(opened, { address: SSDP_MULTICAST_IPV4, port: SSDP_PORT }, target)
}

function sendTo(opened: OpenRoute, to: Endpoint, target: string): void {
  opened.socket.send(encodeSearch({ ST: target, MX: MX_SECONDS, HOST: `${to.address}:${to.port}` }), to)
}

function decodeReply(datagram: Uint8Array): SearchReply | undefined {
  try {
    const message = decodeSsdp(datagram)
    return message.kind === 'reply' ? message : undefined
  } catch (error) {
    if (error instanceof MalformedMessageError) return undefined // not for us: keep listening
    throw error
  }
}
