import { type ChildProcess, spawn } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  lchownSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text as textOf } from 'node:stream/consumers'
import { pathToFileURL } from 'node:url'
import { buildSync } from 'esbuild'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { TransportError } from '../../../src/domain/errors.ts'
import { privateFiles, stateDirectoryOf } from '../../../src/net/files/private-files.ts'
import { MAX_FILE_BYTES } from '../../../src/net/files/regular-file.ts'

const POSIX = process.platform !== 'win32'
const ROOT = process.getuid?.() === 0
/** Who is not root, and not who runs this. */
const ANOTHER = (process.getuid?.() ?? 0) + 12345

let place: string
let count = 0
/** Not there yet. */
let directory: string

beforeAll(() => {
  place = mkdtempSync(join(tmpdir(), 'upnp-ts-state-'))
})
afterAll(() => rmSync(place, { recursive: true, force: true }))
beforeEach(() => {
  directory = join(place, `${count++}`, 'upnp-ts')
})

const modeOf = (path: string): number => statSync(path).mode & 0o777
const failureOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'no failure',
    (error: unknown) => error,
  )

async function expectFailure(work: Promise<unknown>, message: RegExp): Promise<void> {
  const failure = await failureOf(work)
  expect(failure).toBeInstanceOf(TransportError)
  expect(String(failure)).toMatch(message)
}

describe('the state directory', () => {
  it.each<[string, NodeJS.Platform, Record<string, string | undefined>, string]>([
    ['on Linux', 'linux', {}, '/home/ann/.local/state/upnp-ts'],
    ['on macOS', 'darwin', {}, '/home/ann/.local/state/upnp-ts'],
    ['where the user wants it', 'linux', { XDG_STATE_HOME: '/var/ann' }, '/var/ann/upnp-ts'],
    ['not at a relative place', 'linux', { XDG_STATE_HOME: 'state' }, '/home/ann/.local/state/upnp-ts'],
    ['not at an empty place', 'freebsd', { XDG_STATE_HOME: '' }, '/home/ann/.local/state/upnp-ts'],
    ['not where Windows would have it', 'linux', { LOCALAPPDATA: '/app' }, '/home/ann/.local/state/upnp-ts'],
  ])('is %s', (_name, platform, env, expected) => {
    expect(stateDirectoryOf(env, platform, '/home/ann')).toBe(expected)
  })

  it.each<[Record<string, string | undefined>, string]>([
    [{ LOCALAPPDATA: 'D:\\Local' }, 'D:\\Local\\upnp-ts'],
    [{ LOCALAPPDATA: 'D:\\Local', XDG_STATE_HOME: 'E:\\state' }, 'E:\\state\\upnp-ts'],
    [{ LOCALAPPDATA: 'D:\\Local', XDG_STATE_HOME: 'state' }, 'D:\\Local\\upnp-ts'],
    [{}, 'C:\\Users\\ann\\AppData\\Local\\upnp-ts'],
  ])('is on Windows, with %j, %s', (env, expected) => {
    expect(stateDirectoryOf(env, 'win32', 'C:\\Users\\ann')).toBe(expected)
  })

  it('of a user without a home has to be given', () => {
    expect(() => stateDirectoryOf({}, 'linux', '')).toThrow(/set XDG_STATE_HOME/)
    expect(stateDirectoryOf({ XDG_STATE_HOME: '/state' }, 'linux', '')).toBe('/state/upnp-ts')
  })
})

