/** The program in a real terminal, as people start it: the sign of life, and Ctrl-C at any moment. */
import { execFile, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify, stripVTControlCharacters } from 'node:util'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { type Emulator, startEmulator } from '../../src/emulator.ts'
import { screenOf } from '../support/screen.ts'

const PROGRAM = fileURLToPath(new URL('../../bin/upnp-ts.js', import.meta.url))
const TERMINAL = fileURLToPath(new URL('../support/terminal.py', import.meta.url))
const hasTerminal = process.platform === 'linux' && spawnSync('python3', ['--version']).status === 0

vi.setConfig({ testTimeout: 30_000 })

/** A router that says nothing. */
let silent: Server
let url: string
/** One that has 300 ports open, and takes its time. */
let full: Emulator
/** One that has none open, and takes its time. */
let slow: Emulator
beforeAll(async () => {
  if (!existsSync(new URL('../../dist/bin/upnp-ts.js', import.meta.url))) throw new Error('npm run build first')
  silent = createServer((socket) => socket.on('error', () => {}))
  silent.listen(0, '127.0.0.1')
  await once(silent, 'listening')
  const address = silent.address()
  url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/`
})
beforeAll(async () => {
  slow = await startEmulator({ replyDelayMs: 40 })
  full = await startEmulator({ replyDelayMs: 40 })
  for (let at = 0; at < 300; at++) {
    const where = { internalClient: `192.168.100.${at % 250}`, internalPort: 40_000 + at }
    full.addMapping({ externalPort: 40_000 + at, ...where, description: `what somebody has opened, number ${at}` })
  }
})
afterAll(async () => {
  silent.close()
  await slow.close()
  await full.close()
})

const run = promisify(execFile)

async function inTerminal(argv: readonly string[], { columns = 60, interruptAt = '0', env = {} } = {}) {
  const { NO_COLOR, FORCE_COLOR, NODE_OPTIONS, ...rest } = process.env
  const command = [process.execPath, PROGRAM, ...argv]
  const words = [TERMINAL, String(columns), interruptAt, ...command]
  const { stdout, stderr } = await run('python3', words, { env: { ...rest, TERM: 'xterm', ...env } })
  return { screen: screenOf(stdout, columns), output: stdout, end: stderr }
}

describe.runIf(hasTerminal)('in a terminal', () => {
  it.concurrent('that does not know its size, nothing is cut, and the QR code is drawn', async () => {
    const opened = await inTerminal(['--emulate', 'open', '25565', '--qr'], { columns: 0 })
    expect(opened.output).toContain('\u2588')
    expect(opened.output).not.toContain('needs a terminal')
    const help = await inTerminal(['-h'], { columns: 0 })
    expect(help.output).toContain('  --for TIME               close it after this time, such as 30m, 2h or 7d\r\n')
  })

  it.concurrent.each([200, 60, 20])(
    'of %i columns the sign of life is one line, and nothing is left of it',
    async (columns) => {
      const { output, screen, end } = await inTerminal(['-u', url, '-l', '--timeout', '1600'], { columns })
      const signs = output.split('\x1b[K').flatMap((piece) => /\r(waiting[^\r\n]*)$/.exec(piece)?.[1] ?? [])
      expect(signs.length).toBeGreaterThanOrEqual(2)
      expect(signs.filter((sign) => sign.length >= columns)).toEqual([])
      expect(signs.at(-1)).toMatch(
        columns === 20 ? /^waiting for .* \u2026 1 s$/ : /^waiting for the router at 127\.0\.0\.1 \u2026 1 s$/,
      )
      expect(screen.filter((line) => line.includes('waiting'))).toEqual([])
      expect(screen.join('')).toContain('gave up after 1.6 s')
      expect(end).toBe('exit 1')
    },
  )

  it.concurrent('goes before the answer, which is whole', async () => {
    const slow = ['--quirk', 'late-search=700']
    const { output, screen, end } = await inTerminal(['--emulate', ...slow, '--via', 'igd', '-r', '22', 'TCP'], {
      columns: 80,
    })
    expect(output).toContain('looking for the emulated router')
    expect(screen.filter((line) => line.includes('looking'))).toEqual([])
    expect(screen).toContain(
      'external 11.22.33.44:22 TCP is redirected to internal 127.0.0.1:22 (duration=604800)'.slice(0, 80),
    )
    expect(end).toBe('exit 0')
  })

  it.concurrent.each(['0.2', '0.5', '1.1', 'waiting'])(
    'Ctrl-C at %s leaves a clean line, and ends it as before',
    async (interruptAt) => {
      const { screen, end } = await inTerminal(['-u', url, '-l'], { interruptAt })
      expect(end).toBe('signal 2')
      expect(screen.at(-1)).toMatch(/^(\^C)?$/)
      expect(screen.filter((line) => line.includes('waiting'))).toEqual([])
    },
  )

  it.concurrent.each(['waiting'])('Ctrl-C at %s ends --keep as before', async (interruptAt) => {
    const { output, screen, end } = await inTerminal(['-u', url, '-r', '22', 'TCP', '--keep'], { interruptAt })
    expect(output).toContain('waiting for the router')
    expect(screen.filter((line) => line.includes('waiting for the router at'))).toEqual([])
    expect(end).toBe('exit 0')
  })
})

describe.runIf(hasTerminal).each([60, 80, 200])('in a terminal of %i columns', (columns) => {
  it.concurrent('help is one screen', async () => {
    const { output, screen } = await inTerminal(['-h'], { columns })
    const lines = output.split(/\r*\n/)
    if (columns >= 80) expect(lines.length).toBeLessThanOrEqual(25)
    expect(screen).toHaveLength(lines.length) // nothing has wrapped
  })

  it.concurrent('a list of 300 rows counts them, and each has a line', async () => {
    const { output, screen, end } = await inTerminal(['list', '-u', full.descriptionUrl], { columns })
    const lines = screen.filter((line) => / 4\d{4} TCP /.test(line))
    expect(lines).toHaveLength(300)
    expect(screen).toHaveLength(output.split('\n').length)
    expect(screen.at(-2)).toMatch(/^300 ports are open/)
    expect(end).toBe('exit 0')
  })

  it.concurrent('many ports are counted, and Ctrl-C tells what has become of them', async () => {
    const argv = ['open', `${columns}00-${columns}99`, '-u', slow.descriptionUrl]
    const { output, screen, end } = await inTerminal(argv, { columns, interruptAt: 'opened' })
    expect(output).toMatch(/\ropened \d+ of 100 ports \u2026\x1b\[K/)
    expect(screen.filter((line) => line.includes('of 100 ports'))).toEqual([])
    expect(screen.join(' ')).toMatch(
      /Interrupted\. Port \d+ TCP may be open or not\. Ports \d+-\d+ TCP were not asked for\./,
    )
    const lines = output.split(/\r*\n/).map(shown)
    expect(lines.filter((line) => line.length > columns && !/^ {2}upnp-ts \S/.test(line))).toEqual([])
    expect(end).toBe('signal 2')
  })
})

/** A line without its colours, and without the sign of life that stood there. */
function shown(line: string): string {
  return stripVTControlCharacters(line.split('\r').at(-1) ?? '')
}

describe.runIf(hasTerminal)('Ctrl-C', () => {
  it.concurrent('at the question of close --mine begins a new line, and says what stays open', async () => {
    const state = mkdtempSync(join(tmpdir(), 'upnp-ts-terminal-'))
    const router = await startEmulator()
    router.addMapping({ externalPort: 81, internalClient: '127.0.0.1', description: 'upnp-ts' })
    const argv = ['close', '--mine', '-u', router.descriptionUrl]
    const { screen, end } = await inTerminal(argv, { interruptAt: 'Close', env: { XDG_STATE_HOME: state } })
    expect(screen.join('\n')).toMatch(
      /^Close this port\? \[y\/N\] (\^C)?\nInterrupted\. Port 81 TCP may still be open\.$/m,
    )
    expect(end).toBe('signal 2')
    rmSync(state, { recursive: true })
    await router.close()
  })

  it.concurrent('while --keep opens many ports closes those that are open', async () => {
    const argv = ['open', '5000-5099', '--keep', '-u', slow.descriptionUrl]
    const { output, screen, end } = await inTerminal(argv, { columns: 60, interruptAt: 'opened' })
    expect(output).toMatch(/^ {23}\S.*then\r/m) // without waiting for its readers, it knows the width
    expect(screen.filter((line) => line.includes('of 100 ports'))).toEqual([])
    expect(screen.filter((line) => /Port 50\d\d TCP is closed\.$/.test(line)).length).toBeGreaterThan(0)
    expect(slow.mappings().filter(({ externalPort }) => externalPort >= 5000 && externalPort < 5100)).toEqual([])
    expect(end).toBe('exit 0')
  })

  it.concurrent.each(['0.3', 'waiting'])(
    'at %s in watch, before it has a screen, leaves a clean line',
    async (interruptAt) => {
      const { screen, output, end } = await inTerminal(['watch', '-u', url], { interruptAt })
      expect(screen.filter((line) => line.includes('waiting'))).toEqual([])
      expect(screen.at(-1)).toMatch(end === 'exit 0' ? /^$/ : /^(\^C)?$/) // a shell begins a new line after a signal
      expect(output).not.toContain('\x1b[?')
      expect(['exit 0', 'signal 2']).toContain(end) // it may not have begun
    },
  )
})
