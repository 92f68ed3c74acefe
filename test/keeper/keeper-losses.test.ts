import { describe, expect, it } from 'vitest'
import { KeptMapping } from '../../src/keeper/kept-mapping.ts'
import { randomFrom } from '../support/random.ts'
import { begin, HOUR_MS, type Keeping, MINUTE_MS, PROTOCOLS, Unlooked, wanted } from './keeping.ts'

const PORT = 'external port 8080 TCP'
const OURS = '8080/TCP -> 192.168.1.10:80'
const OTHERS = '8080/TCP -> 192.168.1.99:9999'
const PORT_CONTROL = ['pcp', 'nat-pmp'] as const

/** Begun, and quiet for a while: the looks are two minutes apart. */
async function settled(keeping: Keeping): Promise<Keeping> {
  await keeping.wait(10 * MINUTE_MS)
  keeping.told()
  return keeping
}

describe.each(PORT_CONTROL)('a router that reboots, over %s', (protocol) => {
  it('is noticed by its epoch at the next look', async () => {
    const keeping = await settled(begin(protocol))
    keeping.router.reboot()
    await keeping.wait(2 * MINUTE_MS)
    expect(keeping.toldInOrder()).toEqual([`lost ${PORT}: gateway-restarted`, `restored ${PORT} after 250`])
    expect(keeping.router.table).toEqual([OURS])
    await keeping.stop()
  })

  it('is noticed by its epoch in the answer to a renewal', async () => {
    const kept = [new KeptMapping(wanted({ lease: { seconds: 60 } }))]
    const keeping = begin(protocol, { kept, random: () => 0, checkMs: HOUR_MS })
    await keeping.wait(55_000)
    keeping.told()
    keeping.router.reboot()
    await keeping.wait(5_000)
    expect(keeping.told()).toEqual([`60000 lost ${PORT}: gateway-restarted`, `60000 restored ${PORT} after 0`])
    await keeping.stop()
  })

  it('brings every mapping back when one renewal tells of it', async () => {
    const kept = [60, 3600, 3600].map((seconds, at) => {
      return new KeptMapping(wanted({ externalPort: 8080 + at, internalPort: 80 + at, lease: { seconds } }))
    })
    const keeping = begin(protocol, { kept, checkMs: HOUR_MS })
    await keeping.wait(70_000)
    keeping.router.reboot()
    await keeping.wait(60_000)
    expect(keeping.router.table).toHaveLength(3)
    await keeping.stop()
    expect(keeping.router.table).toEqual([])
  })

  it('is noticed at once when it announces itself; the mapping is back within half a second', async () => {
    const keeping = await settled(begin(protocol))
    keeping.router.reboot()
    keeping.router.announce()
    await keeping.wait(500)
    expect(keeping.told()).toEqual([`600000 lost ${PORT}: gateway-restarted`, `600250 restored ${PORT} after 250`])
    await keeping.stop()
  })

  it('is noticed however often that happens, if its epoch goes on as it should in between', async () => {
    const keeping = await settled(begin(protocol))
    for (let times = 1; times <= 20; times++) {
      await keeping.wait(25_000)
      keeping.router.reboot()
      keeping.router.announce()
      await keeping.wait(4500)
      expect(keeping.router.table, `the ${times}. time`).toEqual([OURS])
    }
    await keeping.stop()
  })

  it('is noticed again by the next look, 4 s later, if it reboots once more', async () => {
    const keeping = await settled(begin(protocol))
    await keeping.wait(5000)
    for (const times of [1, 2]) {
      keeping.router.reboot()
      keeping.router.announce()
      await keeping.wait(4500)
      expect(keeping.router.table, `the ${times}. time`).toEqual([OURS])
    }
    await keeping.stop()
  })

  it('is noticed within 5 s if a renewal has shown another one just before, too short a time ago to be believed', async () => {
    const keeping = begin(protocol, { kept: [new Unlooked(wanted({ lease: { seconds: 60 } }))] })
    await keeping.wait(31_000) // a look was at 30 s, and the renewal comes before the next one
    keeping.told()
    keeping.router.reboot()
    while (!keeping.told().some((line) => line.includes('gateway-restarted'))) await keeping.wait(500)
    await keeping.wait(2000)
    keeping.router.reboot()
    keeping.router.announce() // once, and its look comes at once
    await keeping.wait(5000)
    expect(keeping.router.table).toEqual([OURS])
    await keeping.stop()
  })

  it('is noticed within 5 s if it is the third one within 15 s', async () => {
    const keeping = await settled(begin(protocol))
    keeping.router.reboot()
    keeping.router.announce()
    await keeping.wait(6000)
    keeping.told()
    keeping.router.reboot()
    while (keeping.router.table.length === 0) await keeping.wait(500) // a look shows it
    await keeping.wait(500)
    keeping.router.reboot()
    keeping.router.announce()
    await keeping.wait(5000)
    expect(keeping.router.table).toEqual([OURS])
    await keeping.stop()
  })

  it('is not seen in an announcement alone: if the epoch goes on, nothing is asked for', async () => {
    const keeping = await settled(begin(protocol))
    keeping.router.forgetCalls()
    keeping.router.announce()
    await keeping.wait(500)
    expect([keeping.told(), keeping.router.callsOf('pulse'), keeping.router.requests]).toEqual([[], 1, 1])
    await keeping.stop()
  })

  it('is not seen in the first message, whatever epoch that has', async () => {
    const keeping = begin(protocol, {
      before: (router) => router.reboot(0),
    })
    await keeping.wait(15_000)
    expect(keeping.toldInOrder()).toEqual(['found', 'external-address 203.0.113.5', `mapped ${PORT}`])
    await keeping.stop()
  })
})

