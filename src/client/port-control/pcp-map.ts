/** The MAP request of PCP: one exchange. (RFC 6887 11) */
import { isSameAddress, splitZone } from '../../domain/address.js'
import { RefusedError } from '../../domain/errors.js'
import { decodePcpResponse, encodePcpRequest, PCP_OPCODES, type PcpResponse } from '../../wire/pcp.js'
import type { PcpOption } from '../../wire/pcp-options.js'
import { PCP_RESULTS, pcpResultName } from '../../wire/pcp-result-codes.js'
import { exchange } from './exchange.js'
import { EXCHANGE_TIMEOUT_MS, type PortControlOptions } from './gateway-base.js'
import { pcpWaits } from './retransmission.js'

/** Its name, for messages. */
export const MAP = 'MAP'

/** What MAP is asked with. */
export interface MapAsked {
  readonly protocol: number
  readonly internalAddress: string
  readonly internalPort: number
  readonly suggestedExternalPort: number
  readonly suggestedExternalAddress: string
  /** 0 deletes. */
  readonly lifetimeSeconds: number
  readonly options: readonly PcpOption[]
}

export type MapGranted = Extract<PcpResponse, { readonly kind: 'MAP-response' }>

/** @throws RefusedError, NoReplyError, TransportError */
export async function askMap(options: PortControlOptions, asked: MapAsked): Promise<MapGranted> {
  const { net, endpoint, nonces, random, ownAddresses, localAddress } = options
  const { internalAddress: inside, ...data } = asked
  const { address: internalAddress } = splitZone(inside)
  const gateway = endpoint.address
  const nonce = await nonces({ gateway, internalAddress, protocol: data.protocol, internalPort: data.internalPort })
  // Asked from the very address that it is for, if that is ours: the server looks at the source (RFC 6887 8.1).
  const own = [localAddress, ...ownAddresses()].find((each) => isSameAddress(splitZone(each).address, internalAddress))
  const thirdParty: PcpOption[] = own === undefined ? [{ kind: 'THIRD_PARTY', internalAddress }] : []
  return exchange(net, {
    remote: endpoint,
    localAddress: own ?? localAddress,
    action: MAP,
    encode(local) {
      const [clientAddress, all] = [splitZone(local).address, [...thirdParty, ...data.options]]
      return encodePcpRequest({ kind: 'MAP-request', ...data, nonce, clientAddress, options: all })
    },
    accept: (datagram) => mapResponseTo({ ...data, nonce }, decodePcpResponse(datagram)),
    waits: pcpWaits(random),
    timeoutMs: EXCHANGE_TIMEOUT_MS,
  })
}

/** Undefined where it is not the response to that request (RFC 6887 8.3, 11.4). @throws RefusedError */
function mapResponseTo(
  { nonce, protocol, internalPort }: Pick<MapAsked, 'protocol' | 'internalPort'> & { readonly nonce: string },
  response: PcpResponse,
): MapGranted | undefined {
  if (response.kind === 'MAP-response') {
    if (response.nonce !== nonce || response.protocol !== protocol || response.internalPort !== internalPort)
      return undefined
    if (response.resultCode === PCP_RESULTS.SUCCESS) return response
    throw refused(MAP, response.resultCode)
  }
  if (response.kind === 'error-response' && response.opcode === PCP_OPCODES.MAP) throw refused(MAP, response.resultCode)
  // With whatever opcode: gateways of NAT-PMP put 0 there.
  if (response.kind === 'other-version-response') throw refused(MAP, PCP_RESULTS.UNSUPP_VERSION)
  return undefined
}

export function refused(action: string, resultCode: number): RefusedError {
  return new RefusedError({ protocol: 'pcp', action, number: resultCode, standardName: pcpResultName(resultCode) })
}

/** RFC 6887 13.3: that one host. */
export function filterFor(remoteAddress: string, remotePort: number): PcpOption {
  return { kind: 'FILTER', prefixLength: 128, remotePort, remoteAddress }
}
