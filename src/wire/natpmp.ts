/**
 * NAT-PMP: messages <-> bytes (RFC 6886 3). Any bytes decode either to a message or to a MalformedMessageError. Without
 * a transaction id, only opcode and internal port show which request a response is for.
 */
import { parseIPv4 } from '../domain/address.js'
import type { TransportProtocol } from '../domain/port-mapping.js'
import { malformed, message, viewOf, writeUint32 } from './binary.js'

/** RFC 6886 3.2.1: the group of all hosts on the link. */
export const NAT_PMP_ANNOUNCEMENT_GROUP = '224.0.0.1'

/** RFC 6886 3.2. Version 1 does not exist; 2 is PCP. */
export const NAT_PMP_VERSION = 0

/** RFC 6886 3.5. */
export const NAT_PMP_RESULTS = {
  success: 0,
  unsupportedVersion: 1,
  notAuthorized: 2,
  networkFailure: 3,
  outOfResources: 4,
  unsupportedOpcode: 5,
} as const

/** The index is the result code. */
const RESULT_NAMES: readonly string[] = [
  'Success',
  'Unsupported Version',
  'Not Authorized/Refused',
  'Network Failure',
  'Out of resources',
  'Unsupported opcode',
]

/** In the words of RFC 6886 3.5, or `unknown result code`. */
export function natPmpResultName(result: number): string {
  return RESULT_NAMES[result] ?? 'unknown result code'
}

/** RFC 6886 3.3: the recommended lifetime of a mapping. */
export const RECOMMENDED_LIFETIME_SECONDS = 7200

const OPCODE_EXTERNAL_ADDRESS = 0
const OPCODES: Readonly<Record<TransportProtocol, number>> = { UDP: 1, TCP: 2 }
const RESPONSE = 128

const EXTERNAL_ADDRESS_REQUEST_BYTES = 2
const MAP_REQUEST_BYTES = 12
const ERROR_RESPONSE_BYTES = 8
const EXTERNAL_ADDRESS_RESPONSE_BYTES = 12
const MAP_RESPONSE_BYTES = 16

/** RFC 6886 3.2, 3.3 and 3.5: the first fields of every response. */
const RESULT_CODE_AT = 2
const EPOCH_AT = 4
/** RFC 6886 3.2: where the address begins in the response to an external address request. It is the last field. */
const EXTERNAL_ADDRESS_AT = 8
/** RFC 6886 3.3. */
const MAP_REQUEST_AT = { internalPort: 4, suggestedExternalPort: 6, lifetime: 8 } as const
const MAP_RESPONSE_AT = { internalPort: 8, mappedExternalPort: 10, lifetime: 12 } as const

/** RFC 6886 3.2, 3.3. */
export type NatPmpRequest =
  | { readonly kind: 'external-address-request' }
  | {
      readonly kind: 'map-request'
      readonly protocol: TransportProtocol
      /** 0, together with a lifetime of 0, means all mappings to the client of this protocol (RFC 6886 3.4). */
      readonly internalPort: number
      /** 0 for any. */
      readonly suggestedExternalPort: number
      /** 0 deletes the mapping. */
      readonly lifetimeSeconds: number
    }

/** A request with another version or an unknown opcode. The answer is the error for that (RFC 6886 3.5). */
export interface UnsupportedNatPmpRequest {
  readonly kind: 'unsupported-request'
  readonly version: number
  readonly opcode: number
}

interface WithEpoch {
  /** Seconds Since Start of Epoch (RFC 6886 3.6). */
  readonly epochSeconds: number
}

/** The first two mean success. */
export type NatPmpResponse =
  | ({ readonly kind: 'external-address-response'; readonly externalAddress: string } & WithEpoch)
  | ({
      readonly kind: 'map-response'
      readonly protocol: TransportProtocol
      readonly internalPort: number
      readonly mappedExternalPort: number
      readonly lifetimeSeconds: number
    } & WithEpoch)
  | ({
      readonly kind: 'error-response'
      /** The opcode of the request. */
      readonly opcode: number
      readonly resultCode: number
      /** Undefined if the response has the short form, or is not about a mapping. */
      readonly internalPort: number | undefined
    } & WithEpoch)

/** The opcode of a request. It shows whether an error response is for that request. */
export function natPmpOpcode(request: NatPmpRequest): number {
  return request.kind === 'map-request' ? OPCODES[request.protocol] : OPCODE_EXTERNAL_ADDRESS
}

/** Two or twelve bytes (RFC 6886 3.2, 3.3). */
export function encodeNatPmpRequest(request: NatPmpRequest): Uint8Array {
  if (request.kind === 'external-address-request') return Uint8Array.of(NAT_PMP_VERSION, OPCODE_EXTERNAL_ADDRESS)
  const { bytes, view } = message(NAT_PMP_VERSION, natPmpOpcode(request), MAP_REQUEST_BYTES)
  view.setUint16(MAP_REQUEST_AT.internalPort, request.internalPort)
  view.setUint16(MAP_REQUEST_AT.suggestedExternalPort, request.suggestedExternalPort)
  writeUint32(view, MAP_REQUEST_AT.lifetime, request.lifetimeSeconds)
  return bytes
}

