/**
 * Whether PCP or NAT-PMP is spoken by a gateway: both are asked at the same moment, PCP with ANNOUNCE (RFC 6887 14.1),
 * NAT-PMP for the external address (RFC 6886 3.2), which is then known, too. A gateway of one protocol answers the other
 * with its version (RFC 6887 9); that is a no to this one, and the other has been asked already.
 */
import { splitZone } from '../../domain/address.js'
import { type PortMappingError, RefusedError } from '../../domain/errors.js'
import type { Endpoint } from '../../net/datagrams.js'
import { decodeNatPmpResponse, encodeNatPmpRequest, NAT_PMP_RESULTS, natPmpResultName } from '../../wire/natpmp.js'
import { decodePcpResponse, encodePcpRequest, PCP_OPCODES, PCP_VERSION, type PcpResponse } from '../../wire/pcp.js'
import { PCP_RESULTS, pcpResultName } from '../../wire/pcp-result-codes.js'
import { type ExchangeNet, exchange } from './exchange.js'
import { natPmpWaits, pcpWaits } from './retransmission.js'

export type PortControlProtocol = 'pcp' | 'nat-pmp'

/** A gateway that speaks it. */
export interface PortControlAnswer {
  readonly protocol: PortControlProtocol
  readonly endpoint: Endpoint
  readonly localAddress: string
  readonly epochSeconds: number
  /** NAT-PMP tells it. */
  readonly externalAddress: string | undefined
}

export interface PortControlRefusal {
  readonly protocol: PortControlProtocol
  readonly endpoint: Endpoint
  /** Why not: refused, another version, nothing there, no answer. */
  readonly error: PortMappingError
}

export interface ProbeOptions {
  readonly net: ExchangeNet
  readonly endpoint: Endpoint
  readonly localAddress?: string | undefined
  readonly timeoutMs: number
  readonly random?: () => number
  readonly onSent?: () => void
}

/** @throws PortMappingError: it is not spoken there, or this computer may not use it */
export function probePcp({
  net,
  endpoint,
  localAddress,
  timeoutMs,
  random,
  onSent,
}: ProbeOptions): Promise<PortControlAnswer> {
  const action = 'ANNOUNCE'
  return exchange(net, {
    remote: endpoint,
    localAddress,
    action,
    encode(local) {
      const clientAddress = splitZone(local).address
      return encodePcpRequest({ kind: 'ANNOUNCE-request', lifetimeSeconds: 0, clientAddress, options: [] })
    },
    accept(datagram, local) {
      const epochSeconds = epochOf(decodePcpResponse(datagram), action)
      if (epochSeconds === undefined) return undefined
      return { protocol: 'pcp', endpoint, localAddress: local, epochSeconds, externalAddress: undefined }
    },
    waits: pcpWaits(random),
    timeoutMs,
    onSent,
  })
}

/** Not to speak ANNOUNCE is no reason not to speak MAP. */
const SPEAKS_PCP: ReadonlySet<number> = new Set([
  PCP_RESULTS.SUCCESS,
  PCP_RESULTS.UNSUPP_OPCODE,
  PCP_RESULTS.MALFORMED_REQUEST,
])

/** Undefined where it is not the response to ANNOUNCE. @throws RefusedError */
function epochOf(response: PcpResponse, action: string): number | undefined {
  const isFitting =
    response.kind === 'ANNOUNCE-response' || ('opcode' in response && response.opcode === PCP_OPCODES.ANNOUNCE)
  if (!isFitting) return undefined
  const { resultCode: number } = response
  if (response.kind === 'other-version-response') {
    const standardName = `${pcpResultName(PCP_RESULTS.UNSUPP_VERSION)}: it speaks version ${response.version}, not ${PCP_VERSION}`
    throw new RefusedError({ protocol: 'pcp', action, number: PCP_RESULTS.UNSUPP_VERSION, standardName })
  }
  if (SPEAKS_PCP.has(number)) return response.epochSeconds
  throw new RefusedError({ protocol: 'pcp', action, number, standardName: pcpResultName(number) })
}

/** @throws PortMappingError */
export function probeNatPmp({
  net,
  endpoint,
  localAddress,
  timeoutMs,
  onSent,
}: ProbeOptions): Promise<PortControlAnswer> {
  return exchange(net, {
    remote: endpoint,
    localAddress,
    action: EXTERNAL_ADDRESS_REQUEST,
    encode: () => encodeNatPmpRequest({ kind: 'external-address-request' }),
    accept(datagram, local) {
      if (isOfPcp(datagram)) throw refusedNatPmp(NAT_PMP_RESULTS.unsupportedVersion)
      const response = decodeNatPmpResponse(datagram)
      const common = {
        protocol: 'nat-pmp',
        endpoint,
        localAddress: local,
        epochSeconds: response.epochSeconds,
      } as const
      if (response.kind === 'external-address-response') return { ...common, externalAddress: response.externalAddress }
      if (response.kind !== 'error-response' || response.opcode !== 0) return undefined
      if (SPEAKS_NO_NAT_PMP.has(response.resultCode)) throw refusedNatPmp(response.resultCode)
      return { ...common, externalAddress: undefined }
    },
    waits: natPmpWaits(),
    timeoutMs,
    onSent,
  })
}

const EXTERNAL_ADDRESS_REQUEST = 'external address request'

/** A gateway that cannot tell its address now, or does not know that opcode, may map ports all the same. */
const SPEAKS_NO_NAT_PMP: ReadonlySet<number> = new Set([
  NAT_PMP_RESULTS.unsupportedVersion,
  NAT_PMP_RESULTS.notAuthorized,
])

/** How a PCP server answers what is not of its version (RFC 6887 9). */
function isOfPcp([version, opcode = 0, , resultCode]: Uint8Array): boolean {
  return version === PCP_VERSION && opcode >= 0x80 && resultCode === PCP_RESULTS.UNSUPP_VERSION
}

function refusedNatPmp(number: number): RefusedError {
  const standardName = natPmpResultName(number)
  return new RefusedError({ protocol: 'nat-pmp', action: EXTERNAL_ADDRESS_REQUEST, number, standardName })
}
