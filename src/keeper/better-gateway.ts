/** Looks for a better gateway than the one in use, beside the keeper's work. What it finds is taken between two turns. */
import { NoGatewayError, PortMappingError } from '../domain/errors.js'
import type { Gateway } from '../domain/gateway.js'
import { ignore } from '../domain/ignored.js'

export interface Better {
  readonly gateway: Gateway
  /** Undefined if it is not known. */
  readonly externalAddress: string | undefined
}

/** Undefined if the gateway in use is the best. @throws PortMappingError if there is no better one now */
export type FindBetter = (signal: AbortSignal) => Promise<Better | undefined>

export class BetterGateway {
  readonly #find: FindBetter
  readonly #onFound: () => void
  #searching: AbortController | undefined
  #found: Better | undefined

  constructor(find: FindBetter, onFound: () => void) {
    this.#find = find
    this.#onFound = onFound
  }

  /** Begins to search, unless a search is on its way. */
  async look(): Promise<void> {
    if (this.#searching !== undefined) return
    const searching = new AbortController()
    this.#searching = searching
    try {
      const found = await this.#find(searching.signal)
      if (!searching.signal.aborted) this.#found = found
    } catch (error) {
      if (!(error instanceof PortMappingError)) ignore('turn', 'the search for a better gateway', error)
    }
    if (this.#searching === searching) this.#searching = undefined
    if (this.#found !== undefined) this.#onFound()
  }

  /** What has been found, once. */
  take(): Better | undefined {
    const found = this.#found
    this.#found = undefined
    return found
  }

  /** Another gateway is in use: what was found, or would be, may be no better. */
  forget(): void {
    this.#searching?.abort(new NoGatewayError('the search was given up'))
    this.#searching = undefined
    this.#found = undefined
  }
}
