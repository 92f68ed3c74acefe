/** The hook of --on-change: one at a time, the last change told until it is heard, and an end in time. */
import { describe, expect, it } from 'vitest'
import { ChangeHook } from '../../../src/cli/keep/change-hook.ts'
import { noticeText } from '../../../src/cli/print/notices.ts'
import { TransportError } from '../../../src/domain/errors.ts'
import type { LimitedEnd } from '../../../src/net/child-process.ts'
import { FakeClock, settle } from '../../support/fake-clock.ts'

const DONE: LimitedEnd = { code: 0, signal: undefined, timedOut: false }

function hooked() {
  const clock = new FakeClock()
  const ran: string[] = []
  const lines: string[] = []
  const running: { finish: (end?: LimitedEnd) => void; fail: (error: Error) => void; signal: AbortSignal }[] = []
  const hook = new ChangeHook({
    command: 'hook',
    run: (line, env, signal) => {
      ran.push(`${line} ${env.PORT}`)
      return new Promise((resolve, reject) => {
        const finish = (end = DONE): void => resolve(end)
        running.push({ finish, fail: reject, signal })
        signal.addEventListener('abort', () => finish({ code: undefined, signal: 'SIGTERM', timedOut: true }))
      })
    },
    clock,
    onTrouble: (failure, willTryAgain) => lines.push(noticeText({ kind: 'hook-failed', ...failure, willTryAgain })),
    onSuccess: (failures) => lines.push(`succeeded after ${failures}`),
  })
  const change = (port: number): void => hook.change({ PORT: `${port}` })
  const finish = async (end?: LimitedEnd): Promise<void> => {
    running.at(-1)?.finish(end)
    await settle()
  }
  return { clock, hook, ran, lines, running, change, finish }
}

describe('a hook', () => {
  it('runs for every change, and only then', async () => {
    const { ran, change, finish } = hooked()
    for (const port of [1, 1, 2, 2]) {
      change(port)
      await finish()
    }
    expect(ran).toEqual(['hook 1', 'hook 2'])
  })

  it('never runs twice at once; of the changes meanwhile, the last one counts', async () => {
    const { ran, change, finish } = hooked()
    for (const port of [1, 2, 3]) change(port)
    await settle()
    expect(ran).toEqual(['hook 1'])
    await finish()
    expect(ran).toEqual(['hook 1', 'hook 3'])
    await finish()
    change(4)
    expect(ran).toEqual(['hook 1', 'hook 3', 'hook 4'])
  })

  it('hears about a change that comes at the very moment it ends', async () => {
    const { ran, running, change } = hooked()
    change(1)
    running[0]?.finish()
    for (let turn = 0; turn < 8; turn++) {
      await Promise.resolve()
      change(turn + 2)
    }
    await settle()
    running[1]?.finish()
    await settle()
    expect(ran.at(-1)).toBe('hook 9')
  })

  it.each<[LimitedEnd, string]>([
    [{ ...DONE, code: 3 }, 'the command failed with exit status 3'],
    [{ ...DONE, code: 127 }, 'the command failed with exit status 127'],
    [{ ...DONE, code: undefined, signal: 'SIGSEGV' }, 'the command was stopped by SIGSEGV'],
    [{ code: undefined, signal: 'SIGTERM', timedOut: true }, 'the command took too long and was stopped'],
  ])(
    'that fails runs again for the same change until it succeeds, with one line for each: %j',
    async (end, message) => {
      const { clock, ran, lines, change, finish } = hooked()
      change(1)
      for (const pauseMs of [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]) {
        await finish(end)
        await clock.advance(pauseMs - 1)
        const before = ran.length
        await clock.advance(1)
        expect(ran.length).toBe(before + 1)
      }
      expect(lines).toEqual([`--on-change: ${message}; trying again`])
      await finish()
      expect([ran, lines[1], clock.pending]).toEqual([Array(8).fill('hook 1'), 'succeeded after 7', 0])
      change(1) // it has been told
      change(2)
      await finish(end)
      expect([ran.slice(8), lines.length]).toEqual([['hook 2'], 3])
    },
  )

  it.each(['not-started', 'running'])(
    'that fails is not run again for a change that a newer one replaces: %s',
    async (how) => {
      const { clock, ran, lines, running, change, finish } = hooked()
      change(1)
      if (how === 'running') change(2)
      running[0]?.fail(new TransportError("'sh' could not be started"))
      await settle()
      if (how !== 'running') {
        await clock.advance(500)
        change(2) // does not wait for the pause to end
        await settle()
      }
      expect([ran, clock.pending]).toEqual([['hook 1', 'hook 2'], 0])
      await finish({ ...DONE, code: 1 })
      await clock.advance(1000) // the pauses have begun anew
      expect(ran).toEqual(['hook 1', 'hook 2', 'hook 2'])
      await finish()
      expect(lines).toEqual(["--on-change: 'sh' could not be started; trying again", 'succeeded after 2'])
    },
  )

  it('that failed is told of a change back to what it was told before', async () => {
    const { ran, change, finish } = hooked()
    change(1)
    await finish()
    change(2)
    await finish({ ...DONE, code: 1 })
    change(1)
    await finish()
    expect(ran).toEqual(['hook 1', 'hook 2', 'hook 1'])
  })

  it('that fails is not run again at the end', async () => {
    const { clock, hook, ran, change, finish } = hooked()
    change(1)
    await finish({ ...DONE, code: 1 })
    await hook.end()
    await clock.advance(60_000)
    expect([ran, clock.pending]).toEqual([['hook 1'], 0])
  })

  it('does nothing if none is given', async () => {
    const unreachable = () => expect.unreachable()
    const none = new ChangeHook({
      command: undefined,
      run: unreachable,
      clock: new FakeClock(),
      onTrouble: unreachable,
      onSuccess: unreachable,
    })
    none.change({ PORT: '1' })
    await none.end()
  })

  it('has half a second more at the end, is stopped then, and nothing follows', async () => {
    const { clock, hook, ran, lines, running, change } = hooked()
    change(1)
    change(2)
    let isOver = false
    const ending = hook.end().then(() => {
      isOver = true
    })
    await clock.advance(499)
    expect([isOver, running[0]?.signal.aborted]).toEqual([false, false])
    await clock.advance(1)
    await ending
    change(3)
    expect([ran, running[0]?.signal.aborted, clock.pending]).toEqual([['hook 1'], true, 0])
    expect(lines).toEqual(['--on-change: the command took too long and was stopped'])
  })

  it('is not waited for at the end if none runs', async () => {
    const { clock, hook, change, finish } = hooked()
    change(1)
    await finish()
    await hook.end()
    expect(clock.pending).toBe(0)
  })
})
