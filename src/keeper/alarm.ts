/** A sleep that can be ended early, for one sleeper at a time. */
import type { Clock } from '../net/clock.js'

export class Alarm {
  readonly #clock: Clock
  #end: () => void = () => {}
  #isOff = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** True once it was turned off: sleep() returns at once from then on. */
  get isOff(): boolean {
    return this.#isOff
  }

  /** Sleeps until the time is over or the alarm rings. If the time is infinite, only the alarm ends the sleep. */
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

/** Waits for the work, but no longer than `limitMs`. The work itself goes on. */
export async function within(clock: Clock, limitMs: number, work: Promise<void>): Promise<void> {
  let cancel = (): void => {}
  const tooLong = new Promise<void>((resolve) => {
    cancel = clock.schedule(limitMs, resolve)
  })
  await Promise.race([work, tooLong]).finally(cancel)
}
