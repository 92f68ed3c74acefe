/**
 * Another user puts a link in the place of a directory and takes it away again, while files are read and written there:
 * what the link leads to stays as it is, and nothing of that user counts. The same for compiled code.
 */
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loadCached } from '../../../bin/upnp-ts.js'
import { TransportError } from '../../../src/domain/errors.ts'
import { privateFiles } from '../../../src/net/files/private-files.ts'
import { whileSwapping } from '../../support/swapping.ts'

const ME = process.geteuid?.()
const NOBODY = 65534
const ROUNDS = 40

let place: string
/** What a link leads to: a file of the user who is attacked, and what must not count. */
let precious: string
let shared: string
beforeEach(() => {
  place = realpathSync(mkdtempSync(join(tmpdir(), 'upnp-ts-swap-')))
  chmodSync(place, 0o755)
  precious = join(place, 'precious')
  mkdirSync(precious)
  chmodSync(precious, 0o755)
  writeFileSync(join(precious, 'nonce'), 'precious', { mode: 0o644 })
  shared = join(place, 'shared')
  mkdirSync(shared)
})
afterEach(() => rmSync(place, { recursive: true, force: true }))

/** Who is attacked, and who swaps: if root runs this, nobody does; otherwise this user is somebody else to the files. */
interface Attack {
  readonly user: number
  readonly uid: number | undefined
}

const all = (...paths: string[]): void => {
  for (const path of paths) chmodSync(path, 0o777)
}
const give = (...paths: string[]): void => {
  if (ME === 0) for (const path of paths) chownSync(path, NOBODY, NOBODY)
}

describe.runIf(ME !== undefined).each<[string, Attack, (...paths: string[]) => void]>([
  ['in a directory that all may write to', { user: ME ?? 0, uid: ME === 0 ? NOBODY : undefined }, all],
  ['in a directory of another user', { user: ME === 0 ? 0 : (ME ?? 0) + 1, uid: ME === 0 ? NOBODY : undefined }, give],
])('a directory that is swapped with a link %s', { timeout: 30_000 }, (_name, { user, uid }, open) => {
  const statusOf = () => [
    statSync(precious).mode & 0o7777,
    statSync(join(precious, 'nonce')).mode & 0o7777,
    readFileSync(join(precious, 'nonce'), 'utf8'),
    readdirSync(precious),
  ]

  it('gives no file, takes none, and no mode is changed', async () => {
    const directory = join(shared, 'upnp-ts')
    mkdirSync(directory)
    writeFileSync(join(directory, 'nonce'), 'planted', { mode: 0o600 })
    symlinkSync(precious, join(shared, 'link'))
    open(shared)
    const before = statusOf()
    const { read, write, createOnce, remove, list } = privateFiles(directory, undefined, user)
    const seen = new Set<unknown>()
    const note = (work: Promise<unknown>): Promise<unknown> =>
      work.then(
        (value) => seen.add(value),
        (error: unknown) => error instanceof TransportError || seen.add(error),
      )
    const swaps = await whileSwapping({ directory, link: join(shared, 'link'), uid }, async () => {
      for (let round = 0; round < ROUNDS; round++) {
        for (const work of [read('nonce'), write('nonce', 'x'), createOnce('other', 'x'), remove('nonce'), list('')])
          await note(work)
      }
    })
    expect(swaps).toBeGreaterThanOrEqual(50)
    expect([...seen]).toEqual([])
    expect(statusOf()).toEqual(before)
  })

  it('gives no code to run', async () => {
    let count = 0
    const program = (says: 'true' | 'evil'): string => {
      const path = join(place, `${says}.js`)
      writeFileSync(path, `//0123456789abcdef\nexports.says = () => '${says}' // ${String(count++).padStart(5)}\n`)
      return path
    }
    const load = createRequire(import.meta.url)
    const run = (says: 'true' | 'evil', HOME: string, asUser = user): unknown => {
      const { exports, keep } = loadCached(program(says), load, { HOME }, asUser)
      const said: unknown = exports.says()
      keep()
      return said
    }
    expect(run('evil', precious, ME)).toBe('evil')
    expect(run('true', precious, ME)).toBe('evil') // as what is kept there does run, it must not come from there
    symlinkSync(join(precious, '.cache'), join(shared, 'link'))
    mkdirSync(join(shared, '.cache'))
    open(shared, join(shared, '.cache'))
    const [kept] = readdirSync(join(precious, '.cache/upnp-ts'))
    const keptBefore = readFileSync(join(precious, '.cache/upnp-ts', kept ?? ''))
    const said = new Set<unknown>()
    const swaps = await whileSwapping(
      { directory: join(shared, '.cache'), link: join(shared, 'link'), uid },
      async () => {
        for (let round = 0; round < ROUNDS; round++) said.add(run('true', shared))
      },
    )
    expect(swaps).toBeGreaterThanOrEqual(50)
    expect([...said]).toEqual(['true'])
    expect(readFileSync(join(precious, '.cache/upnp-ts', kept ?? '')).equals(keptBefore)).toBe(true)
    expect(existsSync(join(shared, '.cache/upnp-ts'))).toBe(false)
  })
})
