/** The keeper's events -> what is open now. */
import { transportProtocolOf } from '../../domain/port-mapping.js'
import type { KeeperEvent } from '../../keeper/kept.js'
import type { HeldEither, KeptEither } from '../../keeper/kept-pinhole.js'

/** One port that is open. */
export interface PortState {
  readonly protocol: string
  readonly externalPort: number
  readonly internalPort: number
  readonly internalClient: string
  /** When its lease ends; undefined if it has no end. */
  readonly endsWallMs: number | undefined
}

export class KeptPorts {
  readonly #kept: readonly KeptEither[]
  readonly #open = new Map<KeptEither, PortState>()
  /** Each port as it last was, even if it is not open now. */
  readonly #known = new Map<KeptEither, PortState>()
  /** Each port of which it is not clear yet whether it can be had. */
  readonly #unclear: Set<KeptEither>
  /** Each port that another one shares, which is on another number now: both together were never open. */
  readonly #split = new Set<KeptEither>()
  readonly #wereThere = new Set<KeptEither>()
  readonly #sharing: Sharing
  #externalAddress: string | undefined
  /** A pinhole translates nothing: its external address is the internal one. */
  #isPinhole = false
  #hasGateway = false

  constructor(kept: readonly KeptEither[]) {
    this.#kept = kept
    this.#unclear = new Set(kept)
    this.#sharing = sharingAmong(kept)
  }

  hear(event: KeeperEvent<HeldEither>, nowWallMs: number): void {
    switch (event.type) {
      case 'mapped':
      case 'renewed':
      case 'restored': {
        const port = portStateOf(event.held, nowWallMs)
        this.#isPinhole = 'pinhole' in event.held
        this.#open.set(event.kept, port)
        this.#known.set(event.kept, port)
        this.#unclear.delete(event.kept)
        this.#split.delete(event.kept)
        this.#splitFrom(event.kept, port)
        if ('mapping' in event.held && event.held.wasThere) this.#wereThere.add(event.kept)
        else this.#wereThere.delete(event.kept)
        return
      }
      case 'failed':
        this.#unclear.delete(event.kept)
        return
      case 'lost':
      case 'removed':
        this.#open.delete(event.kept)
        this.#unclear.add(event.kept)
        return
      case 'gateway-lost': // nobody knows whether they are still open
        this.#open.clear()
        for (const kept of this.#known.keys()) this.#unclear.add(kept)
        this.#hasGateway = false
        return
      case 'moved':
        this.#open.clear()
        for (const kept of this.#known.keys()) this.#unclear.add(kept)
        this.#externalAddress = event.externalAddress ?? this.#externalAddress
        return
      case 'found':
        this.#hasGateway = true
        return
      case 'external-address':
        this.#externalAddress = event.address
    }
  }

  get facts(): KeepFacts {
    return this.#factsOf(this.#open)
  }

  get areAllOpen(): boolean {
    return this.#open.size === this.#kept.length
  }

  /**
   * Whether it is clear what became of every port: each is open, or has failed. So a restart of the router is one change.
   * A port that has failed and has never been open does not have to fail again after a restart.
   */
  get isClear(): boolean {
    return this.#unclear.size === 0
  }

  /** Whether there is a gateway to ask: without one nothing becomes clear. */
  get hasGateway(): boolean {
    return this.#hasGateway
  }

  /** What the hook should know. A lost port counts as it last was: the hook does not hear about losses. */
  get lastKnown(): KeepFacts {
    return this.#factsOf(new Map([...this.#known].filter(([kept]) => !this.#split.has(kept))))
  }

  /** Those that share that port and are still on another one are not open any more, as far as is known. */
  #splitFrom(kept: KeptEither, { externalPort }: PortState): void {
    for (const other of this.#sharing(kept)) {
      const known = this.#known.get(other)
      if (known === undefined || known.externalPort === externalPort) continue
      this.#open.delete(other)
      this.#unclear.add(other)
      this.#split.add(other)
    }
  }

  /** The open mappings that were already there before: they stay open at the end. */
  get thatWereThere(): readonly KeptEither[] {
    return this.#kept.filter((kept) => this.#wereThere.has(kept) && this.#open.has(kept))
  }

  /** The port as it last was. */
  portOf(kept: KeptEither): PortState | undefined {
    return this.#known.get(kept)
  }

  /** All ports as they last were, in the order in which they were asked for; undefined for a port that was never open. */
  get known(): KeepFacts['ports'] {
    return this.#factsOf(this.#known).ports
  }

  #factsOf(of: ReadonlyMap<KeptEither, PortState>): KeepFacts {
    const ports = this.#kept.map((each) => of.get(each))
    const first = ports.find((port) => port !== undefined)
    return { externalAddress: this.#isPinhole ? first?.internalClient : this.#externalAddress, ports }
  }
}

/** The others that share an external port with it. */
export type Sharing = (kept: KeptEither) => readonly KeptEither[]

export function sharingAmong(all: readonly KeptEither[]): Sharing {
  const groups = new Map<KeptEither, KeptEither[]>(all.map((kept) => [kept.samePortAs ?? kept, []]))
  const groupOf = (kept: KeptEither): KeptEither[] => groups.get(kept.samePortAs ?? kept) ?? []
  for (const kept of all) groupOf(kept).push(kept)
  return (kept) => groupOf(kept).filter((each) => each !== kept)
}

export interface KeepFacts {
  readonly externalAddress: string | undefined
  /** In the order of the command line; undefined for a port that is not open. */
  readonly ports: readonly (PortState | undefined)[]
}

/** What the gateway granted -> the open port. */
export function portStateOf(held: HeldEither, nowWallMs: number): PortState {
  const endsWallMs = Number.isFinite(held.leaseMs) ? nowWallMs + held.leaseMs : undefined
  if ('mapping' in held) {
    const { protocol, externalPort = 0, internalPort = 0, internalClient } = held.mapping
    return { protocol, externalPort, internalPort, internalClient, endsWallMs }
  }
  const { internalClient, internalPort, protocol } = held.pinhole
  const name = transportProtocolOf(protocol) ?? String(protocol)
  return { protocol: name, externalPort: internalPort, internalPort, internalClient, endsWallMs }
}

export function opened({ ports }: KeepFacts): readonly PortState[] {
  return ports.filter((port) => port !== undefined)
}
