/** What a gateway says unasked when its epoch begins, several times over, because datagrams get lost. */
import type { Clock } from '../../net/clock.js'

export interface Announcement {
  /** Made anew every time: the epoch has gone on. */
  readonly message: (nowMs: number) => Uint8Array
  readonly times: number
  /** Doubled every time. */
  readonly firstWaitMs: number
}

/** RFC 6886 3.2.1: ten times, the second one after 250 ms. */
export const NAT_PMP_ANNOUNCING = { times: 10, firstWaitMs: 250 } as const
/** RFC 6887 14.1 says no number that has to be kept. */
export const PCP_ANNOUNCING = { times: 3, firstWaitMs: 500 } as const

/** The first one at once. @returns what stops it */
export function announce(
  { message, times, firstWaitMs }: Announcement,
  clock: Clock,
  send: (message: Uint8Array) => void,
): () => void {
  let cancel = (): void => {}
  const sendFrom = (nth: number): void => {
    send(message(clock.monotonicMs()))
    if (nth + 1 < times) cancel = clock.schedule(firstWaitMs * 2 ** nth, () => sendFrom(nth + 1))
  }
  sendFrom(0)
  return () => cancel()
}
