/**
 * HTTP/1.1 for talking to routers: one request on one new connection, answered before an absolute deadline. No
 * redirects, no decompression, no cookies, no proxy from the environment, no keep-alive (some routers break on a second
 * request). The body ends when the XML root closes, when the connection closes, or when 200 ms of silence follow the
 * declared length, whichever comes first. An Exchange handles the connection: undici-exchange.ts or lean-exchange.ts.
 */
import { setMaxListeners } from 'node:events'
import { withoutBrackets, withZone } from '../../domain/address.js'
import { NoReplyError, TransportError } from '../../domain/errors.js'
import { ignore } from '../../domain/ignored.js'
import { backgroundClock, type Clock } from '../clock.js'
import { codeOf, reasonOf } from '../system-error.js'
import { bindingTo } from './local-address.js'

/** A host that is there accepts a connection at once, or when the system asks for the third time, after 3 s. */
export const CONNECT_TIMEOUT_MS = 3500
/** How long to wait for more if the declared length has arrived, but the document is incomplete. */
const AFTER_DECLARED_LENGTH_MS = 200

/** Replies to these have no body (UDA 1.1 4.1.2 to 4.1.4, 4.3.2): they end with their head, whatever it declares. */
const WITHOUT_REPLY_BODY: ReadonlySet<string> = new Set(['SUBSCRIBE', 'UNSUBSCRIBE', 'NOTIFY'])

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'SUBSCRIBE' | 'UNSUBSCRIBE' | 'NOTIFY'
  /** Plain `http:`. The caller decides who may be asked; the system resolves a host name. */
  readonly url: URL
  /** The interface that leads to a link-local IPv6 host, which a URL cannot name. It is never in the Host header. */
  readonly zone?: string | undefined
  /** The address to ask from. Ignored unless this computer has it, and it can lead to the URL's host. */
  readonly localAddress?: string | undefined
  /** Sent in this order and spelling, after Host. */
  readonly headers: readonly (readonly [string, string])[]
  readonly body?: string
  /** What is being asked, by its name in the standard; errors carry it. */
  readonly action: string
  /** A longer reply is an error. */
  readonly maxBodyBytes: number
  /** From now to the last byte of the reply, a second try included. */
  readonly timeoutMs: number
  /** From the connection to the end of the reply's head. If undefined, only `timeoutMs` counts. */
  readonly silenceMs?: number | undefined
  /** Monotonic time at which the host has answered something else: if it does one thing at a time, it begins then. */
  readonly freeSinceMs?: (() => number) | undefined
  readonly signal?: AbortSignal | undefined
  /** It does not keep the process alive. */
  readonly isBackground?: boolean
  /** True once the body is whole; called after every read from the connection. */
  readonly isComplete: (body: Uint8Array) => boolean
  /** Called if the connection closes without an answer. Returns whether to ask once more at once; default: yes. */
  readonly onReset?: (() => boolean) | undefined
  /** Called with the time from the beginning of the connection to the whole reply, and with the monotonic time. */
  readonly onReply?: ((tookMs: number, nowMs: number) => void) | undefined
  /** Called with every reply. After a first one that is no answer, and may pass, the host is asked once more. */
  readonly isAnswer?: ((reply: HttpReply) => boolean) | undefined
}

export interface HttpReply {
  readonly status: number
  /** Names in lower case; if a header is repeated, the first one counts. */
  readonly headers: ReadonlyMap<string, string>
  readonly body: Uint8Array
  /** This computer's address on that connection. */
  readonly localAddress: string
  /** The address that answered. */
  readonly remoteAddress: string
}

export interface HttpClient {
  /** @throws NoReplyError when a time is over; the signal's reason if it aborts; TransportError otherwise */
  request(request: HttpRequest): Promise<HttpReply>
}

/** What an exchange reports about the reply, in this order; either `end` or `fail` comes last. */
export interface ReplySink {
  connected(localAddress: string, remoteAddress: string): void
  /** Headers in any spelling. */
  head(status: number, declaredLength: number | undefined, headers: Iterable<readonly [string, string]>): void
  data(piece: Uint8Array): void
  end(): void
  fail(cause: Error, receivedBytes: number): void
}

/** Sends one request on one new connection. The returned function drops the connection at any time, and silences it. */
export type Exchange = (request: HttpRequest, sink: ReplySink) => () => void

