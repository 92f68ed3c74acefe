/** The gateway and its client by the fake timers of Vitest and of node:test: one clock for all. */
import { mock } from 'node:test'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { type Emulator, startEmulator, timersClock } from '../../src/emulator.ts'
import { gatewayOn } from './gateway-on.ts'

const HOUR_MS = 3_600_000
const started: Emulator[] = []
afterEach(() => Promise.all(started.splice(0).map((emulator) => emulator.close())))

/** A lease of an hour ends when `advance` says that an hour is over. */
async function leaseOfAnHour(advance: (ms: number) => unknown): Promise<void> {
  const emulator = await startEmulator({}, { clock: timersClock })
  started.push(emulator)
  const gateway = await gatewayOn(emulator)
  const key = { externalPort: 22, protocol: 'TCP', remoteHost: '' } as const
  const inside = { internalClient: gateway.localAddress, internalPort: 22 }
  await gateway.map({ ...key, ...inside, description: 'ssh', lease: { seconds: 3600 } })
  await advance(HOUR_MS - 1000)
  expect(emulator.mappings()).toMatchObject([{ leaseSeconds: 1 }])
  await advance(1000)
  expect(emulator.mappings()).toEqual([])
}

describe('fake timers', () => {
  it('of Vitest move the gateway and its client', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] })
    try {
      await leaseOfAnHour((ms) => vi.advanceTimersByTimeAsync(ms))
    } finally {
      vi.useRealTimers()
    }
  })

  it('of node:test move the gateway and its client', async () => {
    mock.timers.enable({ apis: ['setTimeout', 'Date'] })
    try {
      await leaseOfAnHour((ms) => mock.timers.tick(ms))
    } finally {
      mock.timers.reset()
    }
  })
})
