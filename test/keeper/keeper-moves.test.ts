/** A keeper that has to use one gateway, and finds a better one beside its work. */
import { describe, expect, it } from 'vitest'
import { NoGatewayError } from '../../src/domain/errors.ts'
import type { GatewayProtocol } from '../../src/domain/port-mapping.ts'
import type { Better } from '../../src/keeper/better-gateway.ts'
import { KeptMapping } from '../../src/keeper/kept-mapping.ts'
import { SimulatedRouter } from '../support/simulated-gateway.ts'
import { begin, HOUR_MS, MINUTE_MS, PROTOCOLS, wanted } from './keeping.ts'

const PORT = 'external port 8080 TCP'
const OURS = '8080/TCP -> 192.168.1.10:80'
const FIRST = ['found', 'external-address 203.0.113.5', `mapped ${PORT}`]

/** The better one is of that protocol, and answers once it is told to. */
function beginElsewhere(protocol: GatewayProtocol, ports = [8080]) {
  const state = {
    isThere: false,
    isInUse: false,
    looks: 0,
    hold: Promise.resolve(),
    failure: new NoGatewayError('away') as Error,
  }
  const keeping = begin('igd', {
    kept: ports.map((port) => new KeptMapping(wanted({ externalPort: port, internalPort: port - 8000 }))),
    async better(signal): Promise<Better | undefined> {
      if (state.isInUse) return undefined
      state.looks++
      await state.hold
      if (!state.isThere) throw state.failure
      state.isInUse = !signal.aborted
      return { gateway: await better.open(), externalAddress: better.externalAddress }
    },
  })
  const better = new SimulatedRouter(keeping.clock, protocol)
  better.externalAddress = '203.0.113.9'
  return { ...keeping, better, search: state }
}

describe('a keeper at another gateway than the best', () => {
  it.each(PROTOCOLS)(
    'moves all ports to that one, over %s, at the first look at which it answers',
    async (protocol) => {
      const keeping = beginElsewhere(protocol, [8080, 8081])
      await keeping.wait(10 * MINUTE_MS)
      expect(keeping.search.looks).toBe(7) // after 10, 30, 70, 150, 270, 390, 510 s: as often as it looks
      expect(keeping.toldInOrder().slice(2)).toEqual([`mapped ${PORT}`, 'mapped external port 8081 TCP'])
      keeping.search.isThere = true
      await keeping.wait(2 * MINUTE_MS)
      expect([keeping.router.table, keeping.better.table]).toEqual([[], [OURS, '8081/TCP -> 192.168.1.10:81']])
      const [moved, ...opened] = keeping.toldInOrder()
      expect(moved).toBe(`moved; closed: ${PORT},external port 8081 TCP`)
      expect(opened).toEqual([`mapped ${PORT}`, 'mapped external port 8081 TCP'])
      await keeping.wait(10 * MINUTE_MS)
      expect(keeping.toldInOrder()).toEqual([])
      await keeping.stop()
      expect(keeping.better.table).toEqual([])
    },
  )

  it('goes on with its work while the better one is looked for', async () => {
    const keeping = beginElsewhere('igd')
    keeping.search.hold = new Promise(() => {})
    await keeping.wait(HOUR_MS)
    expect(keeping.search.looks).toBe(1)
    expect(keeping.toldInOrder()).toEqual([...FIRST, `renewed ${PORT}`])
    await keeping.stop()
  })

  it('opens them there although the one that it leaves does not close them, and says what it could not close', async () => {
    const keeping = beginElsewhere('igd')
    await keeping.wait(9000)
    keeping.told()
    keeping.router.refuse(501, 'unmap')
    keeping.search.isThere = true
    await keeping.wait(MINUTE_MS)
    expect(keeping.toldInOrder()).toEqual([
      'moved; closed: ',
      expect.stringMatching(`^not-removed ${PORT}: `),
      `mapped ${PORT}`,
    ])
    expect(keeping.better.table).toEqual([OURS])
    await keeping.stop()
    expect(keeping.better.table).toEqual([])
  })

  it('uses nothing that was found before it had to search itself', async () => {
    const keeping = beginElsewhere('igd')
    let release = (): void => {}
    keeping.search.hold = new Promise((resolve) => (release = resolve))
    await keeping.wait(11_000)
    keeping.router.goAway(20_000)
    await keeping.wait(25_000)
    expect(keeping.toldInOrder().slice(3)).toEqual(expect.arrayContaining(['gateway-lost: pulse: no reply', 'found']))
    keeping.search.isThere = true
    release()
    await keeping.wait(1000)
    expect([keeping.toldInOrder(), keeping.better.table]).toEqual([[], []])
    await keeping.stop()
  })

  it('says at its end what it has closed, if the end comes during the move', async () => {
    const keeping = beginElsewhere('igd')
    await keeping.wait(9000)
    keeping.told()
    keeping.router.latencyMs = 500
    keeping.search.isThere = true
    await keeping.wait(2600)
    await keeping.stop()
    expect(keeping.toldInOrder()).toEqual([`removed ${PORT}`])
    expect([keeping.router.table, keeping.better.table]).toEqual([[], []])
  })
})
