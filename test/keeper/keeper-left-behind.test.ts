/** A port that an earlier run has opened from an address that this computer does not have any more. */
import { describe, expect, it } from 'vitest'
import { KeptMapping, type WantedMapping } from '../../src/keeper/kept-mapping.ts'
import { begin, HOUR_MS, MINUTE_MS, wanted } from './keeping.ts'

const EARLIER = { internalClient: '192.168.1.77', internalPort: 80, description: 'kept', leaseSeconds: 3600 }
const THEIRS = '8080/TCP -> 192.168.1.77:80'
const OURS = '8080/TCP -> 192.168.1.10:80'
const LEFT = { internalClient: '192.168.1.77', internalPort: 80, endsWallMs: Date.UTC(2026, 5, 1) }

/** What the first failure tells. */
function told({ events }: ReturnType<typeof begin>) {
  return events.find((event) => event.type === 'failed')?.error.leftBehind
}

function keepingIt(changes: Partial<WantedMapping> = {}) {
  const leftBehind = async (_: unknown, { externalPort }: { readonly externalPort: number }) =>
    externalPort === 8080 ? LEFT : undefined
  return [new KeptMapping(wanted({ leftBehind, ...changes }))]
}

describe('over an IGD it', () => {
  const before = (router: ReturnType<typeof begin>['router']): void => router.occupy(8080, EARLIER)

  it('is closed, and the port opened', async () => {
    const keeping = begin('igd', { kept: keepingIt(), before })
    await keeping.wait(MINUTE_MS)
    expect(keeping.router.table).toEqual([OURS])
    await keeping.stop()
    expect(keeping.router.table).toEqual([])
  })

  it('is told if the router does not let it be closed, and the port opened when its lease is over', async () => {
    const keeping = begin('igd', {
      kept: keepingIt(),
      before: (router) => {
        before(router)
        router.refuse(606, 'unmap')
      },
    })
    await keeping.wait(MINUTE_MS)
    expect(told(keeping)).toEqual(LEFT)
    await keeping.wait(2 * HOUR_MS)
    expect(keeping.router.table).toEqual([OURS])
    keeping.router.refuse(undefined)
    await keeping.stop()
    expect(keeping.router.table).toEqual([])
  })

  it.each<[string, Partial<WantedMapping>, Partial<typeof EARLIER>]>([
    ['leads to another port', {}, { internalPort: 81 }],
    ['leads to another address', {}, { internalClient: '192.168.1.78' }],
    ['has another description', {}, { description: 'by hand' }],
    ['is kept by a running keeper', { isKeptByAnother: async () => true }, {}],
  ])('is left alone if it %s', async (_, changes, shown) => {
    const keeping = begin('igd', {
      kept: keepingIt(changes),
      before: (router) => router.occupy(8080, { ...EARLIER, ...shown }),
    })
    await keeping.wait(10 * MINUTE_MS)
    await keeping.stop()
    expect([keeping.router.callsOf('unmap'), keeping.router.table.length]).toEqual([0, 1])
  })
})

describe.each(['pcp', 'nat-pmp'] as const)('over %s it', (protocol) => {
  it('is told, and the port opened when its lease is over', async () => {
    const keeping = begin(protocol, { kept: keepingIt(), before: (router) => router.occupy(8080, EARLIER) })
    await keeping.wait(MINUTE_MS)
    expect(told(keeping)).toEqual(LEFT)
    expect(keeping.router.table).toEqual([THEIRS])
    await keeping.wait(2 * HOUR_MS)
    expect(keeping.router.table).toEqual([OURS])
    await keeping.stop()
    expect(keeping.router.table).toEqual([])
  })

  it('is not told if the mapping is for a computer that was named', async () => {
    const kept = keepingIt({ internalClient: '192.168.1.10' })
    const keeping = begin(protocol, { kept, before: (router) => router.occupy(8080, EARLIER) })
    await keeping.wait(MINUTE_MS)
    expect([keeping.events.at(-1)?.type, told(keeping)]).toEqual(['failed', undefined])
    await keeping.stop()
  })
})
