import { Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { MAX_HEAD_BYTES, MAX_HEADERS, readHead } from '../../../src/net/http/head.ts'
import { RepairedHead, repairedText } from '../../../src/net/http/undici-exchange.ts'
import { settle } from '../../support/fake-clock.ts'

const head = (...lines: string[]): string => ['HTTP/1.1 200 OK', ...lines, '', ''].join('\r\n')

describe('repairedText', () => {
  it.each([
    ['keeps what is good', head('A: 1', 'B:2'), head('A: 1', 'B:2', 'Connection: close'), undefined],
    ['mends line ends', 'HTTP/1.1 200 OK\nA: 1\r\nB: 2\n\n', head('A: 1', 'B: 2', 'Connection: close'), undefined],
    ['takes note of the length and removes it', head('Content-Length: 12'), head('Connection: close'), 12],
    ['whatever its case and blanks', head('content-length:  12  '), head('Connection: close'), 12],
    ['and believes the first one', head('Content-Length: 3', 'Content-Length: 7'), head('Connection: close'), 3],
    ['keeps a length of nothing', head('Content-Length: 0'), head('Content-Length: 0', 'Connection: close'), 0],
    ['does not believe a length that is none', head('Content-Length: -5'), head('Connection: close'), undefined],
    ['nor one that is huge', head('Content-Length: 99999999999'), head('Connection: close'), undefined],
    [
      'lets chunked win over a length',
      head('Content-Length: 3', 'Transfer-Encoding: chunked'),
      head('Transfer-Encoding: chunked', 'Connection: close'),
      undefined,
    ],
    ['drops other transfer codings', head('Transfer-Encoding: identity'), head('Connection: close'), undefined],
    ['drops keep-alive', head('Connection: Keep-Alive', 'Keep-Alive: 5'), head('Connection: close'), undefined],
    ['drops a line without a colon', head('nonsense', 'A: 1'), head('A: 1', 'Connection: close'), undefined],
    ['drops a folded line', head('A: 1', '  more'), head('A: 1', 'Connection: close'), undefined],
    ['drops a name with a blank', head('A b: 1', 'A : 1'), head('Connection: close'), undefined],
    ['drops control characters', head('A: \x001', 'B: \x1b[2J', 'C: \r1'), head('Connection: close'), undefined],
    ['keeps Latin-1', head('SERVER: B\xfcro'), head('SERVER: B\xfcro', 'Connection: close'), undefined],
  ])('%s', (_name, given, expected, declaredLength) => {
    expect(repairedText(readHead(given))).toBe(expected)
    expect(readHead(given).declaredLength).toBe(declaredLength)
  })

  it('keeps a bounded number of headers', () => {
    const many = head(...Array.from({ length: 1000 }, (_, at) => `X-${at}: y`))
    expect(repairedText(readHead(many)).match(/^X-/gm)).toHaveLength(MAX_HEADERS)
  })
})

/** A socket that is never connected: the test says what comes in and sees what goes out. */
class ScriptedSocket extends Socket {
  readonly written: string[] = []
  paused = false

  override write(piece: unknown, done?: unknown): boolean {
    this.written.push(Buffer.isBuffer(piece) ? piece.toString('latin1') : String(piece))
    if (typeof done === 'function') done()
    return true
  }

  override pause(): this {
    this.paused = true
    return this
  }

  override resume(): this {
    this.paused = false
    return this
  }

  receive(text: string): void {
    this.emit('data', Buffer.from(text, 'latin1'))
  }
}

function open(): { socket: ScriptedSocket; stream: RepairedHead } {
  const socket = new ScriptedSocket()
  return { socket, stream: new RepairedHead(socket) }
}

/** All that is there. (Node 26 gives one piece at a time, older ones all at once.) */
function read(stream: RepairedHead): string {
  const piece: unknown = stream.read()
  return Buffer.isBuffer(piece) ? piece.toString('latin1') + read(stream) : ''
}

describe('a repaired connection', () => {
  it('gives on nothing before the head is whole', () => {
    const { socket, stream } = open()
    socket.receive('HTTP/1.1 200 OK\nA: 1\n')
    expect(read(stream)).toBe('')
    socket.receive('\nbody')
    expect(read(stream)).toBe(`${head('A: 1', 'Connection: close')}body`)
  })

  it('does not touch the body, whatever it looks like', () => {
    const { socket, stream } = open()
    socket.receive(`${head()}HTTP/1.1 100 Continue\n\n`)
    socket.receive('Content-Length: 5\n\nx')
    expect(read(stream)).toBe(`${head('Connection: close')}HTTP/1.1 100 Continue\n\nContent-Length: 5\n\nx`)
  })

  it('passes over interim replies, in whatever pieces they come', () => {
    const { socket, stream } = open()
    for (const char of `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 102 X\n\n${head()}b`) socket.receive(char)
    expect(read(stream)).toBe(`${head('Connection: close')}b`)
  })

  it('counts what it received', () => {
    const { socket, stream } = open()
    socket.receive('HTTP')
    expect(stream.receivedBytes).toBe(4)
  })

  it('writes what was corked together as one piece', async () => {
    const { socket, stream } = open()
    stream.cork()
    stream.write('POST / HTTP/1.1\r\n\r\n', 'latin1')
    stream.write(Buffer.from('body'))
    stream.uncork()
    await settle()
    expect(socket.written).toEqual(['POST / HTTP/1.1\r\n\r\nbody'])
  })

  it('does not pass on the end of what is written', async () => {
    const { socket, stream } = open()
    let ended = false
    socket.end = () => {
      ended = true
      return socket
    }
    stream.end('x')
    await settle()
    expect(socket.written).toEqual(['x'])
    expect(ended).toBe(false)
  })

  it('lets the network wait where its reader does, and go on with it', () => {
    const { socket, stream } = open()
    socket.receive(head())
    while (!socket.paused && stream.readableLength < 10_000_000) socket.receive('x'.repeat(10_000))
    expect(socket.paused).toBe(true)
    expect(stream.readableLength).toBeLessThan(200_000)
    while (stream.read() !== null);
    expect(socket.paused).toBe(false)
  })

  it.each([
    ['in one piece', [`HTTP/1.1 200 OK\r\nX: ${'y'.repeat(MAX_HEAD_BYTES)}\r\n\r\n`]],
    ['in many', ['HTTP/1.1 200 OK\r\nX: ', ...Array(20).fill('y'.repeat(1024))]],
  ])('ends with an error where the head is too long, %s', async (_name, pieces: string[]) => {
    const { socket, stream } = open()
    const errors: Error[] = []
    stream.on('error', (error) => errors.push(error))
    for (const piece of pieces) if (!stream.destroyed) socket.receive(piece)
    await settle()
    expect(errors.map(({ message }) => message)).toEqual([
      `the reply's headers are longer than ${MAX_HEAD_BYTES} bytes`,
    ])
    expect(socket.destroyed).toBe(true)
  })

  it('takes the connection with it where it is destroyed, and goes with the connection', async () => {
    const one = open()
    one.stream.destroy()
    const two = open()
    two.socket.destroy()
    await settle()
    expect(one.socket.destroyed).toBe(true)
    expect(two.stream.destroyed).toBe(true)
  })
})
