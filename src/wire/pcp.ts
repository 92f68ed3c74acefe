/**
 * PCP, the Port Control Protocol: messages <-> bytes (RFC 6887 7, 11, 12, 14). Any bytes decode either to a message or
 * to a MalformedMessageError. Numbers are big-endian. An address has 16 bytes; IPv4 has the IPv4-mapped form on the
 * wire, and is plain dotted text here. A nonce is 24 hexadecimal digits in lower case.
 *
 * A bad request that must be answered with an error is decoded too, and names the result code of the answer. A
 * MalformedMessageError means that the request must be dropped in silence (RFC 6887 8.2).
 */
import { addressOfBytes } from '../domain/address.js'
import { malformed, message, viewOf, writeUint32 } from './binary.js'
import { isUnsupportedVersionResponse, NAT_PMP_VERSION } from './natpmp.js'
import { ADDRESS_BYTES, addressBytes, decodePcpOptions, encodePcpOptions, type PcpOption } from './pcp-options.js'
import { PCP_RESULTS } from './pcp-result-codes.js'

interface RequestHead {
  /** 0 deletes a mapping. */
  readonly lifetimeSeconds: number
  /** The client's own address, as the client knows it. */
  readonly clientAddress: string
  readonly options: readonly PcpOption[]
}

/** RFC 6887 11.1 and 12.1: what MAP and PEER ask for. */
export interface MapRequestData {
  readonly nonce: string
  /** IANA protocol number. 0 means all protocols; then the internal port is 0 too. */
  readonly protocol: number
  /** 0 for all ports. */
  readonly internalPort: number
  /** 0 for any. */
  readonly suggestedExternalPort: number
  readonly suggestedExternalAddress: string
}

/** RFC 6887 12.1: the host on the internet that PEER is about. */
export interface RemotePeer {
  readonly remotePeerPort: number
  readonly remotePeerAddress: string
}

/** RFC 6887 7.1. */
export type PcpRequest =
  /** RFC 6887 14.1. */
  | ({ readonly kind: 'ANNOUNCE-request' } & RequestHead)
  /** RFC 6887 11.1. */
  | ({ readonly kind: 'MAP-request' } & RequestHead & MapRequestData)
  /** RFC 6887 12.1. */
  | ({ readonly kind: 'PEER-request' } & RequestHead & MapRequestData & RemotePeer)

/** A request that must be answered with this error (RFC 6887 8.2). */
export interface BadPcpRequest {
  readonly kind: 'bad-request'
  readonly version: number
  readonly opcode: number
  readonly resultCode: number
}

/** RFC 6887 7.2: the first fields of every response. */
export interface ResponseHead {
  readonly resultCode: number
  /** How long the mapping lasts. For an error, how long the answer stays the same (RFC 6887 7.2); 0 if unknown. */
  readonly lifetimeSeconds: number
  /** Seconds since the server's state began (RFC 6887 8.5). */
  readonly epochSeconds: number
}

interface MapResponseData {
  readonly nonce: string
  readonly protocol: number
  readonly internalPort: number
  readonly assignedExternalPort: number
  readonly assignedExternalAddress: string
  readonly options: readonly PcpOption[]
}

/** RFC 6887 7.2; `resultCode` 0 is success. */
export type PcpResponse =
  | ({ readonly kind: 'ANNOUNCE-response' } & ResponseHead)
  | ({ readonly kind: 'MAP-response' } & ResponseHead & MapResponseData)
  | ({ readonly kind: 'PEER-response' } & ResponseHead & MapResponseData & RemotePeer)
  /** An error response that is cut short, or that has an opcode unknown here. */
  | ({ readonly kind: 'error-response'; readonly opcode: number } & ResponseHead)
  /** The server speaks version 0, which is NAT-PMP (RFC 6887 9). No other version has ever been in use. */
  | { readonly kind: 'other-version-response'; readonly opcode: number; readonly resultCode: number }

