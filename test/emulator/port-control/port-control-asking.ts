/** How tests call the emulated gateway over PCP and NAT-PMP: through the codecs, without sockets. */

import type { GatewayState } from '../../../src/emulator/gateway-state.ts'
import { createNatPmpResponder } from '../../../src/emulator/port-control/natpmp-responder.ts'
import { createPcpResponder } from '../../../src/emulator/port-control/pcp-responder.ts'
import { decodeNatPmpResponse, encodeNatPmpRequest, type NatPmpResponse } from '../../../src/wire/natpmp.ts'
import { decodePcpResponse, encodePcpRequest, type PcpRequest, type PcpResponse } from '../../../src/wire/pcp.ts'
import type { PcpOption } from '../../../src/wire/pcp-options.ts'

export const CLIENT = '192.168.1.5'
export const OTHER = '192.168.1.6'
export const NONCE = 'aa'.repeat(12)
export const OTHER_NONCE = 'bb'.repeat(12)

type MapRequest = Extract<PcpRequest, { kind: 'MAP-request' }>
type MapResponse = Extract<PcpResponse, { kind: 'MAP-response' }>

/** Maps TCP 8080 to port 80 of `from` for an hour. The request is from there too. */
export interface PcpMap extends Partial<Omit<MapRequest, 'kind'>> {
  readonly from?: string
  readonly nowMs?: number
}

export function mapRequest({ from = CLIENT, nowMs: _, ...changes }: PcpMap = {}): MapRequest {
  return {
    kind: 'MAP-request',
    lifetimeSeconds: 3600,
    clientAddress: from,
    nonce: NONCE,
    protocol: 6,
    internalPort: 80,
    suggestedExternalPort: 8080,
    suggestedExternalAddress: '0.0.0.0',
    options: [],
    ...changes,
  }
}

/** The whole response of a MAP. */
export function pcpMap(state: GatewayState, asked: PcpMap = {}): MapResponse {
  const { from = CLIENT, nowMs = 0 } = asked
  const answer = createPcpResponder({ state }).answer(encodePcpRequest(mapRequest(asked)), from, nowMs)
  const response = decodePcpResponse(answer)
  if (response.kind !== 'MAP-response') throw new Error(`not a MAP response: ${response.kind}`)
  return response
}

/** The result code alone. */
export function pcpResult(state: GatewayState, asked: PcpMap = {}): number {
  return pcpMap(state, asked).resultCode
}

export function withOptions(...options: PcpOption[]): Pick<PcpMap, 'options'> {
  return { options }
}

/** Maps UDP 5000 for an hour, and suggests the same external port. */
export interface NatPmpMap {
  readonly from?: string
  readonly nowMs?: number
  readonly protocol?: 'TCP' | 'UDP'
  readonly internalPort?: number
  readonly suggestedExternalPort?: number
  readonly lifetimeSeconds?: number
}

export function natPmpMap(state: GatewayState, { from = CLIENT, nowMs = 0, ...asked }: NatPmpMap = {}): NatPmpResponse {
  const request = encodeNatPmpRequest({
    kind: 'map-request',
    protocol: 'UDP',
    internalPort: 5000,
    suggestedExternalPort: 5000,
    lifetimeSeconds: 3600,
    ...asked,
  })
  return decodeNatPmpResponse(createNatPmpResponder({ state }).answer(request, from, nowMs))
}

/** The external port, or minus the result code. */
export function natPmpPort(state: GatewayState, asked: NatPmpMap = {}): number {
  const response = natPmpMap(state, asked)
  if (response.kind === 'error-response') return -response.resultCode
  return response.kind === 'map-response' ? response.mappedExternalPort : Number.NaN
}
