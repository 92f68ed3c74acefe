/** The hook of --on-change: one at a time, the last change never lost, and an end in time. */
import { describe, expect, it } from 'vitest'
import { ChangeHook } from '../../../src/cli/keep/change-hook.ts'
import { noticeText } from '../../../src/cli/print/notices.ts'
import { TransportError } from '../../../src/domain/errors.ts'
import type { LimitedEnd } from '../../../src/net/child-process.ts'
import { FakeClock, settle } from '../../support/fake-clock.ts'

const DONE: LimitedEnd = { code: 0, signal: undefined, timedOut: false }

function hooked() {
  const ran: string[] = []
  const troubles: string[] = []
  const running: { finish: (end?: LimitedEnd) => void; fail: (error: Error) => void; signal: AbortSignal }[] = []
  const hook = new ChangeHook(
    'hook',
    (line, env, signal) => {
      ran.push(`${line} ${env.PORT}`)
      return new Promise((resolve, reject) => {
        const finish = (end = DONE): void => resolve(end)
        running.push({ finish, fail: reject, signal })
        signal.addEventListener('abort', () => finish({ code: undefined, signal: 'SIGTERM', timedOut: true }))
      })
    },
    (failure) => troubles.push(noticeText({ kind: 'hook-failed', ...failure })),
  )
  const change = (port: number): void => hook.change({ PORT: `${port}` })
  const finish = async (end?: LimitedEnd): Promise<void> => {
    running.at(-1)?.finish(end)
    await settle()
  }
  return { hook, ran, troubles, running, change, finish }
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
    [{ ...DONE, code: 3 }, '--on-change: the command failed with exit status 3'],
    [{ ...DONE, code: undefined, signal: 'SIGSEGV' }, '--on-change: the command was stopped by SIGSEGV'],
    [{ code: undefined, signal: 'SIGTERM', timedOut: true }, '--on-change: the command took too long and was stopped'],
  ])('that fails is reported in one line, and runs again at the next change: %j', async (end, message) => {
    const { ran, troubles, change, finish } = hooked()
    change(1)
    await finish(end)
    expect(troubles).toEqual([message])
    change(2)
    await finish()
    expect([ran.length, troubles.length]).toEqual([2, 1])
  })

  it('that cannot be started is reported in one line', async () => {
    const { troubles, running, change } = hooked()
    change(1)
    running[0]?.fail(new TransportError("'sh' could not be started"))
    await settle()
    expect(troubles).toEqual(["--on-change: 'sh' could not be started"])
  })

  it('does nothing if none is given', async () => {
    const none = new ChangeHook(
      undefined,
      () => expect.unreachable(),
      () => {},
    )
    none.change({ PORT: '1' })
    await none.end(new FakeClock())
  })

  it('has half a second more at the end, is stopped then, and nothing follows', async () => {
    const { hook, ran, running, change } = hooked()
    const clock = new FakeClock()
    change(1)
    change(2)
    let isOver = false
    const ending = hook.end(clock).then(() => {
      isOver = true
    })
    await clock.advance(499)
    expect([isOver, running[0]?.signal.aborted]).toEqual([false, false])
    await clock.advance(1)
    await ending
    change(3)
    expect([ran, running[0]?.signal.aborted, clock.pending]).toEqual([['hook 1'], true, 0])
  })

  it('is not waited for at the end if none runs', async () => {
    const { hook, change, finish } = hooked()
    change(1)
    await finish()
    const clock = new FakeClock()
    await hook.end(clock)
    expect(clock.pending).toBe(0)
  })
})
