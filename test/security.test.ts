/** SECURITY.md: its table names constants, numbers and tests that are there, and no bound of a peer is missing in it. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const ROOT = join(import.meta.dirname, '..')
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8')
const TEXT = read('SECURITY.md')

interface Row {
  readonly what: string
  readonly most: string
  readonly bounds: readonly { readonly name: string; readonly file: string }[]
  readonly tests: readonly string[]
}

/** Rows with four columns, of which the third names constants and files, and the last one tests. */
const ROWS: readonly Row[] = [...TEXT.matchAll(/^\| (.+) \| (.+) \| (.*`src\/.+`) \| (.*`test\/.+`) \|$/gm)].map(
  ([, what = '', most = '', enforced = '', held = '']) => ({
    what,
    most,
    bounds: [...enforced.matchAll(/((?:`[A-Z_]+` )+)`(src\/[^`]+)`/g)].flatMap(([, names = '', file = '']) =>
      [...names.matchAll(/`(\w+)`/g)].map(([, name = '']) => ({ name, file })),
    ),
    tests: [...held.matchAll(/`([^`]+)`/g)].map(([, path = '']) => path),
  }),
)

/** Numbers, and products of numbers. Undefined if the file has no such constant. */
function numberOf(name: string, file: string): number | undefined {
  const [, product] = new RegExp(`^(?:export )?const ${name} = ([\\dxa-f_ *]+)$`, 'm').exec(read(file)) ?? []
  return product?.split('*').reduce((value, factor) => value * Number(factor.replaceAll('_', '')), 1)
}

/** The ways in which the table may write it. */
function formsOf(value: number): string[] {
  const spaced = String(value).replace(/\B(?=(?:\d{3})+$)/g, ' ')
  return [`${value}`, spaced, `${value / 1024} KiB`, `${value / 1024 ** 2} MiB`, `${value / 1000} s`]
}

it('has a table of bounds', () => {
  expect(ROWS.length).toBeGreaterThan(30)
})

describe.each(ROWS)('the bound of $what', ({ most, bounds, tests }) => {
  it('has a name, in a file that exists', () => {
    expect(bounds).not.toEqual([])
    expect(bounds.filter(({ name, file }) => numberOf(name, file) === undefined)).toEqual([])
  })

  it('is the number that the table says', () => {
    const isSaid = (value: number): boolean =>
      formsOf(value).some((form) => new RegExp(`(?<![\\d.])${form}(?![\\d.]*\\d)`).test(most))
    expect(bounds.filter(({ name, file }) => !isSaid(numberOf(name, file) ?? Number.NaN))).toEqual([])
  })

  it('is held by tests that exist', () => {
    expect(tests.filter((path) => !existsSync(join(ROOT, path)))).toEqual([])
  })
})

/** What bounds no peer: our own texts and tries, the formats of messages, and what the user can ask for. */
const OF_NO_PEER: ReadonlySet<string> = new Set([
  'src/client/igd/pinhole-firewall.ts MAX_OWN_ADDRESSES',
  'src/client/mapping-memory.ts MAX_ADDRESS_LENGTH',
  'src/client/mapping-memory.ts MAX_IDENTITY_LENGTH',
  'src/client/search/candidate.ts MAX_SHOWN_URL',
  'src/client/search/router-memory.ts MAX_NAME_LENGTH',
  'src/emulator/emulator-options.ts MAX_REPLY_DELAY_MS',
  'src/emulator/igd/ssdp-responder.ts MAX_AGE_SECONDS',
  'src/emulator/quirks.ts MAX_SEARCH_DELAY_MS',
  'src/emulator/tables/pinhole-table.ts MAX_PINHOLE_ID',
  'src/library/mapper.ts MAX_PLAIN_LENGTH',
  'src/library/keeping/own-marks.ts MAX_NAME_LENGTH',
  'src/library/pinhole-memory.ts MAX_ADDRESS_LENGTH',
  'src/net/clock.ts MAX_TIMEOUT_MS',
  'src/net/files/private-files.ts MAX_CREATE_ATTEMPTS',
  'src/wire/minissdpd.ts MAX_LENGTH_BYTES',
  'src/wire/soap.ts MAX_ARGUMENTS', // a reply with more is read by the XML parser, with its own bounds
])

it('leaves no bound out', () => {
  const listed = new Set(ROWS.flatMap(({ bounds }) => bounds.map(({ name, file }) => `${file} ${name}`)))
  const rooms = ['wire', 'net', 'client', 'emulator', 'library'].map((room) => `src/${room}`)
  const files = rooms.flatMap((room) =>
    readdirSync(join(ROOT, room), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => `${room}/${name.replaceAll('\\', '/')}`),
  )
  const all = files.flatMap((file) =>
    [...read(file).matchAll(/^(?:export )?const (MAX_\w+) =/gm)].map(([, name]) => `${file} ${name}`),
  )
  expect(all.filter((each) => !listed.has(each) && !OF_NO_PEER.has(each))).toEqual([])
  expect([...OF_NO_PEER].filter((each) => !all.includes(each))).toEqual([])
})
