/** No text of a router's reaches the terminal raw: not from cleaned(), and not from either renderer, whatever the Report. */
import { isDeepStrictEqual } from 'node:util'
import { describe, expect, it } from 'vitest'
import { cleaned, cleanedJson, MAX_SHOWN_BYTES, shortened } from '../../../src/cli/print/clean.ts'
import { renderJson } from '../../../src/cli/print/json.ts'
import { renderText } from '../../../src/cli/print/text.ts'
import { randomFrom } from '../../support/random.ts'
import { ALL_REPORTS, withTextEverywhere } from '../../support/reports.ts'

/** Written down again, code point by code point, so that it is not the tested expression that judges itself. */
const HARMFUL_RANGES: readonly (readonly [number, number])[] = [
  [0x00, 0x1f], // C0
  [0x7f, 0x9f], // DEL, C1
  [0xad, 0xad], // soft hyphen
  [0x061c, 0x061c], // Arabic letter mark
  [0x180e, 0x180e], // Mongolian vowel separator
  [0x200b, 0x200f], // zero width, left-to-right and right-to-left mark
  [0x2028, 0x202e], // line and paragraph separator, embeddings and overrides
  [0x2060, 0x2064], // word joiner, invisible operators
  [0x2066, 0x206f], // isolates
  [0xd800, 0xdfff], // half a surrogate pair
  [0xfeff, 0xfeff], // zero width no-break space
  [0xfff9, 0xfffb], // interlinear annotation
  [0xe0001, 0xe0001], // language tag
  [0xe0020, 0xe007f], // tags
]

function isHarmful(char: string): boolean {
  if (char >= ' ' && char <= '~') return false // nearly all there is
  const code = char.codePointAt(0) ?? 0
  return HARMFUL_RANGES.some(([first, last]) => code >= first && code <= last)
}

const HARMFUL = HARMFUL_RANGES.flatMap(([first, last]) =>
  Array.from({ length: last - first + 1 }, (_, at) => String.fromCodePoint(first + at)),
).filter((_, at, all) => at < 300 || at % 37 === 0 || at > all.length - 100)

function harmfulIn(text: string, except = ''): string[] {
  return [...text].filter((char) => isHarmful(char) && !except.includes(char))
}

const HOSTILE: readonly string[] = [
  '\x1b]52;c;cm0gLXJmIH4=\x07', // writes to the clipboard
  '\x1b]0;title\x1b\\',
  '\x1b[2J\x1b[H',
  '\x9b31m',
  '\r\nFound valid IGD : http://evil/\r\n',
  '\u202egpj.exe',
  '\u2066\u2069\u200b\ufeff',
  '\ud83d', // half of a smile
  '\ude00\ud83d',
  '\u{e0041}\u{e0042}',
  '\\x1b is what it looks like',
  '\'"<>&`$(id)%s%n',
]

function randomText(random: () => number): string {
  const alphabet = [...HARMFUL, 'a', ' ', "'", '"', '\\', '\u00e9', '\u4f60', '\u{1f600}']
  return Array.from({ length: Math.floor(random() * 24) }, () => alphabet[Math.floor(random() * alphabet.length)]).join(
    '',
  )
}

const random = randomFrom(2)
const MIXED = [...HOSTILE, ...Array.from({ length: 100 }, () => randomText(random))]
const HARMFUL_BETWEEN_LETTERS = HARMFUL.map((char) => `a${char}b`)
const TEXTS = [...HARMFUL_BETWEEN_LETTERS, ...MIXED]

/** As few as can be: there are nearly 200 reports. A text of 100 of them is not cut. */
const TEXTS_FOR_REPORTS = [
  ...Array.from({ length: Math.ceil(HARMFUL.length / 100) }, (_, at) =>
    HARMFUL_BETWEEN_LETTERS.slice(at * 100, at * 100 + 100).join(''),
  ),
  ...MIXED,
]

describe('cleaned text', () => {
  it.each([
    ['\x1b[31m', '\\x1b[31m'],
    ['\0\n\t\x7f\x9b', '\\x00\\x0a\\x09\\x7f\\x9b'],
    ['\u00ad', '\\xad'],
    ['\u202egpj', '\\u202egpj'],
    ['\ufeffa\u200bb', '\\ufeffa\\u200bb'],
    ['\u{e0041}', '\\u{e0041}'],
    ['\ud83d', '\\ud83d'],
    ['\ude00x', '\\ude00x'],
  ])('%j is shown as %s', (text, shown) => {
    expect(cleaned(text)).toBe(shown)
  })

  it('leaves what people write with as it is', () => {
    const text = 'web & co <b> \'"\\ \u00fc\u00df \u4f60\u597d \u0434\u0430 \u05e9\u05dc\u05d5\u05dd \u{1f600} e\u0301'
    expect(cleaned(text)).toBe(text)
    expect(cleanedJson(text)).toBe(text)
  })

  it('has nothing in it that is not meant to be seen', () => {
    for (const text of TEXTS) {
      expect(harmfulIn(cleaned(text))).toEqual([])
      expect(harmfulIn(cleanedJson(text))).toEqual([])
    }
  })

  it('is the same string to a JSON parser', () => {
    for (const text of TEXTS) expect(JSON.parse(cleanedJson(JSON.stringify(text)))).toBe(text)
  })
})

