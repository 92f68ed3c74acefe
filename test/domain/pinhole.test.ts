import { describe, expect, it } from 'vitest'
import { isPinholeLease, isPinholePort } from '../../src/domain/pinhole.ts'

describe('isPinholePort', () => {
  it.each([0, 1, 65_535])('takes %d; 0 is any', (port) => expect(isPinholePort(port)).toBe(true))
  it.each([-1, 65_536, 0.5, Number.NaN, Number.POSITIVE_INFINITY])('does not take %d', (port) =>
    expect(isPinholePort(port)).toBe(false),
  )
})

describe('isPinholeLease', () => {
  it.each([1, 86_400, 2 ** 32 - 1])('takes %d s', (seconds) => expect(isPinholeLease(seconds)).toBe(true))
  it.each([0, -1, 1.5, 2 ** 32, Number.NaN])('does not take %d s: every pinhole ends', (seconds) =>
    expect(isPinholeLease(seconds)).toBe(false),
  )
})
