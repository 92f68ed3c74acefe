/** A QR code (ISO/IEC 18004) in a terminal, for a phone: dark on light, whatever colours the terminal has. Loaded with import(). */
import { generate } from 'lean-qr'
import { hint, type Piece, plain } from '../../pieces.js'
import type { Streams } from '../../printer.js'

/** What the picture is drawn on. */
export interface Canvas {
  /** How wide the terminal is; undefined if it is none. */
  readonly columns: number | undefined
  readonly hasColour: boolean
  readonly hasUnicode: boolean
}

export function canvasOf(stdout: Streams['stdout'], env: Streams['env']): Canvas {
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG || ''
  return {
    columns: stdout.columns,
    hasColour: stdout.isTTY === true && (env.NO_COLOR ?? '') === '' && env.TERM !== 'dumb',
    hasUnicode: /utf-?8/i.test(locale) || env.WT_SESSION !== undefined,
  }
}

/** The margin that a reader needs around it (ISO/IEC 18004 5.3.8), in modules. */
const MARGIN = 4

/** The picture, or a line that says why there is none. `text` is an endpoint or a hand-over line. */
export function qrCode(text: string, canvas: Canvas): Piece[] {
  const code = generate(text)
  const size = code.size + 2 * MARGIN
  const isDark: IsDark = (x, y) => code.get(x - MARGIN, y - MARGIN)
  const width = canvas.hasUnicode ? size : 2 * size
  if (canvas.columns !== undefined && canvas.columns < width)
    return [hint(`hint: the QR code needs a terminal of ${width} columns, and this one has ${canvas.columns}\n`)]
  const draw = canvas.hasUnicode ? drawInHalfBlocks : drawInPairs
  return [{ ...plain(draw(size, isDark, canvas.hasColour)), isWhole: true }]
}

/** False for what is outside. */
type IsDark = (x: number, y: number) => boolean

/** Black and white of the 256 colours, which no theme changes, as text and as background. */
const BLACK_ON_WHITE = '\x1b[38;5;16;48;5;231m'
const ON_BLACK = '\x1b[48;5;16m'
const ON_WHITE = '\x1b[48;5;231m'
const RESET = '\x1b[0m'

/** A character for two modules, one above the other. Without colour, blocks are light: most terminals are dark. */
function drawInHalfBlocks(size: number, isDark: IsDark, hasColour: boolean): string {
  const isInk = (x: number, y: number): boolean => isDark(x, y) === hasColour
  let picture = ''
  for (let y = 0; y < size; y += 2) {
    let row = ''
    for (let x = 0; x < size; x++) row += isInk(x, y) ? (isInk(x, y + 1) ? '█' : '▀') : isInk(x, y + 1) ? '▄' : ' '
    picture += hasColour ? `${BLACK_ON_WHITE}${row}${RESET}\n` : `${row}\n`
  }
  return picture
}

/** Two characters for a module. */
function drawInPairs(size: number, isDark: IsDark, hasColour: boolean): string {
  let picture = ''
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      if (hasColour) picture += `${isDark(x, y) ? ON_BLACK : ON_WHITE}  `
      else picture += isDark(x, y) ? '  ' : '##'
    }
    picture += hasColour ? `${RESET}\n` : '\n'
  }
  return picture
}

/** Whether the locale has more than ASCII (POSIX.1 8.2). A console of Windows always has. */
export function hasUnicode(env: Readonly<Record<string, string | undefined>>, platform = process.platform): boolean {
  const locale = [env.LC_ALL, env.LC_CTYPE, env.LANG].find((value) => value !== undefined && value !== '')
  return platform === 'win32' || /utf-?8/i.test(locale ?? '')
}
