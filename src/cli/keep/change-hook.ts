/**
 * --on-change: runs the user's shell command after a change. One run at a time: of the changes that come during a run,
 * only the last one counts.
 */
import { PortMappingError } from '../../domain/errors.js'
import type { LimitedEnd } from '../../net/child-process.js'
import type { Clock } from '../../net/clock.js'
import { reportedError } from '../failure.js'
import type { HookFailure } from '../report.js'

/**
 * How much longer a hook may run once upnp-ts stops. Everything ends within 2 s: after this time the hook gets SIGTERM,
 * and a second later SIGKILL.
 */
const LAST_TURN_MS = 500

export type RunHook = (
  command: string,
  env: Readonly<Record<string, string>>,
  /** Ends the run early. */
  signal: AbortSignal,
) => Promise<LimitedEnd>

export class ChangeHook {
  readonly #command: string | undefined
  readonly #run: RunHook
  readonly #onTrouble: (failure: HookFailure) => void
  readonly #over = new AbortController()
  #told = ''
  #next: Record<string, string> | undefined
  #running: Promise<void> | undefined

  constructor(command: string | undefined, run: RunHook, onTrouble: (failure: HookFailure) => void) {
    this.#command = command
    this.#run = run
    this.#onTrouble = onTrouble
  }

  /** Runs the hook with this environment, if it differs from the last one. */
  change(env: Record<string, string>): void {
    const text = JSON.stringify(env)
    if (this.#command === undefined || text === this.#told || this.#over.signal.aborted) return
    this.#told = text
    this.#next = env
    this.#running ??= this.#runAll(this.#command)
  }

  /** Gives a running hook a moment to finish. A change that is still waiting is dropped: it is out of date. */
  async end(clock: Clock): Promise<void> {
    this.#next = undefined
    this.#told = ''
    const cancel = clock.schedule(LAST_TURN_MS, () => this.#over.abort())
    await this.#running
    cancel()
    this.#over.abort()
  }

  async #runAll(command: string): Promise<void> {
    while (this.#next !== undefined) {
      const env = this.#next
      this.#next = undefined
      const failure = await this.#runOnce(command, env)
      if (failure !== undefined) this.#onTrouble(failure)
    }
    this.#running = undefined
  }

  async #runOnce(command: string, env: Record<string, string>): Promise<HookFailure | undefined> {
    try {
      return failureOf(await this.#run(command, env, this.#over.signal))
    } catch (error) {
      if (!(error instanceof PortMappingError)) throw error
      return { reason: 'not-started', error: reportedError(error) }
    }
  }
}

function failureOf({ code = 0, signal, timedOut }: LimitedEnd): HookFailure | undefined {
  if (timedOut) return { reason: 'timeout' }
  if (signal !== undefined) return { reason: 'signal', signal }
  return code === 0 ? undefined : { reason: 'exit', exitStatus: code }
}
