/**
 * What PCP and NAT-PMP gateways have in common. Both know a mapping by its inside, both take the external port as a
 * mere suggestion, and the epoch of both tells when they lost everything.
 */
import { hostAndPort } from '../../domain/address.js'
import {
  InvalidArgumentError,
  inWords,
  isPortTaken,
  PortMappingError,
  PortTakenError,
  TransportError,
} from '../../domain/errors.js'
import type { AskOptions, MappingToRemove, PinholeOpener, PortControlGateway } from '../../domain/gateway.js'
import {
  flawOf,
  isPort,
  type Lease,
  type MappingKey,
  type MappingRequest,
  type PortMapping,
  type TransportProtocol,
} from '../../domain/port-mapping.js'
import { DYNAMIC_PORTS, FIRST_DYNAMIC_PORT } from '../../domain/ports.js'
import type { Words } from '../../domain/words.js'
import { RECOMMENDED_LIFETIME_SECONDS } from '../../wire/natpmp.js'
import type { MappingMemory, RememberedMapping } from '../mapping-memory.js'
import type { ExchangeNet } from './exchange.js'
import type { NonceSource } from './mapping-nonce.js'
import type { PortControlAnswer } from './probe.js'

/** The time that a gateway gets for a request once it has answered one: five sendings. */
export const EXCHANGE_TIMEOUT_MS = 7750

export interface PortControlOptions extends Pick<PortControlAnswer, 'endpoint' | 'localAddress' | 'epochSeconds'> {
  readonly net: ExchangeNet
  /** If it is known already. */
  readonly externalAddress?: string | undefined
  readonly memory: MappingMemory
  readonly nonces: NonceSource
  /** This computer's addresses. */
  readonly ownAddresses: () => readonly string[]
  /** From 0 to 1. */
  readonly random: () => number
}

/** RFC 6886 3.3: 7200 s for "unlimited". Lease 0 would delete. */
export function lifetimeOf(lease: Lease): number {
  return lease === 'unlimited' ? RECOMMENDED_LIFETIME_SECONDS : lease.seconds
}

/** Here external port 0 asks for any port. @throws InvalidArgumentError */
export function refuseFlawedOrAny(request: MappingKey & Partial<MappingRequest>): void {
  const flaw = flawOf(request.externalPort === 0 ? { ...request, externalPort: 1 } : request)
  if (flaw !== undefined) throw new InvalidArgumentError(flaw)
}

/** A mapping that a gateway has granted: everything about it is known. */
export type GrantedMapping = PortMapping & {
  readonly externalPort: number
  readonly internalPort: number
  readonly protocol: TransportProtocol
  readonly leaseSeconds: number
}

interface AskedFor {
  readonly protocol: number | string
  readonly internalAddress?: string
  readonly internalPort: number
  /** 0 removes. */
  readonly lifetimeSeconds: number
}

/** RFC 6887 11.1: no mapping lives for a shorter time. */
export const SHORTEST_LIFETIME_SECONDS = 120

/** A port that nobody uses. It is not Discard: port 9 is also Wake-on-LAN's, which people do map. */
export function unusedPort(random: () => number): number {
  return FIRST_DYNAMIC_PORT + Math.floor(random() * DYNAMIC_PORTS)
}

/** What is known of a gateway, however long it is asked each time. */
export interface KnownOfGateway {
  externalAddress: string | undefined
  epochSeconds: number
  beganWallMs: number
  /** How many removals of each inside have been sent. */
  readonly removals: Map<string, number>
  /** A PCP server that does not know PREFER_FAILURE. */
  lacksPreferFailure?: boolean
}

export abstract class PortControlGatewayBase implements PortControlGateway {
  abstract readonly protocol: 'pcp' | 'nat-pmp'
  abstract readonly pinholes: PinholeOpener | undefined
  readonly address: string
  readonly port: number
  readonly localAddress: string
  protected readonly options: PortControlOptions
  protected readonly known: KnownOfGateway

  constructor(options: PortControlOptions, known?: KnownOfGateway) {
    this.options = options
    this.address = options.endpoint.address
    this.port = options.endpoint.port
    this.localAddress = options.localAddress
    const { epochSeconds, externalAddress } = options
    const beganAtMs = beganWallMs(options.net, epochSeconds)
    this.known = known ?? { epochSeconds, beganWallMs: beganAtMs, externalAddress, removals: new Map() }
  }

  /** The same gateway, whose requests end with that signal in place of the one that ends the search. */
  abstract until(signal: AbortSignal | undefined): PortControlGatewayBase

  protected optionsUntil(signal: AbortSignal | undefined): PortControlOptions {
    return { ...this.options, net: { ...this.options.net, signal } }
  }

  get epochSeconds(): number {
    return this.known.epochSeconds
  }

