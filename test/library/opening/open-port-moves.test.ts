/** Another external address that the router itself tells of: an open port has moved at once. */
import { expect, it } from 'vitest'
import { startEmulator } from '../../../src/emulator.ts'
import type { OpenPort } from '../../../src/library/opening/open-port.ts'
import { openPort } from '../../../src/library/opening/open-ports.ts'
import type { PortChange } from '../../../src/library/opening/port-changes.ts'
import { FakeClock, settle } from '../../support/fake-clock.ts'
import { Home, MINUTE_MS, SECOND_MS, toldBy } from './home.ts'

const moves = (told: readonly string[]): readonly string[] => told.filter((change) => change.startsWith('moved'))

it.each(['pcp', 'nat-pmp'] as const)('another external address is told at once over %s', async (via) => {
  const home = await Home.begin()
  const port = await home.open(8080, { via })
  const told = toldBy(port)
  await home.pass(MINUTE_MS)
  home.router.changeAddress('198.51.100.77')
  await home.pass(600) // RFC 6887 8.5: a restart is followed by a random pause
  expect(moves(told)).toEqual(['moved 198.51.100.77:8080'])
  expect(port.isOpen).toBe(true)
  await home.close(port)
  await home.expectNothingLeft()
})

it('another external address is told at once over nat-pmp right after a restart', async () => {
  const home = await Home.begin()
  const port = await home.open(8080, { via: 'nat-pmp' })
  const told = toldBy(port)
  await home.pass(9 * SECOND_MS)
  home.router.forget()
  await home.pass(500)
  home.router.changeAddress('198.51.100.77')
  await home.pass(SECOND_MS) // announcements are heard once in a second
  expect(moves(told)).toEqual(['moved 198.51.100.77:8080'])
  await home.close(port)
  await home.expectNothingLeft()
})

/** Waits for a change, for 200 ms of the router's time. The sockets are real, so they get turns of the event loop. */
async function change(clock: FakeClock, port: OpenPort, type: PortChange['type']): Promise<void> {
  let isTold = false
  port.onChange((told) => {
    if (told.type === type) isTold = true
  })
  for (let ms = 0; ms < 200 && !isTold; ms++) {
    await clock.advance(1)
    for (let turn = 0; turn < 20; turn++) await settle()
  }
  expect(isTold, `${type} within 200 ms`).toBe(true)
}

it.each([false, true])(
  'another external address is told at once over igd; right after a restart: %s',
  async (isAfter) => {
    const clock = new FakeClock()
    const router = await startEmulator({}, { clock })
    const port = await openPort(8080, { net: router.net, via: 'igd' })
    await clock.advance(SECOND_MS)
    if (isAfter) {
      const restored = change(clock, port, 'restored')
      router.forget()
      await restored
      await clock.advance(SECOND_MS)
    }
    const moved = change(clock, port, 'moved')
    router.setExternalAddress('11.22.33.55')
    await moved
    expect([port.externalAddress, router.mappings().length]).toEqual(['11.22.33.55', 1])
    await port.close()
    await router.close()
  },
)
