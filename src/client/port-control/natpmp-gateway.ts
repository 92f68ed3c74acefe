/** A NAT-PMP gateway as a Gateway. (RFC 6886 3) */
import { InvalidArgumentError, inWords, MalformedMessageError, RefusedError } from '../../domain/errors.js'
import type { AskOptions, MappingToRemove } from '../../domain/gateway.js'
import { isPort, type MappingRequest, type PortMapping } from '../../domain/port-mapping.js'
import {
  decodeNatPmpResponse,
  encodeNatPmpRequest,
  NAT_PMP_RESULTS,
  type NatPmpRequest,
  type NatPmpResponse,
  natPmpOpcode,
  natPmpResultName,
} from '../../wire/natpmp.js'
import type { RememberedMapping } from '../mapping-memory.js'
import { exchange, natPmpWaits } from './exchange.js'
import {
  EXCHANGE_TIMEOUT_MS,
  endsWithLease,
  type GrantedMapping,
  lifetimeOf,
  PortControlGatewayBase,
  refuseFlawedOrAny,
} from './gateway-base.js'

const ACTIONS = { 'external-address-request': 'external address request', 'map-request': 'mapping request' } as const

type MapResponse = Extract<NatPmpResponse, { readonly kind: 'map-response' }>
/** External port 0 is any port. A lease of 0 s removes the mapping. */
type Wanted = Omit<RememberedMapping, 'remoteHost'>

export class NatPmpGateway extends PortControlGatewayBase {
  readonly protocol = 'nat-pmp'
  /** NAT-PMP has no IPv6. */
  readonly pinholes = undefined

  until(signal: AbortSignal | undefined): NatPmpGateway {
    return new NatPmpGateway(this.optionsUntil(signal), this.known)
  }

  async externalAddress(): Promise<string> {
    if (this.known.externalAddress !== undefined) return this.known.externalAddress
    const response = await this.#request({ kind: 'external-address-request' })
    if (response.kind !== 'external-address-response') throw unexpected(response)
    this.known.externalAddress = response.externalAddress
    return response.externalAddress
  }

  async pulse(): Promise<{ readonly externalAddress: string | undefined }> {
    this.known.externalAddress = undefined
    try {
      return { externalAddress: await this.externalAddress() }
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error // the gateway is there, and not connected
      return { externalAddress: undefined }
    }
  }

  /** NAT-PMP cannot ask for one port and no other. */
  async map(request: MappingRequest, options?: AskOptions): Promise<PortMapping> {
    if (request.externalPort === 0) return this.mapAny(request)
    return this.onlyThat(request, await this.grant(request), ACTIONS['map-request'], options)
  }

  /** Internal port 0 asks for the same port inside and outside: so do gateways of VPNs, and no standard. */
  protected async grant(request: MappingRequest): Promise<GrantedMapping> {
    refuseFlawedOrAny(request.internalPort === 0 ? { ...request, internalPort: 1 } : request)
    const { protocol, internalPort, externalPort, internalClient, remoteHost, lease } = request
    this.#refuseOthers(internalClient, remoteHost)
    const leaseSeconds = lifetimeOf(lease)
    const ask = (suggested: number): Promise<MapResponse> =>
      this.#askMap({ protocol, internalClient, internalPort, externalPort: suggested, leaseSeconds })
    const granted = await ask(externalPort).catch((error: unknown) => {
      // MikroTik RouterOS gives no port if none is suggested (tailscale#13785).
      const noneSuggested = error instanceof RefusedError && externalPort === 0
      if (noneSuggested && error.number === NAT_PMP_RESULTS.outOfResources) return ask(internalPort)
      throw error
    })
    const { mappedExternalPort, lifetimeSeconds } = granted
    if (!isPort(mappedExternalPort) || lifetimeSeconds === 0) throw unexpected(granted)
    const inside = {
      internalPort: internalPort || mappedExternalPort,
      internalClient,
      enabled: true,
      description: '',
      leaseSeconds: lifetimeSeconds,
    }
    return { remoteHost, externalPort: mappedExternalPort, protocol, ...inside }
  }

