/**
 * The PCP side of the emulated gateway (RFC 6887 8.2, 14), without sockets and clock. PEER is not supported: it is
 * about mappings that outgoing traffic makes, and the emulated gateway carries no traffic.
 */
import { isSameAddress, splitZone } from '../../domain/address.js'
import {
  type BadPcpRequest,
  decodePcpRequest,
  encodePcpErrorResponse,
  encodePcpResponse,
  type PcpRequest,
} from '../../wire/pcp.js'
import { FIRST_OPTIONAL_CODE } from '../../wire/pcp-options.js'
import { PCP_RESULTS } from '../../wire/pcp-result-codes.js'
import type { GatewayState, PcpRequestName } from '../gateway-state.js'
import { PcpRefusal, performMap } from './pcp-mapping.js'
import { epochSeconds, type PortControlResponder, type ResponderOptions } from './responder.js'

/** The opcodes that the gateway carries out (RFC 6887 19.1). */
export type PcpOperation = Exclude<PcpRequestName, 'PEER' | 'other'>

export type PcpResponderOptions = ResponderOptions<PcpOperation, PcpRequestName>

type Response = Parameters<typeof encodePcpResponse>[0]

const NAMES = {
  'ANNOUNCE-request': 'ANNOUNCE',
  'MAP-request': 'MAP',
  'PEER-request': 'PEER',
  'bad-request': 'other',
} as const

export function createPcpResponder({ state, refusalOf, onRequest }: PcpResponderOptions): PortControlResponder {
  const refuse = (datagram: Uint8Array, refusal: PcpRefusal, nowMs: number): Uint8Array => {
    const { resultCode, lifetimeSeconds } = refusal
    return encodePcpErrorResponse(datagram, { resultCode, lifetimeSeconds, epochSeconds: epochSeconds(state, nowMs) })
  }
  return {
    answer(datagram, fromAddress, nowMs) {
      const request = decodePcpRequest(datagram)
      onRequest?.(NAMES[request.kind])
      try {
        const known = accepted(request)
        const resultCode = refusalOf?.(NAMES[known.kind])
        if (resultCode !== undefined) throw new PcpRefusal(resultCode)
        return encodePcpResponse(perform(known, state, fromAddress, nowMs))
      } catch (error) {
        if (!(error instanceof PcpRefusal)) throw error
        return refuse(datagram, error, nowMs)
      }
    },
    refuseVersion: (datagram, nowMs) => refuse(datagram, new PcpRefusal(PCP_RESULTS.UNSUPP_VERSION), nowMs),
    announcement: (nowMs) => encodePcpResponse(announceResponse(state, nowMs)),
    repetition: { times: 3, firstWaitMs: 500 }, // RFC 6887 14.1 requires no particular number
  }
}

type Known = Exclude<PcpRequest, { kind: 'PEER-request' }>

/** @throws PcpRefusal */
function accepted(request: PcpRequest | BadPcpRequest): Known {
  if (request.kind === 'bad-request') throw new PcpRefusal(request.resultCode)
  if (request.kind === 'PEER-request') throw new PcpRefusal(PCP_RESULTS.UNSUPP_OPCODE)
  return request
}

/** @throws PcpRefusal */
function perform(request: Known, state: GatewayState, fromAddress: string, nowMs: number): Response {
  // RFC 6887 8.2: a different address means that there is a NAT in between. THIRD_PARTY makes no exception.
  if (!isSameAddress(request.clientAddress, splitZone(fromAddress).address)) {
    throw new PcpRefusal(PCP_RESULTS.ADDRESS_MISMATCH)
  }
  if (request.kind === 'MAP-request') {
    const made = performMap(request, state, nowMs)
    return { kind: 'MAP-response', resultCode: PCP_RESULTS.SUCCESS, epochSeconds: epochSeconds(state, nowMs), ...made }
  }
  // RFC 6887 7.3: ANNOUNCE can have only optional options (19.4).
  const isOptional = (option: Known['options'][number]): boolean =>
    option.kind === 'unknown' && option.code >= FIRST_OPTIONAL_CODE
  if (!request.options.every(isOptional)) throw new PcpRefusal(PCP_RESULTS.UNSUPP_OPTION)
  return announceResponse(state, nowMs)
}

function announceResponse(state: GatewayState, nowMs: number): Response {
  const head = { resultCode: PCP_RESULTS.SUCCESS, lifetimeSeconds: 0, epochSeconds: epochSeconds(state, nowMs) }
  return { kind: 'ANNOUNCE-response', ...head }
}
