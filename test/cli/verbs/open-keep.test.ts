/** `open --keep`, whole runs on an emulated gateway: what is told, over both families, and what the state file has. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { main } from '../../../src/cli/main.ts'
import { commandLineNet } from '../../../src/cli/surroundings.ts'
import { type EmulatorOptions, startEmulator } from '../../../src/emulator.ts'
import { settle } from '../../support/fake-clock.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

async function keeping(words: readonly string[], options: EmulatorOptions = {}) {
  const emulator = await startEmulator({ externalAddress: '203.0.113.7', ...options })
  closing.push(() => emulator.close())
  const folder = mkdtempSync(join(tmpdir(), 'upnp-ts-'))
  closing.push(() => rmSync(folder, { recursive: true }))
  const state = join(folder, 'state.json')
  const written = { stdout: '', stderr: '' }
  const stream = (name: 'stdout' | 'stderr') => ({
    write: (text: string) => {
      written[name] += text
    },
    on: () => {},
  })
  let signal = (_: string): void => {}
  const running = main(['open', ...words, '--keep', '--state', state], {
    ...commandLineNet(),
    ...emulator.net,
    stdout: stream('stdout'),
    stderr: stream('stderr'),
    env: {},
    onSignal: (_, listener) => {
      signal = listener
      return () => {}
    },
  })
  return {
    emulator,
    written,
    running,
    stop: () => signal('SIGTERM'),
    /** Loopback takes real time. */
    async told(text: string): Promise<void> {
      while (!written.stdout.includes(text)) await settle()
    },
    ports: (): { internalClient: string }[] => JSON.parse(readFileSync(state, 'utf8')).ports,
  }
}

/** Without the times. */
function steady(text: string): string {
  return text.replaceAll(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d {2}/gm, 'TIME  ')
}

describe('open --keep', () => {
  it('answers as open does, keeps the port over both families, and closes it over both', async () => {
    const { emulator, written, running, stop, told, ports } = await keeping(['25565'])
    await told('Over IPv6 friends connect to')
    while (ports().length < 2) await settle()
    expect(ports().map(({ internalClient }) => internalClient)).toEqual(['127.0.0.1', '2001:db8::2'])
    expect(emulator.pinholes()).toHaveLength(1)
    stop()
    expect(await running).toBe(0)
    expect([emulator.mappings(), emulator.pinholes(), ports()]).toEqual([[], [], []])
    const [answer, end] = steady(written.stdout).split('Over IPv6 friends')
    expect(answer).toBe(`Your router now lets port 25565 TCP in.
  Friends connect to   203.0.113.7:25565
  It leads to          this computer (127.0.0.1), port 25565
  Until                you press Ctrl-C; it is kept open until then
`)
    expect(end).toContain(' connect to [2001:db8::2]:25565.\n')
    expect(end).toContain('TIME  Port 25565 TCP is closed.\n')
    expect(end).toContain('TIME  Port 25565 TCP over IPv6 is closed.\n')
    expect(written.stderr).toBe('')
  })

  it('tells once that it is not open over IPv6', async () => {
    const { written, running, stop, told } = await keeping(['25565'], { inboundPinholeAllowed: false })
    await told('Over IPv6: not opened')
    stop()
    expect(await running).toBe(0)
    expect(written.stdout.match(/Over IPv6/g)).toHaveLength(1)
  })
})
