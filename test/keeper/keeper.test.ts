import { describe, expect, it } from 'vitest'
import type { GatewayProtocol } from '../../src/domain/port-mapping.ts'
import { KeptMapping } from '../../src/keeper/kept-mapping.ts'
import { begin, HOUR_MS, MINUTE_MS, PROTOCOLS, Unlooked, wanted } from './keeping.ts'

const PORT = 'external port 8080 TCP'
const OURS = '8080/TCP -> 192.168.1.10:80'
const ENDLESS = (): KeptMapping => new KeptMapping(wanted({ lease: 'unlimited' }))

describe.each(PROTOCOLS)('a mapping over %s', (protocol) => {
  it('is made at once', async () => {
    const keeping = begin(protocol)
    await keeping.wait(0)
    expect(keeping.told()).toEqual(['0 found', '0 external-address 203.0.113.5', `0 mapped ${PORT}`])
    expect(keeping.router.table).toEqual([OURS])
    await keeping.stop()
  })

  it('is renewed between 1/2 and 5/8 of its lease, again and again', async () => {
    const keeping = begin(protocol, { kept: [new Unlooked(wanted())], random: () => 1 })
    await keeping.wait(0)
    keeping.told()
    await keeping.wait(2 * HOUR_MS)
    expect(keeping.told()).toEqual([2_250_000, 4_500_000, 6_750_000].map((ms) => `${ms} renewed ${PORT}`))
    await keeping.stop()
  })

  it('is renewed by the lease that was granted, which may be shorter than the one that was asked for', async () => {
    const keeping = begin(protocol, {
      kept: [new Unlooked(wanted())],
      random: () => 0,
      before: (router) => {
        router.maxLeaseSeconds = 60
      },
    })
    await keeping.wait(2 * MINUTE_MS)
    expect(keeping.told().slice(3)).toEqual([30, 60, 90, 120].map((s) => `${s * 1000} renewed ${PORT}`))
    await keeping.stop()
  })

  it('is asked for again at 3/4, 7/8 and so on where a renewal is refused, and made again when its lease is over', async () => {
    const keeping = begin(protocol, { kept: [new Unlooked(wanted({ lease: { seconds: 120 } }))], random: () => 0 })
    await keeping.wait(50_000)
    keeping.told()
    keeping.router.refuse(501, 'map')
    await keeping.wait(95_000 - 50_000)
    const refused = `failed ${PORT}: map was refused with 501 (Simulated); again in`
    expect(keeping.told()).toEqual([`60000 ${refused} 30000`, `90000 ${refused} 15000`])
    expect(keeping.router.table).toEqual([OURS])
    await keeping.wait(20_000)
    expect(keeping.told()).toEqual([`105000 ${refused} 7500`, `112500 ${refused} 4000`])
    await keeping.wait(6_000)
    const told = keeping.toldInOrder()
    if (protocol === 'pcp') {
      // Nothing is asked for twice within 4 s.
      expect(told).toEqual([`${refused} 4000`, `lost ${PORT}: expired`, `${refused} 4000`])
    } else {
      expect(told.slice(0, 3)).toEqual([`${refused} 3500`, `lost ${PORT}: expired`, `${refused} 900`])
    }
    keeping.router.refuse(undefined)
    await keeping.wait(4000)
    expect(keeping.toldInOrder().at(-1)).toMatch(/^restored external port 8080 TCP after \d+$/)
    expect(keeping.router.table).toEqual([OURS])
    await keeping.stop()
  })

  it('is asked for again for ever where it is refused from the beginning, with pauses that grow to half a minute', async () => {
    const keeping = begin(protocol, { before: (router) => router.refuse(501, 'map') })
    await keeping.wait(4 * HOUR_MS)
    const pauses = keeping.events.flatMap((event) => (event.type === 'failed' ? event.againInMs : []))
    const first = protocol === 'pcp' ? [4000, 4000] : [1000, 2000] // never two within 4 s (RFC 6887 11.2.1)
    expect(pauses.slice(0, 7)).toEqual([...first, 4000, 8000, 16_000, 30_000, 30_000])
    expect(pauses.length).toBe(484)
    keeping.told()
    keeping.router.refuse(undefined)
    await keeping.wait(30_000)
    expect(keeping.toldInOrder().at(-1)).toBe(`mapped ${PORT}`)
    await keeping.stop()
  })
})

/** Over PCP the first recreation comes 4 s after the renewal that extended nothing, at the next one. */
function secondRecreationMs(protocol: GatewayProtocol): number {
  const firstMs = protocol === 'pcp' ? 2_025_000 + 0.5625 * 1_575_000 : 2_025_000
  return firstMs + 2_025_000
}

