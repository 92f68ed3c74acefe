/** The examples of docs/library.md: each runs as it stands, with an emulated gateway for its router. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type Emulator, startEmulator } from '../src/emulator.ts'
import type { Where } from '../src/index.ts'

const EXAMPLES = join(import.meta.dirname, '../examples')
const FIVE = ['game-server', 'keep-open', 'list-and-clean', 'ipv6-pinhole', 'with-node-test.test']
/** By test/examples-of-tests.test.ts. */
const RUN_ELSEWHERE = [
  'router-in-trouble.test.mjs',
  'with-fake-timers.test.mjs',
  'with-node-test.test.mjs',
  'with-vitest.test.mjs',
]
/** Needs Electron, which is not here. */
const NOT_RUN = ['electron-main.mjs']

const signals = ['SIGINT', 'SIGTERM'] as const
const lines: string[] = []
const run = new Set<string>()
let router: Emulator
let before: readonly unknown[]

beforeEach(async () => {
  router = await startEmulator()
  before = signals.flatMap((signal) => process.listeners(signal))
  lines.length = 0
  vi.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(line))
  vi.stubEnv('PORT', '0')
  vi.resetModules()
  vi.doMock('upnp-ts', async () => {
    const actual = await import('../src/index.ts')
    const here: Where = { net: router.net }
    return {
      ...actual,
      openPort: (port: number, options: object) => actual.openPort(port, { ...options, ...here }),
      openPorts: (ports: readonly number[], options: object) => actual.openPorts(ports, { ...options, ...here }),
      findGateway: (options: object) => actual.findGateway({ ...options, ...here }),
    }
  })
})

afterEach(async () => {
  vi.doUnmock('upnp-ts')
  vi.restoreAllMocks()
  vi.unstubAllEnvs()
  await router.close()
})

/** Runs the program up to its first wait for ever. */
function start(name: string): Promise<unknown> {
  run.add(`${name}.mjs`)
  return import(/* @vite-ignore */ join(EXAMPLES, `${name}.mjs`))
}

/** What a signal does to the program. */
async function interrupt(): Promise<void> {
  for (const signal of signals) {
    for (const listener of process.listeners(signal)) {
      if (before.includes(listener)) continue
      process.removeListener(signal, listener)
      await Promise.resolve(listener(signal))
    }
  }
  await vi.waitUntil(() => router.mappings().length + router.pinholes().length === 0, { timeout: 5000 })
}

describe('examples', () => {
  it('game-server', async () => {
    await start('game-server')
    expect(lines).toEqual(['Friends connect to 11.22.33.44:25565'])
    expect(router.mappings()).toMatchObject([{ externalPort: 25565, protocol: 'TCP', description: 'game server' }])
    await interrupt()
  })

  it('web-server', async () => {
    await start('web-server')
    expect(lines).toEqual([expect.stringMatching(/^http:\/\/11\.22\.33\.44:\d+\/$/)])
    expect(router.mappings()).toHaveLength(1)
    await interrupt()
  })

  it('keep-open', async () => {
    const running = start('keep-open')
    await vi.waitUntil(() => process.listeners('SIGTERM').some((listener) => !before.includes(listener)), {
      timeout: 4000,
    })
    router.forget({ externalAddress: '11.22.33.55' })
    await vi.waitUntil(() => lines.includes('moved 11.22.33.55:8080'), { timeout: 4000 })
    await interrupt()
    await running
    expect(lines).toEqual(['lost 11.22.33.44:8080', 'moved 11.22.33.55:8080', 'closed 11.22.33.55:8080', 'the end'])
  })

  it('tcp-and-udp', async () => {
    await start('tcp-and-udp')
    expect(lines).toEqual(['TCP 11.22.33.44:27015', 'UDP 11.22.33.44:27015'])
    await interrupt()
  })

  it('ipv6-pinhole', async () => {
    await start('ipv6-pinhole')
    expect(lines).toEqual(['https://[2001:db8::2]:8443/'])
    expect(router.pinholes()).toMatchObject([{ internalClient: '2001:db8::2', internalPort: 8443 }])
    await interrupt()
  })

  it('both-families', async () => {
    await start('both-families')
    expect(lines).toEqual(['IPv4: 11.22.33.44 port 8443', 'IPv6: 2001:db8::2 port 8443'])
    expect([router.mappings().length, router.pinholes().length]).toEqual([1, 1])
    await interrupt()
  })

  it('many-ports', async () => {
    router.addMapping({ externalPort: 443 })
    await start('many-ports')
    expect(lines).toMatchObject([
      'open: 11.22.33.44:80',
      expect.stringMatching(/^not open: /),
      'open: 11.22.33.44:5000',
    ])
    router.forget({ keepMappings: false })
    await interrupt()
  }, 20_000)

  it('list-and-clean', async () => {
    router.addMapping({ externalPort: 25565, internalClient: '127.0.0.1', description: 'game server' })
    router.addMapping({ externalPort: 80, description: 'web' })
    await start('list-and-clean')
    expect(lines.slice(0, 3)).toEqual([
      'TCP 25565 -> 127.0.0.1:25565 game server',
      'TCP 80 -> 192.168.1.99:80 web',
      '1 removed',
    ])
    expect(router.mappings()).toMatchObject([{ externalPort: 80 }])
  })

  it('are all run', () => {
    expect([...run, ...RUN_ELSEWHERE, ...NOT_RUN].sort()).toEqual(readdirSync(EXAMPLES).sort())
  })

  it('of the five programs are at most 15 lines each', () => {
    for (const name of FIVE)
      expect(
        readFileSync(join(EXAMPLES, `${name}.mjs`), 'utf8')
          .trim()
          .split('\n').length,
      ).toBeLessThanOrEqual(15)
  })
})
