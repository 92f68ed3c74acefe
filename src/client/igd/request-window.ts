/**
 * How many questions a gateway gets at once: a window that opens only while it keeps up, as TCP's congestion window does
 * (RFC 5681 3.1). It starts at 1 and grows by 1 with every answer, so it doubles in each round. A sign that the gateway
 * does not keep up shuts it to 1, and it opens to half of what was too much from then on. A question that failed beside
 * others is asked again alone, so only questions that change nothing may go through here.
 */
import { PortMappingError, RefusedError } from '../../domain/errors.js'
import { UPNP_ERRORS } from '../../domain/upnp-errors.js'

/**
 * No more than may wait to be accepted by a daemon that listens with a backlog of 5, as miniupnpd does: Linux lets 6 wait and
 * drops the next one, whose connection then takes a second longer (seen in the lab with 8: a listing of 3.9 s).
 */
export const MAX_SIDE_BY_SIDE = 6
/** Where an answer takes its time, and no longer for others being under way: there is something to be gained, and room. */
export const MAX_AT_A_SLOW_ONE = 16
const SLOW_MS = 3
const MUCH_LONGER = 2

/**
 * Refusals that a gateway under load may send although the question is a good one: Action Failed, Out of Memory (UDA 1.1
 * table 3-3). Others are its answer. No answer at all, or one that makes no sense, is the sign of most: Ubee EVW32C and
 * ZTE F660 close the connection, others answer HTTP 500 with a web page, or with silence.
 */
const REFUSALS_UNDER_LOAD: ReadonlySet<number> = new Set([UPNP_ERRORS.ActionFailed, UPNP_ERRORS.OutOfMemory])

/** Asks once, and lets what it is given know how that went: as in HttpRequest. */
export type Question<T> = (watch: Watch) => Promise<T>

interface Watch {
  /** True to ask again at once. */
  onReset(): boolean
  onReply(tookMs: number): void
}

export class RequestWindow {
  #size = 1
  #ceiling: number = MAX_AT_A_SLOW_ONE
  /** What an answer takes at least, and what the last one took. */
  #leastMs = 0
  #lastMs = 0
  #underWay = 0
  #closings = 0
  readonly #again: (() => void)[] = []
  readonly #waiting: (() => void)[] = []

  /** How many may be under way. */
  get size(): number {
    return this.#size
  }

  /** In the order in which they are asked for; @throws what the question throws where it was alone */
  async ask<T>(question: Question<T>): Promise<T> {
    let queue = this.#waiting
    for (;;) {
      await this.#turn(queue)
      const isAlone = this.#size === 1
      const closings = this.#closings
      try {
        const answer = await question({
          onReset: () => {
            if (isAlone) this.#close()
            return isAlone
          },
          onReply: (tookMs) => {
            this.#leastMs = Math.min(this.#leastMs || tookMs, tookMs)
            this.#lastMs = tookMs
          },
        })
        if (closings === this.#closings) this.#open()
        return answer
      } catch (error) {
        if (!isSignOfLoad(error)) throw error
        if (closings === this.#closings) this.#close() // the others of that round say nothing new
        if (isAlone) throw error
      } finally {
        this.#underWay--
        queue = this.#again
        // What failed takes its place in the queue before others go on.
        queueMicrotask(() => this.#start())
      }
    }
  }

  #turn(queue: (() => void)[]): Promise<void> | undefined {
    if (this.#underWay < this.#size && this.#again.length + this.#waiting.length === 0) {
      this.#underWay++
      return undefined
    }
    return new Promise((resolve) => queue.push(resolve))
  }

  #start(): void {
    while (this.#underWay < this.#size) {
      const next = this.#again.shift() ?? this.#waiting.shift()
      if (next === undefined) return
      this.#underWay++
      next()
    }
  }

  #open(): void {
    const isSlowAnyway = this.#leastMs >= SLOW_MS && this.#lastMs <= this.#leastMs * MUCH_LONGER
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
