/** --on-change: a shell command for every change, one at a time; of changes that come meanwhile the last one counts. */
import { PortMappingError } from '../domain/errors.js'

export class ChangeHook {
  readonly #command: string | undefined
  readonly #run: (command: string, env: Record<string, string>) => Promise<unknown>
  readonly #onTrouble: (error: PortMappingError) => void
  #told = ''
  #next: Record<string, string> | undefined
  #running: Promise<void> | undefined

  constructor(
    command: string | undefined,
    run: (command: string, env: Record<string, string>) => Promise<unknown>,
    onTrouble: (error: PortMappingError) => void,
  ) {
    this.#command = command
    this.#run = run
    this.#onTrouble = onTrouble
  }

  /** What is so now; told only where it is another than before. */
  change(env: Record<string, string>): void {
    const text = JSON.stringify(env)
    if (this.#command === undefined || text === this.#told) return
    this.#told = text
    this.#next = env
    this.#running ??= this.#runAll(this.#command).finally(() => {
      this.#running = undefined
    })
  }

  /** When nothing of it runs any more. */
  async settled(): Promise<void> {
    await this.#running
  }

  async #runAll(command: string): Promise<void> {
    while (this.#next !== undefined) {
      const env = this.#next
      this.#next = undefined
      try {
        await this.#run(command, env)
      } catch (error) {
        if (!(error instanceof PortMappingError)) throw error
        this.#onTrouble(error)
      }
    }
  }
}
