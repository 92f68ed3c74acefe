/** Draws what a terminal shows as SVG: plain text, no font or file of anybody's, readable on a light and a dark page. */

const [COLUMN, LINE, MARGIN, BAR] = [8, 18, 16, 30]
/** The eight colours of SGR 30 to 37, as GitHub's dark terminal has them, and 90: grey. */
const COLOURS: Readonly<Record<string, string>> = {
  31: '#ff7b72',
  32: '#7ee787',
  33: '#e3b341',
  34: '#79c0ff',
  35: '#d2a8ff',
  36: '#76e3ea',
  90: '#8b949e',
}

interface Run {
  readonly text: string
  readonly column: number
  readonly colour: string | undefined
  readonly isBold: boolean
  readonly isFaint: boolean
}

const ESCAPE = String.fromCharCode(27)

/** A line with SGR sequences -> pieces of one look. What two blanks part are two pieces, so that columns stay columns. */
function runsOf(line: string): readonly Run[] {
  const runs: Run[] = []
  let [column, colour, isBold, isFaint] = [0, undefined as string | undefined, false, false]
  for (const [at, part] of line.split(ESCAPE).entries()) {
    const [, codes = '', text = part] = at === 0 ? [] : (/^\[([\d;]*)m(.*)$/s.exec(part) ?? [])
    for (const code of codes.split(';')) {
      if (code === '0' || code === '39') colour = undefined
      if (code in COLOURS) colour = COLOURS[code]
      if (code === '1') isBold = true
      if (code === '2') isFaint = true
      if (code === '0' || code === '22') isBold = isFaint = false
    }
    for (const { 0: words, index } of text.matchAll(/\S+(?: \S+)*/g))
      runs.push({ text: words, column: column + [...text.slice(0, index)].length, colour, isBold, isFaint })
    column += [...text].length
  }
  return runs
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

/** `title` is for who cannot see the picture. */
export function terminalPicture(title: string, screen: string, columns: number): string {
  const lines = screen.trimEnd().split('\n')
  const [width, height] = [columns * COLUMN + 2 * MARGIN, BAR + lines.length * LINE + MARGIN]
  const texts = lines.flatMap((line, at) =>
    runsOf(line).map(({ text, column, colour, isBold, isFaint }) => {
      const look = [
        colour === undefined ? '' : ` fill="${colour}"`,
        isBold ? ' font-weight="bold"' : '',
        isFaint ? ' opacity="0.7"' : '',
      ].join('')
      const place = `x="${MARGIN + column * COLUMN}" y="${BAR + at * LINE + 13}" textLength="${[...text].length * COLUMN}"`
      return `    <text ${place}${look}>${escaped(text)}</text>`
    }),
  )
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">
  <title>${escaped(title)}</title>
  <rect width="${width}" height="${height}" rx="8" fill="#161b22" stroke="#6e7681"/>
  <g fill="#6e7681"><circle cx="18" cy="15" r="5"/><circle cx="36" cy="15" r="5"/><circle cx="54" cy="15" r="5"/></g>
  <g xml:space="preserve" font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, DejaVu Sans Mono, monospace" font-size="13" fill="#e6edf3">
${texts.join('\n')}
  </g>
</svg>
`
}
