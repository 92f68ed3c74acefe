import { describe, expect, it } from 'vitest'
import { natPmpWaits, pcpWaits } from '../../../src/client/port-control/exchange.ts'

function first(count: number, waits: Generator<number, void>): number[] {
  const found: number[] = []
  for (const wait of waits) if (found.push(wait) === count) break
  return found
}

describe('the waits of NAT-PMP', () => {
  it('begin at 250 ms, double, and are nine: 127.75 s in all', () => {
    const waits = [...natPmpWaits()]
    expect(waits).toEqual([250, 500, 1000, 2000, 4000, 8000, 16_000, 32_000, 64_000])
    expect(waits.reduce((sum, wait) => sum + wait)).toBe(127_750)
  })
})

describe('the waits of PCP', () => {
  it.each([
    ['in the middle double from 250 ms', 0.5, [250, 500, 1000, 2000, 4000]],
    ['at its least are a tenth shorter, each of twice the one before', 0, [225, 405, 729, 1312.2, 2361.96]],
    ['at its most are a tenth longer, each of twice the one before', 1, [275, 605, 1331, 2928.2, 6442.04]],
  ])('with a random number %s', (_name, random, expected) => {
    const waits = first(
      expected.length,
      pcpWaits(() => random),
    )
    expect(waits.length).toBe(expected.length)
    for (const [at, wait] of waits.entries()) expect(wait).toBeCloseTo(expected[at] ?? 0, 6)
  })

  it('draw a random number for each', () => {
    const numbers = [0, 1, 0.5]
    const waits = first(
      3,
      pcpWaits(() => numbers.shift() ?? 0),
    )
    expect(waits.map((wait) => Math.round(wait * 1000) / 1000)).toEqual([225, 495, 990])
  })

  it.each([
    [0, 0.9 * 1_024_000],
    [0.5, 1_024_000],
    [1, 1.1 * 1_024_000],
  ])('do not end, and with %s grow no longer than %s ms', (random, longest) => {
    const waits = first(
      200,
      pcpWaits(() => random),
    )
    expect(waits).toHaveLength(200)
    expect(waits.at(-1)).toBeCloseTo(longest, 3)
    expect(Math.max(...waits)).toBeLessThanOrEqual(1_126_400.001)
  })

  it('are random unless they are told how', () => {
    const waits = first(5, pcpWaits())
    for (const [at, wait] of waits.entries()) {
      const twice = at === 0 ? 250 : 2 * (waits[at - 1] ?? 0)
      expect(wait / twice).toBeGreaterThanOrEqual(0.9 - 1e-9)
      expect(wait / twice).toBeLessThanOrEqual(1.1 + 1e-9)
    }
  })
})
