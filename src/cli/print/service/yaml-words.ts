/** Words as a compose file spells them: double-quoted as in JSON, which is YAML too, and a $ twice, or it is a variable. */

/** What YAML does not let stand in quotes, and what a person would not see. Surrogates are never escaped one by one. */
const UNSEEN = /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g

export function yamlWord(word: string): string {
  const escaped = JSON.stringify(word).replace(UNSEEN, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
  return escaped.replaceAll('$', '$$$$')
}

export function yamlList(words: readonly string[]): string {
  return `[${words.map(yamlWord).join(', ')}]`
}
