/** What a terminal shows after some output: as much of a terminal as the command line uses. */

/** The lines, without blanks at their ends. A line that is too long goes on in the next one. */
export function screenOf(output: string, columns: number): string[] {
  const lines: string[][] = [[]]
  let at = 0
  const last = (): string[] => lines.at(-1) ?? []
  const [erase, colour] = ['\x1b[K', /^\x1b\[\d*m/]
  for (let rest = output; rest !== ''; ) {
    const paint = colour.exec(rest)?.[0]
    if (rest.startsWith(erase)) last().length = Math.min(at, last().length)
    else if (paint === undefined) {
      const [character = ''] = rest
      if (character === '\r') at = 0
      else if (character === '\n') {
        lines.push([])
        at = 0
      } else {
        if (at === columns) {
          lines.push([])
          at = 0
        }
        last()[at++] = character
      }
      rest = rest.slice(character.length)
      continue
    }
    rest = rest.slice((paint ?? erase).length)
  }
  return lines.map((line) =>
    Array.from(line, (character = ' ') => character)
      .join('')
      .trimEnd(),
  )
}
