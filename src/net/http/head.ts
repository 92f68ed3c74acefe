/** The head of an HTTP/1.x response, as routers write it: lines may end in LF, and what is no header is skipped. */
export const MAX_HEAD_BYTES = 16 * 1024
export const MAX_HEADERS = 64
/** After more than these `100 Continue`, the request has failed. */
const MAX_INTERIM_HEADS = 4

export interface ResponseHead {
  /** As received, without the end of the line. */
  readonly statusLine: string
  /** NaN if the first line is no status line. */
  readonly status: number
  readonly headers: readonly string[]
  readonly chunked: boolean
  /** Content-Length; undefined if it is missing or no number, or if the body is chunked. */
  readonly declaredLength: number | undefined
}

export function readHead(head: string): ResponseHead {
  const [statusLine = '', ...lines] = head.split(/\r?\n/)
  const headers = lines
    .filter((line) => /^[!#$%&'*+.^_`|~0-9A-Za-z-]+:[^\0-\x08\x0a-\x1f\x7f]*$/.test(line))
    .slice(0, MAX_HEADERS)
  const headerValue = (name: RegExp): string | undefined => {
    const line = headers.find((each) => name.test(each))
    return line?.slice(line.indexOf(':') + 1).trim()
  }
  const chunked = /\bchunked$/i.test(headerValue(/^transfer-encoding:/i) ?? '')
  const length = headerValue(/^content-length:/i)
  const declaredLength = !chunked && length !== undefined && /^\d{1,10}$/.test(length) ? Number(length) : undefined
  const status = Number(/^HTTP\/1\.\d +(\d{3})\b/i.exec(statusLine)?.[1] ?? Number.NaN)
  return { statusLine, status, headers, chunked, declaredLength }
}

/** A blank line may come in two pieces: so many characters before a piece may belong to it. */
const BEFORE_BLANK_LINE = 3

/**
 * Gathers the head of a response, and passes over interim responses (RFC 9110 15.2) before it. It is linear in the bytes,
 * also if they come one at a time.
 */
export class HeadReader {
  #pieces: Buffer[] = []
  #size = 0
  /** The last characters of the pieces. */
  #last = ''
  #interimHeads = 0

  /** Returns the head and the bytes after it, or undefined while it is incomplete. @throws Error beyond a limit */
  read(piece: Buffer): { readonly head: ResponseHead; readonly rest: Buffer } | undefined {
    for (let bytes = piece; ; ) {
      const text = this.#last + bytes.toString('latin1', 0, MAX_HEAD_BYTES + 1)
      const blankLine = /\r?\n\r?\n/.exec(text)
      const end = blankLine === null ? bytes.length : blankLine.index + blankLine[0].length - this.#last.length
      this.#pieces.push(bytes.subarray(0, end))
      this.#size += end
      this.#last = text.slice(-BEFORE_BLANK_LINE)
      if (this.#size > MAX_HEAD_BYTES) throw new Error(`the reply's headers are longer than ${MAX_HEAD_BYTES} bytes`)
      if (blankLine === null) return undefined
      const head = readHead(Buffer.concat(this.#pieces).toString('latin1'))
      this.#pieces = []
      this.#size = 0
      this.#last = ''
      bytes = bytes.subarray(end)
      const isInterim = head.status >= 100 && head.status <= 199
      if (!isInterim) return { head, rest: bytes }
      if (++this.#interimHeads > MAX_INTERIM_HEADS) throw new Error('too many interim replies')
    }
  }
}
