/**
 * PCP (RFC 6887) and NAT-PMP (RFC 6886) of the emulated gateway: which of them it speaks, on which addresses, and what
 * it announces. Over IPv6 there is only PCP. Both have the same port, and the first byte of a request, the version,
 * shows which one it is (RFC 6887 9, RFC 6886 3.5). If the gateway speaks only one of them, its response to the other
 * says that the version is not supported.
 */
import { MalformedMessageError, TransportError } from '../../domain/errors.js'
import { PORT_CONTROL_ANNOUNCEMENT_PORT, PORT_CONTROL_PORT } from '../../domain/ports.js'
import type { Clock } from '../../net/clock.js'
import type { Datagrams, Endpoint } from '../../net/datagrams.js'
import type { InterfaceAddress } from '../../net/interfaces.js'
import { NAT_PMP_VERSION } from '../../wire/natpmp.js'
import { PCP_ANNOUNCEMENT_GROUPS } from '../../wire/pcp.js'
import type { EmulatorCounters } from '../counters.js'
import type { EmulatorSettings } from '../emulator-options.js'
import type { GatewayState } from '../gateway-state.js'
import { interfaceOf, ipv6NeighboursOf, neighboursOf } from '../neighbours.js'
import { type Announcement, NAT_PMP_ANNOUNCING, PCP_ANNOUNCING } from './announcements.js'
import { createNatPmpResponder, type NatPmpOperation, type NatPmpResponder } from './natpmp-responder.js'
import { createPcpResponder, type PcpOperation, type PcpResponder } from './pcp-responder.js'
import { openPortControlSocket, type PortControlSocket, type PortControlSocketOptions } from './sockets.js'

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
}

export interface PortControl {
  readonly local: Endpoint | undefined
  readonly localIPv6: Endpoint | undefined
  /** Why port 5351 could not be opened, or why a socket stopped. */
  readonly failure: TransportError | undefined
  announce(): void
  close(): void
}

/**
 * If another program has port 5351, the gateway is still useful without PCP and NAT-PMP.
 * @throws TransportError if any other port cannot be opened
 */
export async function openPortControl(options: PortControlOptions): Promise<PortControl> {
  const { address, portControlPort: port, ipv6Address } = options.settings
  const { pcp, natPmp } = respondersOf(options)
  const isNeeded = pcp !== undefined || natPmp !== undefined
  const ipv4 = isNeeded ? await openOrSayWhyNot(port, ipv4Options(options, address, { pcp, natPmp })) : undefined
  const samePort = ipv4?.socket?.local.port ?? port
  const isNeededForIPv6 = pcp !== undefined && ipv6Address !== undefined
  const ipv6 = isNeededForIPv6
    ? await openOrSayWhyNot(samePort, ipv6Options(options, ipv6Address, pcp), port).catch((error) => {
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

function respondersOf({ settings, state, counters, refusalOf }: PortControlOptions): PortControlResponders {
  const pcp = createPcpResponder({
    state,
    refusalOf,
    onRequest: (name) => counters.pcpRequests[name]++,
  })
  const natPmp = createNatPmpResponder({
    state,
    refusalOf,
    onRequest: (name) => counters.natPmpRequests[name]++,
  })
  return { pcp: settings.pcp ? pcp : undefined, natPmp: settings.natPmp ? natPmp : undefined }
}

type SocketFacts = Omit<PortControlSocketOptions, 'port'>

function ipv4Options(options: PortControlOptions, address: string, responders: PortControlResponders): SocketFacts {
  const { pcp, natPmp } = responders
  return {
    ...options,
    address,
    multicastInterface: address,
    announceTo: { address: PCP_ANNOUNCEMENT_GROUPS.ipv4, port: PORT_CONTROL_ANNOUNCEMENT_PORT },
    announcements: [...announcementsOf(pcp, PCP_ANNOUNCING), ...announcementsOf(natPmp, NAT_PMP_ANNOUNCING)],
    isNeighbour: neighboursOf(address, options.interfaces()),
    answer: (...request) => answerPortControl(responders, ...request),
  }
}

function ipv6Options(options: PortControlOptions, address: string, pcp: PcpResponder): SocketFacts {
  const interfaces = options.interfaces()
  const zone = interfaceOf(address, interfaces)?.zone
  return {
    ...options,
    address,
    multicastInterface: zone === undefined ? undefined : `::%${zone}`,
    announceTo: { address: PCP_ANNOUNCEMENT_GROUPS.ipv6, port: PORT_CONTROL_ANNOUNCEMENT_PORT },
    announcements: announcementsOf(pcp, PCP_ANNOUNCING),
    isNeighbour: ipv6NeighboursOf(address, interfaces),
    answer: (...request) => answerPortControl({ pcp, natPmp: undefined }, ...request),
  }
}

function announcementsOf(
  responder: PcpResponder | NatPmpResponder | undefined,
  repetition: Omit<Announcement, 'message'>,
): Announcement[] {
  return responder === undefined ? [] : [{ message: responder.announcement, ...repetition }]
}

interface Opened {
  readonly socket?: PortControlSocket
  readonly error?: TransportError
}

/** Tries `port`, and then `orElse`, which is 0 if any other port is as good. @throws TransportError */
async function openOrSayWhyNot(port: number, facts: SocketFacts, orElse = port): Promise<Opened> {
  try {
    return { socket: await openPortControlSocket({ ...facts, port }) }
  } catch (error) {
    if (port !== orElse) return openOrSayWhyNot(orElse, facts)
    if (error instanceof TransportError && port === PORT_CONTROL_PORT) return { error }
    throw error
  }
}

/** At least one of the two. Over IPv6 it is PCP, because NAT-PMP is for IPv4 only. */
interface PortControlResponders {
  readonly pcp: PcpResponder | undefined
  readonly natPmp: NatPmpResponder | undefined
}

/** The response to a request. @throws MalformedMessageError if the datagram must be dropped */
function answerPortControl(
  { pcp, natPmp }: PortControlResponders,
  datagram: Uint8Array,
  fromAddress: string,
  nowMs: number,
): Uint8Array {
  const isNatPmp = datagram[0] === NAT_PMP_VERSION
  if (isNatPmp && natPmp !== undefined) return natPmp.answer(datagram, fromAddress, nowMs)
  if (!isNatPmp && pcp !== undefined) return pcp.answer(datagram, fromAddress, nowMs)
  const opcode = datagram[1] ?? RESPONSE
  if (opcode >= RESPONSE)
    throw new MalformedMessageError('a request', Buffer.from(datagram.subarray(0, 32)).toString('hex'))
  if (pcp !== undefined) return pcp.refuseVersion(datagram, nowMs)
  if (natPmp !== undefined) return natPmp.refuseVersion(opcode, nowMs)
  throw new RangeError('neither PCP nor NAT-PMP')
}
