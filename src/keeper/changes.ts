/** Notices what nobody reports: that this computer has slept, or has moved to another network. */
import { splitZone } from '../domain/address.js'
import type { Clock } from '../net/clock.js'

/** The longest time between two looks: a look costs no packet, and a person who opens the lid waits for it. */
export const WATCH_MS = 10_000
/** If the two clocks drift apart by more than this between two looks, this computer has slept. */
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

  /** Whether this computer has slept since the last look: the monotonic clock stands still in the meantime. */
  noticeSleep(): boolean {
    const offsetMs = this.#offset()
    const hasJumped = Math.abs(offsetMs - this.#offsetMs) > CLOCK_JUMP_MS
    this.#offsetMs = offsetMs
    return hasJumped
  }

  /** Whether the addresses have changed since the last look. */
  noticeAddresses(): boolean {
    const addresses = this.#addressText()
    const haveChanged = addresses !== this.#addresses
    this.#addresses = addresses
    return haveChanged
  }

  /** Whether this computer has that address, on any interface. */
  has(address: string): boolean {
    return this.#addressesNow().some((each) => splitZone(each).address === splitZone(address).address)
  }

  /** Sorted, because interfaces are listed in no particular order. */
  #addressText(): string {
    return this.#addressesNow().toSorted().join()
  }

  #offset(): number {
    return this.#clock.wallMs() - this.#clock.monotonicMs()
  }
}
