/** A gateway that answers searches late. A router may wait for as long as the MX of the search says (UDA 1.1 1.3.3). */
import { InvalidArgumentError } from '../../domain/errors.js'
import type { Quirk } from '../../domain/quirk.js'
import type { Hooks } from './hooks.js'

/** Longer than anybody listens. With the limit of searches per second, it bounds how many answers can be waiting. */
const MAX_SEARCH_DELAY_MS = 60_000

/** @throws InvalidArgumentError */
export function lateSearch({ delayMs }: Extract<Quirk, { name: 'late-search' }>): Hooks {
  if (!(delayMs >= 0 && delayMs <= MAX_SEARCH_DELAY_MS))
    throw new InvalidArgumentError(`late-search: the delay must be 0 to ${MAX_SEARCH_DELAY_MS} ms: ${delayMs}`)
  return { searchDelayMs: delayMs }
}
