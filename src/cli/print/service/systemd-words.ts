/** Words as a unit of systemd spells them (systemd.syntax(7), systemd.service(5), "Command lines"). */

const PLAIN = /^[\w@+=:,./-]+$/

/** A word of a list, such as ReadWritePaths=. Each % would be a specifier. */
export function unitWord(word: string): string {
  if (PLAIN.test(word)) return word
  const escaped = word.replace(/[\\"]/g, '\\$&').replace(/\p{Cc}/gu, escapedControl)
  return `"${percentless(escaped)}"`
}

/** An argument of ExecStart=, where a $ would be a variable. */
export function argumentWord(word: string): string {
  return unitWord(word).replaceAll('$', '$$$$')
}

/** A value that is no list. */
export function percentless(value: string): string {
  return value.replaceAll('%', '%%')
}

/** C1 controls are two bytes of UTF-8. */
function escapedControl(character: string): string {
  return [...new TextEncoder().encode(character)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')
}
