/** Notices what nobody reports: that this computer has slept or moved to another network, or that a gateway restarted. */
import { splitZone } from '../domain/address.js'
import type { Gateway } from '../domain/gateway.js'
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

/** No router restarts faster than this, and no two looks that would see it are closer. */
const LEAST_GAP_MS = 3000
const LONGEST_GAP_MS = 1_800_000
/** An epoch that goes on for so long as it should makes sense, and the next restart is believed at once again. */
const PROVEN_MS = 10_000

/**
 * Restarts that the epoch shows. A senseless epoch shows one after another. So does a router that has trouble to start,
 * and from the third one on they are believed less and less often.
 */
export class Restarts {
  #epoch: Epoch | undefined
  /** The first one after a restart. */
  #first: Epoch | undefined
  #lastMs = Number.NEGATIVE_INFINITY
  /** How many were believed since an epoch last went on as it should. */
  #unproven = 0
  #isDoubted = false

  /** Set if the last answer showed a restart too soon to be believed. From then on an answer tells. */
  get doubtedUntilMs(): number | undefined {
    return this.#isDoubted ? this.#believedFromMs : undefined
  }

  /** Accepts any epoch next: the gateway is another one, or an unknown time has passed. */
  forget(): void {
    this.#epoch = undefined
  }

  /** Takes note of an answer's epoch. Returns whether the gateway has lost its state. */
  notice({ epochSeconds: seconds, protocol }: Gateway, nowMs: number): boolean {
    if (seconds === undefined || protocol === 'igd') return false
    const [previous, now] = [this.#epoch, { seconds, heardMs: nowMs }]
    const isRestart = previous !== undefined && !hasKeptState(protocol, previous, now)
    this.#isDoubted = isRestart && nowMs < this.#believedFromMs
    if (this.#isDoubted) return false // the old epoch stays: a later answer shows it
    this.#epoch = now
    if (previous === undefined || isRestart) this.#first = now
    if (isRestart) {
      this.#unproven++
      this.#lastMs = nowMs
    } else if (isProven(this.#first, now)) this.#unproven = 0
    return isRestart
  }

  get #believedFromMs(): number {
    if (this.#unproven === 0) return Number.NEGATIVE_INFINITY
    return this.#lastMs + Math.min(LEAST_GAP_MS * 2 ** Math.max(0, this.#unproven - 2), LONGEST_GAP_MS)
  }
}

/** By the rule of PCP, which knows an epoch that runs ahead too. */
function isProven(first: Epoch | undefined, now: Epoch): boolean {
  return first !== undefined && now.heardMs >= first.heardMs + PROVEN_MS && hasKeptState('pcp', first, now)
}

/** What a gateway said about its epoch, and when it was heard. */
export interface Epoch {
  readonly seconds: number
  readonly heardMs: number
}

/**
 * Whether a gateway has kept its state between two messages. PCP (RFC 6887 8.5): neither clock may have run more than a
 * sixteenth faster than the other, give or take 2 s, and the epoch may go back by 1 s. NAT-PMP (RFC 6886 3.6): the
 * epoch must have grown by at least 7/8 of the time that has passed, less 2 s.
 */
export function hasKeptState(protocol: 'pcp' | 'nat-pmp', previous: Epoch, current: Epoch): boolean {
  const clientSeconds = Math.floor((current.heardMs - previous.heardMs) / 1000)
  if (protocol === 'nat-pmp') return current.seconds >= previous.seconds + Math.floor((clientSeconds * 7) / 8) - 2
  if (current.seconds < previous.seconds - 1) return false
  const serverSeconds = Math.max(0, current.seconds - previous.seconds)
  const slower = (seconds: number): number => seconds - Math.floor(seconds / 16)
  return clientSeconds + 2 >= slower(serverSeconds) && serverSeconds + 2 >= slower(clientSeconds)
}
