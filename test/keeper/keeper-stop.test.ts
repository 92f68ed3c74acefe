import { describe, expect, it } from 'vitest'
import type { PortMapping } from '../../src/domain/port-mapping.ts'
import type { Kept } from '../../src/keeper/kept.ts'
import { KeptMapping } from '../../src/keeper/kept-mapping.ts'
import type { SimulatedRouter } from '../support/simulated-gateway.ts'
import { begin, HOUR_MS, MINUTE_MS, PROTOCOLS, Unlooked, wanted } from './keeping.ts'

const PORT = 'external port 8080 TCP'
const OURS = '8080/TCP -> 192.168.1.10:80'
const OTHERS = '8080/TCP -> 192.168.1.99:9999'

/** A router that shows every mapping with that in it. */
function showing(router: SimulatedRouter, facts: Partial<PortMapping>): void {
  const [map, find] = [router.map.bind(router), router.find.bind(router)]
  router.map = (...asked) => ({ ...map(...asked), ...facts })
  router.find = (key) => {
    const found = find(key)
    return typeof found === 'object' ? { ...found, ...facts } : found
  }
}

describe.each(PROTOCOLS)('stop() over %s', (protocol) => {
  it('removes what was made, at once', async () => {
    const kept = [8080, 8081].map((port) => new KeptMapping(wanted({ externalPort: port, internalPort: port })))
    const keeping = begin(protocol, { kept, before: (router) => router.occupy(22) })
    await keeping.wait(MINUTE_MS)
    keeping.told()
    expect(await keeping.stop()).toBe(0)
    expect(keeping.toldInOrder()).toEqual(['removed external port 8080 TCP', 'removed external port 8081 TCP'])
    expect(keeping.router.table).toEqual(['22/TCP -> 192.168.1.99:9999'])
  })

  it('before run() has come anywhere leaves nothing', async () => {
    const keeping = begin(protocol)
    await keeping.stop()
    expect(keeping.router.table).toEqual([])
  })

  it('while it searches ends the search at once', async () => {
    const keeping = begin(protocol, { before: (router) => router.goAway(HOUR_MS) })
    const searches = keeping.router.callsOf('open')
    while (keeping.router.callsOf('open') === searches) await keeping.wait(100)
    expect(await keeping.stop()).toBe(0)
    expect(keeping.toldInOrder()).toEqual(['searching: no gateway was found'])
  })

  it('between two searches ends at once', async () => {
    const keeping = begin(protocol, { before: (router) => router.goAway(HOUR_MS) })
    await keeping.wait(2500)
    expect(await keeping.stop()).toBe(0)
    expect(keeping.router.callsOf('open')).toBe(1)
  })

  it('leaves the signal of a search that has found the gateway alone: what was found is asked to the end', async () => {
    const signals: AbortSignal[] = []
    const keeping = begin(protocol, {
      before: (router) => {
        const open = router.open.bind(router)
        router.open = (signal) => {
          if (signal !== undefined) signals.push(signal)
          return open(signal)
        }
      },
    })
    await keeping.wait(MINUTE_MS)
    await keeping.stop()
    expect(signals.map(({ aborted }) => aborted)).toEqual([false])
    expect(keeping.router.table).toEqual([])
  })

  it('while a search never ends ends all the same', async () => {
    const keeping = begin(protocol, { open: () => new Promise(() => {}) })
    await keeping.wait(HOUR_MS)
    expect(await keeping.stop()).toBe(800)
    expect(keeping.told()).toEqual([])
  })

  it('while a mapping is being made waits for it and removes it', async () => {
    const keeping = begin(protocol, {
      before: (router) => {
        router.latencyMs = 200
      },
    })
    // Igd looks first: the mapping is made between 300 and 400 ms then.
    await keeping.wait(protocol === 'igd' ? 350 : 150)
    expect(keeping.router.table).toEqual([OURS])
    await keeping.stop()
    expect(keeping.toldInOrder().at(-1)).toBe(`removed ${PORT}`)
    expect(keeping.router.table).toEqual([])
  })

  it('while a mapping is asked for and the router has not acted yet removes it when it has', async () => {
    const keeping = begin(protocol, {
      before: (router) => {
        router.latencyMs = 500
      },
    })
    await keeping.wait(protocol === 'igd' ? 510 : 10)
    expect(keeping.router.table).toEqual([])
    await keeping.stop()
    expect(keeping.router.table).toEqual([])
    expect(keeping.router.callsOf('map')).toBe(1)
  })

  it('while a mapping is made whose answer is lost removes it', async () => {
    const keeping = begin(protocol, {
      before: (router) => {
        router.answering = 'mute'
      },
    })
    await keeping.wait(protocol === 'igd' ? 20_000 : 100)
    keeping.router.answering = 'in-time'
    await keeping.stop()
    expect(keeping.router.table).toEqual([])
  })

  it('after the answer to a mapping was lost removes it, and does not take it for somebody else’s', async () => {
    const keeping = begin(protocol, {
      kept: [new KeptMapping(wanted())],
      before: (router) => router.refuse(501, 'pulse'),
    })
    await keeping.wait(0)
    keeping.router.reboot()
    keeping.router.refuse(undefined)
    keeping.router.announce()
    await keeping.wait(10_000)
    keeping.router.answering = 'mute'
    await keeping.wait(10 * MINUTE_MS)
    keeping.router.answering = 'in-time'
    await keeping.wait(MINUTE_MS)
    expect(keeping.router.table).toEqual([OURS])
    await keeping.stop()
    expect(keeping.router.table).toEqual([])
  })

  it('after the answer to a mapping was lost and the next attempts were refused removes it', async () => {
    const keeping = begin(protocol, {
      before: (router) => {
        router.answering = 'mute'
        router.refuse(501, 'find')
      },
    })
    await keeping.wait(protocol === 'igd' ? 3100 : 100)
    expect(keeping.router.table).toEqual([OURS])
    keeping.router.answering = 'in-time'
    keeping.router.refuse(501, 'map')
    await keeping.wait(MINUTE_MS)
    await keeping.stop()
    expect(keeping.router.table).toEqual([])
  })

  it('while the gateway is gone says what is left', async () => {
    const keeping = begin(protocol)
    await keeping.wait(MINUTE_MS)
    keeping.router.goAway(HOUR_MS)
    await keeping.wait(10 * MINUTE_MS)
    keeping.told()
    expect(await keeping.stop()).toBeLessThanOrEqual(2000)
    expect(keeping.toldInOrder()).toEqual([`not-removed ${PORT}: the gateway did not answer in time`])
  })

  it('when the gateway was gone and is just back removes what is still there', async () => {
    const keeping = begin(protocol)
    await keeping.wait(MINUTE_MS)
    keeping.router.goAway(10 * MINUTE_MS)
    await keeping.wait(10 * MINUTE_MS)
    keeping.told()
    expect(keeping.router.table).toEqual([OURS])
    await keeping.stop()
    expect(keeping.toldInOrder().at(-1)).toBe(`removed ${PORT}`)
    expect(keeping.router.table).toEqual([])
  })

  it.each([3000, Number.POSITIVE_INFINITY])(
    'when the gateway does not answer any more (for %d ms) ends within 2 s',
    async (timeoutMs) => {
      const keeping = begin(protocol)
      await keeping.wait(MINUTE_MS)
      keeping.router.timeoutMs = timeoutMs
      keeping.router.answering = 'deaf'
      keeping.told()
      expect(await keeping.stop()).toBe(1000)
      expect(keeping.toldInOrder()).toEqual([`not-removed ${PORT}: the gateway did not answer in time`])
    },
  )

  it('in the middle of a renewal that is never answered ends within 2 s', async () => {
    const keeping = begin(protocol, { kept: [new Unlooked(wanted())], random: () => 0 })
    await keeping.wait(HOUR_MS / 2 - 1000)
    keeping.router.timeoutMs = Number.POSITIVE_INFINITY
    keeping.router.answering = 'deaf'
    await keeping.wait(2000)
    expect(await keeping.stop()).toBe(1800)
  })

  it.each([
    [150, 0],
    [20, 20],
  ])('with %d ports, at a router that is silent for 2 s, leaves %d of them open', async (ports, left) => {
    const port = (at: number): number => 20_000 + at
    const kept = Array.from({ length: ports }, (_, at) => {
      return new KeptMapping(wanted({ externalPort: port(at), internalPort: port(at) }))
    })
    const keeping = begin(protocol, { kept })
    await keeping.wait(20_000)
    keeping.router.latencyMs = 2000
    const stopping = keeping.stop(8000)
    keeping.clock.schedule(10, () => {
      keeping.router.latencyMs = 0
    })
    await stopping
    expect(keeping.told().filter((line) => line.includes('not-removed'))).toHaveLength(left)
  })

  it('leaves what was lost before alone', async () => {
    const keeping = begin(protocol)
    await keeping.wait(MINUTE_MS)
    keeping.router.refuse(501, 'map')
    keeping.router.reboot()
    keeping.router.announce()
    await keeping.wait(MINUTE_MS)
    keeping.router.occupy(8080)
    await keeping.stop()
    expect(keeping.router.table).toEqual([OTHERS])
  })

  it('twice is as good as once', async () => {
    const keeping = begin(protocol)
    await keeping.wait(MINUTE_MS)
    keeping.keeper.stop()
    await keeping.stop()
    expect(keeping.router.table).toEqual([])
  })
})

