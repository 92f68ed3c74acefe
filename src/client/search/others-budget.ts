/**
 * What all devices that are not the router may cost one search together: requests over HTTP, and bytes of their replies.
 * Anybody can send any number of devices our way. What really comes from the router over TCP is outside of it.
 */
import { TransportError } from '../../domain/errors.js'
import { type HttpClient, type HttpReply, type HttpRequest, mayPass } from '../../net/http/client.js'

export const MAX_OTHERS_REQUESTS = 32
export const MAX_OTHERS_BYTES = 1024 * 1024
/** A home full of TVs and lamps leaves so many requests to those that call themselves an IGD. */
const KEPT_FOR_IGDS = 16

/** The device that is asked. What is known of it may change while it is asked. */
export interface Spender {
  readonly isIgd: () => boolean
  /** It is the router, or in use. */
  readonly isFree: () => boolean
  /** Ends all requests to the device. */
  readonly stop: (reason: Error) => void
}

export class OthersBudget {
  #requests = MAX_OTHERS_REQUESTS
  #bytes = MAX_OTHERS_BYTES

  /** Whether the device may be asked something now. */
  hasRoomFor({ isIgd, isFree }: Pick<Spender, 'isIgd' | 'isFree'>): boolean {
    return isFree() || (this.#bytes > 0 && this.#requests > (isIgd() ? 0 : KEPT_FOR_IGDS))
  }

  /** A client for the requests to that device. */
  client(http: HttpClient, spender: Spender): HttpClient {
    return { request: (request) => this.#request(http, request, spender) }
  }

  async #request(http: HttpClient, request: HttpRequest, spender: Spender): Promise<HttpReply> {
    const { action, url, isAnswer, isComplete } = request
    const spend = (): boolean => {
      const isAllowed = this.hasRoomFor(spender)
      if (isAllowed && !spender.isFree()) this.#requests--
      return isAllowed
    }
    if (!spend()) {
      spender.stop(tooMuch(action, url)) // what is known of it so far would be half the truth
      throw tooMuch(action, url)
    }
    let counted = 0
    return await http.request({
      ...request,
      onReset: () => (request.onReset?.() ?? true) && spend(),
      ...(isAnswer && { isAnswer: (reply) => isAnswer(reply) || (mayPass(reply) && !spend()) }),
      isComplete: (body) => {
        if (body.length < counted) counted = 0 // it was asked once more
        if (!spender.isFree()) this.#bytes -= body.length - counted
        counted = body.length
        if (this.#bytes < 0 && !spender.isFree()) spender.stop(tooMuch(action, url))
        return isComplete(body)
      },
    })
  }
}

function tooMuch(action: string, { origin }: URL): TransportError {
  return new TransportError(`${action}: ${origin} was not asked further, because others use up the search`, { action })
}
