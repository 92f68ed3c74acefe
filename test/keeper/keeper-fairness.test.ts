import { describe, expect, it } from 'vitest'
import { KeptMapping } from '../../src/keeper/kept-mapping.ts'
import { begin, MINUTE_MS, PROTOCOLS, wanted } from './keeping.ts'

const ports = (count: number, first = 9000, seconds = 3600): KeptMapping[] =>
  Array.from({ length: count }, (_, at) => {
    return new KeptMapping(wanted({ externalPort: first + at, internalPort: first + at, lease: { seconds } }))
  })

describe.each(PROTOCOLS)('ports that are never answered, over %s', (protocol) => {
  const silent = {
    before: (router: { silentPorts: Set<number>; timeoutMs: number }) => {
      for (let at = 0; at < 6; at++) router.silentPorts.add(9000 + at)
      router.timeoutMs = 8000
    },
  }

  it('do not keep a seventh from being open within a minute', async () => {
    const keeping = begin(protocol, { kept: [...ports(6), ...ports(1, 8444)], ...silent })
    await keeping.wait(MINUTE_MS)
    expect(keeping.router.table).toEqual(['8444/TCP -> 192.168.1.10:8444'])
    await keeping.stop(9000)
  })

  it('do not keep an open one from being renewed in time', async () => {
    const kept = [...ports(1, 8444, 60), ...ports(6), ...ports(1, 8445, 60)]
    const keeping = begin(protocol, { kept, ...silent })
    await keeping.wait(MINUTE_MS)
    for (let at = 0; at < 600; at++) {
      await keeping.wait(1000)
      expect(keeping.router.table).toHaveLength(2)
    }
    expect(keeping.told().filter((line) => line.includes('lost'))).toEqual([])
    await keeping.stop(9000)
  })

  it('are each asked for as often as the others', async () => {
    const keeping = begin(protocol, { kept: ports(8), ...silent })
    await keeping.wait(10 * MINUTE_MS)
    const asked = [0, 1, 2, 3, 4, 5].map(
      (at) => keeping.events.filter((each) => 'kept' in each && each.kept.name.includes(`900${at}`)).length,
    )
    expect(Math.max(...asked) - Math.min(...asked)).toBeLessThan(2)
    expect(keeping.router.table).toHaveLength(2)
    await keeping.stop(9000)
  })
})
