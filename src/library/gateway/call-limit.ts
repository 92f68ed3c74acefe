/** Bounds one call: by the signal of whoever calls, and by its time. */
import { setMaxListeners } from 'node:events'
import { InvalidArgumentError, NoReplyError } from '../../domain/errors.js'
import { type Clock, deadlineAfter } from '../../net/clock.js'
import type { Call } from '../where.js'

/**
 * Does the work. When the signal aborts, or the time is over, the promise is rejected at once, and so is the work, as
 * soon as it asks the next question. `late` says what did not come in time. @throws the reason of the signal; NoReplyError
 */
export async function within<T>(
  clock: Clock,
  { signal, timeoutMs }: Call,
  late: string,
  work: (signal: AbortSignal | undefined) => Promise<T>,
): Promise<T> {
  if (timeoutMs !== undefined && !(timeoutMs > 0))
    throw new InvalidArgumentError(`timeoutMs: ${timeoutMs} is not a number of milliseconds above 0`)
  signal?.throwIfAborted()
  if (signal === undefined && timeoutMs === undefined) return work(undefined)
  if (signal !== undefined) setMaxListeners(0, signal) // many calls may share one, and Node warns of the eleventh
  const outOfTime = (): Error => new NoReplyError(`${late} within ${timeoutMs} ms`)
  const limit = deadlineAfter(clock, timeoutMs ?? Number.POSITIVE_INFINITY, outOfTime, signal)
  try {
    return await new Promise<T>((resolve, reject) => {
      limit.signal.addEventListener('abort', () => reject(limit.signal.reason), { once: true })
      work(limit.signal).then(resolve, (error: unknown) => reject(limit.signal.aborted ? limit.signal.reason : error))
    })
  } finally {
    limit.dispose()
  }
}
