/** What the emulated gateway has seen. */
import type { IgdActionName } from '../wire/igd-actions.js'

/** `other`: another version, an unknown opcode, or what cannot be read. */
export type PcpRequestName = 'ANNOUNCE' | 'MAP' | 'PEER' | 'other'
export type NatPmpRequestName = 'externalAddress' | 'map' | 'other'

export interface EmulatorCounters {
  /** Searches that were let in, answered or not. */
  searches: number
  /** Datagrams that are no messages of the protocol that they came to. */
  malformedDatagrams: number
  /** Datagrams from outside the subnet, and those over the limit per second. */
  ignoredDatagrams: number
  /** HTTP requests, whatever became of them. */
  requests: number
  /** Known actions that were asked for, refused ones included. */
  readonly actions: Partial<Record<IgdActionName, number>>
  /** Refused ones included. */
  readonly pcpRequests: Record<PcpRequestName, number>
  /** Refused ones included. */
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
