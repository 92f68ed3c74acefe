/** Words as a person would type them in a shell (POSIX), for a command line that a message shows. It is always one line. */

const PLAIN = /^[\w@%+=:,./-]+$/

/** What a person would not see, or what would end the line. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu

/** Only a word with something unseen needs what dash does not know: $'\n'. */
export function shellWord(word: string): string {
  if (PLAIN.test(word)) return word
  if (word.search(UNSEEN) === -1) return `'${word.replaceAll("'", "'\\''")}'`
  return `$'${word.replace(/[\\']/g, '\\$&').replace(UNSEEN, escaped)}'`
}

function escaped(character: string): string {
  const code = character.codePointAt(0) ?? 0
  return code < 0x80 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\U${code.toString(16).padStart(8, '0')}`
}

export function shellLine(words: readonly string[]): string {
  return words.map(shellWord).join(' ')
}
