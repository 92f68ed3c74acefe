/** What others on the network can make us do: so much in a second, and no more. */
import type { Clock } from './clock.js'

/** Whether this one is still within the limit. */
export function limitPerSecond(limit: number, clock: Clock): () => boolean {
  let secondEndsMs = Number.NEGATIVE_INFINITY
  let used = 0
  return () => {
    const nowMs = clock.monotonicMs()
    if (nowMs >= secondEndsMs) {
      secondEndsMs = nowMs + 1000
      used = 0
    }
    used++
    return used <= limit
  }
}
