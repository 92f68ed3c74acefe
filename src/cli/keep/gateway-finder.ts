/**
 * Finds the gateway that ports are kept on, again and again; the first time it tells which one in upnpc's words. The one
 * before stays usable until another is found: what was made there may have to be removed meanwhile.
 */
import { NoGatewayError } from '../../domain/errors.js'
import type { Gateway } from '../../domain/gateway.js'
import type { Chosen, ChosenPortControl, RunContext } from '../context.js'
import type { GatewayInvocation } from '../parse/invocation.js'
import type { Report } from '../report.js'
import { describeGiven, search } from '../run/find.js'

export class GatewayFinder {
  readonly #invocation: GatewayInvocation
  readonly #context: Omit<RunContext, 'signal'>
  readonly #say: (report: Report) => void
  /** What ends the requests of each gateway that is still usable. */
  readonly #ends = new Set<AbortController>()
  #hasPresented = false

  constructor(invocation: GatewayInvocation, context: Omit<RunContext, 'signal'>, say: (report: Report) => void) {
    this.#invocation = invocation
    this.#context = context
    this.#say = say
  }

  /** `signal` ends the search, and nothing of a gateway that was found. @throws PortMappingError where there is none */
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

  async #search(signal: AbortSignal): Promise<Gateway> {
    signal.throwIfAborted()
    const [invocation, context] = [this.#invocation, { ...this.#context, signal }]
    const { url } = invocation
    const finding = url === undefined ? search(invocation, context) : describeGiven(url, invocation, context)
    const said: Report[] = []
    for (;;) {
      const next = await finding.next()
      if (next.done !== true) said.push(next.value)
      else if (next.value !== undefined) return this.#present(next.value, said)
      else throw new NoGatewayError(whyNot(said.at(-1)))
    }
  }

  #present({ gateway }: Chosen | ChosenPortControl, said: readonly Report[]): Gateway {
    if (this.#hasPresented) return gateway
    this.#hasPresented = true
    for (const report of said) this.#say(report)
    this.#say({ type: 'local-address', address: gateway.localAddress })
    return gateway
  }

  #endAll(why: string): void {
    for (const end of this.#ends) end.abort(new NoGatewayError(why))
    this.#ends.clear()
  }
}

/** What the search said last tells why. */
function whyNot(said: Report | undefined): string {
  return said?.type === 'error' && 'message' in said.error ? said.error.message : 'no gateway was found'
}