/** RFC 6887 14.1.1: the multicast groups that servers announce themselves to. */
export const PCP_ANNOUNCEMENT_GROUPS = { ipv4: '224.0.0.1', ipv6: 'ff02::1' } as const

export const PCP_VERSION = 2
/** RFC 6887 7: no message is longer. */
export const MAX_PCP_BYTES = 1100
/** RFC 6887 11.1. */
export const NONCE_BYTES = 12

/** RFC 6887 19.3. */
export const PCP_OPCODES = { ANNOUNCE: 0, MAP: 1, PEER: 2 } as const

/** The suggested external address if a client suggests none (RFC 6887 11.1). */
export const ANY_ADDRESS = { ipv4: '0.0.0.0', ipv6: '::' } as const

/** The index is the opcode. */
const REQUEST_KINDS = ['ANNOUNCE-request', 'MAP-request', 'PEER-request'] as const
const RESPONSE_KINDS = ['ANNOUNCE-response', 'MAP-response', 'PEER-response'] as const
/** How many bytes follow the head, without the options. */
const DATA_BYTES = [0, 36, 56] as const

const RESPONSE = 0x80
const HEAD_BYTES = 24

/** RFC 6887 7.1 and 7.2: the third field of every message. */
const LIFETIME_AT = 4
/** RFC 6887 7.1: the other field of a request. */
const CLIENT_ADDRESS_AT = 8
/** RFC 6887 7.2: the other fields of a response. */
const RESPONSE_HEAD_AT = { reserved: 2, resultCode: 3, epoch: 8, secondReserved: 12 } as const
/** RFC 6887 11.1 and 12.1: the fields of MAP and PEER after the head. */
const MAPPING_AT = { nonce: 24, protocol: 36, internalPort: 40, externalPort: 42, externalAddress: 44 } as const
/** RFC 6887 12.1: the fields of PEER after those. */
const REMOTE_PEER_AT = { port: 60, address: 64 } as const

/** RFC 6887 7.1. Text that is no address becomes sixteen zeros. */
export function encodePcpRequest(request: PcpRequest): Uint8Array {
  const options = encodePcpOptions(request.options)
  const { bytes, view } = message(PCP_VERSION, opcodeOf(request.kind), endOf(request.kind) + options.length)
  writeUint32(view, LIFETIME_AT, request.lifetimeSeconds)
  bytes.set(addressBytes(request.clientAddress), CLIENT_ADDRESS_AT)
  if ('nonce' in request) {
    writeMapping(bytes, view, request, request.suggestedExternalPort, request.suggestedExternalAddress)
  }
  if (request.kind === 'PEER-request') writePeer(bytes, view, request)
  bytes.set(options, bytes.length - options.length)
  return bytes
}

/** RFC 6887 7.2. Text that is no address becomes sixteen zeros. */
export function encodePcpResponse(response: Exclude<PcpResponse, { kind: 'other-version-response' }>): Uint8Array {
  const options = 'options' in response ? encodePcpOptions(response.options) : new Uint8Array()
  const opcode = response.kind === 'error-response' ? response.opcode : opcodeOf(response.kind)
  const { bytes, view } = message(PCP_VERSION, opcode + RESPONSE, endOf(response.kind) + options.length)
  writeResponseHead(bytes, view, response)
  if ('nonce' in response) {
    writeMapping(bytes, view, response, response.assignedExternalPort, response.assignedExternalAddress)
  }
  if (response.kind === 'PEER-response') writePeer(bytes, view, response)
  bytes.set(options, bytes.length - options.length)
  return bytes
}

/** The result codes for a request that could not be parsed. */
const NOT_PARSED: ReadonlySet<number> = new Set([
  PCP_RESULTS.UNSUPP_VERSION,
  PCP_RESULTS.MALFORMED_REQUEST,
  PCP_RESULTS.UNSUPP_OPCODE,
  PCP_RESULTS.MALFORMED_OPTION,
])

