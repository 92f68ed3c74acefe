/**
 * PCP (RFC 6887) and NAT-PMP (RFC 6886) of the emulated gateway: which of them it speaks, on which addresses, and what
 * it announces. Over IPv6 there is only PCP. Both have the same port, and the first byte of a request, the version,
 * shows which one it is (RFC 6887 9, RFC 6886 3.5). If the gateway speaks only one of them, its response to the other
 * says that the version is not supported.
 *
 * Each address of the gateway has one UDP socket. It is bound to that address, because a client expects replies from
 * there. Announcements leave only through the interface with that address.
 */
import { TransportError, unlessMalformed } from '../../domain/errors.js'
import { PORT_CONTROL_ANNOUNCEMENT_PORT, PORT_CONTROL_PORT } from '../../domain/ports.js'
import { type Clock, limitPerSecond } from '../../net/clock.js'
import type { DatagramOptions, Datagrams, Endpoint } from '../../net/datagrams.js'
import type { InterfaceAddress } from '../../net/interfaces.js'
import { malformed } from '../../wire/binary.js'
import { NAT_PMP_VERSION } from '../../wire/natpmp.js'
import { PCP_ANNOUNCEMENT_GROUPS } from '../../wire/pcp.js'
import type { EmulatorSettings } from '../emulator-options.js'
import type { EmulatorCounters, GatewayState } from '../gateway-state.js'
import type { EmulatedLink } from '../link.js'
import { type IsNeighbour, interfaceOf, ipv6NeighboursOf, neighboursOf } from '../neighbours.js'
import { createNatPmpResponder, type NatPmpOperation } from './natpmp-responder.js'
import { createPcpResponder, type PcpOperation } from './pcp-responder.js'
import type { PortControlResponder } from './responder.js'

/** Bounds what a peer can make the gateway do: it answers this many requests in a second. */
export const MAX_PORT_CONTROL_REQUESTS_PER_SECOND = 200

/** In both protocols this bit of the opcode marks a response. */
const RESPONSE = 0x80

export interface PortControlOptions {
  readonly settings: EmulatorSettings
  readonly state: GatewayState
  readonly counters: EmulatorCounters
  readonly clock: Clock
  readonly datagrams: Datagrams
  readonly interfaces: () => readonly InterfaceAddress[]
  readonly refusalOf: (operation: PcpOperation | NatPmpOperation) => number | undefined
  /** Hears what the gateway announces, whatever its port. */
  readonly link: EmulatedLink
}

export interface PortControl {
  readonly local: Endpoint | undefined
  readonly localIPv6: Endpoint | undefined
  /** Why port 5351 could not be opened, or why a socket stopped. */
  readonly failure: TransportError | undefined
  /** Starts the announcements again from the first, because a new epoch has begun. */
  announce(): void
  close(): void
}

/** At least one of the two. Over IPv6 it is PCP, because NAT-PMP is for IPv4 only. */
interface Responders {
  readonly pcp?: PortControlResponder | undefined
  readonly natPmp?: PortControlResponder | undefined
}

/** An address of the gateway, and what it speaks there. */
interface Place {
  readonly address: string
  /** The interface that announcements leave through. Without one there are none. */
  readonly multicastInterface: string | undefined
  readonly announcementGroup: string
  readonly isNeighbour: IsNeighbour
  readonly responders: Responders
}

/** If another program has port 5351, the gateway is still useful. @throws TransportError for any other port */
export async function openPortControl(options: PortControlOptions): Promise<PortControl> {
  const { address, portControlPort: port, ipv6Address } = options.settings
  const { pcp, natPmp } = respondersOf(options)
  const isNeeded = pcp !== undefined || natPmp !== undefined
  const ipv4 = isNeeded ? await openOrSayWhyNot(port, ipv4Place(options, address, { pcp, natPmp }), options) : undefined
  const samePort = ipv4?.socket?.local.port ?? port
  const isNeededForIPv6 = pcp !== undefined && ipv6Address !== undefined
  const ipv6 = isNeededForIPv6
    ? await openOrSayWhyNot(samePort, ipv6Place(options, ipv6Address, { pcp }), options, port).catch((error) => {
        ipv4?.socket?.close()
        throw error
      })
    : undefined
  const opened = [ipv4, ipv6]
  const sockets = opened.flatMap((each) => each?.socket ?? [])
  for (const socket of sockets) socket.announce()
  return {
    local: ipv4?.socket?.local,
    localIPv6: ipv6?.socket?.local,
    get failure() {
      return opened.map((each) => each?.error ?? each?.socket?.failure).find((error) => error !== undefined)
    },
    announce() {
      for (const socket of sockets) socket.announce()
    },
    close() {
      for (const socket of sockets) socket.close()
    },
  }
}

function respondersOf({ settings, state, counters, refusalOf }: PortControlOptions): Responders {
  const pcp = createPcpResponder({ state, refusalOf, onRequest: (name) => counters.pcpRequests[name]++ })
  const natPmp = createNatPmpResponder({ state, refusalOf, onRequest: (name) => counters.natPmpRequests[name]++ })
  return { pcp: settings.pcp ? pcp : undefined, natPmp: settings.natPmp ? natPmp : undefined }
}

