/** The banner and the usage text fit the terminal and the parser. */
import { describe, expect, it } from 'vitest'
import { environmentOf } from '../../../src/cli/keep/environment.ts'
import { COMMANDS } from '../../../src/cli/parse/command-table.ts'
import { parseInvocation } from '../../../src/cli/parse/invocation.ts'
import { DEFAULT_TIMEOUT_MS, isOnlyOfEmulate, longOf, OPTIONS } from '../../../src/cli/parse/option-table.ts'
import { BANNER, headOf, usageText } from '../../../src/cli/print/usage.ts'
import { DEFAULT_DESCRIPTION } from '../../../src/domain/port-mapping.ts'
import { VERSION } from '../../../src/domain/version.ts'
import { CHECK_MS } from '../../../src/keeper/keeper.ts'

const USAGE = usageText()
const rows = [...COMMANDS.filter(({ onlyAlone }) => onlyAlone !== true), ...OPTIONS]

/** What an entry begins with; the heads of emulate's options stand in brackets behind it. */
function headsIn(usage: string): string[] {
  const entries = usage.match(/^ {2}-(?!- )\S.*?(?= {2}|$)/gm) ?? []
  const ofEmulate = /^ +\((--address [^)]*)\)$/ms.exec(usage)?.[1]?.split(/,\s+/) ?? []
  return [...entries.map((entry) => entry.trim()), ...ofEmulate]
}

function isInUsage(name: string): boolean {
  return new RegExp(`(^|[\\s(,])${name}([\\s,)]|$)`, 'm').test(USAGE)
}

describe('the usage text', () => {
  it('has an entry for every row of the two tables, and no other', () => {
    expect([...new Set(headsIn(USAGE))].sort()).toEqual([...new Set(rows.map(headOf))].sort())
  })

  it('says of each what it does', () => {
    const text = USAGE.replace(/\s+/g, ' ')
    const told = rows.filter((row) => !isOnlyOfEmulate(row))
    expect(told.filter((row) => !text.includes(`${headOf(row)} ${row.help} `))).toEqual([])
  })

  it('has every long name, and no option that the parser does not know', () => {
    const known = new Set(rows.flatMap((row) => [row.letter, longOf(row)]))
    expect([...known].filter((name) => name !== undefined && !isInUsage(name))).toEqual([])
    const mentioned = USAGE.match(/(?<=^|[\s(])--?[a-zA-Z\d][\w-]*/gm) ?? []
    expect(mentioned.filter((name) => !known.has(name))).toEqual([])
  })

  it('has the command of its own name', () => {
    expect(isInUsage('emulate')).toBe(true)
  })

  it('gives the defaults that are used', () => {
    expect(USAGE).toMatch(new RegExp(`-e TEXT .*\\[${DEFAULT_DESCRIPTION}\\]$`, 'm'))
    expect(USAGE).toMatch(new RegExp(`--timeout MS .*\\[${DEFAULT_TIMEOUT_MS}\\]$`, 'm'))
    expect(USAGE).toMatch(new RegExp(`--check SECONDS [^[]*\\[${CHECK_MS / 1000}\\]$`, 'm'))
  })

  it('names what a program finds in its environment', () => {
    const port = { protocol: 'TCP', externalPort: 1, internalPort: 1, internalClient: '', endsWallMs: undefined }
    const names = Object.keys(environmentOf({ externalAddress: '11.22.33.44', ports: [port] }))
    expect(names).toHaveLength(4)
    expect(names.filter((name) => !isInUsage(name))).toEqual([])
  })

  it('gives examples that are understood', () => {
    const examples = USAGE.match(/(?<=^ {2}upnp-ts ).*?(?= {2}|$)/gm) ?? []
    expect(examples.length).toBeGreaterThanOrEqual(4)
    for (const example of examples) {
      const words = example.trim().split(' ')
      expect(parseInvocation(words.map((word) => word.replace(/^""$/, '')))).toMatchObject({ kind: 'gateway' })
    }
  })

  it('fits a terminal of 80 columns and is plain text', () => {
    const lines = (BANNER + USAGE).split('\n')
    expect(lines.filter((line) => line.length > 80)).toEqual([])
    expect(lines.filter((line) => /[^\x20-\x7e]| $/.test(line))).toEqual([])
    expect(USAGE.endsWith('.\n')).toBe(true)
  })
})

describe('the banner', () => {
  it('is three lines and a blank one, with the version', () => {
    expect(BANNER.split('\n').map((line) => line !== '')).toEqual([true, true, true, false, false])
    expect(BANNER).toContain(VERSION)
  })
})
