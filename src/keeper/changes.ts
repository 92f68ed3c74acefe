/** What nobody tells: that this computer has slept, or is in another network. Noticed by looking. */
import { splitZone } from '../domain/address.js'
import type { Clock } from '../net/clock.js'

/** Looked at that often at least: it costs no packet, and a person who opens the lid waits for it. */
export const WATCH_MS = 10_000
/** How far the clocks may drift apart between two looks before this computer must have slept. */
const CLOCK_JUMP_MS = 5000

export class Changes {
  readonly #clock: Clock
  readonly #addressesNow: () => readonly string[]
  #offsetMs: number
  #addresses: string

  /** `addressesNow`: this computer's addresses. */
  constructor(clock: Clock, addressesNow: () => readonly string[]) {
    this.#clock = clock
    this.#addressesNow = addressesNow
    this.#offsetMs = this.#offset()
    this.#addresses = this.#addressText()
  }

  /** Whether the wall clock has jumped since the last look: the other one stands still while a computer sleeps. */
  noticeSleep(): boolean {
    const offsetMs = this.#offset()
    const hasJumped = Math.abs(offsetMs - this.#offsetMs) > CLOCK_JUMP_MS
    this.#offsetMs = offsetMs
    return hasJumped
  }

  /** Whether the addresses are others than at the last look. */
  noticeAddresses(): boolean {
    const addresses = this.#addressText()
    const haveChanged = addresses !== this.#addresses
    this.#addresses = addresses
    return haveChanged
  }

  /** Whether it still has that address, on whatever interface. */
  has(address: string): boolean {
    return this.#addressesNow().some((each) => splitZone(each).address === splitZone(address).address)
  }

  /** Interfaces are listed in no order. */
  #addressText(): string {
    return this.#addressesNow().toSorted().join()
  }

  #offset(): number {
    return this.#clock.wallMs() - this.#clock.monotonicMs()
  }
}
