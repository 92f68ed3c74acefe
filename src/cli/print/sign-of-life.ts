/**
 * The sign of life: one line on stderr that says what the command waits for, and counts. It is there while nothing is
 * printed, on a terminal only, and is erased before anything else is.
 */
import type { Clock } from '../../net/clock.js'
import type { GatewayInvocation } from '../parse/invocation.js'
import type { Report } from '../report.js'
import { Awaited } from './awaited.js'
import { cleaned } from './clean.js'
import { beginningOf, columnsOf } from './columns.js'

/** So much silence is no reason to say anything. */
export const SILENCE_MS = 300
/** Between two looks at the clock. */
const TICK_MS = 250
const USUAL_COLUMNS = 80

/** Where the line is written. */
export interface SignPlace {
  write(text: string): unknown
}

export interface SignOptions {
  readonly clock: Clock
  readonly invocation: GatewayInvocation
  /** The names of the interfaces on which a router is searched for. */
  readonly interfaces: () => readonly string[]
  /** Called once, when there is something to say. Undefined if nobody is to see it. */
  readonly open: (sign: SignOfLife) => Promise<SignPlace | undefined>
  /** The width of the terminal, if it is known. */
  readonly columns: () => number | undefined
  /** Calls the listener at a signal that ends the command, until the returned function is called. */
  readonly onEnd: (listener: () => void) => () => void
}

export class SignOfLife {
  readonly #options: SignOptions
  readonly #awaited: Awaited
  #place: SignPlace | undefined
  #cancelTick: () => void
  #stopListening = (): void => {}
  /** Empty if nothing is. */
  #shown = ''
  #isOver = false
  /** Since when there is nothing to see but the sign. */
  #silentSinceMs: number
  #waitsSinceMs: number

  /** A timer that does not keep the process alive is all that a short command has of it. */
  constructor(options: SignOptions) {
    const { clock, invocation, interfaces } = options
    this.#options = options
    this.#awaited = new Awaited(invocation, interfaces)
    this.#silentSinceMs = clock.monotonicMs()
    this.#waitsSinceMs = this.#silentSinceMs
    this.#cancelTick = clock.schedule(SILENCE_MS, () => void this.#begin(), true)
  }

  get isShown(): boolean {
    return this.#shown !== ''
  }

  /** Something has happened that is about to be printed, or not. */
  hear(report: Report): void {
    if (this.#awaited.hear(report)) this.#waitsSinceMs = this.#options.clock.monotonicMs()
    if (this.#awaited.isOver) this.end()
  }

  /** Something else is about to be printed. */
  erase(): void {
    this.#silentSinceMs = this.#options.clock.monotonicMs()
    if (this.#shown === '') return
    this.#shown = ''
    this.#place?.write('\r\x1b[K')
  }

  end(): void {
    this.erase()
    this.#isOver = true
    this.#cancelTick()
    this.#stopListening()
  }

  async #begin(): Promise<void> {
    this.#place = await this.#options.open(this)
    if (this.#isOver || this.#place === undefined) return
    this.#stopListening = this.#options.onEnd(() => this.end())
    this.#tick()
  }

  #tick(): void {
    const { clock } = this.#options
    const nowMs = clock.monotonicMs()
    if (nowMs - this.#silentSinceMs >= SILENCE_MS) this.#show(Math.floor((nowMs - this.#waitsSinceMs) / 1000))
    this.#cancelTick = clock.schedule(TICK_MS, () => this.#tick(), true)
  }

  #show(seconds: number): void {
    const { text, rows } = this.#awaited
    const count = rows > 0 ? ` ${rows} ${rows === 1 ? 'row' : 'rows'}` : seconds > 0 ? ` ${seconds} s` : ''
    const columns = this.#options.columns() || USUAL_COLUMNS
    const line = lineOf(cleaned(text), ` \u2026${count}`, columns - 1)
    if (line !== this.#shown) this.#place?.write(`\r${line}\x1b[K`)
    this.#shown = line
  }
}

/** Cut to that width; the end of the line, which counts, is kept if it can be. */
function lineOf(text: string, end: string, width: number): string {
  const room = width - columnsOf(end)
  if (columnsOf(text) <= room) return text + end
  return room > 0 ? beginningOf(text, room).trimEnd() + end : beginningOf(end.trim(), width)
}
