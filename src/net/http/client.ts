/**
 * HTTP/1.1 for talking to routers: one request on one fresh connection, answered before an absolute deadline. No
 * redirects, no decompression, no cookies, no proxy from the environment, no keep-alive (some routers break on a second
 * request). The body ends at the first of: the XML root closes, the connection closes, the declared length and then
 * 200 ms of silence. Who speaks on the connection is an Exchange: undici-exchange.ts or lean-exchange.ts.
 */
import { withoutBrackets, withZone } from '../../domain/address.js'
import { NoReplyError, TransportError } from '../../domain/errors.js'
import type { Clock } from '../clock.js'
import { codeOf, reasonOf } from '../system-error.js'

/** How long to wait for more once the declared length has come without the document being complete. */
const AFTER_DECLARED_LENGTH_MS = 200

/** Their replies have no body (UDA 1.1 4.1.2 to 4.1.4): the end of the head is the end, whatever it declares. */
const WITHOUT_REPLY_BODY: ReadonlySet<string> = new Set(['SUBSCRIBE', 'UNSUBSCRIBE'])

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'SUBSCRIBE' | 'UNSUBSCRIBE'
  /** Plain `http:`. Who may be asked is the caller's policy; a host name is resolved by the system. */
  readonly url: URL
  /** The interface that leads to a link-local IPv6 host: a URL cannot say it. Never in the Host header. */
  readonly zone?: string | undefined
  /** The address to ask from, where it is one of this computer's and of the family of the URL's literal address. */
  readonly localAddress?: string | undefined
  /** Sent in this order and spelling, after Host. */
  readonly headers: readonly (readonly [string, string])[]
  readonly body?: string
  /** What is being asked, by the standard's name; errors carry it. */
  readonly action: string
  /** A longer reply is an error. */
  readonly maxBodyBytes: number
  /** From now to the last byte of the reply, retry included. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
  /** True once the body is whole; asked after every read from the connection. */
  readonly isComplete: (body: Uint8Array) => boolean
  /** Told that the connection was closed without an answer; whether to ask once more at once, as is done without it. */
  readonly onReset?: (() => boolean) | undefined
  /** Told how long it took from the beginning of the connection to the whole reply. */
  readonly onReply?: ((tookMs: number) => void) | undefined
}

export interface HttpReply {
  readonly status: number
  /** Names in lower case; the first of each counts. */
  readonly headers: ReadonlyMap<string, string>
  readonly body: Uint8Array
  /** The address of this computer on that connection. */
  readonly localAddress: string
  /** The address that answered. */
  readonly remoteAddress: string
}

export interface HttpClient {
  /** @throws NoReplyError after `timeoutMs`, the signal's reason when it aborts, TransportError otherwise */
  request(request: HttpRequest): Promise<HttpReply>
}

/** What an exchange tells of the reply, in this order; either `end` or `fail` comes last. */
export interface ReplySink {
  connected(localAddress: string, remoteAddress: string): void
  /** Headers in any spelling. */
  head(status: number, declaredLength: number | undefined, headers: Iterable<readonly [string, string]>): void
  data(piece: Buffer): void
  end(): void
  fail(cause: Error, receivedBytes: number): void
}

/** One request on one new connection. What it returns drops the connection, at any time, and silences it. */
export type Exchange = (request: HttpRequest, sink: ReplySink) => () => void

/** `exchange` is undiciExchange, or leanExchange where the start counts. */
export function createHttpClient(clock: Clock, exchange: Exchange): HttpClient {
  return { request: (request) => requestTwiceIfReset(request, clock, exchange) }
}

/** Routers under load close the first connection without an answer (ZTE F660, Ubee): asked once more, in the same time. */
async function requestTwiceIfReset(request: HttpRequest, clock: Clock, exchange: Exchange): Promise<HttpReply> {
  const { action } = request
  // Some of it may come from a description: it cannot add a header of its own.
  if (request.headers.some((header) => header.some((text) => /[\r\n\0]/.test(text)))) {
    throw new TransportError(`${describe(request)}: a header would break its line`, { action })
  }
  const noReply = () =>
    new NoReplyError(`${describe(request)} did not answer within ${request.timeoutMs / 1000} s`, { action })
  const limit = limitOf(clock, request.timeoutMs, noReply, request.signal)
  try {
    const first = await oneExchange(request, clock, exchange, limit)
    const again = first.kind === 'reset' && (request.onReset?.() ?? true)
    const second = again ? await oneExchange(request, clock, exchange, limit) : first
    if (second.kind === 'reply') return second.reply
    throw asTransportError(second.cause, request, limit)
  } finally {
    limit.dispose()
  }
}

function describe(request: HttpRequest): string {
  return `${request.action}: ${request.url.origin.replace(/\[.*\]/, `[${hostOf(request)}]`)}`
}

function asTransportError(cause: Error, request: HttpRequest, { ended }: RequestLimit): Error {
  if (ended !== undefined) return ended.reason // the deadline's, or whatever the caller gave
  const otherwise = cause.name === 'HTTPParserError' ? 'not an HTTP reply' : cause.message
  const reason = reasonOf(cause, 'ask over HTTP', otherwise)
  return new TransportError(`${describe(request)}: ${reason}`, { action: request.action, cause })
}

type Outcome =
  | { readonly kind: 'reply'; readonly reply: HttpReply }
  | { readonly kind: 'reset' | 'failure'; readonly cause: Error }

const RESETS: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'])

