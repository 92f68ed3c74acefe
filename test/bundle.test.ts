/**
 * What makes the program start fast, without a clock: how large the files of the bundle are, what is in them, which of
 * them a command loads, and what is kept for the next start. `npm run build` makes them.
 */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { COMMANDS_KEPT } from '../bin/upnp-ts.js'
import { completionFor } from '../src/cli/print/completion/completion.ts'
import { firstScreen } from '../src/cli/print/help/help.ts'
import { VERSION_TEXT } from '../src/cli/print/usage.ts'
import { type Emulator, startEmulator } from '../src/emulator.ts'

const ROOT = join(import.meta.dirname, '..')
const PROGRAM = join(ROOT, 'bin/upnp-ts.js')
const BUNDLE = join(ROOT, 'dist/bin')

vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 })

let folder: string
let emulator: Emulator
beforeAll(async () => {
  if (!existsSync(BUNDLE)) throw new Error('npm run build first')
  folder = mkdtempSync(join(tmpdir(), 'upnp-ts-'))
  emulator = await startEmulator({})
})
afterAll(async () => {
  await emulator.close()
  rmSync(folder, { recursive: true, force: true })
})

interface Ended {
  readonly stdout: string
  readonly stderr: string
}

function start(argv: readonly string[], env: NodeJS.ProcessEnv, nodeArgs: readonly string[] = []): Promise<Ended> {
  const { NODE_OPTIONS, NODE_COMPILE_CACHE, NODE_DISABLE_COMPILE_CACHE, ...ours } = process.env
  return new Promise((resolve, reject) => {
    const done = (error: Error | null, stdout: string, stderr: string): void =>
      error === null ? resolve({ stdout, stderr }) : reject(error)
    execFile(process.execPath, [...nodeArgs, PROGRAM, ...argv], { env: { ...ours, ...env } }, done)
  })
}

const text = (name: string): string => readFileSync(join(BUNDLE, name), 'utf8')

describe('a file of the bundle', () => {
  it.each([
    ['plain-answers.js', 35],
    ['upnp-ts.js', 640], // what a short command does not need is not evaluated
  ])('is small: %s has at most %i kB', (name, kilobytes) => {
    expect(statSync(join(BUNDLE, name)).size).toBeLessThanOrEqual(kilobytes * 1000)
  })

  it('is ASCII, which is read as it is', () => {
    for (const name of readdirSync(BUNDLE))
      expect([name, /[^\n\x20-\x7e\t]/.exec(text(name))?.[0]]).toEqual([name, undefined])
  })

  it('begins with the hash of the rest, by which the code cache knows it', () => {
    const [first = '', rest = ''] = text('upnp-ts.js').split(/(?<=^[^\n]*\n)/)
    expect(first).toBe(`//${createHash('sha256').update(rest).digest('hex').slice(0, 32)}\n`)
  })

  it.each([
    ['the XML parser', 'Maximum nested tags exceeded', 1],
    ['the emulated gateway', 'WANCommonIFC1', 1],
    ['undici, which is for the library', 'undici.globalDispatcher', 0],
  ])('has %s no more than once', (_, words, times) => {
    const all = readdirSync(BUNDLE).map(text).join('')
    expect(all.split(words).length - 1).toBe(times)
  })
})

describe('a command loads what it needs', () => {
  let hook: string
  beforeAll(() => {
    hook = join(folder, 'hook.cjs')
    const loaded = '{ files: Object.keys(require.cache), builtins: process.moduleLoadList }'
    const write = `require('node:fs').writeFileSync(process.env.LOADED, JSON.stringify(${loaded}))`
    writeFileSync(hook, `process.on('exit', () => { ${write} })`)
  })

  async function loadedBy(argv: readonly string[]): Promise<{ files: string[]; builtins: string[] }> {
    const LOADED = join(folder, 'loaded.json')
    await start(argv, { LOADED, NODE_DISABLE_COMPILE_CACHE: '1' }, ['--require', hook])
    const { files, builtins } = JSON.parse(readFileSync(LOADED, 'utf8'))
    const ours = files.filter((path: string) => path !== hook)
    return { files: ours.map((path: string) => basename(path)), builtins }
  }

  it.each(['-V', '--version', '-h', '--help', 'help', 'completion bash'])(
    '%s: next to nothing, not even a stream',
    async (line) => {
      const { files, builtins } = await loadedBy(line.split(' '))
      expect(files).toEqual(['upnp-ts.js', 'plain-answers.js'])
      expect(builtins).not.toContain('NativeModule internal/streams/writable')
    },
  )

  it('-u URL -s: no search, no PCP, no cryptography, no other HTTP client', async () => {
    const { files, builtins } = await loadedBy(['-u', emulator.descriptionUrl, '-s'])
    expect(files).toEqual(['upnp-ts.js', 'upnp-ts.js'])
    const needless = ['crypto', 'http', 'https', 'dns', 'tty', '_http_client', 'zlib']
    expect(builtins.filter((name) => needless.includes(name.replace('NativeModule ', '')))).toEqual([])
    expect(builtins.filter((name) => /undici/.test(name))).toEqual([])
  })
})

