/**
 * The command that runs while ports are open: when it starts, which signals it gets, and what its end is worth. Its end
 * is the end of all. Without a command the first signal is.
 *
 * A signal that comes before it has been started ends everything too, and the exit status is 128 and its number, as if
 * the command had died of it: 0 would tell a supervisor that the work is done, when it has not begun.
 */
import type { PortMappingError } from '../../domain/errors.js'
import { exitStatusOf, type RunningCommand } from '../../net/child-process.js'
import type { Clock } from '../../net/clock.js'
import { reportedError } from '../failure.js'
import type { Report } from '../report.js'
import { COMMAND_SIGNALS, END_SIGNALS } from '../signals.js'

export interface OwnCommandOptions {
  /** Empty for none. */
  readonly argv: readonly string[]
  /** It is not started without ports. */
  readonly requirePorts: boolean
  /** After which it is started without. */
  readonly timeoutMs: number
  readonly clock: Clock
  readonly start: (argv: readonly string[], env: Record<string, string>) => RunningCommand
  readonly say: (report: Report) => void
  /** What is open already, where not everything is. */
  readonly environment: () => Record<string, string>
  readonly onStart: () => void
  /** It is over, or never to be started: called once. */
  readonly onEnd: () => void
}

/** For a command only; they say nothing about an end. */
const MESSAGES: readonly string[] = ['SIGUSR1', 'SIGUSR2']

/** What a shell says of a command that it cannot start. */
const NOT_STARTED = 127

export class OwnCommand {
  readonly #options: OwnCommandOptions
  #running: RunningCommand | undefined
  #isOver = false
  #cancelTimeout = (): void => {}
  exitCode = 0

  constructor(options: OwnCommandOptions) {
    this.#options = options
  }

  get signals(): readonly string[] {
    return this.#isWanted ? COMMAND_SIGNALS : END_SIGNALS
  }

  /** From now on its time runs. */
  begin(): void {
    const { clock, timeoutMs } = this.#options
    if (this.#isWanted) this.#cancelTimeout = clock.schedule(timeoutMs, () => this.#startWithoutPorts())
  }

  /** All ports are open. */
  startWith(env: Record<string, string>): void {
    const { argv, start, say, onStart } = this.#options
    if (!this.#isWanted || this.#running !== undefined || this.#isOver) return
    this.#cancelTimeout()
    const command = start(argv, env)
    this.#running = command
    onStart()
    command.exited.then(
      (end) => this.#end(exitStatusOf(end)),
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

  /** The ports are not kept any more, and it is not known why: it is told to end, or never started. */
  abandon(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#cancelTimeout()
    this.#running?.kill('SIGTERM')
  }

  get #isWanted(): boolean {
    return this.#options.argv.length > 0
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
  }
}
