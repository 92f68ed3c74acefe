import { describe, expect, it } from 'vitest'
import { ChunkedBody } from '../../../src/net/http/lean-exchange.ts'

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
