/** What it costs: how often it wakes, how much it asks, and that this does not grow. */
import { getHeapStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { KeptMapping } from '../../src/keeper/kept-mapping.ts'
import { begin, HOUR_MS, type Keeping, MINUTE_MS, PROTOCOLS, wanted } from './keeping.ts'

const three = (): KeptMapping[] =>
  [8080, 8081, 8082].map((externalPort) => new KeptMapping(wanted({ externalPort, internalPort: externalPort })))

describe('ten hours in which nothing happens', () => {
  // It wakes every 10 s to see whether this computer has slept or moved, for which it asks nothing: 3600 times. The 300
  // looks, one every two minutes, fall on these. Of the 18 renewals of leases of an hour, all three mappings together,
  // nine fall between them: the next 10 s count from there, and the look after them is one wake-up more.
  // The timer for the end of a lease fires 17 times: the lease that it was set for has been renewed by then. Over PCP and
  // NAT-PMP every mapping is asked for again at every look, so no renewal falls between two of them.
  it.each([
    ['igd', 3626, { pulse: 300, find: 3 * 318, map: 3 * 18, mapAny: 0, unmap: 0, open: 0 }],
    ['pcp', 3610, { pulse: 300, find: 0, map: 3 * 300, mapAny: 0, unmap: 0, open: 0 }],
    ['nat-pmp', 3610, { pulse: 300, find: 0, map: 3 * 300, mapAny: 0, unmap: 0, open: 0 }],
  ] as const)('with three mappings over %s wake it %d times', async (protocol, wakeUps, calls) => {
    const keeping = begin(protocol, { kept: three() })
    await keeping.wait(10 * MINUTE_MS)
    keeping.router.forgetCalls()
    keeping.clock.fired = 0
    await keeping.wait(10 * HOUR_MS)
    expect(keeping.clock.fired).toBe(wakeUps)
    for (const [name, count] of Object.entries(calls))
      expect([name, keeping.router.callsOf(name)]).toEqual([name, count])
    expect(keeping.router.requests).toBe(calls.pulse + calls.find + calls.map)
    expect(keeping.clock.pending).toBe(2)
    await keeping.stop()
  })

  it('without a lease make it ask for the looks alone, as seldom as it is told to look', async () => {
    const kept = [new KeptMapping(wanted({ lease: 'unlimited' }))]
    const keeping = begin('igd', { kept, checkMs: HOUR_MS })
    await keeping.wait(10 * HOUR_MS)
    keeping.clock.fired = 0
    keeping.router.forgetCalls()
    await keeping.wait(10 * HOUR_MS)
    expect(keeping.clock.fired).toBe(3600)
    expect([keeping.router.requests, keeping.router.callsOf('pulse')]).toEqual([20, 10])
    await keeping.stop()
  })

  it('without a gateway wake it once a second for the addresses, and cost two searches a minute at the most', async () => {
    const keeping = begin('igd', { before: (router) => router.goAway(100 * HOUR_MS) })
    await keeping.wait(HOUR_MS)
    keeping.router.forgetCalls()
    keeping.clock.fired = 0
    await keeping.wait(10 * HOUR_MS)
    expect(keeping.router.callsOf('open')).toBeLessThanOrEqual(20 * 60)
    expect(keeping.clock.fired).toBeLessThanOrEqual(36_000)
    await keeping.stop()
  })
})

function heapBytes(): number {
  setFlagsFromString('--expose-gc')
  const collect: unknown = runInNewContext('gc')
  if (typeof collect !== 'function') throw new Error('this Node has no gc()')
  collect()
  return getHeapStatistics().used_heap_size
}

/** How much the heap grows while that is done, after a first time in which everything finds its place. */
async function growthOf(warmUp: () => Promise<void>, work: () => Promise<void>): Promise<number> {
  await warmUp()
  const before = heapBytes()
  await work()
  return heapBytes() - before
}

/** What a leak of a few words in every turn would pass: a hundred hours are 36 000 turns. */
const MAX_GROWTH_BYTES = 1_000_000

describe('memory', () => {
  it.each([
    [1000, 'igd'],
    [100, 'pcp'],
    [100, 'nat-pmp'],
  ] as const)('is flat over %d hours over %s', { timeout: 40_000 }, async (hours, protocol) => {
    const keeping = begin(protocol, { onEvent: () => {} })
    expect(
      await growthOf(
        () => keeping.wait(20 * HOUR_MS),
        () => keeping.wait(hours * HOUR_MS),
      ),
    ).toBeLessThan(MAX_GROWTH_BYTES)
    expect([keeping.clock.pending, keeping.router.listenerCount]).toEqual([2, 1]) // the sleep, and the end of the lease
    await keeping.stop()
  })

  it.each(PROTOCOLS)(
    'is flat over a thousand reboots, outages and false alarms over %s',
    { timeout: 20_000 },
    async (protocol) => {
      const keeping = begin(protocol, { onEvent: () => {} })
      expect(
        await growthOf(
          () => troubles(keeping, 100),
          () => troubles(keeping, 1000),
        ),
      ).toBeLessThan(MAX_GROWTH_BYTES)
      await keeping.wait(10 * MINUTE_MS)
      expect([keeping.clock.pending, keeping.router.listenerCount]).toEqual([2, 1]) // the sleep, and the end of the lease
      await keeping.stop()
    },
  )
})

async function troubles(keeping: Keeping, count: number): Promise<void> {
  for (let each = 0; each < count; each++) {
    if (each % 2 === 0) keeping.router.reboot()
    else keeping.router.goAway(4000)
    keeping.router.announce()
    await keeping.wait(10_000)
  }
}
