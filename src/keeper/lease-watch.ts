/** Notices the end of a lease at its time, also while an answer is awaited. */
import type { Clock } from '../net/clock.js'
import type { Held } from './kept.js'
import type { KeptRow } from './kept-row.js'

export class LeaseWatch<H extends Held> {
  readonly #clock: Clock
  readonly #rows: readonly KeptRow<H>[]
  readonly #onEnd: (row: KeptRow<H>) => void
  /** When the timer fires. The lease for which it was set may have been renewed by then. */
  #nextMs = Number.POSITIVE_INFINITY
  #cancel = (): void => {}
  #isOver = false

  constructor(clock: Clock, rows: readonly KeptRow<H>[], onEnd: (row: KeptRow<H>) => void) {
    this.#clock = clock
    this.#rows = rows
    this.#onEnd = onEnd
  }

  /** A lease has begun that ends then. */
  add(endsMs: number): void {
    if (this.#isOver || endsMs >= this.#nextMs) return
    this.#cancel()
    this.#nextMs = endsMs
    this.#cancel = this.#clock.schedule(Math.max(0, endsMs - this.#clock.monotonicMs()), () => this.#look())
  }

  end(): void {
    this.#isOver = true
    this.#cancel()
  }

  #look(): void {
    const nowMs = this.#clock.monotonicMs()
    this.#nextMs = Number.POSITIVE_INFINITY
    let firstMs = Number.POSITIVE_INFINITY
    for (const row of this.#rows) {
      if (row.isOver(nowMs)) this.#onEnd(row)
      else if (row.present !== undefined) firstMs = Math.min(firstMs, row.endsMs)
    }
    this.add(firstMs)
  }
}
