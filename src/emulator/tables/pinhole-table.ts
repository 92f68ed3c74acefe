/**
 * The pinholes of the emulated gateway's IPv6 firewall: which there are, and until when. Pure: whoever calls says what
 * time it is, in monotonic milliseconds.
 *
 * Rules (WANIPv6FirewallControl:1 2.6.3 to 2.6.5): the same remote host and port, internal client and port and protocol
 * are the same pinhole, which keeps its UniqueID and gets the new lease; every lease ends. A UniqueID is not given again
 * before all the others have been. A pinhole that PCP made is another one than an IGD's with the same five parts.
 */
import { parseIPv6 } from '../../domain/address.js'
import type { PinholeRequest, TimedPinholeRequest } from '../../domain/pinhole.js'
import { LeaseEnds } from './lease-ends.js'
import { Refusal } from './refusal.js'

/** WANIPv6FirewallControl:1 2.6.3: a lease is 1 s to a day. */
export const LONGEST_PINHOLE_LEASE_SECONDS = 86_400

/** How many pinholes the LAN can make us keep, unless told otherwise. */
export const MAX_PINHOLES = 1024

/** UniqueID is an ui2; 0 is not given: too many programs take it for none. */
export const MAX_PINHOLE_ID = 0xffff

export interface WantedPinhole extends TimedPinholeRequest {
  /** The mapping nonce (RFC 6887 11.1) of one that PCP made. */
  readonly nonce?: string
}

/** A pinhole as it stands in the table; `leaseSeconds` is what is left of it, rounded up. */
export interface PinholeEntry extends WantedPinhole {
  readonly id: number
}

type Pinhole = PinholeRequest & Pick<WantedPinhole, 'nonce'>

interface Row {
  readonly pinhole: Pinhole
  readonly endsMs: number
}

export class PinholeTable {
  readonly #maxPinholes: number
  readonly #rows = new Map<number, Row>()
  readonly #ids = new Map<string, number>()
  readonly #ends = new LeaseEnds<number>()
  #lastId: number = 0

  constructor(maxPinholes: number = MAX_PINHOLES) {
    this.#maxPinholes = Math.min(maxPinholes, MAX_PINHOLE_ID)
  }

  /** @throws Refusal 701 */
  add({ leaseSeconds, ...pinhole }: WantedPinhole, nowMs: number): number {
    this.#dropEnded(nowMs)
    const id = this.#ids.get(textOf(pinhole)) ?? this.#newId()
    this.#ids.set(textOf(pinhole), id)
    this.#put(id, pinhole, nowMs + leaseSeconds * 1000)
    return id
  }

  /** @throws Refusal 704 */
  update(id: number, leaseSeconds: number, nowMs: number): void {
    const { pinhole } = this.#row(id, nowMs)
    this.#put(id, pinhole, nowMs + leaseSeconds * 1000)
  }

  #put(id: number, pinhole: Pinhole, endsMs: number): void {
    this.#rows.set(id, { pinhole, endsMs })
    this.#ends.set(id, endsMs)
  }

  /** @throws Refusal 704 */
  get(id: number, nowMs: number): PinholeEntry {
    return entryOf(id, this.#row(id, nowMs), nowMs)
  }

  /** @throws Refusal 704 */
  delete(id: number, nowMs: number): void {
    this.#drop(id, this.#row(id, nowMs))
    this.#ends.delete(id)
  }

  list(nowMs: number): PinholeEntry[] {
    this.#dropEnded(nowMs)
    return [...this.#rows].map(([id, row]) => entryOf(id, row, nowMs))
  }

  clear(): void {
    this.#rows.clear()
    this.#ids.clear()
    this.#ends.clear()
  }

  #newId(): number {
    if (this.#rows.size >= this.#maxPinholes) throw new Refusal('PinholeSpaceExhausted')
    do this.#lastId = (this.#lastId % MAX_PINHOLE_ID) + 1
    while (this.#rows.has(this.#lastId))
    return this.#lastId
  }

  #row(id: number, nowMs: number): Row {
    this.#dropEnded(nowMs)
    const row = this.#rows.get(id)
    if (row === undefined) throw new Refusal('NoSuchEntry')
    return row
  }

  #dropEnded(nowMs: number): void {
    for (const id of this.#ends.takeEnded(nowMs)) {
      const row = this.#rows.get(id)
      if (row !== undefined) this.#drop(id, row)
    }
  }

  #drop(id: number, { pinhole }: Row): void {
    this.#rows.delete(id)
    this.#ids.delete(textOf(pinhole))
  }
}

/** An address may be written in several ways: it is its bits that count. */
function textOf({ remoteHost, remotePort, internalClient, internalPort, protocol, nonce = '' }: Pinhole): string {
  const bits = (address: string): string => parseIPv6(address)?.join(':') ?? address
  return `${protocol} ${bits(remoteHost)} ${remotePort} ${bits(internalClient)} ${internalPort} ${nonce}`
}

function entryOf(id: number, { pinhole, endsMs }: Row, nowMs: number): PinholeEntry {
  return { id, ...pinhole, leaseSeconds: Math.ceil((endsMs - nowMs) / 1000) }
}
