/** Text for a width: paragraphs, and lists with what a thing is called beside what it does. */

/** Wider lines are hard to read; narrower terminals wrap by themselves. */
const [LEAST, MOST] = [60, 100] as const
const USUAL = 80

/** How wide help is for a terminal of so many columns. */
export function widthFor(columns: number | undefined): number {
  return columns === undefined ? USUAL : Math.max(LEAST, Math.min(MOST, columns))
}

/** Breaks a text into lines that fit. A word that is too long has a line of its own. */
export function wrapped(text: string, width: number, indent = ''): string {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    const longer = line === '' ? indent + word : `${line} ${word}`
    if (line !== '' && longer.length > width) {
      lines.push(line)
      line = indent + word
    } else line = longer
  }
  return `${[...lines, line].join('\n')}\n`
}

export type Entry = readonly [head: string, text: string]

/** The column where the texts of a list begin: behind the heads, of which long ones have lines of their own. */
function columnOf(entries: readonly Entry[], width: number): number {
  const most = Math.floor(width / 3)
  const lengths = entries.map(([head]) => head.length + 4).filter((length) => length <= most)
  return Math.max(12, ...lengths)
}

export function listed(entries: readonly Entry[], width: number, column = columnOf(entries, width)): string {
  return entries
    .map(([head, text]) => {
      const told = wrapped(text, width, ' '.repeat(column))
      const first = `  ${head}`
      return first.length > column - 2 ? `${first}\n${told}` : first.padEnd(column) + told.trimStart()
    })
    .join('')
}

/** Paragraphs, and lists between them. */
export type Block = string | readonly Entry[]

export function laidOut(blocks: readonly Block[], width: number): string {
  return blocks.map((block) => (typeof block === 'string' ? paragraph(block, width) : listed(block, width))).join('\n')
}

/** Lines that begin with two spaces are command lines: they stay as they are. */
function paragraph(text: string, width: number): string {
  return text
    .split('\n')
    .map((line) => (line.startsWith('  ') ? `${line}\n` : wrapped(line, width)))
    .join('')
}