describe('a text for a terminal', () => {
  it.each([
    ['of letters', 'a', 1024],
    ['of umlauts', 'ä', 512],
    ['of Chinese', '你', 341],
    ['of faces', '\u{1f600}', 256],
    ['of half faces', '\ud83d', 341],
  ])('%s is cut at 1 KiB, between two characters, with an ellipsis', (_, char, most) => {
    expect(shortened(char.repeat(most))).toBe(char.repeat(most))
    expect(shortened(char.repeat(most + 1))).toBe(`${char.repeat(most)}\u2026`)
    expect(shortened(char.repeat(1_000_000))).toBe(`${char.repeat(most)}\u2026`)
    expect(Buffer.byteLength(char.repeat(most))).toBeLessThanOrEqual(MAX_SHOWN_BYTES)
  })

  it('is never longer, whatever stands at the place', () => {
    for (let before = 1015; before <= 1024; before++)
      for (const char of ['a', 'ä', '你', '\u{1f600}', '\ud83d', '\udc00'])
        expect(Buffer.byteLength(shortened('a'.repeat(before) + char.repeat(9)))).toBeLessThanOrEqual(
          MAX_SHOWN_BYTES + 3,
        )
  })

  it.each(ALL_REPORTS.map((report, at) => [`${at} ${report.type}`, report] as const))(
    'is cut wherever it stands, and JSON has it whole: report %s',
    (_, report) => {
      const long = 'x'.repeat(10_000)
      const said = withTextEverywhere(report, long)
      expect(renderText(said, '2.1').filter(({ text }) => /x{1025}/.test(text))).toEqual([])
      const isPublished = renderJson(withTextEverywhere(report, 'MARK')).includes('MARK')
      expect(renderJson(said).includes(long)).toBe(isPublished)
    },
  )
})

describe('a text from the network, wherever in a report it stands', () => {
  const cases = ALL_REPORTS.map((report, at) => [`${at} ${report.type}`, report] as const)

  // One expect for all texts: each takes longer than the report that it is about.
  it.each(cases)('does nothing to a terminal: report %s', (_, report) => {
    const printed = TEXTS_FOR_REPORTS.flatMap((text) =>
      (['2.1', '2.3.3'] as const).flatMap((compat) => renderText(withTextEverywhere(report, text), compat)),
    )
    expect(printed.filter((piece) => harmfulIn(piece.text, '\n\t').length > 0)).toEqual([])
  })

  it.each(cases)('adds no line and no column to what is printed: report %s', (_, report) => {
    const shapeOf = (text: string): string =>
      renderText(withTextEverywhere(report, text), '2.1')
        .map((piece) => `${piece.stream} ${breaksOf(piece.text)}`)
        .join()
    const shape = shapeOf('x')
    expect(TEXTS_FOR_REPORTS.filter((text) => text !== '' && shapeOf(text) !== shape)).toEqual([])
  })

  it.each(cases)('is one line of JSON, harmless to a terminal and whole to a program: report %s', (_, report) => {
    const [mark, marked] = ['<MARK>', textsIn(JSON.parse(renderJson(withTextEverywhere(report, '<MARK>'))))]
    const isOneWholeLine = (text: string): boolean => {
      const line = renderJson(withTextEverywhere(report, text))
      const texts = marked.map((each) => each.replaceAll(mark, () => text))
      return (
        harmfulIn(line.slice(0, -1)).length === 0 &&
        line.endsWith('\n') &&
        isDeepStrictEqual(textsIn(JSON.parse(line)), texts)
      )
    }
    const hasAddress = ['notice', 'gateway', 'external-address', 'mapped'].includes(report.type) // the empty one is none
    const texts = TEXTS_FOR_REPORTS.filter((text) => text !== '' || !hasAddress)
    expect(texts.filter((text) => !isOneWholeLine(text))).toEqual([])
  })
})

function breaksOf(text: string): string {
  return JSON.stringify(text.replace(/[^\n\t]/g, ''))
}

function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : []
}
