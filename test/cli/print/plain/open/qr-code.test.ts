/** What is drawn is read back from the printed text, as bright as a terminal shows it, and decoded by another package. */
import jsQR from 'jsqr'
import { describe, expect, it } from 'vitest'
import { type Canvas, hasUnicode, qrCode } from '../../../../../src/cli/print/plain/open/qr-code.ts'

const ENDPOINT = '203.0.113.7:25565'
const TEXTS = [
  ENDPOINT,
  '255.255.255.255:65535',
  '[2001:db8:85a3:1234:5678:8a2e:1370:7334]:25565',
  'http://203.0.113.7:8080/',
  'ssh -p 2222 you@203.0.113.7',
]
const CANVASES: readonly (Pick<Canvas, 'hasColour' | 'hasUnicode'> & { readonly name: string })[] = [
  { name: 'half blocks in colour', hasUnicode: true, hasColour: true },
  { name: 'half blocks', hasUnicode: true, hasColour: false },
  { name: 'ASCII in colour', hasUnicode: false, hasColour: true },
  { name: 'ASCII', hasUnicode: false, hasColour: false },
]

/** Whether a cell is bright, in its upper and in its lower half. Dark terminals show text bright. */
type Cell = readonly [upper: boolean, lower: boolean]
const INK: Readonly<Record<string, Cell>> = {
  ' ': [false, false],
  '▀': [true, false],
  '▄': [false, true],
  '█': [true, true],
  '#': [true, true],
}
const isWhite = (colour: string | undefined, otherwise: boolean): boolean =>
  colour === undefined ? otherwise : colour === '231'

/** The cells of a terminal that is dark, or light. */
function cellsOf(text: string, isLight: boolean): Cell[][] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => {
      let ink: string | undefined
      let paper: string | undefined
      return [...line.matchAll(/\x1b\[([\d;]*)m|(.)/gu)].flatMap(([, codes, character]): Cell[] => {
        const isReset = codes === '0'
        ink = isReset ? undefined : (/38;5;(\d+)/.exec(codes ?? '')?.[1] ?? ink)
        paper = isReset ? undefined : (/48;5;(\d+)/.exec(codes ?? '')?.[1] ?? paper)
        const drawn = INK[character ?? '']
        if (drawn === undefined) return []
        const [bright, dark] = [isWhite(ink, !isLight), isWhite(paper, isLight)]
        const [upper, lower] = drawn
        return [[upper ? bright : dark, lower ? bright : dark]]
      })
    })
}

/** Sixteen pixels for a module. `mayInvert`: light on dark will do. */
function decoded(rows: readonly (readonly Cell[])[], hasUnicode: boolean, mayInvert: boolean): string | undefined {
  const lines = rows.flatMap((cells) => [cells.map(([upper]) => upper), cells.map(([, lower]) => lower)])
  const [wide, high] = hasUnicode ? [4, 4] : [2, 2]
  const width = (rows[0]?.length ?? 0) * wide
  const pixels = lines.flatMap((line) => {
    const row = line.flatMap((bright) => new Array<boolean>(wide).fill(bright))
    return new Array<boolean[]>(high).fill(row).flat()
  })
  const data = Uint8ClampedArray.from(pixels.flatMap((bright) => [...new Array<number>(3).fill(bright ? 255 : 0), 255]))
  const inversionAttempts = mayInvert ? 'attemptBoth' : 'dontInvert'
  return jsQR.default(data, width, lines.length * high, { inversionAttempts })?.data
}

function drawn(text: string, canvas: Partial<Canvas> = {}) {
  const [piece] = qrCode(text, { columns: undefined, hasColour: true, hasUnicode: true, ...canvas })
  return piece ?? { stream: 'stdout', text: '', tone: 'plain' }
}

describe('a QR code', () => {
  const ways = TEXTS.flatMap((text) => CANVASES.map((canvas) => ({ text, ...canvas })))

  it.each(ways)('of $text in $name is read from a dark terminal', ({ text, ...canvas }) => {
    const { stream, text: picture } = drawn(text, canvas)
    expect(stream).toBe('stdout')
    expect(decoded(cellsOf(picture, false), canvas.hasUnicode, false)).toBe(text)
  })

  it.each(ways)('of $text in $name is read from a light terminal', ({ text, ...canvas }) => {
    const { text: picture } = drawn(text, canvas)
    expect(decoded(cellsOf(picture, true), canvas.hasUnicode, !canvas.hasColour)).toBe(text)
  })

  it('fits a terminal of 80 columns and 24 lines', () => {
    for (const text of TEXTS) {
      const cells = cellsOf(drawn(text).text, false)
      expect(cells.length).toBeLessThan(24)
      expect(cells[0]?.length).toBeLessThan(80)
    }
  })

  it('has a margin of four modules on each side', () => {
    const cells = cellsOf(drawn(ENDPOINT).text, false)
    const isBlank = (row: readonly Cell[] = []) => row.every(([upper, lower]) => upper && lower)
    expect([...cells.slice(0, 2), ...cells.slice(-2)].every(isBlank)).toBe(true)
    expect(cells.every((row) => isBlank([...row.slice(0, 4), ...row.slice(-4)]))).toBe(true)
  })

  it('has nothing but ASCII without colour and without Unicode', () => {
    expect(drawn(ENDPOINT, { hasColour: false, hasUnicode: false }).text).toMatch(/^[ #\n]+$/)
  })

  it('is not drawn on a terminal that is narrower', () => {
    expect(drawn(ENDPOINT, { columns: 29 }).stream).toBe('stdout')
    expect(drawn(ENDPOINT, { columns: 28 })).toEqual({
      stream: 'stderr',
      text: 'hint: the QR code needs a terminal of 29 columns, and this one has 28\n',
      tone: 'hint',
    })
    expect(drawn(ENDPOINT, { columns: 57, hasUnicode: false }).stream).toBe('stderr')
  })
})

describe('the locale', () => {
  it.each([
    [{ LANG: 'en_GB.UTF-8' }, true],
    [{ LANG: 'C.utf8' }, true],
    [{ LANG: 'de_DE.UTF-8', LC_ALL: 'C' }, false],
    [{ LANG: 'C', LC_CTYPE: 'UTF-8', LC_ALL: '' }, true],
    [{ LANG: 'de_DE.ISO-8859-1' }, false],
    [{}, false],
  ])('%j has Unicode: %s', (env, expected) => {
    expect(hasUnicode(env, 'linux')).toBe(expected)
    expect(hasUnicode(env, 'win32')).toBe(true)
  })
})
