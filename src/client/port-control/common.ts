/** What PCP and NAT-PMP have in common: what a gateway object is made of, leases, and an external port asked for exactly. */
import { hostAndPort } from '../../domain/address.js'
import { InvalidArgumentError, NotConfirmedError, PortMappingError, TransportError } from '../../domain/errors.js'
import type { MappingToRemove } from '../../domain/gateway.js'
import {
  flawOf,
  isPort,
  type Lease,
  type MappingKey,
  type MappingRequest,
  type PortMapping,
} from '../../domain/port-mapping.js'
import type { Endpoint } from '../../net/datagrams.js'
import { RECOMMENDED_LIFETIME_SECONDS } from '../../wire/natpmp.js'
import type { ExchangeNet } from './exchange.js'
import type { MappingMemory, RememberedMapping } from './mapping-memory.js'
import type { NonceSource } from './mapping-nonce.js'

/** A gateway that has answered once is given so long for a request: five sendings. */
export const EXCHANGE_TIMEOUT_MS = 7750

export interface PortControlOptions {
  readonly net: ExchangeNet
  readonly endpoint: Endpoint
  /** This computer's address on the way to it. */
  readonly localAddress: string
  readonly epochSeconds: number
  /** Where it is known already. */
  readonly externalAddress?: string | undefined
  readonly memory: MappingMemory
  readonly nonces: NonceSource
  /** This computer's addresses. */
  readonly ownAddresses: () => readonly string[]
  /** From 0 to 1. */
  readonly random: () => number
}

/** RFC 6886 3.3: 7200 s. Lease 0 is never sent for "unlimited": it would delete. */
export function lifetimeOf(lease: Lease): number {
  return lease === 'unlimited' ? RECOMMENDED_LIFETIME_SECONDS : lease.seconds
}

/** External port 0 is any port here, and no port to map but one to ask for. @throws InvalidArgumentError */
export function refuseFlawedOrAny(request: MappingKey & Partial<MappingRequest>): void {
  const flaw = flawOf(request.externalPort === 0 ? { ...request, externalPort: 1 } : request)
  if (flaw !== undefined) throw new InvalidArgumentError(flaw)
}

/**
 * The gateway has mapped another external port than the one that was asked for and no other. `stillOpen`: why what it has
 * mapped could not be taken back.
 */
export function otherPortGiven(
  request: MappingRequest,
  mapping: PortMapping,
  endpoint: Endpoint,
  { action, stillOpen }: { readonly action: string; readonly stillOpen: PortMappingError | undefined },
): NotConfirmedError {
  const offered =
    `external port ${request.externalPort} ${request.protocol} cannot be had: ${hostAndPort(endpoint)} offered ` +
    `${mapping.externalPort} instead; -n takes what it offers`
  const rest =
    stillOpen === undefined ? '' : `; ${mapping.externalPort} is open and could not be closed: ${stillOpen.message}`
  return new NotConfirmedError(mapping, offered + rest, { action, belongsToAnother: true })
}

/** The inside of a mapping whose outside is known. @throws InvalidArgumentError where that would be all of them */
export async function insideOf(
  { externalPort, protocol, internalClient, internalPort }: MappingToRemove,
  { memory, localAddress }: Pick<PortControlOptions, 'memory' | 'localAddress'>,
): Promise<{ internalClient: string; internalPort: number }> {
  const known = internalPort === undefined ? await memory.recall({ externalPort, protocol }) : undefined
  const inside = {
    internalClient: internalClient ?? known?.internalClient ?? localAddress,
    internalPort: internalPort ?? known?.internalPort ?? externalPort,
  }
  // External port 0 is no inside, and internal port 0 would remove all there are (RFC 6886 3.4, RFC 6887 15).
  if (!isPort(inside.internalPort)) throw new InvalidArgumentError('to unmap external port 0, give the internal port')
  return inside
}

/** The epoch is in whole seconds, and the gateway's clock may run a thousandth faster than ours. */
const EPOCH_SLACK_MS = 1000
const CLOCK_SLACK = 1.001

/** When a gateway lost its state last, by the epoch that it tells now: what was made before that it does not have. */
export function beganWallMs({ clock }: Pick<ExchangeNet, 'clock'>, epochSeconds: number): number {
  return clock.wallMs() - epochSeconds * 1000 * CLOCK_SLACK - EPOCH_SLACK_MS
}

/**
 * Closes one external port of an inside, and no other. To both protocols a mapping is its inside, and where a gateway has
 * several external ports of one (miniupnpd), it removes all of them (NAT-PMP) or the newest (PCP): so all are removed, and
 * the others made again. @throws PortMappingError
 */
export async function removeOne(
  others: readonly RememberedMapping[],
  remove: () => Promise<unknown>,
  makeAgain: (other: RememberedMapping) => Promise<unknown>,
  onRemoved: () => Promise<unknown>,
): Promise<void> {
  await remove()
  await onRemoved()
  for (const _ of others) await remove().catch(passOver)
  let failure: Error | undefined
  for (const other of others) failure = (await makeAgain(other).then(noFailure, lostWith(other))) ?? failure
  if (failure !== undefined) throw failure
}

function noFailure(): undefined {}

function lostWith({ externalPort, protocol }: RememberedMapping): (cause: unknown) => Error {
  return (cause) => {
    passOver(cause)
    const reason = cause instanceof Error ? cause.message : ''
    const lost = `external port ${externalPort} ${protocol}, which leads to the same place, was closed too and could not be opened again`
    return new TransportError(`${lost}: ${reason}`, { cause })
  }
}

/** For what is done in passing: that it failed is no reason to fail. */
export function passOver(error: unknown): void {
  if (!(error instanceof PortMappingError)) throw error
}
