/** What other programs and keepers of this computer have open is theirs. */
import { describe, expect, it } from 'vitest'
import { KeptMapping } from '../../src/keeper/kept-mapping.ts'
import { begin, HOUR_MS, type Keeping, MINUTE_MS, wanted } from './keeping.ts'

const OTHERS = '8081/TCP -> 192.168.1.10:80'
const HELD = { internalClient: '192.168.1.10', internalPort: 80 }

function unmaps({ router }: Keeping): number {
  return router.callsOf('unmap')
}

// Two keepers of one internal port with different external ports want the same mapping.
describe.each(['pcp', 'nat-pmp'] as const)('what another keeper of this computer holds, over %s', (protocol) => {
  it('is left alone by the one that is refused, while it tries and at its end', async () => {
    const keeping = begin(protocol, { before: (router) => router.occupy(8081, HELD) })
    await keeping.wait(HOUR_MS)
    expect(keeping.toldInOrder().at(-1)).toMatch(/^failed external port 8080 TCP: /)
    await keeping.stop()
    expect([keeping.router.table, unmaps(keeping), keeping.toldInOrder()]).toEqual([[OTHERS], 0, []])
  })

  it('is left alone also by one that had the port before the router began anew', async () => {
    const kept = [new KeptMapping(wanted({ lease: { seconds: 600 } }))]
    const keeping = begin(protocol, { kept })
    await keeping.wait(MINUTE_MS)
    keeping.router.reboot()
    keeping.router.occupy(8081, HELD)
    await keeping.wait(10 * MINUTE_MS)
    await keeping.stop()
    expect([keeping.router.table, unmaps(keeping)]).toEqual([[OTHERS], 0])
  })

  it('does not keep the other one from its port, once that one has ended', async () => {
    const keeping = begin(protocol, { before: (router) => router.occupy(8081, { ...HELD, leaseSeconds: 600 }) })
    await keeping.wait(HOUR_MS)
    expect(keeping.router.table).toEqual(['8080/TCP -> 192.168.1.10:80'])
    await keeping.stop()
    expect(keeping.router.table).toEqual([])
  })
})

describe('over an IGD', () => {
  it('each of two external ports of an internal one is a mapping of its own', async () => {
    const keeping = begin('igd', { before: (router) => router.occupy(8081, HELD) })
    await keeping.wait(MINUTE_MS)
    expect(keeping.router.table).toEqual(['8080/TCP -> 192.168.1.10:80', OTHERS])
    await keeping.stop()
    expect(keeping.router.table).toEqual([OTHERS])
  })
})

describe('an external port that leads to another port of this computer, over an IGD', () => {
  const other = { ...HELD, internalPort: 9999, description: 'kept' }
  const OTHER = '8080/TCP -> 192.168.1.10:9999'
  const FAILED =
    'failed external port 8080 TCP: external port 8080 TCP leads to port 9999 of 192.168.1.10, for another program'

  it('is not overwritten, and is had when it is free', async () => {
    const keeping = begin('igd', { before: (router) => router.occupy(8080, { ...other, leaseSeconds: 600 }) })
    await keeping.wait(MINUTE_MS)
    expect(keeping.toldInOrder().filter((line) => /mapped|failed/.test(line))).toContainEqual(
      expect.stringContaining(FAILED),
    )
    expect([keeping.router.table, keeping.router.callsOf('map')]).toEqual([[OTHER], 0])
    await keeping.wait(HOUR_MS)
    expect(keeping.router.table).toEqual(['8080/TCP -> 192.168.1.10:80'])
    await keeping.stop()
  })

  it('is left there at the end', async () => {
    const keeping = begin('igd', { before: (router) => router.occupy(8080, other) })
    await keeping.wait(MINUTE_MS)
    await keeping.stop()
    expect(keeping.router.table).toEqual([OTHER])
  })

  it('is not overwritten if that came later, either', async () => {
    const keeping = begin('igd')
    await keeping.wait(MINUTE_MS)
    keeping.router.occupy(8080, other)
    keeping.told()
    await keeping.wait(10 * MINUTE_MS)
    expect(keeping.toldInOrder().slice(0, 2)).toEqual([
      'lost external port 8080 TCP: gone',
      expect.stringContaining(FAILED),
    ])
    await keeping.stop()
    expect(keeping.router.table).toEqual([OTHER])
  })

  it('is passed over if any port will do', async () => {
    const kept = [new KeptMapping(wanted({ any: true }))]
    const keeping = begin('igd', { kept, before: (router) => router.occupy(8080, other) })
    await keeping.wait(MINUTE_MS)
    expect(keeping.router.table).toEqual([OTHER, '8081/TCP -> 192.168.1.10:80'])
    await keeping.stop()
  })

  it('is taken over from a keeper of this user that was killed, and not from one that runs', async () => {
    let isRunning = true
    const isOwn = async (_key: unknown, description: string) => description === 'kept'
    const kept = [new KeptMapping(wanted({ isOwn, isKeptByAnother: async () => isRunning }))]
    const keeping = begin('igd', { kept, before: (router) => router.occupy(8080, other) })
    await keeping.wait(10 * MINUTE_MS)
    expect(keeping.router.table).toEqual([OTHER])
    isRunning = false
    await keeping.wait(10 * MINUTE_MS)
    expect(keeping.router.table).toEqual(['8080/TCP -> 192.168.1.10:80'])
    await keeping.stop()
    expect(keeping.router.table).toEqual([])
  })

  it.each([{ internalPort: 0 }, { internalPort: undefined }])(
    'is its own if the router does not show it: %o',
    async (shown) => {
      const keeping = begin('igd', {
        before: (router) => {
          router.occupy(8080, { ...HELD, description: 'by hand' })
          const find = router.find.bind(router)
          router.find = (key) => {
            const found = find(key)
            return typeof found === 'object' ? { ...found, ...shown } : found
          }
        },
      })
      await keeping.wait(MINUTE_MS)
      expect(keeping.toldInOrder().at(-1)).toBe('mapped external port 8080 TCP')
      await keeping.stop()
    },
  )
})