describe.each(PORT_CONTROL)('a router whose epoch makes no sense, over %s', (protocol) => {
  const several = () => [80, 81, 82].map((port) => new KeptMapping(wanted({ externalPort: port, internalPort: port })))

  it('because it goes back with every answer is not asked ever on', async () => {
    const keeping = begin(protocol, {
      kept: several(),
      before: (router) => {
        let seconds = 1_000_000
        Object.defineProperty(router, 'epochSeconds', { get: () => (seconds -= 100) })
      },
    })
    await keeping.wait(HOUR_MS)
    expect(keeping.router.requests).toBeLessThan(500)
    expect(keeping.told().length).toBeLessThan(300)
    expect(keeping.router.table).toHaveLength(3)
    await keeping.stop()
  })

  it('because it is any number is not asked ever on', async () => {
    const keeping = begin(protocol, {
      kept: several(),
      before: (router) => {
        const random = randomFrom(1)
        Object.defineProperty(router, 'epochSeconds', { get: () => Math.floor(random() * 2 ** 32) })
      },
    })
    await keeping.wait(HOUR_MS)
    expect(keeping.router.requests).toBeLessThan(500)
    await keeping.stop()
  })

  it('because it stands still is not told of for ever', async () => {
    const keeping = begin(protocol, {
      kept: several(),
      before: (router) => Object.defineProperty(router, 'epochSeconds', { value: 0 }),
    })
    await keeping.wait(24 * HOUR_MS)
    expect(keeping.told().filter((line) => line.includes('lost')).length).toBeLessThan(3 * 100)
    await keeping.stop()
  })
})

describe.each(PORT_CONTROL)('a router that refuses to say anything of itself, over %s', (protocol) => {
  it('has not begun anew', async () => {
    const keeping = await settled(begin(protocol))
    keeping.router.refuse(3, 'pulse')
    await keeping.wait(20 * MINUTE_MS)
    expect(keeping.told()).toEqual([])
    await keeping.stop()
  })

  it('and begins anew is noticed by the next renewal', async () => {
    const keeping = await settled(begin(protocol))
    keeping.router.refuse(3, 'pulse')
    keeping.router.reboot()
    await keeping.wait(HOUR_MS)
    expect(keeping.toldInOrder().slice(0, 2)).toEqual([`lost ${PORT}: gateway-restarted`, `restored ${PORT} after 0`])
    await keeping.stop()
  })
})

