/** The cache is code: what another user could have had a hand in must not run. */
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { COMMANDS_KEPT, loadCached } from '../../bin/upnp-ts.js'

const POSIX = process.getuid !== undefined
const ME = process.geteuid?.()
/** Neither root nor who runs this. */
const ALICE = (ME ?? 0) + 12345

let place: string
let home: string
/** Who runs the program. */
let user: number | undefined
let count = 0
beforeAll(() => {
  place = realpathSync(mkdtempSync(join(tmpdir(), 'upnp-ts-code-')))
})
afterAll(() => rmSync(place, { recursive: true, force: true }))
beforeEach(() => {
  home = join(place, `home-${count++}`)
  user = ME
  mkdirSync(home, { mode: 0o700 })
})

const directory = (): string => join(home, '.cache', 'upnp-ts')
const kept = (): string => join(directory(), readdirSync(directory())[0] ?? 'nothing')

/**
 * Texts of one length that begin with one hash: to the cache they are the same. Of each test they are others, for V8 does
 * not compile what it has compiled in this process.
 */
function program(says: string): string {
  const path = join(place, `${says}.js`)
  writeFileSync(path, `//0123456789abcdef\nexports.says = () => '${says}' // ${String(count).padStart(5)}\n`)
  return path
}

function run(says: 'true' | 'evil', env: NodeJS.ProcessEnv = { HOME: home }): unknown {
  const { exports, keep } = loadCached(program(says), createRequire(import.meta.url), env, user)
  const said = typeof exports === 'object' && exports !== null && 'says' in exports ? exports.says : undefined
  if (typeof said !== 'function') throw new Error('it exports nothing')
  const answer: unknown = said()
  keep()
  return answer
}

describe.runIf(POSIX)('compiled code', () => {
  it('is kept in a file of mode 0600 in a directory of mode 0700, and used', () => {
    expect(run('true')).toBe('true')
    expect([directory(), kept()].map((path) => statSync(path).mode & 0o777)).toEqual([0o700, 0o600])
    expect(run('evil')).toBe('true') // so it is the kept one that runs: the tests below rest on it
  })

  it('is made anew with what the next commands run, and then stays', () => {
    const times = Array.from({ length: COMMANDS_KEPT + 2 }, () => {
      run('true')
      return statSync(kept(), { bigint: true }).mtimeNs
    })
    expect(new Set(times.slice(0, COMMANDS_KEPT)).size).toBe(COMMANDS_KEPT)
    expect(new Set(times.slice(COMMANDS_KEPT - 1)).size).toBe(1)
  })

  it.each([{ HOME: 'relative' }, {}, { NODE_DISABLE_COMPILE_CACHE: '1' }])('is kept nowhere with %j', (env) => {
    const HOME = 'NODE_DISABLE_COMPILE_CACHE' in env ? home : ''
    expect([run('true', { HOME, ...env }), run('evil', { HOME, ...env })]).toEqual(['true', 'evil'])
    expect(readdirSync(home)).toEqual([])
  })

  it('is kept where XDG_CACHE_HOME says, if that is no relative path', () => {
    for (const XDG_CACHE_HOME of ['relative', '', join(home, 'xdg')]) run('true', { HOME: home, XDG_CACHE_HOME })
    expect(readdirSync(home).sort()).toEqual(['.cache', 'xdg'])
  })

  it('is kept through a link of this user', () => {
    mkdirSync(join(home, 'elsewhere'), { mode: 0o700 })
    symlinkSync('elsewhere', join(home, '.cache'))
    expect([run('true'), run('evil')]).toEqual(['true', 'true'])
    expect(readdirSync(join(home, 'elsewhere'))).toEqual(['upnp-ts'])
  })

  it('fails for nothing: a file in the way, no home, a full name', () => {
    writeFileSync(join(home, '.cache'), '')
    expect(run('true')).toBe('true')
    expect(run('true', { HOME: join(home, 'none') })).toBe('true')
    expect(run('true', { HOME: join('/', 'x'.repeat(5000)) })).toBe('true')
    expect(existsSync(join(home, 'none'))).toBe(false)
  })
})

/** Each is done to what an attacker has kept. */
const SPOILT: readonly (readonly [string, () => void])[] = [
  ['a file that others may write', () => chmodSync(kept(), 0o620)],
  ['a file with a second name', () => linkSync(kept(), join(home, 'second'))],
  ['a link to a file', () => replace(kept(), (path) => symlinkSync(`${path}-moved`, path))],
  ['a directory in place of the file', () => replace(kept(), (path) => mkdirSync(path))],
  ['a link to a directory', () => replace(directory(), (path) => symlinkSync(`${path}-moved`, path))],
  ['a directory that the group may write', () => chmodSync(directory(), 0o770)],
  ['a directory above that the group may write', () => chmodSync(home, 0o770)],
  ['a directory above that all may write', () => chmodSync(join(home, '.cache'), 0o777)],
]

function replace(path: string, make: (path: string) => void): void {
  renameSync(path, `${path}-moved`)
  make(path)
}

/** Only root can give something away. For anybody else, somebody else looks. */
function give(path: string): void {
  if (ME === 0) chownSync(path, ALICE, ALICE)
  else user = ALICE
}

const ANOTHERS: readonly (readonly [string, () => void])[] = [
  ['a file of another user', () => give(kept())],
  ['a directory of another user', () => give(directory())],
  ['a directory above of another user', () => give(join(home, '.cache'))],
  ['the home of another user', () => give(home)],
  ['a place in the home of another user that a link leads to', linkToAlice],
]

function linkToAlice(): void {
  const alice = `${home}-alice`
  mkdirSync(alice)
  renameSync(join(home, '.cache'), join(alice, '.cache'))
  symlinkSync(join(alice, '.cache'), join(home, '.cache'))
  give(alice)
}

describe.runIf(POSIX)('code is not taken from', () => {
  it.each([...SPOILT, ...ANOTHERS])('%s', (_name, spoil) => {
    run('evil')
    spoil()
    expect(run('true')).toBe('true')
  })
})

describe.runIf(POSIX)('a directory that a link leads to', () => {
  it.each(['.cache/upnp-ts', '.cache'])('keeps its mode, and gets no file: %s', (name) => {
    const elsewhere = join(home, 'elsewhere')
    mkdirSync(elsewhere, { mode: 0o700 })
    chmodSync(elsewhere, 0o2775) // as /usr/local is on some systems
    if (name !== '.cache') mkdirSync(join(home, '.cache'), { mode: 0o700 })
    symlinkSync(elsewhere, join(home, name))
    for (const time of ['first', 'second']) expect([time, run('true')]).toEqual([time, 'true'])
    expect([statSync(elsewhere).mode & 0o7777, readdirSync(elsewhere)]).toEqual([0o2775, []])
  })
})

describe.runIf(POSIX)('a user', () => {
  it('makes nothing in the home of another user', () => {
    give(home)
    expect(run('true')).toBe('true')
    expect(readdirSync(home)).toEqual([])
  })
})
