import {
  chmodSync,
  existsSync,
  lchownSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
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

  it.skipIf(isWindows).each([0o777, 0o1777, 0o702])(
    'is not written through a link in a directory that others may write to: mode %o',
    (mode) => {
      writeFileSync(path('victim'), 'precious')
      mkdirSync(path('shared'))
      symlinkSync(path('victim'), path('shared/state'))
      symlinkSync('shared/state', path('link'))
      chmodSync(path('shared'), mode)
      for (const name of ['shared/state', 'link'].map(path))
        expect(() => writeFileAtomically(name, 'x')).toThrow(
          `${name} could not be written: ${realpathSync(path('shared'))}/state is a link and others may write to that directory`,
        )
      expect(readFileSync(path('victim'), 'utf8')).toBe('precious')
      writeFileAtomically(path('shared/other'), 'x') // a file there is no danger
      expect(readFileSync(path('shared/other'), 'utf8')).toBe('x')
    },
  )

  it.skipIf(isWindows).each([
    ['the file', 'state', 'state'],
    ['a directory above', 'folder', 'folder/file'],
  ])('is not written through a link of another user: %s', (_name, link, name) => {
    mkdirSync(path('real'))
    writeFileSync(path('real/file'), 'precious')
    symlinkSync(link === name ? 'real/file' : 'real', path(link))
    const me = process.getuid?.() ?? 0
    if (me === 0) lchownSync(path(link), 12345, 12345)
    const user = me === 0 ? me : me + 1
    expect(() => writeFileAtomically(path(name), 'x', { user })).toThrow(/ is a link and belongs to user [1-9]/)
    expect([readFileSync(path('real/file'), 'utf8'), readdirSync(path('real'))]).toEqual(['precious', ['file']])
  })

  it.skipIf(isWindows)('is not written below a link in a directory that others may write to', () => {
    mkdirSync(path('real'))
    mkdirSync(path('shared'))
    symlinkSync(path('real'), path('shared/folder'))
    chmodSync(path('shared'), 0o1777)
    expect(() => writeFileAtomically(path('shared/folder/state'), 'x')).toThrow(
      `/shared/folder is a link and others may write to that directory`,
    )
    expect(readdirSync(path('real'))).toEqual([])
  })

  it.skipIf(isWindows)('is named from the working directory too', () => {
    const name = relative(process.cwd(), path('state'))
    for (const text of ['one', 'two']) writeFileAtomically(name, text)
    expect([readFileSync(path('state'), 'utf8'), readdirSync(directory)]).toEqual(['two', ['state']])
  })

  it.skipIf(isWindows)('is where a link leads although there is no file yet, and where links lead that go up', () => {
    mkdirSync(path('a'))
    mkdirSync(path('a/b'))
    symlinkSync('a/b', path('deep'))
    symlinkSync('deep/../file', path('state'))
    writeFileAtomically(path('state'), 'new')
    expect(readFileSync(path('a/file'), 'utf8')).toBe('new')
  })

  it('leaves nothing where it cannot be written to its end', () => {
    const noText = {} as unknown as string // as good as a disk that is full
    expect(() => writeFileAtomically(path('state'), noText)).toThrow(TransportError)
    expect(readdirSync(directory)).toEqual([])
  })
})

describe('a file that cannot be replaced', () => {
  const refused = (code: string) => (): never => {
    throw Object.assign(new Error(`${code}: refused`), { code })
  }
  const CODES = ['EBUSY', 'EXDEV', 'EACCES', 'EPERM', 'EROFS']

  it.each(CODES)('is written in place, and nothing is left beside it: %s', (code) => {
    writeFileSync(path('state'), 'a longer text')
    const { ino } = statSync(path('state'))
    writeFileAtomically(path('state'), 'one', { rename: refused(code) })
    expect([readFileSync(path('state'), 'utf8'), readdirSync(directory)]).toEqual(['one', ['state']])
    const open: typeof openSync = (name, flags, mode) =>
      flags === 'wx' ? refused(code)() : openSync(name, flags, mode)
    writeFileAtomically(path('state'), 'two', { open })
    expect([readFileSync(path('state'), 'utf8'), readdirSync(directory)]).toEqual(['two', ['state']])
    expect(statSync(path('state')).ino).toBe(ino)
  })

  it.skipIf(isWindows)('and has another name is not written: it may be one of the files that this user has', () => {
    writeFileSync(path('precious'), 'precious')
    linkSync(path('precious'), path('state'))
    expect(() => writeFileAtomically(path('state'), 'x', { rename: refused('EACCES') })).toThrow(
      new TransportError(`${path('state')} could not be written: it has another name too`),
    )
    expect([readFileSync(path('precious'), 'utf8'), readdirSync(directory)]).toEqual([
      'precious',
      ['precious', 'state'],
    ])
    writeFileAtomically(path('state'), 'x') // a name can be replaced
    expect(readFileSync(path('precious'), 'utf8')).toBe('precious')
  })

  it.each([
    ['EACCES', 'this user may not write there'],
    ['EROFS', 'nothing can be written there'],
    ['EBUSY', 'EBUSY: refused'],
  ])('and does not exist is not written, and says why the directory refused: %s', (code, why) => {
    expect(() => writeFileAtomically(path('state'), 'x', { rename: refused(code) })).toThrow(
      new TransportError(`${path('state')} could not be written: ${why}`),
    )
    expect(readdirSync(directory)).toEqual([])
  })

  it.skipIf(isWindows)('is not written in place through a link that has just come', () => {
    for (const name of ['precious', 'state']) writeFileSync(path(name), name)
    const open: typeof openSync = (name, flags, mode) => {
      if (flags === 'wx') return refused('EACCES')()
      rmSync(name)
      symlinkSync(path('precious'), name)
      return openSync(name, flags, mode)
    }
    expect(() => writeFileAtomically(path('state'), 'x', { open })).toThrow(TransportError)
    expect(readFileSync(path('precious'), 'utf8')).toBe('precious')
  })

  it('nor written in place is reported by its own reason', () => {
    writeFileSync(path('state'), 'old')
    const open = ((_: string, flags: unknown) => refused(flags === 'wx' ? 'EROFS' : 'EACCES')()) as typeof openSync
    expect(() => writeFileAtomically(path('state'), 'x', { open })).toThrow('this user may not write there')
    expect(readFileSync(path('state'), 'utf8')).toBe('old')
  })

  it('for another reason is not written in place', () => {
    writeFileSync(path('state'), 'old')
    expect(() => writeFileAtomically(path('state'), 'x', { rename: refused('ENOSPC') })).toThrow('no space left')
    expect([readFileSync(path('state'), 'utf8'), readdirSync(directory)]).toEqual(['old', ['state']])
  })
})
