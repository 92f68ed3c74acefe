/**
 * When to renew, to try again and to look at the gateway, and how to sleep until then. Times are milliseconds.
 *
 * Renewals follow RFC 6887 11.2.1 for every protocol: at a random moment between 1/2 and 5/8 of the lease, then between
 * 3/4 and 3/4 + 1/16, then between 7/8 and 7/8 + 1/32, and so on, never closer to each other than 4 s. Over PCP the
 * same holds for whatever is asked for again.
 */
import type { GatewayProtocol } from '../domain/port-mapping.js'
import { type Clock, sleep } from '../net/clock.js'

/** RFC 6887 11.2.1. */
export const CLOSEST_RENEWALS_MS = 4000
/** The other protocols set no limit, so a short lease can be kept too. */
const SHORT_LEASE_MS = 2 * CLOSEST_RENEWALS_MS
const CLOSEST_OF_SHORT_MS: Readonly<Record<GatewayProtocol, number>> = {
  pcp: CLOSEST_RENEWALS_MS,
  'nat-pmp': 1000,
  igd: 500,
}

/** The least time between two renewals of a lease as long as that. If it is no shorter than the lease, there are gaps. */
export function closestRenewalsMs(protocol: GatewayProtocol, leaseMs: number): number {
  return leaseMs < SHORT_LEASE_MS ? CLOSEST_OF_SHORT_MS[protocol] : CLOSEST_RENEWALS_MS
}

/** Offsets from the beginning of the lease, none before `closestMs`: none if the lease never ends or is as short. */
export function* renewalTimes(
  leaseMs: number,
  random: () => number,
  closestMs = CLOSEST_RENEWALS_MS,
): Generator<number, void> {
  let previousMs = 0
  for (let step = 1; ; step++) {
    const [start, width] = [1 - 2 ** -step, 2 ** -(step + 2)]
    const at = leaseMs * (start + width * random())
    const atMs = Math.max(at, previousMs + closestMs)
    if (!(atMs < leaseMs)) return
    yield atMs
    previousMs = atMs
  }
}

/**
 * RFC 6887 8.1.1: how long after one packet without an answer the next one is sent. After these, the renewals go on at
 * their times.
 */
export const RESENDING_PAUSES_MS: readonly number[] = [4000, 8000, 16_000]

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
/** Reasons closer together than this share one look. The gap doubles while suspicions prove to be false alarms. */
const LEAST_GAP_MS = 4000
const LONGEST_GAP_MS = 30_000

/** Why to look at the gateway. */
export type LookReason =
  /** It is time. */
  | 'regular'
  /** Something has failed, or the gateway has told a subscriber of a change. */
  | 'suspicion'
  /** The gateway has announced itself, or whoever forges its address. */
  | 'announcement'

/**
 * When to look at the gateway: now and then, soon after something has changed, and at once upon a suspicion. A look for
 * an announcement, which anybody can forge, puts off no suspicion.
 */
export class LookSchedule {
  readonly #longestPauseMs: number
  #pauseMs = 0
  #regularMs = 0
  /** The last look that was not for an announcement. */
  #lastMs = Number.NEGATIVE_INFINITY
  /** The last look of any kind, if it has not shown that the gateway has changed. */
  #doubtedMs = Number.NEGATIVE_INFINITY
  #gapMs = LEAST_GAP_MS
  #isSuspicious = false
  #isAnnounced = false

  constructor(longestPauseMs: number, nowMs: number) {
    this.#longestPauseMs = longestPauseMs
    this.beSoon(nowMs)
  }

  get dueMs(): number {
    const never = Number.POSITIVE_INFINITY
    const suspicionMs = this.#isSuspicious ? this.#lastMs + this.#gapMs : never
    const announcementMs = this.#isAnnounced ? this.#doubtedMs + LEAST_GAP_MS : never
    return Math.min(this.#regularMs, suspicionMs, announcementMs)
  }

  /** Something is new, and a look will show whether it stays. */
  beSoon(nowMs: number): void {
    this.#pauseMs = Math.min(FIRST_LOOK_PAUSE_MS, this.#longestPauseMs)
    this.#regularMs = nowMs + this.#pauseMs
    this.#gapMs = LEAST_GAP_MS
  }

  /** The next regular look is not later than that. */
  beBy(timeMs: number): void {
    this.#regularMs = Math.min(this.#regularMs, timeMs)
  }

  suspect(): void {
    this.#isSuspicious = true
  }

  announce(): void {
    this.#isAnnounced = true
  }

  /** The look has shown that the gateway has changed, so the next announcement is looked at at once. */
  believe(): void {
    this.#doubtedMs = Number.NEGATIVE_INFINITY
  }

  /** A look begins. The others do not put off the regular ones. Returns the best reason for it. */
  begin(nowMs: number): LookReason {
    const isRegular = nowMs >= this.#regularMs
    const isForSuspicion = this.#isSuspicious && (isRegular || nowMs >= this.#lastMs + this.#gapMs)
    if (isRegular || isForSuspicion) this.#lastMs = nowMs
    this.#doubtedMs = nowMs
    this.#isAnnounced = false
    if (isForSuspicion) this.#gapMs = Math.min(this.#gapMs * 2, LONGEST_GAP_MS)
    else if (isRegular) this.#gapMs = LEAST_GAP_MS
    if (isForSuspicion) this.#isSuspicious = false
    if (!isRegular) return isForSuspicion ? 'suspicion' : 'announcement'
    this.#pauseMs = Math.min(this.#pauseMs * 2, this.#longestPauseMs)
    this.#regularMs = nowMs + this.#pauseMs
    return 'regular'
  }
}

/** A sleep that can be ended early, for one sleeper at a time. */
export class Alarm {
  readonly #clock: Clock
  #wake: () => void = () => {}
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
    await new Promise<void>((resolve) => {
      const cancel = this.#clock.schedule(Math.max(0, delayMs), resolve)
      this.#wake = () => {
        cancel()
        resolve()
      }
    })
  }

  ring(): void {
    this.#wake()
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
