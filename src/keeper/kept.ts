/**
 * What is kept alive, and what the keeper tells. A port mapping and a pinhole are kept in the same way: made, renewed,
 * looked for, removed.
 */
import type { PortMappingError } from '../domain/errors.js'
import type { Gateway } from '../domain/gateway.js'

/** Something that a gateway has granted. */
export interface Held {
  /** From now on; Infinity where it does not end. */
  readonly leaseMs: number
  /** Where it was learnt on the way. */
  readonly externalAddress?: string | undefined
}

export type Presence =
  | 'there'
  | 'gone'
  /** It leads to another computer now: that one's is not touched. */
  | 'taken'
  /** The protocol has no such question; to ask for it again is the way. */
  | 'untold'

/** `G` is what it is kept on, `H` what that grants. */
export interface Kept<H extends Held = Held, G extends Gateway = Gateway> {
  /** For people: `external port 22 TCP`. */
  readonly name: string
  /** @throws PortMappingError */
  make(gateway: G): Promise<H>
  /** The same again, with a new lease. @throws PortMappingError, LostInRenewal */
  renew(gateway: G, held: H): Promise<H>
  /** @throws PortMappingError */
  find(gateway: G, held: H): Promise<Presence>
  /** Whether it is still what is wanted; where it is not, to renew it is the way. */
  isCurrent?(gateway: G, held: H): boolean
  /**
   * Only what it made itself, and also what it asked for and got no answer to (then `held` may be undefined).
   * Returns whether there was something of that kind. `onAnswer` is told of answers on the way. @throws PortMappingError
   */
  remove(gateway: G, held: H | undefined, onAnswer: () => void): Promise<boolean>
}

export type KeeperEvent<H extends Held = Held> =
  /** Told once, when there is nothing to ask; the keeper goes on looking. */
  | { readonly type: 'searching'; readonly error: PortMappingError }
  | { readonly type: 'found'; readonly gateway: Gateway }
  | { readonly type: 'mapped'; readonly kept: Kept<H>; readonly held: H; readonly gateway: Gateway }
  | { readonly type: 'renewed'; readonly kept: Kept<H>; readonly held: H }
  | { readonly type: 'lost'; readonly kept: Kept<H>; readonly reason: LossReason }
  | { readonly type: 'restored'; readonly kept: Kept<H>; readonly held: H; readonly afterMs: number }
  | { readonly type: 'failed'; readonly kept: Kept<H>; readonly error: PortMappingError; readonly againInMs: number }
  | { readonly type: 'external-address'; readonly address: string; readonly previous: string | undefined }
  | { readonly type: 'gateway-lost'; readonly error: PortMappingError }
  | { readonly type: 'removed'; readonly kept: Kept<H> }
  | { readonly type: 'not-removed'; readonly kept: Kept<H>; readonly error: PortMappingError }

export type LossReason =
  /** The gateway says that it began anew. */
  | 'gateway-restarted'
  /** It does not show it any more, or it had to be closed to be renewed and could not be made again. */
  | 'gone'
  | 'taken'
  /** Its lease is over, and it could not be renewed. */
  | 'expired'
