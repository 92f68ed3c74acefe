/**
 * The quirk `late-search`: the gateway answers searches late. A router may wait as many seconds as the MX header of the
 * search allows (UDA 1.1 1.3.3).
 */
import { InvalidArgumentError } from '../../domain/errors.js'
import type { Quirk } from '../../domain/quirk.js'
import type { Hooks } from './hooks.js'

/** Longer than any client listens. This and the limit of searches per second bound how many answers can wait. */
const MAX_SEARCH_DELAY_MS = 60_000

/** @throws InvalidArgumentError */
export function lateSearch({ delayMs }: Extract<Quirk, { name: 'late-search' }>): Hooks {
  if (!(delayMs >= 0 && delayMs <= MAX_SEARCH_DELAY_MS))
    throw new InvalidArgumentError(`late-search: the delay must be 0 to ${MAX_SEARCH_DELAY_MS} ms: ${delayMs}`)
  return { searchDelayMs: delayMs }
}
