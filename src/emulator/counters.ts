/** What the emulated gateway has seen. */
import type { IgdActionName } from '../wire/igd-actions.js'

export interface EmulatorCounters {
  /** Searches that were let in, answered or not. */
  searches: number
  /** Datagrams that are no SSDP messages. */
  malformedDatagrams: number
  /** Datagrams from outside the subnet, and searches over the limit per second. */
  ignoredDatagrams: number
  /** HTTP requests, whatever became of them. */
  requests: number
  /** Known actions that were asked for, refused ones included. */
  readonly actions: Partial<Record<IgdActionName, number>>
}

export function createCounters(): EmulatorCounters {
  return { searches: 0, malformedDatagrams: 0, ignoredDatagrams: 0, requests: 0, actions: {} }
}
