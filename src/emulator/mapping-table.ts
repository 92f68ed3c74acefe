/**
 * The port mappings of the emulated gateway: who has which port, and until when. Pure: whoever calls says what time it
 * is, in monotonic milliseconds.
 *
 * Rules (WANIPConnection:2 2.5.16 to 2.5.21): a mapping is known by its remote host, external port and protocol; its
 * own internal client overwrites it, another one gets 718, or another port where any will do; every lease ends, after a
 * week at the latest. Order is that of the first AddPortMapping: a renewal keeps its place.
 */
import type { GatewayProtocol, MappingKey, TransportProtocol } from '../domain/port-mapping.js'
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
  /** An IGD's where it is not given. */
  readonly madeBy?: GatewayProtocol
  /** The mapping nonce (RFC 6887 11.1) of one that PCP made. */
  readonly nonce?: string
}

/** A mapping as it stands in the table; `leaseSeconds` is what is left of it, rounded up. */
export type TableEntry = WantedMapping

/** The mappings of a protocol on the external ports from one to another, both included. */
export interface MappingRange {
  readonly startPort: number
  readonly endPort: number
  readonly protocol: TransportProtocol
  /** Undefined for those of every internal client. */
  readonly internalClient: string | undefined
}

/** Below it are the well-known ports (RFC 6335 6), which nobody gets who has not asked for them. */
const FIRST_PORT_TO_GIVE = 1024

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
    checkPorts(wanted)
    this.#dropEnded(nowMs)
    const present = this.#rows.get(textOf(wanted))
    if (present !== undefined && present.mapping.internalClient !== wanted.internalClient) throw new Refusal(718)
    if (present === undefined && this.#rows.size >= this.#maxMappings) throw new Refusal(728)
    this.#put(wanted, nowMs)
  }

  /**
   * The external port that it was: the one asked for, where it is free or this client's; otherwise the next one up,
   * from 1024 again after 65535. Whoever asks the same again gets the same port again: some gateways fill up with
   * duplicates instead (miniupnpd of OpenWrt 24.10, openwrt#18011).
   * @throws Refusal 716, 732, 728
   */
  addAny(wanted: WantedMapping, nowMs: number): number {
    checkPorts(wanted)
    this.#dropEnded(nowMs)
    const externalPort = this.#portFor(wanted)
    this.#put({ ...wanted, externalPort }, nowMs)
    return externalPort
  }

  #portFor(wanted: WantedMapping): number {
    for (const externalPort of portsToTry(wanted.externalPort)) {
      const present = this.#rows.get(textOf({ ...wanted, externalPort }))?.mapping
      if (present === undefined) {
        if (this.#rows.size >= this.#maxMappings) break
        return externalPort
      }
      if (present.internalClient !== wanted.internalClient) continue
      if (externalPort === wanted.externalPort || present.internalPort === wanted.internalPort) return externalPort
    }
    throw new Refusal(728)
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

  /** Those that the test is true of, with what is left of their lease. */
  where(test: (mapping: WantedMapping) => boolean, nowMs: number): TableEntry[] {
    return this.#inOrder(nowMs).flatMap((row) => (test(row.mapping) ? [entryOf(row, 713, nowMs)] : []))
  }

  clear(): void {
    this.#rows.clear()
    this.#ordered = undefined
  }

  /** @throws Refusal 730 */
  within(range: MappingRange, nowMs: number): TableEntry[] {
    return this.#rowsWithin(range, nowMs).map((row) => entryOf(row, 730, nowMs))
  }

  /** All of them at once (WANIPConnection:2 2.5.19.2). @throws Refusal 730 */
  deleteWithin(range: MappingRange, nowMs: number): void {
    for (const { mapping } of this.#rowsWithin(range, nowMs)) this.#rows.delete(textOf(mapping))
    this.#ordered = undefined
  }

  #rowsWithin({ startPort, endPort, protocol, internalClient }: MappingRange, nowMs: number): readonly Row[] {
    const rows = this.#inOrder(nowMs).filter(
      ({ mapping }) =>
        mapping.protocol === protocol &&
        mapping.externalPort >= startPort &&
        mapping.externalPort <= endPort &&
        (internalClient === undefined || mapping.internalClient === internalClient),
    )
    if (rows.length === 0) throw new Refusal(730)
    return rows
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

/** The external wildcard, which a gateway may do without (WANIPConnection:2 2.5.16, 2.5.17), is not had here. */
function checkPorts({ externalPort, internalPort }: WantedMapping): void {
  if (externalPort === 0) throw new Refusal(716)
  if (internalPort === 0) throw new Refusal(732)
}

/** That one, the next ones up, and from 1024 again after 65535. */
export function* portsToTry(asked: number): Generator<number> {
  yield asked
  for (let port = Math.max(asked + 1, FIRST_PORT_TO_GIVE); port <= 65535; port++) yield port
  for (let port = FIRST_PORT_TO_GIVE; port < asked; port++) yield port
}

function textOf(key: MappingKey): string {
  return `${key.protocol} ${key.externalPort} ${key.remoteHost}`
}

function entryOf(row: Row | undefined, errorCodeIfNone: number, nowMs: number): TableEntry {
  if (row === undefined) throw new Refusal(errorCodeIfNone)
  return { ...row.mapping, leaseSeconds: Math.ceil((row.endsMs - nowMs) / 1000) }
}
