/**
 * Output for a program that must not wait for whoever reads it: a log that is full, a terminal after Ctrl-S. What cannot
 * be written now is kept up to a bound, and tried again; what comes beyond that is dropped and counted.
 */
import { fstatSync } from 'node:fs'
import { isatty } from 'node:tty'
import { type Clock, sleep, systemClock } from './clock.js'
import { type Sink, sinkFor } from './sink.js'

const KEPT_BYTES = 64 * 1024
/** Between two tries. */
const [SHORTEST_PAUSE_MS, LONGEST_PAUSE_MS] = [50, 1000]
/** At the end a reader has so much time, from when it last took anything. */
const LAST_WAIT_MS = 500
const LAST_PAUSE_MS = 10

/** One line about lines that were dropped, with its end. */
export type DroppedLine = (count: number) => string

export class PatientOutput {
  readonly isTTY: boolean
  readonly #columns: () => number | undefined
  readonly #clock: Clock
  readonly #sink: Sink
  readonly #droppedLine: DroppedLine
  readonly #listeners: ((error: Error) => void)[] = []
  #kept: Uint8Array = new Uint8Array()
  #dropped = 0
  #isBroken = false
  #isOver = false
  #pauseMs = SHORTEST_PAUSE_MS
  #cancelRetry: (() => void) | undefined
  /** When the sink last took anything, if it did not take everything. */
  #fullSinceMs: number | undefined

  constructor(sink: Sink, { clock, droppedLine, isTTY = false, columns = () => undefined }: PatientOptions) {
    this.#sink = sink
    this.#clock = clock
    this.#droppedLine = droppedLine
    this.isTTY = isTTY
    this.#columns = columns
  }

  /** Of a terminal. */
  get columns(): number | undefined {
    return this.#columns()
  }

  /** Whether whoever writes there directly would have to wait. */
  get isFull(): boolean {
    return this.#kept.length > 0
  }

  /** An error other than that the sink is full: nothing is written from then on. */
  on(_event: 'error', listener: (error: Error) => void): void {
    this.#listeners.push(listener)
  }

  write(text: string): void {
    if (this.#isBroken) return
    const bytes = Buffer.from(text)
    // Once a line is dropped, so are all until there is room for the line that says so.
    const fits = this.#kept.length === 0 || this.#kept.length + bytes.length <= KEPT_BYTES
    if (this.#dropped > 0 || !fits) this.#dropped += text.split('\n').length - 1
    else this.#kept = Buffer.concat([this.#kept, bytes])
    this.#flush()
  }

  /** Gives the reader a moment to take what is left. Nothing is written after that. */
  async end(): Promise<void> {
    if (this.#isOver) return
    this.#isOver = true
    this.#cancelRetry?.()
    this.#flush()
    const endMs = (this.#fullSinceMs ?? this.#clock.monotonicMs()) + LAST_WAIT_MS
    const waits = async (isTaken: () => boolean): Promise<void> => {
      while (!isTaken() && this.#clock.monotonicMs() < endMs) {
        await sleep(this.#clock, LAST_PAUSE_MS)
        this.#flush()
      }
    }
    await waits(() => this.#kept.length === 0)
    this.#sink.finish()
    await waits(() => !this.#sink.isBusy)
    this.#isBroken = true
    this.#sink.close()
  }

  #flush(): void {
    try {
      while (this.#kept.length > 0) {
        const taken = this.#sink.take(this.#kept)
        if (taken > 0) this.#pauseMs = SHORTEST_PAUSE_MS
        if (taken > 0 || this.#fullSinceMs === undefined) this.#fullSinceMs = this.#clock.monotonicMs()
        if (taken === 0) {
          this.#retry()
          return
        }
        this.#kept = this.#kept.subarray(taken)
        if (this.#kept.length > 0 || this.#dropped === 0) continue
        this.#kept = Buffer.from(this.#droppedLine(this.#dropped))
        this.#dropped = 0
      }
      this.#fullSinceMs = undefined
    } catch (error) {
      this.#isBroken = true
      this.#kept = new Uint8Array()
      for (const listener of this.#listeners) listener(error instanceof Error ? error : new Error(String(error)))
    }
  }

  #retry(): void {
    if (this.#cancelRetry !== undefined || this.#isOver) return
    this.#cancelRetry = this.#clock.schedule(this.#pauseMs, () => {
      this.#cancelRetry = undefined
      this.#pauseMs = Math.min(2 * this.#pauseMs, LONGEST_PAUSE_MS)
      this.#flush()
    })
  }
}

export interface PatientOptions {
  readonly clock: Clock
  readonly droppedLine: DroppedLine
  readonly isTTY?: boolean
  readonly columns?: () => number | undefined
}

/** The standard output and the standard error of this process. If both are the same file, so is their order. */
export function patientStreams(droppedLine: DroppedLine, clock: Clock = systemClock) {
  const open = (descriptor: 1 | 2): PatientOutput => {
    const isTTY = isatty(descriptor)
    const columns = (): number | undefined =>
      isTTY ? process[descriptor === 1 ? 'stdout' : 'stderr'].columns : undefined
    return new PatientOutput(sinkFor(descriptor), { clock, droppedLine, isTTY, columns })
  }
  const stdout = open(1)
  const stderr = isSameFile(1, 2) ? stdout : open(2)
  const end = async (): Promise<void> => void (await Promise.all([stdout.end(), stderr.end()]))
  return { stdout, stderr, end }
}

function isSameFile(...descriptors: readonly [number, number]): boolean {
  const [one, other] = descriptors.map((descriptor) => fstatSync(descriptor))
  return one?.dev === other?.dev && one?.ino === other?.ino
}
