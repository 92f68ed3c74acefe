/** What is kept alive, and what the keeper reports. Port mappings and pinholes are kept in the same way. */
import { isUnicastIPv4, isUnicastIPv6 } from '../domain/address.js'
import { MalformedMessageError, NoReplyError, PortMappingError, RefusedError } from '../domain/errors.js'
import type { Gateway } from '../domain/gateway.js'
import { ignore } from '../domain/ignored.js'

/** Something that a gateway has granted. */
export interface Held {
  /** Counts from when it was asked for; Infinity if it does not end. */
  readonly leaseMs: number
  /** Set if the gateway reported its external address on the way. */
  readonly externalAddress?: string | undefined
}

export type Presence =
  | 'there'
  | 'gone'
  /** It leads to another computer now, whose mapping is not touched. */
  | 'taken'
  /** Nobody can tell. Asking for the mapping or pinhole again is safe. */
  | 'untold'
  /** The same, and to ask for it again costs no more than a question would. */
  | 'ask-again'

/** `H` is what a gateway grants. */
export interface Kept<H extends Held = Held> {
  /** For people: `external port 22 TCP`. */
  readonly name: string
  /** The one that is asked for next. To ask for another one is another question. */
  readonly externalPort?: number
  /** `isRepetition`: it was asked for before. @throws PortMappingError */
  make(gateway: Gateway, isRepetition: boolean): Promise<H>
  /**
   * Asks for the same again, with a new lease. `onLost` is called at once if the gateway shows that it is lost.
   * @throws PortMappingError, LostInRenewal
   */
  renew(gateway: Gateway, held: H, onLost: (reason: LossReason) => void): Promise<H>
  /** @throws PortMappingError */
  find(gateway: Gateway, held: H): Promise<Presence>
  /** Whether it is still what is wanted. If not, renew() makes it so. */
  isCurrent?(gateway: Gateway, held: H): boolean
  /** The one on whose external port it is to be. */
  readonly samePortAs?: Kept<H> | undefined
  /** It has made something that it will remove, or may have: a request without an answer counts. */
  readonly hasMade?: boolean
  /** How long it may last after the end, if it cannot be removed: until its lease is over. */
  readonly leftForMs?: number | undefined
  /**
   * Removes only what it made itself. That includes a request without an answer (then `held` may be undefined).
   * `onAnswer` is called for answers on the way. @throws PortMappingError
   */
  remove(gateway: Gateway, held: H | undefined, onAnswer: () => void): Promise<Removed>
}

/** What became of what it made: `gone` if the gateway shows that it was not there any more. PCP and NAT-PMP do not. */
export type Removed = 'removed' | 'gone' | 'not-own'

export type KeeperEvent<H extends Held = Held> =
  /** Reported once, when there is no gateway to ask. The keeper goes on searching. */
  | { readonly type: 'searching'; readonly error: PortMappingError }
  | { readonly type: 'found'; readonly gateway: Gateway }
  /** A better gateway is used from now on. `closed` is what was closed at the previous one. */
  | {
      readonly type: 'moved'
      readonly gateway: Gateway
      readonly previous: Gateway
      readonly externalAddress: string | undefined
      readonly closed: readonly Kept<H>[]
    }
  | { readonly type: 'mapped'; readonly kept: Kept<H>; readonly held: H; readonly gateway: Gateway }
  /** `isForLook`: before its time, because nobody can be asked whether it is there. */
  | { readonly type: 'renewed'; readonly kept: Kept<H>; readonly held: H; readonly isForLook?: boolean }
  | { readonly type: 'lost'; readonly kept: Kept<H>; readonly reason: LossReason }
  | { readonly type: 'restored'; readonly kept: Kept<H>; readonly held: H; readonly afterMs: number }
  | { readonly type: 'failed'; readonly kept: Kept<H>; readonly error: PortMappingError; readonly againInMs: number }
  /** Told once: the protocol allows no renewal before the lease is over, so there are gaps. */
  | { readonly type: 'lease-too-short'; readonly leaseMs: number; readonly closestMs: number }
  | { readonly type: 'external-address'; readonly address: string; readonly previous: string | undefined }
  | { readonly type: 'gateway-lost'; readonly error: PortMappingError }
  /** `wasGone`: it was not there any more, as far as is known. */
  | { readonly type: 'removed'; readonly kept: Kept<H>; readonly wasGone?: true }
  /** It cannot be removed, and ends with its lease. */
  | { readonly type: 'ends-with-lease'; readonly kept: Kept<H>; readonly endsInMs: number }
  | { readonly type: 'not-removed'; readonly kept: Kept<H>; readonly error: PortMappingError }

export type LossReason =
  /** The gateway's epoch shows that it has restarted. */
  | 'gateway-restarted'
  /** The gateway does not show it any more, or it was closed for a renewal and could not be made again. */
  | 'gone'
  | 'taken'
  /** Its lease ended before it could be renewed. */
  | 'expired'

/** What was closed to be renewed is gone, or may be, and could not be made again. */
export class LostInRenewal extends Error {
  override readonly cause: PortMappingError

  constructor(cause: PortMappingError) {
    super(cause.message)
    this.cause = cause
  }
}

/** Returns whether it was closed: false if the gateway refused. @throws LostInRenewal if nobody knows */
export async function hasClosed(closing: Promise<unknown>): Promise<boolean> {
  try {
    await closing
    return true
  } catch (error) {
    if (error instanceof RefusedError) return false
    throw error instanceof NoReplyError ? new LostInRenewal(error) : error
  }
}

/** Waits until it is made again, after it was closed. @throws LostInRenewal */
export async function madeAgain<T>(making: Promise<T>): Promise<T> {
  try {
    return await making
  } catch (error) {
    throw error instanceof PortMappingError ? new LostInRenewal(error) : error
  }
}

/** Whether the error says something about the gateway, and not only about what it was asked for. */
export function isSignOfTrouble({ code }: PortMappingError): boolean {
  return code === 'NO_REPLY' || code === 'TRANSPORT' || code === 'MALFORMED_MESSAGE'
}

/** Undefined if the answer is of no use, which is a sign of life too. @throws PortMappingError */
export async function pulseOf(gateway: Gateway): Promise<{ readonly externalAddress: string | undefined } | undefined> {
  try {
    return { externalAddress: usable((await gateway.pulse()).externalAddress) }
  } catch (error) {
    if (error instanceof RefusedError || error instanceof MalformedMessageError) return undefined
    throw error
  }
}

/** A defect of ours counts as an answer of no use, so that it costs one thing, named by `about`, and the rest goes on. */
export function failureOf(error: unknown, about: string): PortMappingError {
  if (error instanceof PortMappingError) return error
  ignore('turn', about, error)
  return new MalformedMessageError('an answer that upnp-ts can read', String(error), { cause: error })
}

/** For asking about, or removing, what may already be gone: a refusal is fine. */
export function unlessRefused(error: unknown): undefined {
  if (!(error instanceof RefusedError)) throw error
}

/** Undefined if it cannot be had: the mapping works all the same. PCP reports the address with the mapping. */
export async function externalAddressOf(gateway: Gateway): Promise<string | undefined> {
  try {
    const told = gateway.protocol === 'pcp' ? await gateway.externalAddress() : (await gateway.pulse()).externalAddress
    return usable(told)
  } catch (error) {
    if (error instanceof PortMappingError) return undefined
    throw error
  }
}

/** Some gateways report 0.0.0.0 while the line is down, which is of no use to anybody. */
function usable(address = ''): string | undefined {
  return isUnicastIPv4(address) || isUnicastIPv6(address) ? address : undefined
}