describe('an IGD that reboots', () => {
  it('is noticed by what it shows at the next look', async () => {
    const keeping = await settled(begin('igd'))
    keeping.router.reboot()
    await keeping.wait(2 * MINUTE_MS)
    expect(keeping.toldInOrder()).toEqual([`lost ${PORT}: gone`, `restored ${PORT} after 0`])
    await keeping.stop()
  })

  it('is noticed at once upon a suspicion', async () => {
    const keeping = await settled(begin('igd'))
    keeping.router.reboot()
    keeping.router.announce('event')
    await keeping.wait(0)
    expect(keeping.told()).toEqual([`600000 lost ${PORT}: gone`, `600000 restored ${PORT} after 0`])
    await keeping.stop()
  })
})

describe('suspicions', () => {
  it('that come fast are looked into together, and ever more slowly while they are false', async () => {
    const keeping = await settled(begin('igd'))
    keeping.router.forgetCalls()
    for (let ms = 0; ms < 60_000; ms += 50) {
      keeping.router.announce('event')
      await keeping.wait(50)
    }
    // After 0, 8, 24 and 54 s, and one that was due.
    expect(keeping.router.callsOf('pulse')).toBe(5)
    await keeping.stop()
  })

  it('are looked into at once again after a quiet time', async () => {
    const keeping = await settled(begin('igd'))
    for (let each = 0; each < 100; each++) {
      keeping.router.announce('event')
      await keeping.wait(1000)
    }
    await keeping.wait(5 * MINUTE_MS)
    keeping.router.reboot()
    keeping.router.announce('event')
    await keeping.wait(1000)
    expect(keeping.router.table).toEqual([OURS])
    await keeping.stop()
  })
})

describe('the external address', () => {
  it.each(PROTOCOLS)('that changes over %s is told, and the mapping is there again', async (protocol) => {
    const keeping = await settled(begin(protocol))
    keeping.router.changeExternalAddress('203.0.113.77')
    await keeping.wait(2 * MINUTE_MS + 500)
    expect(keeping.toldInOrder()).toContain('external-address 203.0.113.77')
    expect(keeping.router.table).toEqual([OURS])
    const changes = keeping.events.filter((event) => event.type === 'external-address')
    expect(changes.map(({ address, previous }) => [address, previous])).toEqual([
      ['203.0.113.5', undefined],
      ['203.0.113.77', '203.0.113.5'],
    ])
    await keeping.stop()
  })

  it.each(PROTOCOLS)('that is 0.0.0.0 over %s while the line is down is none', async (protocol) => {
    const keeping = begin(protocol, {
      before: (router) => {
        router.externalAddress = '0.0.0.0'
      },
    })
    await keeping.wait(10 * MINUTE_MS)
    expect(keeping.toldInOrder()).toEqual(['found', `mapped ${PORT}`])
    keeping.router.externalAddress = '203.0.113.5'
    await keeping.wait(HOUR_MS)
    expect(keeping.toldInOrder()).toContain('external-address 203.0.113.5')
    keeping.router.externalAddress = '0.0.0.0'
    await keeping.wait(HOUR_MS)
    expect(keeping.told().filter((line) => line.includes('address'))).toEqual([])
    await keeping.stop()
  })

  it('that cannot be had is no reason to fail', async () => {
    const keeping = begin('igd', { before: (router) => router.refuse(501, 'pulse') })
    await keeping.wait(HOUR_MS)
    expect(keeping.toldInOrder()).toEqual(['found', `mapped ${PORT}`, `renewed ${PORT}`])
    await keeping.stop()
  })

  it('that NAT-PMP tells without beginning anew (miniupnp#254) is a reason to ask for the mapping again', async () => {
    const keeping = await settled(begin('nat-pmp'))
    keeping.router.externalAddress = '203.0.113.77'
    keeping.router.deleteMapping(8080)
    await keeping.wait(2 * MINUTE_MS)
    expect(keeping.toldInOrder()).toEqual(['external-address 203.0.113.77', `renewed ${PORT}`])
    expect(keeping.router.table).toEqual([OURS])
    await keeping.stop()
  })
})

