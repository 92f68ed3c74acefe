import { describe, expect, it } from 'vitest'
import { hasKeptState } from '../../src/keeper/changes.ts'
import {
  CLOSEST_RENEWALS_MS,
  closestRenewalsMs,
  renewalTimes,
  retryPauses,
  searchPauses,
} from '../../src/keeper/schedule.ts'
import { randomFrom } from '../support/random.ts'

const times = (leaseSeconds: number, random: number): number[] => [...renewalTimes(leaseSeconds * 1000, () => random)]

describe('renewals', () => {
  it.each([
    [0, [60_000, 90_000, 105_000, 112_500, 116_500]],
    [0.5, [67_500, 93_750, 106_875, 113_437.5, 117_437.5]],
    [1, [75_000, 97_500, 108_750, 114_375, 118_375]],
  ])('of 120 s are at 1/2, 3/4, 7/8, 15/16 and so on, plus a chance of %d: RFC 6887 11.2.1', (random, expected) => {
    expect(times(120, random)).toEqual(expected)
  })

  it.each([
    [4, []], // not before 4 s, and then it is over
    [60, [30_000, 45_000, 52_500, 56_500]],
    [7200, [3_600_000, 5_400_000, 6_300_000, 6_750_000, 6_975_000, 7_087_500, 7_143_750, 7_171_875, 7_185_937.5]],
  ])('of a lease of %d s begin halfway where chance is 0', (leaseSeconds, expected) => {
    expect(times(leaseSeconds, 0).slice(0, expected.length)).toEqual(expected)
  })

  it.each([5, 8, 60, 120, 3600, 7200, 86_400, 604_800, 30 * 86_400, 0xffffffff])(
    'of a lease of %d s are within it, never closer than 4 s, and each in its window unless 4 s push it on',
    (leaseSeconds) => {
      const random = randomFrom(leaseSeconds)
      for (let run = 0; run < 10; run++) {
        const all = [...renewalTimes(leaseSeconds * 1000, random)]
        expect(all.length).toBeGreaterThan(0)
        all.forEach((atMs, index) => {
          const [start, width] = [1 - 2 ** -(index + 1), 2 ** -(index + 3)]
          expect(atMs).toBeLessThan(leaseSeconds * 1000)
          expect(atMs).toBeGreaterThanOrEqual(leaseSeconds * 1000 * start)
          const previousMs = all[index - 1] ?? 0
          expect(atMs - previousMs).toBeGreaterThanOrEqual(CLOSEST_RENEWALS_MS)
          const isPushed = atMs === previousMs + CLOSEST_RENEWALS_MS
          if (!isPushed) expect(atMs).toBeLessThanOrEqual(leaseSeconds * 1000 * (start + width))
        })
      }
    },
  )

  it.each([5, 6, 7])('of a lease of %d s are not closer to the one that gave it than 4 s either', (leaseSeconds) => {
    for (const random of [0, 1]) expect(times(leaseSeconds, random)[0]).toBeGreaterThanOrEqual(CLOSEST_RENEWALS_MS)
  })

  it('are closer to each other for a short lease, if the protocol allows it', () => {
    const closest = (['pcp', 'nat-pmp', 'igd'] as const).map((protocol) => closestRenewalsMs(protocol, 7999))
    expect(closest).toEqual([4000, 1000, 500])
    expect([...renewalTimes(4000, () => 0, 1000)]).toEqual([2000, 3000])
    expect([...renewalTimes(1000, () => 0, 500)]).toEqual([500])
    for (const protocol of ['pcp', 'nat-pmp', 'igd'] as const) expect(closestRenewalsMs(protocol, 8000)).toBe(4000)
  })

  it('of 30 days go on beyond the 24.8 days that setTimeout takes', () => {
    const days = times(30 * 86_400, 0).map((ms) => ms / 86_400_000)
    expect(days.slice(0, 4)).toEqual([15, 22.5, 26.25, 28.125])
    expect(days.length).toBeLessThan(25)
  })

  it('of a lease without an end are none, and that ends', () => {
    for (const random of [0, 0.5, 1]) expect(times(Number.POSITIVE_INFINITY, random)).toEqual([])
  })

  it('of what is no lease are none, and that ends', () => {
    for (const seconds of [0, -1, Number.NaN, Number.NEGATIVE_INFINITY]) expect(times(seconds, 0.5)).toEqual([])
  })
})

function first(pauses: Iterator<number, never>, count: number): number[] {
  return Array.from({ length: count }, () => pauses.next().value)
}

