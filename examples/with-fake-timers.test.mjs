// An hour in a moment: the router, the keeper and the test share the fake timers of Vitest.
import { openPort } from 'upnp-ts'
import { startEmulator, timersClock } from 'upnp-ts/emulator'
import { afterEach, expect, it, vi } from 'vitest'

afterEach(() => vi.useRealTimers())

/** In small steps, because the sockets are real: their answers need turns of the event loop, and time limits run on. */
async function pass(seconds = 3600) {
  for (let second = 0; second < seconds; second += 2) {
    await vi.advanceTimersByTimeAsync(2000)
    for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve))
  }
}

it('renews its lease in time', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] })
  const router = await startEmulator({}, { clock: timersClock })
  const port = await openPort(25565, { net: router.net, lease: 1200 })
  await pass()
  expect(router.mappings()).toHaveLength(1)
  expect(router.counters.actions.AddPortMapping).toBeGreaterThan(3)
  await port.close()
  await router.close()
}, 20_000)
