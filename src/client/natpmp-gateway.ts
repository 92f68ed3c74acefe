/** A NAT-PMP gateway as a Gateway. (RFC 6886 3) */
import { InvalidArgumentError, MalformedMessageError, RefusedError } from '../domain/errors.js'
import type { MappingToRemove, PortControlGateway } from '../domain/gateway.js'
import {
  isPort,
  type MappingKey,
  type MappingRequest,
  type PortMapping,
  type TransportProtocol,
} from '../domain/port-mapping.js'
import {
  decodeNatPmpResponse,
  encodeNatPmpRequest,
  NAT_PMP_RESULTS,
  type NatPmpRequest,
  type NatPmpResponse,
  natPmpOpcode,
  natPmpResultName,
} from '../wire/natpmp.js'
import { exchange } from './exchange.js'
import {
  beganWallMs,
  EXCHANGE_TIMEOUT_MS,
  insideOf,
  lifetimeOf,
  otherPortGiven,
  outsidesOf,
  type PortControlOptions,
  passOver,
  refuseFlawedOrAny,
  removeOne,
} from './port-control.js'
import { natPmpWaits } from './retransmission.js'

const ACTIONS = { 'external-address-request': 'external address request', 'map-request': 'mapping request' } as const

type MapRequest = Extract<NatPmpRequest, { readonly kind: 'map-request' }>
type MapResponse = Extract<NatPmpResponse, { readonly kind: 'map-response' }>

export class NatPmpGateway implements PortControlGateway {
  readonly protocol = 'nat-pmp'
  readonly localAddress: string
  /** NAT-PMP is of IPv4. */
  readonly pinholes = undefined
  readonly #options: PortControlOptions
  #epochSeconds: number
  #beganWallMs: number
  #externalAddress: string | undefined

  constructor(options: PortControlOptions) {
    this.#options = options
    this.localAddress = options.localAddress
    this.#epochSeconds = options.epochSeconds
    this.#beganWallMs = beganWallMs(options.net, options.epochSeconds)
    this.#externalAddress = options.externalAddress
  }

  get address(): string {
    return this.#options.endpoint.address
  }

  get port(): number {
    return this.#options.endpoint.port
  }

  get epochSeconds(): number {
    return this.#epochSeconds
  }

