/** The counters of the emulated gateway: what other programs have sent it. */
import type { IgdActionName } from '../wire/igd-actions.js'

/** The opcodes of RFC 6887 19.1. `other` is another version, an unknown opcode, or a request that cannot be read. */
export type PcpRequestName = 'ANNOUNCE' | 'MAP' | 'PEER' | 'other'
/** The requests of RFC 6886 3.2 and 3.3. `other` is another version or an unknown opcode. */
export type NatPmpRequestName = 'externalAddress' | 'map' | 'other'

export interface EmulatorCounters {
  /** SSDP searches from the gateway's subnet and within the limit per second, whether answered or not. */
  searches: number
  /** Datagrams that are not messages of SSDP, PCP or NAT-PMP, whichever port they came to. */
  malformedDatagrams: number
  /** Datagrams from outside the gateway's subnet, and datagrams above the limit per second. */
  ignoredDatagrams: number
  /** HTTP requests, whatever the answer. */
  requests: number
  /** Requests for each action that the gateway has, refused ones included. */
  readonly actions: Partial<Record<IgdActionName, number>>
  /** PCP requests, refused ones included. */
  readonly pcpRequests: Record<PcpRequestName, number>
  /** NAT-PMP requests, refused ones included. */
  readonly natPmpRequests: Record<NatPmpRequestName, number>
}

export function createCounters(): EmulatorCounters {
  return {
    searches: 0,
    malformedDatagrams: 0,
    ignoredDatagrams: 0,
    requests: 0,
    actions: {},
    pcpRequests: { ANNOUNCE: 0, MAP: 0, PEER: 0, other: 0 },
    natPmpRequests: { externalAddress: 0, map: 0, other: 0 },
  }
}
