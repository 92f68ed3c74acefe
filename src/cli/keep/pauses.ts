/** Pauses between attempts to tell others on this computer what is open. Nobody is spared by varying them at random. */

const FIRST_MS = 1000
const LONGEST_MS = 30_000

/** Milliseconds: they double up to half a minute. */
export function* growingPauses(): Generator<number, never> {
  for (let pauseMs = FIRST_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_MS)) yield pauseMs
}
