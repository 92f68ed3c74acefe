import { describe, expect, it } from 'vitest'
import { type MappingRange, MappingTable, type WantedMapping } from '../../../src/emulator/tables/mapping-table.ts'

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

describe('MappingTable, asked for a range', () => {
  const range = (changes: Partial<MappingRange> = {}): MappingRange => ({
    startPort: 2,
    endPort: 3,
    protocol: 'TCP',
    internalClient: undefined,
    ...changes,
  })

  function filled(): MappingTable {
    const table = new MappingTable()
    for (const externalPort of [4, 3, 2, 1]) table.add(wanted({ externalPort }), 0)
    table.add(wanted({ externalPort: 2, protocol: 'UDP' }), 0)
    table.add(wanted({ externalPort: 2, remoteHost: '1.2.3.4', internalClient: '192.168.1.6', leaseSeconds: 1 }), 0)
    return table
  }
  const clientsAndPorts = (entries: readonly WantedMapping[]): unknown[] =>
    entries.map((entry) => [entry.internalClient, entry.externalPort])

  it('shows the mappings in it, both ends included, in order', () => {
    expect(clientsAndPorts(filled().within(range(), 0))).toEqual([
      ['192.168.1.5', 3],
      ['192.168.1.5', 2],
      ['192.168.1.6', 2],
    ])
  })

  it('shows only the mappings of one client', () => {
    expect(clientsAndPorts(filled().within(range({ internalClient: '192.168.1.6' }), 0))).toEqual([['192.168.1.6', 2]])
  })

  it('deletes the mappings in it and leaves the rest', () => {
    const table = filled()
    table.deleteWithin(range(), 0)
    expect(table.list(0).map((entry) => [entry.protocol, entry.externalPort])).toEqual([
      ['TCP', 4],
      ['TCP', 1],
      ['UDP', 2],
    ])
  })

  it('deletes only the mappings of one client', () => {
    const table = filled()
    table.deleteWithin(range({ internalClient: '192.168.1.6' }), 0)
    expect(table.list(0)).toHaveLength(5)
  })

  it('answers 730 if there are none, or none any more', () => {
    const table = filled()
    for (const none of [
      range({ startPort: 5, endPort: 65535 }),
      range({ startPort: 3, protocol: 'UDP' }),
      range({ internalClient: '192.168.1.7' }),
    ]) {
      expect(() => table.within(none, 0)).toThrow(refusal(730))
      expect(() => table.deleteWithin(none, 0)).toThrow(refusal(730))
    }
    expect(() => table.within(range({ internalClient: '192.168.1.6' }), 1000)).toThrow(refusal(730))
  })
})
