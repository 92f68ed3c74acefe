/**
 * The package as npm packs it, installed in an empty project and used there on every run-time that is promised. Needs
 * `npm run build`, and a registry: the run-times are packages of npm, which stay in node_modules/.cache.
 */
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, posix } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { outputOf } from './npm.ts'
import { installRunTimes, OLDEST_TYPESCRIPT, OLDEST_TYPESCRIPT_PLACE, RUN_TIMES } from './run-times.ts'

const ROOT = join(import.meta.dirname, '../..')
const PROGRAMS = join(import.meta.dirname, 'programs')
const MAX_PACKED_BYTES = 300_000

let folder: string
/** The empty project. */
let project: string
let tarball: string
let packed: { readonly size: number; readonly files: readonly { readonly path: string }[] }

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'upnp-ts-package-'))
  project = join(folder, 'project')
  mkdirSync(project)
  writeFileSync(join(project, 'package.json'), '{ "private": true }')
  for (const name of readdirSync(PROGRAMS)) copyFileSync(join(PROGRAMS, name), join(project, name))
  const json = await outputOf(['npm', 'pack', '--json', '--ignore-scripts', '--pack-destination', folder], {
    cwd: ROOT,
  })
  const [first] = JSON.parse(json) as [typeof packed & { filename: string }]
  packed = first
  tarball = join(folder, first.filename)
  await Promise.all([
    outputOf(['npm', 'install', '--no-audit', '--no-fund', '--prefer-offline', tarball], { cwd: project }),
    installRunTimes(),
  ])
}, 170_000)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** By its path in the package. */
const contentOf = (path: string): string => readFileSync(join(project, 'node_modules/upnp-ts', path), 'utf8')

describe('what is packed', () => {
  it(`has at most ${MAX_PACKED_BYTES / 1000} kB`, () => {
    expect(packed.size).toBeLessThanOrEqual(MAX_PACKED_BYTES)
  })

  it('has no module that neither the exports nor the bin reach', () => {
    const { exports, bin } = JSON.parse(contentOf('package.json'))
    const doors = Object.values<string | Record<string, string>>(exports).flatMap((door) =>
      typeof door === 'string' ? [] : Object.values(door),
    )
    const reached = new Set<string>()
    const reach = (path: string): void => {
      if (reached.has(path)) return
      reached.add(path)
      for (const next of importsOf(path)) reach(next)
    }
    for (const path of [...doors, ...Object.values<string>(bin)]) reach(posix.normalize(path))
    const ofModules = packed.files.map(({ path }) => path).filter((path) => /^dist\/(?!bin\/|man\/)/.test(path))
    expect(ofModules.length).toBeGreaterThan(40)
    expect(ofModules.filter((path) => !reached.has(path))).toEqual([])
  })

  it('satisfies publint', async () => {
    const publint = join(ROOT, 'node_modules/publint/src/cli.js')
    expect(await outputOf([process.execPath, publint, tarball, '--strict'])).toContain('All good!')
  })

  it('has types for every door, as ES modules (are the types wrong?)', async () => {
    const attw = join(ROOT, 'node_modules/@arethetypeswrong/cli/dist/index.js')
    await outputOf([process.execPath, attw, tarball, '--profile', 'esm-only']) // it fails if there is a problem
  })
})

