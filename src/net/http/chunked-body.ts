/**
 * Decodes the chunked transfer coding (RFC 9112 7.1) piece by piece. A size is one to seven hexadecimal digits and
 * nothing else (CVE-2017-8798 was a size read as signed). Extensions and trailers are skipped, and bounded.
 */
const MAX_LINE_BYTES = 1024
const MAX_TRAILER_LINES = 64

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
    return content.length === 1 ? (content[0] ?? Buffer.alloc(0)) : Buffer.concat(content)
  }

  #readLine(bytes: Buffer, from: number): number {
    const end = bytes.indexOf(0x0a, from)
    this.#line += bytes.toString('latin1', from, end === -1 ? bytes.length : end)
    if (this.#line.length > MAX_LINE_BYTES) throw new Error('a chunk header is too long')
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