describe('a mapping that is deleted by hand', () => {
  it('is noticed by what an IGD shows, and put back', async () => {
    const keeping = await settled(begin('igd'))
    keeping.router.deleteMapping(8080)
    await keeping.wait(2 * MINUTE_MS)
    expect(keeping.toldInOrder()).toEqual([`lost ${PORT}: gone`, `restored ${PORT} after 0`])
    await keeping.stop()
  })

  it('again and again is looked for every 10 s at first, and more and more seldom when it stays', async () => {
    const keeping = await settled(begin('igd'))
    keeping.router.deleteMapping(8080)
    await keeping.wait(2 * MINUTE_MS)
    const restoredMs = Number(keeping.told().at(-1)?.split(' ')[0])
    keeping.router.deleteMapping(8080)
    await keeping.wait(restoredMs + 10_000 - keeping.clock.monotonicMs())
    keeping.router.forgetCalls()
    await keeping.wait(12 * MINUTE_MS)
    expect(keeping.router.table).toEqual([OURS])
    expect(keeping.router.callsOf('find')).toBeLessThan(15)
    await keeping.stop()
  })

  it.each(PORT_CONTROL)('over %s, which has no such question, comes back with the next renewal', async (protocol) => {
    const keeping = await settled(begin(protocol))
    keeping.router.deleteMapping(8080)
    await keeping.wait(HOUR_MS * 0.625)
    expect(keeping.router.table).toEqual([OURS])
    await keeping.stop()
  })
})

describe('a port that another host has', () => {
  const any = (): KeptMapping[] => [new KeptMapping(wanted({ any: true }))]

  it.each([false, true])(
    'is not touched over igd, also where the router would let it (%s)',
    async (overwritesOthers) => {
      const keeping = begin('igd', {
        before: (router) => {
          router.overwritesOthers = overwritesOthers
          router.occupy(8080)
        },
      })
      await keeping.wait(HOUR_MS)
      expect(keeping.router.table).toEqual([OTHERS])
      expect(keeping.toldInOrder()).toContain(
        `failed ${PORT}: ${PORT} leads to 192.168.1.99, another computer; again in 30000`,
      )
      await keeping.stop()
      expect(keeping.router.table).toEqual([OTHERS])
    },
  )

  it.each(PORT_CONTROL)('is not touched over %s', async (protocol) => {
    const keeping = begin(protocol, { before: (router) => router.occupy(8080) })
    await keeping.wait(HOUR_MS)
    expect(keeping.router.table).toEqual([OTHERS])
    await keeping.stop()
    expect(keeping.router.table).toEqual([OTHERS])
  })

  it.each(PROTOCOLS)('is had over %s when that one lets it go', async (protocol) => {
    const keeping = begin(protocol, { before: (router) => router.occupy(8080, { leaseSeconds: 600 }) })
    await keeping.wait(10 * MINUTE_MS + 30_000)
    expect(keeping.router.table).toEqual([OURS])
    await keeping.stop()
  })

  it.each(PROTOCOLS)('is passed over for the next one over %s, where any will do', async (protocol) => {
    const keeping = begin(protocol, { kept: any(), before: (router) => router.occupy(8080) })
    await keeping.wait(HOUR_MS)
    expect(keeping.router.table).toEqual([OTHERS, '8081/TCP -> 192.168.1.10:80'])
    expect(keeping.toldInOrder()[2]).toBe('mapped external port 8081 TCP')
    await keeping.stop()
    expect(keeping.router.table).toEqual([OTHERS])
  })

  it.each([false, true])(
    'and took it while it was kept: told, not touched, and the next one where any will do (%s)',
    async (anyPort) => {
      const keeping = await settled(begin('igd', { kept: [new KeptMapping(wanted({ any: anyPort }))] }))
      keeping.router.overwritesOthers = true
      keeping.router.occupy(8080)
      await keeping.wait(2 * MINUTE_MS)
      const told = keeping.toldInOrder()
      expect(told[0]).toBe(`lost ${PORT}: taken`)
      expect(keeping.router.table).toEqual(anyPort ? [OTHERS, '8081/TCP -> 192.168.1.10:80'] : [OTHERS])
      if (anyPort) expect(told[1]).toBe('restored external port 8081 TCP after 0')
      await keeping.stop()
      expect(keeping.router.table).toEqual([OTHERS])
    },
  )

  it('and took it is noticed by a renewal before the router lets that one overwrite it', async () => {
    const keeping = begin('igd', { kept: any(), checkMs: 10 * HOUR_MS })
    await keeping.wait(1_300_000) // the next look is at 2550 s, the renewal at 2025 s
    keeping.told()
    keeping.router.overwritesOthers = true
    keeping.router.occupy(8080)
    await keeping.wait(HOUR_MS)
    const told = keeping.toldInOrder()
    expect(told.slice(0, 2)).toEqual([`lost ${PORT}: taken`, 'restored external port 8081 TCP after 0'])
    expect(keeping.router.table[0]).toBe(OTHERS)
    await keeping.stop()
  })
})