function oneExchange(request: HttpRequest, clock: Clock, exchange: Exchange, limit: RequestLimit): Promise<Outcome> {
  return new Promise((resolve) => {
    const startMs = clock.monotonicMs()
    let stop: () => void = () => {}
    const finish = (outcome: Outcome): void => {
      collector.stop()
      limit.onEnd = () => {}
      if (outcome.kind === 'reply') request.onReply?.(clock.monotonicMs() - startMs)
      resolve(outcome)
      stop()
    }
    const collector = new Collector(request, clock, finish)
    limit.onEnd = () => finish({ kind: 'failure', cause: new Error('cancelled') })
    if (limit.ended !== undefined) limit.onEnd()
    else stop = exchange(request, collector)
  })
}

/** What a connection is made to: without brackets, and a link-local address with its zone. */
export function hostOf({ url, zone = '' }: Pick<HttpRequest, 'url' | 'zone'>): string {
  return withZone(withoutBrackets(url.hostname), zone)
}

/** The port is always there, as in miniupnpc's GET: some routers compare the value with their own address and port. */
export function hostHeader(url: URL): string {
  return url.port === '' ? `${url.hostname}:80` : url.host
}

/** Gathers one reply; calls `finish` exactly once. */
class Collector implements ReplySink {
  readonly #request: HttpRequest
  readonly #clock: Clock
  #finish: ((outcome: Outcome) => void) | undefined
  #local = ''
  #remote = ''
  #status = 0
  readonly #headers = new Map<string, string>()
  #declaredLength: number | undefined
  #pieces: Buffer[] = []
  #size = 0
  #examining = false
  #cancelSilence: () => void = () => {}

  constructor(request: HttpRequest, clock: Clock, finish: (outcome: Outcome) => void) {
    this.#request = request
    this.#clock = clock
    this.#finish = finish
  }

  stop(): void {
    this.#finish = undefined
    this.#cancelSilence()
  }

  connected(localAddress: string, remoteAddress: string): void {
    this.#local = localAddress
    this.#remote = remoteAddress
  }

  head(status: number, declaredLength: number | undefined, headers: Iterable<readonly [string, string]>): void {
    this.#status = status
    this.#declaredLength = declaredLength
    for (const [spelling, value] of headers) {
      const name = spelling.toLowerCase()
      if (!this.#headers.has(name)) this.#headers.set(name, value.trim())
    }
    if (WITHOUT_REPLY_BODY.has(this.#request.method)) this.end()
  }

  data(piece: Buffer): void {
    this.#pieces.push(piece)
    this.#size += piece.length
    if (this.#size > this.#request.maxBodyBytes) {
      this.#end({ kind: 'failure', cause: new Error(`the reply is longer than ${this.#request.maxBodyBytes} bytes`) })
      return
    }
    if (!this.#examining) queueMicrotask(() => this.#examine())
    this.#examining = true
  }

  /** Once for all that one read brought: after every chunk, a body in chunks of one byte would cost its square. */
  #examine(): void {
    this.#examining = false
    if (this.#finish === undefined) return
    const body = this.#body()
    if (this.#request.isComplete(body)) this.#reply(body)
    else if (this.#declaredLength !== undefined && this.#size >= this.#declaredLength) this.#replyAfterSilence()
  }

  end(): void {
    this.#reply(this.#body())
  }

  fail(cause: Error, receivedBytes: number): void {
    if (this.#status !== 0 && this.#size > 0)
      this.end() // cut short: let the decoder judge
    else this.#end({ kind: receivedBytes === 0 && RESETS.has(codeOf(cause)) ? 'reset' : 'failure', cause })
  }

  #replyAfterSilence(): void {
    this.#cancelSilence()
    this.#cancelSilence = this.#clock.schedule(AFTER_DECLARED_LENGTH_MS, () => this.#reply(this.#body()))
  }

  #body(): Buffer {
    const body = this.#pieces.length === 1 ? (this.#pieces[0] ?? Buffer.alloc(0)) : Buffer.concat(this.#pieces)
    this.#pieces = [body]
    return body
  }

  #reply(body: Buffer): void {
    const [status, headers] = [this.#status, this.#headers]
    const reply = { status, headers, body, localAddress: this.#local, remoteAddress: this.#remote }
    this.#end({ kind: 'reply', reply })
  }

  #end(outcome: Outcome): void {
    const finish = this.#finish
    this.stop()
    finish?.(outcome)
  }
}

/**
 * What ends a request that is under way: its time, or its caller's signal. An AbortController for each request, as
 * deadlineAfter has it, is what a listing of hundreds of entries would spend a good part of its time on.
 */
interface RequestLimit {
  /** Why it has to end, once it has. */
  readonly ended: { readonly reason: Error } | undefined
  /** Called when it has to end; for one listener. */
  onEnd: () => void
  /** Must be called, or the timer keeps the process alive. */
  dispose(): void
}

function limitOf(clock: Clock, timeoutMs: number, reason: () => Error, signal?: AbortSignal): RequestLimit {
  let ended: RequestLimit['ended'] = signal?.aborted ? { reason: signal.reason } : undefined
  const end = (why: Error): void => {
    ended ??= { reason: why }
    limit.onEnd()
  }
  const cancel = clock.schedule(timeoutMs, () => end(reason()))
  const onAbort = (): void => end(signal?.reason)
  signal?.addEventListener('abort', onAbort, { once: true })
  const limit: RequestLimit = {
    get ended() {
      return ended
    },
    onEnd: () => {},
    dispose() {
      cancel()
      signal?.removeEventListener('abort', onAbort)
    },
  }
  return limit
}
