/** The end. One thing at a time: a router answers in 2 ms, so several at a time would gain nothing. */
import { NoReplyError, type PortMappingError } from '../domain/errors.js'
import type { Gateway } from '../domain/gateway.js'
import type { Clock } from '../net/clock.js'
import { failureOf, type Held, type KeeperEvent } from './kept.js'
import type { KeptRow } from './kept-row.js'
import { Alarm } from './schedule.js'

/** How long to wait for what is being made when the end comes. */
export const LAST_TURN_MS = 800
/** After this long without an answer the removal ends: if the gateway is gone, the end takes less than 2 s. */
const LONGEST_SILENCE_MS = 1000
/** With so many the end takes longer anyway, and a router that drops what is too much for it answers a second later. */
const MANY = 100
const LONGEST_SILENCE_OF_MANY_MS = 2500
/** The limit for the whole end, however well the gateway answers: container runtimes kill after 10 s. */
export const LONGEST_END_MS = 8000

export interface RemovalOptions<H extends Held> {
  readonly clock: Clock
  readonly rows: readonly KeptRow<H>[]
  readonly gateway: Gateway
  readonly onEvent: (event: KeeperEvent<H>) => void
  /** When the removal ends, however well the gateway answers. */
  readonly endsMs: number
}

export class Removal<H extends Held> {
  readonly #options: RemovalOptions<H>
  readonly #errors = new Map<KeptRow<H>, PortMappingError>()
  #answeredMs: number
  #isOver = false

  constructor(options: RemovalOptions<H>) {
    this.#options = options
    this.#answeredMs = options.clock.monotonicMs()
  }

  /** `unfinished` is what was being made when the end came. What it makes is removed too. */
  async run(unfinished: Promise<void>): Promise<void> {
    const { clock, rows, onEvent } = this.#options
    const alarm = new Alarm(clock)
    const work = this.#removeAll()
      .then(() => unfinished)
      .then(() => this.#removeAll())
    await Promise.race([work, this.#outOfPatience(alarm)]).finally(() => alarm.turnOff())
    this.#isOver = true
    for (const row of rows.filter(({ mayBeOpen }) => mayBeOpen)) {
      const { kept } = row
      if (kept.leftForMs === undefined) {
        const error = this.#errors.get(row) ?? new NoReplyError('the gateway did not answer in time')
        onEvent({ type: 'not-removed', kept, error })
        continue
      }
      const endsInMs = row.lastsForMs(clock.monotonicMs(), kept.leftForMs)
      if (endsInMs > 0) onEvent({ type: 'ends-with-lease', kept, endsInMs })
    }
  }

  async #outOfPatience(alarm: Alarm): Promise<void> {
    const { clock, endsMs, rows } = this.#options
    const longestMs = rows.length > MANY ? LONGEST_SILENCE_OF_MANY_MS : LONGEST_SILENCE_MS
    while (!alarm.isOff) {
      const leftMs = Math.min(endsMs, this.#answeredMs + longestMs) - clock.monotonicMs()
      if (leftMs <= 0) return
      await alarm.sleep(leftMs)
    }
  }

  async #removeAll(): Promise<void> {
    for (const row of this.#options.rows) {
      if (this.#isOver) return
      if (row.mayBeOpen) await this.#remove(row)
    }
  }

  async #remove(row: KeptRow<H>): Promise<void> {
    const { kept, held } = row
    if (kept.leftForMs !== undefined) return
    try {
      const { clock, gateway, onEvent } = this.#options
      const removed = await kept.remove(gateway, held, () => this.#hear())
      if (this.#isOver) return
      this.#hear()
      const wasGone = removed === 'gone' || row.wasGone(gateway, clock.monotonicMs())
      row.close()
      // A request without an answer may have opened something, which is closed too. It was never reported as open.
      if (removed !== 'not-own' && held !== undefined) onEvent({ type: 'removed', kept, ...(wasGone && { wasGone }) })
    } catch (thrown) {
      const error = failureOf(thrown, kept.name)
      if (error.code === 'REFUSED') this.#hear()
      this.#errors.set(row, error)
    }
  }

  #hear(): void {
    this.#answeredMs = this.#options.clock.monotonicMs()
  }
}
