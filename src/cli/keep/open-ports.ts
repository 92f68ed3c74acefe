/** What the keeper tells -> what is open now, and what a hook is to know. */

import type { KeeperEvent } from '../../keeper/kept.js'
import type { HeldEither, KeptEither } from '../../keeper/kept-either.js'
import type { OpenPort } from '../report.js'
import { type KeepFacts, openPortOf } from './facts.js'

export class KeptPorts {
  readonly #kept: readonly KeptEither[]
  readonly #open = new Map<KeptEither, OpenPort>()
  /** What was open last, also where it is not now. */
  readonly #known = new Map<KeptEither, OpenPort>()
  readonly #failing = new Set<KeptEither>()
  readonly #wereThere = new Set<KeptEither>()
  #externalAddress: string | undefined
  /** Where there is no translation, the address outside is the one inside. */
  #isPinhole = false

  constructor(kept: readonly KeptEither[]) {
    this.#kept = kept
  }

  hear(event: KeeperEvent<HeldEither>, nowWallMs: number): void {
    switch (event.type) {
      case 'mapped':
      case 'renewed':
      case 'restored': {
        const port = openPortOf(event.held, nowWallMs)
        this.#isPinhole = 'pinhole' in event.held
        this.#open.set(event.kept, port)
        this.#known.set(event.kept, port)
        this.#failing.delete(event.kept)
        if ('mapping' in event.held && event.held.wasThere) this.#wereThere.add(event.kept)
        else this.#wereThere.delete(event.kept)
        return
      }
      case 'failed':
        this.#failing.add(event.kept)
        return
      case 'lost':
      case 'removed':
        this.#open.delete(event.kept)
        this.#failing.delete(event.kept)
        return
      case 'gateway-lost': // whether they are still there nobody knows
        this.#open.clear()
        this.#failing.clear()
        return
      case 'external-address':
        this.#externalAddress = event.address
    }
  }

  get facts(): KeepFacts {
    return this.#factsOf(this.#open)
  }

  get areAllOpen(): boolean {
    return this.#kept.every((each) => this.#open.has(each))
  }

  /**
   * For the hook: undefined until all were open once, and while it is not clear what becomes of one, so that a restart of
   * the router is one change. One that is lost counts as it was: of that a hook does not hear.
   */
  get settled(): KeepFacts | undefined {
    const isSettled = this.#kept.every((each) => this.#open.has(each) || this.#failing.has(each))
    return isSettled && this.#kept.every((each) => this.#known.has(each)) ? this.#factsOf(this.#known) : undefined
  }

  /** What is open and was so before: it is left open at the end. */
  get thatWereThere(): readonly KeptEither[] {
    return this.#kept.filter((kept) => this.#wereThere.has(kept) && this.#open.has(kept))
  }

  /** What it was last. */
  portOf(kept: KeptEither): OpenPort | undefined {
    return this.#known.get(kept)
  }

  #factsOf(of: ReadonlyMap<KeptEither, OpenPort>): KeepFacts {
    const ports = this.#kept.map((each) => of.get(each))
    const first = ports.find((port) => port !== undefined)
    return { externalAddress: this.#isPinhole ? first?.internalClient : this.#externalAddress, ports }
  }
}
