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
import { COMMANDS_KEPT, isSafe, loadCached } from '../../bin/upnp-ts.js'

const POSIX = process.getuid !== undefined
const ROOT = process.getuid?.() === 0
const ALICE = 12345

let place: string
let home: string
let count = 0
beforeAll(() => {
  place = realpathSync(mkdtempSync(join(tmpdir(), 'upnp-ts-code-')))
})
afterAll(() => rmSync(place, { recursive: true, force: true }))
beforeEach(() => {
  home = join(place, `home-${count++}`)
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
  const { exports, keep } = loadCached(program(says), createRequire(import.meta.url), env)
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
    mkdirSync(join(home, 'elsewhere'))
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
  ['a directory that the group may write', () => chmodSync(directory(), 0o770)],
  ['a directory above that the group may write', () => chmodSync(home, 0o770)],
  ['a directory above that all may write', () => chmodSync(join(home, '.cache'), 0o777)],
]

function replace(path: string, make: (path: string) => void): void {
  renameSync(path, `${path}-moved`)
  make(path)
}

/** Only root can give something away. */
const ANOTHERS: readonly (readonly [string, () => void])[] = [
  ['a file of another user', () => chownSync(kept(), ALICE, ALICE)],
  ['a directory of another user', () => chownSync(directory(), ALICE, ALICE)],
  ['a directory above of another user', () => chownSync(join(home, '.cache'), ALICE, ALICE)],
  ['the home of another user', () => chownSync(home, ALICE, ALICE)],
  ['a place in the home of another user that a link leads to', linkToAlice],
]

function linkToAlice(): void {
  const alice = `${home}-alice`
  mkdirSync(alice)
  renameSync(join(home, '.cache'), join(alice, '.cache'))
  symlinkSync(join(alice, '.cache'), join(home, '.cache'))
  chownSync(alice, ALICE, ALICE)
}

describe.runIf(POSIX)('code is not taken from', () => {
  it.each([...SPOILT, ...(ROOT ? ANOTHERS : [])])('%s', (_name, spoil) => {
    run('evil')
    spoil()
    expect(run('true')).toBe('true')
  })
})

describe.runIf(ROOT)('root', () => {
  it('makes nothing in the home of another user', () => {
    chownSync(home, ALICE, ALICE)
    expect(run('true')).toBe('true')
    expect(readdirSync(home)).toEqual([])
  })
})

describe('a path is safe', () => {
  type Statuses = Readonly<Record<string, readonly [uid: number, mode: number]>>
  const system: Statuses = { '/': [0, 0o755], '/home': [0, 0o755], '/tmp': [0, 0o1777] }
  const ann: Statuses = { ...system, '/home/ann': [1000, 0o750], '/home/ann/.cache': [1000, 0o755] }
  const look = (all: Statuses) => (path: string) => {
    const [uid, mode] = all[path] ?? [-1, 0]
    return { uid, mode }
  }

  it.each<[string, boolean, string, number, Statuses]>([
    ["of which all is its user's or root's", true, '/home/ann/.cache', 1000, ann],
    ['not for another user', false, '/home/ann/.cache', 1001, ann],
    ["not for root, if it is another user's", false, '/home/ann/.cache', 0, ann],
    ['in a directory of root that is sticky', true, '/tmp/ann', 1000, { ...system, '/tmp/ann': [1000, 0o700] }],
    ['not in one that is not sticky', false, '/tmp', 1000, { ...system, '/tmp': [0, 0o777] }],
    ['not in a sticky one of another user', false, '/tmp', 1000, { ...system, '/tmp': [1001, 0o1777] }],
    [
      'not if somebody else has made it in the sticky one',
      false,
      '/tmp/a',
      1000,
      { ...system, '/tmp/a': [1001, 0o755] },
    ],
    ['not if its group may write', false, '/home/ann', 1000, { ...ann, '/home/ann': [1000, 0o770] }],
    ['not if the group may write above', false, '/home/ann/.cache', 1000, { ...ann, '/home': [0, 0o775] }],
  ])('%s', (_name, expected, path, user, statuses) => {
    expect(isSafe(path, user, look(statuses))).toBe(expected)
  })
})
