/**
 * HTTP/1.1 for talking to routers: one request on one fresh connection, answered before an absolute deadline.
 *
 * undici does the protocol; a socket of ours (repaired-head.ts) between it and the network mends what its parser would
 * refuse but real routers send. No redirects, no decompression, no cookies, no proxy from the environment, no keep-alive
 * (some routers break on a second request). The body ends at the first of: the XML root closes, the connection closes,
 * the declared length and then 200 ms of silence.
 */
import { connect, type Socket } from 'node:net'
import type { Dispatcher } from 'undici'
import { NoReplyError, TransportError } from '../domain/errors.js'
import type { Clock } from './clock.js'
import { deadlineAfter } from './clock.js'
import { RepairedHead } from './repaired-head.js'

/** How long to wait for more once the declared length has come without the document being complete. */
const AFTER_DECLARED_LENGTH_MS = 200

export interface HttpRequest {
  readonly method: 'GET' | 'POST'
  /** Plain `http:`. Who may be asked is the caller's policy; a host name is resolved by the system. */
  readonly url: URL
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
}

export interface HttpReply {
  readonly status: number
  readonly body: Uint8Array
  /** The address of this computer on that connection. */
  readonly localAddress: string
  /** The address that answered. */
  readonly remoteAddress: string
}

export interface HttpClient {
  /** @throws NoReplyError after `timeoutMs`, TransportError otherwise */
  request(request: HttpRequest): Promise<HttpReply>
}

export function createHttpClient(clock: Clock): HttpClient {
  return { request: (request) => requestTwiceIfReset(request, clock) }
}

/** Loads undici ahead of the first request, while something else is being waited for. */
export async function preloadHttpClient(): Promise<void> {
  await import('undici')
}

/** Routers under load close the first connection without an answer (ZTE F660, Ubee): asked once more, in the same time. */
async function requestTwiceIfReset(request: HttpRequest, clock: Clock): Promise<HttpReply> {
  const { action } = request
  const deadline = deadlineAfter(
    clock,
    request.timeoutMs,
    () => new NoReplyError(`${describe(request)} did not answer within ${request.timeoutMs / 1000} s`, { action }),
    request.signal,
  )
  try {
    const first = await exchange(request, clock, deadline.signal)
    const second = first.kind === 'reset' ? await exchange(request, clock, deadline.signal) : first
    if (second.kind === 'reply') return second.reply
    throw asTransportError(second.cause, request, deadline.signal)
  } finally {
    deadline.dispose()
  }
}

function describe(request: HttpRequest): string {
  return `${request.action}: ${request.url.origin}`
}

function asTransportError(cause: Error, request: HttpRequest, signal: AbortSignal): Error {
  if (signal.aborted && signal.reason instanceof Error) return signal.reason
  const reason = signal.aborted ? 'cancelled' : reasonOf(cause)
  return new TransportError(`${describe(request)}: ${reason}`, { action: request.action, cause })
}

const REASONS: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', 'connection refused'],
  ['ECONNRESET', 'connection closed without an answer'],
  ['UND_ERR_SOCKET', 'connection closed without an answer'],
  ['EPIPE', 'connection closed without an answer'],
  ['EHOSTUNREACH', 'no route to host'],
  ['ENETUNREACH', 'network is unreachable'],
  ['ETIMEDOUT', 'connection timed out'],
  ['ENOTFOUND', 'no such host name'],
  ['EAI_AGAIN', 'the host name could not be looked up'],
])

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : ''
}

function reasonOf(error: Error): string {
  return REASONS.get(codeOf(error)) ?? (error.name === 'HTTPParserError' ? 'not an HTTP reply' : error.message)
}

type Outcome =
  | { readonly kind: 'reply'; readonly reply: HttpReply }
  | { readonly kind: 'reset' | 'failure'; readonly cause: Error }

const RESETS: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'])

async function exchange(request: HttpRequest, clock: Clock, signal: AbortSignal): Promise<Outcome> {
  const { Client } = await import('undici')
  if (signal.aborted) return { kind: 'failure', cause: new Error('cancelled') }
  return new Promise((resolve) => {
    let socket: RepairedHead | undefined
    const client = new Client(request.url.origin, {
      pipelining: 0, // Connection: close
      headersTimeout: 0, // the deadline is ours, and absolute
      bodyTimeout: 0,
      connect(_options, callback) {
        const opening = new RepairedHead(connectTo(request.url))
        const failed = (error: Error): void => callback(error, null)
        opening.once('error', failed)
        opening.once('connect', () => {
          callback(null, opening as unknown as Socket) // undici listens to its errors from here on
          opening.off('error', failed)
        })
        socket = opening
      },
    })
    const finish = (outcome: Outcome): void => {
      collector.stop()
      signal.removeEventListener('abort', onAbort)
      resolve(outcome)
      client.destroy().catch(() => {})
      socket?.destroy()
    }
    const onAbort = (): void => finish({ kind: 'failure', cause: new Error('cancelled') })
    const collector = new Collector(request, clock, () => socket, finish)
    signal.addEventListener('abort', onAbort, { once: true })
    client.dispatch(
      {
        method: request.method,
        path: request.url.pathname + request.url.search,
        headers: ['Host', hostHeader(request.url), ...request.headers.flat()],
        body: request.body ?? null,
      },
      collector,
    )
  })
}

/** The port is always there, as in miniupnpc's GET: some routers compare the value with their own address and port. */
function hostHeader(url: URL): string {
  return url.port === '' ? `${url.hostname}:80` : url.host
}

function connectTo(url: URL): Socket {
  const host = url.hostname.replace(/^\[|\]$/g, '')
  return connect({ host, port: url.port === '' ? 80 : Number(url.port), noDelay: true })
}

/** Gathers one reply; calls `finish` exactly once. */
class Collector implements Dispatcher.DispatchHandler {
  readonly #request: HttpRequest
  readonly #clock: Clock
  readonly #socket: () => RepairedHead | undefined
  #finish: ((outcome: Outcome) => void) | undefined
  #status = 0
  #pieces: Buffer[] = []
  #size = 0
  #examining = false
  #cancelSilence: () => void = () => {}

  constructor(
    request: HttpRequest,
    clock: Clock,
    socket: () => RepairedHead | undefined,
    finish: (outcome: Outcome) => void,
  ) {
    this.#request = request
    this.#clock = clock
    this.#socket = socket
    this.#finish = finish
  }

  stop(): void {
    this.#finish = undefined
    this.#cancelSilence()
  }

  onRequestStart(): void {}

  onResponseStart(_controller: unknown, statusCode: number): void {
    this.#status = statusCode
  }

  onResponseData(_controller: unknown, piece: Buffer): void {
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
    const declared = this.#socket()?.declaredLength
    if (this.#request.isComplete(body)) this.#reply(body)
    else if (declared !== undefined && this.#size >= declared) this.#replyAfterSilence()
  }

  onResponseEnd(): void {
    this.#reply(this.#body())
  }

  onResponseError(_controller: unknown, cause: Error): void {
    const answered = this.#socket()?.receivedBytes ?? 0
    if (this.#status !== 0 && this.#size > 0)
      this.#reply(this.#body()) // cut short: let the decoder judge
    else this.#end({ kind: answered === 0 && RESETS.has(codeOf(cause)) ? 'reset' : 'failure', cause })
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
    const { localAddress = '', remoteAddress = '' } = this.#socket() ?? {}
    this.#end({ kind: 'reply', reply: { status: this.#status, body, localAddress, remoteAddress } })
  }

  #end(outcome: Outcome): void {
    const finish = this.#finish
    this.stop()
    finish?.(outcome)
  }
}