describe.each(PROTOCOLS)('the end of many mappings over %s', (protocol) => {
  const QUESTIONS = protocol === 'igd' ? 2 : 1 // an IGD is asked first whether the port is still this computer's

  async function beginMany(count: number) {
    const kept = Array.from({ length: count }, (_, at) => {
      return new KeptMapping(wanted({ externalPort: 10_000 + at, internalPort: 10_000 + at }))
    })
    const keeping = begin(protocol, { kept })
    await keeping.wait(MINUTE_MS)
    expect(keeping.router.table).toHaveLength(count)
    keeping.told()
    return keeping
  }

  it('removes a thousand, however long that takes, while the gateway answers', async () => {
    const keeping = await beginMany(1000)
    keeping.router.latencyMs = 2
    expect(await keeping.stop(8000)).toBe(1000 * QUESTIONS * 2)
    expect(keeping.router.table).toEqual([])
    expect(keeping.told()).toHaveLength(1000)
  })

  it('goes on with a slow gateway as long as an answer comes within a second', async () => {
    const keeping = await beginMany(3)
    keeping.router.latencyMs = 900
    expect(await keeping.stop(8000)).toBe(3 * QUESTIONS * 900)
    expect(keeping.router.table).toEqual([])
  })

  it('goes on also where the answers are refusals, and says of what is left', async () => {
    const keeping = await beginMany(4)
    keeping.router.latencyMs = 1200 // a refusal comes after half of that
    keeping.router.refuse(606)
    expect(await keeping.stop(8000)).toBeGreaterThan(2000)
    expect(new Set(keeping.toldInOrder().map((line) => line.split(' ')[0]))).toEqual(new Set(['not-removed']))
  })

  it('is over a second after the last answer', async () => {
    const keeping = await beginMany(100)
    keeping.router.latencyMs = 100
    keeping.keeper.stop()
    await keeping.wait(1000)
    keeping.router.answering = 'deaf'
    keeping.router.timeoutMs = Number.POSITIVE_INFINITY
    expect(await keeping.stop()).toBe(1000)
    expect(keeping.router.table).toHaveLength(100 - 10 / QUESTIONS)
  })

  it('is over after 8 s, and says what is left', async () => {
    const keeping = await beginMany(40)
    keeping.router.latencyMs = 500
    expect(await keeping.stop(9000)).toBe(8000)
    const told = keeping.toldInOrder().map((line) => line.split(' ')[0])
    const removed = told.filter((type) => type === 'removed').length
    expect(removed).toBeGreaterThanOrEqual(16 / QUESTIONS - 1)
    expect(told.filter((type) => type === 'not-removed')).toHaveLength(40 - removed)
  })
})

