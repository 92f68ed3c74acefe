/** Makes text from the network harmless to a terminal. Everything that is printed passes through here. */

/**
 * Characters that move the cursor, hide text or reverse it: C0, DEL and C1 (escape sequences begin with these), format
 * characters (zero-width and bidirectional controls, tags), line and paragraph separators, halves of surrogate pairs.
 */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu

/** Two hexadecimal digits if they are enough (`\x1b`), else four (`\u202e`), else braces (`\u{e0041}`). */
export function cleaned(text: string): string {
  return text.replace(UNSAFE, (char) => {
    const code = char.codePointAt(0) ?? 0
    if (code <= 0xff) return `\\x${hex(code, 2)}`
    return code <= 0xffff ? `\\u${hex(code, 4)}` : `\\u{${hex(code, 5)}}`
  })
}

/** How much of one text of a router's is shown on a terminal. JSON has it whole. */
export const MAX_SHOWN_BYTES = 1024

/** Cut between two characters, if it is too long to be shown. */
export function shortened(text: string): string {
  if (text.length * 3 <= MAX_SHOWN_BYTES) return text // no UTF-16 unit takes more than three bytes
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(MAX_SHOWN_BYTES))
  return read === text.length ? text : `${text.slice(0, read)}\u2026`
}

/** The same data, with every text in it shortened. */
export function withShortTexts<T>(data: T): T {
  return shortTextsIn(data) as T // the texts are other ones, and the form is the same
}

function shortTextsIn(data: unknown): unknown {
  if (typeof data === 'string') return shortened(data)
  if (Array.isArray(data)) return data.map(shortTextsIn)
  if (typeof data !== 'object' || data === null) return data
  return Object.fromEntries(Object.entries(data).map(([name, value]) => [name, shortTextsIn(value)]))
}

/**
 * JSON escapes only C0. This escapes the other unsafe characters too: `\u009b` means the same to a program, and is
 * harmless to a terminal.
 */
export function cleanedJson(json: string): string {
  return json.replace(UNSAFE, (char) =>
    Array.from({ length: char.length }, (_, at) => `\\u${hex(char.charCodeAt(at), 4)}`).join(''),
  )
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, '0')
}
