/** RFC 6887 11.2.1 and 8.5: how often the keeper asks, whatever happens. */
import { describe, expect, it } from 'vitest'
import { RefusedError } from '../../src/domain/errors.ts'
import type { GatewayProtocol, MappingRequest, PortMapping } from '../../src/domain/port-mapping.ts'
import { KeptMapping } from '../../src/keeper/kept-mapping.ts'
import type { SimulatedRouter } from '../support/simulated-gateway.ts'
import { begin, type Keeping, MINUTE_MS, Unlooked, wanted } from './keeping.ts'

const OURS = '8080/TCP -> 192.168.1.10:80'
const three = (): KeptMapping[] =>
  [8080, 8081, 8082].map((externalPort) => new KeptMapping(wanted({ externalPort, internalPort: externalPort })))

/** When each question was asked. */
function timesOf(keeping: Keeping, name: string): readonly number[] {
  const times: number[] = []
  const { router, clock } = keeping
  const answer = router.answer.bind(router)
  router.answer = (asked, ...rest) => {
    if (asked === name) times.push(clock.monotonicMs())
    return answer(asked, ...rest)
  }
  return times
}

/** It says for how long it will say no. */
function refuseFor(router: SimulatedRouter, lastsSeconds: number): () => void {
  const map = router.map.bind(router)
  router.map = (_: MappingRequest): PortMapping => {
    throw new RefusedError({ protocol: 'pcp', action: 'MAP', number: 8, standardName: 'NO_RESOURCES', lastsSeconds })
  }
  return () => Object.assign(router, { map })
}

describe('a renewal over PCP that nobody answers', () => {
  it('is sent again 4, 8 and 16 s later, and at 3/4 and 7/8 of the lease', async () => {
    const kept = [new Unlooked(wanted({ lease: { seconds: 600 } }))]
    const keeping = begin('pcp', { kept, random: () => 0 })
    await keeping.wait(299_000)
    const times = timesOf(keeping, 'map')
    keeping.router.timeoutMs = 4000
    keeping.router.silentPorts.add(8080)
    await keeping.wait(300_500)
    expect(times.map((ms) => ms / 1000)).toEqual([300, 304, 312, 328, 450, 525, 562.5, 581.25, 590.625, 595.3125])
    keeping.router.silentPorts.clear()
    await keeping.wait(5000)
    expect(keeping.router.table).toEqual([OURS])
    await keeping.stop()
  })
})

describe('looks over PCP and NAT-PMP', () => {
  it.each(['pcp', 'nat-pmp'] as const)('over %s bring back within --check what somebody removed', async (protocol) => {
    const keeping = begin(protocol, { kept: three() })
    await keeping.wait(10 * MINUTE_MS)
    keeping.told()
    keeping.router.deleteMapping(8081)
    await keeping.wait(2 * MINUTE_MS)
    expect(keeping.router.table).toHaveLength(3)
    expect(keeping.told()).toEqual([])
    await keeping.stop()
  })

  it.each(['pcp', 'nat-pmp'] as const)('over %s ask no sooner than 4 s after the last time', async (protocol) => {
    const keeping = begin(protocol, { checkMs: 1000 })
    const times = timesOf(keeping, 'map')
    await keeping.wait(MINUTE_MS)
    const gaps = times.slice(1).map((ms, at) => ms - (times[at] ?? 0))
    expect(times.length).toBeGreaterThan(10)
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(4000)
    await keeping.stop()
  })

  it('see that the port is another’s by now', async () => {
    const keeping = begin('pcp')
    await keeping.wait(MINUTE_MS)
    keeping.told()
    keeping.router.deleteMapping(8080)
    keeping.router.occupy(8080)
    await keeping.wait(2 * MINUTE_MS)
    expect(keeping.toldInOrder()[0]).toBe('lost external port 8080 TCP: taken')
    await keeping.stop()
  })
})

