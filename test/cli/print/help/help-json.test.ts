/** `help --json`, and docs/json.md about it. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { verbsOf } from '../../../../src/cli/parse/help-words.ts'
import { OPTIONS } from '../../../../src/cli/parse/option-table.ts'
import { TABLES } from '../../../../src/cli/parse/output-options.ts'
import { explanation } from '../../../../src/cli/print/help/explanation.ts'

const text = explanation({ kind: 'help' }, { json: true }, 80)
const document = JSON.parse(text)

describe('help as JSON', () => {
  it('is one line, with a version', () => {
    expect(text.split('\n')).toHaveLength(2)
    expect(document).toMatchObject({ type: 'help', version: 1 })
  })

  it('has the rows of the tables', () => {
    expect(document.verbs.map(({ name }: { name: string }) => name)).toEqual(verbsOf(TABLES).map(({ flag }) => flag))
    expect(document.options).toHaveLength(OPTIONS.length)
    const redirect = document.letters.find(({ letter }: { letter: string }) => letter === '-r')
    expect(redirect).toMatchObject({ name: '--redirect', verb: 'open', form: 'PORT [EXTERNAL_PORT] PROTOCOL ...' })
    expect(redirect.options).toContain('--lease')
    const via = document.options.find(({ name }: { name: string }) => name === '--via')
    expect(via).toMatchObject({ goesWith: 'both', commands: null, values: ['auto', 'igd', 'pcp', 'nat-pmp'] })
  })

  it('has the fields that docs/json.md names, and no others', () => {
    const docs = readFileSync(join(import.meta.dirname, '../../../../docs/json.md'), 'utf8')
    const chapter = docs.slice(docs.indexOf('\n## Help\n'))
    const rows = [...chapter.matchAll(/^\| `(\w+)` \| ([^|]*) \|/gm)]
    const named = Object.fromEntries(rows.map(([, key = '', fields = '']) => [key, fields.match(/(?<=`)\w+(?=`)/g)]))
    const lists = Object.entries(document).filter(([, value]) => Array.isArray(value))
    expect(named).toEqual(
      Object.fromEntries(lists.map(([key, value]) => [key, Object.keys((value as object[])[0] ?? {})])),
    )
  })
})
