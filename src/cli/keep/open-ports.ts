/** The keeper's events -> what is open now, and what the hook should know. */

import type { KeeperEvent } from '../../keeper/kept.js'
import type { HeldEither, KeptEither } from '../../keeper/kept-either.js'
import type { OpenPort } from '../report.js'
import { type KeepFacts, openPortOf } from './facts.js'

export class KeptPorts {
  readonly #kept: readonly KeptEither[]
  readonly #open = new Map<KeptEither, OpenPort>()
  /** Each port as it last was, even if it is not open now. */
  readonly #known = new Map<KeptEither, OpenPort>()
  readonly #failing = new Set<KeptEither>()
  readonly #wereThere = new Set<KeptEither>()
  #externalAddress: string | undefined
  /** A pinhole translates nothing: its external address is the internal one. */
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
      case 'gateway-lost': // nobody knows whether they are still open
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
   * What the hook should know. Undefined until every port has been open once, and while a port is neither open nor
   * failing; so a restart of the router is one change. A lost port counts as it last was: the hook does not hear about
   * losses.
   */
  get settled(): KeepFacts | undefined {
    const isSettled = this.#kept.every((each) => this.#open.has(each) || this.#failing.has(each))
    return isSettled && this.#kept.every((each) => this.#known.has(each)) ? this.#factsOf(this.#known) : undefined
  }

  /** The open mappings that were already there before: they stay open at the end. */
  get thatWereThere(): readonly KeptEither[] {
    return this.#kept.filter((kept) => this.#wereThere.has(kept) && this.#open.has(kept))
  }

  /** The port as it last was. */
  portOf(kept: KeptEither): OpenPort | undefined {
    return this.#known.get(kept)
  }

  #factsOf(of: ReadonlyMap<KeptEither, OpenPort>): KeepFacts {
    const ports = this.#kept.map((each) => of.get(each))
    const first = ports.find((port) => port !== undefined)
    return { externalAddress: this.#isPinhole ? first?.internalClient : this.#externalAddress, ports }
  }
}
