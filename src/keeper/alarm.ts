/** A sleep that can be ended early; one at a time. */
import type { Clock } from '../net/clock.js'

export class Alarm {
  readonly #clock: Clock
  #end: () => void = () => {}
  #isOff = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Nobody sleeps any more. */
  get isOff(): boolean {
    return this.#isOff
  }

  /** Until the time is over, or it rings. For ever where the time is infinite and it does not ring. */
  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      if (this.#isOff) {
        resolve()
        return
      }
      const isForEver = delayMs === Number.POSITIVE_INFINITY
      const cancel = isForEver ? () => {} : this.#clock.schedule(Math.max(0, delayMs), () => this.#end())
      this.#end = () => {
        cancel()
        this.#end = () => {}
        resolve()
      }
    })
  }

  ring(): void {
    this.#end()
  }

  turnOff(): void {
    this.#isOff = true
    this.#end()
  }
}

/** Waits for work, and not longer than that; the work goes on. */
export async function within(clock: Clock, limitMs: number, work: Promise<void>): Promise<void> {
  let cancel = (): void => {}
  const tooLong = new Promise<void>((resolve) => {
    cancel = clock.schedule(limitMs, resolve)
  })
  await Promise.race([work, tooLong]).finally(cancel)
}
