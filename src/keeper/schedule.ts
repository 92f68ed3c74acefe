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