/** The files of the package that a module names, and its types. */
function importsOf(path: string): string[] {
  if (path.startsWith('dist/bin/')) return [] // the bundle is one file
  const text = contentOf(path)
  const named = [...text.matchAll(/(?:from|import|import\()\s*['"](\.[^'"]+)['"]/g)].map(([, each = '']) => each)
  const next = named.map((each) => posix.join(posix.dirname(path), each))
  return path.endsWith('.d.ts') ? next.map((each) => each.replace(/\.js$/, '.d.ts')) : next
}

describe.skipIf(process.platform === 'win32')('installed for all folders', () => {
  it('is a command, with a page of man', async () => {
    const prefix = join(folder, 'global')
    await outputOf([
      'npm',
      'install',
      '--global',
      '--no-audit',
      '--no-fund',
      '--prefer-offline',
      '--prefix',
      prefix,
      tarball,
    ])
    const env = { HOME: folder, XDG_STATE_HOME: '', XDG_CACHE_HOME: '' }
    const opened = await outputOf([join(prefix, 'bin/upnp-ts'), '--emulate', 'open', '25565'], { env })
    expect(opened).toContain('11.22.33.44:25565\n')
    expect(readFileSync(join(prefix, 'share/man/man1/upnp-ts.1'), 'utf8')).toMatch(/^\.TH /m)
  }, 60_000)
})

const OPENED = '["external-address-request","igd","pcp","nat-pmp"]\n'

describe.each(RUN_TIMES)('on $name', ({ command }) => {
  /** With a home of its own. */
  const run = (...program: string[]): Promise<string> => {
    const home = mkdtempSync(join(folder, 'home-'))
    const env = { HOME: home, XDG_STATE_HOME: '', XDG_CACHE_HOME: '', LOCALAPPDATA: home, NODE_OPTIONS: '' }
    return outputOf([...command, ...program], { cwd: project, env, timeoutMs: 30_000 })
  }

  it.each(['use.mjs', 'use.cjs', 'worker.mjs'])(
    '%s opens a port in each protocol, closes it, and ends',
    async (name) => {
      expect(await run(name)).toBe(OPENED)
    },
  )

  it('a port is open again within 8 s after a restart of the router', async () => {
    expect(await run('restart.mjs')).toBe('["igd 25565","pcp 25565","nat-pmp 25565"]\n')
  })

  it('importing it does nothing', async () => {
    const { calls, news, before, after } = JSON.parse(await run('import-only.mjs'))
    expect({ calls, news, after }).toEqual({ calls: [], news: [], after: before })
  })

  it('the command line opens a port', async () => {
    const program = join(project, 'node_modules/upnp-ts/bin/upnp-ts.js')
    expect(await run(program, '--version')).toBe(`${JSON.parse(contentOf('package.json')).version}\n`)
    expect(await run(program, '--emulate', '-r', '22', 'TCP')).toContain(
      'external 11.22.33.44:22 TCP is redirected to internal 127.0.0.1:22 (duration=604800)',
    )
  })
})

const COMPILERS = [
  { name: 'this TypeScript', place: join(ROOT, 'node_modules/typescript') },
  { name: `TypeScript ${OLDEST_TYPESCRIPT}`, place: OLDEST_TYPESCRIPT_PLACE },
]
const RESOLUTIONS = [
  { module: 'nodenext', moduleResolution: 'nodenext' },
  { module: 'esnext', moduleResolution: 'bundler' },
]
const SURROUNDINGS = [
  { about: 'with @types/node', types: ['node'], lib: ['es2022', 'esnext.disposable'] },
  { about: 'without @types/node', types: [], lib: ['es2022', 'esnext.disposable', 'dom'] },
]

describe.each(COMPILERS)('the types, for $name', ({ place: compiler }) => {
  const options = RESOLUTIONS.flatMap((how) => SURROUNDINGS.map((where) => ({ ...how, ...where })))
  it.each(options)('compile with $moduleResolution $about', async ({ about, ...compilerOptions }) => {
    const place = mkdtempSync(join(project, 'types-'))
    const strict = { strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true }
    const typeRoots = [join(ROOT, 'node_modules/@types')]
    const config = {
      compilerOptions: {
        ...compilerOptions,
        ...strict,
        typeRoots,
        target: 'es2022',
        skipLibCheck: false,
        noEmit: true,
      },
      files: ['types.ts'],
    }
    copyFileSync(join(PROGRAMS, 'types.ts'), join(place, 'types.ts'))
    writeFileSync(join(place, 'package.json'), '{ "type": "module" }')
    writeFileSync(join(place, 'tsconfig.json'), JSON.stringify(config))
    expect(await outputOf([process.execPath, join(compiler, 'lib/tsc.js'), '-p', place])).toBe('')
  })
})