describe('leases', () => {
  it.each([
    ['nat-pmp', 2],
    ['nat-pmp', 7],
    ['igd', 1],
    ['igd', 4],
    ['pcp', 5],
    ['pcp', 8],
  ] as const)('over %s of %d s are renewed in time, for as long as it runs', async (protocol, seconds) => {
    const keeping = begin(protocol, { kept: [new KeptMapping(wanted({ lease: { seconds } }))] })
    for (let step = 0; step < 100; step++) {
      await keeping.wait(seconds * 250)
      expect(keeping.router.table).toEqual([OURS])
    }
    expect(keeping.told().filter((line) => /lost|failed/.test(line))).toEqual([])
    await keeping.stop()
  })

  it.each([
    ['pcp', 1, 4],
    ['pcp', 2, 4],
    ['pcp', 4, 4],
    ['nat-pmp', 1, 1],
  ] as const)('over %s of %d s end before it may ask again, %d s after the last time', async (protocol, seconds, s) => {
    const keeping = begin(protocol, { kept: [new KeptMapping(wanted({ lease: { seconds } }))] })
    await keeping.wait(0)
    expect(keeping.toldInOrder().at(-1)).toBe(`lease-too-short: ${seconds * 1000} ms, every ${s * 1000} ms`)
    await keeping.wait(12_000)
    const expected = Array.from({ length: 12 / s }, (_, at) => [
      `${(at * s + seconds) * 1000} lost ${PORT}: expired`,
      `${(at + 1) * s * 1000} restored ${PORT} after ${(s - seconds) * 1000}`,
    ])
    expect(keeping.told().slice(0, 5)).toEqual(expected.flat().slice(0, 5))
    expect(keeping.router.callsOf('map')).toBe(1 + 12 / s)
    await keeping.stop()
  })

  it('of 30 days are renewed after 15 to 19 days', async () => {
    const keeping = begin('igd', {
      kept: [new KeptMapping(wanted({ lease: { seconds: 30 * 86_400 } }))],
      checkMs: 24 * HOUR_MS,
      random: () => 0,
    })
    await keeping.wait(16 * 24 * HOUR_MS)
    expect(keeping.told().slice(3)).toEqual([`${15 * 24 * HOUR_MS} renewed ${PORT}`])
    await keeping.stop()
  })

  it('count from the moment in which they were asked for, when the answer comes late', async () => {
    const keeping = begin('pcp', {
      kept: [new Unlooked(wanted({ lease: { seconds: 100 } }))],
      random: () => 0,
      before: (router) => {
        router.latencyMs = 2000
      },
    })
    await keeping.wait(52_000)
    expect(keeping.told().at(-1)).toBe(`52000 renewed ${PORT}`)
    await keeping.stop()
  })

  it('of a mapping on any port are renewed on the one that it has: an IGD might give one more', async () => {
    const keeping = begin('igd', { kept: [new KeptMapping(wanted({ any: true }))] })
    await keeping.wait(10 * HOUR_MS)
    expect(['mapAny', 'map'].map((name) => keeping.router.callsOf(name))).toEqual([1, 17])
    await keeping.stop()
  })

  it('without an end are not renewed, only looked after', async () => {
    const keeping = begin('igd', { kept: [ENDLESS()] })
    await keeping.wait(100 * HOUR_MS)
    expect(keeping.told()).toHaveLength(3)
    expect(keeping.router.callsOf('map')).toBe(1)
    await keeping.stop()
  })

  it('that the router shows longer than any can be end at a moment that is a date', async () => {
    const keeping = begin('igd', {
      before: (router) => {
        const map = router.map.bind(router)
        router.map = (...asked) => ({ ...map(...asked), leaseSeconds: 999_999_999_999_999 })
      },
    })
    await keeping.wait(0)
    const leases = keeping.events.flatMap((event) => ('held' in event ? [event.held.leaseMs] : []))
    expect(leases.some((leaseMs) => Number.isNaN(new Date(leaseMs).getTime()))).toBe(false)
    expect(leases).toEqual([0xffffffff * 1000])
    await keeping.stop()
  })

  it('that the router does not show (it says 0) are renewed as they were asked for', async () => {
    const keeping = begin('igd', {
      before: (router) => {
        router.showsLeases = false
      },
    })
    await keeping.wait(10 * HOUR_MS)
    expect(keeping.told().filter((line) => !line.includes('renewed'))).toHaveLength(3)
    expect(keeping.router.table).toEqual([OURS])
    await keeping.stop()
  })

  it.each(PROTOCOLS)(
    'that are not extended over %s: noticed once, then removed and made again, without a gap',
    async (protocol) => {
      const keeping = begin(protocol, {
        before: (router) => {
          router.extendsLeases = false
        },
      })
      for (let step = 0; step < 1200; step++) {
        await keeping.wait(MINUTE_MS)
        expect(keeping.router.table).toEqual([OURS])
      }
      const renewals = keeping.told().filter((line) => line.includes('renewed')).length
      // Looks over PCP and NAT-PMP show it only if the next lease is much shorter than the last one.
      expect(renewals).toBe(protocol === 'igd' ? 35 : 33)
      expect(keeping.router.callsOf('unmap') - renewals).toBe(protocol === 'igd' ? 0 : 1)
      // The first time it was asked for twice.
      if (protocol === 'igd') expect(keeping.router.callsOf('map')).toBe(1 + renewals + 1)
      await keeping.stop()
    },
  )

  it.each(PROTOCOLS)('that were not extended and cannot be made again over %s are tried at once', async (protocol) => {
    const keeping = begin(protocol, {
      kept: [new Unlooked(wanted())],
      before: (router) => {
        router.extendsLeases = false
      },
    })
    await keeping.wait(3_000_000)
    keeping.told()
    keeping.router.refuse(501, 'map')
    const renewalMs = secondRecreationMs(protocol)
    await keeping.wait(renewalMs + 100 - 3_000_000)
    const refused = `failed ${PORT}: map was refused with 501 (Simulated); again in`
    const again = protocol === 'pcp' ? [`${refused} 4000`] : [`${refused} 0`, `${refused} 1000`]
    expect(keeping.told()).toEqual([`lost ${PORT}: gone`, ...again].map((line) => `${renewalMs} ${line}`))
    keeping.router.refuse(undefined)
    await keeping.wait(4000)
    expect(keeping.toldInOrder()).toEqual([`restored ${PORT} after ${protocol === 'pcp' ? 4000 : 1000}`])
    await keeping.stop()
  })

  it.each(['pcp', 'nat-pmp'] as const)(
    'that were not extended over %s: what is closed without an answer is not taken for open',
    async (protocol) => {
      const keeping = begin(protocol, {
        kept: [new Unlooked(wanted())],
        before: (router) => {
          router.extendsLeases = false
        },
      })
      await keeping.wait(secondRecreationMs(protocol) - 1000)
      keeping.told()
      keeping.router.answering = 'mute'
      await keeping.wait(5000)
      keeping.router.answering = 'in-time'
      await keeping.wait(MINUTE_MS)
      expect(keeping.router.table).toEqual([OURS])
      expect(keeping.toldInOrder()[0]).toBe(`lost ${PORT}: gone`)
      await keeping.stop()
    },
  )

  it('without an end are made again after a reboot', async () => {
    const keeping = begin('igd', { kept: [ENDLESS()] })
    await keeping.wait(100 * HOUR_MS)
    keeping.router.reboot()
    await keeping.wait(2 * MINUTE_MS)
    expect(keeping.router.table).toEqual([OURS])
    await keeping.stop()
  })

  it('without an end are asked for after every failure: a reboot may be the reason', async () => {
    const keeping = begin('igd', { kept: [ENDLESS()], before: (router) => router.refuse(501, 'find') })
    await keeping.wait(HOUR_MS)
    keeping.router.goAway(MINUTE_MS)
    keeping.router.reboot(MINUTE_MS)
    await keeping.wait(5 * MINUTE_MS)
    expect(keeping.router.table).toEqual([OURS])
    await keeping.stop()
  })

  it('are extended by asking again at a gateway that is found later and does extend them', async () => {
    const keeping = begin('igd', {
      before: (router) => {
        router.extendsLeases = false
      },
    })
    await keeping.wait(HOUR_MS)
    expect(keeping.router.callsOf('unmap')).toBe(1)
    keeping.router.goAway(5 * MINUTE_MS)
    await keeping.wait(10 * MINUTE_MS)
    keeping.router.extendsLeases = true
    keeping.router.forgetCalls()
    await keeping.wait(10 * HOUR_MS)
    expect(keeping.router.callsOf('unmap')).toBe(0)
    await keeping.stop()
  })

  it('that become shorter are no reason to remove and make again from then on', async () => {
    const keeping = begin('igd')
    await keeping.wait(MINUTE_MS)
    keeping.router.maxLeaseSeconds = 600
    await keeping.wait(10 * HOUR_MS)
    expect(keeping.router.callsOf('unmap')).toBe(1)
    await keeping.stop()
  })
})

