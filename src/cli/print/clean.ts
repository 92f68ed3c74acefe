/** Text from the network -> text that a terminal only shows. One choke point for everything that is printed. */

/**
 * C0, DEL and C1 (escape sequences begin there), format characters (zero-width and bidirectional controls, tags), line
 * and paragraph separators, and halves of surrogate pairs: what moves the cursor, hides text or turns it round.
 */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu

/** `\x1b` for what fits two digits, `\u202e` for what fits four, `\u{e0041}` for the rest. */
export function cleaned(text: string): string {
  return text.replace(UNSAFE, (char) => {
    const code = char.codePointAt(0) ?? 0
    if (code <= 0xff) return `\\x${hex(code, 2)}`
    return code <= 0xffff ? `\\u${hex(code, 4)}` : `\\u{${hex(code, 5)}}`
  })
}

/** JSON leaves C1 and the rest as they are; `\u009b` is the same string to a program and harmless to a terminal. */
export function cleanedJson(json: string): string {
  return json.replace(UNSAFE, (char) =>
    Array.from({ length: char.length }, (_, at) => `\\u${hex(char.charCodeAt(at), 4)}`).join(''),
  )
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, '0')
}
