/**
 * How many questions a gateway gets at once: a window that opens while the gateway keeps up, as TCP's congestion window
 * does (RFC 5681 3.1). It starts at 1 and grows by 1 with every answer, so it doubles in each round. At a sign that the
 * gateway does not keep up it shuts to 1, and from then on opens to half of what was too much. A question that failed
 * beside others is asked again alone, so only questions that change nothing may go through here. A gateway that takes
 * very long over its answers, and longer if others are under way, does one thing at a time, and is asked so.
 */
import { NoReplyError, PortMappingError, RefusedError } from '../../domain/errors.js'
import { UPNP_ERRORS } from '../../domain/upnp-errors.js'

/**
 * miniupnpd listens with a backlog of 5. Linux then lets 6 connections wait and drops the next one, which takes a
 * second longer (seen in the lab with 8: a listing of 3.9 s).
 */
export const MAX_SIDE_BY_SIDE = 6
/** For a gateway whose answers are slow, but no slower when others are under way: more at once gains time. */
export const MAX_AT_A_SLOW_ONE = 16
const SLOW_MS = 3
const MUCH_LONGER = 2
/** Gateways that take so long may do one thing at a time (a FiberGateway took 1.6 s for each row of a list). */
const VERY_SLOW_MS = 500
/** In such a gateway the second question waits for the first: its answer takes twice as long. */
const LONGER = 1.5
/** How long the gateway may answer none of several questions. The one that is silent is then asked again alone. */
const SILENCE_BESIDE_OTHERS_MS = 5000

/**
 * A gateway under load may refuse a good question with these: Action Failed, Out of Memory (UDA 1.1 table 3-3). Any
 * other refusal is its answer. Most show load by no answer, or one that makes no sense: Ubee EVW32C and ZTE F660 close
 * the connection, others answer HTTP 500 with a web page, or stay silent.
 */
const REFUSALS_UNDER_LOAD: ReadonlySet<number> = new Set([UPNP_ERRORS.ActionFailed, UPNP_ERRORS.OutOfMemory])

/** A question reports to it how it went, and learns how long it may take, as in HttpRequest. */
interface Watch {
  /** Returns true to ask again at once. */
  onReset(): boolean
  onReply(tookMs: number, nowMs: number): void
  freeSinceMs(): number
  readonly silenceMs?: number
}

/** Who waits for a place in the window. The first place is 1. */
type Queue = ((place: number) => void)[]

export class RequestWindow {
  #size = 1
  #ceiling: number = MAX_AT_A_SLOW_ONE
  /** The shortest time that an answer took, since the last one that was asked for alone. */
  #leastMs = 0
  #answeredAtMs = 0
  #underWay = 0
  #begun = 0
  #closings = 0
  readonly #again: Queue = []
  readonly #waiting: Queue = []

  /** How many questions may be under way. */
  get size(): number {
    return this.#size
  }

  /** Questions are asked in order. @throws what the question throws if it was alone */
  async ask<T>(question: (watch: Watch) => Promise<T>): Promise<T> {
    let queue = this.#waiting
    for (;;) {
      const place = await this.#turn(queue)
      const isAlone = this.#size === 1
      const isLastOfFull = place === this.#size
      const closings = this.#closings
      const begun = ++this.#begun
      let answerMs = 0
      try {
        const answer = await question({
          onReset: () => {
            if (isAlone) this.#close()
            return isAlone
          },
          onReply: (tookMs, nowMs) => {
            this.#leastMs = isAlone ? tookMs : Math.min(this.#leastMs || tookMs, tookMs)
            answerMs = tookMs
            this.#answeredAtMs = nowMs
          },
          freeSinceMs: () => this.#answeredAtMs,
          ...(place === 1 ? {} : { silenceMs: SILENCE_BESIDE_OTHERS_MS }),
        })
        if (closings === this.#closings) this.#open(answerMs, isLastOfFull)
        return answer
      } catch (error) {
        if (!isSignOfLoad(error)) throw error
        if (closings === this.#closings) this.#close() // the others of that round say nothing new
        const wasAlone = place === 1 && begun === this.#begun
        if (isAlone || (wasAlone && error instanceof NoReplyError)) throw error
      } finally {
        this.#underWay--
        queue = this.#again
        // A question that failed joins the queue before others go on.
        queueMicrotask(() => this.#start())
      }
    }
  }

  #turn(queue: Queue): Promise<number> | number {
    if (this.#underWay < this.#size && this.#again.length + this.#waiting.length === 0) return ++this.#underWay
    return new Promise((resolve) => queue.push(resolve))
  }

  #start(): void {
    while (this.#underWay < this.#size) {
      const next = this.#again.shift() ?? this.#waiting.shift()
      if (next === undefined) return
      next(++this.#underWay)
    }
  }

  /** Only the last question of a full window shows what the others cost it. */
  #open(tookMs: number, wasLastOfFull: boolean): void {
    if (tookMs >= VERY_SLOW_MS) {
      const isMuchLonger = tookMs > this.#leastMs * LONGER
      if (isMuchLonger) this.#close()
      if (isMuchLonger || !wasLastOfFull || tookMs >= SILENCE_BESIDE_OTHERS_MS) return
    }
    const isSlowAnyway = this.#leastMs >= SLOW_MS && tookMs <= this.#leastMs * MUCH_LONGER
    const most = Math.min(this.#ceiling, isSlowAnyway ? MAX_AT_A_SLOW_ONE : MAX_SIDE_BY_SIDE)
    if (this.#again.length === 0 && this.#size < most) this.#size++
  }

  #close(): void {
    this.#closings++
    this.#ceiling = Math.max(1, Math.floor(this.#size / 2))
    this.#size = 1
  }
}

function isSignOfLoad(error: unknown): boolean {
  return error instanceof RefusedError ? REFUSALS_UNDER_LOAD.has(error.number) : error instanceof PortMappingError
}
