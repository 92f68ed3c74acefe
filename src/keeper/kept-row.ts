/** One thing that is kept: what was granted, when it is due, and what became of it. */
import { type ErrorCode, NoReplyError, type PortMappingError, RefusedError } from '../domain/errors.js'
import type { Gateway } from '../domain/gateway.js'
import { type Epoch, hasKeptState } from './changes.js'
import type { Held, KeeperEvent, Kept, LossReason } from './kept.js'
import { CLOSEST_RENEWALS_MS, closestRenewalsMs, RESENDING_PAUSES_MS, renewalTimes, retryPauses } from './schedule.js'

/** After one of these errors it is certain that nothing was made. */
const NOTHING_MADE: ReadonlySet<ErrorCode> = new Set(['REFUSED', 'INVALID_ARGUMENT', 'NO_GATEWAY'])
const NOTHING_SENT: ReadonlySet<ErrorCode> = new Set(['INVALID_ARGUMENT', 'NO_GATEWAY'])

export interface Failure {
  readonly askedMs: number
  readonly nowMs: number
  /** For how long a refusal is believed at most. */
  readonly longestMs: number
  /** Something that was there turned out to be lost. */
  readonly wasLost?: boolean
}

export class KeptRow<H extends Held> {
  readonly kept: Kept<H>
  /** It is removed, and kept no more. */
  isReleased = false
  readonly #random: () => number
  #held: H | undefined
  #leaseBeganMs = 0
  #renewals: Iterator<number, void> = [][Symbol.iterator]()
  #nextRenewalMs = Number.POSITIVE_INFINITY
  #retries: Iterator<number, never>
  #resendings: Iterator<number> = [][Symbol.iterator]()
  #lostSinceMs: number | undefined
  /** It was lost, and not only out of sight. */
  #isGone = false
  /** As the gateway told it when it granted this. */
  #epoch: Epoch | undefined
  /** A request got no answer, and may have worked all the same. A later refusal does not disprove that. */
  #isUnanswered = false
  #isAsking = false
  #wasAsked = false
  /** It is asked for again because nobody can be asked whether it is there. */
  #isForLook = false
  #isOverPcp = false
  #dueMs = 0
  /** When it was asked for last, if the gateway has not lost everything since. */
  #askedMs = Number.NEGATIVE_INFINITY
  /** The external port that was asked for last. */
  #askedPort: number | undefined
  /** Until then the gateway will say no again, if it is asked for the same (RFC 6887 7.4). */
  #refusedUntilMs = Number.NEGATIVE_INFINITY

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

