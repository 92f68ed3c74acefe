/** An open port, as a program has it in hand. */
/// <reference lib="esnext.disposable" preserve="true" />
import type { PortMappingError } from '../../domain/errors.js'
import { type Clock, dateOf } from '../../net/clock.js'
import { within } from '../gateway/call-limit.js'
import type { Call } from '../where.js'
import type { LeftOpen, Part, PartChange } from './part.js'
import { type Endpoint, type PortChange, PortChanges } from './port-changes.js'
import type { PortSession } from './port-session.js'

/** What close() has done. */
export interface ClosedPort {
  readonly removed: Endpoint[]
  /** What may still be open, and why, in words for people. */
  readonly left: LeftOpen[]
}

/**
 * A port that is open, and is kept open until it is closed.
 *
 * @example
 * await using port = await openPort(25565) // closed at the end of the block: TypeScript 5.2, Node 24
 * for await (const change of port.changes()) console.log(change.type, port.externalAddress)
 */
export interface OpenPort extends AsyncDisposable {
  /** One for each protocol and family that is or was open, as it is now, or was last. IPv4 comes first. */
  readonly endpoints: readonly Endpoint[]
  /** Why a family that was asked for is not open now, as far as is known. It is tried again, if the port is kept. */
  readonly failures: readonly PortMappingError[]
  /** Of the first endpoint. Undefined if the router does not tell it. */
  readonly externalAddress?: string | undefined
  /** Of the first endpoint. */
  readonly externalPort: number
  /** Whether all endpoints are open now, as far as is known. */
  readonly isOpen: boolean
  /**
   * What happens from now on. Each call gives an iterator of its own, which keeps at most 64 changes for its reader: of
   * more than that, old renewals go first, and the last change never does. It ends after `closed`. If the signal aborts,
   * it ends with the signal's reason.
   */
  changes(options?: { readonly signal?: AbortSignal }): AsyncIterableIterator<PortChange>
  /** Calls the listener at each change, until the returned function is called. What it throws costs nothing. */
  onChange(listener: (change: PortChange) => void): () => void
  /** From now on the open port does not keep the process alive. */
  unref(): this
  /**
   * Closes what this library has opened, and nothing else. It may be called again, and has the same result. It never
   * rejects. It resolves within 2 s; with a router that is slower, the removal goes on after that.
   */
  close(): Promise<ClosedPort>
}

/** A part of an open port, and who keeps it. */
export interface Place {
  readonly session: PortSession
  readonly part: Part
}

/**
 * Resolves when it is open: all of it, or one family when the other one is decided too. If it rejects, nothing stays open.
 * @throws PortMappingError; the signal's reason
 */
export async function whenOpen(places: readonly Place[], call: Call, clock: Clock): Promise<OpenPort> {
  const port = new KeptOpenPort(places, clock)
  try {
    await within(clock, call, 'the port was not open', () => areDecided(places))
  } catch (error) {
    await port.close()
    throw error
  }
  return port
}

/** @throws PortMappingError if none is open */
async function areDecided(places: readonly Place[]): Promise<void> {
  const errors = await Promise.all(places.map(({ part }) => part.decided))
  const [first] = errors
  if (first !== undefined && !errors.includes(undefined)) throw first
}

class KeptOpenPort implements OpenPort {
  readonly #places: readonly Place[]
  readonly #clock: Clock
  readonly #changes = new PortChanges()
  #closed: Promise<ClosedPort> | undefined

  constructor(places: readonly Place[], clock: Clock) {
    this.#places = places
    this.#clock = clock
    for (const { part } of places) part.onChange = (change) => this.#tell(change)
  }

  get endpoints(): readonly Endpoint[] {
    return this.#places.flatMap(({ part }) => part.endpoints)
  }

  get failures(): readonly PortMappingError[] {
    return this.#places.flatMap(({ part: { error, isOpen } }) => (isOpen ? [] : (error ?? [])))
  }

  get externalAddress(): string | undefined {
    return this.endpoints[0]?.externalAddress
  }

  get externalPort(): number {
    return this.endpoints[0]?.externalPort ?? 0
  }

  get isOpen(): boolean {
    const opened = this.#places.filter(({ part }) => part.endpoints.length > 0)
    return this.#closed === undefined && opened.length > 0 && opened.every(({ part }) => part.isOpen)
  }

  changes({ signal }: { readonly signal?: AbortSignal } = {}): AsyncIterableIterator<PortChange> {
    return this.#changes.read(signal)
  }

  onChange(listener: (change: PortChange) => void): () => void {
    return this.#changes.listen(listener)
  }

  unref(): this {
    for (const { session, part } of this.#places) session.unref(part)
    return this
  }

  close(): Promise<ClosedPort> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #close(): Promise<ClosedPort> {
    const closed = await Promise.all(this.#places.map(({ session, part }) => session.close(part)))
    this.#tell({ type: 'closed' })
    this.#changes.end()
    return { removed: closed.flatMap(({ removed }) => removed), left: closed.flatMap(({ left }) => left) }
  }

  #tell(change: PartChange): void {
    this.#changes.tell({ at: dateOf(this.#clock.wallMs()), endpoints: this.endpoints, ...change })
  }
}
