/**
 * Finds the gateway that ports are kept on, again and again. The one before stays usable until another is found: what was
 * made there may have to be removed meanwhile.
 */
import { NoGatewayError } from '../domain/errors.js'
import type { Gateway } from '../domain/gateway.js'

export class GatewayFinder {
  readonly #search: (signal: AbortSignal) => Promise<Gateway>
  /** What ends the requests of each gateway that is still usable. */
  readonly #ends = new Set<AbortController>()

  /** `search`: its signal also ends what the gateway is asked later. @throws PortMappingError if there is none */
  constructor(search: (signal: AbortSignal) => Promise<Gateway>) {
    this.#search = search
  }

  /** `signal` ends the search, and nothing of a gateway that was found. @throws PortMappingError if there is none */
  async find(signal: AbortSignal): Promise<Gateway> {
    const end = new AbortController()
    const stop = (): void => end.abort(new NoGatewayError('the search was ended'))
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, { once: true })
    try {
      const gateway = await this.#search(end.signal)
      if (!signal.aborted) this.#endAll('another gateway was found')
      this.#ends.add(end)
      return gateway
    } catch (error) {
      end.abort(new NoGatewayError('the search is over'))
      throw error
    } finally {
      signal.removeEventListener('abort', stop)
    }
  }

  /** No gateway is asked for anything any more. */
  close(): void {
    this.#endAll('the command is over')
  }

  #endAll(why: string): void {
    for (const end of this.#ends) end.abort(new NoGatewayError(why))
    this.#ends.clear()
  }
}
