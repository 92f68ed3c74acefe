/** A PCP server as a Gateway: MAP for port mappings and for pinholes. (RFC 6887 11, 13, 15) */
import { parseIPv4 } from '../domain/address.js'
import { InvalidArgumentError, MalformedMessageError, RefusedError } from '../domain/errors.js'
import type { MappingToRemove, PinholeOpener, PortControlGateway } from '../domain/gateway.js'
import {
  isPort,
  type MappingKey,
  type MappingRequest,
  type PortMapping,
  type TransportProtocol,
} from '../domain/port-mapping.js'
import { ANY_ADDRESS } from '../wire/pcp.js'
import type { PcpOption } from '../wire/pcp-options.js'
import { PCP_RESULTS } from '../wire/pcp-result-codes.js'
import { askMap, filterFor, MAP, type MapAsked, type MapGranted } from './pcp-map.js'
import { PcpPinholes } from './pcp-pinholes.js'
import {
  beganWallMs,
  insideOf,
  lifetimeOf,
  otherPortGiven,
  outsidesOf,
  type PortControlOptions,
  PROTOCOL_NUMBERS,
  passOver,
  refuseFlawedOrAny,
  removeOne,
} from './port-control.js'

/**
 * What is mapped for a moment to learn the external address (RFC 6887 11.6): a port that nobody uses, at random from the
 * dynamic ones (RFC 6335 6), and not Discard, because port 9 is also that of Wake-on-LAN, which people do map.
 */
const FIRST_DYNAMIC_PORT = 49_152
const DYNAMIC_PORTS = 65_536 - FIRST_DYNAMIC_PORT
const SHORTEST_LIFETIME_SECONDS = 120

export class PcpGateway implements PortControlGateway {
  readonly protocol = 'pcp'
  readonly localAddress: string
  readonly pinholes: PinholeOpener | undefined
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
    const isIPv4 = parseIPv4(options.endpoint.address) !== undefined
    this.pinholes = isIPv4 ? undefined : new PcpPinholes((asked) => this.#askMap(asked))
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

  /** Known from the first mapping on; before that a port is mapped for a moment to learn it (RFC 6887 11.6). */
  async externalAddress(): Promise<string> {
    if (this.#externalAddress !== undefined) return this.#externalAddress
    const asked: MapAsked = {
      protocol: PROTOCOL_NUMBERS.UDP,
      internalAddress: this.localAddress,
      internalPort: FIRST_DYNAMIC_PORT + Math.floor(this.#options.random() * DYNAMIC_PORTS),
      suggestedExternalPort: 0,
      suggestedExternalAddress: this.#anyAddress(),
      lifetimeSeconds: SHORTEST_LIFETIME_SECONDS,
      options: [],
    }
    const { assignedExternalAddress, assignedExternalPort } = await this.#askMap(asked)
    await this.#askMap({ ...asked, suggestedExternalPort: assignedExternalPort, lifetimeSeconds: 0 }).catch(passOver)
    return assignedExternalAddress
  }

  async map(request: MappingRequest): Promise<PortMapping> {
    if (request.externalPort === 0) return this.mapAny(request)
    try {
      return await this.#mapExactly(request, [{ kind: 'PREFER_FAILURE' }])
    } catch (error) {
      // A server without that option ignores it or says so (RFC 6887 13.2); either way what it grants is looked at.
      if (!(error instanceof RefusedError) || error.number !== PCP_RESULTS.UNSUPP_OPTION) throw error
      return this.#mapExactly(request, [])
    }
  }

  async mapAny(request: MappingRequest): Promise<PortMapping> {
    const mapping = await this.#map(request, [])
    await this.#remember(mapping)
    return mapping
  }

  async remembers({ externalPort, protocol }: MappingKey): Promise<boolean> {
    return (await this.#options.memory.recall({ externalPort, protocol })) !== undefined
  }

  async unmap(mapping: MappingToRemove): Promise<void> {
    refuseFlawedOrAny(mapping)
    this.#refuseIPv6()
    await this.#refuseOtherRemoteHost(mapping)
    await this.#removeOne({ ...mapping, ...(await insideOf(mapping, this.#options)) })
  }

  async #mapExactly(request: MappingRequest, options: readonly PcpOption[]): Promise<PortMapping> {
    const mapping = await this.#map(request, options)
    if (mapping.externalPort === request.externalPort) {
      await this.#remember(mapping)
      return mapping
    }
    const outside = { ...request, externalPort: mapping.externalPort ?? 0 }
    const known = await outsidesOf(request, this.#options, this.#beganWallMs)
    const wasThere = known.some(({ externalPort }) => externalPort === outside.externalPort)
    if (!wasThere) await this.#removeOne(outside).catch(passOver)
    throw otherPortGiven(request, mapping, this.#options.endpoint, MAP)
  }

  async #map(request: MappingRequest, options: readonly PcpOption[]): Promise<PortMapping> {
    refuseFlawedOrAny(request)
    this.#refuseIPv6()
    const { internalPort, internalClient, remoteHost, protocol } = request
    const granted = await this.#askMap({
      protocol: PROTOCOL_NUMBERS[protocol],
      internalAddress: internalClient,
      internalPort,
      suggestedExternalPort: request.externalPort,
      suggestedExternalAddress: this.#anyAddress(),
      lifetimeSeconds: lifetimeOf(request.lease),
      options: [...options, ...(remoteHost === '' ? [] : [filterFor(remoteHost, 0)])],
    })
    const { assignedExternalPort: externalPort, lifetimeSeconds: leaseSeconds } = granted
    return {
      remoteHost,
      externalPort,
      protocol,
      internalPort,
      internalClient,
      enabled: true,
      description: '',
      leaseSeconds,
    }
  }

  async #removeOne(mapping: Required<MappingToRemove>): Promise<void> {
    const { externalPort, protocol, internalClient: internalAddress, internalPort } = mapping
    const known = await outsidesOf(mapping, this.#options, this.#beganWallMs)
    const ask = (suggestedExternalPort: number, lifetimeSeconds: number, remoteHost = ''): Promise<MapGranted> =>
      this.#askMap({
        protocol: PROTOCOL_NUMBERS[protocol],
        internalAddress,
        internalPort,
        suggestedExternalPort,
        suggestedExternalAddress: this.#anyAddress(),
        lifetimeSeconds,
        options: remoteHost === '' ? [] : [filterFor(remoteHost, 0)],
      })
    await removeOne(
      known.filter((each) => each.externalPort !== externalPort),
      () => ask(externalPort, 0),
      (other) => ask(other.externalPort, other.leaseSeconds, other.remoteHost),
      () => this.#options.memory.forget(mapping),
    )
  }

