/** Internal port 0 over NAT-PMP: the gateway of a VPN chooses one port, the same inside and outside. */
import { describe, expect, it } from 'vitest'
import { RefusedError } from '../../src/domain/errors.ts'
import type { KeeperEvent } from '../../src/keeper/kept.ts'
import { type HeldMapping, KeptMapping } from '../../src/keeper/kept-mapping.ts'
import { randomFrom } from '../support/random.ts'
import type { SimulatedRouter } from '../support/simulated-gateway.ts'
import { begin, HOUR_MS, type Keeping, MINUTE_MS, PROTOCOLS, type Settings, wanted } from './keeping.ts'

const LEASE = { lease: { seconds: 60 }, internalPort: 0, externalPort: 1, any: true } as const

function both(): KeptMapping[] {
  const udp = new KeptMapping(wanted({ ...LEASE, protocol: 'UDP' }))
  return [udp, new KeptMapping(wanted({ ...LEASE, protocol: 'TCP', samePortAs: udp }))]
}

function portsOf({ events }: Keeping): string[] {
  return events.flatMap((event: KeeperEvent) => {
    if (!('held' in event)) return []
    const { mapping } = event.held as HeldMapping
    return [`${mapping.protocol} ${mapping.externalPort}->${mapping.internalPort}`]
  })
}

const beginBoth = (settings: Settings = {}): Keeping => begin('nat-pmp', { kept: both(), ...settings })

describe('the same port inside and outside', () => {
  it('is made for UDP, and then for TCP on the port that UDP got', async () => {
    const keeping = beginBoth()
    await keeping.wait(0)
    expect(keeping.router.table).toEqual(['40000/TCP -> 192.168.1.10:0', '40000/UDP -> 192.168.1.10:0'])
    expect(portsOf(keeping)).toEqual(['UDP 40000->40000', 'TCP 40000->40000'])
    await keeping.stop()
  })

  it('is renewed on that port, and asked for again there after a restart', async () => {
    const keeping = beginBoth()
    await keeping.wait(0)
    keeping.router.occupy(40_001, { protocol: 'UDP' })
    await keeping.wait(10 * MINUTE_MS)
    keeping.router.reboot(3000)
    await keeping.wait(MINUTE_MS)
    expect(new Set(portsOf(keeping))).toEqual(new Set(['UDP 40000->40000', 'TCP 40000->40000']))
    expect(keeping.router.table).toHaveLength(2)
    await keeping.stop()
  })

  it('is another one for both if the gateway gives another', async () => {
    const keeping = beginBoth()
    await keeping.wait(0)
    keeping.router.reboot()
    keeping.router.occupy(40_000, { protocol: 'UDP' })
    keeping.router.occupy(40_000, { protocol: 'TCP' })
    await keeping.wait(2 * MINUTE_MS)
    expect(portsOf(keeping).slice(-2).sort()).toEqual(['TCP 40001->40001', 'UDP 40001->40001'])
    await keeping.stop()
  })

  it('has no port in its name until it has been given one, and nobody is waited for by name', async () => {
    const keeping = beginBoth({ before: (router) => router.refuse(2) })
    await keeping.wait(0)
    const told = keeping.told().join()
    expect(told).toContain('external port (any) UDP')
    expect(told).toContain('external port (any) TCP waits for external port (any) UDP')
    await keeping.stop()
  })

  it('is kept for UDP while TCP is refused', async () => {
    const [udp, tcp] = both()
    const keeping = begin('nat-pmp', { kept: [udp, tcp].filter((each) => each !== undefined) })
    keeping.router.refuse(4, 'map')
    await keeping.wait(5 * MINUTE_MS)
    expect(keeping.router.table).toEqual(['40000/UDP -> 192.168.1.10:0'])
    keeping.router.refuse(undefined)
    await keeping.wait(5 * MINUTE_MS)
    expect(keeping.router.table).toHaveLength(2)
    await keeping.stop()
  })

  it('is not closed to be renewed by a gateway that does not extend leases', async () => {
    const keeping = beginBoth({ before: (router) => Object.assign(router, { extendsLeases: false }) })
    await keeping.wait(5 * MINUTE_MS)
    expect(keeping.router.callsOf('unmap')).toBe(0)
    await keeping.stop()
  })
})

