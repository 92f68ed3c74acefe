/**
 * The port mappings of the emulated gateway: who has which port, and until when. Pure: whoever calls says what time it
 * is, in monotonic milliseconds.
 *
 * Rules (WANIPConnection:2 2.5.16 to 2.5.21): a mapping is known by its remote host, external port and protocol; its
 * own internal client overwrites it, another one gets 718, or another port where any will do; every lease ends, after a
 * week at the latest unless the table is told otherwise. Order is that of the first AddPortMapping: a renewal keeps its
 * place.
 */
import type { GatewayProtocol, MappingKey, TransportProtocol } from '../../domain/port-mapping.js'
import type { UpnpErrorName } from '../../domain/upnp-errors.js'
import { LeaseEnds } from './lease-ends.js'
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

/** A mapping as it stands in the table; `leaseSeconds` is what is left of it, rounded up, or 0 if it has no end. */
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

/** As many gaps to close cost as much as a pass through all rows, roughly. */
const MANY = 50

/** The same object for as long as the mapping is there. */
interface Row {
  mapping: WantedMapping
  endsMs: number
}

export class MappingTable {
  readonly #maxMappings: number
  readonly #longestLeaseSeconds: number
  readonly #rows = new Map<string, Row>()
  /** The rows by index, always: a listing goes from index to index while others add, renew and delete. */
  #ordered: Row[] = []
  readonly #ends = new LeaseEnds<Row>()

  /** With an infinite longest lease, a mapping with a lease of 0 has no end. */
  constructor(maxMappings = MAX_MAPPINGS, longestLeaseSeconds = LONGEST_LEASE_SECONDS) {
    this.#maxMappings = maxMappings
    this.#longestLeaseSeconds = longestLeaseSeconds
  }

  /** @throws Refusal 716, 732, 718, 728 */
  add(wanted: WantedMapping, nowMs: number): void {
    checkPorts(wanted)
    this.#dropEnded(nowMs)
    const present = this.#rows.get(textOf(wanted))
    if (present !== undefined && present.mapping.internalClient !== wanted.internalClient)
      throw new Refusal('ConflictInMappingEntry')
    if (present === undefined && this.#rows.size >= this.#maxMappings) throw new Refusal('NoPortMapsAvailable')
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
      const present = this.#rows.get(textOf(wanted, externalPort))?.mapping
      if (present === undefined) {
        if (this.#rows.size >= this.#maxMappings) break
        return externalPort
      }
      if (present.internalClient !== wanted.internalClient) continue
      if (externalPort === wanted.externalPort || present.internalPort === wanted.internalPort) return externalPort
    }
    throw new Refusal('NoPortMapsAvailable')
  }

  #put(wanted: WantedMapping, nowMs: number): void {
    const longest = this.#longestLeaseSeconds
    const leaseSeconds = wanted.leaseSeconds === 0 ? longest : Math.min(wanted.leaseSeconds, longest)
    const row = this.#rowFor(wanted)
    row.mapping = wanted
    row.endsMs = nowMs + leaseSeconds * 1000
    this.#ends.set(row, row.endsMs)
  }

