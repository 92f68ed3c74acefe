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
import { type Exchange, type HttpRequest, hostHeader, type ReplySink } from './client.js'
import { connectTo } from './connect.js'
import { HeadReader } from './head.js'

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
  readonly #heads = new HeadReader()
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
    const read = this.#heads.read(piece)
    if (read === undefined) return undefined
    const { head, rest } = read
    if (Number.isNaN(head.status)) throw new Error('not an HTTP reply')
    this.bodyBegun = true
    this.#chunked = head.chunked ? new ChunkedBody() : undefined
    this.#sink.head(head.status, head.declaredLength, head.headers.map(nameAndValue))
    // RFC 9112 6.3: 204 and 304 have no body, whatever the headers say. `Content-Length: 0` is believed too.
    this.ended = head.status === 204 || head.status === 304 || head.declaredLength === 0
    return rest
  }
}

const MAX_CHUNK_LINE_BYTES = 1024
const MAX_TRAILER_LINES = 64

/** RFC 9112 7.1. A size is one to seven hexadecimal digits (CVE-2017-8798 was a signed one). Trailers are bounded. */
export class ChunkedBody {
  /** True once the last chunk and the trailers have arrived. */
  ended = false
  #line = ''
  #left = 0
  #state: 'size' | 'data' | 'after-data' | 'trailers' = 'size'
  #trailers = 0

  /** Returns the content in these bytes. @throws Error if they are not chunked coding */
  decode(bytes: Buffer): Buffer {
    const content: Buffer[] = []
    let at = 0
    while (at < bytes.length && !this.ended) {
      if (this.#state === 'data') {
        const part = bytes.subarray(at, at + this.#left)
        content.push(part)
        at += part.length
        this.#left -= part.length
        if (this.#left === 0) this.#state = 'after-data'
      } else at = this.#readLine(bytes, at)
    }
    const [first] = content
    return first !== undefined && content.length === 1 ? first : Buffer.concat(content)
  }

  #readLine(bytes: Buffer, from: number): number {
    const end = bytes.indexOf(0x0a, from)
    this.#line += bytes.toString('latin1', from, end === -1 ? bytes.length : end)
    if (this.#line.length > MAX_CHUNK_LINE_BYTES) throw new Error('a chunk header is too long')
    if (end === -1) return bytes.length
    const line = this.#line.replace(/\r$/, '')
    this.#line = ''
    this.#endLine(line)
    return end + 1
  }

  #endLine(line: string): void {
    if (this.#state === 'size') this.#startChunk(line)
    else if (this.#state === 'after-data') {
      if (line !== '') throw new Error('a chunk is longer than it says')
      this.#state = 'size'
    } else if (line === '') this.ended = true
    else if (++this.#trailers > MAX_TRAILER_LINES) throw new Error('too many trailers')
  }

  #startChunk(line: string): void {
    const size = /^([0-9a-f]{1,7})\s*(;.*)?$/i.exec(line)?.[1]
    if (size === undefined) throw new Error('a chunk has no size')
    this.#left = Number.parseInt(size, 16)
    this.#state = this.#left === 0 ? 'trailers' : 'data'
  }
}
