/**
 * What a PCP and a NAT-PMP gateway do alike: to both a mapping is its inside, a suggested port is no more than that, and
 * the epoch tells when everything was lost. How a mapping is asked for and removed is for each.
 */
import { hostAndPort } from '../../domain/address.js'
import { InvalidArgumentError, NotConfirmedError, PortMappingError, TransportError } from '../../domain/errors.js'
import type { MappingToRemove, PinholeOpener, PortControlGateway } from '../../domain/gateway.js'
import {
  flawOf,
  isPort,
  type Lease,
  type MappingKey,
  type MappingRequest,
  type PortMapping,
  type TransportProtocol,
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

/** What a gateway has granted: a mapping of which everything is known. */
export type GrantedMapping = PortMapping & {
  readonly externalPort: number
  readonly internalPort: number
  readonly protocol: TransportProtocol
  readonly leaseSeconds: number
}

export abstract class PortControlGatewayBase implements PortControlGateway {
  abstract readonly protocol: 'pcp' | 'nat-pmp'
  abstract readonly pinholes: PinholeOpener | undefined
  readonly localAddress: string
  protected readonly options: PortControlOptions
  /** As far as it is known. */
  protected knownExternalAddress: string | undefined
  #epochSeconds: number
  #beganWallMs: number

  constructor(options: PortControlOptions) {
    this.options = options
    this.localAddress = options.localAddress
    this.knownExternalAddress = options.externalAddress
    this.#epochSeconds = options.epochSeconds
    this.#beganWallMs = beganWallMs(options.net, options.epochSeconds)
  }

  get address(): string {
    return this.options.endpoint.address
  }

  get port(): number {
    return this.options.endpoint.port
  }

  get epochSeconds(): number {
    return this.#epochSeconds
  }

  abstract externalAddress(): Promise<string>

  abstract pulse(): Promise<{ readonly externalAddress: string | undefined }>

  /** Neither protocol can ask about a mapping without making it. */
  find(): Promise<'untold'> {
    return Promise.resolve('untold')
  }

  abstract map(request: MappingRequest): Promise<PortMapping>

  async mapAny(request: MappingRequest): Promise<PortMapping> {
    return this.#remember(await this.grant(request))
  }

  async remembers({ externalPort, protocol }: MappingKey): Promise<boolean> {
    return (await this.options.memory.recall({ externalPort, protocol })) !== undefined
  }

  async unmap(mapping: MappingToRemove): Promise<void> {
    refuseFlawedOrAny(mapping)
    const inside = await insideOf(mapping, this.options)
    await this.refuseToRemove({ ...mapping, ...inside })
    await this.#remove({ ...mapping, ...inside })
  }

  /** What the gateway makes of the request, whatever external port that is. @throws PortMappingError */
  protected abstract grant(request: MappingRequest): Promise<GrantedMapping>

  /** @throws InvalidArgumentError where the protocol would do more than was meant, or cannot do it */
  protected abstract refuseToRemove(mapping: Required<MappingToRemove>): Promise<void>

  /** Asks for the removal of that inside. @throws PortMappingError */
  protected abstract askToRemove(mapping: Required<MappingToRemove>): Promise<unknown>

  /** Asks for a mapping that has been removed with another one. @throws PortMappingError */
  protected abstract askAgain(other: RememberedMapping): Promise<unknown>

  /** To be told of every reply. */
  protected learnEpoch(epochSeconds: number): void {
    this.#epochSeconds = epochSeconds
    this.#beganWallMs = beganWallMs(this.options.net, epochSeconds)
  }

  /**
   * The port that was asked for and no other: what was granted instead is taken back, unless it was there before.
   * `action` names the request. @throws NotConfirmedError, for another port may be free
   */
  protected async onlyThat(request: MappingRequest, granted: GrantedMapping, action: string): Promise<PortMapping> {
    if (granted.externalPort === request.externalPort) return this.#remember(granted)
    const known = await this.#outsidesOf(granted)
    const wasThere = known.some(({ externalPort }) => externalPort === granted.externalPort)
    const failure = wasThere ? undefined : await this.#remove(granted).then(() => undefined, asFailure)
    throw otherPortGiven(request, granted, this.options.endpoint, { action, stillOpen: failure })
  }

  async #remove(mapping: Required<MappingToRemove>): Promise<void> {
    const known = await this.#outsidesOf(mapping)
    await removeOne(
      known.filter((each) => each.externalPort !== mapping.externalPort),
      () => this.askToRemove(mapping),
      (other) => this.askAgain(other),
      () => this.options.memory.forget(mapping),
    )
  }

  /** The external ports of an inside, as far as they are remembered and the gateway has not lost them since. */
  #outsidesOf({ protocol, ...inside }: Required<MappingToRemove>): Promise<readonly RememberedMapping[]> {
    return this.options.memory.outsidesOf(protocol, inside, this.#beganWallMs)
  }

  async #remember(granted: GrantedMapping): Promise<PortMapping> {
    const { protocol, externalPort, internalPort, internalClient, leaseSeconds, remoteHost } = granted
    const { memory } = this.options
    await memory.remember({ protocol, externalPort, internalPort, internalClient, leaseSeconds, remoteHost })
    return granted
  }
}

function asFailure(error: unknown): PortMappingError {
  if (error instanceof PortMappingError) return error
  throw error
}

/**
 * The gateway has mapped another external port than the one that was asked for and no other. `stillOpen`: why what it has
 * mapped could not be taken back.
 */
function otherPortGiven(
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
async function insideOf(
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
function beganWallMs({ clock }: Pick<ExchangeNet, 'clock'>, epochSeconds: number): number {
  return clock.wallMs() - epochSeconds * 1000 * CLOCK_SLACK - EPOCH_SLACK_MS
}

/**
 * Closes one external port of an inside, and no other. To both protocols a mapping is its inside, and where a gateway has
 * several external ports of one (miniupnpd), it removes all of them (NAT-PMP) or the newest (PCP): so all are removed, and
 * the others made again. @throws PortMappingError
 */
async function removeOne(
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