describe('private files', () => {
  it('are not there before they are written, nor is their directory', async () => {
    const files = privateFiles(directory)
    expect(await files.read('nonce')).toBeUndefined()
    expect(await files.list('')).toEqual([])
    await files.remove('nonce')
    expect(existsSync(directory)).toBe(false)
    expect(files.directory).toBe(directory)
  })

  it('hold what was written last, and leave no temporary file', async () => {
    const files = privateFiles(directory)
    await files.write('nonce', 'one, longer')
    await files.write('nonce', 'zwei ü')
    expect(await files.read('nonce')).toBe('zwei ü')
    expect(readdirSync(directory)).toEqual(['nonce'])
  })

  it.runIf(POSIX)('are of mode 0600 in a directory of mode 0700', async () => {
    const files = privateFiles(directory)
    await files.write('written', 'a')
    await files.createOnce('created', 'b')
    expect([modeOf(directory), modeOf(join(directory, 'written')), modeOf(join(directory, 'created'))]).toEqual([
      0o700, 0o600, 0o600,
    ])
  })

  it.runIf(POSIX)('are made private again where others could read them', async () => {
    const files = privateFiles(directory)
    await files.write('nonce', 'a')
    chmodSync(join(directory, 'nonce'), 0o644)
    expect(await files.read('nonce')).toBe('a')
    expect(modeOf(join(directory, 'nonce'))).toBe(0o600)
  })

  it.runIf(POSIX).each([0o620, 0o602])('do not count if others may write to them: mode %o', async (mode) => {
    const files = privateFiles(directory)
    await files.write('nonce', 'a')
    chmodSync(join(directory, 'nonce'), mode)
    await expectFailure(files.read('nonce'), /will not read .*nonce: others may write to it/)
    await expectFailure(files.createOnce('nonce', 'b'), /others may write to it/)
    expect(modeOf(join(directory, 'nonce'))).toBe(mode)
  })

  it.runIf(POSIX).each<[string, (parent: string) => void]>([
    ['its own directory', () => chmodSync(directory, 0o777)],
    ['the one above', (parent) => chmodSync(parent, 0o770)],
  ])('are neither made nor read if others may write to %s, whose mode stays', async (_name, open) => {
    const files = privateFiles(directory)
    await files.write('nonce', 'a')
    open(join(directory, '..'))
    const before = [modeOf(directory), modeOf(join(directory, '..'))]
    const { read, write, createOnce, remove, list } = files
    for (const work of [read('nonce'), write('b', ''), createOnce('c', ''), remove('nonce'), list('')])
      await expectFailure(work, /will not use .*upnp-ts: others may write to .*; chmod go-w takes that away/)
    expect([modeOf(directory), modeOf(join(directory, '..'))]).toEqual(before)
    expect(readdirSync(directory)).toEqual(['nonce'])
  })

  it.runIf(POSIX)('do not count if they have another name elsewhere', async () => {
    const files = privateFiles(directory)
    await files.write('nonce', 'a')
    linkSync(join(directory, 'nonce'), join(place, `second-${count}`))
    await expectFailure(files.read('nonce'), /will not read .*nonce: it has another name elsewhere/)
  })

  it.runIf(POSIX)('count if who made them was killed before the other name was gone', async () => {
    const files = privateFiles(directory)
    await files.write('nonce', 'a')
    await files.write('other', 'b')
    linkSync(join(directory, 'nonce'), join(directory, '.99-left'))
    linkSync(join(directory, 'other'), join(directory, '.98-left'))
    expect(await files.read('nonce')).toBe('a')
    expect(readdirSync(directory)).toEqual(['.98-left', 'nonce', 'other'])
  })

  it('are listed by the beginning of their names, without what is no such file', async () => {
    const files = privateFiles(directory)
    for (const name of ['pcp-b', 'pcp-a', 'igd-a', 'pcp']) await files.write(name, name)
    mkdirSync(join(directory, 'pcp-directory'))
    writeFileSync(join(directory, '.pcp-left-over'), '')
    writeFileSync(join(directory, 'pcp another program'), '')
    expect(await files.list('pcp-')).toEqual(['pcp-a', 'pcp-b'])
    expect(await files.list('')).toEqual(['igd-a', 'pcp', 'pcp-a', 'pcp-b'])
    expect(await files.list('.')).toEqual([])
  })

  it('are gone once removed, and can be removed again', async () => {
    const files = privateFiles(directory)
    await files.write('nonce', 'a')
    await files.remove('nonce')
    await files.remove('nonce')
    expect(await files.read('nonce')).toBeUndefined()
  })

  it('have names with the zone and the port of a gateway', async () => {
    const files = privateFiles(directory)
    const name = `pcp-fe80--1%eth0-5351.${'x'.repeat(178)}`
    expect(name).toHaveLength(200)
    await files.write(name, 'a')
    expect(await files.list('pcp-')).toEqual([name])
  })

  it.each(['', '.', '..', '.hidden', '../up', 'a/b', 'a\\b', '/etc/passwd', 'a b', 'a\0', 'a\n', 'ä', 'x'.repeat(201)])(
    'are never called %j',
    async (name) => {
      const files = privateFiles(directory)
      const { read, write, createOnce, remove } = files
      for (const work of [() => read(name), () => write(name, ''), () => createOnce(name, ''), () => remove(name)])
        expect(await failureOf(work())).toBeInstanceOf(RangeError)
      expect(existsSync(directory)).toBe(false)
    },
  )

  it('have a greatest size', async () => {
    const files = privateFiles(directory)
    const full = 'ü'.repeat(MAX_FILE_BYTES / 2)
    await files.write('full', full)
    expect(await files.read('full')).toBe(full)
    await expectFailure(files.write('full', `${full}x`), /more than 65536 bytes/)
    await expectFailure(files.createOnce('over', `${full}x`), /more than 65536 bytes/)
    writeFileSync(join(directory, 'over'), `${full}x`, { mode: 0o600 })
    await expectFailure(files.read('over'), /over: it is larger than 65536 bytes/)
    expect(await files.read('full')).toBe(full)
    expect(readdirSync(directory)).toEqual(['full', 'over'])
  })

  it('cannot be where a file is in the way, and say where that is', async () => {
    writeFileSync(join(place, `file-${count}`), '', { mode: 0o600 })
    const files = privateFiles(join(place, `file-${count}`, 'upnp-ts'))
    const failure = await failureOf(files.read('nonce'))
    expect(failure).toMatchObject({ code: 'TRANSPORT', cause: { code: 'ENOTDIR' } })
    expect(String(failure)).toContain(`cannot read ${join(files.directory, 'nonce')}: ENOTDIR`)
    await expectFailure(files.write('nonce', ''), /cannot write .*nonce: ENOTDIR/)
    await expectFailure(files.createOnce('nonce', ''), /cannot create .*nonce: ENOTDIR/)
    await expectFailure(files.list(''), /cannot list .*upnp-ts: ENOTDIR/)
  })

  it.runIf(POSIX)('cannot be where the place that the environment names is within a file', async () => {
    const inTheWay = join(place, 'a-file')
    writeFileSync(inTheWay, '', { mode: 0o600 })
    const env = { XDG_STATE_HOME: join(inTheWay, 'state') }
    const files = privateFiles(() => stateDirectoryOf(env, process.platform, ''))
    for (const asked of [files.read('key'), files.write('key', ''), files.list('k'), files.remove('key')])
      await expect(asked).rejects.toThrow(TransportError)
  })

  it('take no directory for a file, and leave no temporary file where they fail', async () => {
    const files = privateFiles(directory)
    mkdirSync(join(directory, 'nonce'), { recursive: true, mode: 0o700 })
    await expectFailure(files.read('nonce'), /nonce/)
    await expectFailure(files.write('nonce', ''), /cannot write .*nonce: E/)
    await expectFailure(files.createOnce('nonce', ''), /nonce/)
    expect(readdirSync(directory)).toEqual(['nonce'])
  })

  it.runIf(POSIX)('are not read through a symbolic link, and replace it where they are written', async () => {
    const files = privateFiles(directory)
    const elsewhere = join(place, `elsewhere-${count}`)
    writeFileSync(elsewhere, 'not mine')
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    symlinkSync(elsewhere, join(directory, 'nonce'))
    symlinkSync(join(place, 'nowhere'), join(directory, 'dangling'))
    await expectFailure(files.read('nonce'), /cannot read .*nonce: E/)
    await expectFailure(files.createOnce('nonce', 'a'), /cannot create .*nonce: E/)
    await expectFailure(files.createOnce('dangling', 'a'), /cannot create .*dangling: E/)
    expect(existsSync(join(place, 'nowhere'))).toBe(false)
    expect(await files.list('')).toEqual([])
    await files.write('nonce', 'mine')
    expect(await files.read('nonce')).toBe('mine')
    expect(statSync(elsewhere).size).toBe('not mine'.length)
  })

  it.runIf(POSIX)('are not waited for at a pipe', async () => {
    const files = privateFiles(directory)
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    const made = spawn('mkfifo', [join(directory, 'nonce')])
    await new Promise((resolve) => made.on('close', resolve).on('error', resolve))
    if (existsSync(join(directory, 'nonce')))
      await expectFailure(files.read('nonce'), /nonce: it is not a regular file/)
  })

  it.runIf(POSIX)('are kept where a link leads to, and its mode stays', async () => {
    const elsewhere = join(place, `elsewhere-${count}`)
    mkdirSync(elsewhere, { mode: 0o755 })
    mkdirSync(join(directory, '..'), { mode: 0o700 })
    symlinkSync(elsewhere, directory)
    const files = privateFiles(directory)
    await files.write('written', 'a')
    await files.createOnce('created', 'b')
    expect([await files.read('written'), await files.list('')]).toEqual(['a', ['created', 'written']])
    expect(['', 'written', 'created'].map((name) => modeOf(join(elsewhere, name)))).toEqual([0o755, 0o600, 0o600])
  })

  it.runIf(POSIX).each<[string, (elsewhere: string) => void]>([
    ['in the directory', () => mkdirSync(directory, { recursive: true, mode: 0o700 })],
    ['in what a link leads to', (elsewhere) => symlinkSync(elsewhere, directory)],
    ['in what a link of another user leads to', (elsewhere) => symlinkSync(elsewhere, directory)],
    ['below the home', () => {}],
  ])('are neither made nor read %s of another user', async (name, make) => {
    const elsewhere = join(place, `elsewhere-${count}`)
    const home = join(directory, '..')
    mkdirSync(elsewhere)
    mkdirSync(home, { mode: 0o700 })
    make(elsewhere)
    const given = name.includes('home') ? home : directory
    if (ROOT) (name.includes('link of') ? lchownSync : chownSync)(given, ANOTHER, ANOTHER)
    const user = ROOT ? 0 : ANOTHER // only root can give something away: for anybody else, somebody else looks
    const { read, write, createOnce, remove, list } = privateFiles(directory, linkSync, user)
    const message = /will not use .*upnp-ts: .* belongs to user \d+; set HOME or XDG_STATE_HOME/
    for (const work of [read('a'), write('a', ''), createOnce('a', ''), remove('a'), list('')])
      await expectFailure(work, message)
    expect([readdirSync(elsewhere), readdirSync(home).filter((each) => each !== 'upnp-ts')]).toEqual([[], []])
  })

  it.runIf(POSIX)('of another user are refused', async () => {
    await privateFiles(directory).write('nonce', 'a')
    const files = privateFiles(directory, linkSync, ANOTHER)
    await expectFailure(files.read('nonce'), /will not .* belongs to user \d/)
    await expectFailure(files.createOnce('nonce', 'b'), /will not .* belongs to user \d/)
    expect(await privateFiles(directory).read('nonce')).toBe('a')
  })
})

