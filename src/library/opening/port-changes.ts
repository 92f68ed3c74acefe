/** What becomes of an open port, told to whoever listens. */
import type { AnyPortMappingError } from '../../domain/errors.js'
import { ignore } from '../../domain/ignored.js'
import type { GatewayProtocol, TransportProtocol } from '../../domain/port-mapping.js'

/** One way in: an external port of the router that leads to a port of a computer, or a pinhole in its IPv6 firewall. */
export interface Endpoint {
  /** 4 for a port mapping, 6 for a pinhole in the IPv6 firewall (WANIPv6FirewallControl:1, or RFC 6887 over IPv6). */
  readonly family: 4 | 6
  readonly protocol: TransportProtocol
  /** The protocol in which the router was asked. */
  readonly via: GatewayProtocol
  /** Undefined if the router does not tell it. A pinhole translates nothing, so it is the internal client. */
  readonly externalAddress?: string
  readonly externalPort: number
  readonly internalPort: number
  /** The address of the computer to which it leads. */
  readonly internalClient: string
  /** Whether the internet can reach the external address: false behind another router that translates addresses. */
  readonly isPublic: boolean
  /** When the lease ends, if nobody renews it. Undefined if it has no end. */
  readonly endsAt?: Date
}

/** What may still be open after close(). */
export interface LeftOpen {
  readonly endpoint: Endpoint
  /** Why, in words for people. */
  readonly why: string
  /** If it was to be removed, and that failed. */
  readonly error?: AnyPortMappingError
}

/** What has happened to an open port. */
export type PortChange = {
  readonly at: Date
  /** As they are after the change; one that is not open now as it was last. */
  readonly endpoints: readonly Endpoint[]
} & (
  | {
      /**
       * `opened`: one family is open for the first time. `renewed`: its lease was. `lost`: it is not open any more, or
       * nobody knows, and it is opened again as soon as possible. `restored`: it is open again as it was before. `moved`:
       * it is open with another external port or address. `closed`: by close(), and it is the last change.
       */
      readonly type: 'opened' | 'renewed' | 'lost' | 'restored' | 'moved' | 'closed'
    }
  | {
      /** What was asked for was not had, and is asked for again in `retryInMs` whole milliseconds. */
      readonly type: 'failed'
      readonly error: AnyPortMappingError
      readonly retryInMs: number
    }
)

/** How many changes are kept for one reader. */
export const MOST_CHANGES = 64

export class PortChanges {
  readonly #listeners = new Set<(change: PortChange) => void>()
  readonly #readers = new Set<Reader>()
  #isOver = false

  /** Returns what takes the listener off. */
  listen(listener: (change: PortChange) => void): () => void {
    const own = (change: PortChange): void => listener(change) // the same listener may be given twice
    this.#listeners.add(own)
    return () => void this.#listeners.delete(own)
  }

  read(signal: AbortSignal | undefined): AsyncIterableIterator<PortChange> {
    const reader = new Reader(signal, (each) => this.#readers.delete(each))
    if (this.#isOver) reader.end()
    else if (!reader.isOver) this.#readers.add(reader)
    return reader
  }

  tell(change: PortChange): void {
    if (this.#isOver) return
    for (const listener of [...this.#listeners]) callSafely(listener, change)
    for (const reader of [...this.#readers]) reader.add(change)
  }

  end(): void {
    this.#isOver = true
    this.#listeners.clear()
    for (const reader of [...this.#readers]) reader.end()
  }
}

/** Whatever it throws, now or later, costs nothing. */
function callSafely(listener: (change: PortChange) => unknown, change: PortChange): void {
  const onError = (error: unknown): void => ignore('turn', 'a listener of changes', error)
  try {
    Promise.resolve(listener(change)).catch(onError)
  } catch (error) {
    onError(error)
  }
}

class Reader implements AsyncIterableIterator<PortChange> {
  readonly #changes: PortChange[] = []
  readonly #signal: AbortSignal | undefined
  readonly #onEnd: (reader: Reader) => void
  /** Calls of next() without an answer so far. */
  readonly #waiting: PromiseWithResolvers[] = []
  readonly #onAbort = (): void => this.#abort()
  isOver = false
  /** Why it has ended, told once. */
  #failure: { readonly reason: unknown } | undefined

  constructor(signal: AbortSignal | undefined, onEnd: (reader: Reader) => void) {
    this.#signal = signal
    this.#onEnd = onEnd
    if (signal?.aborted) this.#abort()
    else signal?.addEventListener('abort', this.#onAbort, { once: true })
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  add(change: PortChange): void {
    const waiting = this.#waiting.shift()
    if (waiting === undefined) this.#changes.push(change)
    else waiting.resolve({ done: false, value: change })
    if (this.#changes.length <= MOST_CHANGES) return
    // A renewal is the least of news. The last change is never the one that goes.
    const oldRenewal = this.#changes.slice(0, -1).findIndex(({ type }) => type === 'renewed')
    this.#changes.splice(Math.max(0, oldRenewal), 1)
  }

  next(): Promise<IteratorResult<PortChange, undefined>> {
    const change = this.#changes.shift()
    if (change !== undefined) return Promise.resolve({ done: false, value: change })
    const failure = this.#failure
    this.#failure = undefined
    if (failure !== undefined) return Promise.reject(failure.reason)
    if (this.isOver) return Promise.resolve({ done: true, value: undefined })
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }))
  }

  return(): Promise<IteratorResult<PortChange, undefined>> {
    this.#changes.length = 0
    this.end()
    return Promise.resolve({ done: true, value: undefined })
  }

  /** What is kept can still be read. */
  end(): void {
    if (this.isOver) return
    this.isOver = true
    this.#signal?.removeEventListener('abort', this.#onAbort)
    this.#onEnd(this)
    for (const { resolve } of this.#waiting.splice(0)) resolve({ done: true, value: undefined })
  }

  #abort(): void {
    const [first] = this.#waiting.splice(0, 1)
    const reason: unknown = this.#signal?.reason
    if (first === undefined) this.#failure = { reason }
    else first.reject(reason)
    this.#changes.length = 0
    this.end()
  }
}

interface PromiseWithResolvers {
  readonly resolve: (result: IteratorResult<PortChange, undefined>) => void
  readonly reject: (reason: unknown) => void
}