  #refuseIPv6(): void {
    if (this.pinholes === undefined) return
    const instead = "over IPv6 PCP opens pinholes (-A) and maps no ports: name the router's IPv4 address"
    throw new InvalidArgumentError(`${this.address}: ${instead}`)
  }

  /** To the gateway a mapping for one remote host is the same as one for all. */
  async #refuseOtherRemoteHost({ externalPort, protocol, remoteHost }: MappingKey): Promise<void> {
    if (remoteHost === '') return
    const known = await this.#options.memory.recall({ externalPort, protocol })
    if (known?.remoteHost === remoteHost) return
    const what = `external port ${externalPort} ${protocol} is not known to be open for ${remoteHost} only`
    throw new InvalidArgumentError(`${what}; without the remote host it is closed for everybody`)
  }

  #anyAddress(): string {
    return parseIPv4(this.address) === undefined ? ANY_ADDRESS.ipv6 : ANY_ADDRESS.ipv4
  }

  async #remember({ externalPort = 0, internalPort = 0, leaseSeconds = 0, ...mapping }: PortMapping): Promise<void> {
    const protocol: TransportProtocol = mapping.protocol === 'TCP' ? 'TCP' : 'UDP'
    const { internalClient, remoteHost } = mapping
    const remembered = { protocol, externalPort, internalPort, internalClient, leaseSeconds, remoteHost }
    await this.#options.memory.remember(remembered)
  }

  async #askMap(asked: MapAsked): Promise<MapGranted> {
    const granted = await askMap(this.#options, asked)
    this.#epochSeconds = granted.epochSeconds
    this.#beganWallMs = beganWallMs(this.#options.net, granted.epochSeconds)
    if (asked.lifetimeSeconds > 0) this.#checkGranted(granted)
    return granted
  }

  #checkGranted(granted: MapGranted): void {
    const { assignedExternalPort, lifetimeSeconds, assignedExternalAddress } = granted
    if (!isPort(assignedExternalPort) || lifetimeSeconds === 0) {
      const received = `port ${assignedExternalPort}, lifetime ${lifetimeSeconds} s`
      throw new MalformedMessageError('a MAP response with a port and a lifetime', received, { action: MAP })
    }
    this.#externalAddress = assignedExternalAddress
  }
}