describe('the short way to the version, the help and the completions', () => {
  it.each([
    ['-V', VERSION_TEXT],
    ['--version', VERSION_TEXT],
    ['-h', firstScreen(80)],
    ['--help', firstScreen(80)],
    ['help', firstScreen(80)],
    ['completion bash', completionFor('bash')],
    ['completion zsh', completionFor('zsh')],
    ['completion fish', completionFor('fish')],
  ])('prints what the source prints: %s', async (line, expected) => {
    expect(await start(line.split(' '), {})).toEqual({ stdout: expected, stderr: '' })
  })

  it('is not taken if more is asked', async () => {
    expect((await start(['-h', 'open'], {})).stdout).toMatch(/^upnp-ts open /)
    expect((await start(['-h', '--json'], {})).stdout).toMatch(/^\{"type":"help","version":1,/)
  })
})

describe.runIf(process.getuid?.() === 0)('in the home of another user', () => {
  it('root keeps nothing, and says so only where something has to be kept', async () => {
    const home = mkdtempSync(join(folder, 'home-'))
    chownSync(home, 12345, 12345)
    const env = { HOME: home, XDG_CACHE_HOME: '', XDG_STATE_HOME: '' }
    const ended = await start(['-u', emulator.descriptionUrl, '-P'], env)
    expect(ended.stderr).toBe('')
    const { address, port } = emulator.portControl ?? { address: '', port: 0 }
    const mapped = await start(['--via', 'pcp', '--gateway', `${address}:${port}`, '-r', '22', 'TCP'], env)
    expect(mapped.stdout + mapped.stderr).toContain(`${home} belongs to user 12345; set HOME or XDG_STATE_HOME`)
    expect(readdirSync(home)).toEqual([])
  })
})

describe.runIf(process.getuid !== undefined)('what is kept for the next start', () => {
  let cache: string
  let kept: string
  beforeEach(() => {
    cache = mkdtempSync(join(folder, 'cache-'))
    kept = join(cache, 'upnp-ts')
  })

  const presentation = (at = cache): Promise<Ended> =>
    start(['-u', emulator.descriptionUrl, '-P'], { XDG_CACHE_HOME: at })
  const names = (): string[] => readdirSync(kept).sort()
  const mainFile = (): string => join(kept, names().find((name) => name.startsWith('upnp-ts-')) ?? 'not there')

  it('is one private file in a private directory', async () => {
    await presentation()
    expect(names()).toEqual([`upnp-ts-${process.version}-${process.arch}`])
    expect(statSync(kept).mode & 0o777).toBe(0o700)
    expect(statSync(mainFile()).mode & 0o777).toBe(0o600)
  })

  let full: string
  let first: Ended
  /** Until nothing is added any more. */
  beforeAll(async () => {
    full = mkdtempSync(join(folder, 'full-'))
    for (let count = 1; count < COMMANDS_KEPT; count++) await presentation(full)
    first = await presentation(full)
  })
  const fill = (): void => cpSync(join(full, 'upnp-ts'), kept, { recursive: true })

  it('is used, and stays as it is', async () => {
    fill()
    const before = statSync(mainFile()).ino
    expect(await presentation()).toEqual(first)
    expect(statSync(mainFile()).ino).toBe(before)
  })

  it.each([
    ['a bit is damaged', (bytes: Buffer) => bytes.fill(bytes.readUInt8(5000) ^ 1, 5000, 5001)],
    ['it is of another program', (bytes: Buffer) => bytes.fill('x', bytes.length - 20)],
    ['it is cut short', (bytes: Buffer) => bytes.subarray(0, 5000)],
    ['it is empty', (bytes: Buffer) => bytes.subarray(0, 0)],
  ])('is made anew where %s', async (_, spoil) => {
    fill()
    const spoilt = spoil(readFileSync(mainFile()))
    writeFileSync(mainFile(), spoilt)
    const before = statSync(mainFile()).ino
    expect(await presentation()).toEqual(first)
    expect(statSync(mainFile()).ino).not.toBe(before)
    expect(readFileSync(mainFile()).length).toBeGreaterThan(100_000)
  })

  it('is not taken from a directory that others may write to, which is closed to them', async () => {
    fill()
    const before = statSync(mainFile()).ino
    chmodSync(kept, 0o777)
    expect(await presentation()).toEqual(first)
    expect(statSync(mainFile()).ino).not.toBe(before)
    expect(statSync(kept).mode & 0o777).toBe(0o700)
  })

  it('is not there for a command that failed: it has not run what the next one needs', async () => {
    await expect(start(['-r', '99999', 'TCP'], { XDG_CACHE_HOME: cache })).rejects.toThrow()
    expect(existsSync(kept)).toBe(false)
  })

  it('is not there for the version, nor where it is not wanted, nor where there is no place', async () => {
    await start(['-V'], { XDG_CACHE_HOME: cache })
    await start(['-u', emulator.descriptionUrl, '-P'], { XDG_CACHE_HOME: cache, NODE_DISABLE_COMPILE_CACHE: '1' })
    expect(existsSync(kept)).toBe(false)
    mkdirSync(join(folder, 'none'), { recursive: true })
    writeFileSync(kept, 'a file where the directory would be')
    expect((await presentation()).stderr).toBe('')
  })
})
