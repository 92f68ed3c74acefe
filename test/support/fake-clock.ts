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
      const due = [...this.#timers].filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0]
      if (due === undefined) break
      this.#timers.delete(due)
      this.#nowMs = due.at
      due.task()
      await settle()
    }
    this.#nowMs = end
  }
}

/** Lets every promise that can settle without time or I/O do so. */
export async function settle(): Promise<void> {
  for (let round = 0; round < 20; round++) await Promise.resolve()
  await new Promise((resolve) => setImmediate(resolve))
}
