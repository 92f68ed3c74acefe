// Hours in a moment: the router, the keeper and the test share the fake timers of Vitest.
import { openPort } from 'upnp-ts'
import { startEmulator, timersClock } from 'upnp-ts/emulator'
import { afterEach, expect, it, vi } from 'vitest'

afterEach(() => vi.useRealTimers())

it('renews its lease in time', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] })
  const router = await startEmulator({}, { clock: timersClock })
  const port = await openPort(25565, { net: router.net, lease: 3600 })
  for (let minute = 0; minute < 180; minute++) {
    await vi.advanceTimersByTimeAsync(60_000)
    await new Promise((resolve) => setImmediate(resolve)) // lets the answers of the router in
    expect(router.mappings()).toHaveLength(1)
  }
  await port.close()
  await router.close()
})