/** What a gateway answers (RFC 6886 3.2, 3.3, 3.5). */
export function encodeNatPmpResponse(response: NatPmpResponse): Uint8Array {
  switch (response.kind) {
    case 'external-address-response': {
      const { bytes, view } = responseMessage(EXTERNAL_ADDRESS_RESPONSE_BYTES, OPCODE_EXTERNAL_ADDRESS, response)
      view.setUint32(EXTERNAL_ADDRESS_AT, parseIPv4(response.externalAddress) ?? 0)
      return bytes
    }
    case 'map-response': {
      const { bytes, view } = responseMessage(MAP_RESPONSE_BYTES, OPCODES[response.protocol], response)
      view.setUint16(MAP_RESPONSE_AT.internalPort, response.internalPort)
      view.setUint16(MAP_RESPONSE_AT.mappedExternalPort, response.mappedExternalPort)
      writeUint32(view, MAP_RESPONSE_AT.lifetime, response.lifetimeSeconds)
      return bytes
    }
    case 'error-response': {
      const { opcode, internalPort, resultCode } = response
      const length = internalPort === undefined ? ERROR_RESPONSE_BYTES : MAP_RESPONSE_BYTES
      const { bytes, view } = responseMessage(length, opcode, response)
      view.setUint16(RESULT_CODE_AT, resultCode)
      if (internalPort !== undefined) view.setUint16(MAP_RESPONSE_AT.internalPort, internalPort)
      return bytes
    }
  }
}

function responseMessage(length: number, opcode: number, { epochSeconds }: WithEpoch) {
  const { bytes, view } = message(NAT_PMP_VERSION, opcode + RESPONSE, length)
  writeUint32(view, EPOCH_AT, epochSeconds)
  return { bytes, view }
}

/** @throws MalformedMessageError */
export function decodeNatPmpRequest(bytes: Uint8Array): NatPmpRequest | UnsupportedNatPmpRequest {
  if (bytes.length < EXTERNAL_ADDRESS_REQUEST_BYTES) throw malformed('a NAT-PMP request of 2 bytes or more', bytes)
  const [version = 0, opcode = 0] = bytes
  if (opcode >= RESPONSE) throw malformed('a NAT-PMP request, not a response', bytes)
  if (version !== NAT_PMP_VERSION) return { kind: 'unsupported-request', version, opcode }
  if (opcode === OPCODE_EXTERNAL_ADDRESS) {
    if (bytes.length !== EXTERNAL_ADDRESS_REQUEST_BYTES)
      throw malformed('an external address request of 2 bytes', bytes)
    return { kind: 'external-address-request' }
  }
  const protocol = protocolOf(opcode)
  if (protocol === undefined) return { kind: 'unsupported-request', version, opcode }
  if (bytes.length !== MAP_REQUEST_BYTES) throw malformed(`a mapping request of ${MAP_REQUEST_BYTES} bytes`, bytes)
  const view = viewOf(bytes)
  return {
    kind: 'map-request',
    protocol,
    internalPort: view.getUint16(MAP_REQUEST_AT.internalPort),
    suggestedExternalPort: view.getUint16(MAP_REQUEST_AT.suggestedExternalPort),
    lifetimeSeconds: view.getUint32(MAP_REQUEST_AT.lifetime),
  }
}

/** An error response may be 8 bytes long (RFC 6886 3.5). Some gateways pad messages. @throws MalformedMessageError */
export function decodeNatPmpResponse(bytes: Uint8Array): NatPmpResponse {
  const [version, opcodePlus = 0] = bytes
  const isResponse = opcodePlus >= RESPONSE || isUnsupportedVersionResponse(bytes)
  if (bytes.length < ERROR_RESPONSE_BYTES || version !== NAT_PMP_VERSION || !isResponse) {
    throw malformed('a NAT-PMP response of 8 bytes or more', bytes)
  }
  const opcode = opcodePlus % RESPONSE
  const view = viewOf(bytes)
  const protocol = protocolOf(opcode)
  const [resultCode, epochSeconds] = [view.getUint16(RESULT_CODE_AT), view.getUint32(EPOCH_AT)]
  if (resultCode !== NAT_PMP_RESULTS.success) {
    const isAboutMapping = protocol !== undefined && bytes.length >= MAP_RESPONSE_BYTES
    const internalPort = isAboutMapping ? view.getUint16(MAP_RESPONSE_AT.internalPort) : undefined
    return { kind: 'error-response', opcode, resultCode, epochSeconds, internalPort }
  }
  if (opcode === OPCODE_EXTERNAL_ADDRESS) {
    if (bytes.length < EXTERNAL_ADDRESS_RESPONSE_BYTES)
      throw malformed('an external address response of 12 bytes', bytes)
    const externalAddress = bytes.subarray(EXTERNAL_ADDRESS_AT, EXTERNAL_ADDRESS_RESPONSE_BYTES).join('.')
    return { kind: 'external-address-response', epochSeconds, externalAddress }
  }
  if (protocol === undefined) throw malformed('a response to a known opcode', bytes)
  if (bytes.length < MAP_RESPONSE_BYTES) throw malformed('a mapping response of 16 bytes', bytes)
  return {
    kind: 'map-response',
    protocol,
    epochSeconds,
    internalPort: view.getUint16(MAP_RESPONSE_AT.internalPort),
    mappedExternalPort: view.getUint16(MAP_RESPONSE_AT.mappedExternalPort),
    lifetimeSeconds: view.getUint32(MAP_RESPONSE_AT.lifetime),
  }
}

/** RFC 6886 3.5 prints opcode 0 in this answer, without the 128 of a response. Most gateways add the 128. */
export function isUnsupportedVersionResponse(bytes: Uint8Array): boolean {
  const head = [NAT_PMP_VERSION, OPCODE_EXTERNAL_ADDRESS, 0, NAT_PMP_RESULTS.unsupportedVersion]
  return bytes.length >= ERROR_RESPONSE_BYTES && head.every((byte, at) => bytes[at] === byte)
}

function protocolOf(opcode: number): TransportProtocol | undefined {
  if (opcode === OPCODES.UDP) return 'UDP'
  return opcode === OPCODES.TCP ? 'TCP' : undefined
}
