/** `--keep` as people start it: a process of its own, on the emulated gateway, with real signals, programs and files. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  closeSync,
  constants,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'

const PROGRAM = fileURLToPath(new URL('../../../bin/upnp-ts.js', import.meta.url))

/** Generous: it is to catch a process that hangs, not a slow computer. */
const BOUND_MS = 10_000
vi.setConfig({ testTimeout: 3 * BOUND_MS })

const running = new Set<ChildProcess>()
afterEach(() => {
  for (const child of running) child.kill('SIGKILL')
})

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'upnp-ts-keep-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const EMULATED = ['--emulate', '-r', '22', 'TCP', '--keep']

function start(argv: readonly string[]) {
  const { NO_COLOR, FORCE_COLOR, NODE_OPTIONS, NOTIFY_SOCKET, ...env } = process.env
  const stateHome = { XDG_STATE_HOME: join(folder, 'state') }
  const child = spawn(process.execPath, [PROGRAM, ...argv], {
    env: { ...env, ...stateHome },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  running.add(child)
  child.once('exit', () => running.delete(child))
  const written = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].on('data', (piece) => {
      written[name] += piece
      child.emit('written')
    })
  }
  const closed = once(child, 'close')
  return {
    child,
    written,
    async says(text: RegExp): Promise<void> {
      while (!text.test(written.stdout + written.stderr)) await once(child, 'written')
    },
    async ends() {
      const [code, signal] = await closed
      return { code, signal }
    },
  }
}

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 10))

/** Whether there was room. */
function written(pipe: number): boolean {
  try {
    return writeSync(pipe, 'x'.repeat(1024)) > 0
  } catch {
    return false
  }
}

function textIn(pipe: number): string {
  const bytes = Buffer.alloc(1e6)
  try {
    return bytes.toString('utf8', 0, readSync(pipe, bytes))
  } catch {
    return '' // nothing is there
  }
}

const EXIT_0 = { code: 0, signal: null }
const REDIRECTED = /is redirected to internal 127\.0\.0\.1:22 \(duration=604800\)\n/

