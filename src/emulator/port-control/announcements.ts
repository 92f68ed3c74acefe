/** Announcements: a gateway says unasked that a new epoch begins, and repeats it because datagrams get lost. */
import type { Clock } from '../../net/clock.js'

export interface Announcement {
  /** Makes each repetition, because the epoch time in it goes on. */
  readonly message: (nowMs: number) => Uint8Array
  readonly times: number
  /** Each wait after this one is twice as long as the one before. */
  readonly firstWaitMs: number
}

/** RFC 6886 3.2.1: ten times, the second one after 250 ms. */
export const NAT_PMP_ANNOUNCING = { times: 10, firstWaitMs: 250 } as const
/** RFC 6887 14.1 requires no particular number. */
export const PCP_ANNOUNCING = { times: 3, firstWaitMs: 500 } as const

/** Sends the first one at once. @returns a function that stops the repetition */
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