/**
 * An error response repeats the request after its own head, cut to MAX_PCP_BYTES and padded to a multiple of four bytes
 * (RFC 6887 8.2). If the request could not be parsed, the reserved field repeats the request too (RFC 6887 7.2).
 */
export function encodePcpErrorResponse(request: Uint8Array, head: ResponseHead): Uint8Array {
  const kept = request.subarray(0, MAX_PCP_BYTES)
  const bytes = new Uint8Array(Math.max(HEAD_BYTES, Math.ceil(kept.length / 4) * 4))
  bytes.set(kept)
  bytes.set([PCP_VERSION, (request[1] ?? 0) | RESPONSE])
  const endOfZeros = NOT_PARSED.has(head.resultCode) ? RESPONSE_HEAD_AT.secondReserved : HEAD_BYTES
  bytes.fill(0, RESPONSE_HEAD_AT.reserved, endOfZeros)
  writeResponseHead(bytes, viewOf(bytes), head)
  return bytes
}

type Kind = (PcpRequest | PcpResponse)['kind']

function opcodeOf(kind: Kind): (typeof PCP_OPCODES)[keyof typeof PCP_OPCODES] {
  if (kind.startsWith('MAP')) return PCP_OPCODES.MAP
  return kind.startsWith('PEER') ? PCP_OPCODES.PEER : PCP_OPCODES.ANNOUNCE
}

/** Where the options begin. */
function endOf(kind: Kind): number {
  return HEAD_BYTES + DATA_BYTES[opcodeOf(kind)]
}

function writeResponseHead(bytes: Uint8Array, view: DataView, head: ResponseHead): void {
  bytes[RESPONSE_HEAD_AT.resultCode] = head.resultCode
  writeUint32(view, LIFETIME_AT, head.lifetimeSeconds)
  writeUint32(view, RESPONSE_HEAD_AT.epoch, head.epochSeconds)
}

type Mapping = Pick<MapRequestData, 'nonce' | 'protocol' | 'internalPort'>

function writeMapping(bytes: Uint8Array, view: DataView, mapping: Mapping, port: number, address: string): void {
  bytes.set(Buffer.from(mapping.nonce, 'hex').subarray(0, NONCE_BYTES), MAPPING_AT.nonce)
  bytes[MAPPING_AT.protocol] = mapping.protocol
  view.setUint16(MAPPING_AT.internalPort, mapping.internalPort)
  view.setUint16(MAPPING_AT.externalPort, port)
  bytes.set(addressBytes(address), MAPPING_AT.externalAddress)
}

function writePeer(bytes: Uint8Array, view: DataView, peer: RemotePeer): void {
  view.setUint16(REMOTE_PEER_AT.port, peer.remotePeerPort)
  bytes.set(addressBytes(peer.remotePeerAddress), REMOTE_PEER_AT.address)
}

/** @throws MalformedMessageError if the bytes must be dropped in silence: fewer than 2 bytes, or a response */
export function decodePcpRequest(bytes: Uint8Array): PcpRequest | BadPcpRequest {
  const [version = 0, opcode = 0] = bytes
  if (bytes.length < 2 || opcode >= RESPONSE) throw malformed('a PCP request', bytes)
  const bad = (resultCode: number): BadPcpRequest => ({ kind: 'bad-request', version, opcode, resultCode })
  if (version !== PCP_VERSION) return bad(PCP_RESULTS.UNSUPP_VERSION)
  if (!isWellFormed(bytes)) return bad(PCP_RESULTS.MALFORMED_REQUEST)
  const kind = REQUEST_KINDS[opcode]
  if (kind === undefined) return bad(PCP_RESULTS.UNSUPP_OPCODE)
  const end = endOf(kind)
  if (bytes.length < end) return bad(PCP_RESULTS.MALFORMED_REQUEST)
  const { options, complete } = decodePcpOptions(bytes.subarray(end))
  if (!complete) return bad(PCP_RESULTS.MALFORMED_OPTION)
  const lifetimeSeconds = viewOf(bytes).getUint32(LIFETIME_AT)
  const head = { lifetimeSeconds, clientAddress: addressAt(bytes, CLIENT_ADDRESS_AT), options }
  if (kind === 'ANNOUNCE-request') return { kind, ...head }
  const { externalPort: suggestedExternalPort, externalAddress: suggestedExternalAddress, ...rest } = mappingAt(bytes)
  const data = { ...head, ...rest, suggestedExternalPort, suggestedExternalAddress }
  return kind === 'MAP-request' ? { kind, ...data } : { kind, ...data, ...peerAt(bytes) }
}

