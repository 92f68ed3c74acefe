/**
 * The time of a simulation: it jumps to the next thing that is due. Every computer has a clock of its own, which stands
 * still while that computer sleeps; only the time of day goes on.
 */
import type { Clock } from '../../src/net/clock.ts'

interface Timer {
  /** In the time of its clock. */
  readonly atMs: number
  /** Timers that are due at the same time fire in the order in which they were armed. */
  readonly order: number
  /** Undefined once it has fired or was cancelled. */
  task: (() => void) | undefined
}

const MIDNIGHT_MS = Date.UTC(2026, 0, 1)

export class Timeline {
  readonly #clocks: ComputerClock[] = []
  #nowMs = 0
  #turns = 0

  get nowMs(): number {
    return this.#nowMs
  }

  /** How many timers have fired. */
  get turns(): number {
    return this.#turns
  }

  newClock(): ComputerClock {
    const clock = new ComputerClock(this)
    this.#clocks.push(clock)
    return clock
  }

  /** Lets time pass, and everything happen that is due in it. `isEnough` ends it early. */
  async pass(ms: number, isEnough: () => boolean = () => false): Promise<void> {
    const endMs = this.#nowMs + ms
    await settled()
    while (!isEnough()) {
      const clock = this.#first()
      const dueMs = clock?.nextMs ?? Number.POSITIVE_INFINITY
      if (clock === undefined || dueMs > endMs) {
        this.#nowMs = endMs
        return
      }
      this.#nowMs = Math.max(this.#nowMs, dueMs)
      this.#turns++
      clock.fire()
      await promisesSettled()
    }
  }

  #first(): ComputerClock | undefined {
    let first: ComputerClock | undefined
    for (const clock of this.#clocks) if (first === undefined || clock.nextMs < first.nextMs) first = clock
    return first
  }
}

/** Everything that happens without time has happened, modules that are loaded late too. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** The same for promises alone, without a round of Node's event loop: it empties their queue before the next tick. */
function promisesSettled(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve))
}

export class ComputerClock implements Clock {
  readonly #timeline: Timeline
  readonly #heap: Timer[] = []
  #order = 0
  #sleptMs = 0
  #awakeFromMs = 0
  #pending = 0

  constructor(timeline: Timeline) {
    this.#timeline = timeline
  }

  wallMs(): number {
    return MIDNIGHT_MS + this.#timeline.nowMs
  }

  monotonicMs(): number {
    return Math.max(this.#timeline.nowMs, this.#awakeFromMs) - this.#sleptMs
  }

  get isAsleep(): boolean {
    return this.#timeline.nowMs < this.#awakeFromMs
  }

  /** How many timers are armed. */
  get pending(): number {
    return this.#pending
  }

  /** The computer sleeps from now on, or for longer if it sleeps already. */
  sleep(ms: number): void {
    const fromMs = Math.max(this.#timeline.nowMs, this.#awakeFromMs)
    const longerMs = Math.max(0, this.#timeline.nowMs + ms - fromMs)
    this.#awakeFromMs = fromMs + longerMs
    this.#sleptMs += longerMs
  }

  /** In whole milliseconds, and at least one, as Node's timers: so time always goes on. */
  schedule(delayMs: number, task: () => void): () => void {
    const timer: Timer = { atMs: this.monotonicMs() + Math.max(1, Math.ceil(delayMs)), order: this.#order++, task }
    this.#pending++
    this.#push(timer)
    return () => {
      if (timer.task !== undefined) this.#pending--
      timer.task = undefined
    }
  }

  /** In the time of the simulation. */
  get nextMs(): number {
    for (;;) {
      const [top] = this.#heap
      if (top === undefined) return Number.POSITIVE_INFINITY
      if (top.task !== undefined) return top.atMs + this.#sleptMs
      this.#pop()
    }
  }

  /** Fires the timer that is due next. */
  fire(): void {
    const timer = this.#pop()
    const task = timer?.task
    if (timer === undefined || task === undefined) return
    timer.task = undefined
    this.#pending--
    task()
  }

  #push(timer: Timer): void {
    const heap = this.#heap
    let at = heap.length
    while (at > 0) {
      const parent = (at - 1) >> 1
      const above = heap[parent]
      if (above === undefined || isBefore(above, timer)) break
      heap[at] = above
      at = parent
    }
    heap[at] = timer
  }

  #pop(): Timer | undefined {
    const heap = this.#heap
    const [top] = heap
    const last = heap.pop()
    if (last === undefined || last === top) return top
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      const [left, right] = [heap[child], heap[child + 1]]
      if (left === undefined) break
      let smaller = left
      if (right !== undefined && isBefore(right, left)) {
        smaller = right
        child++
      }
      if (isBefore(last, smaller)) break
      heap[at] = smaller
      at = child
    }
    heap[at] = last
    return top
  }
}

function isBefore(one: Timer, other: Timer): boolean {
  return one.atMs < other.atMs || (one.atMs === other.atMs && one.order < other.order)
}