describe('a gateway that is gone', () => {
  it.each(PROTOCOLS)('is looked for over %s, and everything is back soon after it', async (protocol) => {
    const keeping = await settled(begin(protocol))
    keeping.router.reboot(30_000)
    keeping.router.announce('event')
    await keeping.wait(30_000)
    expect(keeping.toldInOrder()).toEqual(['gateway-lost: pulse: no reply', 'searching: no gateway was found'])
    await keeping.wait(5000)
    expect(keeping.toldInOrder()[0]).toBe('found')
    expect(keeping.router.table).toEqual([OURS])
    await keeping.stop()
  })

  it('is found at once when it announces itself, however long it was gone', async () => {
    const keeping = await settled(begin('igd'))
    keeping.router.reboot(10 * HOUR_MS)
    await keeping.wait(10 * HOUR_MS)
    keeping.router.announce()
    // The search that is under way may have begun too early.
    await keeping.wait(3000)
    expect(keeping.router.table).toEqual([OURS])
    await keeping.stop()
  })

  it('is found within half a minute and a search without that', async () => {
    const keeping = await settled(begin('igd'))
    keeping.router.reboot(10 * HOUR_MS)
    await keeping.wait(10 * HOUR_MS + 33_000)
    expect(keeping.router.table).toEqual([OURS])
    await keeping.stop()
  })

  it('is not hammered by announcements of a router that does not answer', async () => {
    const keeping = await settled(begin('igd'))
    keeping.router.goAway(HOUR_MS)
    await keeping.wait(5 * MINUTE_MS)
    keeping.router.forgetCalls()
    for (let ms = 0; ms < 60_000; ms += 50) {
      keeping.router.announce()
      await keeping.wait(50)
    }
    expect(keeping.router.callsOf('open')).toBeLessThanOrEqual(20)
    await keeping.stop()
  })

  it('with several mappings is noticed by the first renewal without an answer', async () => {
    const kept = [8080, 8081, 8082].map((externalPort) => {
      return new KeptMapping(wanted({ externalPort, internalPort: externalPort, lease: { seconds: 60 } }))
    })
    const keeping = begin('igd', { kept, checkMs: HOUR_MS })
    await keeping.wait(30_000)
    keeping.told()
    keeping.router.goAway(HOUR_MS)
    await keeping.wait(10_000)
    expect(keeping.toldInOrder().map((line) => line.split(/[ :]/)[0])).toEqual(['failed', 'gateway-lost'])
    await keeping.stop()
  })

  it.each(PROTOCOLS)('but is found again and again, over %s, is not asked without a pause', async (protocol) => {
    const keeping = await settled(begin(protocol))
    keeping.router.answering = 'deaf'
    keeping.router.timeoutMs = 0 // as where the connection is refused
    await keeping.wait(10 * MINUTE_MS)
    keeping.router.forgetCalls()
    await keeping.wait(HOUR_MS)
    expect(keeping.router.callsOf('open')).toBeLessThanOrEqual(140)
    expect(keeping.router.requests).toBeLessThanOrEqual(280)
    keeping.router.answering = 'in-time'
    await keeping.wait(33_000)
    expect(keeping.router.table).toEqual([OURS])
    await keeping.stop()
  })

  it('at the start is said once, and looked for until it is there', async () => {
    const keeping = begin('igd', { before: (router) => router.goAway(HOUR_MS) })
    await keeping.wait(HOUR_MS)
    expect(keeping.told()).toEqual(['2000 searching: no gateway was found'])
    await keeping.wait(33_000)
    expect(keeping.toldInOrder()).toEqual(['found', 'external-address 203.0.113.5', `mapped ${PORT}`])
    await keeping.stop()
  })

  it('at the start is found at once when an address comes up', async () => {
    const keeping = begin('igd', { before: (router) => router.goAway(HOUR_MS) })
    keeping.move('127.0.0.1')
    await keeping.wait(HOUR_MS / 2)
    const searches = keeping.router.callsOf('open')
    while (keeping.router.callsOf('open') === searches) await keeping.wait(100)
    await keeping.wait(3000) // that search has failed, and a pause of half a minute has begun
    keeping.router.goAway(0)
    await keeping.wait(10_000)
    expect(keeping.router.table).toEqual([])
    keeping.move('192.168.1.10')
    await keeping.wait(1000)
    expect(keeping.router.table).toEqual([OURS])
    await keeping.stop()
  })
})

