/** An HttpClient without a network: answers as it is told, in the time of the clock that it is given. */
import { NoReplyError } from '../../src/domain/errors.ts'
import type { Clock } from '../../src/net/clock.ts'
import { type HttpClient, type HttpReply, type HttpRequest, mayPass } from '../../src/net/http/client.ts'

/** A reply, after a while; nothing until the request's own times are up; or an error that it fails with. */
export type ScriptedAnswer =
  | { readonly status?: number; readonly body: string | Uint8Array; readonly afterMs?: number }
  | 'silence'
  | Error

export interface SeenRequest {
  readonly atMs: number
  readonly request: HttpRequest
}

export class ScriptedHttp implements HttpClient {
  readonly seen: SeenRequest[] = []
  /** Requests that are neither answered nor given up. */
  waiting = 0
  readonly #clock: Clock
  readonly #answer: (request: HttpRequest) => ScriptedAnswer
  readonly #localAddress: string

  constructor(clock: Clock, answer: (request: HttpRequest) => ScriptedAnswer, localAddress = '192.168.1.10') {
    this.#clock = clock
    this.#answer = answer
    this.#localAddress = localAddress
  }

  /** `GET http://…` and `Action http://…` in the order in which they came. */
  get log(): string[] {
    return this.seen.map(({ request }) => `${request.method === 'GET' ? 'GET' : request.action} ${request.url.href}`)
  }

  /** Twice if the first reply is no answer, as the real one. */
  async request(request: HttpRequest): Promise<HttpReply> {
    const first = await this.#once(request)
    if (request.isAnswer?.(first) !== false || !mayPass(first)) return first
    const second = await this.#once(request)
    request.isAnswer(second)
    return second
  }

  async #once(request: HttpRequest): Promise<HttpReply> {
    this.seen.push({ atMs: this.#clock.monotonicMs(), request })
    request.signal?.throwIfAborted()
    const answer = this.#answer(request)
    if (answer instanceof Error) throw answer
    const limitMs = Math.min(request.timeoutMs, request.silenceMs ?? request.timeoutMs)
    const afterMs = answer === 'silence' ? limitMs : (answer.afterMs ?? 0)
    if (afterMs > 0) await this.#wait(Math.min(afterMs, limitMs), request.signal)
    if (answer === 'silence' || afterMs > limitMs) {
      throw new NoReplyError(`${request.action}: no answer`, { action: request.action })
    }
    const body = typeof answer.body === 'string' ? new TextEncoder().encode(answer.body) : answer.body
    const remoteAddress = request.url.hostname
    const headers = new Map<string, string>()
    const { localAddress = this.#localAddress } = request
    return { status: answer.status ?? 200, headers, body, localAddress, remoteAddress }
  }

  #wait(ms: number, signal: AbortSignal | undefined): Promise<void> {
    this.waiting++
    return new Promise((resolve, reject) => {
      const end = (): void => {
        this.waiting--
        cancel()
        signal?.removeEventListener('abort', onAbort)
      }
      const onAbort = (): void => {
        end()
        reject(signal?.reason)
      }
      const cancel = this.#clock.schedule(ms, () => {
        end()
        resolve()
      })
      signal?.addEventListener('abort', onAbort, { once: true })
    })
  }
}
