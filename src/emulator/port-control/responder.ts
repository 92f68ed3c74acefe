/** What the responders of PCP and NAT-PMP have in common. A request comes in, and a response goes out. */
import type { GatewayState } from '../gateway-state.js'

export interface ResponderOptions<Operation, RequestName> {
  readonly state: GatewayState
  /** Returns the result code to refuse a request with, or undefined to carry it out. */
  readonly refusalOf?: (operation: Operation) => number | undefined
  readonly onRequest?: (request: RequestName) => void
}

export interface PortControlResponder {
  /** The response to a request. @throws MalformedMessageError if the datagram must be dropped */
  answer(datagram: Uint8Array, fromAddress: string, nowMs: number): Uint8Array
  /** The response to a request of another protocol (RFC 6886 3.5, RFC 6887 9). */
  refuseVersion(datagram: Uint8Array, nowMs: number): Uint8Array
  /** The message that is sent unasked when the epoch begins (RFC 6886 3.2.1, RFC 6887 14.1.1). */
  announcement(nowMs: number): Uint8Array
  /** An announcement is repeated, because datagrams get lost. Each wait is twice as long as the one before. */
  readonly repetition: { readonly times: number; readonly firstWaitMs: number }
}

export function epochSeconds({ startedMs }: GatewayState, nowMs: number): number {
  return Math.floor((nowMs - startedMs) / 1000)
}
