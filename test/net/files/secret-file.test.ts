import {
  chmodSync,
  lchownSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { TransportError } from '../../../src/domain/errors.ts'
import { firstLineOf, readSecretFile } from '../../../src/net/files/secret-file.ts'

const POSIX = process.platform !== 'win32'
const ME = process.getuid?.() ?? 0

let directory: string
let path: string
beforeEach(() => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), 'upnp-ts-secret-')))
  path = join(directory, 'secret')
  writeFileSync(path, 'secret\n', { mode: 0o600 })
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const refusal = (why: string): TransportError => new TransportError(`will not read ${path}: ${why}`)

describe('a file with a secret', () => {
  it('is read if only this user can read it, also through a link of this user', () => {
    expect(readSecretFile(path)).toBe('secret\n')
    if (!POSIX) return
    symlinkSync('secret', `${path}-link`)
    expect(readSecretFile(`${path}-link`)).toBe('secret\n')
  })

  it.runIf(POSIX).each([0o640, 0o604, 0o620, 0o602, 0o610])('is refused if it is of mode %o', (mode) => {
    chmodSync(path, mode)
    expect(() => readSecretFile(path)).toThrow(refusal('other users can read or change it; chmod 600 takes that away'))
  })

  it.runIf(POSIX)('is refused if it is of another user', () => {
    if (ME === 0) lchownSync(path, 12345, 12345)
    const user = ME === 0 ? ME : ME + 1
    expect(() => readSecretFile(path, user)).toThrow(refusal(`it belongs to user ${ME === 0 ? 12345 : ME}`))
  })

  it.runIf(POSIX)('is refused behind a link in a directory that others may write to', () => {
    mkdirSync(join(directory, 'shared'))
    chmodSync(join(directory, 'shared'), 0o1777)
    const link = join(directory, 'shared/link')
    symlinkSync(path, link)
    expect(() => readSecretFile(link)).toThrow(
      new TransportError(`will not read ${link}: ${link} is a link and others may write to that directory`),
    )
  })

  it('is missed, or is no file', () => {
    const failures: readonly (readonly [string, string])[] = [
      [`${path}-none`, 'there is no such file'],
      [join(path, 'below'), 'there is no such file'],
      [directory, 'it is not a regular file'],
    ]
    for (const [name, why] of failures)
      expect(() => readSecretFile(name)).toThrow(new TransportError(`cannot read ${name}: ${why}`))
  })
})

describe('the first line of a stream', () => {
  it.each<[string, (string | Uint8Array)[], string]>([
    ['alone', ['sec', 'ret\n', 'more'], 'secret'],
    ['in bytes', [Buffer.from('secret\nmore')], 'secret'],
    ['without an end', ['secret'], 'secret'],
    ['that is not there', [], ''],
  ])('%s', async (_name, chunks, expected) => {
    expect(await firstLineOf(Readable.from(chunks))).toBe(expected)
  })

  it('is not waited for when it is too long', async () => {
    let asked = 0
    async function* endless() {
      for (;;) {
        asked++
        yield 'x'.repeat(100)
      }
    }
    expect((await firstLineOf(endless())).length).toBe(1100)
    expect(asked).toBe(11)
  })

  it('that cannot be read is an error', async () => {
    const stream = new Readable({
      read() {
        this.destroy(Object.assign(new Error('EISDIR: illegal operation'), { code: 'EISDIR' }))
      },
    })
    await expect(firstLineOf(stream)).rejects.toThrow(
      new TransportError('cannot read standard input: it is not a regular file'),
    )
  })
})
