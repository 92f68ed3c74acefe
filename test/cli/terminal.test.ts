/** The program in a real terminal, as people start it: the sign of life, and Ctrl-C at any moment. */
import { execFile, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { screenOf } from '../support/screen.ts'

const PROGRAM = fileURLToPath(new URL('../../bin/upnp-ts.js', import.meta.url))
const TERMINAL = fileURLToPath(new URL('../support/terminal.py', import.meta.url))
const hasTerminal = process.platform === 'linux' && spawnSync('python3', ['--version']).status === 0

vi.setConfig({ testTimeout: 30_000 })

/** A router that says nothing. */
let silent: Server
let url: string
beforeAll(async () => {
  if (!existsSync(new URL('../../dist/bin/upnp-ts.js', import.meta.url))) throw new Error('npm run build first')
  silent = createServer((socket) => socket.on('error', () => {}))
  silent.listen(0, '127.0.0.1')
  await once(silent, 'listening')
  const address = silent.address()
  url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/`
})
afterAll(() => silent.close())

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
