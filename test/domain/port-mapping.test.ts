import { describe, expect, it } from 'vitest'
import { isPort, leaseToSeconds, MAX_LEASE_SECONDS } from '../../src/domain/port-mapping.ts'

describe('isPort', () => {
  it.each([1, 80, 65535])('takes %d', (port) => expect(isPort(port)).toBe(true))
  it.each([0, -1, 65536, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 1e9])('does not take %d', (port) =>
    expect(isPort(port)).toBe(false),
  )
})

describe('leaseToSeconds', () => {
  it('writes a mapping without an end as 0, which is what an IGD calls it', () => {
    expect(leaseToSeconds('unlimited')).toBe(0)
  })
  it('keeps seconds as they are, up to what 32 bits hold', () => {
    expect(leaseToSeconds({ seconds: 1 })).toBe(1)
    expect(leaseToSeconds({ seconds: MAX_LEASE_SECONDS })).toBe(2 ** 32 - 1)
  })
})
