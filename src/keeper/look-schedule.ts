/** When the gateway is looked at: now and then, soon after something has changed, and at once upon a suspicion. */

const FIRST_PAUSE_MS = 10_000
/** Suspicions that come faster than that are looked into together; where they prove to be false alarms, more slowly. */
const LEAST_GAP_MS = 1000
const LONGEST_GAP_MS = 30_000

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

  /** Something is new: whether it stays has to be seen. */
  beSoon(nowMs: number): void {
    this.#pauseMs = Math.min(FIRST_PAUSE_MS, this.#longestPauseMs)
    this.#regularMs = nowMs + this.#pauseMs
    this.#gapMs = LEAST_GAP_MS
  }

  /** Something that was asked for has failed. */
  suspect(): void {
    this.#isSuspicious = true
  }

  /** Something was heard or seen: what cannot be looked at may be gone too. */
  warn(): void {
    this.#isSuspicious = true
    this.#isWarned = true
  }

  /** A look begins. Returns whether that is for a warning. */
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
