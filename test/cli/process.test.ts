/**
 * The program as people start it: `bin/upnp-ts.js` in a process of its own, with pipes that close, files, and signals.
 * Everything runs on the emulated gateway, on loopback.
 */
import { type ChildProcessByStdio, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'

const PROGRAM = fileURLToPath(new URL('../../bin/upnp-ts.js', import.meta.url))
const BUNDLE = fileURLToPath(new URL('../../dist/bin/upnp-ts.js', import.meta.url))

/** Generous: it is to catch a process that hangs, not a slow computer. */
const BOUND_MS = 10_000
vi.setConfig({ testTimeout: 3 * BOUND_MS })

type Started = ChildProcessByStdio<Writable, Readable, Readable>

const running = new Set<Started>()
afterEach(() => {
  for (const child of running) child.kill('SIGKILL')
})

let folder: string
beforeAll(() => {
  if (!existsSync(BUNDLE)) throw new Error('npm run build first')
  folder = mkdtempSync(join(tmpdir(), 'upnp-ts-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function start(argv: readonly string[], nodeArgs: readonly string[] = []): Started {
  const { NO_COLOR, FORCE_COLOR, NODE_OPTIONS, ...env } = process.env
  const child = spawn(process.execPath, [...nodeArgs, PROGRAM, ...argv], {
    env,
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  child.stdin.on('error', () => {})
  running.add(child)
  child.once('exit', () => running.delete(child))
  return child
}

interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stderr: string
}

async function ended(child: Started): Promise<Ended> {
  const [[code, signal], stderr] = await Promise.all([once(child, 'close'), text(child.stderr)])
  return { code, signal, stderr }
}

const DONE: Ended = { code: 0, signal: null, stderr: '' }

/** Resolves with what came on stdout once it has that many lines. */
function lines(child: Started, count: number): Promise<string> {
  return new Promise((resolve, reject) => {
    let got = ''
    child.stdout.on('data', (piece) => {
      got += piece
      if (got.split('\n').length > count) resolve(got)
    })
    child.stdout.once('end', () => reject(new Error(`it ended after ${JSON.stringify(got)}`)))
  })
}

describe('a command', () => {
  it('prints all of it and ends by itself', async () => {
    const child = start(['--emulate', '-r', '22', 'TCP'])
    const [stdout, end] = await Promise.all([text(child.stdout), ended(child)])
    expect(stdout.split('\n').at(-2)).toBe(
      'external 11.22.33.44:22 TCP is redirected to internal 127.0.0.1:22 (duration=604800)',
    )
    expect(end).toEqual(DONE)
  })

  it.each([['-l'], ['-s'], ['-P'], ['-h'], ['-V']])('ends soon after its last line: %s', async (command) => {
    const child = start(['--emulate', command])
    let lastMs = 0
    child.stdout.on('data', () => {
      lastMs = performance.now()
    })
    expect(await ended(child)).toEqual(DONE)
    expect(performance.now() - lastMs).toBeLessThan(BOUND_MS)
  })

  it('needs no stdin', async () => {
    const child = start(['--emulate', '-l'])
    child.stdin.destroy()
    child.stdout.resume()
    expect(await ended(child)).toEqual(DONE)
  })

  it('takes a nonce from stdin, up to the end of its line', async () => {
    const child = start(['--emulate', '--via', 'pcp', '--nonce', '-', '-r', '22', 'TCP'])
    child.stdin.write('00112233445566778899aabb\n')
    child.stdout.resume()
    expect(await ended(child)).toEqual(DONE)
  })

  it('gives a file every line', async () => {
    const file = openSync(join(folder, 'out'), 'w+')
    const { NO_COLOR, FORCE_COLOR, ...env } = process.env
    const child = spawn(process.execPath, [PROGRAM, '--emulate', '-r', '22', 'TCP', '80', '8080', 'UDP', '--json'], {
      env,
      stdio: ['ignore', file, 'inherit'],
    })
    expect(await once(child, 'close')).toEqual([0, null])
    closeSync(file)
    const types = readFileSync(join(folder, 'out'), 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line).type)
    const mapped = ['external-address', 'mapped']
    expect(types).toEqual(['device', 'gateway', 'local-address', ...mapped, ...mapped])
  })

  it.runIf(process.platform === 'linux').each([[['-h']], [['-V', '--json']], [['--emulate', '-l']]])(
    'exits with 2 if its output cannot be written, and says why: %j',
    (argv) => {
      const full = openSync('/dev/full', 'w')
      const child = spawnSync(process.execPath, [PROGRAM, ...argv], {
        stdio: ['ignore', full, 'pipe'],
        encoding: 'utf8',
      })
      closeSync(full)
      expect(child.stderr).toMatch(/^the output could not be written: ENOSPC: [^\n]*\n$/)
      expect(child.status).toBe(2)
    },
  )

  it('exits with 1 for a line that it does not understand, with no word of how it is made', async () => {
    const child = start(['-r', '22'])
    child.stdout.resume()
    expect(await ended(child)).toEqual({
      code: 1,
      signal: null,
      stderr:
        'usage: upnp-ts -r PORT [EXTERNAL_PORT] PROTOCOL ...\n' +
        '-r: the protocol is missing after 22: add TCP or UDP, as in: upnp-ts -r 22 TCP\n',
    })
  })

  it('exits with 2 for what the router refused', async () => {
    const child = start(['--emulate', '--quirk', 'refuse=DeletePortMapping:714', '-d', '22', 'TCP'])
    child.stdout.resume()
    expect((await ended(child)).code).toBe(2)
  })
})

describe('a reader that leaves after the first line', () => {
  it.each([
    ['-l ends early', ['-l']],
    ['-s ends early', ['-s']],
    ['-r does its work', ['-r', '22', 'TCP']],
    ['-l says it in JSON', ['-l', '--json']],
  ] as const)('is no error: %s', async (_, command) => {
    const child = start(['--emulate', ...command])
    child.stdout.once('data', () => child.stdout.destroy())
    expect(await ended(child)).toEqual(DONE)
  })

  it('may leave before the first line', async () => {
    const child = start(['--emulate', '-l'])
    child.stdout.destroy()
    expect(await ended(child)).toEqual(DONE)
  })

  it('does not change what -d is worth', async () => {
    const child = start(['--emulate', '--quirk', 'refuse=DeletePortMapping:714', '-d', '22', 'TCP'])
    child.stdout.destroy()
    expect((await ended(child)).code).toBe(2)
  })

  it('may be that of stderr', async () => {
    const child = start(['--emulate', '--quirk', 'refuse=DeletePortMapping:714', '-d', '22', 'TCP'])
    child.stderr.destroy()
    child.stdout.resume()
    expect((await once(child, 'close'))[0]).toBe(2)
  })

  it('does not end emulate', async () => {
    const child = start(['emulate'])
    const url = urlIn(await lines(child, 1))
    child.stdout.destroy()
    expect((await fetch(url)).status).toBe(200)
    child.kill('SIGTERM')
    expect(await ended(child)).toEqual(EMULATE_DONE)
  })
})

function urlIn(stdout: string): string {
  return /^(http:\/\/127\.0\.0\.1:\d+\/rootDesc\.xml)\n$/.exec(stdout)?.[1] ?? 'not there'
}

/** What emulate says on stderr: other programs may have its ports. */
const EMULATE_DONE = { ...DONE, stderr: expect.stringMatching(/^It [^\n]*top it with Ctrl-C\.\n$/) }

describe('emulate', () => {
  it('prints its description URL first and serves there', async () => {
    const child = start(['emulate'])
    const url = urlIn(await lines(child, 1))
    expect(await (await fetch(url)).text()).toContain('InternetGatewayDevice:2')
    child.kill('SIGTERM')
    expect(await ended(child)).toEqual(EMULATE_DONE)
  })

  it('prints it as an object with --json', async () => {
    const child = start(['emulate', '--json'])
    const report = JSON.parse(await lines(child, 1))
    expect(report).toMatchObject({ type: 'emulator', descriptionUrl: expect.stringMatching(/^http:/) })
    child.kill('SIGTERM')
    expect(await ended(child)).toEqual(DONE)
  })

  it('serves another process', async () => {
    const child = start(['emulate'])
    const url = urlIn(await lines(child, 1))
    const mapping = start(['-u', url, '-r', '22', 'TCP'])
    expect(await text(mapping.stdout)).toContain('is redirected to internal 127.0.0.1:22')
    const listing = start(['-u', url, '-l'])
    expect(await text(listing.stdout)).toMatch(/\n 0 TCP {4}22->127\.0\.0\.1:22 {4}'upnp-ts' '' (6047\d\d|604800)\n$/)
    child.kill('SIGINT')
    expect(await ended(child)).toEqual(EMULATE_DONE)
  })

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('ends within a second on %s, with exit 0', async (signal) => {
    const child = start(['emulate'])
    await lines(child, 1)
    const sentMs = performance.now()
    child.kill(signal)
    expect(await ended(child)).toEqual(EMULATE_DONE)
    expect(performance.now() - sentMs).toBeLessThan(1000)
  })

  it('ends at a signal while a client holds a connection open', async () => {
    const child = start(['emulate'])
    const { hostname, port } = new URL(urlIn(await lines(child, 1)))
    const { connect } = await import('node:net')
    const socket = connect({ host: hostname, port: Number(port) })
    socket.on('error', () => {})
    await once(socket, 'connect')
    socket.write('POST /control/WANIPConnection HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\n')
    const sentMs = performance.now()
    child.kill('SIGTERM')
    expect(await ended(child)).toEqual(EMULATE_DONE)
    expect(performance.now() - sentMs).toBeLessThan(1000)
    socket.destroy()
  })

  it.each(['SIGINT', 'SIGTERM'] as const)('leaves nothing behind if %s comes before it is ready', async (signal) => {
    const child = start(['emulate'])
    await once(child, 'spawn')
    child.kill(signal)
    child.stdout.resume()
    const { code, signal: endedBy, stderr } = await ended(child)
    expect([code === 0, endedBy === signal]).toContain(true)
    expect(stderr).toMatch(/^(It [^\n]*\n)?$/)
  })

  it('obeys a signal that comes while it starts', async () => {
    const child = start(['emulate'], ['--import', script(SIGNAL_AT_LISTEN)])
    child.stdout.resume()
    expect(await ended(child)).toEqual(EMULATE_DONE)
  })

  it.each([
    ['SIGINT', 'SIGINT'],
    ['SIGINT', 'SIGTERM'],
    ['SIGTERM', 'SIGINT'],
  ] as const)(
    'ends at once at a second signal where the first does not get it to end: %s, %s',
    async (first, second) => {
      const child = start(['emulate'], ['--import', script(CLOSING_HANGS)])
      await lines(child, 1)
      child.kill(first)
      await saysOnStderr(child, 'closing')
      child.kill(second)
      const { signal } = await ended(child)
      expect(signal).toBe(second)
    },
  )

  it('says in one line that its port is taken', async () => {
    const first = start(['emulate'])
    const { port } = new URL(urlIn(await lines(first, 1)))
    const second = start(['emulate', '--port', port])
    expect(await text(second.stdout)).toBe('')
    expect(await text(second.stderr)).toBe(`could not listen on 127.0.0.1:${port}: another program has that port\n`)
    first.kill('SIGTERM')
    expect(await ended(first)).toEqual(EMULATE_DONE)
  })

  it('serves at its URL if the port for searches is taken, and says so', async () => {
    const child = start(['emulate'], ['--import', script(PORT_1900_IS_TAKEN)])
    const url = urlIn(await lines(child, 1))
    expect((await fetch(url)).status).toBe(200)
    child.kill('SIGINT')
    // The port of PCP may be another test's.
    expect(
      (await ended(child)).stderr.replace(/^It (speaks|does not speak) PCP (and|or) NAT-PMP [^.]*(\([^)]*\))?\. /, ''),
    ).toBe(
      'It does not answer searches (could not open a UDP socket on 127.0.0.1:1900: another program has that port): ' +
        'name it with -u. Stop it with Ctrl-C.\n',
    )
  })
})

function saysOnStderr(child: Started, word: string): Promise<void> {
  return new Promise((resolve) => {
    let got = ''
    child.stderr.on('data', (piece) => {
      got += piece
      if (got.includes(word)) resolve()
    })
  })
}

/** A module that Node runs before the program. */
function script(code: string): string {
  return `data:text/javascript,${encodeURIComponent(code)}`
}

/** Port 1900 cannot be really taken here: other tests of this computer may want it. */
const PORT_1900_IS_TAKEN = `
  import { Socket } from 'node:dgram'
  const bind = Socket.prototype.bind
  Socket.prototype.bind = function (...args) {
    if (args[0]?.port !== 1900) return bind.apply(this, args)
    const error = Object.assign(new Error('bind EADDRINUSE'), { code: 'EADDRINUSE' })
    process.nextTick(() => this.emit('error', error))
    return this
  }
`

const SIGNAL_AT_LISTEN = `
  import { Server } from 'node:net'
  const listen = Server.prototype.listen
  Server.prototype.listen = function (...args) {
    process.kill(process.pid, 'SIGTERM')
    return listen.apply(this, args)
  }
`

const CLOSING_HANGS = `
  import { Server } from 'node:http'
  Server.prototype.close = function () {
    process.stderr.write('closing')
    return this
  }
`
