/** --on-change: a shell command for every change, one at a time; of changes that come meanwhile the last one counts. */
import { PortMappingError } from '../../domain/errors.js'
import type { LimitedEnd } from '../../net/child-process.js'
import type { Clock } from '../../net/clock.js'

/** Everything ends within 2 s: so long for what runs then, and a second more between the polite signal and the other. */
const LAST_TURN_MS = 500

export type RunHook = (
  command: string,
  env: Readonly<Record<string, string>>,
  /** Ends it before its time. */
  signal: AbortSignal,
) => Promise<LimitedEnd>

export class ChangeHook {
  readonly #command: string | undefined
  readonly #run: RunHook
  readonly #onTrouble: (message: string) => void
  readonly #over = new AbortController()
  #told = ''
  #next: Record<string, string> | undefined
  #running: Promise<void> | undefined

  constructor(command: string | undefined, run: RunHook, onTrouble: (message: string) => void) {
    this.#command = command
    this.#run = run
    this.#onTrouble = onTrouble
  }

  /** What is so now; told only where it is another than before. */
  change(env: Record<string, string>): void {
    const text = JSON.stringify(env)
    if (this.#command === undefined || text === this.#told || this.#over.signal.aborted) return
    this.#told = text
    this.#next = env
    this.#running ??= this.#runAll(this.#command)
  }

  /** What runs has a moment more; what waits for it is not so any more. */
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
      const trouble = await this.#runOnce(command, env)
      if (trouble !== undefined) this.#onTrouble(`--on-change: ${trouble}`)
    }
    this.#running = undefined
  }

  async #runOnce(command: string, env: Record<string, string>): Promise<string | undefined> {
    try {
      return troubleOf(await this.#run(command, env, this.#over.signal))
    } catch (error) {
      if (!(error instanceof PortMappingError)) throw error
      return error.message
    }
  }
}

function troubleOf({ code, signal, timedOut }: LimitedEnd): string | undefined {
  if (timedOut) return 'the command took too long, and was ended'
  if (signal !== undefined) return `the command was ended by ${signal}`
  return code === 0 ? undefined : `the command failed with exit status ${code}`
}
