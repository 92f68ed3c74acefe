import { describe, expect, it, vi } from 'vitest'
import { MappingTable, type WantedMapping } from '../../../src/emulator/tables/mapping-table.ts'
import { randomFrom } from '../../support/random.ts'

const WEEK_SECONDS = 604_800

function wanted(changes: Partial<WantedMapping> = {}): WantedMapping {
  return {
    remoteHost: '',
    externalPort: 8080,
    protocol: 'TCP',
    internalClient: '192.168.1.5',
    internalPort: 80,
    enabled: true,
    description: 'web',
    leaseSeconds: 3600,
    ...changes,
  }
}

const refusal = (errorCode: number): unknown => expect.objectContaining({ errorCode })

describe('MappingTable', () => {
  it('shows the rest of a lease, rounded up to whole seconds', () => {
    const table = new MappingTable()
    table.add(wanted(), 500)
    expect(table.get(wanted(), 500)).toEqual(wanted())
    expect(table.get(wanted(), 1499).leaseSeconds).toBe(3600)
    expect(table.get(wanted(), 1500).leaseSeconds).toBe(3599)
  })

  it('forgets a mapping in the very millisecond in which its lease ends', () => {
    const table = new MappingTable()
    table.add(wanted({ leaseSeconds: 10 }), 0)
    expect(table.get(wanted(), 9999).leaseSeconds).toBe(1)
    expect(() => table.get(wanted(), 10_000)).toThrow(refusal(714))
    expect(table.list(10_000)).toEqual([])
  })

  it('keeps a lease of 0 for ever, and any other to its end, if the longest lease is infinite', () => {
    const table = new MappingTable(10, Number.POSITIVE_INFINITY)
    table.add(wanted({ leaseSeconds: 0 }), 0)
    table.add(wanted({ leaseSeconds: 2 * WEEK_SECONDS, externalPort: 81 }), 0)
    expect(table.list(0).map(({ leaseSeconds }) => leaseSeconds)).toEqual([0, 2 * WEEK_SECONDS])
    expect(table.list(Number.MAX_SAFE_INTEGER).map(({ externalPort }) => externalPort)).toEqual([8080])
    table.add(wanted({ leaseSeconds: 10 }), 0)
    expect(table.list(10_000)).toEqual([])
  })

  it.each([0, WEEK_SECONDS, WEEK_SECONDS + 1, 0xffffffff])('changes a lease of %i s to a week', (leaseSeconds) => {
    const table = new MappingTable()
    table.add(wanted({ leaseSeconds }), 0)
    expect(table.get(wanted(), 0).leaseSeconds).toBe(WEEK_SECONDS)
  })

  it('lets the same internal client overwrite its mapping, which keeps its place', () => {
    const table = new MappingTable()
    table.add(wanted(), 0)
    table.add(wanted({ externalPort: 8081 }), 0)
    table.add(wanted({ internalPort: 81, leaseSeconds: 60 }), 1000)
    expect(table.at(0, 1000)).toMatchObject({ externalPort: 8080, internalPort: 81, leaseSeconds: 60 })
    expect(table.list(1000)).toHaveLength(2)
  })

  it('refuses a port that another internal client has with 718, and leaves the mapping as it was', () => {
    const table = new MappingTable()
    table.add(wanted(), 0)
    expect(() => table.add(wanted({ internalClient: '192.168.1.6' }), 0)).toThrow(refusal(718))
    expect(table.get(wanted(), 0)).toEqual(wanted())
  })

  it('gives the port to another client once the lease has ended', () => {
    const table = new MappingTable()
    table.add(wanted({ leaseSeconds: 1 }), 0)
    table.add(wanted({ internalClient: '192.168.1.6' }), 1000)
    expect(table.list(1000)).toHaveLength(1)
  })

  it('keeps mappings apart that differ in protocol or remote host', () => {
    const table = new MappingTable()
    table.add(wanted(), 0)
    table.add(wanted({ protocol: 'UDP', internalClient: '192.168.1.6' }), 0)
    table.add(wanted({ remoteHost: '1.2.3.4', internalClient: '192.168.1.7' }), 0)
    table.delete(wanted(), 0)
    expect(table.list(0).map((entry) => entry.internalClient)).toEqual(['192.168.1.6', '192.168.1.7'])
  })

  it('refuses external port 0 with 716 and internal port 0 with 732', () => {
    const table = new MappingTable()
    expect(() => table.add(wanted({ externalPort: 0 }), 0)).toThrow(refusal(716))
    expect(() => table.add(wanted({ internalPort: 0 }), 0)).toThrow(refusal(732))
    expect(table.list(0)).toEqual([])
  })

  it('refuses one mapping too many with 728, but still renews, and takes a new one when an old one has ended', () => {
    const table = new MappingTable(2)
    table.add(wanted({ externalPort: 1 }), 0)
    table.add(wanted({ externalPort: 2, leaseSeconds: 1 }), 0)
    expect(() => table.add(wanted({ externalPort: 3 }), 999)).toThrow(refusal(728))
    table.add(wanted({ externalPort: 1 }), 999)
    table.add(wanted({ externalPort: 3 }), 1000)
    expect(table.list(1000).map((entry) => entry.externalPort)).toEqual([1, 3])
  })

  it('holds 4096 mappings if nothing else is asked for', () => {
    const table = new MappingTable()
    for (let externalPort = 1; externalPort <= 4096; externalPort++) table.add(wanted({ externalPort }), 0)
    expect(() => table.add(wanted({ externalPort: 4097 }), 0)).toThrow(refusal(728))
  })

  it('keeps a renewed mapping past the end of its first lease', () => {
    const table = new MappingTable()
    table.add(wanted({ leaseSeconds: 10 }), 0)
    table.add(wanted({ leaseSeconds: 10 }), 9000)
    expect(table.get(wanted(), 10_000).leaseSeconds).toBe(9)
    expect(() => table.get(wanted(), 19_000)).toThrow(refusal(714))
  })

  it('answers 713 behind the last index and closes the gap that a deleted mapping leaves', () => {
    const table = new MappingTable()
    for (const externalPort of [1, 2, 3]) table.add(wanted({ externalPort }), 0)
    table.delete(wanted({ externalPort: 2 }), 0)
    expect(table.at(1, 0).externalPort).toBe(3)
    expect(() => table.at(2, 0)).toThrow(refusal(713))
  })

  it('answers 714 for a mapping that never existed, or has ended', () => {
    const table = new MappingTable()
    expect(() => table.get(wanted(), 0)).toThrow(refusal(714))
    expect(() => table.delete(wanted(), 0)).toThrow(refusal(714))
    table.add(wanted({ leaseSeconds: 1 }), 0)
    expect(() => table.delete(wanted(), 1000)).toThrow(refusal(714))
  })

  describe('with 10 000 mappings', () => {
    const COUNT = 10_000
    const ports = Array.from({ length: COUNT }, (_, index) => index + 1)

    /** How often the table goes through all its rows while `task` runs. */
    function passesDuring(task: () => void): number {
      const iterator = vi.spyOn(Map.prototype, Symbol.iterator)
      const spies = [iterator, vi.spyOn(Map.prototype, 'values'), vi.spyOn(Array.prototype, 'filter')]
      try {
        task()
        return spies.reduce((sum, spy) => sum + spy.mock.calls.length, 0)
      } finally {
        vi.restoreAllMocks()
      }
    }

    function fullTable(leaseSecondsOf: (port: number) => number): MappingTable {
      const table = new MappingTable(COUNT)
      for (const externalPort of ports) {
        table.add(wanted({ externalPort, leaseSeconds: leaseSecondsOf(externalPort) }), 0)
      }
      return table
    }

    it('lists index by index, in order, without a pass through all of them, also while they are renewed', () => {
      const table = fullTable(() => 60)
      const listed: number[] = []
      const passes = passesDuring(() => {
        for (const externalPort of ports) {
          table.add(wanted({ externalPort, leaseSeconds: 90 }), 1000)
          listed.push(table.at(externalPort - 1, 1000).externalPort)
        }
      })
      expect(listed).toEqual(ports)
      expect(passes).toBe(0)
    })

    it('forgets one after the other as their leases end, without a pass through all of them', () => {
      const table = fullTable((port) => port)
      const passes = passesDuring(() => {
        for (const port of ports.slice(0, -1)) {
          if (table.at(0, port * 1000).externalPort !== port + 1) throw new Error(`${port} is still there`)
        }
      })
      expect(table.list((COUNT - 1) * 1000).map((entry) => entry.externalPort)).toEqual([COUNT])
      expect(passes).toBe(0)
    })

    it('forgets all of them at once in one pass', () => {
      const table = fullTable(() => 60)
      let left: readonly unknown[] = []
      const passes = passesDuring(() => {
        left = table.list(60_000)
      })
      expect(left).toEqual([])
      expect(passes).toBe(1)
    })
  })

  it('always gives the same answers as a plain list of mappings', () => {
    const random = randomFrom(6)
    const upTo = (most: number): number => Math.floor(random() * most)
    const table = new MappingTable()
    let plain: { port: number; endsMs: number }[] = []
    for (let nowMs = 0; nowMs < 4_000_000; nowMs += upTo(2000)) {
      plain = plain.filter(({ endsMs }) => endsMs > nowMs)
      const [port, leaseSeconds] = [1 + upTo(100), 1 + upTo(120)]
      const present = plain.find((each) => each.port === port)
      const firstPort = 1 + upTo(100)
      switch (upTo(20)) {
        case 0:
          if (present !== undefined) table.delete(wanted({ externalPort: port }), nowMs)
          plain = plain.filter((each) => each !== present)
          break
        case 1: {
          const range = { startPort: firstPort, endPort: 100, protocol: 'TCP', internalClient: undefined } as const
          const stay = plain.filter((each) => each.port < firstPort)
          if (stay.length < plain.length) table.deleteWithin(range, nowMs)
          plain = stay
          break
        }
        default:
          table.add(wanted({ externalPort: port, leaseSeconds }), nowMs)
          if (present === undefined) plain.push({ port, endsMs: nowMs + leaseSeconds * 1000 })
          else present.endsMs = nowMs + leaseSeconds * 1000
      }
      const expected = plain.map((each) => [each.port, Math.ceil((each.endsMs - nowMs) / 1000)])
      expect(table.list(nowMs).map((each) => [each.externalPort, each.leaseSeconds])).toEqual(expected)
    }
  })
})