function ipv4Place({ interfaces }: PortControlOptions, address: string, responders: Responders): Place {
  return {
    address,
    multicastInterface: address,
    announcementGroup: PCP_ANNOUNCEMENT_GROUPS.ipv4,
    isNeighbour: neighboursOf(address, interfaces()),
    responders,
  }
}

function ipv6Place({ interfaces }: PortControlOptions, address: string, responders: Responders): Place {
  const zone = interfaceOf(address, interfaces())?.zone
  return {
    address,
    multicastInterface: zone === undefined ? undefined : `::%${zone}`,
    announcementGroup: PCP_ANNOUNCEMENT_GROUPS.ipv6,
    isNeighbour: ipv6NeighboursOf(address, interfaces()),
    responders,
  }
}

interface Opened {
  readonly socket?: Omit<PortControl, 'local' | 'localIPv6'> & { readonly local: Endpoint }
  readonly error?: TransportError
}

/** Tries `port`, and then `orElse`, which is 0 if any other port is as good. @throws TransportError */
async function openOrSayWhyNot(
  port: number,
  place: Place,
  options: PortControlOptions,
  orElse = port,
): Promise<Opened> {
  try {
    return { socket: await openSocket(port, place, options) }
  } catch (error) {
    if (port !== orElse) return openOrSayWhyNot(orElse, place, options)
    if (error instanceof TransportError && port === PORT_CONTROL_PORT) return { error }
    throw error
  }
}

/** With port 5351 the socket announces the gateway. @throws TransportError */
async function openSocket(port: number, place: Place, options: PortControlOptions) {
  const { address, multicastInterface, announcementGroup } = place
  let failure: TransportError | undefined
  let announcing: (() => void)[] = []
  const endAnnouncing = (): void => {
    for (const end of announcing.splice(0)) end()
  }
  const socket = await options.datagrams.open({
    address,
    port,
    ...(multicastInterface === undefined ? {} : { multicastInterface }),
    multicastTtl: 1, // announcements stay on the link
    onMessage: createReceiver(place, options, (reply, to) => socket.send(reply, to)),
    onError(error) {
      failure ??= error
      endAnnouncing()
    },
  })
  const isAnnounced = port === PORT_CONTROL_PORT && multicastInterface !== undefined
  const { pcp, natPmp } = place.responders
  const spoken = [pcp, natPmp].filter((each) => each !== undefined)
  const send = (message: Uint8Array): void => {
    if (isAnnounced) socket.send(message, { address: announcementGroup, port: PORT_CONTROL_ANNOUNCEMENT_PORT })
    options.link.tell(PORT_CONTROL_ANNOUNCEMENT_PORT, message, socket.local)
  }
  return {
    local: socket.local,
    /** Why the socket stopped, if it did. */
    get failure() {
      return failure
    },
    announce() {
      endAnnouncing()
      const isHeard = isAnnounced || options.link.isUsed
      announcing = isHeard ? spoken.map((each) => announce(each, options.clock, send)) : []
    },
    close() {
      endAnnouncing()
      socket.close()
    },
  }
}

function createReceiver(
  { isNeighbour, responders }: Place,
  { counters, clock }: PortControlOptions,
  send: (reply: Uint8Array, to: Endpoint) => void,
): DatagramOptions['onMessage'] {
  const isWithinLimit = limitPerSecond(MAX_PORT_CONTROL_REQUESTS_PER_SECOND, clock)
  return (datagram, from) => {
    if (!isNeighbour(from.address) || from.port === 0 || !isWithinLimit()) {
      counters.ignoredDatagrams++
      return
    }
    const reply = unlessMalformed(() => answer(responders, datagram, from.address, clock.monotonicMs()))
    if (reply === undefined) counters.malformedDatagrams++
    else send(reply, from)
  }
}

/** The response to a request. @throws MalformedMessageError if the datagram must be dropped */
function answer({ pcp, natPmp }: Responders, datagram: Uint8Array, fromAddress: string, nowMs: number): Uint8Array {
  const [asked, other] = datagram[0] === NAT_PMP_VERSION ? [natPmp, pcp] : [pcp, natPmp]
  if (asked !== undefined) return asked.answer(datagram, fromAddress, nowMs)
  if ((datagram[1] ?? RESPONSE) >= RESPONSE) throw malformed('a request', datagram)
  if (other !== undefined) return other.refuseVersion(datagram, nowMs)
  throw new RangeError('neither PCP nor NAT-PMP')
}

/** Says unasked that a new epoch begins, at once for the first time. @returns a function that stops the repetition */
function announce(
  { announcement, repetition: { times, firstWaitMs } }: PortControlResponder,
  clock: Clock,
  send: (message: Uint8Array) => void,
): () => void {
  let cancel = (): void => {}
  const sendFrom = (nth: number): void => {
    send(announcement(clock.monotonicMs()))
    if (nth + 1 < times) cancel = clock.schedule(firstWaitMs * 2 ** nth, () => sendFrom(nth + 1))
  }
  sendFrom(0)
  return () => cancel()
}
