/** The rules of the architecture, executed on the sources, and shown to bite on planted breaches. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { circles, violations } from './support/import-rules.ts'

const ROOT = join(import.meta.dirname, '..')

function readSources(): Map<string, string> {
  const names = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
  const paths = names.filter((name) => name.endsWith('.ts')).map((name) => `src/${name.replaceAll('\\', '/')}`)
  return new Map(paths.sort().map((path) => [path, readFileSync(join(ROOT, path), 'utf8')]))
}

const sources = readSources()

describe('the sources', () => {
  it('keep the import rules', () => {
    expect(sources.size).toBeGreaterThan(10)
    expect(violations(sources)).toEqual([])
  })

  it('have no circle of files, types included', () => {
    expect(circles(sources)).toEqual([])
  })

  it.each([...sources.keys()])('%s begins with what it is', (path) => {
    expect(sources.get(path)?.startsWith('/**')).toBe(true)
  })

  it('stand in folders of 16 files at most', () => {
    const counts = new Map<string, number>()
    for (const path of sources.keys()) counts.set(dirname(path), (counts.get(dirname(path)) ?? 0) + 1)
    const rooms = [...counts].filter(([folder]) => /^src\/(cli|client|emulator|net|library)/.test(folder))
    expect(rooms.filter(([, count]) => count > 16)).toEqual([])
  })
})

const FORMS: readonly (readonly [string, (specifier: string) => string])[] = [
  ['import', (specifier) => `import { x } from '${specifier}'`],
  ['import for its effects', (specifier) => `import '${specifier}'`],
  ['type-only import', (specifier) => `import type { X } from '${specifier}'`],
  ['inline type import', (specifier) => `export type X = import('${specifier}').X`],
  ['export-from', (specifier) => `export { x } from '${specifier}'`],
  ['type-only export-from', (specifier) => `export type { X } from '${specifier}'`],
  ['export-star', (specifier) => `export * from '${specifier}'`],
  ['dynamic import', (specifier) => `export const load = async () => { await import('${specifier}') }`],
  ['dynamic import of a template', (specifier) => `export const load = () => import(\`${specifier}\`)`],
  ['require', (specifier) => `const x = require('${specifier}')`],
  ['import-equals', (specifier) => `import x = require('${specifier}')`],
]

const TOP = ['domain', 'wire', 'net', 'client', 'keeper', 'library', 'emulator', 'cli/run']
const topBut = (...allowed: string[]): string[] => TOP.filter((each) => !allowed.includes(each))
const forbid = (path: string, rooms: readonly string[]): (readonly [string, string])[] =>
  rooms.map((room) => [path, `${'../'.repeat(path.split('/').length - 2)}${room}/b.js`] as const)

const FORBIDDEN: readonly (readonly [string, string])[] = [
  ...forbid('src/domain/a.ts', topBut('domain')),
  ...forbid('src/wire/a.ts', topBut('domain', 'wire')),
  ...forbid('src/net/http/a.ts', topBut('domain', 'net')),
  ...forbid('src/client/a.ts', topBut('domain', 'wire', 'net', 'client')),
  ...forbid('src/client/a.ts', ['client/search', 'client/igd', 'client/port-control', 'client/listen']),
  ...forbid('src/client/search/a.ts', ['keeper', 'library', 'emulator', 'cli/run', 'client/listen']),
  ...forbid('src/client/igd/a.ts', ['client/search', 'client/port-control', 'client/listen']),
  ...forbid('src/client/port-control/a.ts', ['client/search', 'client/igd', 'client/listen']),
  ...forbid('src/client/listen/a.ts', ['client/search', 'client/igd', 'client/port-control']),
  ...forbid('src/keeper/a.ts', topBut('domain', 'keeper')),
  ['src/keeper/a.ts', '../net/datagrams.js'],
  ...forbid('src/library/a.ts', ['wire', 'emulator', 'cli/run']),
  ...forbid('src/emulator/a.ts', ['client', 'keeper', 'library', 'cli/run']),
  ...forbid('src/emulator/tables/a.ts', [
    'net',
    'emulator',
    'emulator/igd',
    'emulator/port-control',
    'emulator/quirks',
  ]),
  ...forbid('src/emulator/igd/a.ts', ['client', 'library', 'emulator/port-control', 'emulator/quirks']),
  ...forbid('src/emulator/port-control/a.ts', ['client', 'library', 'emulator/igd', 'emulator/quirks']),
  ...forbid('src/emulator/quirks/a.ts', ['net', 'client', 'library', 'emulator', 'emulator/tables']),
  ...forbid('src/cli/parse/a.ts', ['wire', 'library', 'emulator', 'cli/run', 'cli/print', 'cli/keep']),
  ...['report', 'failure', 'context', 'main'].map((name) => ['src/cli/parse/a.ts', `../${name}.js`] as const),
  ...forbid('src/cli/print/a.ts', ['wire', 'net', 'library', 'emulator', 'cli/run', 'cli/keep']),
  ...['failure', 'context', 'surroundings', 'main'].map((name) => ['src/cli/print/a.ts', `../${name}.js`] as const),
  ...forbid('src/cli/run/a.ts', ['wire', 'emulator', 'cli/print', 'cli/keep']),
  ...['surroundings', 'main'].map((name) => ['src/cli/run/a.ts', `../${name}.js`] as const),
  ...forbid('src/cli/keep/a.ts', ['wire', 'emulator', 'cli/print']),
  ['src/cli/keep/a.ts', '../main.js'],
  ['src/cli/report.ts', './failure.js'],
  ['src/cli/failure.ts', './run/a.js'],
  ['src/cli/context.ts', './parse/a.js'],
  ['src/cli/surroundings.ts', './main.js'],
  ...forbid('src/cli/main.ts', ['wire', 'emulator']),
  ['src/cli/run/a.ts', '../../emulator.js'],
  ['src/client/a.ts', '../index.js'],
  ...['wire', 'net', 'keeper', 'emulator', 'cli/run'].map((to) => ['src/index.ts', `./${to}/b.js`] as const),
  ...['wire', 'net', 'client', 'library', 'cli/run'].map((to) => ['src/emulator.ts', `./${to}/b.js`] as const),
  ...['net', 'client', 'library', 'emulator', 'cli/run'].map((to) => ['src/wire.ts', `./${to}/b.js`] as const),
  ['src/client/a.ts', '../wire.js'],
  ['src/client/a.ts', '../nowhere/b.js'],
  ['src/nowhere/a.ts', './b.js'],
  ...['domain', 'wire', 'net', 'client', 'keeper', 'emulator'].flatMap((from) =>
    ['commander', 'chalk'].map((name) => [`src/${from}/a.ts`, name] as const),
  ),
  ...['domain', 'wire', 'client', 'keeper', 'emulator', 'library', 'cli/run'].flatMap((from) =>
    [
      'undici',
      'node:dgram',
      'node:net',
      'node:http',
      'node:os',
      'node:fs',
      'node:child_process',
      'net',
      'undici/types',
    ].map((name) => [`src/${from}/a.ts`, name] as const),
  ),
  ...['domain', 'net', 'client', 'keeper', 'emulator', 'cli/run'].map(
    (from) => [`src/${from}/a.ts`, 'fast-xml-parser'] as const,
  ),
  ['src/client/a.ts', 'left-pad'],
  ['src/client/a.ts', '@scope/left-pad/deep'],
]

describe('the import rules', () => {
  it.each(FORBIDDEN)('report %s importing %s in every form', (path, specifier) => {
    for (const [form, write] of FORMS) {
      expect(violations(new Map([[path, write(specifier)]])), form).toHaveLength(1)
    }
  })

  it.each([
    ['src/wire/a.ts', '../domain/b.js'],
    ['src/net/a.ts', '../domain/b.js'],
    ['src/net/http/a.ts', '../clock.js'],
    ['src/net/a.ts', 'node:dgram'],
    ['src/net/files/a.ts', 'node:fs'],
    ['src/net/a.ts', 'undici'],
    ['src/wire/a.ts', 'fast-xml-parser'],
    ['src/wire/a.ts', './b.js'],
    ['src/client/a.ts', '../wire/b.js'],
    ['src/client/a.ts', 'node:crypto'],
    ['src/client/search/a.ts', '../igd/b.js'],
    ['src/client/search/a.ts', '../port-control/b.js'],
    ['src/client/listen/a.ts', '../trusted-url.js'],
    ['src/keeper/a.ts', '../net/clock.js'],
    ['src/library/a.ts', '../keeper/b.js'],
    ['src/library/a.ts', '../client/listen/b.js'],
    ['src/emulator/a.ts', '../wire/b.js'],
    ['src/emulator/igd/a.ts', '../tables/b.js'],
    ['src/emulator/port-control/a.ts', '../gateway-state.js'],
    ['src/cli/run/a.ts', '../../library/b.js'],
    ['src/cli/print/a.ts', 'chalk'],
    ['src/cli/print/a.ts', '../report.js'],
    ['src/cli/keep/a.ts', '../run/b.js'],
    ['src/cli/main.ts', '../emulator.js'],
    ['src/cli/main.ts', '../library/trace.js'],
    ['src/index.ts', './library/b.js'],
    ['src/index.ts', './net/clock.js'],
    ['src/emulator.ts', './emulator/emulator.js'],
    ['src/wire.ts', './wire/pcp.js'],
  ])('let %s import %s in every form', (path, specifier) => {
    for (const [form, write] of FORMS) {
      expect(violations(new Map([[path, write(specifier)]])), form).toEqual([])
    }
  })

  it.each(['client/search', 'client', 'keeper'])('let the command line name types of %s, and no more', (room) => {
    for (const [form, write] of FORMS) {
      const found = violations(new Map([['src/cli/run/a.ts', write(`../../${room}/b.js`)]]))
      expect(found, form).toHaveLength(
        form === 'type-only import' || form.includes('type-only export') || form === 'inline type import' ? 0 : 1,
      )
    }
  })

  it('report an import whose target cannot be known', () => {
    expect(violations(new Map([['src/client/a.ts', 'export const load = (x: string) => import(x)']]))).toHaveLength(1)
  })

  it('do not take a comment or a text for an import', () => {
    const source = `/** import 'node:net' */\nconst text = "import { x } from '../cli/run.js'"`
    expect(violations(new Map([['src/domain/a.ts', source]]))).toEqual([])
  })
})

describe('a circle of files', () => {
  it('is found, also if only types go round', () => {
    const files = new Map([
      ['src/client/a.ts', `import type { B } from './b.js'`],
      ['src/client/b.ts', `export const c = () => import('./c.js')`],
      ['src/client/c.ts', `export type A = import('./a.js').A`],
      ['src/client/d.ts', `import { a } from './a.js'`],
    ])
    expect(circles(files)).toEqual([['src/client/a.ts', 'src/client/b.ts', 'src/client/c.ts']])
  })

  it('is not seen if two ways lead to one file', () => {
    const files = new Map([
      ['src/client/a.ts', `import { b } from './b.js'\nimport { c } from './c.js'`],
      ['src/client/b.ts', `import { c } from './c.js'`],
      ['src/client/c.ts', ''],
    ])
    expect(circles(files)).toEqual([])
  })
})

describe('the rules about the clock and the output', () => {
  it.each([
    ['src/client/a.ts', 'const t = Date.now()'],
    ['src/client/a.ts', 'const t = new Date()'],
    ['src/client/a.ts', 'const t = new Date(5)'],
    ['src/cli/run/a.ts', 'const t = new Date()'],
    ['src/cli/run/a.ts', 'const t = Date.now()'],
    ['src/keeper/a.ts', 'const t = performance.now()'],
    ['src/net/a.ts', 'setTimeout(() => {}, 5)'],
    ['src/net/a.ts', 'globalThis.setTimeout(() => {}, 5)'],
    ['src/emulator/a.ts', 'const arm = setInterval'],
    ['src/emulator/a.ts', `import { setTimeout as wait } from 'node:timers/promises'`],
    ['src/net/a.ts', `import { setTimeout as wait } from 'node:timers/promises'`],
    ['src/net/a.ts', 'const { now } = Date'],
    ['src/net/a.ts', 'process.stdout.write("x")'],
    ['src/client/a.ts', 'process.stderr.write("x")'],
    ['src/client/a.ts', 'console.log("x")'],
  ])('report in %s: %s', (path, source) => {
    expect(violations(new Map([[path, source]]))).toHaveLength(1)
  })

  it.each([
    ['src/net/clock.ts', 'const t = [Date.now(), performance.now(), setTimeout(() => {}, 5), new Date()]'],
    ['src/cli/run/a.ts', 'const t = new Date(5).toISOString()'],
    ['src/cli/main.ts', 'process.stdout.write("x")'],
    ['src/cli/main.ts', 'console.error("x")'],
    ['src/domain/a.ts', 'export type When = Date'],
    ['src/net/a.ts', 'socket.setTimeout(5)'],
    ['src/net/a.ts', 'const file = process.env.SystemRoot'],
    ['src/net/a.ts', 'const options = { console: 1 }'],
  ])('let %s have: %s', (path, source) => {
    expect(violations(new Map([[path, source]]))).toEqual([])
  })
})
