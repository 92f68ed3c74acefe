/** An open port, and who keeps it. */
import type { AnyPortMappingError } from '../../domain/errors.js'
import { type Clock, dateOf } from '../../net/clock.js'
import { within } from '../gateway/call-limit.js'
import type { Call } from '../where.js'
import type { ClosedPort, OpenPort } from './open-port.js'
import type { Part, PartChange } from './part.js'
import { type Endpoint, type PortChange, PortChanges } from './port-changes.js'
import type { PortSession } from './port-session.js'

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

  get failures(): readonly AnyPortMappingError[] {
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
    return this.#closed === undefined && opened.length > 0 && opened.every(({ session, part }) => session.isOpen(part))
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
