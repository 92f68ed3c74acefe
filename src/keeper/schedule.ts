/**
 * When to renew, to try again and to look at the gateway, and how to sleep until then. Times are milliseconds.
 *
 * Renewals follow RFC 6887 11.2.1 for every protocol: at a random moment between 1/2 and 5/8 of the lease, then between
 * 3/4 and 3/4 + 1/16, then between 7/8 and 7/8 + 1/32, and so on, never closer to each other than 4 s.
 */
import { type Clock, sleep } from '../net/clock.js'

/** RFC 6887 11.2.1. */
export const CLOSEST_RENEWALS_MS = 4000

/** Offsets from the beginning of the lease: none if it never ends, else at least one; none before 4 s if it can be. */
export function* renewalTimes(leaseMs: number, random: () => number): Generator<number, void> {
  let previousMs = leaseMs > CLOSEST_RENEWALS_MS ? 0 : Number.NEGATIVE_INFINITY
  for (let step = 1; ; step++) {
    const [start, width] = [1 - 2 ** -step, 2 ** -(step + 2)]
    const at = leaseMs * (start + width * random())
    const atMs = Math.max(at, previousMs + CLOSEST_RENEWALS_MS)
    if (!(atMs < leaseMs)) return
    yield atMs
    previousMs = atMs
  }
}

const FIRST_PAUSE_MS = 1000
const LONGEST_PAUSE_MS = 30_000

/** Pauses after a refusal, or without an answer: they double up to half a minute, each varied by a tenth at random. */
export function retryPauses(random: () => number): Generator<number, never> {
  return growingPauses(2, random)
}

/** Pauses between searches: none is longer than about a tenth of the time for which the gateway has been gone. */
export function searchPauses(random: () => number): Generator<number, never> {
  return growingPauses(1.1, random)
}

function* growingPauses(factor: number, random: () => number): Generator<number, never> {
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * factor, LONGEST_PAUSE_MS)) {
    yield pauseMs * (0.9 + 0.2 * random())
  }
}

const FIRST_LOOK_PAUSE_MS = 10_000
/** Suspicions closer together than this share one look. While they prove to be false alarms, the gap doubles. */
const LEAST_GAP_MS = 1000
const LONGEST_GAP_MS = 30_000

/** When to look at the gateway: now and then, soon after something has changed, and at once upon a suspicion. */
export class LookSchedule {
  readonly #longestPauseMs: number
  #pauseMs = 0
  #regularMs = 0
  #lastMs = Number.NEGATIVE_INFINITY
  #gapMs = LEAST_GAP_MS
  #isSuspicious = false
  #isWarned = false

  constructor(longestPauseMs: number, nowMs: number) {
    this.#longestPauseMs = longestPauseMs
    this.beSoon(nowMs)
  }

  get dueMs(): number {
    return this.#isSuspicious ? Math.min(this.#regularMs, this.#lastMs + this.#gapMs) : this.#regularMs
  }

  /** Something is new, and a look will show whether it stays. */
  beSoon(nowMs: number): void {
    this.#pauseMs = Math.min(FIRST_LOOK_PAUSE_MS, this.#longestPauseMs)
    this.#regularMs = nowMs + this.#pauseMs
    this.#gapMs = LEAST_GAP_MS
  }

  /** A request has failed. */
  suspect(): void {
    this.#isSuspicious = true
  }

  /** Something was heard or seen: even what the gateway cannot show may be gone. */
  warn(): void {
    this.#isSuspicious = true
    this.#isWarned = true
  }

  /** A look begins. Returns whether a warning is the reason. */
  begin(nowMs: number): boolean {
    const [isForSuspicion, isForWarning] = [this.#isSuspicious, this.#isWarned]
    this.#isSuspicious = false
    this.#isWarned = false
    this.#gapMs = isForSuspicion ? Math.min(this.#gapMs * 2, LONGEST_GAP_MS) : LEAST_GAP_MS
    this.#lastMs = nowMs
    this.#pauseMs = Math.min(this.#pauseMs * 2, this.#longestPauseMs)
    this.#regularMs = nowMs + this.#pauseMs
    return isForWarning
  }
}

/** A sleep that can be ended early, for one sleeper at a time. */
export class Alarm {
  readonly #clock: Clock
  #sleeper = new AbortController()
  #isOff = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** True once it was turned off: sleep() returns at once from then on. */
  get isOff(): boolean {
    return this.#isOff
  }

  /** Sleeps until the time is over or the alarm rings. */
  async sleep(delayMs: number): Promise<void> {
    if (this.#isOff) return
    this.#sleeper = new AbortController()
    await sleep(this.#clock, Math.max(0, delayMs), this.#sleeper.signal)
  }

  ring(): void {
    this.#sleeper.abort()
  }

  turnOff(): void {
    this.#isOff = true
    this.ring()
  }
}

/** Waits for the work, but no longer than `limitMs`. The work itself goes on. */
export async function within(clock: Clock, limitMs: number, work: Promise<void>): Promise<void> {
  const over = new AbortController()
  await Promise.race([work, sleep(clock, limitMs, over.signal)]).finally(() => over.abort())
}
