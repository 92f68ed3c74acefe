/** Text from the network -> text that a terminal only shows. One choke point for everything that is printed. */

/**
 * C0, DEL and C1 (escape sequences begin there), zero-width and bidirectional controls, line and paragraph separators:
 * what moves the cursor, hides text or turns it round.
 */
const UNSAFE = /[\0-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g

/** `\x1b` for what fits two digits, `\u202e` for the rest. */
export function cleaned(text: string): string {
  return text.replace(UNSAFE, (char) => {
    const code = char.charCodeAt(0)
    return code <= 0xff ? `\\x${hex(code, 2)}` : `\\u${hex(code, 4)}`
  })
}

/** JSON leaves C1 and the rest as they are; `\u009b` is the same string to a program and harmless to a terminal. */
export function cleanedJson(json: string): string {
  return json.replace(UNSAFE, (char) => `\\u${hex(char.charCodeAt(0), 4)}`)
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, '0')
}
