/** Words as a person would type them in a shell (POSIX), for a command line that a message shows. It is always one line. */

const PLAIN = /^[\w@%+=:,./-]+$/

/** Only a word with control characters needs what dash does not know: $'\n'. */
export function shellWord(word: string): string {
  if (PLAIN.test(word)) return word
  if (!/\p{Cc}|[\u2028\u2029]/u.test(word)) return `'${word.replaceAll("'", "'\\''")}'`
  const escaped = word.replace(/[\\']/g, '\\$&').replace(/\p{Cc}|[\u2028\u2029]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0
    return code < 0x80 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`
  })
  return `$'${escaped}'`
}

export function shellLine(words: readonly string[]): string {
  return words.map(shellWord).join(' ')
}