describe('a gateway that comes back at another place', () => {
  it('is found again when it answers on another HTTP port after a reboot', async () => {
    const keeping = await settled(begin('igd'))
    keeping.router.reboot()
    keeping.router.httpPort = 5431
    await keeping.wait(2 * MINUTE_MS)
    expect(keeping.toldInOrder()).toEqual([
      'gateway-lost: pulse: nothing listens there',
      'found',
      `restored ${PORT} after 0`,
    ])
    expect(keeping.router.table).toEqual([OURS])
    await keeping.stop()
    expect(keeping.router.table).toEqual([])
  })

  it('is found again by a renewal that reaches nobody', async () => {
    const keeping = begin('igd', { checkMs: 10 * HOUR_MS })
    await keeping.wait(1_300_000) // the next look is at 2550 s, the renewal at 2025 s
    keeping.told()
    keeping.router.httpPort = 5431
    await keeping.wait(800_000)
    expect(keeping.toldInOrder().slice(1)).toEqual([
      'gateway-lost: pulse: nothing listens there',
      'found',
      `restored ${PORT} after 0`,
    ])
    await keeping.stop()
  })

  it.each(PROTOCOLS)('over %s with another external address is told of, after an outage', async (protocol) => {
    const keeping = await settled(begin(protocol))
    keeping.router.externalAddress = '203.0.113.77'
    keeping.router.reboot(5 * MINUTE_MS)
    await keeping.wait(7 * MINUTE_MS)
    expect(keeping.toldInOrder()).toContain('external-address 203.0.113.77')
    expect(keeping.router.table).toEqual([OURS])
    await keeping.stop()
  })

  it.each(PROTOCOLS)('over %s after longer than the lease brings the mapping back, once', async (protocol) => {
    const keeping = await settled(begin(protocol))
    keeping.router.goAway(3 * HOUR_MS)
    await keeping.wait(3 * HOUR_MS + 40_000)
    expect(keeping.router.table).toEqual([OURS])
    const told = keeping.toldInOrder().filter((line) => line.startsWith('restored') || line.startsWith('mapped'))
    expect(told).toHaveLength(1)
    await keeping.stop()
    expect(keeping.router.table).toEqual([])
  })
})

