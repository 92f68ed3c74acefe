/** watch in a real terminal: a row that comes and goes is shown within 3 s, and Ctrl-C leaves the terminal as it was. */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { stripVTControlCharacters } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Emulator, startEmulator } from '../../src/emulator.ts'
import { runCli } from '../support/run-cli.ts'

const PROGRAM = fileURLToPath(new URL('../../bin/upnp-ts.js', import.meta.url))
const TERMINAL = fileURLToPath(new URL('../support/terminal.py', import.meta.url))
const hasTerminal = process.platform === 'linux' && spawnSync('python3', ['--version']).status === 0

const closing: Emulator[] = []
afterAll(async () => {
  for (const emulator of closing.splice(0)) await emulator.close()
})

beforeAll(() => {
  if (!existsSync(new URL('../../dist/bin/upnp-ts.js', import.meta.url))) throw new Error('npm run build first')
})

describe.runIf(hasTerminal)('watch in a terminal', () => {
  it.concurrent.each([60, 80, 200])(
    'of %i columns',
    async (columns) => {
      const emulator = await startEmulator()
      closing.push(emulator)
      const { NO_COLOR, FORCE_COLOR, NODE_OPTIONS, ...env } = process.env
      const argv = [TERMINAL, String(columns), '7', process.execPath, PROGRAM, 'watch', '-u', emulator.descriptionUrl]
      const child = spawn('python3', argv, { env: { ...env, TERM: 'xterm' } })
      const closed = new Promise((resolve) => child.on('close', resolve))
      const got = { output: '', ending: '' }
      child.stdout.on('data', (data) => {
        got.output += String(data)
      })
      child.stderr.on('data', (data) => {
        got.ending += String(data)
      })
      const shown = async (pattern: RegExp) => {
        const [beganMs, before] = [performance.now(), got.output.length]
        while (!pattern.test(got.output.slice(before)) && performance.now() - beganMs < 6000)
          await new Promise((resolve) => setTimeout(resolve, 20))
        return performance.now() - beganMs
      }
      await shown(/No port is open/)
      emulator.addMapping({ externalPort: 25565, description: 'a long description of what somebody has opened here' })
      expect(await shown(/ \+25565 TCP/)).toBeLessThan(3000)
      await runCli(['-u', emulator.descriptionUrl, '-d', '25565', 'TCP'])
      expect(await shown(/ -25565 TCP/)).toBeLessThan(3000)
      await closed
      expect(got.ending).toBe('exit 0')
      expect(got.output.startsWith('\x1b[?1049h\x1b[?25l')).toBe(true)
      expect(got.output.endsWith('\x1b[?25h\x1b[?1049l')).toBe(true)
      const frames = got.output.split('\x1b[H').map((frame) => stripVTControlCharacters(frame))
      for (const line of frames.flatMap((frame) => frame.split(/\r*\n/))) expect(line.length).toBeLessThan(columns)
    },
    20_000,
  )
})
