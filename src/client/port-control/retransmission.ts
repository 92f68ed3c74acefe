/**
 * How long to wait after each sending of a request before the next, in milliseconds: pure generators. Both begin at
 * 250 ms, also for PCP, whose 3 s (RFC 6887 8.1.1) would keep a person waiting for one lost datagram.
 */

export const FIRST_WAIT_MS = 250
/** RFC 6886 3.1: then the gateway does not speak it. */
const NAT_PMP_SENDINGS = 9
/** RFC 6887 8.1.1: MRT. */
const PCP_LONGEST_WAIT_MS = 1_024_000

/** RFC 6886 3.1: 250 ms, doubling, nine times. */
export function* natPmpWaits(): Generator<number, void> {
  for (let sent = 0; sent < NAT_PMP_SENDINGS; sent++) yield FIRST_WAIT_MS * 2 ** sent
}

/** RFC 6887 8.1.1: RT = (1 + RAND) * MIN(2 * RTprev, MRT), RAND from -0.1 to 0.1; without an end. */
export function* pcpWaits(random: () => number = Math.random): Generator<number, void> {
  let previousMs = FIRST_WAIT_MS / 2
  for (;;) {
    const jitter = 0.9 + random() * 0.2
    previousMs = jitter * Math.min(2 * previousMs, PCP_LONGEST_WAIT_MS)
    yield previousMs
  }
}