describe('MappingTable, asked for any port', () => {
  const other = { internalClient: '192.168.1.6' }

  it('gives the wanted port if it is free', () => {
    const table = new MappingTable()
    expect(table.addAny(wanted(), 0)).toBe(8080)
    expect(table.get(wanted(), 0)).toEqual(wanted())
  })

  it('renews or overwrites the mapping of the same client there', () => {
    const table = new MappingTable()
    table.add(wanted(), 0)
    expect(table.addAny(wanted({ internalPort: 81, leaseSeconds: 60 }), 0)).toBe(8080)
    expect(table.list(0)).toEqual([wanted({ internalPort: 81, leaseSeconds: 60 })])
  })

  it.each([
    [8080, 8081],
    [80, 1024],
    [1023, 1024],
    [65535, 1024],
  ])('if another client has %i, gives %i', (externalPort, instead) => {
    const table = new MappingTable()
    table.add(wanted({ externalPort }), 0)
    expect(table.addAny(wanted({ externalPort, ...other }), 0)).toBe(instead)
    expect(table.list(0).map((entry) => entry.externalPort)).toEqual([externalPort, instead])
  })

  it('passes over ports that are taken, and begins again at 1024', () => {
    const table = new MappingTable()
    for (const externalPort of [65534, 65535, 1024, 1025]) table.add(wanted({ externalPort }), 0)
    expect(table.addAny(wanted({ externalPort: 65534, ...other }), 0)).toBe(1026)
  })

  it('gives the same port to the same request, and not another port of that client', () => {
    const table = new MappingTable()
    table.add(wanted(), 0)
    expect(table.addAny(wanted(other), 0)).toBe(8081)
    expect(table.addAny(wanted(other), 1000)).toBe(8081)
    expect(table.addAny(wanted({ ...other, internalPort: 81 }), 0)).toBe(8082)
    expect(table.list(1000)).toHaveLength(3)
  })

  it('gives a port that the other protocol or another remote host has', () => {
    const table = new MappingTable()
    table.add(wanted(), 0)
    expect(table.addAny(wanted({ protocol: 'UDP', ...other }), 0)).toBe(8080)
    expect(table.addAny(wanted({ remoteHost: '1.2.3.4', ...other }), 0)).toBe(8080)
  })

  it('refuses with 728 when full, but still renews, also elsewhere than asked', () => {
    const table = new MappingTable(2)
    table.add(wanted(), 0)
    table.addAny(wanted(other), 0)
    expect(() => table.addAny(wanted({ externalPort: 1 }), 0)).toThrow(refusal(728))
    expect(() => table.addAny(wanted({ ...other, internalPort: 1 }), 0)).toThrow(refusal(728))
    expect(table.addAny(wanted(other), 0)).toBe(8081)
  })

  it('refuses with 728 when every port is taken', () => {
    const table = new MappingTable(100_000)
    for (let externalPort = 1; externalPort <= 65535; externalPort++) table.add(wanted({ externalPort }), 0)
    expect(() => table.addAny(wanted(other), 0)).toThrow(refusal(728))
  })

  it('refuses the wildcard with 716 and internal port 0 with 732', () => {
    expect(() => new MappingTable().addAny(wanted({ externalPort: 0 }), 0)).toThrow(refusal(716))
    expect(() => new MappingTable().addAny(wanted({ internalPort: 0 }), 0)).toThrow(refusal(732))
  })
})
