/** The same signal twice within a second is one; another one, or a later one, is not. */
import { EventEmitter } from 'node:events'
import { describe, expect, it } from 'vitest'
import { sameWithinASecond } from '../../../src/cli/keep/same-signal.ts'
import { END_SIGNALS, PROGRAM_SIGNALS } from '../../../src/cli/surroundings.ts'
import { FakeClock } from '../../support/fake-clock.ts'

function keeper() {
  const clock = new FakeClock()
  const emitter = new EventEmitter()
  const [heard, raised]: [string[], string[]] = [[], []]
  const onSignal = sameWithinASecond(
    (names, listener) => {
      for (const name of names) emitter.on(name, listener)
      return () => {
        for (const name of names) emitter.off(name, listener)
      }
    },
    clock,
    (name) => raised.push(name),
  )
  const stop = onSignal(PROGRAM_SIGNALS, (name) => heard.push(name))
  /** Returns whether somebody listened: if not, the signal ends the process. */
  const send = (name: string): boolean => emitter.emit(name, name)
  return { clock, heard, raised, stop, send }
}

describe('a signal that comes twice', () => {
  it.each(['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGBREAK'])('within a second is heard once: %s', async (name) => {
    const { clock, heard, send } = keeper()
    for (const waitMs of [1, 198, 800]) {
      send(name)
      await clock.advance(waitMs)
    }
    expect(heard).toEqual([name])
    await clock.advance(1)
    send(name)
    expect(heard).toEqual([name, name])
  })

  it.each(['SIGHUP', 'SIGUSR1', 'SIGUSR2'])('may be two messages for the program: %s', (name) => {
    const { heard, send } = keeper()
    send(name)
    send(name)
    expect(heard).toEqual([name, name])
  })

  it.each(END_SIGNALS)('does not end a keeper that closes its ports, and does a second later: %s', async (name) => {
    const { clock, heard, raised, stop, send } = keeper()
    send(name)
    stop()
    await clock.advance(999)
    expect([send(name), heard, raised]).toEqual([true, [name], []])
    await clock.advance(1)
    send(name)
    expect([heard, raised, send(name)]).toEqual([[name], [name], false])
  })

  it('is not the same as another one, which ends that keeper at once', () => {
    const { stop, send } = keeper()
    send('SIGTERM')
    stop()
    expect([send('SIGINT'), send('SIGTERM')]).toEqual([false, true])
  })
})
