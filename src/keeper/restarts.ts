/**
 * Whether a gateway that tells its epoch has begun anew between two answers. One whose epoch makes no sense would seem to
 * do that ever on, so restarts that come fast are believed ever more seldom.
 */
import type { Gateway } from '../domain/gateway.js'
import { type Epoch, hasKeptState } from './schedule.js'

/** No router is faster. */
const LEAST_GAP_MS = 5000
const LONGEST_GAP_MS = 1_800_000
/** After so long without one the next is believed at once again. */
const CALM_MS = 600_000

export class Restarts {
  #epoch: Epoch | undefined
  #lastMs = Number.NEGATIVE_INFINITY
  #gapMs = LEAST_GAP_MS

  /** The next answer is taken as it is: from another gateway, or after nobody knows how long. */
  forget(): void {
    this.#epoch = undefined
  }

  /** An answer has come. Returns whether the gateway has lost its state. */
  notice({ epochSeconds: seconds, protocol }: Gateway, nowMs: number): boolean {
    if (seconds === undefined || protocol === 'igd') return false
    const [previous, now] = [this.#epoch, { seconds, heardMs: nowMs }]
    const isRestart = previous !== undefined && !hasKeptState(protocol, previous, now)
    if (isRestart && nowMs < this.#lastMs + this.#gapMs) return false // the epoch before it tells of it later
    this.#epoch = now
    if (isRestart) this.#believe(nowMs)
    return isRestart
  }

  #believe(nowMs: number): void {
    const isCalm = nowMs - this.#lastMs > 2 * this.#gapMs + CALM_MS
    this.#gapMs = isCalm ? LEAST_GAP_MS : Math.min(2 * this.#gapMs, LONGEST_GAP_MS)
    this.#lastMs = nowMs
  }
}