describe('at the end, the same port inside and outside', () => {
  it('is left to its lease, which is told, and what else is kept is closed', async () => {
    const keeping = begin('nat-pmp', { kept: [...both(), new KeptMapping(wanted())] })
    await keeping.wait(20_000)
    keeping.told()
    const tookMs = await keeping.stop()
    expect(keeping.toldInOrder()).toEqual([
      'removed external port 8080 TCP',
      'ends-with-lease external port 40000 UDP in 50000',
      'ends-with-lease external port 40000 TCP in 50000',
    ])
    expect([tookMs, keeping.router.callsOf('unmap')]).toEqual([0, 1])
  })

  it('counts from a request without an answer, which may have opened it just now', async () => {
    const keeping = beginBoth({ before: (router) => Object.assign(router, { answering: 'mute' }) })
    await keeping.wait(1000)
    keeping.told()
    await keeping.stop()
    expect(keeping.toldInOrder()).toEqual(['ends-with-lease external port (any) UDP in 60000'])
    expect(keeping.router.callsOf('unmap')).toBe(0)
  })

  it('is not told of if its lease is over', async () => {
    const keeping = beginBoth()
    await keeping.wait(0)
    keeping.router.goAway(10 * MINUTE_MS)
    await keeping.wait(5 * MINUTE_MS)
    keeping.told()
    await keeping.stop()
    expect(keeping.told().join()).not.toContain('ends-with-lease external port 40000 UDP in -')
    expect(keeping.router.callsOf('unmap')).toBe(0)
  })
})

/** It says no to UDP on these ports, and for how long. */
function refuseForUdp(router: SimulatedRouter, isTaken: (externalPort: number) => boolean): void {
  const map = router.map.bind(router)
  router.map = (request, isExact) => {
    if (request.protocol === 'TCP' || !isTaken(request.externalPort)) return map(request, isExact)
    const number = router.protocol === 'igd' ? 718 : 11
    const facts = { protocol: router.protocol === 'igd' ? 'igd' : 'pcp', action: 'MAP', number } as const
    throw new RefusedError({ ...facts, standardName: 'Taken', lastsSeconds: 1800 })
  }
}

const tcpAndUdp = (): KeptMapping[] => {
  const tcp = new KeptMapping(wanted({ any: true }))
  return [tcp, new KeptMapping(wanted({ any: true, protocol: 'UDP', samePortAs: tcp }))]
}

describe.each(PROTOCOLS)('TCP+UDP over %s, if one port is refused to the second of them', (protocol) => {
  it('take another one at once, for however long that one will be refused', async () => {
    const before = (router: SimulatedRouter): void => refuseForUdp(router, (port) => port < 8084)
    const keeping = begin(protocol, { kept: tcpAndUdp(), before })
    await keeping.wait(0)
    expect(keeping.router.table).toEqual(['8084/TCP -> 192.168.1.10:80', '8084/UDP -> 192.168.1.10:80'])
    expect(keeping.told().join()).not.toContain('failed')
    await keeping.stop()
  })

  it('are not asked for all the time if all are refused', async () => {
    const keeping = begin(protocol, { kept: tcpAndUdp(), before: (router) => refuseForUdp(router, () => true) })
    await keeping.wait(10 * MINUTE_MS)
    expect(keeping.router.callsOf('map')).toBeLessThan(5 * (protocol === 'nat-pmp' ? 30 : 10))
    await keeping.stop()
  })
})

describe.each(PROTOCOLS)('TCP+UDP over %s', (protocol) => {
  it('are renewed together, in the order in which they were made', async () => {
    const lease = { seconds: 60 }
    const udp = new KeptMapping(wanted({ lease, protocol: 'UDP' }))
    const kept = [udp, new KeptMapping(wanted({ lease, protocol: 'TCP', samePortAs: udp }))]
    const keeping = begin(protocol, { kept, random: randomFrom(1), checkMs: HOUR_MS })
    await keeping.wait(10 * MINUTE_MS)
    const renewed = keeping.told().filter((line) => line.includes('renewed'))
    expect(renewed.length).toBeGreaterThan(20)
    for (let at = 0; at < renewed.length; at += 2) {
      const [first = '', second = ''] = renewed.slice(at, at + 2)
      expect(second).toBe(first.replace('UDP', 'TCP'))
    }
    await keeping.stop()
  })
})
