/** Only this file reads a clock or arms a timer. With a Clock of their own, tests are exact and do not wait. */
import { orIgnore } from '../domain/ignored.js'

export interface Clock {
  /** Milliseconds since the Unix epoch; may jump. For showing times to people. */
  wallMs(): number
  /** Milliseconds since an arbitrary moment; never goes back. For deadlines and waits. */
  monotonicMs(): number
  /**
   * Calls `task` once after `delayMs`, unless cancelled by the returned function. A timer in the background does not keep
   * the process alive.
   */
  schedule(delayMs: number, task: () => void, isBackground?: boolean): () => void
}

/** With a delay of more than 24.8 days setTimeout fires at once, and a lease can be longer. */
const MAX_TIMEOUT_MS = 0x7fffffff

export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => Number(process.hrtime.bigint()) / 1e6, // performance.now() takes a millisecond to load
  schedule(delayMs, task, isBackground = false) {
    let timer: NodeJS.Timeout
    const arm = (leftMs: number): void => {
      const stepMs = Math.min(leftMs, MAX_TIMEOUT_MS)
      timer = setTimeout(() => (leftMs > stepMs ? arm(leftMs - stepMs) : orIgnore('timer', '', task)), stepMs)
      if (isBackground) timer.unref()
    }
    arm(delayMs)
    return () => clearTimeout(timer)
  },
}

/** A time of `wallMs`, as programs have it. */
export function dateOf(wallMs: number): Date {
  return new Date(wallMs)
}

/** The same time, with timers in the background. */
export function backgroundClock(clock: Clock): Clock {
  return {
    wallMs: () => clock.wallMs(),
    monotonicMs: () => clock.monotonicMs(),
    schedule: (delayMs, task) => clock.schedule(delayMs, task, true),
  }
}

/** Resolves after `delayMs`, or as soon as the signal aborts; it never rejects. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) {
      resolve()
      return
    }
    const done = (): void => {
      cancel()
      signal?.removeEventListener('abort', done)
      resolve()
    }
    const cancel = clock.schedule(delayMs, done)
    signal?.addEventListener('abort', done, { once: true })
  })
}

/**
 * An AbortController that also aborts after `delayMs` (Infinity: never), or with its parent. `dispose` must be called, or the timer keeps
 * the process alive. (On Node 20 mocked timers do not move AbortSignal.timeout, and AbortSignal.any leaks.)
 */
export interface Deadline {
  readonly signal: AbortSignal
  abort(reason: Error): void
  dispose(): void
}

export function deadlineAfter(clock: Clock, delayMs: number, reason: () => Error, parent?: AbortSignal): Deadline {
  const controller = new AbortController()
  const cancel = delayMs === Infinity ? () => {} : clock.schedule(delayMs, () => controller.abort(reason()))
  const onParent = (): void => controller.abort(parent?.reason)
  if (parent?.aborted) onParent()
  else parent?.addEventListener('abort', onParent, { once: true })
  return {
    signal: controller.signal,
    abort: (error) => controller.abort(error),
    dispose() {
      cancel()
      parent?.removeEventListener('abort', onParent)
    },
  }
}

/** For limits to the work that others on the network can cause. */
export const SECOND_MS = 1000

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

/** For what is asked again and again: what was found last counts for a second. */
export function forASecond<T>(clock: Clock, find: (key: string) => Promise<T>): (key: string) => Promise<T> {
  let last: { readonly key: string; readonly untilMs: number; readonly found: Promise<T> } | undefined
  return (key) => {
    const nowMs = clock.monotonicMs()
    if (last?.key !== key || nowMs >= last.untilMs) last = { key, untilMs: nowMs + SECOND_MS, found: find(key) }
    return last.found
  }
}

/** Runs the task at once for the first call. Calls in the time after that run it once more, when that time ends. */
export class OncePer {
  readonly #clock: Clock
  readonly #periodMs: number
  readonly #task: () => void
  #cancel: (() => void) | undefined
  #again = false

  constructor(clock: Clock, periodMs: number, task: () => void) {
    this.#clock = clock
    this.#periodMs = periodMs
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
    if (this.#periodMs > 0) this.#cancel = this.#clock.schedule(this.#periodMs, () => this.#pass())
    this.#task()
  }
}

/**
 * A clock of `Date` and `setTimeout` alone, as they are when it is asked. So it follows the fake timers of Vitest, Jest
 * and `node:test`, if they fake `Date` too. Do not use it for anything else: it jumps if somebody sets the time.
 *
 * @example
 * vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] })
 * const router = await startEmulator({}, { clock: timersClock })
 * await vi.advanceTimersByTimeAsync(3_600_000) // a lease of an hour is over
 */
export const timersClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => Date.now(),
  schedule(delayMs: number, task: () => void, isBackground = false) {
    const timer = setTimeout(() => orIgnore('timer', '', task), Math.min(delayMs, MAX_TIMEOUT_MS))
    if (isBackground) timer.unref?.() // not all fake timers have it
    return () => clearTimeout(timer)
  },
}