  /** When to make or renew it. Over PCP nothing is asked for twice within 4 s (RFC 6887 11.2.1). */
  get dueMs(): number {
    if (this.kept.externalPort !== this.#askedPort) return this.#dueMs
    const closestMs = this.#isOverPcp ? CLOSEST_RENEWALS_MS : 0
    return Math.max(this.#dueMs, this.#askedMs + closestMs, this.#refusedUntilMs)
  }

  /** It is to be made or renewed at once. What was refused may be granted now. */
  beDueNow(nowMs: number): void {
    this.#dueMs = nowMs
    this.#refusedUntilMs = Number.NEGATIVE_INFINITY
    this.#retries = retryPauses(this.#random)
  }

  /** It is to be asked for again. */
  beDue(nowMs: number): void {
    this.#dueMs = Math.min(this.#dueMs, nowMs)
    this.#isForLook = false
  }

  /** It is to be asked for again soon, but not too soon after the last time. */
  beDueSoon(nowMs: number, isForLook = false): void {
    const soonMs = Math.max(nowMs, this.#askedMs + CLOSEST_RENEWALS_MS)
    if (soonMs >= this.#dueMs) return
    this.#dueMs = soonMs
    this.#isForLook = isForLook
  }

  /** Its renewal waits for that of another one, if that comes before the second renewal would (RFC 6887 11.2.1). */
  renewAfter({ dueMs }: KeptRow<H>): void {
    const leaseMs = this.#held?.leaseMs ?? 0
    if (dueMs <= this.#leaseBeganMs + (leaseMs * 3) / 4) this.#dueMs = Math.max(this.#dueMs, dueMs)
  }

  /** Granted, but not what is wanted any more. */
  isOutdated(gateway: Gateway): boolean {
    return this.present !== undefined && this.kept.isCurrent?.(gateway, this.present) === false
  }

  isOver(nowMs: number): boolean {
    return this.present !== undefined && nowMs >= this.endsMs
  }

  /** Whether it was not there any more when the gateway answered just now, by its lease or the gateway's epoch. */
  wasGone({ epochSeconds }: Gateway, nowMs: number): boolean {
    if (this.#isUnanswered) return false
    if (this.#isGone || nowMs >= this.endsMs) return true
    if (this.#epoch === undefined || epochSeconds === undefined) return false
    // By the rule of NAT-PMP, because that of PCP would count a sleep of this computer too.
    return !hasKeptState('nat-pmp', this.#epoch, { seconds: epochSeconds, heardMs: nowMs })
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
    this.#isOverPcp = gateway.protocol === 'pcp'
    return present === undefined ? this.kept.make(gateway, this.#wasAsked) : this.kept.renew(gateway, present, onLost)
  }

  /** Takes note of what was granted. Its lease counts from the request, because it may have begun that early. */
  grant(held: H, askedMs: number, nowMs: number, gateway: Gateway): KeeperEvent<H> {
    const [kept, wasPresent, lostSinceMs] = [this.kept, this.present !== undefined, this.#lostSinceMs]
    this.#held = held
    const isForLook = this.#isForLook
    this.#isForLook = false
    this.#isUnanswered = false
    this.#isAsking = false
    this.#noteSent(askedMs, nowMs)
    this.#leaseBeganMs = askedMs
    this.#renewals = renewalTimes(held.leaseMs, this.#random, closestRenewalsMs(gateway.protocol, held.leaseMs))
    this.#nextRenewalMs = Number.NEGATIVE_INFINITY
    this.#retries = retryPauses(this.#random)
    this.#resendings = RESENDING_PAUSES_MS[Symbol.iterator]()
    this.#lostSinceMs = undefined
    this.#isGone = false
    this.#epoch = gateway.epochSeconds === undefined ? undefined : { seconds: gateway.epochSeconds, heardMs: nowMs }
    this.#refusedUntilMs = Number.NEGATIVE_INFINITY
    this.#dueMs = this.#renewalAfter(nowMs)
    if (lostSinceMs !== undefined) return { type: 'restored', kept, held, afterMs: nowMs - lostSinceMs }
    return wasPresent ? { type: 'renewed', kept, held, isForLook } : { type: 'mapped', kept, held, gateway }
  }

  /** A first request may have been sent again just now. */
  #noteSent(askedMs: number, nowMs: number): void {
    this.#askedMs = this.#wasAsked ? askedMs : nowMs
    this.#askedPort = this.kept.externalPort
    this.#wasAsked = true
  }

  /** The next of the scheduled renewals, or the end of the lease. */
  #renewalAfter(nowMs: number): number {
    while (this.#nextRenewalMs <= nowMs) {
      const next = this.#renewals.next()
      if (next.done === true) return this.endsMs
      this.#nextRenewalMs = this.#leaseBeganMs + next.value
    }
    return this.#nextRenewalMs
  }

  /**
   * A renewal is tried again on its schedule, and before that if it is one packet that may be lost on the way. What is
   * not there is tried again with growing pauses, at once if it was lost just now.
   */
  fail(error: PortMappingError, { askedMs, nowMs, longestMs, wasLost = false }: Failure): KeeperEvent<H> {
    if (!NOTHING_MADE.has(error.code)) this.#isUnanswered = true
    this.#isAsking = false
    if (!NOTHING_SENT.has(error.code)) this.#noteSent(askedMs, nowMs)
    if (error instanceof RefusedError) {
      this.#refusedUntilMs = nowMs + Math.min(error.lastsSeconds * 1000, longestMs)
    }
    this.#dueMs = this.#againMs(error, nowMs, wasLost)
    return { type: 'failed', kept: this.kept, error, againInMs: this.dueMs - nowMs }
  }

  #againMs(error: PortMappingError, nowMs: number, wasLost: boolean): number {
    if (this.present !== undefined) {
      const isOnePacket = this.#isOverPcp && error instanceof NoReplyError
      const resendingMs = isOnePacket
        ? (this.#resendings.next().value ?? Number.POSITIVE_INFINITY)
        : Number.POSITIVE_INFINITY
      const againMs = Math.min(this.#renewalAfter(nowMs), this.#askedMs + resendingMs)
      if (Number.isFinite(againMs)) return Math.max(againMs, nowMs)
    }
    return wasLost ? nowMs : nowMs + this.#retries.next().value
  }

  /** Undefined if it was not there, or is already known to be lost. */
  lose(reason: LossReason, nowMs: number): KeeperEvent<H> | undefined {
    if (this.present === undefined) return undefined
    this.#lostSinceMs = Math.min(nowMs, this.endsMs)
    this.#isGone = true
    this.beDueNow(nowMs)
    return { type: 'lost', kept: this.kept, reason }
  }

  /** The gateway has restarted at that time, so what was asked for before that is asked for anew. */
  restart(restartedMs: number, nowMs: number): KeeperEvent<H> | undefined {
    if (this.#askedMs <= restartedMs) this.#askedMs = Number.NEGATIVE_INFINITY
    this.beDueNow(nowMs)
    return this.lose('gateway-restarted', nowMs)
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
