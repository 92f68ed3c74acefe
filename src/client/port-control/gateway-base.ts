/**
 * What a PCP and a NAT-PMP gateway do alike: to both a mapping is its inside, a suggested port is no more than that, and
 * the epoch tells when everything was lost. How a mapping is asked for and removed is for each.
 */
import { PortMappingError } from '../../domain/errors.js'
import type { MappingToRemove, PinholeOpener, PortControlGateway } from '../../domain/gateway.js'
import type { MappingKey, MappingRequest, PortMapping, TransportProtocol } from '../../domain/port-mapping.js'
import {
  beganWallMs,
  insideOf,
  otherPortGiven,
  type PortControlOptions,
  refuseFlawedOrAny,
  removeOne,
} from './common.js'
import type { RememberedMapping } from './mapping-memory.js'

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
