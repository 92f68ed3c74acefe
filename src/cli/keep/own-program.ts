/**
 * The user's program, which runs while ports are open: when it starts, which signals it gets, and which exit status its
 * end means. When it ends, everything ends. Without a program, the first signal ends everything.
 *
 * A signal that comes before the program has started also ends everything. The exit status is then 128 plus the number
 * of the signal, as if the program had died of it: 0 would tell a supervisor that the work is done before it has begun.
 */
import type { PortMappingError } from '../../domain/errors.js'
import { type CommandEnd, exitStatusOf, type RunningCommand } from '../../net/child-process.js'
import type { Clock } from '../../net/clock.js'
import { reportedError } from '../failure.js'
import type { Report } from '../report.js'
import { END_SIGNALS, PROGRAM_SIGNALS } from '../surroundings.js'

export interface OwnProgramOptions {
  /** The program and its arguments; empty for none. */
  readonly argv: readonly string[]
  /** --require: the program does not start without ports. */
  readonly requirePorts: boolean
  /** How long the program waits for its ports; after that it starts without them. */
  readonly timeoutMs: number
  readonly clock: Clock
  readonly start: (argv: readonly string[], env: Record<string, string>) => RunningCommand
  readonly say: (report: Report) => void
  /** What is open already, for a program that starts before every port is open. */
  readonly environment: () => Record<string, string>
  readonly onStart: () => void
  /** --for: the time is over. The program has been asked to end, and is waited for. */
  readonly onTimeUp: () => void
  /** What it means that the time is over: 0 if what was asked for was open. */
  readonly timeUpStatus: () => number
  /** Called once, when the program has ended or will never start. */
  readonly onEnd: () => void
}

/** Signals that only a program understands. They do not ask for an end. */
const MESSAGES: readonly string[] = ['SIGUSR1', 'SIGUSR2']

/** The exit status that a shell gives for a command that it cannot start. */
const NOT_STARTED = 127
/** The time was over before the program could start. */
const NEVER_STARTED = 2

export class OwnProgram {
  readonly #options: OwnProgramOptions
  #running: RunningCommand | undefined
  #isOver = false
  #isTimeUp = false
  #cancelTimeout = (): void => {}
  #tellOver = (): void => {}
  /** Fulfilled when the program has ended, or will never start. */
  readonly over = new Promise<void>((resolve) => {
    this.#tellOver = resolve
  })
  exitCode = 0

  constructor(options: OwnProgramOptions) {
    this.#options = options
  }

  get signals(): readonly string[] {
    return this.#isWanted ? PROGRAM_SIGNALS : END_SIGNALS
  }

  /** Starts the time that the program waits for its ports. */
  begin(): void {
    const { clock, timeoutMs } = this.#options
    if (this.#isWanted) this.#cancelTimeout = clock.schedule(timeoutMs, () => this.#startWithoutPorts())
  }

  get isWaiting(): boolean {
    return this.#isWanted && this.#running === undefined && !this.#isOver
  }

  /** All ports are open: starts the program, unless it has started already. */
  startWith(env: Record<string, string>): void {
    const { argv, start, say, onStart } = this.#options
    if (!this.isWaiting) return
    this.#cancelTimeout()
    const running = start(argv, env)
    this.#running = running
    onStart()
    running.exited.then(
      (end) => this.#end(this.#statusOf(end)),
      (error: PortMappingError) => {
        say({ type: 'error', error: reportedError(error) })
        this.#end(NOT_STARTED)
      },
    )
  }

  hear(signal: string): void {
    if (this.#running !== undefined) this.#running.passOn(signal)
    else if (!this.#isWanted) this.#end(0)
    else if (!MESSAGES.includes(signal)) this.#end(exitStatusOf({ code: undefined, signal }))
  }

  /**
   * --for: the time that was asked for is over. A program is asked to end, and that it does so is a success. As with
   * `timeout`, it has all the time that it needs; its ports are closed meanwhile.
   */
  timeIsUp(): void {
    const { onTimeUp, timeUpStatus } = this.#options
    this.#isTimeUp = true
    if (this.#running === undefined) {
      this.#end(this.#isWanted ? timeUpStatus() || NEVER_STARTED : timeUpStatus())
      return
    }
    this.#running.passOn('SIGTERM')
    onTimeUp()
  }

  /** The ports are no longer kept, for an unknown reason: ends the program, or never starts it. */
  abandon(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#cancelTimeout()
    this.#running?.kill('SIGTERM')
    this.#tellOver()
  }

  get #isWanted(): boolean {
    return this.#options.argv.length > 0
  }

  #statusOf(end: CommandEnd): number {
    const isDone = end.code === 0 || end.signal === 'SIGTERM'
    return this.#isTimeUp && isDone ? this.#options.timeUpStatus() : exitStatusOf(end)
  }

  #startWithoutPorts(): void {
    const { timeoutMs, requirePorts, say, environment } = this.#options
    const env = environment()
    const inVain = { someOpen: Object.keys(env).length > 0, afterMs: timeoutMs }
    if (requirePorts) {
      say({ type: 'error', error: { kind: 'program-not-started', ...inVain } })
      this.#end(1)
      return
    }
    say({ type: 'notice', kind: 'started-without-ports', ...inVain })
    this.startWith(env)
  }

  #end(exitCode: number): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#cancelTimeout()
    this.exitCode = exitCode
    this.#options.onEnd()
    this.#tellOver()
  }
}