  /** The one that is there, or a new one at the end. */
  #rowFor(wanted: WantedMapping): Row {
    const present = this.#rows.get(textOf(wanted))
    if (present !== undefined) return present
    const row = { mapping: wanted, endsMs: 0 }
    this.#rows.set(textOf(wanted), row)
    this.#ordered.push(row)
    return row
  }

  /** @throws Refusal 714 */
  get(key: MappingKey, nowMs: number): TableEntry {
    this.#dropEnded(nowMs)
    return entryOf(this.#rows.get(textOf(key)), 'NoSuchEntryInArray', nowMs)
  }

  /** @throws Refusal 713 */
  at(index: number, nowMs: number): TableEntry {
    return entryOf(this.#inOrder(nowMs)[index], 'SpecifiedArrayIndexInvalid', nowMs)
  }

  /** @throws Refusal 714 */
  delete(key: MappingKey, nowMs: number): void {
    this.#dropEnded(nowMs)
    const row = this.#rows.get(textOf(key))
    if (row === undefined) throw new Refusal('NoSuchEntryInArray')
    this.#ends.delete(row)
    this.#drop([row])
  }

  list(nowMs: number): TableEntry[] {
    return this.#inOrder(nowMs).map((row) => entryOf(row, 'SpecifiedArrayIndexInvalid', nowMs))
  }

  /** Those that the test is true of, with what is left of their lease. */
  where(test: (mapping: WantedMapping) => boolean, nowMs: number): TableEntry[] {
    return this.#inOrder(nowMs).flatMap((row) =>
      test(row.mapping) ? [entryOf(row, 'SpecifiedArrayIndexInvalid', nowMs)] : [],
    )
  }

  clear(): void {
    this.#rows.clear()
    this.#ends.clear()
    this.#ordered = []
  }

  /** @throws Refusal 730 */
  within(range: MappingRange, nowMs: number): TableEntry[] {
    return this.#rowsWithin(range, nowMs).map((row) => entryOf(row, 'PortMappingNotFound', nowMs))
  }

  /** All of them at once (WANIPConnection:2 2.5.19.2). @throws Refusal 730 */
  deleteWithin(range: MappingRange, nowMs: number): void {
    const rows = this.#rowsWithin(range, nowMs)
    for (const row of rows) this.#ends.delete(row)
    this.#drop(rows)
  }

  #rowsWithin({ startPort, endPort, protocol, internalClient }: MappingRange, nowMs: number): readonly Row[] {
    const rows = this.#inOrder(nowMs).filter(
      ({ mapping }) =>
        mapping.protocol === protocol &&
        mapping.externalPort >= startPort &&
        mapping.externalPort <= endPort &&
        (internalClient === undefined || mapping.internalClient === internalClient),
    )
    if (rows.length === 0) throw new Refusal('PortMappingNotFound')
    return rows
  }

  #inOrder(nowMs: number): readonly Row[] {
    this.#dropEnded(nowMs)
    return this.#ordered
  }

  #dropEnded(nowMs: number): void {
    const ended = this.#ends.takeEnded(nowMs)
    if (ended.length > 0) this.#drop(ended)
  }

  /** Many in one pass; few, as they mostly are, by closing the gaps, for which the engine moves memory and no code runs. */
  #drop(rows: readonly Row[]): void {
    for (const { mapping } of rows) this.#rows.delete(textOf(mapping))
    if (rows.length < MANY) {
      for (const row of rows) this.#ordered.splice(this.#ordered.indexOf(row), 1)
      return
    }
    const gone = new Set(rows)
    this.#ordered = this.#ordered.filter((row) => !gone.has(row))
  }
}

/** The external wildcard, which a gateway may do without (WANIPConnection:2 2.5.16, 2.5.17), is not had here. */
function checkPorts({ externalPort, internalPort }: WantedMapping): void {
  if (externalPort === 0) throw new Refusal('WildCardNotPermittedInExtPort')
  if (internalPort === 0) throw new Refusal('WildCardNotPermittedInIntPort')
}

/** That one, the next ones up, and from 1024 again after 65535. */
export function* portsToTry(asked: number): Generator<number> {
  yield asked
  for (let port = Math.max(asked + 1, FIRST_PORT_TO_GIVE); port <= 65535; port++) yield port
  for (let port = FIRST_PORT_TO_GIVE; port < asked; port++) yield port
}

function textOf({ protocol, remoteHost, externalPort }: MappingKey, otherPort = externalPort): string {
  return `${protocol} ${otherPort} ${remoteHost}`
}

function entryOf(row: Row | undefined, errorIfNone: UpnpErrorName, nowMs: number): TableEntry {
  if (row === undefined) throw new Refusal(errorIfNone)
  const leaseSeconds = Number.isFinite(row.endsMs) ? Math.ceil((row.endsMs - nowMs) / 1000) : 0
  return { ...row.mapping, leaseSeconds }
}
