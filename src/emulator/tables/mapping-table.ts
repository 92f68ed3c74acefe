/**
 * The port mappings of the emulated gateway: who has which port, and until when. The table has no clock: each call gets
 * the time in monotonic milliseconds.
 *
 * Rules (WANIPConnection:2 2.5.16 to 2.5.21). Remote host, external port and protocol identify a mapping. The same
 * internal client overwrites its mapping. Another client gets 718 from AddPortMapping, and another port from
 * AddAnyPortMapping. Every lease ends, by default after a week at the latest. Mappings are in the order in which they
 * were added; a renewal keeps its place.
 */
import type { PortRange } from '../../domain/gateway.js'
import type { GatewayProtocol, MappingKey } from '../../domain/port-mapping.js'
import type { UpnpErrorName } from '../../domain/upnp-errors.js'
import { LeaseEnds } from './lease-ends.js'
import { Refusal } from './refusal.js'

/** WANIPConnection:2 2.3.16: a lease of 0 means this long, and a longer lease is shortened to it. */
export const LONGEST_LEASE_SECONDS = 604_800

/** How many mappings the LAN can make the gateway keep, by default. */
export const MAX_MAPPINGS = 4096

/** A mapping that a client asks for. Port 0 means any port, and a lease of 0 means as long as possible. */
export interface WantedMapping extends MappingKey {
  readonly internalClient: string
  readonly internalPort: number
  readonly enabled: boolean
  readonly description: string
  readonly leaseSeconds: number
  /** The protocol of the request; an IGD action made the mapping if this is missing. */
  readonly madeBy?: GatewayProtocol
  /** The mapping nonce (RFC 6887 11.1), if PCP made the mapping. */
  readonly nonce?: string
  /** NAT-PMP made it for internal port 0. */
  readonly isSamePort?: true
}

/** A mapping in the table. `leaseSeconds` is the rest of its lease, rounded up, or 0 if the lease does not end. */
export type TableEntry = WantedMapping

/** The mappings of one protocol whose external ports are from `startPort` to `endPort`, both included. */
export interface MappingRange extends Omit<PortRange, 'manage'> {
  /** Undefined for every internal client. */
  readonly internalClient: string | undefined
}

/** The ports below are the well-known ones (RFC 6335 6): a client gets one only if it asks for that one. */
export const FIRST_PORT_TO_GIVE = 1024

/** To close this many gaps takes about as long as one pass through all rows. */
const MANY = 50

/** A mapping has the same row object from its start to its end. */
interface Row {
  mapping: WantedMapping
  endsMs: number
}

export class MappingTable {
  readonly #maxMappings: number
  readonly #longestLeaseSeconds: number
  readonly #rows = new Map<string, Row>()
  /** The rows by index. A listing goes from index to index while other clients add, renew and delete. */
  #ordered: Row[] = []
  readonly #ends = new LeaseEnds<Row>()

  /** If the longest lease is infinite, a lease of 0 never ends. */
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
   * Returns the external port: the wanted one if it is free or already this client's, and otherwise the next free one;
   * after 65535 comes 1024. The same request gets the same port again. Some gateways fill up with duplicates instead
   * (miniupnpd of OpenWrt 24.10, openwrt#18011).
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

  /** The row of that mapping, or a new one at the end of the table. */
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

  /** The mappings that pass the test. */
  where(test: (mapping: WantedMapping) => boolean, nowMs: number): TableEntry[] {
    const rows = this.#inOrder(nowMs).filter(({ mapping }) => test(mapping))
    return rows.map((row) => entryOf(row, 'SpecifiedArrayIndexInvalid', nowMs))
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

  /** Deletes all of them in one step (WANIPConnection:2 2.5.19.2). @throws Refusal 730 */
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

  /** Many rows go in one pass. A few, the usual case, go one by one: splice() closes each gap in one move of memory. */
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

/** A gateway may refuse external port 0, the wildcard (WANIPConnection:2 2.5.16, 2.5.17). This one does. */
function checkPorts({ externalPort, internalPort }: WantedMapping): void {
  if (externalPort === 0) throw new Refusal('WildCardNotPermittedInExtPort')
  if (internalPort === 0) throw new Refusal('WildCardNotPermittedInIntPort')
}

/** First the wanted port, then the ports above it, then those from 1024 up to it. */
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
