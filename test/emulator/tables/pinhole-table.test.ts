import { describe, expect, it } from 'vitest'
import type { TimedPinholeRequest } from '../../../src/domain/pinhole.ts'
import { MAX_PINHOLE_ID, PinholeTable } from '../../../src/emulator/tables/pinhole-table.ts'

function wanted(changes: Partial<TimedPinholeRequest> = {}): TimedPinholeRequest {
  return {
    remoteHost: '',
    remotePort: 0,
    internalClient: '2001:db8::5',
    internalPort: 8080,
    protocol: 6,
    leaseSeconds: 3600,
    ...changes,
  }
}

const refusal = (errorCode: number): unknown => expect.objectContaining({ errorCode })

describe('PinholeTable', () => {
  it('shows the rest of a lease, rounded up to whole seconds', () => {
    const table = new PinholeTable()
    const id = table.add(wanted(), 500)
    expect(table.get(id, 500)).toEqual({ id, ...wanted() })
    expect(table.get(id, 1499).leaseSeconds).toBe(3600)
    expect(table.get(id, 1500).leaseSeconds).toBe(3599)
  })

  it('closes a pinhole in the very millisecond in which its lease ends', () => {
    const table = new PinholeTable()
    const id = table.add(wanted({ leaseSeconds: 10 }), 0)
    expect(table.get(id, 9999).leaseSeconds).toBe(1)
    expect(table.list(10_000)).toEqual([])
    for (const gone of [() => table.get(id, 10_000), () => table.update(id, 1, 10_000), () => table.delete(id, 10_000)])
      expect(gone).toThrow(refusal(704))
  })

  it('knows the same five parts again, however the addresses are written, and renews the lease', () => {
    const table = new PinholeTable()
    const id = table.add(wanted({ remoteHost: '2001:db8::9' }), 0)
    const again = { remoteHost: '2001:DB8:0::9', internalClient: '2001:0db8:0:0::0005', leaseSeconds: 60 }
    expect(table.add(wanted(again), 1000)).toBe(id)
    expect(table.list(1000)).toMatchObject([{ id, leaseSeconds: 60 }])
  })

  it.each<Partial<TimedPinholeRequest>>([
    { remoteHost: '2001:db8::9' },
    { remotePort: 1 },
    { internalClient: '2001:db8::6' },
    { internalPort: 8081 },
    { protocol: 17 },
  ])('opens another one if a part differs: %j', (changes) => {
    const table = new PinholeTable()
    const id = table.add(wanted(), 0)
    expect(table.add(wanted(changes), 0)).not.toBe(id)
    expect(table.list(0)).toHaveLength(2)
  })

  it('renews the lease of the pinhole with a UniqueID', () => {
    const table = new PinholeTable()
    const id = table.add(wanted({ leaseSeconds: 10 }), 0)
    table.update(id, 20, 9000)
    expect(table.get(id, 10_000).leaseSeconds).toBe(19)
    expect(table.add(wanted(), 10_000)).toBe(id)
  })

  it('forgets a deleted one, and does not use its UniqueID again for now', () => {
    const table = new PinholeTable()
    const id = table.add(wanted(), 0)
    table.delete(id, 0)
    expect(() => table.get(id, 0)).toThrow(refusal(704))
    expect(table.add(wanted(), 0)).not.toBe(id)
  })

  it('refuses one pinhole too many with 701, but still renews, and takes a new one when an old one has ended', () => {
    const table = new PinholeTable(1)
    const id = table.add(wanted({ leaseSeconds: 1 }), 0)
    expect(() => table.add(wanted({ internalPort: 1 }), 0)).toThrow(refusal(701))
    expect(table.add(wanted({ leaseSeconds: 1 }), 500)).toBe(id)
    expect(table.add(wanted({ internalPort: 1 }), 1500)).not.toBe(id)
  })

  it('holds 1024 pinholes if nothing else is asked for', () => {
    const table = new PinholeTable()
    for (let internalPort = 1; internalPort <= 1024; internalPort++) table.add(wanted({ internalPort }), 0)
    expect(() => table.add(wanted({ internalPort: 1025 }), 0)).toThrow(refusal(701))
  })

  it('numbers from 1 to 65535 and then again, passing over those in use', () => {
    const table = new PinholeTable()
    expect(table.add(wanted(), 0)).toBe(1)
    for (let id = 2; id <= MAX_PINHOLE_ID; id++) table.delete(table.add(wanted({ internalPort: 1 }), 0), 0)
    expect(table.add(wanted({ internalPort: 1 }), 0)).toBe(2)
  })
})
