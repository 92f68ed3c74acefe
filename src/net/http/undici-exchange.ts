/**
 * An Exchange with undici, for the library, loaded at the first request. A socket of ours repairs the reply's head. Bun
 * has a stand-in for undici, which can send nothing: there leanExchange does it.
 */
import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import type { Dispatcher } from 'undici'
import { type Exchange, type HttpRequest, hostHeader, type ReplySink } from './client.js'
import { connectTo } from './connect.js'
import { HeadReader, type ResponseHead } from './head.js'
import { leanExchange } from './lean-exchange.js'

export const undiciExchange: Exchange = (request, sink) => {
  let stopped = false
  let drop: () => void = () => {}
  start(request, sink, () => stopped).then(
    (dropConnection) => {
      drop = dropConnection
      if (stopped) drop()
    },
    (error: Error) => sink.fail(error, 0),
  )
  return () => {
    stopped = true
    drop()
  }
}

async function start(request: HttpRequest, sink: ReplySink, stopped: () => boolean): Promise<() => void> {
  const { Client } = await import('undici')
  if (stopped()) return () => {}
  if (typeof Client.prototype.dispatch !== 'function') return leanExchange(request, sink)
  let socket: RepairedHead | undefined
  const client = new Client(request.url.origin, {
    pipelining: 0, // Connection: close
    headersTimeout: 0, // the caller has an absolute deadline
    bodyTimeout: 0,
    connect(_options, callback) {
      const opening = new RepairedHead(connectTo(request))
      const failed = (error: Error): void => callback(error, null)
      opening.once('error', failed)
      opening.once('connect', () => {
        sink.connected(opening.localAddress, opening.remoteAddress)
        // undici asks for a net.Socket, and uses of it what every Duplex stream has.
        callback(null, opening as unknown as Socket)
        opening.off('error', failed) // from here on undici handles the errors
      })
      socket = opening
    },
  })
  const handler: Dispatcher.DispatchHandler = {
    onRequestStart() {},
    onResponseStart: (_controller, status, headers) => sink.head(status, socket?.declaredLength, pairsOf(headers)),
    onResponseData: (_controller, piece) => sink.data(piece),
    onResponseEnd: () => sink.end(),
    onResponseError: (_controller, error) => sink.fail(error, socket?.receivedBytes ?? 0),
  }
  client.dispatch(
    {
      method: request.method,
      path: request.url.pathname + request.url.search,
      headers: ['Host', hostHeader(request.url), ...request.headers.flat()],
      body: request.body ?? null,
    },
    handler,
  )
  return () => {
    client.destroy().catch(() => {})
    socket?.destroy()
  }
}

function pairsOf(headers: Record<string, string | string[] | undefined>): [string, string][] {
  return Object.entries(headers).map(([name, value = '']) => [name, Array.isArray(value) ? (value[0] ?? '') : value])
}

/**
 * A TCP connection that repairs the head of an HTTP response on its way in, for a strict parser. Lines that end in LF
 * get CRLF. Lines that are no header are dropped, as are interim 1xx responses, and a Content-Length next to chunked.
 * The declared length is recorded and removed, because too many routers declare a wrong one: the reader decides where
 * the body ends. The body passes untouched. Nothing is ever half closed: Draytek routers take that for a goodbye.
 *
 * Why not a lenient parser: llhttp, which undici and Node share, has switches for some of this; neither offers them.
 */
export class RepairedHead extends Duplex {
  /** Content-Length as received; undefined if there was none, or if the body is chunked. */
  declaredLength: number | undefined
  receivedBytes = 0
  localAddress = ''
  remoteAddress = ''
  readonly #socket: Socket
  readonly #heads = new HeadReader()
  #bodyBegun = false

  constructor(socket: Socket) {
    super({ allowHalfOpen: true })
    this.#socket = socket
    socket.on('connect', () => {
      this.localAddress = socket.localAddress ?? ''
      this.remoteAddress = socket.remoteAddress ?? ''
      this.emit('connect')
    })
    socket.on('data', (piece) => this.#receive(piece))
    socket.on('end', () => this.push(null))
    socket.on('error', (error) => this.destroy(error))
    socket.on('close', () => this.destroy())
  }

  #receive(piece: Buffer): void {
    this.receivedBytes += piece.length
    try {
      const rest = this.#bodyBegun ? piece : this.#repairHead(piece)
      if (rest.length > 0 && !this.push(rest)) this.#socket.pause()
    } catch (error) {
      this.destroy(error as Error)
    }
  }

  /** Returns what follows the head. */
  #repairHead(piece: Buffer): Buffer {
    const read = this.#heads.read(piece)
    if (read === undefined) return Buffer.alloc(0)
    this.#bodyBegun = true
    this.declaredLength = read.head.declaredLength
    this.push(Buffer.from(repairedText(read.head), 'latin1'))
    return read.rest
  }

  override _read(): void {
    this.#socket.resume()
  }

  override _write(piece: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#socket.write(piece, done)
  }

  /** Head and body leave in one write, hence in one segment: an old Linksys needs that. */
  override _writev(
    pieces: { chunk: Buffer | string; encoding: BufferEncoding }[],
    done: (error?: Error | null) => void,
  ): void {
    const all = pieces.map(({ chunk, encoding }) => (typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk))
    this.#socket.write(Buffer.concat(all), done)
  }

  override _final(done: () => void): void {
    done() // the end is not passed on, because nothing is ever half closed
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#socket.destroy()
    done(error)
  }

  ref(): this {
    this.#socket.ref()
    return this
  }

  unref(): this {
    this.#socket.unref()
    return this
  }
}

/** Exported for its tests. */
export function repairedText({ statusLine, headers, chunked, declaredLength }: ResponseHead): string {
  const dropped = chunked
    ? /^(content-length|connection|keep-alive):/i
    : /^(content-length|connection|keep-alive|transfer-encoding):/i
  const kept = headers.filter((line) => !dropped.test(line))
  // `Content-Length: 0` is believed: on a connection that stays open nothing else shows the end of the body.
  const length0 = declaredLength === 0 ? ['Content-Length: 0'] : []
  return [statusLine, ...kept, ...length0, 'Connection: close', '', ''].join('\r\n')
}