describe('what is granted while everything is being removed', () => {
  it('is removed too', async () => {
    const open = new Set<string>()
    const clock = { schedule: (_ms: number, _task: () => void): unknown => undefined }
    const slow: Kept = {
      name: 'slow',
      async make() {
        await new Promise<void>((resolve) => clock.schedule(1500, resolve))
        open.add('slow')
        return { leaseMs: HOUR_MS }
      },
      renew: () => Promise.reject(new TypeError('not expected')),
      find: () => Promise.resolve('there'),
      remove: () => Promise.resolve(open.delete('slow') ? 'removed' : 'not-own'),
    }
    const keeping = begin('igd', { kept: [slow] })
    Object.assign(clock, { schedule: keeping.clock.schedule.bind(keeping.clock) })
    await keeping.wait(100)
    expect(await keeping.stop()).toBeLessThanOrEqual(2000)
    expect([...open]).toEqual([])
    expect(keeping.toldInOrder().slice(-2)).toEqual(['mapped slow', 'removed slow'])
  })
})

describe('a port that was another computer’s all the time', () => {
  it.each(PROTOCOLS)('is not called closed: %s', async (protocol) => {
    const keeping = begin(protocol, { before: (router) => router.occupy(8080) })
    const [before] = [keeping.router.table]
    await keeping.wait(MINUTE_MS)
    keeping.told()
    await keeping.stop()
    expect(keeping.toldInOrder()).toEqual([])
    expect(keeping.router.table).toEqual(before)
  })
})

describe('what was opened from an address that this computer does not have any more', () => {
  it.each(['pcp', 'nat-pmp'] as const)(
    'is not called closed, because nobody else can close it: %s',
    async (protocol) => {
      const keeping = begin(protocol)
      await keeping.wait(MINUTE_MS)
      keeping.move('192.168.1.20')
      await keeping.wait(MINUTE_MS)
      keeping.told()
      await keeping.stop()
      expect(keeping.toldInOrder()).toEqual([
        'not-removed external port 8080 TCP: it was opened for 192.168.1.10, an earlier address of this computer; it ends with its lease',
      ])
      expect(keeping.router.table).toEqual([OURS])
    },
  )
})