const refusing = (code: string): typeof linkSync => {
  return () => {
    throw Object.assign(new Error(code), { code })
  }
}

describe('createOnce', () => {
  it.each<[string, typeof linkSync]>([
    ['with hard links', linkSync],
    ['on FAT', refusing('EPERM')],
    ['on Android', refusing('EACCES')],
    ['on a share', refusing('ENOTSUP')],
  ])('keeps what came first, %s', async (_name, link) => {
    const files = privateFiles(directory, link)
    expect(await files.createOnce('nonce', 'first')).toBe('first')
    expect(await files.createOnce('nonce', 'second')).toBe('first')
    expect(await files.read('nonce')).toBe('first')
    expect(readdirSync(directory)).toEqual(['nonce'])
    if (POSIX) expect(modeOf(join(directory, 'nonce'))).toBe(0o600)
  })

  it.each<[string, typeof linkSync]>([
    ['the link', linkSync],
    ['the copy', refusing('ENOSYS')],
  ])('reads what another made between its look and %s', async (_name, link) => {
    const files = privateFiles(directory, (temporary, path) => {
      writeFileSync(path, 'theirs', { mode: 0o600 })
      link(temporary, path)
    })
    expect(await files.createOnce('nonce', 'mine')).toBe('theirs')
    expect(readdirSync(directory)).toEqual(['nonce'])
  })

  it('gives up where the file is there and not there', async () => {
    const files = privateFiles(directory, refusing('EEXIST'))
    await expectFailure(files.createOnce('nonce', 'a'), /cannot create .*nonce: it comes and goes/)
    expect(readdirSync(directory)).toEqual([])
  })

  it('gives all who race in one process the same', async () => {
    const racers = Array.from({ length: 8 }, (_, at) => privateFiles(directory).createOnce('nonce', `racer ${at}`))
    const results = new Set(await Promise.all(racers))
    expect(results.size).toBe(1)
    expect(results).toContain(await privateFiles(directory).read('nonce'))
  })
})

