/** Draws the rows of the table that open a port with the search, from the fastest to the slowest. */

const COMMAND = '`-r 22 TCP`, with the search, IGD:2'

interface Bar {
  readonly name: string
  readonly ms: number
}

/** The cells of the table in a Markdown text. */
function cellsIn(markdown: string): readonly (readonly string[])[] {
  const rows = markdown.split('\n').filter((line) => line.startsWith('| '))
  return rows.map((line) => line.split(' | ').map((cell) => cell.replace(/^\| | \|$/g, '').trim()))
}

/** `189 ms (178–197)`, or `upnpc: 2073 ms (2071–2076)` */
function barOf(cell: string, name = cell.slice(0, cell.indexOf(': '))): Bar | undefined {
  const [, ms] = /(\d+) ms/.exec(cell) ?? []
  return ms === undefined ? undefined : { name, ms: Number(ms) }
}

/** A program that failed has no bar. */
export function barsIn(markdown: string): readonly Bar[] {
  const rows = cellsIn(markdown).filter(([what]) => what === COMMAND)
  const own = barOf(rows[0]?.[1] ?? '', 'upnp-ts')
  const bars = [own, ...rows.map(([, , other = '']) => barOf(other))]
  return bars.filter((bar) => bar !== undefined).toSorted((a, b) => a.ms - b.ms)
}

const [WIDTH, NAMES, ROW, TOP] = [760, 270, 26, 34]
const ROOM_FOR_NUMBER = 80

/** An SVG with no font or file of anybody's, for a light and a dark page. */
export function chartOf(markdown: string): string {
  const bars = barsIn(markdown)
  const longest = Math.max(...bars.map(({ ms }) => ms))
  const height = TOP + bars.length * ROW + 8
  const rows = bars.flatMap(({ name, ms }, at) => {
    const y = TOP + at * ROW
    const width = Math.round((ms / longest) * (WIDTH - NAMES - ROOM_FOR_NUMBER))
    const own = name === 'upnp-ts' ? ' own' : ''
    return [
      `  <text class="name${own}" x="${NAMES - 10}" y="${y + 14}">${name}</text>`,
      `  <rect class="bar${own}" x="${NAMES}" y="${y}" width="${width}" height="18" rx="2"/>`,
      `  <text x="${NAMES + width + 8}" y="${y + 14}">${ms} ms</text>`,
    ]
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img">
  <title>Opening a port, with the search for the router: the median of the time</title>
  <style>
    text { font: 13px system-ui, sans-serif; fill: #333 }
    .name { text-anchor: end }
    .own { font-weight: bold }
    .bar { fill: #8c959f }
    .bar.own { fill: #1a7f37 }
    @media (prefers-color-scheme: dark) { text { fill: #ddd } .bar.own { fill: #3fb950 } }
  </style>
  <text x="${NAMES}" y="18">Opening a port, with the search for the router (shorter is better)</text>
${rows.join('\n')}
</svg>
`
}
