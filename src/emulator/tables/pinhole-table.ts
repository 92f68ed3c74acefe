/**
 * The pinholes of the emulated gateway's IPv6 firewall: which ones are open, and until when. The table has no clock:
 * each call gets the time in monotonic milliseconds.
 *
 * Rules (WANIPv6FirewallControl:1 2.6.3 to 2.6.5). Remote host and port, internal client and port, and protocol
 * identify a pinhole. If such a pinhole is added again, it keeps its UniqueID and gets the new lease. Every lease ends.
 * A UniqueID is used again only after all the others have been used. A pinhole of PCP and one of an IGD are always two
 * pinholes.
 */
import { parseIPv6 } from '../../domain/address.js'
import type { TimedPinholeRequest } from '../../domain/pinhole.js'
import { LeaseEnds } from './lease-ends.js'
import { Refusal } from './refusal.js'

/** WANIPv6FirewallControl:1 2.6.3: a lease is from one second to one day. */
export const LONGEST_PINHOLE_LEASE_SECONDS = 86_400

/** How many pinholes the LAN can make the gateway keep, by default. */
export const MAX_PINHOLES = 1024

/** UniqueID has 16 bits. 0 is not used, because too many programs read it as "no pinhole". */
export const MAX_PINHOLE_ID = 0xffff

export interface WantedPinhole extends TimedPinholeRequest {
  /** The mapping nonce (RFC 6887 11.1), if PCP made the pinhole. */
  readonly nonce?: string
}

/** A pinhole in the table. `leaseSeconds` is the rest of its lease, rounded up. */
export interface PinholeEntry extends WantedPinhole {
  /** Its UniqueID, 1 to 65535. */
  readonly id: number
}

type Pinhole = Omit<WantedPinhole, 'leaseSeconds'>

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

  /** `wantedId`: the UniqueID of a new pinhole. @throws Refusal 701; 402 if another one has that ID */
  add({ leaseSeconds, ...pinhole }: WantedPinhole, nowMs: number, wantedId?: number): number {
    this.#dropEnded(nowMs)
    const id = this.#ids.get(textOf(pinhole)) ?? this.#newId(wantedId)
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

  #newId(wantedId?: number): number {
    if (this.#rows.size >= this.#maxPinholes) throw new Refusal('PinholeSpaceExhausted')
    if (wantedId !== undefined) {
      const isId = Number.isInteger(wantedId) && wantedId >= 1 && wantedId <= MAX_PINHOLE_ID
      if (!isId || this.#rows.has(wantedId)) throw new Refusal('InvalidArgs')
      return wantedId
    }
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

/** The key of a pinhole. It has the bits of each address, because an address can be written in several ways. */
function textOf({ remoteHost, remotePort, internalClient, internalPort, protocol, nonce = '' }: Pinhole): string {
  const bits = (address: string): string => parseIPv6(address)?.join(':') ?? address
  return `${protocol} ${bits(remoteHost)} ${remotePort} ${bits(internalClient)} ${internalPort} ${nonce}`
}

function entryOf(id: number, { pinhole, endsMs }: Row, nowMs: number): PinholeEntry {
  return { id, ...pinhole, leaseSeconds: Math.ceil((endsMs - nowMs) / 1000) }
}
