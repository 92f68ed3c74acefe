/** What PCP and NAT-PMP gateways answer, made from what they are asked. */
import { decodeNatPmpRequest, encodeNatPmpResponse, type NatPmpRequest } from '../../src/wire/natpmp.ts'
import {
  decodePcpRequest,
  encodePcpErrorResponse,
  encodePcpResponse,
  type PcpRequest,
  type PcpResponse,
} from '../../src/wire/pcp.ts'
import { FakeClock } from './fake-clock.ts'
import { bytesOf } from './hex-bytes.ts'
import { ScriptedDatagrams, type ScriptedPeer, type SentRequest } from './scripted-datagrams.ts'

/** An address of the internet that belongs to no documentation block. */
export const EXTERNAL = '11.22.33.44'

/** How a gateway of NAT-PMP alone refuses PCP: in 8 bytes. */
export const NAT_PMP_ONLY = bytesOf('0080 0001 00000e10')
/** How a server of PCP alone refuses NAT-PMP: UNSUPP_VERSION in 24 bytes. */
export const PCP_ONLY = bytesOf('02800001 00000000 00000e10 000000000000000000000000')

export type MapAsked = Extract<PcpRequest, { readonly kind: 'MAP-request' }>
export type MapAnswered = Extract<PcpResponse, { readonly kind: 'MAP-response' }>
export type NatPmpMapAsked = Extract<NatPmpRequest, { readonly kind: 'map-request' }>

export function announceReply(epochSeconds = 3600, resultCode = 0): Uint8Array {
  return encodePcpResponse({ kind: 'ANNOUNCE-response', resultCode, lifetimeSeconds: 0, epochSeconds })
}

export function addressReply(externalAddress = EXTERNAL, epochSeconds = 3600): Uint8Array {
  return encodeNatPmpResponse({ kind: 'external-address-response', externalAddress, epochSeconds })
}

export function natPmpError(
  opcode: number,
  resultCode: number,
  internalPort?: number,
  epochSeconds = 3600,
): Uint8Array {
  return encodeNatPmpResponse({ kind: 'error-response', opcode, resultCode, epochSeconds, internalPort })
}

export function pcpError(request: Uint8Array, resultCode: number): Uint8Array {
  return encodePcpErrorResponse(request, { resultCode, lifetimeSeconds: 30, epochSeconds: 3600 })
}

/** @throws where it is no MAP request */
export function mapAsked(request: Uint8Array | SentRequest | undefined): MapAsked {
  const bytes = request instanceof Uint8Array ? request : request?.bytes
  const decoded = decodePcpRequest(bytes ?? new Uint8Array())
  if (decoded.kind !== 'MAP-request') throw new Error(`asked ${decoded.kind}`)
  return decoded
}

/** Grants what is asked for, but for what it is told otherwise. */
export function mapReply(request: Uint8Array, granted: Partial<MapAnswered> = {}): Uint8Array {
  const { nonce, protocol, internalPort, lifetimeSeconds, suggestedExternalPort } = mapAsked(request)
  return encodePcpResponse({
    kind: 'MAP-response',
    resultCode: 0,
    lifetimeSeconds,
    epochSeconds: 3601,
    nonce,
    protocol,
    internalPort,
    assignedExternalPort: suggestedExternalPort,
    assignedExternalAddress: EXTERNAL,
    options: [],
    ...granted,
  })
}

/** @throws where it is no mapping request */
export function natPmpMapAsked(request: Uint8Array | SentRequest | undefined): NatPmpMapAsked {
  const bytes = request instanceof Uint8Array ? request : request?.bytes
  const decoded = decodeNatPmpRequest(bytes ?? new Uint8Array())
  if (decoded.kind !== 'map-request') throw new Error(`asked ${decoded.kind}`)
  return decoded
}

export interface NatPmpGranted {
  readonly protocol?: 'TCP' | 'UDP'
  readonly internalPort?: number
  readonly mappedExternalPort?: number
  readonly lifetimeSeconds?: number
  readonly epochSeconds?: number
}

/** Grants what is asked for, but for what it is told otherwise; a deletion as RFC 6886 3.4 has it. */
export function natPmpMapReply(request: Uint8Array, granted: NatPmpGranted = {}): Uint8Array {
  const { protocol, internalPort, suggestedExternalPort: mappedExternalPort, lifetimeSeconds } = natPmpMapAsked(request)
  const asked = { protocol, internalPort, mappedExternalPort, lifetimeSeconds }
  return encodeNatPmpResponse({ kind: 'map-response', epochSeconds: 3601, ...asked, ...granted })
}

/** The answer to a request, or undefined for none. */
export type PortControlAnswering = (
  request: Uint8Array,
  sent: SentRequest,
  peer: ScriptedPeer,
) => Uint8Array | undefined

/** Answers whatever connected sockets send, at once. */
export function answering(answer: PortControlAnswering): { clock: FakeClock; datagrams: ScriptedDatagrams } {
  const clock = new FakeClock()
  const datagrams = new ScriptedDatagrams(clock)
  datagrams.onRequest = (sent, peer) => {
    const reply = answer(sent.bytes, sent, peer)
    if (reply !== undefined) peer.deliver(reply)
  }
  return { clock, datagrams }
}
