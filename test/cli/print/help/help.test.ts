/** Help has every row of the tables, fits its screen, and speaks plainly where it is for everybody. */
import { describe, expect, it } from 'vitest'
import { environmentOf } from '../../../../src/cli/keep/environment.ts'
import { COMMANDS } from '../../../../src/cli/parse/command-table.ts'
import { verbsOf } from '../../../../src/cli/parse/help-words.ts'
import { parseInvocation } from '../../../../src/cli/parse/invocation.ts'
import {
  DEFAULT_TIMEOUT_MS,
  examplesOf,
  isOnlyOfEmulate,
  labelOf,
  longOf,
  OPTIONS,
} from '../../../../src/cli/parse/option-table.ts'
import { TABLES } from '../../../../src/cli/parse/output-options.ts'
import { headOf } from '../../../../src/cli/print/help/brief.ts'
import { explanation } from '../../../../src/cli/print/help/explanation.ts'
import { firstScreen, helpOn, subjectNear } from '../../../../src/cli/print/help/help.ts'
import { widthFor } from '../../../../src/cli/print/help/layout.ts'
import { TOPICS } from '../../../../src/cli/print/help/topics.ts'
import { WORDS, wordsIn } from '../../../../src/cli/print/help/words.ts'
import { BANNER } from '../../../../src/cli/print/usage.ts'
import { DEFAULT_DESCRIPTION } from '../../../../src/domain/port-mapping.ts'
import { VERSION } from '../../../../src/domain/version.ts'
import { CHECK_MS } from '../../../../src/keeper/keeper.ts'

const LETTERS = COMMANDS.filter(({ onlyAlone }) => onlyAlone !== true)
const VERBS = verbsOf(TABLES)
const ALL = [...TOPICS.map(({ name }) => name), ...[...VERBS, ...LETTERS, ...OPTIONS].map(labelOf)]
const told = (about: string, width = 80): string => helpOn(about, width) ?? ''
const inOneLine = (text: string): string => text.replace(/\s+/g, ' ')

/** What an entry of a list begins with. */
function headsIn(text: string): string[] {
  return (text.match(/^ {2}-\S.*?(?= {2}|$)/gm) ?? []).map((head) => head.trim())
}

describe('the first screen', () => {
  const screen = firstScreen(80)

  it('fits 24 lines of 80 columns, with the next prompt', () => {
    expect(screen.trimEnd().split('\n').length).toBeLessThanOrEqual(23)
  })

  it('has every verb, and says where the rest is', () => {
    for (const { flag, help } of VERBS) expect(screen).toMatch(new RegExp(`^  ${flag}( .*)?  +${help}$`, 'm'))
    for (const { name } of TOPICS) expect(inOneLine(screen)).toContain(` ${name}`)
    expect(screen).toContain('upnp-ts help open')
  })

  it('has the options that most people need', () => {
    const often = OPTIONS.filter(({ isOftenUsed }) => isOftenUsed === true)
    expect(headsIn(screen).sort()).toEqual(often.map(headOf).sort())
    expect(often.map(longOf)).toContain('--keep')
  })

  it('has no word that only who knows the protocols understands', () => {
    expect(screen).not.toMatch(/lease|IGD|pinhole|nonce|redirect|mapping|remote host|SOAP|NAT\b/i)
  })
})

describe('every page', () => {
  it.each(ALL)('%s is plain text, wrapped', (about) => {
    for (const width of [60, 80, 100]) {
      const lines = told(about, width).split('\n')
      const long = lines.filter(
        (line) => line.length > width && !/^ {2}(upnp-ts|ENTRY|docker| {2}--|-\w [A-Z_ ]+$)|^upnp-ts/.test(line),
      )
      expect(long).toEqual([])
      expect(lines.filter((line) => /[^\x20-\x7e]| $/.test(line))).toEqual([])
      expect(lines.length).toBeGreaterThan(2)
    }
    expect(
      told(about)
        .split('\n')
        .filter((line) => line.length > 80),
    ).toEqual([])
  })

  it.each(TOPICS.filter(({ name }) => name !== 'letters' && name !== 'options').map(({ name }) => name))(
    'the topic %s fits a screen',
    (name) => expect(told(name).trimEnd().split('\n').length).toBeLessThanOrEqual(23),
  )

  it('gives examples that are understood', () => {
    const examples = ALL.flatMap((about) => told(about).match(/(?<=^ {2}upnp-ts ).*?(?= {3}|$)/gm) ?? [])
    expect(examples.length).toBeGreaterThan(60)
    for (const example of examples) {
      const words = example.match(/"[^"]*"|\S+/g)?.map((word) => word.replaceAll('"', '')) ?? []
      if (words.at(-1) === '\\') continue // goes on in the next line
      expect(() => parseInvocation(words)).not.toThrow()
    }
  })
})

