/**
 * PCP and NAT-PMP share a port, and the first byte of a request tells them apart (RFC 6887 9, RFC 6886 3.5). Where the
 * gateway speaks only one of them, that one says to the other's requests that the version is not supported.
 */
import { MalformedMessageError } from '../../domain/errors.js'
import { NAT_PMP_VERSION } from '../../wire/natpmp.js'
import type { NatPmpResponder } from './natpmp-responder.js'
import type { PcpResponder } from './pcp-responder.js'

/** At least one of them; PCP alone over IPv6, where there is no NAT-PMP. */
export interface PortControlResponders {
  readonly pcp: PcpResponder | undefined
  readonly natPmp: NatPmpResponder | undefined
}

/** @throws MalformedMessageError for what is to be dropped */
export function answerPortControl(
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

/** The bit of a response, of either protocol. */
const RESPONSE = 0x80