  get #beganWallMs(): number {
    return this.known.beganWallMs
  }

  abstract externalAddress(): Promise<string>

  abstract pulse(): Promise<{ readonly externalAddress: string | undefined }>

  /** Neither protocol can ask about a mapping without making one. */
  find(): Promise<'untold'> {
    return Promise.resolve('untold')
  }

  abstract map(request: MappingRequest, options?: AskOptions): Promise<PortMapping>

  async mapAny(request: MappingRequest, options?: AskOptions): Promise<PortMapping> {
    return this.#remember(await this.grant(request, options), request)
  }

  async remembers({ externalPort, protocol }: MappingKey): Promise<boolean> {
    return (await this.options.memory.recall({ externalPort, protocol })) !== undefined
  }

  async unmap(mapping: MappingToRemove): Promise<void> {
    refuseFlawedOrAny(mapping)
    const whole = { ...mapping, ...(await insideOf(mapping, this.options)) }
    await this.refuseToRemove(whole)
    await this.#remove(whole)
  }

  /** The port is mapped for a moment, from an inside that nobody uses. */
  async isFree({ externalPort, protocol }: Pick<MappingKey, 'externalPort' | 'protocol'>): Promise<boolean | 'untold'> {
    const internalPort = unusedPort(this.options.random)
    const inside = { internalClient: this.localAddress, internalPort, description: '', remoteHost: '' }
    try {
      const lease = { seconds: SHORTEST_LIFETIME_SECONDS }
      const granted = await this.grantNoOther({ externalPort, protocol, ...inside, lease })
      await this.ask({ ...granted, leaseSeconds: 0 }).catch(passOver)
      return granted.externalPort === externalPort
    } catch (error) {
      return isPortTaken(asFailure(error)) ? false : 'untold'
    }
  }

  /** What the gateway grants, whatever external port that is. @throws PortMappingError */
  protected abstract grant(request: MappingRequest, options?: AskOptions): Promise<GrantedMapping>

  /** The same, but it would rather have none than another one, if the protocol can say that. */
  protected abstract grantNoOther(request: MappingRequest, options?: AskOptions): Promise<GrantedMapping>

  /** @throws InvalidArgumentError if the protocol would remove more than was meant, or cannot remove it */
  protected abstract refuseToRemove(mapping: Required<MappingToRemove>): Promise<void>

  /** Asks for that mapping. A lease of 0 s removes whatever has that inside. @throws PortMappingError */
  protected abstract ask(mapping: RememberedMapping): Promise<unknown>

  /** The waits between the packets of one request. They end once a removal of the same inside has been sent. */
  protected *unlessRemoved(
    { protocol, internalAddress = '', internalPort, lifetimeSeconds }: AskedFor,
    waits: Iterable<number>,
  ): Generator<number, void> {
    const inside = `${protocol} ${internalAddress} ${internalPort}`
    const sent = this.known.removals
    if (lifetimeSeconds === 0) sent.set(inside, (sent.get(inside) ?? 0) + 1)
    const removals = sent.get(inside)
    for (const wait of waits) {
      if (sent.get(inside) !== removals) return
      yield wait
    }
  }

  /** Called with the epoch of every reply. */
  protected learnEpoch(epochSeconds: number): void {
    this.known.epochSeconds = epochSeconds
    this.known.beganWallMs = beganWallMs(this.options.net, epochSeconds)
  }

  /**
   * Accepts only the port that was asked for. Another one is closed again, unless it was open before: then another
   * program or keeper may hold it. `action` names the request. @throws NotConfirmedError: another port may be free
   */
  protected async onlyThat(
    request: MappingRequest,
    granted: GrantedMapping,
    action: string,
    { mayBeMade = false }: AskOptions = {},
  ): Promise<PortMapping> {
    const isKept = request.internalPort === 0
    if (granted.externalPort === request.externalPort || isKept) await this.#remember(granted, request)
    if (granted.externalPort === request.externalPort) return granted
    await this.#forgetIfLost(request, granted)
    const wasThere = !isKept && !mayBeMade && (await this.#wasThere(request, granted))
    const failure = wasThere || isKept ? undefined : await this.#remove(granted).then(() => undefined, asFailure)
    const { externalPort, protocol } = request
    const rather = ({ anyPort }: Words): string =>
      isKept ? `that one ends with its lease in ${granted.leaseSeconds} s` : `${anyPort} takes what it offers`
    const who = hostAndPort(this.options.endpoint)
    const { internalClient, internalPort } = granted
    const whose = internalClient === this.localAddress ? 'this computer' : internalClient
    const offered = wasThere
      ? `${who} has port ${internalPort} of ${whose} open at ${granted.externalPort} already`
      : `${who} offered ${granted.externalPort} instead`
    const rest =
      failure === undefined ? '' : `; ${granted.externalPort} is open and could not be closed: ${failure.message}`
    const message = (words: Words): string =>
      `external port ${externalPort} ${protocol} is not available: ${offered}; ${rather(words)}${rest}`
    const isClosedAgain = failure === undefined && !isKept
    const facts = { action, protocol: this.protocol, isClosedAgain }
    throw inWords(message, (text) => new PortTakenError(granted, text, facts))
  }

  /**
   * Whether the inside had the granted port before it was asked for another one. This user's mappings are remembered.
   * Of others neither protocol tells, but if the port that was asked for is free, there is no other reason.
   */
  async #wasThere(request: MappingRequest, granted: GrantedMapping): Promise<boolean> {
    const known = await this.#outsidesOf(granted)
    if (known.some(({ externalPort }) => externalPort === granted.externalPort)) return true
    return (await this.isFree(request)) === true
  }

  /**
   * Closes one external port of an inside, and no other. If a gateway has several external ports for one inside
   * (miniupnpd), it removes all of them (NAT-PMP) or the newest (PCP). So all are removed, and the others are made
   * again.
   * @throws PortMappingError
   */
  async #remove(mapping: Required<MappingToRemove>): Promise<void> {
    const known = await this.#outsidesOf(mapping)
    const others = known.filter((each) => each.externalPort !== mapping.externalPort)
    const remove = (): Promise<unknown> => this.ask({ ...mapping, leaseSeconds: 0 })
    await remove()
    await this.options.memory.forget(mapping)
    for (const _ of others) await remove().catch(passOver)
    const failures: TransportError[] = []
    for (const other of others) {
      await this.ask(other).catch((cause: unknown) => failures.push(closedToo(other, cause)))
    }
    const failure = failures.at(-1)
    if (failure !== undefined) throw failure
  }

  /** The external ports of an inside that are remembered, and that the gateway has not lost since. */
  #outsidesOf({ protocol, ...inside }: Required<MappingToRemove>): Promise<readonly RememberedMapping[]> {
    return this.options.memory.outsidesOf(protocol, inside, this.#beganWallMs)
  }

  /** If another port is given in its place, the one that was asked for is not ours any more, whatever is remembered. */
  async #forgetIfLost(request: MappingRequest, granted: GrantedMapping): Promise<void> {
    const { externalPort, protocol, internalClient, internalPort } = request
    const { memory } = this.options
    if (externalPort === 0 || granted.externalPort === externalPort) return
    const known = await memory.recall({ externalPort, protocol })
    const isSameInside = known?.internalClient === internalClient && known.internalPort === internalPort
    if (isSameInside) await memory.forget({ externalPort, protocol })
  }

  /** The inside is remembered as it was asked for. */
  async #remember(granted: GrantedMapping, request: MappingRequest): Promise<PortMapping> {
    await this.#forgetIfLost(request, granted)
    const { internalPort } = request
    const { protocol, externalPort, internalClient, leaseSeconds, remoteHost } = granted
    const { memory, ownAddresses } = this.options
    const isForThisComputer = internalClient === this.localAddress || ownAddresses().includes(internalClient)
    const inside = { internalPort, internalClient, isForThisComputer, description: request.description }
    await memory.remember({ protocol, externalPort, ...inside, leaseSeconds, remoteHost }, this.#beganWallMs)
    return granted
  }
}