describe('this computer', () => {
  it.each(PROTOCOLS)('with another address gets its mapping there, over %s', async (protocol) => {
    const kept = [new KeptMapping(wanted({ any: true }))]
    const keeping = await settled(begin(protocol, { kept }))
    keeping.move('192.168.1.20')
    await keeping.wait(10_000)
    expect(keeping.toldInOrder().slice(0, 2)).toEqual([
      'gateway-lost: this computer does not have the address 192.168.1.10 any more',
      'found',
    ])
    // Over PCP and NAT-PMP nobody but the old address could remove the old one.
    const [port, left] = protocol === 'igd' ? [8080, []] : [8081, [OURS]]
    expect(keeping.router.table).toEqual([...left, `${port}/TCP -> 192.168.1.20:80`])
    await keeping.stop()
    expect(keeping.router.table).toEqual(left)
  })

  it('with another address does not take the port from a host that has opened it meanwhile', async () => {
    const keeping = await settled(begin('igd'))
    keeping.router.occupy(8080)
    keeping.move('192.168.1.20')
    await keeping.wait(10 * MINUTE_MS)
    expect(keeping.router.table).toEqual([OTHERS])
    await keeping.stop()
    expect(keeping.router.table).toEqual([OTHERS])
  })

  it('with one more address takes a look, and no more', async () => {
    const keeping = await settled(begin('igd'))
    keeping.router.forgetCalls()
    keeping.state.addresses.push('10.2.0.2')
    await keeping.wait(10_000)
    expect(keeping.router.callsOf('pulse')).toBe(1)
    await keeping.wait(10 * MINUTE_MS)
    expect(keeping.told()).toEqual([])
    await keeping.stop()
  })

  it.each(PROTOCOLS)('that has slept renews over %s, and calls nothing lost that is there', async (protocol) => {
    const keeping = await settled(begin(protocol))
    keeping.sleep(HOUR_MS / 2)
    await keeping.wait(10_000)
    expect(keeping.toldInOrder()).toEqual([`renewed ${PORT}`])
    await keeping.stop()
  })

  it('that has slept for longer than the lease gets its mapping back', async () => {
    const keeping = await settled(begin('igd'))
    keeping.sleep(10 * HOUR_MS)
    expect(keeping.router.table).toEqual([])
    await keeping.wait(10_000)
    expect(keeping.toldInOrder()).toEqual([`lost ${PORT}: gone`, `restored ${PORT} after 0`])
    await keeping.stop()
  })

  it.each(PROTOCOLS)('that wakes up while the gateway is looked for looks at once, over %s', async (protocol) => {
    const keeping = begin(protocol, { before: (router) => router.goAway(HOUR_MS) })
    await keeping.wait(HOUR_MS / 2)
    const searches = keeping.router.callsOf('open')
    while (keeping.router.callsOf('open') === searches) await keeping.wait(100)
    await keeping.wait(3000) // that search has failed, and a pause of half a minute has begun
    keeping.router.goAway(0)
    keeping.sleep(HOUR_MS)
    await keeping.wait(1000)
    expect(keeping.router.table).toEqual([OURS])
    await keeping.stop()
  })

  it.each(PROTOCOLS)('that has slept while the router began anew gets its mapping back, over %s', async (protocol) => {
    const keeping = await settled(begin(protocol))
    keeping.sleep(HOUR_MS / 2)
    keeping.router.reboot()
    await keeping.wait(10_000)
    expect(keeping.router.table).toEqual([OURS])
    await keeping.stop()
  })
})
