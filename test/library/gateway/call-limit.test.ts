/** What bounds one call: its promise is rejected at once, and nothing is left behind. */
import { describe, expect, it } from 'vitest'
import { InvalidArgumentError, NoReplyError } from '../../../src/domain/errors.ts'
import { within } from '../../../src/library/gateway/call-limit.ts'
import { FakeClock, settle } from '../../support/fake-clock.ts'

const never = (): Promise<never> => new Promise(() => {})
const failureOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'no failure',
    (error: unknown) => error,
  )

describe('a call', () => {
  it('without limits is given no signal, and arms no timer', async () => {
    const clock = new FakeClock()
    const seen = await within(clock, {}, 'x', async (signal) => [signal, clock.pending])
    expect(seen).toEqual([undefined, 0])
  })

  it('that comes in time leaves nothing behind, and its signal never aborts after that', async () => {
    const clock = new FakeClock()
    const caller = new AbortController()
    let given: AbortSignal | undefined
    const work = async (signal: AbortSignal | undefined): Promise<number> => {
      given = signal
      return 7
    }
    expect(await within(clock, { signal: caller.signal, timeoutMs: 10 }, 'x', work)).toBe(7)
    caller.abort()
    await clock.advance(20)
    expect([clock.pending, given?.aborted]).toEqual([0, false])
  })

  it('ends with NoReplyError after its time, and with its signal for the reason of that', async () => {
    const clock = new FakeClock()
    const late = failureOf(within(clock, { timeoutMs: 300 }, 'the answer: nobody came', never))
    await clock.advance(300)
    expect(await late).toBeInstanceOf(NoReplyError)
    expect(await late).toMatchObject({ message: 'the answer: nobody came within 300 ms', action: undefined })

    const caller = new AbortController()
    const reason = { any: 'reason' }
    const ended = failureOf(within(clock, { signal: caller.signal }, 'x', never))
    await settle()
    caller.abort(reason)
    expect(await ended).toBe(reason)
    expect(clock.pending).toBe(0)
  })

  it('that has been ended before does not begin', async () => {
    const work = (): Promise<never> => {
      throw new Error('must not begin')
    }
    expect(await failureOf(within(new FakeClock(), { signal: AbortSignal.abort('over') }, 'x', work))).toBe('over')
  })

  it('gives the reason of the signal even if the work fails of it in its own way', async () => {
    const clock = new FakeClock()
    const work = (signal: AbortSignal | undefined): Promise<never> =>
      new Promise((_, reject) => signal?.addEventListener('abort', () => reject(new Error('cut off'))))
    const ended = failureOf(within(clock, { timeoutMs: 5 }, 'x', work))
    await clock.advance(5)
    expect(await ended).toBeInstanceOf(NoReplyError)
  })

  it('may share its signal with many others, and nobody warns', async () => {
    const clock = new FakeClock()
    const warnings: Error[] = []
    const listen = (warning: Error): unknown => warnings.push(warning)
    process.on('warning', listen)
    const caller = new AbortController()
    const calls = Array.from({ length: 20 }, () => failureOf(within(clock, { signal: caller.signal }, 'x', never)))
    await settle()
    caller.abort('over')
    expect(new Set(await Promise.all(calls))).toEqual(new Set(['over']))
    await settle()
    process.off('warning', listen)
    expect(warnings).toEqual([])
  })

  it.each([0, -1, Number.NaN])('of %d ms is refused', async (timeoutMs) => {
    const failure = await failureOf(within(new FakeClock(), { timeoutMs }, 'x', never))
    expect(failure).toBeInstanceOf(InvalidArgumentError)
  })
})
