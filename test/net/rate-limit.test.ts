import { describe, expect, it } from 'vitest'
import { limitPerSecond } from '../../src/net/rate-limit.ts'
import { FakeClock } from '../support/fake-clock.ts'

describe('a limit per second', () => {
  it('lets so many pass, and again as many when a second is over', async () => {
    const clock = new FakeClock()
    const isWithin = limitPerSecond(2, clock)
    const three = (): boolean[] => [isWithin(), isWithin(), isWithin()]
    expect(three()).toEqual([true, true, false])
    await clock.advance(999)
    expect(three()).toEqual([false, false, false])
    await clock.advance(1)
    expect(three()).toEqual([true, true, false])
  })

  it('begins a second with the first that comes, and arms no timer', async () => {
    const clock = new FakeClock()
    const isWithin = limitPerSecond(1, clock)
    await clock.advance(500)
    expect(isWithin()).toBe(true)
    await clock.advance(999)
    expect(isWithin()).toBe(false)
    await clock.advance(1)
    expect(isWithin()).toBe(true)
    expect(clock.pending).toBe(0)
  })
})
