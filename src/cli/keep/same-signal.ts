/**
 * Takes the same signal twice within a second for one. timeout(1) of coreutils sends each to the program and then to its
 * process group, and the second would end a keeper that closes its ports.
 */
import type { Clock } from '../../net/clock.js'
import type { OnSignal } from '../surroundings.js'

const SAME_MS = 1000

/** The user's program may count these, or read its settings again at each: every one is passed on. */
const MESSAGES: readonly string[] = ['SIGHUP', 'SIGUSR1', 'SIGUSR2']

/**
 * When nobody listens any more, a signal has its default effect again, but not the one that was heard within the last
 * second. `raise` sends a signal to this process.
 */
export function sameWithinASecond(
  onSignal: OnSignal,
  clock: Pick<Clock, 'monotonicMs'>,
  raise: (name: string) => void = (name) => process.kill(process.pid, name),
): OnSignal {
  return (names, listener) => {
    const heardMs = new Map<string, number>()
    let isOver = false
    const isSame = (name: string): boolean => {
      return clock.monotonicMs() - (heardMs.get(name) ?? Number.NEGATIVE_INFINITY) < SAME_MS
    }
    const hear = (name: string): void => {
      if (isSame(name) && (isOver || !MESSAGES.includes(name))) return
      if (isOver) {
        stops.get(name)?.()
        raise(name)
        return
      }
      heardMs.set(name, clock.monotonicMs())
      listener(name)
    }
    const stops = new Map(names.map((name) => [name, onSignal([name], hear)]))
    return () => {
      isOver = true
      for (const [name, stop] of stops) if (!isSame(name)) stop()
    }
  }
}
