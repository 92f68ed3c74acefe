/**
 * The options of PCP messages <-> bytes (RFC 6887 7.3, 13). The data is padded to a multiple of four bytes. The other
 * side must understand an option with a code below 128. The responder decides that, not this file.
 */
import { addressOfBytes, bytesOfAddress } from '../domain/address.js'
import { viewOf } from './binary.js'

/** RFC 6887 13.1 to 13.3. */
export const PCP_OPTION_CODES = { thirdParty: 1, preferFailure: 2, filter: 3 } as const
/** An option with a lower code must be understood (RFC 6887 7.3). */
export const FIRST_OPTIONAL_CODE = 128

/** RFC 6887 5: the length of an address of either family. */
export const ADDRESS_BYTES = 16

const HEAD_BYTES = 4
/** RFC 6887 7.3. */
const HEAD_AT = { code: 0, length: 2 } as const
/** RFC 6887 13.1: the data is the internal address. */
const THIRD_PARTY_BYTES = ADDRESS_BYTES
const FILTER_BYTES = 20
/** RFC 6887 13.3. */
const FILTER_AT = { prefixLength: 1, remotePort: 2, remoteAddress: 4 } as const

/** An option of a request or a response; addresses are text, IPv4 in dotted form (RFC 6887 7.3). */
export type PcpOption =
  /** RFC 6887 13.1: the mapping is for this internal address instead of the client's own. */
  | { readonly kind: 'THIRD_PARTY'; readonly internalAddress: string }
  /** RFC 6887 13.2: the server grants the suggested external port and address, or refuses: CANNOT_PROVIDE_EXTERNAL. */
  | { readonly kind: 'PREFER_FAILURE' }
  /** RFC 6887 13.3: the mapping lets in traffic only from these remote hosts and this port. */
  | {
      readonly kind: 'FILTER'
      /** 0 to 128. For IPv4 it is 96 more than usual, because the address is IPv4-mapped. 0 removes all filters. */
      readonly prefixLength: number
      /** 0 for any. */
      readonly remotePort: number
      readonly remoteAddress: string
    }
  | { readonly kind: 'unknown'; readonly code: number; readonly data: Uint8Array }

export function encodePcpOptions(options: readonly PcpOption[]): Uint8Array {
  const parts = options.map((option) => {
    const { code, data } = contentOf(option)
    const bytes = new Uint8Array(HEAD_BYTES + Math.ceil(data.length / 4) * 4)
    bytes[HEAD_AT.code] = code
    viewOf(bytes).setUint16(HEAD_AT.length, data.length)
    bytes.set(data, HEAD_BYTES)
    return bytes
  })
  return Uint8Array.from(parts.flatMap((part) => [...part]))
}

function contentOf(option: PcpOption): { code: number; data: Uint8Array } {
  switch (option.kind) {
    case 'THIRD_PARTY':
      return { code: PCP_OPTION_CODES.thirdParty, data: addressBytes(option.internalAddress) }
    case 'PREFER_FAILURE':
      return { code: PCP_OPTION_CODES.preferFailure, data: new Uint8Array() }
    case 'FILTER': {
      const data = new Uint8Array(FILTER_BYTES)
      data[FILTER_AT.prefixLength] = option.prefixLength
      viewOf(data).setUint16(FILTER_AT.remotePort, option.remotePort)
      data.set(addressBytes(option.remoteAddress), FILTER_AT.remoteAddress)
      return { code: PCP_OPTION_CODES.filter, data }
    }
    case 'unknown':
      return option
  }
}

/** A text that is not an address becomes the unspecified address. */
export function addressBytes(text: string): Uint8Array {
  return bytesOfAddress(text) ?? new Uint8Array(ADDRESS_BYTES)
}

export interface DecodedOptions {
  readonly options: readonly PcpOption[]
  /** Whether all bytes could be read. If not, `options` has those before the first option that could not be read. */
  readonly complete: boolean
}

export function decodePcpOptions(bytes: Uint8Array): DecodedOptions {
  const options: PcpOption[] = []
  const view = viewOf(bytes)
  for (let at = 0; at < bytes.length; ) {
    const dataAt = at + HEAD_BYTES
    if (dataAt > bytes.length) return { options, complete: false }
    const length = view.getUint16(at + HEAD_AT.length)
    const end = dataAt + Math.ceil(length / 4) * 4
    if (end > bytes.length) return { options, complete: false }
    const option = optionOf(view.getUint8(at + HEAD_AT.code), bytes.subarray(dataAt, dataAt + length))
    if (option === undefined) return { options, complete: false }
    options.push(option)
    at = end
  }
  return { options, complete: true }
}

/** Undefined if a known option has the wrong length or a value that it cannot have. */
function optionOf(code: number, data: Uint8Array): PcpOption | undefined {
  switch (code) {
    case PCP_OPTION_CODES.thirdParty:
      return data.length === THIRD_PARTY_BYTES
        ? { kind: 'THIRD_PARTY', internalAddress: addressOfBytes(data) }
        : undefined
    case PCP_OPTION_CODES.preferFailure:
      return data.length === 0 ? { kind: 'PREFER_FAILURE' } : undefined
    case PCP_OPTION_CODES.filter: {
      const prefixLength = data[FILTER_AT.prefixLength] ?? 0
      if (data.length !== FILTER_BYTES || prefixLength > 128) return undefined
      const remotePort = viewOf(data).getUint16(FILTER_AT.remotePort)
      const remoteAddress = addressOfBytes(data.subarray(FILTER_AT.remoteAddress))
      return { kind: 'FILTER', prefixLength, remotePort, remoteAddress }
    }
    default:
      return { kind: 'unknown', code, data: Uint8Array.from(data) }
  }
}
