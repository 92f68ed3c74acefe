/** The tables of docs/commands.md and docs/emulator.md say what the parser's tables say: no more, and no less. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { COMMANDS } from '../../../src/cli/parse/command-table.ts'
import { verbsOf } from '../../../src/cli/parse/help-words.ts'
import { isOnlyOfEmulate, OPTIONS } from '../../../src/cli/parse/option-table.ts'
import { TABLES } from '../../../src/cli/parse/output-options.ts'
import { headOf } from '../../../src/cli/print/help/brief.ts'

const DOCS = join(import.meta.dirname, '../../../docs')
const COMMANDS_TEXT = readFileSync(join(DOCS, 'commands.md'), 'utf8')
const EMULATOR_TEXT = readFileSync(join(DOCS, 'emulator.md'), 'utf8')

/** What the first cells of the tables under such a heading have, each in backticks. */
function firstCells(heading: string): string[] {
  const tables = COMMANDS_TEXT.split(`\n| ${heading} | what it does |\n|---|---|\n`).slice(1)
  const lines = tables.flatMap((table) => table.slice(0, table.indexOf('\n\n')).split('\n'))
  return lines
    .flatMap((line) => (line.split(' | ')[0] ?? '').match(/(?<=`)[^`,][^`]*(?=`)/g) ?? [])
    .map((cell) => cell.replaceAll('\\|', '|'))
}

describe('the documents', () => {
  it('have a row for every verb, and no other', () => {
    const verbs = verbsOf(TABLES).map((row) => headOf(row))
    expect(firstCells('verb').sort()).toEqual(verbs.sort())
  })

  it('have a row for every letter, and no other', () => {
    const commands = COMMANDS.filter(({ onlyAlone }) => onlyAlone !== true).map((row) => headOf(row))
    expect(firstCells('command').sort()).toEqual(commands.sort())
  })

  it('have a row for every option, and no other', () => {
    const options = OPTIONS.filter((row) => !isOnlyOfEmulate(row))
    const heads = options.map(({ showsBothNames: _, ...row }) => headOf(row)) // -V and -h stand there without --help
    expect(firstCells('option').sort()).toEqual(heads.sort())
  })

  it('say what emulate takes', () => {
    const takes = /\n`emulate` takes (.*?)\. It speaks/s.exec(EMULATOR_TEXT)?.[1]?.match(/(?<=`)--[^`]+(?=`)/g) ?? []
    const options = OPTIONS.filter(isOnlyOfEmulate)
    expect(takes.sort()).toEqual(options.map(headOf).sort())
  })
})