/** `exchange` is undiciExchange, or leanExchange if a fast start matters. */
export function createHttpClient(clock: Clock, exchange: Exchange): HttpClient {
  const unheld = backgroundClock(clock)
  return {
    request: (request) => requestTwiceIfNeeded(request, request.isBackground === true ? unheld : clock, exchange),
  }
}

/** Under load routers (ZTE F660, Ubee) close the first connection without an answer. One deadline covers both tries. */
async function requestTwiceIfNeeded(request: HttpRequest, clock: Clock, exchange: Exchange): Promise<HttpReply> {
  const { action } = request
  // A value may come from a device's description, which must not add headers.
  if (request.headers.some((header) => header.some((text) => /[\r\n\0]/.test(text)))) {
    throw new TransportError(`${describe(request)}: a header contains a line break`, { action })
  }
  const limit = new RequestLimit(clock, request.timeoutMs, () => noAnswer(request, request.timeoutMs), request.signal)
  try {
    const first = await oneExchange(request, clock, exchange, limit)
    const again =
      first.kind === 'reply'
        ? request.isAnswer?.(first.reply) === false && mayPass(first.reply)
        : first.kind === 'reset' && (request.onReset?.() ?? true)
    const second = again ? await oneExchange(request, clock, exchange, limit) : first
    if (second.kind === 'reply') {
      if (again) request.isAnswer?.(second.reply)
      return second.reply
    }
    if (first.kind === 'reply') return first.reply
    throw asTransportError(second.cause, request, limit)
  } finally {
    limit.dispose()
  }
}

/** A host that is busy may answer with HTTP 400 or 5xx, a page, or nothing. Other statuses are about the URL. */
export function mayPass({ status }: HttpReply): boolean {
  return status < 300 || status === 400 || status >= 500
}

function noAnswer(request: HttpRequest, afterMs: number, what = 'answer'): NoReplyError {
  const { action } = request
  return new NoReplyError(`${describe(request)} did not ${what} within ${afterMs / 1000} s`, { action })
}

function describe(request: HttpRequest): string {
  const host = hostOf(request)
  const { localAddress: from } = bindingTo(request.localAddress ?? '', host)
  const asked = `${request.action}: ${request.url.origin.replace(/\[[^[\]]*\]/, `[${host}]`)}`
  return from === undefined ? asked : `${asked} (asked from ${from})`
}

function asTransportError(cause: Error, request: HttpRequest, { ended }: RequestLimit): Error {
  if (ended !== undefined) return ended.reason // from the deadline, or from the caller's signal
  if (cause instanceof NoReplyError) return cause
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
      const nowMs = clock.monotonicMs()
      if (outcome.kind === 'reply') request.onReply?.(nowMs - startMs, nowMs)
      resolve(outcome)
      stop()
    }
    const collector = new Collector(request, clock, finish)
    limit.onEnd = () => finish({ kind: 'failure', cause: new Error('cancelled') })
    if (limit.ended !== undefined) limit.onEnd()
    else stop = exchange(request, collector)
  })
}

/** The host to connect to: without brackets, and with its zone if it is link-local. */
export function hostOf({ url, zone = '' }: Pick<HttpRequest, 'url' | 'zone'>): string {
  return withZone(withoutBrackets(url.hostname), zone)
}

/** Always with the port, as in miniupnpc's GET: some routers compare the value with their own address and port. */
export function hostHeader(url: URL): string {
  return url.port === '' ? `${url.hostname}:80` : url.host
}

/** Gathers one reply; calls `finish` exactly once. */
class Collector implements ReplySink {
  readonly #request: HttpRequest
  readonly #clock: Clock
  #finish: ((outcome: Outcome) => void) | undefined
  #addresses = { localAddress: '', remoteAddress: '' }
  #status = 0
  readonly #headers = new Map<string, string>()
  #declaredLength: number | undefined
  /** Has room for more than has come: it doubles, so that a body that comes byte by byte takes linear time. */
  #room: Uint8Array = new Uint8Array()
  #size = 0
  #examining = false
  /** Ends the wait for what comes next: the connection, the head, or more after the declared length. */
  #cancelWait: () => void = () => {}

  constructor(request: HttpRequest, clock: Clock, finish: (outcome: Outcome) => void) {
    this.#request = request
    this.#clock = clock
    this.#finish = finish
    this.#wait(CONNECT_TIMEOUT_MS, () => this.#late(CONNECT_TIMEOUT_MS, 'accept a connection'))
  }

  stop(): void {
    this.#finish = undefined
    this.#cancelWait()
  }

  connected(localAddress: string, remoteAddress: string): void {
    this.#addresses = { localAddress, remoteAddress }
    this.#cancelWait()
    this.#waitForHead(this.#request.silenceMs)
  }

