/** One thing that is kept: what has been granted, when it is due, and what has become of it. */
import type { ErrorCode, PortMappingError } from '../domain/errors.js'
import type { Gateway } from '../domain/gateway.js'
import type { Held, KeeperEvent, Kept, LossReason } from './kept.js'
import { renewalTimes, retryPauses } from './schedule.js'

/** After these it is certain that nothing was made. */
const NOTHING_MADE: ReadonlySet<ErrorCode> = new Set(['REFUSED', 'INVALID_ARGUMENT', 'NO_GATEWAY'])

export class KeptRow<H extends Held, G extends Gateway> {
  readonly kept: Kept<H, G>
  readonly #random: () => number
  #held: H | undefined
  #leaseBeganMs = 0
  #renewals: Iterator<number, void> = [][Symbol.iterator]()
  #retries: Iterator<number, never>
  #lostSinceMs: number | undefined
  /** What was asked for in vain, and may have been made all the same: no later refusal tells that it was not. */
  #isUnanswered = false
  #isAsking = false
  /** When it is to be made or renewed. */
  dueMs = 0

  constructor(kept: Kept<H, G>, random: () => number) {
    this.kept = kept
    this.#random = random
    this.#retries = retryPauses(random)
  }

  /** What a gateway has granted last, also where it is lost. */
  get held(): H | undefined {
    return this.#held
  }

  /** What is granted, as far as is known. */
  get present(): H | undefined {
    return this.#lostSinceMs === undefined ? this.#held : undefined
  }

  /** Granted, or asked for without an answer. */
  get mayBeOpen(): boolean {
    return this.#held !== undefined || this.#isUnanswered || this.#isAsking
  }

  /** Made, made again or renewed at once. */
  beDueNow(nowMs: number): void {
    this.dueMs = nowMs
    this.#retries = retryPauses(this.#random)
  }

  /** Granted, and not what is wanted any more. */
  isOutdated(gateway: G): boolean {
    return this.present !== undefined && this.kept.isCurrent?.(gateway, this.present) === false
  }

  isOver(nowMs: number): boolean {
    return this.present !== undefined && nowMs >= this.#endsMs
  }

  get #endsMs(): number {
    return this.#leaseBeganMs + (this.#held?.leaseMs ?? 0)
  }

  /** Makes or renews it. @throws PortMappingError */
  ask(gateway: G): Promise<H> {
    const { present } = this
    this.#isAsking = true
    return present === undefined ? this.kept.make(gateway) : this.kept.renew(gateway, present)
  }

  /** Its lease may have begun as early as it was asked for. */
  grant(held: H, askedMs: number, nowMs: number, gateway: G): KeeperEvent<H> {
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
    return next.done === true ? this.#endsMs : this.#leaseBeganMs + next.value
  }

  /**
   * A renewal is tried again on its schedule, while the lease lasts; what is not there, with growing pauses, the first
   * of which is none where it was there until now (`wasLost`).
   */
  fail(error: PortMappingError, nowMs: number, wasLost = false): KeeperEvent<H> {
    if (!NOTHING_MADE.has(error.code)) this.#isUnanswered = true
    this.#isAsking = false
    const onSchedule = this.present === undefined ? nowMs : this.#nextRenewal()
    const isOnSchedule = onSchedule > nowMs && Number.isFinite(onSchedule)
    const pauseMs = isOnSchedule ? onSchedule - nowMs : wasLost ? 0 : this.#retries.next().value
    this.dueMs = nowMs + pauseMs
    return { type: 'failed', kept: this.kept, error, againInMs: pauseMs }
  }

  /** Undefined where it was not there, or is known to be lost. */
  lose(reason: LossReason, nowMs: number): KeeperEvent<H> | undefined {
    if (this.present === undefined) return undefined
    this.#lostSinceMs = nowMs
    this.beDueNow(nowMs)
    return { type: 'lost', kept: this.kept, reason }
  }

  /** Nobody can be asked about it: whether it is still there will be seen. */
  doubt(nowMs: number): void {
    if (this.#held !== undefined) this.#lostSinceMs ??= nowMs
  }

  /** It is closed, or was never this one's to close. */
  close(): void {
    this.#held = undefined
    this.#isUnanswered = false
    this.#isAsking = false
  }
}
