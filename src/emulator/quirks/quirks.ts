/**
 * Quirks: ways in which the emulated gateway misbehaves as real routers do. Each quirk has one file in this folder,
 * which makes its hooks, and one case in the switch below. No other file in the emulator knows the names of quirks.
 */
import type { Quirk } from '../../domain/quirk.js'
import { IGD2, type IgdOffer } from '../igd/offer.js'
import type { Hooks, Operation } from './hooks.js'
import { igd1 } from './igd1.js'
import { lateSearch } from './late-search.js'
import { refuse } from './refuse.js'

export interface Behaviour {
  readonly offer: IgdOffer
  readonly searchDelayMs: number
  readonly refusalOf: (operation: Operation) => number | undefined
}

/**
 * Combines all quirks. Search delays add up. If several quirks refuse the same operation, the first one refuses until
 * it is used up, then the next one.
 * @throws InvalidArgumentError
 */
export function behaviourOf(quirks: readonly Quirk[]): Behaviour {
  const all = quirks.map(hooksOf)
  return {
    offer: all.reduce((offer, hooks) => hooks.offer?.(offer) ?? offer, IGD2),
    searchDelayMs: all.reduce((sum, { searchDelayMs = 0 }) => sum + searchDelayMs, 0),
    refusalOf(operation) {
      for (const { refusalOf } of all) {
        const code = refusalOf?.(operation)
        if (code !== undefined) return code
      }
      return undefined
    },
  }
}

function hooksOf(quirk: Quirk): Hooks {
  switch (quirk.name) {
    case 'igd1':
      return igd1()
    case 'late-search':
      return lateSearch(quirk)
    case 'refuse':
      return refuse(quirk)
  }
}