describe('announcements', () => {
  it.each(['pcp', 'nat-pmp', 'igd'] as const)(
    'over %s lead to no request for a mapping, and to one question in 4 s, however many there are',
    async (protocol) => {
      const keeping = begin(protocol, { kept: three() })
      await keeping.wait(10 * MINUTE_MS)
      const asked = ['pulse', 'find', 'map'].map((name) => timesOf(keeping, name))
      for (let ms = 0; ms < 100_000; ms += 50) {
        keeping.router.announce()
        await keeping.wait(50)
      }
      const [pulses = [], finds = [], maps = []] = asked
      // One regular look is among them, which asks for every mapping. An IGD has no epoch: it is asked for one mapping.
      expect(pulses.length).toBeLessThanOrEqual(protocol === 'igd' ? 1 : 26)
      expect(finds.length).toBeLessThanOrEqual(protocol === 'igd' ? 25 + 3 : 0)
      expect(maps.length).toBe(protocol === 'igd' ? 0 : 3)
      await keeping.stop()
    },
  )

  it.each(['pcp', 'nat-pmp'] as const)('of one restart over %s, ten times: one request for each', async (protocol) => {
    const keeping = begin(protocol, { kept: three() })
    await keeping.wait(10 * MINUTE_MS + 10_000)
    const times = timesOf(keeping, 'map')
    keeping.router.reboot()
    for (let each = 0; each < 10; each++) {
      keeping.router.announce()
      await keeping.wait(500)
    }
    expect([times.length, keeping.router.table.length]).toEqual([3, 3])
    await keeping.stop()
  })

  it('are not needed if a renewal shows that a port is gone: the others are looked at', async () => {
    const leases = [24, 600, 600].map((seconds, at) => ({ externalPort: 8080 + at, lease: { seconds } }))
    const kept = leases.map((each) => new KeptMapping(wanted({ ...each, internalPort: each.externalPort })))
    const keeping = begin('igd', { kept, random: () => 0, checkMs: 1000 * MINUTE_MS })
    await keeping.wait(11_000) // a look was at 10 s, and the next one is at 30 s
    keeping.router.reboot()
    await keeping.wait(5000) // the first is renewed at 12 s
    expect(keeping.router.table).toHaveLength(3)
    await keeping.stop()
  })

  it('do not put off an event, which nobody can forge', async () => {
    const keeping = begin('igd')
    await keeping.wait(10 * MINUTE_MS)
    keeping.told()
    keeping.router.externalAddress = '203.0.113.77'
    keeping.router.announce()
    await keeping.wait(10)
    keeping.router.announce('event')
    await keeping.wait(10)
    expect(keeping.toldInOrder()).toEqual(['external-address 203.0.113.77'])
    await keeping.stop()
  })

  it.each(['nat-pmp', 'igd'] as const)('over %s that are true do not put off the next one', async (protocol) => {
    const keeping = begin(protocol, { random: () => 0 })
    await keeping.wait(10 * MINUTE_MS)
    const times = timesOf(keeping, protocol === 'igd' ? 'find' : 'pulse')
    const beganMs = keeping.clock.monotonicMs()
    keeping.router.reboot()
    for (let each = 0; each < 100; each++) {
      keeping.router.announce()
      await keeping.wait(100)
    }
    const looks = new Set(times.map((ms) => Math.floor((ms - beganMs) / 1000)))
    expect([...looks].slice(0, 3)).toEqual([0, 4, 8])
    expect(times.filter((ms) => ms > beganMs && ms < beganMs + 1000)).toHaveLength(1)
    await keeping.stop()
  })

  it('do not put off the regular looks', async () => {
    const keeping = begin('pcp')
    await keeping.wait(10 * MINUTE_MS)
    keeping.router.deleteMapping(8080)
    for (let ms = 0; ms < 121_000; ms += 500) {
      keeping.router.announce()
      await keeping.wait(500)
    }
    expect(keeping.router.table).toEqual([OURS])
    await keeping.stop()
  })
})

describe('the lifetime of an error over PCP', () => {
  const refused = async (lastsSeconds: number, checkMs?: number, protocol: GatewayProtocol = 'pcp') => {
    let relent = (): void => {}
    const before = (router: SimulatedRouter): void => {
      relent = refuseFor(router, lastsSeconds)
    }
    const keeping = begin(protocol, { before, ...(checkMs === undefined ? {} : { checkMs }) })
    await keeping.wait(0)
    return { ...keeping, relent }
  }
  const pauses = ({ events }: Pick<Keeping, 'events'>): readonly number[] =>
    events.flatMap((event) => (event.type === 'failed' ? event.againInMs : []))

  it.each([
    [0, undefined, 4000],
    [30, undefined, 30_000],
    [86_400, undefined, 120_000],
    [86_400, 20_000, 20_000],
  ])('of %d s is waited for, with --check %s: %d ms', async (lastsSeconds, checkMs, expected) => {
    const keeping = await refused(lastsSeconds, checkMs)
    expect(pauses(keeping)).toEqual([expected])
    keeping.relent()
    await keeping.wait(expected)
    expect(keeping.router.table).toEqual([OURS])
    await keeping.stop()
  })

  it.each<[string, (keeping: Keeping) => void]>([
    [
      'another epoch',
      ({ router }) => {
        router.reboot()
        router.announce()
      },
    ],
    ['a wake-up', (keeping) => keeping.sleep(MINUTE_MS)],
    ['another address of this computer', (keeping) => keeping.move('192.168.1.20')],
  ])('is over with news: %s', async (_, happens) => {
    const keeping = await refused(86_400)
    await keeping.wait(15_000)
    keeping.relent()
    happens(keeping)
    await keeping.wait(10_500)
    expect(keeping.router.table).toHaveLength(1)
    await keeping.stop()
  })

  it('is over with another address of the router', async () => {
    const keeping = await refused(86_400, undefined, 'nat-pmp') // which tells its address without a mapping
    await keeping.wait(11_000)
    keeping.relent()
    keeping.router.externalAddress = '203.0.113.77'
    await keeping.wait(22_000)
    expect(keeping.router.table).toEqual([OURS])
    await keeping.stop()
  })
})

describe('a router that grants everything and answers nothing else', () => {
  it('is asked ever more slowly', async () => {
    const keeping = begin('pcp')
    keeping.router.silentPorts.add(0) // whatever is not about a port
    await keeping.wait(60 * MINUTE_MS)
    const times = keeping.events.flatMap((event, at) => (event.type === 'found' ? at : []))
    expect(times.length).toBeGreaterThan(10)
    expect(times.length).toBeLessThan(160)
    await keeping.stop()
  })
})