describe.skipIf(process.platform === 'win32')('--keep', () => {
  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    'keeps the emulated gateway as long as itself: %s',
    async (signal) => {
      const keeper = start(EMULATED)
      await keeper.says(REDIRECTED)
      keeper.child.kill(signal)
      expect(await keeper.ends()).toEqual(EXIT_0)
      expect(keeper.written.stdout).toMatch(/\n\S+Z external port 22 TCP: closed\n$/)
      expect(keeper.written.stderr).toBe('')
    },
  )

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('ends as at one if the same comes again: %s', async (signal) => {
    const keeper = start(EMULATED)
    await keeper.says(REDIRECTED)
    const again = setInterval(() => keeper.child.kill(signal), 1)
    expect(await keeper.ends()).toEqual(EXIT_0)
    clearInterval(again)
    expect(keeper.written.stdout).toMatch(/: closed\n$/)
  })

  it.each(['SIGUSR1', 'SIGUSR2'] as const)('does nothing at %s', async (signal) => {
    const keeper = start(EMULATED)
    await keeper.says(REDIRECTED)
    keeper.child.kill(signal)
    keeper.child.kill('SIGTERM')
    expect(await keeper.ends()).toEqual(EXIT_0)
    expect(keeper.written.stdout).toMatch(/\(duration=604800\)\n\S+Z external port 22 TCP: closed\n$/)
  })

  it.each(['pcp', 'nat-pmp'])('does so over %s', async (via) => {
    const keeper = start([...EMULATED, '--via', via, '--json'])
    await keeper.says(/"type":"mapped"/)
    keeper.child.kill('SIGTERM')
    expect(await keeper.ends()).toEqual(EXIT_0)
    const types = keeper.written.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).type)
    expect([types.at(-1), keeper.written.stderr]).toEqual(['removed', ''])
  })

  it('runs a command with what is open in its environment, and exits as it does', async () => {
    const script = 'echo "$UPNP_EXTERNAL_ADDRESS $UPNP_EXTERNAL_PORT $UPNP_INTERNAL_PORT"; exit 7'
    const keeper = start([...EMULATED, '--', 'sh', '-c', script])
    expect(await keeper.ends()).toEqual({ code: 7, signal: null })
    expect(keeper.written.stdout).toBe('11.22.33.44 22 22\n')
    expect(keeper.written.stderr).toMatch(REDIRECTED)
    expect(keeper.written.stderr).toMatch(/: closed\n$/)
  })

  it('leaves stdout to the command with --json too', async () => {
    const keeper = start([...EMULATED, '--json', '--', 'echo', 'own'])
    expect(await keeper.ends()).toEqual(EXIT_0)
    expect(keeper.written.stdout).toBe('own\n')
    const types = keeper.written.stderr
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).type)
    expect(types).toEqual(['device', 'gateway', 'local-address', 'external-address', 'mapped', 'removed'])
  })

  it('leaves the output of the command alone with --quiet, and adds nothing to it', async () => {
    const keeper = start([...EMULATED, '--quiet', '--', 'sh', '-c', 'echo "$UPNP_EXTERNAL_PORT"; echo own >&2; exit 3'])
    expect(await keeper.ends()).toEqual({ code: 3, signal: null })
    expect(keeper.written).toEqual({ stdout: '22\n', stderr: 'own\n' })
  })

  it('passes signals on, and exits with 128 plus the number of the one that killed the command', async () => {
    const answers = start([
      ...EMULATED,
      '--',
      'sh',
      '-c',
      'trap "echo heard" USR1; trap "exit 5" TERM; echo runs; while :; do sleep 0.05; done',
    ])
    await answers.says(/runs\n/)
    answers.child.kill('SIGUSR1')
    await answers.says(/heard\n/)
    answers.child.kill('SIGTERM')
    expect(await answers.ends()).toEqual({ code: 5, signal: null })
    const dies = start([...EMULATED, '--', 'sh', '-c', 'echo runs; exec sleep 600'])
    await dies.says(/runs\n/)
    dies.child.kill('SIGTERM')
    expect(await dies.ends()).toEqual({ code: 143, signal: null })
  })

  it('exits with 128 plus the number of a signal that came before the command had started', async () => {
    const keeper = start(['-u', 'http://127.0.0.1:1/', '-r', '22', 'TCP', '--keep', '--', 'echo', 'it', 'runs'])
    await keeper.says(/no router: /)
    keeper.child.kill('SIGTERM')
    expect(await keeper.ends()).toEqual({ code: 143, signal: null })
    expect(keeper.written.stdout).not.toContain('it runs')
  })

  it('without a program ends when a signal asks it to, even if there was no router', async () => {
    const keeper = start(['-u', 'http://127.0.0.1:1/', '-r', '22', 'TCP', '--keep'])
    await keeper.says(/no router: /)
    keeper.child.kill('SIGTERM')
    expect(await keeper.ends()).toEqual(EXIT_0)
  })

  it('goes on if nobody reads any more', async () => {
    const go = join(folder, 'go')
    const script = `while [ ! -e ${go} ]; do sleep 0.02; done; exit 6`
    const keeper = start([...EMULATED, '--json', '--on-change', `touch ${go}; exit 3`, '--', 'sh', '-c', script])
    keeper.child.stdout.destroy()
    keeper.child.stderr.destroy()
    expect(await once(keeper.child, 'exit')).toEqual([6, null])
  })

  it.each([
    ['ends at a signal', false],
    ['says everything when somebody reads again', true],
  ])('goes on if its log is full, and %s', async (_, isReadAgain) => {
    const [fifo, file] = [join(folder, `fifo-${isReadAgain}`), join(folder, `fifo-${isReadAgain}.json`)]
    execFileSync('mkfifo', [fifo])
    const log = openSync(fifo, 'r+')
    const reader = openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK)
    while (written(reader)) {} // it is full now
    const hook = `head -c 100000 /dev/zero; touch ${fifo}.told`
    const child = spawn(process.execPath, [PROGRAM, ...EMULATED, '--state', file, '--on-change', hook], {
      env: { PATH: process.env.PATH, HOME: folder },
      stdio: ['ignore', log, log],
    })
    running.add(child)
    const exited = once(child, 'exit')
    const isOpen = (): boolean => {
      try {
        return JSON.parse(readFileSync(file, 'utf8')).ports.length === 1
      } catch {
        return false // it is not there yet, or half written
      }
    }
    while (!(isOpen() && existsSync(`${fifo}.told`))) await pause()
    let said = ''
    while (isReadAgain && !REDIRECTED.test(said)) {
      said += textIn(reader)
      await pause()
    }
    child.kill('SIGTERM')
    expect(await exited).toEqual([0, null])
    expect(JSON.parse(readFileSync(file, 'utf8')).ports).toEqual([])
    said += textIn(reader)
    expect(said.endsWith(': closed\n')).toBe(isReadAgain)
    for (const descriptor of [log, reader]) closeSync(descriptor)
  })

  it('goes on if nobody reads after the first line', async () => {
    const keeper = start([...EMULATED, '--', 'sh', '-c', 'exit 6'])
    keeper.child.stderr.once('data', () => keeper.child.stderr.destroy())
    expect(await keeper.ends()).toEqual({ code: 6, signal: null })
  })

  it('informs a hook and a file', async () => {
    const [log, file] = [join(folder, 'hook'), join(folder, 'state.json')]
    const hook = `echo "$UPNP_EXTERNAL_ADDRESS:$UPNP_EXTERNAL_PORT" >> ${log}; echo it ran; [ -e ${log}.up ] || exit 3`
    const keeper = start([...EMULATED, '--state', file, '--on-change', hook])
    await keeper.says(/--on-change: the command failed with exit status 3; trying again\n/)
    expect(readFileSync(log, 'utf8')).toBe('11.22.33.44:22\n')
    writeFileSync(`${log}.up`, '')
    await keeper.says(/--on-change: the command succeeded after a failure\n/)
    expect(readFileSync(log, 'utf8')).toBe('11.22.33.44:22\n'.repeat(2))
    const open = { protocol: 'TCP', externalPort: 22, internalPort: 22, internalClient: '127.0.0.1' }
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({
      version: 1,
      updated: expect.stringMatching(/Z$/),
      externalAddress: '11.22.33.44',
      ports: [{ ...open, ends: expect.stringMatching(/Z$/) }],
    })
    keeper.child.kill('SIGTERM')
    expect(await keeper.ends()).toEqual(EXIT_0)
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ ports: [] })
    expect(keeper.written.stderr).toContain('it ran\n')
  })
})
