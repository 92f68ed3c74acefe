/** A sleep that can be ended early, for one sleeper at a time. */
import { type Clock, sleep } from '../net/clock.js'

export class Alarm {
  readonly #clock: Clock
  #sleeper = new AbortController()
  #isOff = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** True once it was turned off: sleep() returns at once from then on. */
  get isOff(): boolean {
    return this.#isOff
  }

  /** Sleeps until the time is over or the alarm rings. */
  async sleep(delayMs: number): Promise<void> {
    if (this.#isOff) return
    this.#sleeper = new AbortController()
    await sleep(this.#clock, Math.max(0, delayMs), this.#sleeper.signal)
  }

  ring(): void {
    this.#sleeper.abort()
  }

  turnOff(): void {
    this.#isOff = true
    this.ring()
  }
}

/** Waits for the work, but no longer than `limitMs`. The work itself goes on. */
export async function within(clock: Clock, limitMs: number, work: Promise<void>): Promise<void> {
  const over = new AbortController()
  await Promise.race([work, sleep(clock, limitMs, over.signal)]).finally(() => over.abort())
}
