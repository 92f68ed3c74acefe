/** What is published: which files, that nothing runs when it is installed, and that the packages it needs are fixed. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const ROOT = join(import.meta.dirname, '..')
const read = (path: string) => JSON.parse(readFileSync(join(ROOT, path), 'utf8'))

interface LockedPackage {
  readonly version: string
  readonly dev?: boolean
  readonly hasInstallScript?: boolean
}

const { scripts, dependencies, bundleDependencies } = read('package.json') as {
  scripts: Readonly<Record<string, string>>
  dependencies: Readonly<Record<string, string>>
  bundleDependencies?: unknown
}
const { packages } = read('package-lock.json') as { packages: Readonly<Record<string, LockedPackage>> }

/** npm runs these when it installs a package. It runs `prepare` in a clone only. */
const RUN_AT_INSTALL = ['preinstall', 'install', 'postinstall', 'preprepare', 'postprepare', 'prepublish']

describe('the package', () => {
  it('runs nothing when it is installed', () => {
    expect(Object.keys(scripts).filter((name) => RUN_AT_INSTALL.includes(name))).toEqual([])
    expect(bundleDependencies).toBeUndefined()
  })

  it('has what it needs, and nothing of the tests', () => {
    const packed = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
      cwd: ROOT,
      encoding: 'utf8',
    })
    const [{ files }] = JSON.parse(packed) as [{ files: { path: string }[] }]
    const paths = files.map(({ path }) => path)
    const needed = [
      'README.md',
      'LICENSE',
      'docs/library.md',
      'dist/man/upnp-ts.1',
      'bin/upnp-ts.js',
      'dist/bin/upnp-ts.js',
      'dist/index.js',
    ]
    expect(needed.filter((path) => !paths.includes(path))).toEqual([])
    expect(paths.filter((path) => /binding\.gyp$/.test(path) || /^(?!bin|dist|docs|[^/]+$)/.test(path))).toEqual([])
  })
})

describe('the packages that it needs', () => {
  it('are those of the lock file, and no others that fit', () => {
    const locked = Object.keys(dependencies).map((name) => [name, packages[`node_modules/${name}`]?.version])
    expect(dependencies).toEqual(Object.fromEntries(locked))
  })

  it('run nothing when they are installed, nor do those that they need', () => {
    const needed = Object.entries(packages).filter(([path, { dev }]) => path !== '' && dev !== true)
    expect(needed.length).toBeGreaterThanOrEqual(Object.keys(dependencies).length)
    expect(needed.filter(([, { hasInstallScript }]) => hasInstallScript === true)).toEqual([])
    const withScripts = needed.filter(([path]) => {
      const { scripts: theirs = {} } = read(`${path}/package.json`) as { scripts?: Record<string, string> }
      return ['preinstall', 'install', 'postinstall'].some((name) => name in theirs)
    })
    expect(withScripts).toEqual([])
  })
})
