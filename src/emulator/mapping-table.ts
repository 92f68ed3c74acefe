/**
 * The port mappings of the emulated gateway: who has which port, and until when. Pure: whoever calls says what time it
 * is, in monotonic milliseconds.
 *
 * Rules (WANIPConnection:2 2.4.16 to 2.4.18): a mapping is known by its remote host, external port and protocol; its
 * own internal client overwrites it, another one gets 718; every lease ends, after a week at the latest.
 * Order is that of the first AddPortMapping: a renewal keeps its place.
 */
import type { MappingKey } from '../domain/port-mapping.js'
import { Refusal } from './refusal.js'

/** WANIPConnection:2 2.3.16: a lease of 0 means this, and more is cut to it. */
export const LONGEST_LEASE_SECONDS = 604_800

/** How many mappings the LAN can make us keep, unless told otherwise. */
export const MAX_MAPPINGS = 4096

/** A mapping that somebody asks for; port 0 means any port, lease 0 as long as possible. */
export interface WantedMapping extends MappingKey {
  readonly internalClient: string
  readonly internalPort: number
  readonly enabled: boolean
  readonly description: string
  readonly leaseSeconds: number
}

/** A mapping as it stands in the table; `leaseSeconds` is what is left of it, rounded up. */
export type TableEntry = WantedMapping

interface Row {
  readonly mapping: WantedMapping
  readonly endsMs: number
}

export class MappingTable {
  readonly #maxMappings: number
  readonly #rows = new Map<string, Row>()
  /** The rows by index; made when asked for, so that a listing costs one pass and not one per index. */
  #ordered: readonly Row[] | undefined
  /** No lease ends before this moment: until then nothing has to be looked through. */
  #quietUntilMs = Number.POSITIVE_INFINITY

  constructor(maxMappings: number = MAX_MAPPINGS) {
    this.#maxMappings = maxMappings
  }

  /** @throws Refusal 716, 732, 718, 728 */
  add(wanted: WantedMapping, nowMs: number): void {
    if (wanted.externalPort === 0) throw new Refusal(716)
    if (wanted.internalPort === 0) throw new Refusal(732)
    this.#dropEnded(nowMs)
    const present = this.#rows.get(textOf(wanted))
    if (present !== undefined && present.mapping.internalClient !== wanted.internalClient) throw new Refusal(718)
    if (present === undefined && this.#rows.size >= this.#maxMappings) throw new Refusal(728)
    this.#put(wanted, nowMs)
  }

  #put(wanted: WantedMapping, nowMs: number): void {
    const leaseSeconds = Math.min(
      wanted.leaseSeconds === 0 ? LONGEST_LEASE_SECONDS : wanted.leaseSeconds,
      LONGEST_LEASE_SECONDS,
    )
    const endsMs = nowMs + leaseSeconds * 1000
    this.#rows.set(textOf(wanted), { mapping: wanted, endsMs })
    this.#ordered = undefined
    this.#quietUntilMs = Math.min(this.#quietUntilMs, endsMs)
  }

  /** @throws Refusal 714 */
  get(key: MappingKey, nowMs: number): TableEntry {
    this.#dropEnded(nowMs)
    return entryOf(this.#rows.get(textOf(key)), 714, nowMs)
  }

  /** @throws Refusal 713 */
  at(index: number, nowMs: number): TableEntry {
    return entryOf(this.#inOrder(nowMs)[index], 713, nowMs)
  }

  /** @throws Refusal 714 */
  delete(key: MappingKey, nowMs: number): void {
    this.#dropEnded(nowMs)
    if (!this.#rows.delete(textOf(key))) throw new Refusal(714)
    this.#ordered = undefined
  }

  list(nowMs: number): TableEntry[] {
    return this.#inOrder(nowMs).map((row) => entryOf(row, 713, nowMs))
  }

  #inOrder(nowMs: number): readonly Row[] {
    this.#dropEnded(nowMs)
    this.#ordered ??= [...this.#rows.values()]
    return this.#ordered
  }

  #dropEnded(nowMs: number): void {
    if (nowMs < this.#quietUntilMs) return
    this.#quietUntilMs = Number.POSITIVE_INFINITY
    for (const [key, { endsMs }] of this.#rows) {
      if (endsMs <= nowMs) this.#rows.delete(key)
      else this.#quietUntilMs = Math.min(this.#quietUntilMs, endsMs)
    }
    this.#ordered = undefined
  }
}

function textOf(key: MappingKey): string {
  return `${key.protocol} ${key.externalPort} ${key.remoteHost}`
}

function entryOf(row: Row | undefined, errorCodeIfNone: number, nowMs: number): TableEntry {
  if (row === undefined) throw new Refusal(errorCodeIfNone)
  return { ...row.mapping, leaseSeconds: Math.ceil((row.endsMs - nowMs) / 1000) }
}
