import { Duplex } from 'node:stream'
import { describe, expect, it } from 'vitest'
import type { HttpRequest } from '../../../src/net/http/client.ts'
import { HeadReader } from '../../../src/net/http/head.ts'
import { ChunkedBody, type Connection, leanExchangeOver } from '../../../src/net/http/lean-exchange.ts'

const decode = (...pieces: string[]): { content: string; ended: boolean } => {
  const body = new ChunkedBody()
  const content = pieces.map((piece) => body.decode(Buffer.from(piece, 'latin1')).toString('latin1')).join('')
  return { content, ended: body.ended }
}

describe('a chunked body', () => {
  const good = '4;ext=1\r\nabcd\r\nA\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n'

  it('is read whole', () => {
    expect(decode(good)).toEqual({ content: 'abcd0123456789', ended: true })
  })

  it('is read the same in pieces of one byte', () => {
    expect(decode(...good)).toEqual({ content: 'abcd0123456789', ended: true })
  })

  it('may have its lines end in LF', () => {
    expect(decode('2\nab\n0\n\n')).toEqual({ content: 'ab', ended: true })
  })

  it('has not ended before its last line, wherever it is cut', () => {
    for (let length = 0; length < good.length; length++) expect(decode(good.slice(0, length)).ended).toBe(false)
  })

  it.each(['-1', 'ffffffffffffffff', '80000000', ' 1', '0x10', '+1', '', 'g', '1 1'])('refuses the size %j', (size) => {
    expect(() => decode(`${size}\r\nabcd\r\n`)).toThrow('a chunk has no size')
  })

  it('refuses a chunk that is longer than it says', () => {
    expect(() => decode('2\r\nabc\r\n')).toThrow('a chunk is longer than it says')
  })

  it('refuses an extension of a megabyte, at the latest after a kilobyte', () => {
    expect(() => decode(`1;${'x'.repeat(1024)}`)).toThrow('a chunk header is too long')
  })

  it('refuses trailers without end', () => {
    expect(() => decode(`0\r\n${'a: b\r\n'.repeat(100)}`)).toThrow('too many trailers')
  })
})

describe('the head of a reply', () => {
  const read = (...pieces: string[]) => {
    const reader = new HeadReader()
    return pieces.map((piece) => reader.read(Buffer.from(piece, 'latin1')))
  }

  it.each(['\r\n\r\n', '\n\n', '\n\r\n', '\r\n\n'])('ends at %j, in however many pieces that comes', (blankLine) => {
    for (const pieces of [[`HTTP/1.1 200 OK${blankLine}body`], [...`HTTP/1.1 200 OK${blankLine}`, 'body']]) {
      const found = read(...pieces).filter((each) => each !== undefined)
      expect(found[0]?.head.status).toBe(200)
      expect(pieces.length > 1 || found[0]?.rest.toString() === 'body').toBe(true)
    }
  })

  it('comes after four interim heads at most', () => {
    const interim = 'HTTP/1.1 100 Continue\r\n\r\n'
    expect(read(`${interim.repeat(4)}HTTP/1.1 204\n\n`)[0]?.head.status).toBe(204)
    expect(() => read(interim.repeat(5))).toThrow('too many interim replies')
  })
})

/** A connection that knows no addresses, and what is said over it. */
function spoken(speak: (connection: Duplex) => void): string[] {
  const said: string[] = []
  const connection = Object.assign(new Duplex({ read() {}, write: (_piece, _encoding, done) => done() }), {
    bytesRead: 0,
  })
  const request = { method: 'GET', url: new URL('http://192.168.1.1/'), headers: [] } as unknown as HttpRequest
  leanExchangeOver(() => connection satisfies Connection)(request, {
    connected: (...addresses) => said.push(`connected ${JSON.stringify(addresses)}`),
    head: (status) => said.push(`head ${status}`),
    data: (piece) => said.push(`data ${piece.toString()}`),
    end: () => said.push('end'),
    fail: (error) => said.push(`fail ${error.message}`),
  })
  speak(connection)
  return said
}

describe('an exchange', () => {
  it('goes without the addresses, if the connection does not know them', () => {
    expect(spoken((connection) => connection.emit('connect'))).toEqual(['connected ["",""]'])
  })

  it('that is over hears no more', () => {
    const said = spoken((connection) => {
      connection.emit('data', Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'))
      connection.emit('data', Buffer.from('more'))
      connection.emit('end')
    })
    expect(said).toEqual(['head 200', 'end'])
  })
})
