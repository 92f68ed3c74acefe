/** An open port, as a program has it in hand. */
/// <reference lib="esnext.disposable" preserve="true" />
import type { AnyPortMappingError } from '../../domain/errors.js'
import type { Endpoint, LeftOpen, PortChange } from './port-changes.js'

/** What close() has done. */
export interface ClosedPort {
  /**
   * What was open until now. What was not there any more is in neither of the two: its lease was over, the router has
   * restarted, or somebody else has removed it, which PCP and NAT-PMP do not tell.
   */
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
  readonly failures: readonly AnyPortMappingError[]
  /** Of the first endpoint. Undefined if the router does not tell it. */
  readonly externalAddress?: string | undefined
  /** Of the first endpoint. */
  readonly externalPort: number
  /**
   * Whether all endpoints are open now, as far as is known. With `keep: false` nobody looks after them: then they count
   * as open until their leases end (`endsAt`), or until close().
   */
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
   * Closes what this open port has opened, and nothing else. What another open port of this program shares stays open, and
   * so does what was open before. It may be called again, and has the same result. It never rejects. It resolves within
   * 2 s; with a router that is slower, the removal goes on after that.
   */
  close(): Promise<ClosedPort>
}
