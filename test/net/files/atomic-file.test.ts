import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { TransportError } from '../../../src/domain/errors.ts'
import { writeFileAtomically } from '../../../src/net/files/atomic-file.ts'

let directory: string
const path = (name: string): string => join(directory, name)

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'atomic-file-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const isWindows = process.platform === 'win32'

describe('a file that is written at once', () => {
  it('has the text, and nothing is left beside it', () => {
    writeFileAtomically(path('state'), 'one')
    expect(readFileSync(path('state'), 'utf8')).toBe('one')
    writeFileAtomically(path('state'), 'two')
    expect(readFileSync(path('state'), 'utf8')).toBe('two')
    expect(readdirSync(directory)).toEqual(['state'])
  })

  it.skipIf(isWindows)('is another file each time: who reads the old one goes on with it', () => {
    writeFileAtomically(path('state'), 'one')
    const { ino } = statSync(path('state'))
    writeFileAtomically(path('state'), 'two')
    expect(statSync(path('state')).ino).not.toBe(ino)
  })

  it.skipIf(isWindows)('can be read by everybody, as far as the umask lets them', () => {
    writeFileAtomically(path('state'), 'one')
    expect(statSync(path('state')).mode & 0o777).toBe(0o644 & ~process.umask())
  })

  it('is written though a keeper that was killed has left its half behind', () => {
    writeFileSync(path(`.state.${process.pid}`), 'half')
    writeFileAtomically(path('state'), 'one')
    expect(readdirSync(directory)).toEqual(['state'])
  })

  it.skipIf(isWindows)('is not written through a link that somebody has put in the way', () => {
    writeFileSync(path('victim'), 'precious')
    symlinkSync(path('victim'), path(`.state.${process.pid}`))
    writeFileAtomically(path('state'), 'one')
    expect(readFileSync(path('victim'), 'utf8')).toBe('precious')
  })

  it.skipIf(isWindows)('is where a link leads that was there before', () => {
    mkdirSync(path('real'))
    writeFileSync(path('real/file'), 'old')
    symlinkSync('real/file', path('state'))
    writeFileAtomically(path('state'), 'new')
    expect(readFileSync(path('real/file'), 'utf8')).toBe('new')
    expect(readdirSync(path('real'))).toEqual(['file'])
  })

  it('is not written where there is no such directory, and says so', () => {
    const name = path('missing/state')
    expect(() => writeFileAtomically(name, 'x')).toThrow(
      new TransportError(`${name} could not be written: there is no such directory`),
    )
  })

  it.each(['a directory', 'a device'])('does not take the place of %s', (what) => {
    const name = what === 'a device' ? '/dev/null' : path('folder')
    if (what === 'a device' && isWindows) return
    if (what !== 'a device') mkdirSync(name)
    expect(() => writeFileAtomically(name, 'x')).toThrow(
      new TransportError(`${name} could not be written: it is not a regular file`),
    )
    expect(existsSync(name)).toBe(true)
    expect(readdirSync(directory)).toEqual(what === 'a device' ? [] : ['folder'])
  })

  it('leaves nothing where it cannot be written to its end', () => {
    const noText = {} as unknown as string // as good as a disk that is full
    expect(() => writeFileAtomically(path('state'), noText)).toThrow(TransportError)
    expect(readdirSync(directory)).toEqual([])
  })
})
