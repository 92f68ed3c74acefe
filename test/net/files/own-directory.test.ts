/** Who decides about a directory: the same for the files that are kept and for the code cache, which has its own rules. */
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { safePath } from '../../../bin/upnp-ts.js'
import { TransportError } from '../../../src/domain/errors.ts'
import { ENTRY_CALLS } from '../../../src/net/files/followed-links.ts'
import { ownDirectory, ownDirectoryMade } from '../../../src/net/files/own-directory.ts'

const POSIX = process.platform !== 'win32'
const [ROOT, ANN, ALICE] = [0, 1000, 1001]

/** Owner and mode; a link also has a target. */
type Disk = Readonly<Record<string, readonly [uid: number, mode: number, target?: string]>>

const SYSTEM: Disk = { '/': [ROOT, 0o755], '/home': [ROOT, 0o755], '/tmp': [ROOT, 0o1777], '/data': [ROOT, 0o755] }
const ANNS: Disk = {
  ...SYSTEM,
  '/home/ann': [ANN, 0o750],
  '/home/ann/.cache': [ANN, 0o755],
  '/home/alice': [ALICE, 0o755],
  '/data/ann': [ANN, 0o700],
}

const linkTo = (target: string, uid = ANN): readonly [number, number, string] => [uid, 0o777, target]

const ways: readonly (readonly [string, (path: string, user: number, disk: Disk) => string | undefined])[] = [
  [
    'kept files',
    (path, user, disk) => {
      const look = (at: string) => {
        const [uid, mode, target] = disk[at] ?? []
        if (uid === undefined || mode === undefined) return undefined
        return { uid, mode, isSymbolicLink: () => target !== undefined }
      }
      return ownDirectory(path, user, { look, readLink: (at) => disk[at]?.[2] ?? '' })
    },
  ],
  [
    'the code cache',
    (path, user, disk) => {
      const look = (at: string) => {
        const [uid, mode, target] = disk[at] ?? [-1, 0]
        return Object.assign(statSync('.'), { uid, mode, isSymbolicLink: () => target !== undefined })
      }
      return safePath(path, user, look, (at) => disk[at]?.[2] ?? '')
    },
  ],
]

describe.runIf(POSIX).each(ways)('a directory for %s', (_way, find) => {
  it.each<[string, string, string, Disk, user?: number]>([
    ["of which all is its user's or root's", '/home/ann/.cache', '/home/ann/.cache', ANNS],
    ['in a directory of root that is sticky', '/tmp/ann', '/tmp/ann', { ...SYSTEM, '/tmp/ann': [ANN, 0o700] }],
    [
      'in a sticky one of its own',
      '/data/ann/x',
      '/data/ann/x',
      { ...ANNS, '/data/ann': [ANN, 0o1777], '/data/ann/x': [ANN, 0] },
    ],
    ['that a link of its user leads to', '/home/ann/l', '/data/ann', { ...ANNS, '/home/ann/l': linkTo('/data/ann') }],
    ['that a link of root leads to', '/h/ann', '/home/ann', { ...ANNS, '/h': linkTo('home', ROOT) }],
    ['that a link leads up to', '/home/ann/l', '/home/ann', { ...ANNS, '/home/ann/l': linkTo('.cache/../../ann') }],
    ['with dots and slashes', '//home/./ann//.cache/../.cache/', '/home/ann/.cache', ANNS],
  ])('is used: one %s', (_name, path, expected, disk, user = ANN) => {
    expect(find(path, user, disk)).toBe(expected)
  })

  it.each<[string, string, Disk, user?: number]>([
    ['that belongs to another user', '/home/ann/.cache', ANNS, ALICE],
    ["that is another user's, for root", '/home/ann/.cache', ANNS, ROOT],
    ['below that of another user', '/home/alice/ann', { ...ANNS, '/home/alice/ann': [ANN, 0o700] }],
    ['that its group may write to', '/home/ann', { ...ANNS, '/home/ann': [ANN, 0o770] }],
    ['that all may write to', '/home/ann', { ...ANNS, '/home/ann': [ANN, 0o757] }],
    ['below one that a group may write to', '/home/ann/.cache', { ...ANNS, '/home': [ROOT, 0o775] }],
    ['in a world that all may write to', '/home/ann/.cache', { ...ANNS, '/': [ROOT, 0o777] }],
    ['in a world of another user', '/home/ann/.cache', { ...ANNS, '/': [ALICE, 0o755] }],
    ['in a directory for all that is not sticky', '/tmp/ann', { ...ANNS, '/tmp': [ROOT, 0o777], '/tmp/ann': [ANN, 0] }],
    [
      'in a sticky directory of another user',
      '/home/alice/ann',
      { ...ANNS, '/home/alice': [ALICE, 0o1777], '/home/alice/ann': [ANN, 0o700] },
    ],
    ['that somebody else has made in a sticky one', '/tmp/ann', { ...ANNS, '/tmp/ann': [ALICE, 0o700] }],
    ['that a link of another user leads to', '/h', { ...ANNS, '/h': linkTo('/home/ann', ALICE) }],
    ['that a link in a sticky directory leads to', '/tmp/l', { ...ANNS, '/tmp/l': linkTo('/home/ann') }],
    [
      'that a link of another user in its home leads to, for root',
      '/home/alice/l',
      { ...ANNS, '/home/alice/l': linkTo('/data', ALICE) },
      ROOT,
    ],
    ['that a link in its own place leads to', '/home/ann/l', { ...ANNS, '/home/ann/l': linkTo('/home/ann/l') }],
    ['that a link leads to in the home of another', '/home/ann/l', { ...ANNS, '/home/ann/l': linkTo('../alice') }],
  ])('is refused: one %s', (_name, path, disk, user = ANN) => {
    expect(() => find(path, user, disk)).toThrow()
  })
})