  #waitForHead(leftMs: number | undefined): void {
    const { silenceMs = 0, freeSinceMs } = this.#request
    if (leftMs === undefined) return
    this.#wait(leftMs, () => {
      const endMs = (freeSinceMs?.() ?? 0) + silenceMs
      const nowMs = this.#clock.monotonicMs()
      if (endMs > nowMs) this.#waitForHead(endMs - nowMs)
      else this.#late(silenceMs)
    })
  }

  #wait(ms: number, task: () => void): void {
    this.#cancelWait()
    this.#cancelWait = this.#clock.schedule(ms, task)
  }

  #late(afterMs: number, what?: string): void {
    this.#end({ kind: 'failure', cause: noAnswer(this.#request, afterMs, what) })
  }

  head(status: number, declaredLength: number | undefined, headers: Iterable<readonly [string, string]>): void {
    this.#cancelWait()
    this.#status = status
    this.#declaredLength = declaredLength
    for (const [spelling, value] of headers) {
      const name = spelling.toLowerCase()
      if (!this.#headers.has(name)) this.#headers.set(name, value.trim())
    }
    if (WITHOUT_REPLY_BODY.has(this.#request.method)) this.end()
  }

  data(piece: Uint8Array): void {
    if (this.#size + piece.length > this.#request.maxBodyBytes) {
      this.#end({ kind: 'failure', cause: new Error(`the reply is longer than ${this.#request.maxBodyBytes} bytes`) })
      return
    }
    this.#append(piece)
    if (!this.#examining) queueMicrotask(() => this.#examine())
    this.#examining = true
  }

  #append(piece: Uint8Array): void {
    const size = this.#size + piece.length
    if (this.#size === 0) this.#room = piece
    else {
      if (size > this.#room.length) {
        const larger = new Uint8Array(Math.max(size, this.#room.length * 2))
        larger.set(this.#body())
        this.#room = larger
      }
      this.#room.set(piece, this.#size)
    }
    this.#size = size
  }

  /** Runs once per read: to ask after each chunk would take too long for a body in chunks of one byte. */
  #examine(): void {
    this.#examining = false
    if (this.#finish === undefined) return
    if (this.#isComplete()) this.end()
    else if (this.#declaredLength !== undefined && this.#size >= this.#declaredLength)
      this.#wait(AFTER_DECLARED_LENGTH_MS, () => this.end())
  }

  /** A defect costs this reply only: it is taken for one that goes on. */
  #isComplete(): boolean {
    try {
      return this.#request.isComplete(this.#body())
    } catch (error) {
      ignore('reply', this.#request.url.host, error)
      return false
    }
  }

  end(): void {
    const [status, headers, body] = [this.#status, this.#headers, this.#body()]
    this.#end({ kind: 'reply', reply: { status, headers, body, ...this.#addresses } })
  }

  fail(cause: Error, receivedBytes: number): void {
    if (this.#status !== 0 && this.#size > 0)
      this.end() // cut short: let the decoder judge
    else this.#end({ kind: receivedBytes === 0 && RESETS.has(codeOf(cause)) ? 'reset' : 'failure', cause })
  }

  #body(): Uint8Array {
    return this.#room.subarray(0, this.#size)
  }

  #end(outcome: Outcome): void {
    const finish = this.#finish
    this.stop()
    finish?.(outcome)
  }
}

/** Like deadlineAfter, whose AbortController would take a good part of the time of a listing with hundreds of rows. */
class RequestLimit {
  /** Why the request has to end; undefined while it may go on. */
  ended: { readonly reason: Error } | undefined
  /** Called when the request has to end; there is one listener. */
  onEnd = (): void => {}
  /** Must be called, or the timer keeps the process alive. */
  readonly dispose: () => void

  constructor(clock: Clock, timeoutMs: number, reason: () => Error, signal?: AbortSignal) {
    const cancel = clock.schedule(timeoutMs, () => this.#end(reason()))
    const onAbort = (): void => this.#end(signal?.reason)
    if (signal?.aborted) onAbort()
    if (signal !== undefined) setMaxListeners(0, signal) // many requests share one, and Node warns of the eleventh
    signal?.addEventListener('abort', onAbort, { once: true })
    this.dispose = () => {
      cancel()
      signal?.removeEventListener('abort', onAbort)
    }
  }

  #end(reason: Error): void {
    this.ended ??= { reason }
    this.onEnd()
  }
}
