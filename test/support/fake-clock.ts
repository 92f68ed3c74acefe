/** A clock that stands still until a test moves it; timers fire in order, each at its own time. */
import type { Clock } from '../../src/net/clock.ts'

interface Timer {
  readonly at: number
  readonly task: () => void
}

export class FakeClock implements Clock {
  #nowMs = 0
  #wallOffsetMs: number
  readonly #timers = new Set<Timer>()

  constructor(wallStartMs = Date.UTC(2026, 0, 1)) {
    this.#wallOffsetMs = wallStartMs
  }

  wallMs(): number {
    return this.#wallOffsetMs + this.#nowMs
  }

  monotonicMs(): number {
    return this.#nowMs
  }

  schedule(delayMs: number, task: () => void): () => void {
    const timer = { at: this.#nowMs + Math.max(0, delayMs), task }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  /** How many timers are armed: 0 when everything has been cleaned up. */
  get pending(): number {
    return this.#timers.size
  }

  /** Moves time forward, firing what is due on the way; lets promises settle before and after every timer. */
  async advance(ms: number): Promise<void> {
    const end = this.#nowMs + ms
    await settle()
    for (;;) {
      const due = this.#next()
      if (due === undefined || due.at > end) break
      this.#timers.delete(due)
      this.#nowMs = due.at
      due.task()
      await settle()
    }
    this.#nowMs = end
  }

  /** The computer is asleep: only the clock on the wall goes on. */
  sleep(ms: number): void {
    this.#wallOffsetMs += ms
  }

  /** Of two for the same moment, the one that was armed first. */
  #next(): Timer | undefined {
    let next: Timer | undefined
    for (const timer of this.#timers) if (next === undefined || timer.at < next.at) next = timer
    return next
  }
}

/** Lets every promise that can settle without time or I/O do so. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve)) // which comes after all promises
}
