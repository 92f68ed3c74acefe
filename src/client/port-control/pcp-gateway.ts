/** A PCP server as a Gateway: MAP for port mappings and for pinholes. (RFC 6887 11, 13, 15) */
import { parseIPv4 } from '../../domain/address.js'
import { InvalidArgumentError, MalformedMessageError, RefusedError } from '../../domain/errors.js'
import type { MappingToRemove, PinholeOpener } from '../../domain/gateway.js'
import { isPort, type MappingRequest, type PortMapping, PROTOCOL_NUMBERS } from '../../domain/port-mapping.js'
import { DYNAMIC_PORTS, FIRST_DYNAMIC_PORT } from '../../domain/ports.js'
import { ANY_ADDRESS } from '../../wire/pcp.js'
import type { PcpOption } from '../../wire/pcp-options.js'
import { PCP_RESULTS } from '../../wire/pcp-result-codes.js'
import {
  EXCHANGE_TIMEOUT_MS,
  type GrantedMapping,
  lifetimeOf,
  PortControlGatewayBase,
  type PortControlOptions,
  passOver,
  refuseFlawedOrAny,
} from './gateway-base.js'
import type { RememberedMapping } from './mapping-memory.js'
import { askMap, filterFor, MAP, type MapAsked, type MapGranted } from './pcp-map.js'
import { PcpPinholes } from './pcp-pinholes.js'
import { probePcp } from './probe.js'

const SHORTEST_LIFETIME_SECONDS = 120

export class PcpGateway extends PortControlGatewayBase {
  readonly protocol = 'pcp'
  readonly pinholes: PinholeOpener | undefined

  constructor(options: PortControlOptions) {
    super(options)
    const isIPv4 = parseIPv4(options.endpoint.address) !== undefined
    this.pinholes = isIPv4 ? undefined : new PcpPinholes((asked) => this.#askMap(asked))
  }

  /** Known from the first mapping on; before that a port is mapped for a moment to learn it (RFC 6887 11.6). */
  async externalAddress(): Promise<string> {
    if (this.knownExternalAddress !== undefined) return this.knownExternalAddress
    // A port that nobody uses, and not Discard: port 9 is also Wake-on-LAN's, which people do map.
    const asked: MapAsked = {
      protocol: PROTOCOL_NUMBERS.UDP,
      internalAddress: this.localAddress,
      internalPort: FIRST_DYNAMIC_PORT + Math.floor(this.options.random() * DYNAMIC_PORTS),
      suggestedExternalPort: 0,
      suggestedExternalAddress: this.#anyAddress(),
      lifetimeSeconds: SHORTEST_LIFETIME_SECONDS,
      options: [],
    }
    const { assignedExternalAddress, assignedExternalPort } = await this.#askMap(asked)
    await this.#askMap({ ...asked, suggestedExternalPort: assignedExternalPort, lifetimeSeconds: 0 }).catch(passOver)
    return assignedExternalAddress
  }

  /** ANNOUNCE tells the epoch and nothing else (RFC 6887 14.1). */
  async pulse(): Promise<{ readonly externalAddress: string | undefined }> {
    const { net, endpoint, localAddress, random } = this.options
    const { epochSeconds } = await probePcp({ net, endpoint, localAddress, random, timeoutMs: EXCHANGE_TIMEOUT_MS })
    this.learnEpoch(epochSeconds)
    return { externalAddress: this.knownExternalAddress }
  }

  async map(request: MappingRequest): Promise<PortMapping> {
    if (request.externalPort === 0) return this.mapAny(request)
    const granted = await this.grant(request, [{ kind: 'PREFER_FAILURE' }]).catch((error: unknown) => {
      // A server without that option ignores it or says so (RFC 6887 13.2); either way what it grants is looked at.
      const hasItNot = error instanceof RefusedError && error.number === PCP_RESULTS.UNSUPP_OPTION
      if (hasItNot) return this.grant(request)
      throw error
    })
    return this.onlyThat(request, granted, MAP)
  }

  protected async grant(request: MappingRequest, options: readonly PcpOption[] = []): Promise<GrantedMapping> {
    refuseFlawedOrAny(request)
    this.#refuseIPv6()
    const { remoteHost, protocol, internalPort, internalClient } = request
    const asked = { ...request, leaseSeconds: lifetimeOf(request.lease) }
    const { assignedExternalPort, lifetimeSeconds } = await this.#askMap(this.#asked(asked, options))
    const inside = { internalPort, internalClient, enabled: true, description: '', leaseSeconds: lifetimeSeconds }
    return { remoteHost, externalPort: assignedExternalPort, protocol, ...inside }
  }

  /** To the gateway a mapping for one remote host is the same as one for all. */
  protected async refuseToRemove({ externalPort, protocol, remoteHost }: Required<MappingToRemove>): Promise<void> {
    this.#refuseIPv6()
    if (remoteHost === '') return
    const known = await this.options.memory.recall({ externalPort, protocol })
    if (known?.remoteHost === remoteHost) return
    const what = `external port ${externalPort} ${protocol} is not known to be open for ${remoteHost} only`
    throw new InvalidArgumentError(`${what}; without the remote host it is closed for everybody`)
  }

  /** RFC 6887 15: lifetime 0; no FILTER, which would be malformed. */
  protected askToRemove(mapping: Required<MappingToRemove>): Promise<unknown> {
    return this.#askMap(this.#asked({ ...mapping, leaseSeconds: 0, remoteHost: '' }))
  }

  protected askAgain(other: RememberedMapping): Promise<unknown> {
    return this.#askMap(this.#asked(other))
  }

  #asked(mapping: RememberedMapping, options: readonly PcpOption[] = []): MapAsked {
    const { protocol, internalClient, internalPort, externalPort, leaseSeconds, remoteHost = '' } = mapping
    return {
      protocol: PROTOCOL_NUMBERS[protocol],
      internalAddress: internalClient,
      internalPort,
      suggestedExternalPort: externalPort,
      suggestedExternalAddress: this.#anyAddress(),
      lifetimeSeconds: leaseSeconds,
      options: remoteHost === '' ? options : [...options, filterFor(remoteHost, 0)],
    }
  }

  #refuseIPv6(): void {
    if (this.pinholes === undefined) return
    const instead = "over IPv6 PCP opens pinholes (-A) and maps no ports: name the router's IPv4 address"
    throw new InvalidArgumentError(`${this.address}: ${instead}`)
  }

  #anyAddress(): string {
    return parseIPv4(this.address) === undefined ? ANY_ADDRESS.ipv6 : ANY_ADDRESS.ipv4
  }

  async #askMap(asked: MapAsked): Promise<MapGranted> {
    const granted = await askMap(this.options, asked)
    this.learnEpoch(granted.epochSeconds)
    if (asked.lifetimeSeconds > 0) this.#checkGranted(granted)
    return granted
  }

  #checkGranted(granted: MapGranted): void {
    const { assignedExternalPort, lifetimeSeconds, assignedExternalAddress } = granted
    if (!isPort(assignedExternalPort) || lifetimeSeconds === 0) {
      const received = `port ${assignedExternalPort}, lifetime ${lifetimeSeconds} s`
      throw new MalformedMessageError('a MAP response with a port and a lifetime', received, { action: MAP })
    }
    this.knownExternalAddress = assignedExternalAddress
  }
}
