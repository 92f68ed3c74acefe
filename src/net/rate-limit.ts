/** What others on the network can make us do: so much in a second, and no more. */
import type { Clock } from './clock.js'

const SECOND_MS = 1000

/** Whether this one is still within the limit. */
export function limitPerSecond(limit: number, clock: Clock): () => boolean {
  let secondEndsMs = Number.NEGATIVE_INFINITY
  let used = 0
  return () => {
    const nowMs = clock.monotonicMs()
    if (nowMs >= secondEndsMs) {
      secondEndsMs = nowMs + SECOND_MS
      used = 0
    }
    used++
    return used <= limit
  }
}

/** The first one at once, what comes in the second after it at its end, as one. */
export class OncePerSecond {
  readonly #clock: Clock
  readonly #task: () => void
  #cancel: (() => void) | undefined
  #again = false

  constructor(clock: Clock, task: () => void) {
    this.#clock = clock
    this.#task = task
  }

  tell(): void {
    this.#again = true
    if (this.#cancel === undefined) this.#pass()
  }

  cancel(): void {
    this.#cancel?.()
  }

  #pass(): void {
    this.#cancel = undefined
    if (!this.#again) return
    this.#again = false
    this.#cancel = this.#clock.schedule(SECOND_MS, () => this.#pass())
    this.#task()
  }
}
