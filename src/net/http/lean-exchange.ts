/**
 * An Exchange on a bare socket, for the command line. undici's Client costs a short command 60 ms to load, to compile
 * its parser and to use for the first time, as much as all of Node; this one costs 2 ms. It does what routers need and
 * no more. One test table (test/net/http/client.test.ts) holds for both.
 *
 * Head and body leave in one write, hence in one segment: an old Linksys needs that. The headers have miniupnpc's order
 * and spelling, which routers are tested with. Nothing is half closed: Draytek takes that for a goodbye.
 */
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { ChunkedBody } from './chunked-body.js'
import { type Exchange, type HttpRequest, hostHeader, type ReplySink } from './client.js'
import { connectTo } from './connect.js'
import { endOfHead, hasNoBody, isInterim, MAX_HEAD_BYTES, MAX_INTERIM_HEADS, readHead } from './head.js'

/** What an exchange needs from a socket, which emits 'connect' once it is connected. */
export type Connection = Duplex & Pick<Socket, 'bytesRead'> & Partial<Pick<Socket, 'localAddress' | 'remoteAddress'>>

export const leanExchange: Exchange = leanExchangeOver(connectTo)

export function leanExchangeOver(open: (request: HttpRequest) => Connection): Exchange {
  return (request, sink) => exchange(request, sink, open(request))
}

function exchange(request: HttpRequest, sink: ReplySink, socket: Connection): () => void {
  const reader = new ReplyReader(sink)
  let over = false
  const settle = (tell: () => void): void => {
    if (over) return
    over = true
    tell()
    socket.destroy()
  }
  const fail = (error: Error): void => settle(() => sink.fail(error, socket.bytesRead))
  socket.on('connect', () => {
    sink.connected(socket.localAddress ?? '', socket.remoteAddress ?? '')
    socket.write(requestText(request))
  })
  socket.on('data', (piece) => {
    if (over) return
    try {
      reader.read(piece)
    } catch (error) {
      fail(error as Error)
    }
    if (reader.ended) settle(() => sink.end())
  })
  socket.on('end', () => (reader.bodyBegun ? settle(() => sink.end()) : fail(closedEarly())))
  socket.on('error', fail)
  socket.on('close', () => fail(closedEarly()))
  return () => settle(() => {})
}

function closedEarly(): Error {
  return Object.assign(new Error('closed without an answer'), { code: 'ECONNRESET' })
}

function requestText(request: HttpRequest): string {
  const { method, url, headers, body } = request
  const length = body === undefined ? [] : [`Content-Length: ${Buffer.byteLength(body)}`]
  const [first, ...others] = headers.map(([name, value]) => `${name}: ${value}`)
  const lines = [
    `${method} ${url.pathname}${url.search} HTTP/1.1`,
    `Host: ${hostHeader(url)}`,
    ...(first === undefined ? [] : [first]), // User-Agent
    ...length,
    ...others,
    'Connection: close',
  ]
  return `${lines.join('\r\n')}\r\n\r\n${body ?? ''}`
}

function nameAndValue(line: string): [string, string] {
  const colon = line.indexOf(':')
  return [line.slice(0, colon), line.slice(colon + 1)]
}

/** Turns the bytes of a response into calls of the sink. */
class ReplyReader {
  bodyBegun = false
  ended = false
  readonly #sink: ReplySink
  #pending: Buffer = Buffer.alloc(0)
  #interimHeads = 0
  #chunked: ChunkedBody | undefined

  constructor(sink: ReplySink) {
    this.#sink = sink
  }

  /** @throws Error if it is not HTTP, or exceeds a limit */
  read(piece: Buffer): void {
    const body = this.bodyBegun ? piece : this.#readHead(piece)
    if (body === undefined || body.length === 0 || this.ended) return
    const content = this.#chunked === undefined ? body : this.#chunked.decode(body)
    if (content.length > 0) this.#sink.data(content)
    this.ended = this.#chunked?.ended === true
  }

  /** Returns the bytes after the head, or undefined while the head is incomplete. */
  #readHead(piece: Buffer): Buffer | undefined {
    this.#pending = Buffer.concat([this.#pending, piece])
    for (;;) {
      const end = endOfHead(this.#pending)
      if ((end === -1 ? this.#pending.length : end) > MAX_HEAD_BYTES) {
        throw new Error(`the reply's headers are longer than ${MAX_HEAD_BYTES} bytes`)
      }
      if (end === -1) return undefined
      const head = readHead(this.#pending.toString('latin1', 0, end))
      this.#pending = this.#pending.subarray(end)
      if (Number.isNaN(head.status)) throw new Error('not an HTTP reply')
      if (!isInterim(head)) return this.#beginBody(head)
      if (++this.#interimHeads > MAX_INTERIM_HEADS) throw new Error('too many interim replies')
    }
  }

  #beginBody(head: ReturnType<typeof readHead>): Buffer {
    this.bodyBegun = true
    this.#chunked = head.chunked ? new ChunkedBody() : undefined
    this.#sink.head(head.status, head.declaredLength, head.headers.map(nameAndValue))
    this.ended = hasNoBody(head)
    return this.#pending
  }
}