describe('several processes', () => {
  let bundle: string

  beforeAll(() => {
    bundle = join(place, 'state-directory.mjs')
    const source = join(import.meta.dirname, '../../../src/net/files/private-files.ts')
    buildSync({
      entryPoints: [source],
      outfile: bundle,
      bundle: true,
      platform: 'node',
      format: 'esm',
      logLevel: 'error',
    })
  })

  function start(program: string, where = directory): ChildProcess {
    const source = `import { privateFiles, userPrivateFiles } from ${JSON.stringify(pathToFileURL(bundle).href)}
      const files = privateFiles(${JSON.stringify(where)})
      ${program}`
    return spawn(process.execPath, ['--input-type=module', '--eval', source], { stdio: ['ignore', 'pipe', 'inherit'] })
  }

  const outputOf = ({ stdout }: ChildProcess): Promise<string> =>
    stdout === null ? Promise.resolve('') : textOf(stdout)

  it('of this user find their files where the environment says at first use', async () => {
    const program = `process.env.XDG_STATE_HOME = ${JSON.stringify(join(directory, '..'))}
      await userPrivateFiles.write('nonce', 'a')
      process.env.XDG_STATE_HOME = ''
      const results = [await userPrivateFiles.createOnce('nonce', 'b'), await userPrivateFiles.list('n')]
      await userPrivateFiles.remove('nonce')
      console.log(JSON.stringify([...results, await userPrivateFiles.read('nonce'), userPrivateFiles.directory]))`
    expect(JSON.parse(await outputOf(start(program)))).toEqual(['a', ['nonce'], null, directory])
  })

  it('that create the same files all get the same', async () => {
    const program = `const results = []
      for (let at = 0; at < 100; at++) results.push(await files.createOnce('nonce-' + at, 'of ' + process.pid))
      console.log(JSON.stringify(results))`
    const outputs = await Promise.all(Array.from({ length: 4 }, () => outputOf(start(program))))
    expect(new Set(outputs).size).toBe(1)
    expect(JSON.parse(outputs[0] ?? '')).toHaveLength(100)
    expect(readdirSync(directory)).toHaveLength(100)
  })

  it.runIf(process.platform === 'linux')('end where no directory can be made, and do not try for ever', async () => {
    const program = `const error = await files.write('name', 'text').catch((cause) => cause); console.log(error.code)`
    expect(await outputOf(start(program, '/proc/nowhere/at-all'))).toBe('TRANSPORT\n')
  })

  it('never see half of what another writes', async () => {
    const length = 60_000
    const files = privateFiles(directory)
    await files.write('large', 'a'.repeat(length))
    const writer = start(
      `for (let at = 0; at < 400; at++) await files.write('large', (at % 2 ? 'a' : 'b').repeat(${length}))`,
    )
    let running = true
    const done = outputOf(writer).finally(() => {
      running = false
    })
    const seen = new Set<string>()
    while (running) {
      seen.add((await files.read('large')) ?? 'nothing')
      await new Promise(setImmediate)
    }
    await done
    const whole = ['a', 'b'].map((letter) => letter.repeat(length))
    expect([...seen].filter((text) => !whole.includes(text)).map((text) => text.length)).toEqual([])
    expect(readdirSync(directory)).toEqual(['large'])
  })
})
