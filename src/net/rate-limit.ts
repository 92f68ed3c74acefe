/** Limits how much work others on the network can cause in a second. */
import type { Clock } from './clock.js'

const SECOND_MS = 1000

/** The returned function counts a call, and returns whether it is within the limit of the current second. */
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

/** Runs the task at once for the first call. Calls in the second after that run it once more, when the second ends. */
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
