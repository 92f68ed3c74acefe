/** How many columns of a terminal a text takes: letters of East Asia and pictures take two, marks above a letter none. */
const WIDE =
  /\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Hangul}|[\u3000-\u303f\uff01-\uff60]|\p{Emoji_Presentation}/u
const NARROWEST = /\p{Mn}|\p{Me}/u

function widthOf(character: string): number {
  return NARROWEST.test(character) ? 0 : WIDE.test(character) ? 2 : 1
}

export function columnsOf(text: string): number {
  return [...text].reduce((sum, character) => sum + widthOf(character), 0)
}

export function padded(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - columnsOf(text)))
}

/** The text, or as much of it as fits with a sign that there is more. */
export function cutTo(text: string, columns: number): string {
  return columnsOf(text) <= columns ? text : `${beginningOf(text, columns - 1)}\u2026`
}

/** As much of the text as fits. */
export function beginningOf(text: string, columns: number): string {
  let [kept, width] = ['', 0]
  for (const character of text) {
    width += widthOf(character)
    if (width > columns) break
    kept += character
  }
  return kept
}
