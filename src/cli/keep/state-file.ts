/** --state: a file that says what is open now. */
import { TransportError } from '../../domain/errors.js'
import type { Clock } from '../../net/clock.js'
import { type KeepFacts, stateText } from './facts.js'

export interface StateFileOptions {
  readonly path: string | undefined
  readonly clock: Clock
  /** @throws TransportError */
  readonly write: (path: string, text: string) => void
  readonly onTrouble: (error: TransportError) => void
}

export class StateFile {
  readonly #options: StateFileOptions
  #shown: string | undefined
  #isInTrouble = false

  constructor(options: StateFileOptions) {
    this.#options = options
  }

  /** Writes the file if something is new. A failure is reported once, until a write succeeds again. */
  show(facts: KeepFacts): void {
    const { path, clock, write, onTrouble } = this.#options
    const content = JSON.stringify(facts)
    if (path === undefined || content === this.#shown) return
    try {
      write(path, stateText(facts, clock.wallMs()))
      this.#shown = content
      this.#isInTrouble = false
    } catch (error) {
      if (!(error instanceof TransportError)) throw error
      if (!this.#isInTrouble) onTrouble(error)
      this.#isInTrouble = true
    }
  }
}
