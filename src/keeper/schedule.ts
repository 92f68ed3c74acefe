/**
 * When to renew, when to try again, and whether a gateway has lost its state: pure. Times are milliseconds.
 *
 * Renewals follow RFC 6887 11.2.1 for every protocol: at a random moment between 1/2 and 5/8 of the lease, then between
 * 3/4 and 3/4 + 1/16, then between 7/8 and 7/8 + 1/32, and so on, never closer to each other than 4 s.
 */

/** RFC 6887 11.2.1. */
export const CLOSEST_RENEWALS_MS = 4000

/**
 * Offsets from the moment when the lease was given, until it is over: none of one that does not end. The first one is no
 * closer to that moment either, unless the lease is over by then: one is always there.
 */
export function* renewalTimes(leaseMs: number, random: () => number): Generator<number, void> {
  let previousMs = leaseMs > CLOSEST_RENEWALS_MS ? 0 : Number.NEGATIVE_INFINITY
  for (let step = 1; ; step++) {
    const [start, width] = [1 - 2 ** -step, 2 ** -(step + 2)]
    const at = leaseMs * (start + width * random())
    const atMs = Math.max(at, previousMs + CLOSEST_RENEWALS_MS)
    if (!(atMs < leaseMs)) return
    yield atMs
    previousMs = atMs
  }
}

const FIRST_PAUSE_MS = 1000
const LONGEST_PAUSE_MS = 30_000

/** Between two attempts at what was refused or not answered: doubling, with a tenth of chance, up to half a minute. */
export function retryPauses(random: () => number): Generator<number, never> {
  return growingPauses(2, random)
}

/** Between two searches: none is longer than about a tenth of the time for which the gateway has been gone. */
export function searchPauses(random: () => number): Generator<number, never> {
  return growingPauses(1.1, random)
}

function* growingPauses(factor: number, random: () => number): Generator<number, never> {
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * factor, LONGEST_PAUSE_MS)) {
    yield pauseMs * (0.9 + 0.2 * random())
  }
}

/** What a gateway said of its epoch, and when it was heard. */
export interface Epoch {
  readonly seconds: number
  readonly heardMs: number
}

/**
 * Whether a gateway has kept its state between two messages. PCP (RFC 6887 8.5): neither clock may have run more than a
 * sixteenth faster than the other, give or take 2 s, and the epoch may go back by 1 s. NAT-PMP (RFC 6886 3.6): the epoch
 * may be behind 7/8 of the time that has passed by 2 s.
 */
export function hasKeptState(protocol: 'pcp' | 'nat-pmp', previous: Epoch, current: Epoch): boolean {
  const clientSeconds = Math.floor((current.heardMs - previous.heardMs) / 1000)
  if (protocol === 'nat-pmp') return current.seconds >= previous.seconds + Math.floor((clientSeconds * 7) / 8) - 2
  if (current.seconds < previous.seconds - 1) return false
  const serverSeconds = Math.max(0, current.seconds - previous.seconds)
  const slower = (seconds: number): number => seconds - Math.floor(seconds / 16)
  return clientSeconds + 2 >= slower(serverSeconds) && serverSeconds + 2 >= slower(clientSeconds)
}
