/** What an open port says of itself, and of its end, when it is not open any more. */
import { expect, it } from 'vitest'
import { COMPUTER, HOUR_MS, Home, MINUTE_MS, SECOND_MS, VIAS } from './home.ts'

const NOTHING = { removed: [], left: [] }

it.each(VIAS)(
  'with keep: false over %s it is open until its lease ends, and then there is nothing to close',
  async (via) => {
    const home = await Home.begin()
    const port = await home.open(8080, { via, keep: false, lease: 3600, protocol: 'TCP+UDP' })
    const endsMs = port.endpoints[0]?.endsAt?.getTime() ?? Number.NaN
    await home.pass(endsMs - home.net.clock.wallMs() - MINUTE_MS)
    expect([port.isOpen, home.doors.length]).toEqual([true, 2])
    await home.pass(2 * MINUTE_MS)
    expect([port.isOpen, home.doors]).toEqual([false, []])
    expect(await home.close(port)).toEqual(NOTHING)
    await home.expectNothingLeft()
  },
)

it('with keep: false its lease is over also if the router is gone at the end', async () => {
  const home = await Home.begin()
  const port = await home.open(8080, { via: 'pcp', keep: false, lease: 3600 })
  home.router.computer.isMute = true
  await home.pass(2 * HOUR_MS)
  expect(await home.close(port)).toEqual(NOTHING)
})

it.each(VIAS)('with keep: false over %s a restart has removed it before', async (via) => {
  const home = await Home.begin()
  const [port, other] = [await home.open(8080, { via, keep: false }), await home.open(8081, { via, keep: false })]
  await home.pass(MINUTE_MS)
  expect((await home.close(other)).removed).toHaveLength(1)
  home.router.forget()
  await home.pass(MINUTE_MS)
  expect(await home.close(port)).toEqual(NOTHING)
  await home.expectNothingLeft()
})

it.each([true, false])('what somebody else has removed over igd was not removed by close(); keep: %s', async (keep) => {
  const home = await Home.begin()
  const port = await home.open(8080, { via: 'igd', keep })
  home.router.remove(home.stranger, 8080, 'TCP')
  await home.pass(10)
  expect(home.doors).toEqual([])
  expect(await home.close(port)).toEqual(NOTHING)
  await home.expectNothingLeft()
})

it('what leads to another computer by now is not removed', async () => {
  const home = await Home.begin()
  const port = await home.open(8080, { via: 'igd', keep: false })
  home.router.remove(home.stranger, 8080, 'TCP')
  await home.pass(10)
  home.router.occupyOne(8080, 'TCP')
  expect(await home.close(port)).toEqual(NOTHING)
  expect(home.router.mappings.map(({ internalClient }) => internalClient)).not.toContain(COMPUTER)
  expect(home.router.mappings).toHaveLength(1)
})

it.each(VIAS)('what is lost over %s and not open again was not removed by close()', async (via) => {
  const home = await Home.begin()
  const port = await home.open(8080, { via })
  await home.pass(MINUTE_MS)
  home.router.refuse(0)
  home.router.forget()
  await home.pass(2 * SECOND_MS)
  expect([port.isOpen, home.doors]).toEqual([false, []])
  expect(await home.close(port)).toEqual(NOTHING)
  await home.expectNothingLeft()
})
