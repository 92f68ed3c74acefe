/**
 * What ends a request that is under way: its time, or its caller's signal. (An AbortController for each request, as
 * deadlineAfter has it, is what a listing of hundreds of entries would spend a good part of its time on.)
 */
import type { Clock } from '../clock.js'

export interface RequestLimit {
  /** Why it has to end, once it has. */
  readonly ended: { readonly reason: Error } | undefined
  /** Called when it has to end; for one listener. */
  onEnd: () => void
  /** Must be called, or the timer keeps the process alive. */
  dispose(): void
}

export function limitOf(clock: Clock, timeoutMs: number, reason: () => Error, signal?: AbortSignal): RequestLimit {
  let ended: RequestLimit['ended'] = signal?.aborted ? { reason: signal.reason } : undefined
  const end = (why: Error): void => {
    ended ??= { reason: why }
    limit.onEnd()
  }
  const cancel = clock.schedule(timeoutMs, () => end(reason()))
  const onAbort = (): void => end(signal?.reason)
  signal?.addEventListener('abort', onAbort, { once: true })
  const limit: RequestLimit = {
    get ended() {
      return ended
    },
    onEnd: () => {},
    dispose() {
      cancel()
      signal?.removeEventListener('abort', onAbort)
    },
  }
  return limit
}