describe('TCP and UDP on the same port', () => {
  const both = (settings: Parameters<typeof wanted>[0] = {}): [KeptMapping, KeptMapping] => {
    const tcp = new KeptMapping(wanted({ any: true, ...settings }))
    return [tcp, new KeptMapping(wanted({ any: true, ...settings, protocol: 'UDP', samePortAs: tcp }))]
  }

  it.each(['pcp', 'nat-pmp'] as const)('get the port that %s chooses for the first', async (protocol) => {
    const keeping = begin(protocol, { kept: both({ externalPort: 0, internalPort: 1 }) })
    await keeping.wait(0)
    expect(keeping.router.table).toEqual(['40000/TCP -> 192.168.1.10:1', '40000/UDP -> 192.168.1.10:1'])
    await keeping.stop()
    expect(keeping.router.table).toEqual([])
  })

  it.each(['pcp', 'nat-pmp'] as const)('move together where %s gives the first another one later', async (protocol) => {
    const keeping = begin(protocol, { kept: both({ externalPort: 0, internalPort: 1 }) })
    await keeping.wait(MINUTE_MS)
    keeping.router.reboot()
    keeping.router.occupy(40_000)
    keeping.router.announce()
    await keeping.wait(5000)
    expect(keeping.router.table.slice(1)).toEqual(['40001/TCP -> 192.168.1.10:1', '40001/UDP -> 192.168.1.10:1'])
    await keeping.stop()
    expect(keeping.router.table).toEqual(['40000/TCP -> 192.168.1.99:9999'])
  })

  it.each(PROTOCOLS)('are not put on different ports over %s while the first cannot be had', async (protocol) => {
    const keeping = begin(protocol, {
      kept: both({ externalPort: 0, internalPort: 1 }),
      before: (router) => router.refuse(8, 'mapAny'),
    })
    await keeping.wait(MINUTE_MS)
    expect(keeping.router.table).toEqual([])
    expect(keeping.toldInOrder()).toContain(
      'failed external port (any) UDP: external port (any) UDP waits for external port (any) TCP; again in 1000',
    )
    await keeping.stop()
  })

  it.each(['TCP', 'UDP'] as const)('move together where another host has the port for %s', async (taken) => {
    const keeping = begin('igd', { kept: both(), before: (router) => router.occupy(8080, { protocol: taken }) })
    await keeping.wait(5000)
    const others = `8080/${taken} -> 192.168.1.99:9999`
    expect(keeping.router.table).toEqual([others, '8081/TCP -> 192.168.1.10:80', '8081/UDP -> 192.168.1.10:80'])
    await keeping.stop()
    expect(keeping.router.table).toEqual([others])
  })

  it.each(['pcp', 'nat-pmp'] as const)('move together over %s where another host has the second', async (protocol) => {
    const keeping = begin(protocol, { kept: both(), before: (router) => router.occupy(8080, { protocol: 'UDP' }) })
    await keeping.wait(5000)
    const others = '8080/UDP -> 192.168.1.99:9999'
    expect(keeping.router.table).toEqual([others, '8081/TCP -> 192.168.1.10:80', '8081/UDP -> 192.168.1.10:80'])
    await keeping.stop()
    expect(keeping.router.table).toEqual([others])
  })

  it.each(['pcp', 'nat-pmp'] as const)(
    'leave the first where %s chose it and the second is another’s',
    async (protocol) => {
      const kept = both({ externalPort: 0, internalPort: 1 })
      const keeping = begin(protocol, { kept, before: (router) => router.occupy(40_000, { protocol: 'UDP' }) })
      await keeping.wait(HOUR_MS)
      expect(keeping.router.table).toEqual(['40000/TCP -> 192.168.1.10:1', '40000/UDP -> 192.168.1.99:9999'])
      await keeping.stop()
    },
  )

  it('move together where another host takes the port of the second later', async () => {
    const keeping = begin('igd', { kept: both() })
    await keeping.wait(MINUTE_MS)
    keeping.router.occupy(8080, { protocol: 'UDP' })
    await keeping.wait(3 * MINUTE_MS)
    const others = '8080/UDP -> 192.168.1.99:9999'
    expect(keeping.router.table).toEqual([others, '8081/TCP -> 192.168.1.10:80', '8081/UDP -> 192.168.1.10:80'])
    await keeping.stop()
    expect(keeping.router.table).toEqual([others])
  })

  it('move together where the router keeps the port of the second for itself, and does not show it', async () => {
    const keeping = begin('igd', { kept: both(), before: (router) => router.refuse(718, 'map') })
    await keeping.wait(500)
    expect(keeping.router.table).toEqual(['8080/TCP -> 192.168.1.10:80'])
    keeping.router.refuse(undefined)
    await keeping.wait(1000)
    // Five were refused at once.
    expect(keeping.router.table).toEqual(['8085/TCP -> 192.168.1.10:80', '8085/UDP -> 192.168.1.10:80'])
    await keeping.stop()
  })
})
