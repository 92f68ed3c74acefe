/** The README's tables of commands and options say what the parser's two tables say: no more, and no less. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { COMMANDS } from '../../../src/cli/parse/command-table.ts'
import { isOnlyOfEmulate, OPTIONS } from '../../../src/cli/parse/option-table.ts'
import { headOf } from '../../../src/cli/print/usage.ts'

const README = readFileSync(join(import.meta.dirname, '../../../README.md'), 'utf8')
const CHAPTER = README.slice(README.indexOf('\n## Commands\n'), README.indexOf('\n### Exit codes\n'))

/** What the first cells of the tables under such a heading have, each in backticks. */
function firstCells(heading: string): string[] {
  const tables = CHAPTER.split(`\n| ${heading} | what it does |\n|---|---|\n`).slice(1)
  const lines = tables.flatMap((table) => table.slice(0, table.indexOf('\n\n')).split('\n'))
  return lines.flatMap((line) => (line.split(' | ')[0] ?? '').match(/(?<=`)[^`,][^`]*(?=`)/g) ?? [])
}

describe('the README', () => {
  it('has a row for every command, and no other', () => {
    const commands = COMMANDS.filter(({ onlyAlone }) => onlyAlone !== true).map((row) => headOf(row))
    expect(firstCells('command').sort()).toEqual([...commands, 'emulate'].sort())
  })

  it('has a row for every option, and no other', () => {
    const options = OPTIONS.filter((row) => !isOnlyOfEmulate(row))
    const heads = options.map(({ showsBothNames: _, ...row }) => headOf(row)) // -V and -h stand there without --help
    expect(firstCells('option').sort()).toEqual(heads.sort())
  })

  it('says what emulate takes', () => {
    const takes = /\n`emulate` takes (.*?)\. Its/s.exec(CHAPTER)?.[1]?.match(/(?<=`)--[^`]+(?=`)/g) ?? []
    const options = OPTIONS.filter(isOnlyOfEmulate)
    expect(takes.sort()).toEqual(options.map(headOf).sort())
  })
})