describe('pauses', () => {
  it('after a failure double up to half a minute', () => {
    expect(
      first(
        retryPauses(() => 0.5),
        8,
      ),
    ).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000])
  })

  it.each([
    [0, 900, 27_000],
    [1, 1100, 33_000],
  ])('with a chance of %d are a tenth shorter or longer', (random, shortest, longest) => {
    const pauses = first(
      retryPauses(() => random),
      6,
    )
    expect(pauses[0]).toBeCloseTo(shortest)
    expect(pauses[5]).toBeCloseTo(longest)
  })

  it('between searches stay about a tenth of the time that has passed, up to half a minute', () => {
    const pauses = first(
      searchPauses(() => 0.5),
      60,
    )
    let passedMs = 0
    for (const pauseMs of pauses) {
      expect(pauseMs).toBeLessThanOrEqual(1001 + passedMs / 10)
      passedMs += pauseMs
    }
    expect(pauses[0]).toBe(1000)
    expect(pauses.at(-1)).toBe(30_000)
  })
})

type Case = readonly [what: string, elapsedSeconds: number, before: number, after: number]

const kept = (protocol: 'pcp' | 'nat-pmp', elapsedSeconds: number, before: number, after: number): boolean =>
  hasKeptState(protocol, { seconds: before, heardMs: 5000 }, { seconds: after, heardMs: 5000 + elapsedSeconds * 1000 })

describe('the epoch of NAT-PMP (RFC 6886 3.6)', () => {
  it.each<Case>([
    ['runs as the clock does', 80, 100, 180],
    ['is just 2 s behind 7/8 of the time', 80, 100, 168],
    ['runs far ahead', 80, 100, 5000],
    ['stands still for 2 s', 2, 100, 100],
    ['goes back by 1 s in the same moment', 0, 100, 99],
    ['goes back by 2 s in the same moment', 0, 100, 98],
    ['is an eighth slow over a week', 604_800, 100, 100 + 529_200],
    ['is 2 s short of that', 604_800, 100, 98 + 529_200],
  ])('tells of no loss where it %s', (_, elapsed, before, after) => {
    expect(kept('nat-pmp', elapsed, before, after)).toBe(true)
  })

  it.each<Case>([
    ['is 3 s behind 7/8 of the time', 80, 100, 167],
    ['goes back by 3 s', 0, 100, 97],
    ['begins anew', 80, 100, 3],
    ['begins anew, and has overtaken the old value meanwhile', 1000, 100, 500],
    ['is 3 s short of an eighth slow over a week', 604_800, 100, 97 + 529_200],
  ])('tells of a loss where it %s', (_, elapsed, before, after) => {
    expect(kept('nat-pmp', elapsed, before, after)).toBe(false)
  })
})

describe('the epoch of PCP (RFC 6887 8.5)', () => {
  it.each<Case>([
    ['runs as the clock does', 160, 100, 260],
    ['is a sixteenth and 2 s slow', 160, 100, 248],
    ['is a sixteenth and 2 s fast', 148, 100, 260],
    ['is the same in the same moment', 0, 100, 100],
    ['goes back by 1 s in the same moment: an unsigned difference would be 136 years', 0, 100, 99],
    ['goes back by 1 s within 2 s', 2, 100, 99],
    ['goes from 1 to 0', 0, 1, 0],
    ['is a sixteenth slow over a week', 604_800, 100, 100 + 567_000],
    ['is a sixteenth fast over a week', 567_000, 100, 100 + 604_800],
    ['runs for 30 days', 2_592_000, 100, 100 + 2_592_000],
  ])('tells of no loss where it %s', (_, elapsed, before, after) => {
    expect(kept('pcp', elapsed, before, after)).toBe(true)
  })

  it.each<Case>([
    ['is a sixteenth and 3 s slow', 160, 100, 247],
    ['is a sixteenth and 3 s fast', 147, 100, 260],
    ['goes back by 2 s', 0, 100, 98],
    ['goes back by 1 s after 3 s', 3, 100, 99],
    ['begins anew', 160, 100, 3],
    ['begins anew, and has overtaken the old value meanwhile: it has not decreased', 1000, 100, 500],
    ['runs far ahead', 80, 100, 5000],
    ['stands still', 10, 100, 100],
  ])('tells of a loss where it %s', (_, elapsed, before, after) => {
    expect(kept('pcp', elapsed, before, after)).toBe(false)
  })

  it('is compared in whole seconds of this computer: 2.9 s count as 2 s', () => {
    const [previous, current] = [
      { seconds: 100, heardMs: 0 },
      { seconds: 100, heardMs: 2900 },
    ] as const
    expect(hasKeptState('pcp', previous, current)).toBe(true)
    expect(hasKeptState('pcp', previous, { ...current, heardMs: 3000 })).toBe(false)
  })
})