  protected grantNoOther(request: MappingRequest): Promise<GrantedMapping> {
    return this.grant(request)
  }

  protected async refuseToRemove(mapping: Required<MappingToRemove>): Promise<void> {
    this.#refuseOthers(mapping.internalClient, mapping.remoteHost)
    const known = await this.options.memory.recall(mapping)
    if (known?.internalPort === 0) throw endsWithLease(mapping)
  }

  /** RFC 6886 3.4: a removal has lifetime 0 and suggests external port 0. */
  protected ask(mapping: RememberedMapping): Promise<unknown> {
    return this.#askMap(mapping.leaseSeconds === 0 ? { ...mapping, externalPort: 0 } : mapping)
  }

  /** RFC 6886 3.3: a mapping is for the address from which it is asked for. */
  #refuseOthers(internalClient: string, remoteHost: string): void {
    const wrong = ![this.localAddress, ...this.options.ownAddresses()].includes(internalClient)
      ? `opens ports for the computer that asks (${this.localAddress}) and not for ${internalClient}`
      : remoteHost === ''
        ? undefined
        : 'cannot limit a port to one remote host'
    if (wrong !== undefined)
      throw inWords(
        ({ via }) => `NAT-PMP ${wrong}; ${via('igd')} and ${via('pcp')} may`,
        (text) => new InvalidArgumentError(text),
      )
  }

  async #askMap({ protocol, internalClient, internalPort, externalPort, leaseSeconds }: Wanted): Promise<MapResponse> {
    const ports = { internalPort, suggestedExternalPort: externalPort, lifetimeSeconds: leaseSeconds }
    const response = await this.#request({ kind: 'map-request', protocol, ...ports }, internalClient)
    if (response.kind !== 'map-response') throw unexpected(response)
    return response
  }

  /** @throws RefusedError, NoReplyError, TransportError */
  async #request(request: NatPmpRequest, localAddress = this.localAddress): Promise<NatPmpResponse> {
    const { net, endpoint } = this.options
    const response = await exchange(net, {
      remote: endpoint,
      localAddress,
      action: ACTIONS[request.kind],
      encode: () => encodeNatPmpRequest(request),
      accept: (datagram) => {
        const answer = decodeNatPmpResponse(datagram)
        try {
          return responseTo(request, answer)
        } catch (refusal) {
          // It has the epoch too (RFC 6886 3.5). Without it a router whose line is down would seem to stand still.
          this.learnEpoch(answer.epochSeconds)
          throw refusal
        }
      },
      waits: request.kind === 'map-request' ? this.unlessRemoved(request, natPmpWaits()) : natPmpWaits(),
      timeoutMs: EXCHANGE_TIMEOUT_MS,
    })
    this.learnEpoch(response.epochSeconds)
    return response
  }
}

/** Undefined if it is not the response to that request. @throws RefusedError */
export function responseTo(request: NatPmpRequest, response: NatPmpResponse): NatPmpResponse | undefined {
  const isMap = request.kind === 'map-request'
  switch (response.kind) {
    case 'external-address-response':
      return isMap ? undefined : response
    case 'map-response':
      return isMap && response.protocol === request.protocol && isOfInside(request, response) ? response : undefined
    case 'error-response': {
      const { opcode, resultCode, internalPort } = response
      if (opcode !== natPmpOpcode(request)) return undefined
      if (isMap && internalPort !== undefined && internalPort !== request.internalPort) return undefined
      const [action, standardName] = [ACTIONS[request.kind], natPmpResultName(resultCode)]
      throw new RefusedError({ protocol: 'nat-pmp', action, number: resultCode, standardName, hasEpoch: true })
    }
  }
}

/** RFC 6886 3.3: the response has the internal port of the request. For port 0 a gateway may name the port it gave. */
function isOfInside({ internalPort }: { readonly internalPort: number }, response: MapResponse): boolean {
  if (response.internalPort === internalPort) return true
  return internalPort === 0 && response.internalPort === response.mappedExternalPort
}

function unexpected(response: NatPmpResponse): MalformedMessageError {
  const action = ACTIONS['map-request']
  return new MalformedMessageError('a response with a port and a lifetime', JSON.stringify(response), { action })
}