function asFailure(error: unknown): PortMappingError {
  if (error instanceof PortMappingError) return error
  throw error
}

/** The inside of a mapping whose outside is known. @throws InvalidArgumentError if it would stand for all mappings */
async function insideOf(
  { externalPort, protocol, internalClient, internalPort }: MappingToRemove,
  { memory, localAddress }: Pick<PortControlOptions, 'memory' | 'localAddress'>,
): Promise<{ internalClient: string; internalPort: number }> {
  const known = internalPort === undefined ? await memory.recall({ externalPort, protocol }) : undefined
  const inside = {
    internalClient: internalClient ?? known?.internalClient ?? localAddress,
    internalPort: internalPort ?? known?.internalPort ?? externalPort,
  }
  // Internal port 0 would remove every mapping (RFC 6886 3.4, RFC 6887 15).
  if (known?.internalPort === 0) throw endsWithLease({ externalPort, protocol })
  if (!isPort(inside.internalPort)) throw new InvalidArgumentError('to unmap external port 0, give the internal port')
  return inside
}

/** The refusal to remove what was mapped for internal port 0. */
export function endsWithLease({ externalPort, protocol }: Pick<MappingKey, 'externalPort' | 'protocol'>) {
  const why = 'its deletion would close every port that this computer has opened over NAT-PMP'
  return new InvalidArgumentError(`external port ${externalPort} ${protocol} ends with its lease: ${why}`)
}

/** The epoch is in whole seconds, and the gateway's clock may be faster than ours by a thousandth. */
const EPOCH_SLACK_MS = 1000
const CLOCK_SLACK = 1.001

/** When a gateway last lost its state, by the epoch that it reports now. Older mappings are gone. */
export function beganWallMs({ clock }: Pick<ExchangeNet, 'clock'>, epochSeconds: number): number {
  return clock.wallMs() - epochSeconds * 1000 * CLOCK_SLACK - EPOCH_SLACK_MS
}

function closedToo({ externalPort, protocol }: RememberedMapping, error: unknown): TransportError {
  const cause = asFailure(error)
  const lost = `external port ${externalPort} ${protocol}, which leads to the same place, was closed too`
  return new TransportError(`${lost} and could not be opened again: ${cause.message}`, { cause })
}

/** For side work: only a defect is an error then. */
export function passOver(error: unknown): void {
  asFailure(error)
}