  async externalAddress(): Promise<string> {
    if (this.#externalAddress !== undefined) return this.#externalAddress
    const response = await this.#ask({ kind: 'external-address-request' })
    if (response.kind !== 'external-address-response') throw unexpected(response)
    this.#externalAddress = response.externalAddress
    return response.externalAddress
  }

  async map(request: MappingRequest): Promise<PortMapping> {
    if (request.externalPort === 0) return this.mapAny(request)
    const mapping = await this.#map(request)
    if (mapping.externalPort === request.externalPort) {
      await this.#remember(mapping)
      return mapping
    }
    // It has no way to ask for one port and no other.
    const outside = { ...request, externalPort: mapping.externalPort ?? 0 }
    const known = await outsidesOf(request, this.#options, this.#beganWallMs)
    const wasThere = known.some(({ externalPort }) => externalPort === outside.externalPort)
    if (!wasThere) await this.#removeOne(outside).catch(passOver)
    throw otherPortGiven(request, mapping, this.#options.endpoint, ACTIONS['map-request'])
  }

  async mapAny(request: MappingRequest): Promise<PortMapping> {
    const mapping = await this.#map(request)
    await this.#remember(mapping)
    return mapping
  }

  async remembers({ externalPort, protocol }: MappingKey): Promise<boolean> {
    return (await this.#options.memory.recall({ externalPort, protocol })) !== undefined
  }

  async unmap(mapping: MappingToRemove): Promise<void> {
    refuseFlawedOrAny(mapping)
    const inside = await insideOf(mapping, this.#options)
    this.#refuseOthers(inside.internalClient, mapping.remoteHost)
    await this.#removeOne({ ...mapping, ...inside })
  }

  async #map(request: MappingRequest): Promise<PortMapping> {
    refuseFlawedOrAny(request)
    const { protocol, internalPort, externalPort, internalClient, remoteHost, lease } = request
    this.#refuseOthers(internalClient, remoteHost)
    const lifetimeSeconds = lifetimeOf(lease)
    const ask = (suggestedExternalPort: number): Promise<MapResponse> =>
      this.#askMap(
        { kind: 'map-request', protocol, internalPort, suggestedExternalPort, lifetimeSeconds },
        internalClient,
      )
    const granted = await ask(externalPort).catch((error: unknown) => {
      // MikroTik RouterOS has none to give where none is suggested (tailscale#13785).
      const noneSuggested = error instanceof RefusedError && externalPort === 0
      if (noneSuggested && error.number === NAT_PMP_RESULTS.outOfResources) return ask(internalPort)
      throw error
    })
    const { mappedExternalPort, lifetimeSeconds: leaseSeconds } = granted
    if (!isPort(mappedExternalPort) || leaseSeconds === 0) throw unexpected(granted)
    const inside = { internalPort, internalClient, enabled: true, description: '', leaseSeconds }
    return { remoteHost, externalPort: mappedExternalPort, protocol, ...inside }
  }

  /** RFC 6886 3.3: a mapping is for the host that asks, and for the address that it asks from. */
  #refuseOthers(internalClient: string, remoteHost: string): void {
    const wrong = ![this.localAddress, ...this.#options.ownAddresses()].includes(internalClient)
      ? `opens ports for the computer that asks (${this.localAddress}) and not for ${internalClient}`
      : remoteHost === ''
        ? undefined
        : 'cannot limit a port to one remote host'
    if (wrong !== undefined) throw new InvalidArgumentError(`NAT-PMP ${wrong}; --via igd and --via pcp may`)
  }

  /** RFC 6886 3.4: lifetime 0, suggested external port 0. */
  async #removeOne(mapping: Required<MappingToRemove>): Promise<void> {
    const { externalPort, protocol, internalPort, internalClient } = mapping
    const known = await outsidesOf(mapping, this.#options, this.#beganWallMs)
    const ask = (suggestedExternalPort: number, lifetimeSeconds: number): Promise<MapResponse> =>
      this.#askMap(
        { kind: 'map-request', protocol, internalPort, suggestedExternalPort, lifetimeSeconds },
        internalClient,
      )
    await removeOne(
      known.filter((each) => each.externalPort !== externalPort),
      () => ask(0, 0),
      (other) => ask(other.externalPort, other.leaseSeconds),
      () => this.#options.memory.forget(mapping),
    )
  }

  async #remember({ externalPort = 0, internalPort = 0, leaseSeconds = 0, ...mapping }: PortMapping): Promise<void> {
    const protocol: TransportProtocol = mapping.protocol === 'TCP' ? 'TCP' : 'UDP'
    const { internalClient, remoteHost } = mapping
    const remembered = { protocol, externalPort, internalPort, internalClient, leaseSeconds, remoteHost }
    await this.#options.memory.remember(remembered)
  }

  async #askMap(request: MapRequest, localAddress: string): Promise<MapResponse> {
    const response = await this.#ask(request, localAddress)
    if (response.kind !== 'map-response') throw unexpected(response)
    return response
  }

  /** @throws RefusedError, NoReplyError, TransportError */
  async #ask(request: NatPmpRequest, localAddress = this.localAddress): Promise<NatPmpResponse> {
    const { net, endpoint } = this.#options
    const response = await exchange(net, {
      remote: endpoint,
      localAddress,
      action: ACTIONS[request.kind],
      encode: () => encodeNatPmpRequest(request),
      accept: (datagram) => responseTo(request, decodeNatPmpResponse(datagram)),
      waits: natPmpWaits(),
      timeoutMs: EXCHANGE_TIMEOUT_MS,
    })
    this.#epochSeconds = response.epochSeconds
    this.#beganWallMs = beganWallMs(this.#options.net, response.epochSeconds)
    return response
  }
}

/** Undefined where it is not the response to that request. @throws RefusedError */
export function responseTo(request: NatPmpRequest, response: NatPmpResponse): NatPmpResponse | undefined {
  const isMap = request.kind === 'map-request'
  switch (response.kind) {
    case 'external-address-response':
      return isMap ? undefined : response
    case 'map-response':
      return isMap && response.protocol === request.protocol && response.internalPort === request.internalPort
        ? response
        : undefined
    case 'error-response': {
      const { opcode, resultCode, internalPort } = response
      if (opcode !== natPmpOpcode(request)) return undefined
      if (isMap && internalPort !== undefined && internalPort !== request.internalPort) return undefined
      const [action, standardName] = [ACTIONS[request.kind], natPmpResultName(resultCode)]
      throw new RefusedError({ protocol: 'nat-pmp', action, number: resultCode, standardName })
    }
  }
}

function unexpected(response: NatPmpResponse): MalformedMessageError {
  const action = ACTIONS['map-request']
  return new MalformedMessageError('a response with a port and a lifetime', JSON.stringify(response), { action })
}
