/** To PCP and NAT-PMP two keepers of one internal port with different external ports want the same mapping. */
import { describe, expect, it } from 'vitest'
import { KeptMapping } from '../../src/keeper/kept-mapping.ts'
import { begin, HOUR_MS, type Keeping, MINUTE_MS, wanted } from './keeping.ts'

const OTHERS = '8081/TCP -> 192.168.1.10:80'
const HELD = { internalClient: '192.168.1.10', internalPort: 80 }

function unmaps({ router }: Keeping): number {
  return router.callsOf('unmap')
}

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
