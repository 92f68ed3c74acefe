/**
 * A TCP connection that repairs the head of an HTTP response on its way in, for a strict parser. Lines that end in LF
 * get CRLF. Lines that are no header are dropped, as are interim 1xx responses, and a Content-Length next to chunked.
 * The declared length is recorded and removed, because too many routers declare a wrong one: the reader decides where
 * the body ends. The body passes untouched. Nothing is ever half closed: Draytek routers take that for a goodbye.
 *
 * Why not a lenient parser: llhttp, which undici and Node share, has switches for some of this; neither offers them.
 */
import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { endOfHead, MAX_HEAD_BYTES, MAX_INTERIM_HEADS, readHead } from './head.js'

export class RepairedHead extends Duplex {
  /** Content-Length as received; undefined if there was none, or if the body is chunked. */
  declaredLength: number | undefined
  receivedBytes = 0
  localAddress = ''
  remoteAddress = ''
  readonly #socket: Socket
  #head: Buffer | undefined = Buffer.alloc(0)
  #interimHeads = 0

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
    let rest = piece
    while (this.#head !== undefined && rest.length > 0) {
      const seen: Buffer = Buffer.concat([this.#head, rest])
      const end = endOfHead(seen)
      if ((end === -1 ? seen.length : end) > MAX_HEAD_BYTES) {
        this.destroy(new Error(`the reply's headers are longer than ${MAX_HEAD_BYTES} bytes`))
        return
      }
      if (this.#interimHeads > MAX_INTERIM_HEADS) {
        this.destroy(new Error('too many interim replies'))
        return
      }
      this.#head = seen
      if (end === -1) return
      const interim = /^HTTP\/1\.\d +1\d\d\b/.test(seen.toString('latin1', 0, 16))
      this.#interimHeads += interim ? 1 : 0
      this.#head = interim ? Buffer.alloc(0) : undefined
      rest = seen.subarray(end)
      if (!interim) this.#pushHead(seen.toString('latin1', 0, end))
    }
    if (rest.length > 0 && !this.push(rest)) this.#socket.pause()
  }

  #pushHead(head: string): void {
    const repaired = repairHead(head)
    this.declaredLength = repaired.declaredLength
    this.push(Buffer.from(repaired.head, 'latin1'))
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
export function repairHead(head: string): { head: string; declaredLength: number | undefined } {
  const { statusLine, headers, chunked, declaredLength } = readHead(head)
  const dropped = chunked
    ? /^(content-length|connection|keep-alive):/i
    : /^(content-length|connection|keep-alive|transfer-encoding):/i
  const kept = headers.filter((line) => !dropped.test(line))
  // `Content-Length: 0` is believed: on a connection that stays open nothing else shows the end of the body.
  const length0 = declaredLength === 0 ? ['Content-Length: 0'] : []
  return { head: [statusLine, ...kept, ...length0, 'Connection: close', '', ''].join('\r\n'), declaredLength }
}
