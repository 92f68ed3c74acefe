/** What is removed while the rest is kept. */
import { describe, expect, it } from 'vitest'
import { KeptMapping } from '../../src/keeper/kept-mapping.ts'
import { begin, HOUR_MS, type Keeping, MINUTE_MS, PROTOCOLS, type Settings, wanted } from './keeping.ts'

const PORTS = [8080, 8081, 8082]
const rowOf = (port: number): string => `${port}/TCP -> 192.168.1.10:${port}`

function beginThree(protocol: (typeof PROTOCOLS)[number], settings: Settings = {}) {
  const kept = PORTS.map((port) => new KeptMapping(wanted({ externalPort: port, internalPort: port })))
  const [first, second, third] = kept
  if (first === undefined || second === undefined || third === undefined) throw new Error('three are wanted')
  return { first, second, third, ...begin(protocol, { kept, ...settings }) }
}

/** Releases them, and returns how long it took. */
async function release(keeping: Keeping, kept: readonly KeptMapping[], withinMs = 2000): Promise<number> {
  const beganMs = keeping.clock.monotonicMs()
  let tookMs: number | undefined
  void keeping.keeper.release(kept).then(() => {
    tookMs = keeping.clock.monotonicMs() - beganMs
  })
  for (let ms = 0; ms <= withinMs && tookMs === undefined; ms += 50) await keeping.wait(ms === 0 ? 0 : 50)
  expect(tookMs, `released within ${withinMs} ms`).toBeDefined()
  return tookMs ?? Number.NaN
}

describe.each(PROTOCOLS)('release() over %s', (protocol) => {
  it('removes that one at once, and the others go on for hours', async () => {
    const keeping = beginThree(protocol)
    await keeping.wait(MINUTE_MS)
    keeping.told()
    expect(await release(keeping, [keeping.second])).toBe(0)
    expect(keeping.toldInOrder()).toEqual(['removed external port 8081 TCP'])
    await keeping.wait(5 * HOUR_MS)
    expect(keeping.router.table).toEqual([rowOf(8080), rowOf(8082)])
    expect(keeping.toldInOrder().every((line) => /^renewed external port (8080|8082) TCP$/.test(line))).toBe(true)
    expect(await keeping.stop()).toBe(0)
    expect(keeping.router.table).toEqual([])
  })

  it('of several at one moment removes all of them', async () => {
    const keeping = beginThree(protocol)
    await keeping.wait(MINUTE_MS)
    keeping.told()
    void keeping.keeper.release([keeping.first])
    await release(keeping, [keeping.third])
    expect(keeping.toldInOrder()).toEqual(['removed external port 8080 TCP', 'removed external port 8082 TCP'])
    expect(keeping.router.table).toEqual([rowOf(8081)])
    await keeping.stop()
  })

  it('before anything was found asks nobody', async () => {
    const keeping = beginThree(protocol, { before: (router) => router.goAway(MINUTE_MS) })
    expect(await release(keeping, [keeping.first])).toBe(0)
    await keeping.wait(10 * MINUTE_MS)
    expect(keeping.router.table).toEqual([rowOf(8081), rowOf(8082)])
    await keeping.stop()
  })

  it('removes what is being made right now', async () => {
    const keeping = beginThree(protocol, {
      before: (router) => {
        router.latencyMs = 300
      },
    })
    while (keeping.router.callsOf('map') === 0) await keeping.wait(10)
    expect(await release(keeping, [keeping.first])).toBeLessThan(2000)
    await keeping.wait(MINUTE_MS)
    expect(keeping.router.table).toEqual([rowOf(8081), rowOf(8082)])
    const told = keeping.toldInOrder().filter((line) => line.includes('8080'))
    expect(told).toEqual(['mapped external port 8080 TCP', 'removed external port 8080 TCP'])
    await keeping.stop(4000)
  })

  it('ends in time if the router does not answer, and says what is left; the others come back with it', async () => {
    const keeping = beginThree(protocol)
    await keeping.wait(MINUTE_MS)
    keeping.told()
    keeping.router.answering = 'deaf'
    expect(await release(keeping, [keeping.second])).toBeLessThanOrEqual(1800)
    expect(keeping.toldInOrder().filter((line) => !line.startsWith('gateway-lost'))).toEqual([
      expect.stringMatching(/^not-removed external port 8081 TCP: /),
    ])
    keeping.router.answering = 'in-time'
    await keeping.wait(3 * HOUR_MS)
    expect(keeping.router.table).toEqual(expect.arrayContaining([rowOf(8080), rowOf(8082)]))
    await keeping.stop()
  })

  it('leaves the rest to stop(), also at the same moment', async () => {
    const keeping = beginThree(protocol)
    await keeping.wait(MINUTE_MS)
    void keeping.keeper.release([keeping.first])
    await keeping.stop()
    expect(keeping.router.table).toEqual([])
  })
})

describe.each(PROTOCOLS)('rest() over %s', (protocol) => {
  it('leaves what is open, without a timer, until it is released or stopped', async () => {
    const keeping = beginThree(protocol)
    await keeping.wait(MINUTE_MS)
    keeping.told()
    keeping.keeper.rest()
    await keeping.wait(20 * MINUTE_MS)
    expect([keeping.clock.pending, keeping.router.listenerCount]).toEqual([0, 0])
    expect(keeping.router.table).toEqual(PORTS.map(rowOf))
    expect(await release(keeping, [keeping.second])).toBe(0)
    expect(keeping.router.table).toEqual([rowOf(8080), rowOf(8082)])
    expect(await keeping.stop()).toBe(0)
    expect(keeping.router.table).toEqual([])
  })
})