describe('the page of a command', () => {
  it.each([...VERBS, ...LETTERS].map((row) => [labelOf(row), row] as const))('%s', (label, row) => {
    const page = told(label)
    expect(page).toMatch(/^upnp-ts /)
    expect(page.split('\n', 1)[0]).toBe(`upnp-ts ${headOf(row)}`)
    for (const example of examplesOf(row)) expect(page).toContain(`\n  upnp-ts ${example}\n`)
    if (label.startsWith('-')) expect(helpOn(longOf(row), 80)).toBe(page)
  })

  it('explains every word of its form', () => {
    for (const row of [...VERBS, ...LETTERS]) {
      const words = row.form?.match(/[A-Z][A-Z_]+/g) ?? []
      expect(wordsIn(labelOf(row), row.form ?? '').map(({ word }) => word)).toEqual([...new Set(words)])
    }
    const used = [...VERBS, ...LETTERS].flatMap((row) => wordsIn(labelOf(row), row.form ?? ''))
    expect(WORDS.filter((row) => !used.includes(row))).toEqual([])
  })

  it('tells of the other way to write the command', () => {
    expect(inOneLine(told('open'))).toContain('-r, -a, -n, -A are the letters for it')
    expect(told('status')).toContain('-s is the letter for it')
    expect(told('-r')).toContain('In plain words: upnp-ts open')
    expect(told('-P')).not.toContain('In plain words')
  })

  it('has the options that go with it, and no others', () => {
    expect(told('open')).toMatch(/^ {2}--for TIME /m)
    expect(told('open')).toMatch(/^ {2}--on-change COMMAND /m)
    expect(told('-r')).toMatch(/^ {2}--lease SECONDS /m)
    expect(told('-r')).not.toContain('--for')
    expect(told('list')).not.toContain('--keep')
    expect(told('list')).toContain('--via')
    expect(told('emulate')).toMatch(/^ {2}--port N /m)
    expect(told('emulate')).not.toContain('--via')
    expect(told('completion')).not.toContain('--json')
  })
})

describe('the topics letters and options', () => {
  const letters = told('letters')
  const options = told('options')

  it('have an entry for every row of their tables, and no other', () => {
    expect([...new Set(headsIn(letters))].sort()).toEqual([...new Set(LETTERS.map(headOf))].sort())
    expect([...new Set(headsIn(options))].sort()).toEqual([...OPTIONS.map(headOf), '-- PROGRAM ARGUMENT ...'].sort())
  })

  it('say of each what it does, and of an option with what it goes', () => {
    for (const row of LETTERS) expect(inOneLine(letters)).toContain(`${headOf(row)} ${row.help} `)
    for (const row of OPTIONS) expect(inOneLine(options)).toContain(`${headOf(row)} ${row.help} (`)
    const sides = inOneLine(options).match(/\((?:both|verbs only|letters only)(?:: with [^)]*)?\)/g)
    expect(sides).toHaveLength(OPTIONS.length)
    expect(inOneLine(options)).toContain('(both: with open, -r, -a, -n)')
    expect(OPTIONS.filter(isOnlyOfEmulate).length).toBeGreaterThan(0)
  })

  it('have every long name', () => {
    for (const row of LETTERS.filter(({ letter }) => letter !== undefined)) expect(letters).toContain(longOf(row))
  })

  it('explain the words that a beginner does not know', () => {
    for (const word of ['IGD', 'lease', 'mapping', 'pinhole', 'nonce'])
      expect(options).toMatch(new RegExp(`^  ${word}  +\\w`, 'm'))
  })

  it('give the defaults that are used', () => {
    expect(inOneLine(options)).toMatch(new RegExp(`-e TEXT [^[]*\\[${DEFAULT_DESCRIPTION}\\]`))
    expect(inOneLine(options)).toMatch(new RegExp(`--timeout MS [^[]*\\[${DEFAULT_TIMEOUT_MS}\\]`))
    expect(inOneLine(options)).toMatch(new RegExp(`--check SECONDS [^[]*\\[${CHECK_MS / 1000}\\]`))
  })
})

describe('help', () => {
  it('names what a program finds in its environment', () => {
    const port = { protocol: 'TCP', externalPort: 1, internalPort: 1, internalClient: '', endsWallMs: undefined }
    const names = Object.keys(environmentOf({ externalAddress: '11.22.33.44', ports: [port] }))
    expect(names).toHaveLength(4)
    for (const name of names) expect(told('environment')).toContain(name)
  })

  it('suggests what is near, and nothing else', () => {
    expect(subjectNear('keep')).toBe('--keep')
    expect(subjectNear('dcoker')).toBe('docker')
    expect(subjectNear('--extrenal')).toBe('--external')
    expect(subjectNear('banana')).toBeUndefined()
    const ask = (about: string): string => explanation({ kind: 'help', about }, { json: false }, undefined)
    expect(() => ask('banana')).toThrow("there is no help on 'banana'; all commands and topics are in: upnp-ts help")
    expect(() => ask('dcoker')).toThrow("there is no help on 'dcoker'; did you mean docker?")
  })

  it('is as wide as the terminal, from 60 to 100 columns, and 80 without one', () => {
    expect([undefined, 20, 60, 77, 100, 200].map(widthFor)).toEqual([80, 60, 60, 77, 100, 100])
  })
})

describe('the banner', () => {
  it('is three lines and a blank one, with the version', () => {
    expect(BANNER.split('\n').map((line) => line !== '')).toEqual([true, true, true, false, false])
    expect(BANNER).toContain(VERSION)
  })
})