describe('a directory of its own', () => {
  const user = process.geteuid?.()
  let place: string
  let count = 0
  let directory: string
  beforeAll(() => {
    place = realpathSync(mkdtempSync(join(tmpdir(), 'upnp-ts-own-')))
  })
  afterAll(() => rmSync(place, { recursive: true, force: true }))
  beforeEach(() => {
    directory = join(place, `${count++}`, 'state', 'upnp-ts')
  })

  it('is not there before it is made, with all above it', () => {
    expect(ownDirectory(directory, user)).toBeUndefined()
    expect(ownDirectoryMade(directory, user)).toBe(directory)
    expect(ownDirectory(directory, user)).toBe(directory)
    if (POSIX) for (const each of ['', '..']) expect(statSync(join(directory, each)).mode & 0o777).toBe(0o700)
  })

  it('is made where nothing has an owner, as on Windows', () => {
    expect(ownDirectory(directory, undefined)).toBe(directory)
    expect(ownDirectoryMade(directory, undefined)).toBe(directory)
    expect(ownDirectoryMade(directory, undefined)).toBe(directory)
    expect(statSync(directory).isDirectory()).toBe(true)
    writeFileSync(join(directory, 'file'), '')
    expect(() => ownDirectoryMade(join(directory, 'file', 'a'), undefined)).toThrow()
  })

  it.runIf(POSIX)('is made where a link leads that leads to nothing yet', () => {
    mkdirSync(join(directory, '../..'), { mode: 0o700 })
    symlinkSync('elsewhere', join(directory, '..'))
    const made = join(place, `${count - 1}`, 'elsewhere/upnp-ts')
    expect([ownDirectory(directory, user), ownDirectoryMade(directory, user)]).toEqual([undefined, made])
  })

  it.runIf(POSIX)('is not made among what others may write to, who are named, and no mode is changed', () => {
    const shared = join(directory, '..')
    mkdirSync(shared, { recursive: true, mode: 0o700 })
    chmodSync(shared, 0o770)
    for (const find of [ownDirectory, ownDirectoryMade]) {
      expect(() => find(directory, user)).toThrow(
        new TransportError(`will not use ${directory}: others may write to ${shared}; chmod go-w takes that away`),
      )
    }
    expect(statSync(shared).mode & 0o777).toBe(0o770)
  })

  it.runIf(POSIX)('is given up if it comes and goes', () => {
    const at = ownDirectoryMade(directory, user)
    const look: typeof ENTRY_CALLS.look = (path) => (path === at ? undefined : ENTRY_CALLS.look(path))
    expect(() => ownDirectoryMade(directory, user, { ...ENTRY_CALLS, look })).toThrow(/it comes and goes/)
  })
})