describe('what the router showed before', () => {
  const same = { internalClient: '192.168.1.10', internalPort: 80, description: 'by hand' } as const

  it('the very same is used, and left there', async () => {
    const keeping = begin('igd', { before: (router) => router.occupy(8080, same) })
    await keeping.wait(10 * HOUR_MS)
    keeping.told()
    await keeping.stop()
    expect(keeping.told()).toEqual([])
    expect(keeping.router.table).toEqual([OURS])
  })

  it('the very same is removed where this user’s keeper has left it behind', async () => {
    const kept = [new KeptMapping(wanted({ isOwn: ({ externalPort }) => Promise.resolve(externalPort === 8080) }))]
    const keeping = begin('igd', { kept, before: (router) => router.occupy(8080, same) })
    await keeping.wait(MINUTE_MS)
    await keeping.stop()
    expect(keeping.router.table).toEqual([])
  })

  it('and forgot in a reboot is its own from then on', async () => {
    const keeping = begin('igd', { before: (router) => router.occupy(8080, same) })
    await keeping.wait(MINUTE_MS)
    keeping.router.reboot()
    await keeping.wait(3 * MINUTE_MS)
    expect(keeping.router.table).toEqual([OURS])
    await keeping.stop()
    expect(keeping.router.table).toEqual([])
  })

  it('is not deleted to be made again where leases are not extended', async () => {
    const keeping = begin('igd', {
      before: (router) => {
        router.extendsLeases = false
        router.occupy(8080, { ...same, leaseSeconds: 7200 })
      },
    })
    await keeping.wait(1.5 * HOUR_MS)
    expect(keeping.router.callsOf('unmap')).toBe(0)
    await keeping.stop()
    expect(keeping.router.table).toEqual([OURS])
  })

  it('what it made itself stays its own when the gateway was gone and is found again', async () => {
    const keeping = begin('igd')
    await keeping.wait(MINUTE_MS)
    keeping.router.goAway(5 * MINUTE_MS)
    await keeping.wait(10 * MINUTE_MS)
    expect(keeping.toldInOrder().at(-1)).toMatch(/^restored/)
    await keeping.stop()
    expect(keeping.router.table).toEqual([])
  })

  it('is another host’s when that took the port: it is not removed', async () => {
    const keeping = begin('igd')
    await keeping.wait(MINUTE_MS)
    keeping.router.occupy(8080)
    keeping.told()
    await keeping.stop()
    expect(keeping.told()).toEqual([])
    expect(keeping.router.table).toEqual([OTHERS])
  })

  it('is another program’s of this computer when that took the port: it is not removed', async () => {
    const keeping = begin('igd')
    await keeping.wait(MINUTE_MS)
    keeping.router.occupy(8080, { ...same, internalPort: 9999 })
    keeping.told()
    await keeping.stop()
    expect(keeping.told()).toEqual([])
    expect(keeping.router.table).toEqual(['8080/TCP -> 192.168.1.10:9999'])
  })

  it('with a name for this computer is renewed and removed as its own', async () => {
    const keeping = begin('igd', { before: (router) => showing(router, { internalClient: 'my-computer.lan' }) })
    await keeping.wait(10 * HOUR_MS)
    expect(keeping.told().filter((line) => /lost|failed/.test(line))).toEqual([])
    expect(keeping.router.table).toEqual([OURS])
    await keeping.stop()
    expect(keeping.router.table).toEqual([])
  })

  it('with a name is another computer’s where it was there before this one asked', async () => {
    const keeping = begin('igd', {
      before: (router) => {
        router.occupy(8080)
        showing(router, { internalClient: 'other-computer.lan' })
      },
    })
    await keeping.wait(HOUR_MS)
    await keeping.stop()
    expect(keeping.router.table).toEqual([OTHERS])
  })

  it('without the port inside is removed as its own', async () => {
    const keeping = begin('igd', { before: (router) => showing(router, { internalPort: 0 }) })
    await keeping.wait(10 * HOUR_MS)
    expect(keeping.told().filter((line) => /lost|failed/.test(line))).toEqual([])
    await keeping.stop()
    expect(keeping.router.table).toEqual([])
  })

  it('deleted by hand is no trouble at the end', async () => {
    const keeping = begin('igd')
    await keeping.wait(MINUTE_MS)
    keeping.router.deleteMapping(8080)
    keeping.told()
    await keeping.stop()
    expect(keeping.toldInOrder()).toEqual([`removed ${PORT}`])
  })
})