/** @throws MalformedMessageError */
export function decodePcpResponse(bytes: Uint8Array): PcpResponse {
  const [version = 0, opcodePlus = 0, , resultCode = 0] = bytes
  const isResponse = opcodePlus >= RESPONSE || isUnsupportedVersionResponse(bytes)
  if (bytes.length < 4 || !isResponse) throw malformed('a PCP response', bytes)
  const opcode = opcodePlus % RESPONSE
  if (version === NAT_PMP_VERSION) return { kind: 'other-version-response', opcode, resultCode }
  if (version !== PCP_VERSION) throw malformed('a response of PCP or NAT-PMP', bytes)
  if (!isWellFormed(bytes)) throw malformed('a PCP response of 24 to 1100 bytes, a multiple of 4', bytes)
  const view = viewOf(bytes)
  const [lifetimeSeconds, epochSeconds] = [view.getUint32(LIFETIME_AT), view.getUint32(RESPONSE_HEAD_AT.epoch)]
  const head = { resultCode, lifetimeSeconds, epochSeconds }
  const kind = RESPONSE_KINDS[opcode]
  const end = kind === undefined ? HEAD_BYTES : endOf(kind)
  if (kind === undefined || bytes.length < end) {
    if (resultCode === PCP_RESULTS.SUCCESS) throw malformed('a complete response to a known opcode', bytes)
    return { kind: 'error-response', opcode, ...head }
  }
  if (kind === 'ANNOUNCE-response') return { kind, ...head }
  // If an option cannot be read, the rest of the response still counts.
  const { options } = decodePcpOptions(bytes.subarray(end))
  const { externalPort: assignedExternalPort, externalAddress: assignedExternalAddress, ...rest } = mappingAt(bytes)
  const data = { ...head, ...rest, assignedExternalPort, assignedExternalAddress, options }
  return kind === 'MAP-response' ? { kind, ...data } : { kind, ...data, ...peerAt(bytes) }
}

/** RFC 6887 7: 24 to 1100 bytes, a multiple of four. */
function isWellFormed({ length }: Uint8Array): boolean {
  return length >= HEAD_BYTES && length <= MAX_PCP_BYTES && length % 4 === 0
}

function mappingAt(bytes: Uint8Array): Mapping & { externalPort: number; externalAddress: string } {
  const view = viewOf(bytes)
  return {
    nonce: Buffer.from(bytes.subarray(MAPPING_AT.nonce, MAPPING_AT.nonce + NONCE_BYTES)).toString('hex'),
    protocol: view.getUint8(MAPPING_AT.protocol),
    internalPort: view.getUint16(MAPPING_AT.internalPort),
    externalPort: view.getUint16(MAPPING_AT.externalPort),
    externalAddress: addressAt(bytes, MAPPING_AT.externalAddress),
  }
}

function peerAt(bytes: Uint8Array): RemotePeer {
  return {
    remotePeerPort: viewOf(bytes).getUint16(REMOTE_PEER_AT.port),
    remotePeerAddress: addressAt(bytes, REMOTE_PEER_AT.address),
  }
}

function addressAt(bytes: Uint8Array, at: number): string {
  return addressOfBytes(bytes.subarray(at, at + ADDRESS_BYTES))
}
