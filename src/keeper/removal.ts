/** The end: what was made is removed, one after the other, within a time; of what is left it is told why. */
import { NoReplyError, PortMappingError } from '../domain/errors.js'
import type { Gateway } from '../domain/gateway.js'
import type { Held, KeeperEvent } from './kept.js'
import type { KeptRow } from './kept-row.js'

export class Removal<H extends Held, G extends Gateway> {
  readonly #rows: readonly KeptRow<H, G>[]
  readonly #gateway: G
  readonly #onEvent: (event: KeeperEvent<H>) => void
  readonly #errors = new Map<KeptRow<H, G>, PortMappingError>()
  #isOver = false

  constructor(rows: readonly KeptRow<H, G>[], gateway: G, onEvent: (event: KeeperEvent<H>) => void) {
    this.#rows = rows
    this.#gateway = gateway
    this.#onEvent = onEvent
  }

  /** `unfinished`: what was being made when the end came. What comes of it is removed as well. */
  async run(unfinished: Promise<void>): Promise<void> {
    await this.#removeAll()
    await unfinished
    await this.#removeAll()
  }

  /** No more of it; tells of what is left. */
  end(): void {
    this.#isOver = true
    for (const row of this.#rows.filter(({ mayBeOpen }) => mayBeOpen)) {
      const { kept } = row
      const error = this.#errors.get(row) ?? new NoReplyError(`${kept.name}: the gateway did not answer in time`)
      this.#onEvent({ type: 'not-removed', kept, error })
    }
  }

  async #removeAll(): Promise<void> {
    for (const row of this.#rows) {
      if (this.#isOver) return
      if (row.mayBeOpen) await this.#remove(row)
    }
  }

  async #remove(row: KeptRow<H, G>): Promise<void> {
    const { kept, held } = row
    try {
      const wasOwn = await kept.remove(this.#gateway, held)
      if (this.#isOver) return
      row.close()
      if (wasOwn) this.#onEvent({ type: 'removed', kept })
    } catch (error) {
      if (!(error instanceof PortMappingError)) throw error
      this.#errors.set(row, error)
    }
  }
}
