/** docs/json.md against what is printed, both ways: nothing is printed undocumented, and nothing promised is missing. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { JSON_VERSION, renderJson } from '../../../src/cli/print/json.ts'
import { ALL_REPORTS } from '../../support/reports.ts'

const DOCUMENT = readFileSync(new URL('../../../docs/json.md', import.meta.url), 'utf8')

type Table = Readonly<Record<string, readonly string[]>>

/** The table under that heading: the name in the first column, and the fields in the second. */
function documented(heading: string): Table {
  const [, section = ''] = DOCUMENT.split(`## ${heading}\n`)
  const rows = section.split('\n## ')[0]?.match(/^\| `.*$/gm) ?? []
  const codes = (cell = ''): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code)
  return Object.fromEntries(
    rows.map((row) => {
      const [, first, second] = row.split('|')
      return [codes(first)[0] ?? '', codes(second).toSorted()]
    }),
  )
}

const printed = { types: new Map(), objects: new Map(), kinds: new Map() } as const satisfies Readonly<
  Record<string, Map<string, Set<string>>>
>
/** What stands in several types and is the same in each. */
const EVERYWHERE: ReadonlySet<string> = new Set(['error', 'key', 'range', 'searched'])

function note(table: Map<string, Set<string>>, name: string, value: object, known: readonly string[] = []): void {
  const fields = table.get(name) ?? new Set()
  table.set(name, fields)
  for (const field of Object.keys(value)) if (!known.includes(field)) fields.add(field)
}

function noteObjects(path: string, value: object): void {
  for (const [field, inner] of Object.entries(value)) {
    const where = EVERYWHERE.has(field) ? field : `${path}.${field}`
    for (const each of Array.isArray(inner) ? inner : [inner]) {
      if (typeof each !== 'object' || each === null) continue
      note(printed.objects, where, each)
      noteObjects(where, each)
    }
  }
}

for (const report of ALL_REPORTS) {
  const { type, ...fields } = JSON.parse(renderJson(report))
  const isNotice = type === 'notice'
  note(printed.types, type, isNotice ? { kind: '', message: '' } : fields)
  if (isNotice) note(printed.kinds, fields.kind, fields, ['kind', 'message'])
  noteObjects(type, fields)
}

function sorted(table: Map<string, Set<string>>): Table {
  return Object.fromEntries([...table].map(([name, fields]) => [name, [...fields].toSorted()]))
}

describe('docs/json.md', () => {
  it('has every type with its fields, and no other', () => {
    expect(documented('Types')).toEqual(sorted(printed.types))
  })

  it('has every object in them, and no other', () => {
    expect(documented('Objects in them')).toEqual(sorted(printed.objects))
  })

  it('has every kind of notice, and no other', () => {
    expect(documented('Notices')).toEqual(sorted(printed.kinds))
  })

  it('promises what the first object says', () => {
    const [first = ALL_REPORTS[0]] = ALL_REPORTS
    expect(first && JSON.parse(renderJson(first, true))).toMatchObject({ version: JSON_VERSION })
    expect(DOCUMENT).toContain(`Within version ${JSON_VERSION} `)
  })
})
