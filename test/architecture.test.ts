/** The rules of the architecture, executed on the sources, and shown to bite on planted breaches. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { violations } from './support/import-rules.ts'

const ROOT = join(import.meta.dirname, '..')

/** Tables may be as long as what they list. */
const TABLES: ReadonlySet<string> = new Set(['src/wire/igd-actions.ts', 'src/wire/upnp-error-codes.ts'])
const MAX_LINES = 260

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

  it.each([...sources.keys()])(
    '%s has one subject: a head comment, and at most 260 lines unless it is a table',
    (path) => {
      const source = sources.get(path) ?? ''
      expect(source.startsWith('/**')).toBe(true)
      if (!TABLES.has(path)) expect(source.trimEnd().split('\n').length).toBeLessThanOrEqual(MAX_LINES)
    },
  )
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

const FORBIDDEN: readonly (readonly [string, string])[] = [
  ...['wire', 'net', 'client', 'keeper', 'emulator', 'cli'].map((to) => ['src/domain/a.ts', `../${to}/b.js`] as const),
  ...['net', 'client', 'keeper', 'emulator', 'cli'].map((to) => ['src/wire/a.ts', `../${to}/b.js`] as const),
  ...['wire', 'client', 'keeper', 'emulator', 'cli'].map((to) => ['src/net/a.ts', `../${to}/b.js`] as const),
  ...['keeper', 'emulator', 'cli'].map((to) => ['src/client/a.ts', `../${to}/b.js`] as const),
  ...['wire', 'client', 'emulator', 'cli'].map((to) => ['src/keeper/a.ts', `../${to}/b.js`] as const),
  ...['client', 'keeper', 'cli'].map((to) => ['src/emulator/a.ts', `../${to}/b.js`] as const),
  ...['wire', 'emulator'].map((to) => ['src/cli/run.ts', `../${to}/b.js`] as const),
  ['src/cli/commands/list.ts', '../../wire/soap.js'],
  ['src/cli/main.ts', '../wire/b.js'],
  ...['wire', 'net', 'keeper', 'emulator', 'cli'].map((to) => ['src/index.ts', `./${to}/b.js`] as const),
  ['src/client/a.ts', '../index.js'],
  ...['domain', 'wire', 'net', 'client', 'keeper', 'emulator'].flatMap((from) =>
    ['commander', 'chalk'].map((name) => [`src/${from}/a.ts`, name] as const),
  ),
  ...['domain', 'wire', 'client', 'keeper', 'emulator', 'cli'].flatMap((from) =>
    ['undici', 'node:dgram', 'node:net', 'node:http', 'node:os', 'node:child_process', 'net', 'undici/types'].map(
      (name) => [`src/${from}/a.ts`, name] as const,
    ),
  ),
  ...['domain', 'net', 'client', 'keeper', 'emulator', 'cli'].map(
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
    ['src/net/a.ts', 'node:dgram'],
    ['src/net/a.ts', 'undici'],
    ['src/wire/a.ts', 'fast-xml-parser'],
    ['src/wire/a.ts', './b.js'],
    ['src/client/a.ts', '../wire/b.js'],
    ['src/client/a.ts', 'node:crypto'],
    ['src/keeper/a.ts', '../net/clock.js'],
    ['src/emulator/a.ts', '../wire/b.js'],
    ['src/cli/commands/list.ts', '../../client/b.js'],
    ['src/cli/a.ts', 'chalk'],
    ['src/cli/main.ts', '../emulator/emulator.js'],
    ['src/index.ts', './client/b.js'],
    ['src/index.ts', './net/clock.js'],
  ])('let %s import %s in every form', (path, specifier) => {
    for (const [form, write] of FORMS) {
      expect(violations(new Map([[path, write(specifier)]])), form).toEqual([])
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

describe('the rules about the clock and the output', () => {
  it.each([
    ['src/client/a.ts', 'const t = Date.now()'],
    ['src/client/a.ts', 'const t = new Date()'],
    ['src/client/a.ts', 'const t = new Date(5)'],
    ['src/cli/a.ts', 'const t = new Date()'],
    ['src/cli/a.ts', 'const t = Date.now()'],
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
    ['src/cli/a.ts', 'const t = new Date(5).toISOString()'],
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
