import { describe, expect, it } from 'vitest'
import { LeaseEnds } from '../../../src/emulator/tables/lease-ends.ts'
import { randomFrom } from '../../support/random.ts'

function endsOf(ends: Readonly<Record<string, number>>): LeaseEnds<string> {
  const made = new LeaseEnds<string>()
  for (const [key, endsMs] of Object.entries(ends)) made.set(key, endsMs)
  return made
}

describe('LeaseEnds', () => {
  it('gives those that have ended, the first one first, each once', () => {
    const ends = endsOf({ b: 20, d: 40, a: 10, c: 30 })
    expect(ends.takeEnded(9)).toEqual([])
    expect(ends.takeEnded(30)).toEqual(['a', 'b', 'c'])
    expect(ends.takeEnded(39)).toEqual([])
    expect(ends.takeEnded(1000)).toEqual(['d'])
    expect(ends.takeEnded(1000)).toEqual([])
  })

  it('gives one that was renewed, or cut short, when its new lease ends', () => {
    const ends = endsOf({ renewed: 10, short: 100 })
    ends.set('renewed', 50)
    ends.set('short', 20)
    expect(ends.takeEnded(49)).toEqual(['short'])
    expect(ends.takeEnded(1000)).toEqual(['renewed'])
  })

  it('returns a key once if it gets back an end that it had before', () => {
    const ends = endsOf({ a: 10 })
    ends.set('a', 20)
    ends.set('a', 10)
    expect(ends.takeEnded(1000)).toEqual(['a'])
  })

  it('does not give one that was deleted', () => {
    const ends = endsOf({ a: 10, b: 20 })
    ends.delete('a')
    expect(ends.takeEnded(1000)).toEqual(['b'])
  })

  it('does not grow with renewals, or with leases that come and go', () => {
    const ends = endsOf({ a: 1, b: 2 })
    for (let endsMs = 3; endsMs < 10_000; endsMs++) {
      ends.set('a', endsMs)
      ends.set(`passing ${endsMs}`, endsMs + 1_000_000)
      ends.delete(`passing ${endsMs}`)
    }
    expect(ends.kept).toBeLessThan(100)
    expect(ends.takeEnded(10_000)).toEqual(['b', 'a'])
  })

  it('returns many keys in the order of their ends', () => {
    const random = randomFrom(1)
    const ends = new LeaseEnds<number>()
    const all = Array.from({ length: 2000 }, (_, key) => ({ key, endsMs: Math.floor(random() * 1_000_000) }))
    for (const { key, endsMs } of all) ends.set(key, endsMs)
    const taken: number[] = []
    for (let nowMs = 0; nowMs <= 1_000_000; nowMs += 500) taken.push(...ends.takeEnded(nowMs))
    const endsInOrder = taken.map((key) => all[key]?.endsMs)
    expect(endsInOrder).toEqual(all.map(({ endsMs }) => endsMs).sort((a, b) => a - b))
  })
})
