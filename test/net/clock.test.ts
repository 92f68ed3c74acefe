import { afterEach, describe, expect, it, vi } from 'vitest'
import {
  backgroundClock,
  deadlineAfter,
  forASecond,
  limitPerSecond,
  OncePer,
  sleep,
  systemClock,
} from '../../src/net/clock.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { ignoredLog } from '../support/ignored.ts'

function watched(promise: Promise<unknown>): { done: boolean } {
  const state = { done: false }
  void promise.then(() => {
    state.done = true
  })
  return state
}

describe('sleep', () => {
  it('ends at its time and not before', async () => {
    const clock = new FakeClock()
    const state = watched(sleep(clock, 250))
    await clock.advance(249)
    expect(state.done).toBe(false)
    await clock.advance(1)
    expect(state.done).toBe(true)
    expect(clock.pending).toBe(0)
  })

  it('ends with its signal, without an error and without a timer', async () => {
    const clock = new FakeClock()
    const controller = new AbortController()
    const sleeping = sleep(clock, 250, controller.signal)
    controller.abort(new Error('enough'))
    await expect(sleeping).resolves.toBeUndefined()
    expect(clock.pending).toBe(0)
  })

  it('does not begin where its signal has already been given', async () => {
    const clock = new FakeClock()
    await sleep(clock, 250, AbortSignal.abort())
    expect(clock.pending).toBe(0)
  })

  it('of no time still lets others go first', async () => {
    const clock = new FakeClock()
    const state = watched(sleep(clock, 0))
    expect(state.done).toBe(false)
    await clock.advance(0)
    expect(state.done).toBe(true)
  })
})

describe('deadlineAfter', () => {
  const late = new Error('late')

  it('aborts at its time with its reason', async () => {
    const clock = new FakeClock()
    const deadline = deadlineAfter(clock, 1000, () => late)
    await clock.advance(999)
    expect(deadline.signal.aborted).toBe(false)
    await clock.advance(1)
    expect(deadline.signal.reason).toBe(late)
    expect(clock.pending).toBe(0)
  })

  it('disposed of has no timer, and never aborts', async () => {
    const clock = new FakeClock()
    const parent = new AbortController()
    const deadline = deadlineAfter(clock, 1000, () => late, parent.signal)
    deadline.dispose()
    expect(clock.pending).toBe(0)
    parent.abort()
    await clock.advance(2000)
    expect(deadline.signal.aborted).toBe(false)
  })

  it('aborts with its parent, for the parent’s reason', () => {
    const reason = new Error('enough')
    const parent = new AbortController()
    const deadline = deadlineAfter(new FakeClock(), 1000, () => late, parent.signal)
    parent.abort(reason)
    expect(deadline.signal.reason).toBe(reason)
    deadline.dispose()
  })

  it('is aborted from the beginning where its parent is', () => {
    const reason = new Error('enough')
    const clock = new FakeClock()
    const deadline = deadlineAfter(clock, 1000, () => late, AbortSignal.abort(reason))
    expect(deadline.signal.reason).toBe(reason)
    deadline.dispose()
    expect(clock.pending).toBe(0)
  })

  it('can be aborted by its owner, and the first reason stays', async () => {
    const clock = new FakeClock()
    const deadline = deadlineAfter(clock, 1000, () => late)
    const reason = new Error('found')
    deadline.abort(reason)
    await clock.advance(1000)
    expect(deadline.signal.reason).toBe(reason)
  })
})

describe('the system’s clock', () => {
  afterEach(() => {
    vi.useRealTimers()
  })

  it('runs a task once, at its time', () => {
    vi.useFakeTimers()
    const task = vi.fn()
    systemClock.schedule(250, task)
    vi.advanceTimersByTime(249)
    expect(task).not.toHaveBeenCalled()
    vi.advanceTimersByTime(10_000)
    expect(task).toHaveBeenCalledTimes(1)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('does not run what was cancelled', () => {
    vi.useFakeTimers()
    const task = vi.fn()
    systemClock.schedule(250, task)()
    vi.advanceTimersByTime(1000)
    expect(task).not.toHaveBeenCalled()
    expect(vi.getTimerCount()).toBe(0)
  })

  it('waits also for longer than setTimeout can, and can be cancelled on the way (Q184)', () => {
    vi.useFakeTimers()
    const days = 24 * 3600 * 1000
    const task = vi.fn()
    const cancelled = vi.fn()
    systemClock.schedule(60 * days, task)
    const cancel = systemClock.schedule(60 * days, cancelled)
    vi.advanceTimersByTime(59 * days)
    expect(task).not.toHaveBeenCalled()
    cancel()
    vi.advanceTimersByTime(days)
    expect(task).toHaveBeenCalledTimes(1)
    expect(cancelled).not.toHaveBeenCalled()
    expect(vi.getTimerCount()).toBe(0)
  })

  it('has timers in the background, which do not keep the process alive', () => {
    vi.useRealTimers()
    const unref = vi.spyOn(globalThis, 'setTimeout')
    const cancels = [systemClock, backgroundClock(systemClock)].map((clock) => clock.schedule(60_000, () => {}))
    expect(unref.mock.results.map(({ value }) => (value as NodeJS.Timeout).hasRef())).toEqual([true, false])
    for (const cancel of cancels) cancel()
    unref.mockRestore()
  })

  it('has two times: one for people and one that never goes back', () => {
    expect(Math.abs(systemClock.wallMs() - Date.now())).toBeLessThan(1000)
    const before = systemClock.monotonicMs()
    expect(systemClock.monotonicMs()).toBeGreaterThanOrEqual(before)
  })
})

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

describe('what is asked again and again', () => {
  it('counts for a second, for the key that was asked for last', async () => {
    const clock = new FakeClock()
    const asked: string[] = []
    const find = forASecond(clock, async (key) => asked.push(key))
    expect([await find('a'), await find('a'), asked]).toEqual([1, 1, ['a']])
    expect([await find('b'), await find('a')]).toEqual([2, 3])
    await clock.advance(1000)
    expect([await find('a'), asked.length]).toEqual([4, 4])
  })
})

describe('a task once per period', () => {
  it('runs at once, and once more for all that comes in that time', async () => {
    const clock = new FakeClock()
    const atMs: number[] = []
    const task = new OncePer(clock, 100, () => atMs.push(clock.monotonicMs()))
    for (const _ of [1, 2, 3]) task.tell()
    await clock.advance(250)
    task.tell()
    expect([atMs, clock.pending]).toEqual([[0, 100, 250], 1])
    task.tell()
    task.cancel()
    await clock.advance(1000)
    expect([atMs, clock.pending]).toEqual([[0, 100, 250], 0])
  })

  it('runs every time at once if the period is none', () => {
    const clock = new FakeClock()
    let runs = 0
    const task = new OncePer(clock, 0, () => runs++)
    for (const _ of [1, 2, 3]) task.tell()
    expect([runs, clock.pending]).toEqual([3, 0])
  })
})

it('the clock of the system outlives a task that throws, and tells of it', async () => {
  const log = ignoredLog()
  systemClock.schedule(0, () => {
    throw new TypeError('x is undefined')
  })
  await new Promise<void>((resolve) => systemClock.schedule(1, resolve))
  expect(log.told()).toEqual(['timer : TypeError: x is undefined'])
  log.end()
})
