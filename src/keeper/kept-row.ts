/** One thing that is kept: what was granted, when it is due, and what became of it. */
import type { ErrorCode, PortMappingError } from '../domain/errors.js'
import type { Gateway } from '../domain/gateway.js'
import type { Held, KeeperEvent, Kept, LossReason } from './kept.js'
import { CLOSEST_RENEWALS_MS, renewalTimes, retryPauses } from './schedule.js'

/** After one of these errors it is certain that nothing was made. */
const NOTHING_MADE: ReadonlySet<ErrorCode> = new Set(['REFUSED', 'INVALID_ARGUMENT', 'NO_GATEWAY'])

export class KeptRow<H extends Held> {
  readonly kept: Kept<H>
  readonly #random: () => number
  #held: H | undefined
  #leaseBeganMs = 0
  #renewals: Iterator<number, void> = [][Symbol.iterator]()
  #retries: Iterator<number, never>
  #lostSinceMs: number | undefined
  /** A request got no answer, and may have worked all the same. A later refusal does not disprove that. */
  #isUnanswered = false
  #isAsking = false
  /** When to make or renew it. */
  dueMs = 0

  constructor(kept: Kept<H>, random: () => number) {
    this.kept = kept
    this.#random = random
    this.#retries = retryPauses(random)
  }

  /** What a gateway granted last, even if it is lost. */
  get held(): H | undefined {
    return this.#held
  }

  /** What is granted now, as far as is known. */
  get present(): H | undefined {
    return this.#lostSinceMs === undefined ? this.#held : undefined
  }

  /** Granted, or asked for without an answer so far. */
  get mayBeOpen(): boolean {
    return this.#held !== undefined || this.#isUnanswered || this.#isAsking
  }

  /** It is to be made or renewed at once. */
  beDueNow(nowMs: number): void {
    this.dueMs = nowMs
    this.#retries = retryPauses(this.#random)
  }

  /** It is to be asked for again soon, but not too soon after the last time (RFC 6887 11.2.1). */
  beDueSoon(nowMs: number): void {
    this.dueMs = Math.min(this.dueMs, Math.max(nowMs, this.#leaseBeganMs + CLOSEST_RENEWALS_MS))
  }

  /** Granted, but not what is wanted any more. */
  isOutdated(gateway: Gateway): boolean {
    return this.present !== undefined && this.kept.isCurrent?.(gateway, this.present) === false
  }

  isOver(nowMs: number): boolean {
    return this.present !== undefined && nowMs >= this.endsMs
  }

  /** When its lease ends. */
  get endsMs(): number {
    return this.#leaseBeganMs + (this.#held?.leaseMs ?? 0)
  }

  /** How long it may last if it is not renewed. A request without an answer may have begun a lease just now. */
  lastsForMs(nowMs: number, leaseMs: number): number {
    const leftMs = this.endsMs - nowMs
    return this.#isUnanswered || this.#isAsking ? Math.max(leaseMs, leftMs) : leftMs
  }

  /** Makes or renews it. `onLost` is called if it turns out to be lost. @throws PortMappingError */
  ask(gateway: Gateway, onLost: (reason: LossReason) => void): Promise<H> {
    const { present } = this
    this.#isAsking = true
    return present === undefined ? this.kept.make(gateway) : this.kept.renew(gateway, present, onLost)
  }

  /** Takes note of what was granted. Its lease counts from the request, because it may have begun that early. */
  grant(held: H, askedMs: number, nowMs: number, gateway: Gateway): KeeperEvent<H> {
    const [kept, wasPresent, lostSinceMs] = [this.kept, this.present !== undefined, this.#lostSinceMs]
    this.#held = held
    this.#isUnanswered = false
    this.#isAsking = false
    this.#leaseBeganMs = askedMs
    this.#renewals = renewalTimes(held.leaseMs, this.#random)
    this.#retries = retryPauses(this.#random)
    this.#lostSinceMs = undefined
    this.dueMs = this.#nextRenewal()
    if (lostSinceMs !== undefined) return { type: 'restored', kept, held, afterMs: nowMs - lostSinceMs }
    return wasPresent ? { type: 'renewed', kept, held } : { type: 'mapped', kept, held, gateway }
  }

  #nextRenewal(): number {
    const next = this.#renewals.next()
    return next.done === true ? this.endsMs : this.#leaseBeganMs + next.value
  }

  /** A renewal is tried again on its schedule; what is not there with growing pauses, at once if `wasLost` just now. */
  fail(error: PortMappingError, nowMs: number, wasLost = false): KeeperEvent<H> {
    if (!NOTHING_MADE.has(error.code)) this.#isUnanswered = true
    this.#isAsking = false
    const onSchedule = this.present === undefined ? nowMs : this.#nextRenewal()
    const isOnSchedule = onSchedule > nowMs && Number.isFinite(onSchedule)
    const pauseMs = isOnSchedule ? onSchedule - nowMs : wasLost ? 0 : this.#retries.next().value
    this.dueMs = nowMs + pauseMs
    return { type: 'failed', kept: this.kept, error, againInMs: pauseMs }
  }

  /** Undefined if it was not there, or is already known to be lost. */
  lose(reason: LossReason, nowMs: number): KeeperEvent<H> | undefined {
    if (this.present === undefined) return undefined
    this.#lostSinceMs = Math.min(nowMs, this.endsMs)
    this.beDueNow(nowMs)
    return { type: 'lost', kept: this.kept, reason }
  }

  /** There is no gateway to ask, so nobody knows whether it is still there. */
  doubt(nowMs: number): void {
    if (this.#held !== undefined) this.#lostSinceMs ??= Math.min(nowMs, this.endsMs)
  }

  /** It is closed, or was never ours to close. */
  close(): void {
    this.#held = undefined
    this.#isUnanswered = false
    this.#isAsking = false
  }
}
