/**
 * --on-change: runs the user's shell command after a change. One run at a time: of the changes that come during a run,
 * only the last one counts. A command that fails is run again for the same change, after growing pauses: what it tells
 * may not be up yet.
 */
import { PortMappingError } from '../../domain/errors.js'
import type { LimitedEnd } from '../../net/child-process.js'
import { type Clock, sleep } from '../../net/clock.js'
import { reportedError } from '../failure.js'
import type { HookFailure } from '../report.js'
import { growingPauses } from './pauses.js'

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

export interface ChangeHookOptions {
  readonly command: string | undefined
  readonly run: RunHook
  readonly clock: Clock
  /** Called for the first of several failures in a row. `willTryAgain` is false at the end. */
  readonly onTrouble: (failure: HookFailure, willTryAgain: boolean) => void
  /** Called for the first success after failures. */
  readonly onSuccess: (failures: number) => void
}

export class ChangeHook {
  readonly #options: ChangeHookOptions
  readonly #over = new AbortController()
  /** Ends the pause after a failure. */
  #pause = new AbortController()
  #isEnding = false
  #told = ''
  #wanted: Record<string, string> | undefined
  #running: Promise<void> | undefined
  /** How often it has failed in a row. */
  #failures = 0

  constructor(options: ChangeHookOptions) {
    this.#options = options
  }

  get isWanted(): boolean {
    return this.#options.command !== undefined
  }

  /** Runs the hook with this environment, if it differs from the last one. */
  change(env: Record<string, string>): void {
    const { command } = this.#options
    const text = JSON.stringify(env)
    if (command === undefined || text === this.#told || this.#isEnding) return
    this.#told = text
    this.#wanted = env
    this.#pause.abort()
    this.#running ??= this.#runAll(command)
  }

  /** Gives a running hook a moment to finish. A change that is still waiting is dropped: it is out of date. */
  async end(): Promise<void> {
    this.#isEnding = true
    this.#pause.abort()
    const cancel = this.#options.clock.schedule(LAST_TURN_MS, () => this.#over.abort())
    await this.#running
    cancel()
    this.#over.abort()
  }

  async #runAll(command: string): Promise<void> {
    while (this.#wanted !== undefined && !this.#isEnding) await this.#tell(command, this.#wanted)
    this.#running = undefined
  }

  /** Ends when the hook has succeeded, when a newer change takes the place of this one, or at the end. */
  async #tell(command: string, env: Record<string, string>): Promise<void> {
    for (const pauseMs of growingPauses()) {
      const failure = await this.#runOnce(command, env)
      this.#report(failure)
      if (this.#wanted === env && failure === undefined) this.#wanted = undefined
      if (this.#wanted !== env || this.#isEnding) return
      this.#pause = new AbortController()
      await sleep(this.#options.clock, pauseMs, this.#pause.signal)
      if (this.#wanted !== env || this.#isEnding) return
    }
  }

  #report(failure: HookFailure | undefined): void {
    const { onTrouble, onSuccess } = this.#options
    if (failure === undefined && this.#failures > 0) onSuccess(this.#failures)
    if (failure !== undefined && this.#failures === 0) onTrouble(failure, !this.#isEnding)
    this.#failures = failure === undefined ? 0 : this.#failures + 1
  }

  async #runOnce(command: string, env: Record<string, string>): Promise<HookFailure | undefined> {
    try {
      return failureOf(await this.#options.run(command, env, this.#over.signal))
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
