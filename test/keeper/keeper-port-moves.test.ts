/** The router gives another external port at a renewal, as gateways of VPNs do. */
import { describe, expect, it } from 'vitest'
import { KeptMapping } from '../../src/keeper/kept-mapping.ts'
import { begin, HOUR_MS, MINUTE_MS, wanted } from './keeping.ts'

const ANY = { externalPort: 0, any: true, lease: { seconds: 60 } } as const

function both(): KeptMapping[] {
  const udp = new KeptMapping(wanted({ ...ANY, protocol: 'UDP' }))
  return [udp, new KeptMapping(wanted({ ...ANY, protocol: 'TCP', samePortAs: udp }))]
}

/** 0 for the first renewal as early as it can be, 1 for as late: whose is first is decided by that. */
const firsts = { UDP: [0, 1], TCP: [1, 0] } as const

describe.each(['pcp', 'nat-pmp'] as const)('another port at a renewal, over %s', (protocol) => {
  it.each(['UDP', 'TCP'] as const)('is had by both at once where %s is renewed first', async (first) => {
    const numbers = firsts[first].values()
    const keeping = begin(protocol, { kept: both(), random: () => numbers.next().value ?? 0.5, checkMs: 10 * HOUR_MS })
    await keeping.wait(1000)
    expect(keeping.router.table).toEqual(['40000/TCP -> 192.168.1.10:80', '40000/UDP -> 192.168.1.10:80'])
    keeping.told()
    keeping.router.forget()
    keeping.router.occupy(40_000, { protocol: 'UDP' })
    keeping.router.occupy(40_000, { protocol: 'TCP' })
    await keeping.wait(MINUTE_MS)
    const own = keeping.router.table.filter((line) => line.endsWith('.10:80'))
    expect(own).toEqual(['40001/TCP -> 192.168.1.10:80', '40001/UDP -> 192.168.1.10:80'])
    const told = keeping.told()
    expect(told.filter((line) => /lost|failed/.test(line))).toEqual([])
    const changes = told.filter((line) => line.includes('40001')).slice(0, 2)
    expect(new Set(changes.map((line) => line.split(' ')[0])).size).toBe(1)
    await keeping.stop()
  })
})
