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
import {
  isForeignToRoot,
  MAX_FILE_BYTES,
  privateFiles,
  stateDirectoryOf,
} from '../../../src/net/files/private-files.ts'

const POSIX = process.platform !== 'win32'
const ROOT = process.getuid?.() === 0

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

describe("another user's home", () => {
  const isAlices = (path: string): number | undefined => (path === '/home/alice' ? 12345 : undefined)

  it.each<[string, boolean, number, string]>([
    ['is foreign to root', true, 0, '/home/alice'],
    ['is foreign to root where something is not there yet in it', true, 0, '/home/alice/none/state'],
    ['is foreign to nobody else', false, 12345, '/home/alice'],
    ['is not all that root has', false, 0, '/none/at/all'],
  ])('%s', (_name, expected, user, path) => {
    expect(isForeignToRoot(path, user, isAlices)).toBe(expected)
  })

  it('is no place for files of root, who is told what to do', () => {
    const isForeign = (path: string): boolean => path.startsWith('/home/alice')
    const message = "root keeps no files in /home/alice, which is another user's: set HOME or XDG_STATE_HOME"
    expect(() => stateDirectoryOf({}, 'linux', '/home/alice', isForeign)).toThrow(new TransportError(message))
    const [kept, given] = [{ XDG_STATE_HOME: '/home/alice/state' }, { XDG_STATE_HOME: '/var/lib' }]
    expect(() => stateDirectoryOf(kept, 'linux', '/root', isForeign)).toThrow(/another user's/)
    expect(stateDirectoryOf(given, 'linux', '/home/alice', isForeign)).toBe('/var/lib/upnp-ts')
  })

  it.runIf(ROOT)('is known by its owner, also through a link', () => {
    const home = join(place, `home-${count}`)
    mkdirSync(home)
    chownSync(home, 12345, 12345)
    symlinkSync(home, `${home}-link`)
    const paths = [home, join(home, '.local'), `${home}-link`, place]
    expect(paths.map((path) => isForeignToRoot(path))).toEqual([true, true, true, false])
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
    chmodSync(join(directory, 'nonce'), 0o664)
    chmodSync(directory, 0o777)
    expect(await files.read('nonce')).toBe('a')
    expect(modeOf(join(directory, 'nonce'))).toBe(0o600)
    await files.write('other', 'b')
    expect(modeOf(directory)).toBe(0o700)
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
    writeFileSync(join(directory, 'over'), `${full}x`)
    await expectFailure(files.read('over'), /over: it is larger than 65536 bytes/)
    expect(await files.read('full')).toBe(full)
    expect(readdirSync(directory)).toEqual(['full', 'over'])
  })

  it('cannot be where a file is in the way, and say where that is', async () => {
    writeFileSync(join(place, `file-${count}`), '')
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
    writeFileSync(inTheWay, '')
    const env = { XDG_STATE_HOME: join(inTheWay, 'state') }
    const files = privateFiles(() => stateDirectoryOf(env, process.platform, ''))
    for (const asked of [files.read('key'), files.write('key', ''), files.list('k'), files.remove('key')])
      await expect(asked).rejects.toThrow(TransportError)
  })

  it('take no directory for a file, and leave no temporary file where they fail', async () => {
    const files = privateFiles(directory)
    mkdirSync(join(directory, 'nonce'), { recursive: true })
    await expectFailure(files.read('nonce'), /nonce/)
    await expectFailure(files.write('nonce', ''), /cannot write .*nonce: E/)
    await expectFailure(files.createOnce('nonce', ''), /nonce/)
    expect(readdirSync(directory)).toEqual(['nonce'])
  })

  it.runIf(POSIX)('are not read through a symbolic link, and replace it where they are written', async () => {
    const files = privateFiles(directory)
    const elsewhere = join(place, `elsewhere-${count}`)
    writeFileSync(elsewhere, 'not mine')
    mkdirSync(directory, { recursive: true })
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
    mkdirSync(directory, { recursive: true })
    const made = spawn('mkfifo', [join(directory, 'nonce')])
    await new Promise((resolve) => made.on('close', resolve).on('error', resolve))
    if (existsSync(join(directory, 'nonce')))
      await expectFailure(files.read('nonce'), /nonce: it is not a regular file/)
  })

  it.runIf(POSIX)('are kept where a link leads to, and its mode stays', async () => {
    const elsewhere = join(place, `elsewhere-${count}`)
    mkdirSync(elsewhere, { mode: 0o755 })
    mkdirSync(join(directory, '..'))
    symlinkSync(elsewhere, directory)
    const files = privateFiles(directory)
    await files.write('written', 'a')
    await files.createOnce('created', 'b')
    expect([await files.read('written'), await files.list('')]).toEqual(['a', ['created', 'written']])
    expect(['', 'written', 'created'].map((name) => modeOf(join(elsewhere, name)))).toEqual([0o755, 0o600, 0o600])
  })

  it.runIf(ROOT).each<[string, (elsewhere: string) => void]>([
    ['in the directory', () => mkdirSync(directory, { recursive: true })],
    ['in what a link leads to', (elsewhere) => symlinkSync(elsewhere, directory)],
    ['in what a link of another user leads to', (elsewhere) => symlinkSync(elsewhere, directory)],
  ])('are neither made nor read %s of another user', async (name, make) => {
    const elsewhere = join(place, `elsewhere-${count}`)
    mkdirSync(elsewhere)
    mkdirSync(join(directory, '..'))
    make(elsewhere)
    if (name.includes('link of')) lchownSync(directory, 12345, 12345)
    else chownSync(directory, 12345, 12345)
    const { read, write, createOnce, remove, list } = privateFiles(directory)
    const message = /will not use .*upnp-ts: it belongs to user 12345/
    for (const work of [read('a'), write('a', ''), createOnce('a', ''), remove('a'), list('')])
      await expectFailure(work, message)
    expect(readdirSync(elsewhere)).toEqual([])
  })

  it.runIf(ROOT)('of another user are refused', async () => {
    const files = privateFiles(directory)
    await files.write('nonce', 'a')
    chownSync(join(directory, 'nonce'), 12345, 12345)
    await expectFailure(files.read('nonce'), /will not read .*nonce: it belongs to user 12345/)
    await expectFailure(files.createOnce('nonce', 'b'), /belongs to user 12345/)
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
      writeFileSync(path, 'theirs')
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
