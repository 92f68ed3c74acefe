/**
 * An Internet Gateway Device as a Gateway: its vocabulary on one side, the actions of WANIPConnection and
 * WANCommonInterfaceConfig on the other. (WANIPConnection:2 2.4, WANCommonInterfaceConfig:1 2.4)
 */
import { parseIPv4 } from '../domain/address.js'
import {
  InvalidArgumentError,
  MalformedMessageError,
  NotConfirmedError,
  PortMappingError,
  RefusedError,
  TransportError,
} from '../domain/errors.js'
import type { ConnectionStatus, IgdGateway, LinkRates, ListingEnd, TrafficCounters } from '../domain/gateway.js'
import {
  flawOf,
  leaseToSeconds,
  type MappingKey,
  type MappingRequest,
  type PortMapping,
} from '../domain/port-mapping.js'
import { IGD_ACTIONS, type IgdActionName, type InArguments, type OutArguments } from '../wire/igd-actions.js'
import type { SoapArguments } from '../wire/soap.js'
import type { ControlledService, IgdServices } from './igd-services.js'
import type { SoapCaller } from './soap-caller.js'

/** A table longer than the number of ports in existence is not read to its end. */
export const MAX_PORT_MAPPINGS = 65_536

/** Marks of the end of the table: the standard's, and those of routers that do not know it (DD-WRT, Linksys WRT1900AC). */
const SPECIFIED_ARRAY_INDEX_INVALID = 713
const OTHER_ENDS: ReadonlySet<number> = new Set([714, 402, 501])

const INVALID_ARGS = 402
const ONLY_PERMANENT_LEASES_SUPPORTED = 725
/** For routers that refuse lease 0: most take an hour. */
const FALLBACK_LEASE_SECONDS = 3600

export class IgdServiceGateway implements IgdGateway {
  readonly localAddress: string
  readonly presentationUrl: string
  readonly #caller: SoapCaller
  readonly #connection: ControlledService
  readonly #commonInterfaceConfig: ControlledService | undefined

  constructor(caller: SoapCaller, services: IgdServices, connection: ControlledService, localAddress: string) {
    this.localAddress = localAddress
    this.presentationUrl = services.presentationUrl
    this.#caller = caller
    this.#connection = connection
    this.#commonInterfaceConfig = services.commonInterfaceConfig
  }

  get controlUrl(): string {
    return this.#caller.controlUrl(this.#connection)
  }

  async connectionType(): Promise<string> {
    return text(await this.#call('GetConnectionTypeInfo', {}), 'GetConnectionTypeInfo', 'NewConnectionType')
  }

  async status(): Promise<ConnectionStatus> {
    const action = 'GetStatusInfo'
    const reply = await this.#call(action, {})
    return {
      connectionStatus: text(reply, action, 'NewConnectionStatus'),
      lastConnectionError: optionalText<typeof action>(reply, 'NewLastConnectionError'),
      uptimeSeconds: number(reply, action, 'NewUptime'),
    }
  }

  async linkRates(): Promise<LinkRates> {
    const action = 'GetCommonLinkProperties'
    const reply = await this.#call(action, {})
    return {
      upstreamBitsPerSecond: number(reply, action, 'NewLayer1UpstreamMaxBitRate'),
      downstreamBitsPerSecond: number(reply, action, 'NewLayer1DownstreamMaxBitRate'),
    }
  }

  async externalAddress(): Promise<string> {
    return text(await this.#call('GetExternalIPAddress', {}), 'GetExternalIPAddress', 'NewExternalIPAddress').trim()
  }

  async trafficCounters(): Promise<TrafficCounters> {
    return {
      bytesSent: await this.#counter('GetTotalBytesSent', 'NewTotalBytesSent'),
      bytesReceived: await this.#counter('GetTotalBytesReceived', 'NewTotalBytesReceived'),
      packetsSent: await this.#counter('GetTotalPacketsSent', 'NewTotalPacketsSent'),
      packetsReceived: await this.#counter('GetTotalPacketsReceived', 'NewTotalPacketsReceived'),
    }
  }

  async *portMappings(): AsyncGenerator<PortMapping, ListingEnd> {
    let previous: string | undefined
    for (let index = 0; index < MAX_PORT_MAPPINGS; index++) {
      const reply = await this.#entryOrEnd(index)
      if (reply instanceof RefusedError) return { number: reply.number, standardName: reply.standardName }
      const mapping = decodeMapping(reply)
      const identity = JSON.stringify(mapping)
      if (identity === previous) return 'repetition' // some routers repeat the last entry for ever
      previous = identity
      yield mapping
    }
    return 'limit'
  }

  async map(request: MappingRequest): Promise<PortMapping> {
    refuseFlawed(request)
    await this.#addWithLeaseThatIsTaken(request)
    const action = 'GetSpecificPortMappingEntry'
    const reply = await this.#call(action, keyArguments(request))
    const { remoteHost, externalPort, protocol } = request
    const mapping = { remoteHost, externalPort, protocol, ...decodeTarget(reply) }
    if (mapping.internalClient === '') throw missing(action, 'NewInternalClient', reply)
    if (parseIPv4(mapping.internalClient) !== undefined && mapping.internalClient !== request.internalClient) {
      const instead = `the gateway sends it to ${mapping.internalClient} and not to ${request.internalClient}`
      const message = `external port ${request.externalPort} ${request.protocol}: ${instead}`
      throw new NotConfirmedError(mapping, message, { action })
    }
    return mapping
  }

  async unmap(key: MappingKey): Promise<void> {
    refuseFlawed(key)
    await this.#call('DeletePortMapping', keyArguments(key))
  }

  /**
   * A lease that the router does not take is not worth failing for: 725, and 402 to a finite lease (ARRIS), mean
   * permanent ones only; 402 to a permanent one (routers with a maximum) means a finite one.
   */
  async #addWithLeaseThatIsTaken(request: MappingRequest): Promise<void> {
    const asked = leaseToSeconds(request.lease)
    try {
      await this.#add(request, asked)
    } catch (error) {
      const refusedWith = error instanceof RefusedError ? error.number : undefined
      if (asked > 0 && (refusedWith === ONLY_PERMANENT_LEASES_SUPPORTED || refusedWith === INVALID_ARGS)) {
        await this.#add(request, 0)
      } else if (asked === 0 && refusedWith === INVALID_ARGS) {
        await this.#add(request, FALLBACK_LEASE_SECONDS)
      } else throw error
    }
  }

  async #add(request: MappingRequest, leaseSeconds: number): Promise<void> {
    await this.#call('AddPortMapping', {
      ...keyArguments(request),
      NewInternalPort: String(request.internalPort),
      NewInternalClient: request.internalClient,
      NewEnabled: '1', // not "true": WANIPConnection:2 2.2.20 allows both, routers do not
      NewPortMappingDescription: request.description,
      NewLeaseDuration: String(leaseSeconds),
    })
  }

  async #entryOrEnd(index: number): Promise<SoapArguments | RefusedError> {
    try {
      return await this.#call('GetGenericPortMappingEntry', { NewPortMappingIndex: String(index) })
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error
      const end = error.number === SPECIFIED_ARRAY_INDEX_INVALID || (index > 0 && OTHER_ENDS.has(error.number))
      if (!end) throw error
      return error
    }
  }

  async #counter(action: CounterAction, name: keyof OutArguments<CounterAction>): Promise<number | undefined> {
    try {
      return leadingNumber((await this.#call(action, {})).get(String(name).toLowerCase()) ?? '')
    } catch (error) {
      if (error instanceof PortMappingError) return undefined
      throw error
    }
  }

  #call<A extends IgdActionName>(action: A, values: InArguments<A>): Promise<SoapArguments> {
    const service = IGD_ACTIONS[action].service === 'WANConnection' ? this.#connection : this.#commonInterfaceConfig
    if (service === undefined) {
      const missing = `${action}: the gateway's description has no usable ${IGD_ACTIONS[action].service} service`
      return Promise.reject(new TransportError(missing, { action }))
    }
    return this.#caller.call(service, action, values)
  }
}

function refuseFlawed(request: MappingKey & Partial<MappingRequest>): void {
  const flaw = flawOf(request)
  if (flaw !== undefined) throw new InvalidArgumentError(flaw)
}

type CounterAction = 'GetTotalBytesSent' | 'GetTotalBytesReceived' | 'GetTotalPacketsSent' | 'GetTotalPacketsReceived'

function keyArguments(key: MappingKey): InArguments<'DeletePortMapping'> {
  return { NewRemoteHost: key.remoteHost, NewExternalPort: String(key.externalPort), NewProtocol: key.protocol }
}

/** An entry is one where it says the external port or the internal client. @throws MalformedMessageError */
function decodeMapping(reply: SoapArguments): PortMapping {
  type Out = 'GetGenericPortMappingEntry'
  const externalPort = optionalText<Out>(reply, 'NewExternalPort')
  const target = decodeTarget(reply)
  if (externalPort === '' && target.internalClient === '') {
    const received = [...reply.keys()].join(', ')
    throw new MalformedMessageError('a port mapping entry', received, { action: 'GetGenericPortMappingEntry' })
  }
  return {
    remoteHost: optionalText<Out>(reply, 'NewRemoteHost').trim(),
    externalPort: leadingNumber(externalPort),
    protocol: optionalText<Out>(reply, 'NewProtocol').trim(),
    ...target,
  }
}

type Target = Omit<PortMapping, keyof MappingKey>

function decodeTarget(reply: SoapArguments): Target {
  type Out = 'GetSpecificPortMappingEntry'
  return {
    internalPort: leadingNumber(optionalText<Out>(reply, 'NewInternalPort')),
    internalClient: optionalText<Out>(reply, 'NewInternalClient').trim(),
    enabled: /^\s*(1|true|yes)\s*$/i.test(optionalText<Out>(reply, 'NewEnabled')),
    description: optionalText<Out>(reply, 'NewPortMappingDescription'),
    leaseSeconds: leadingNumber(optionalText<Out>(reply, 'NewLeaseDuration')),
  }
}

function optionalText<A extends IgdActionName>(reply: SoapArguments, name: keyof OutArguments<A> & string): string {
  return reply.get(name.toLowerCase()) ?? ''
}

function text<A extends IgdActionName>(reply: SoapArguments, action: A, name: keyof OutArguments<A> & string): string {
  const value = reply.get(name.toLowerCase())
  if (value === undefined) throw missing(action, name, reply)
  return value
}

function number<A extends IgdActionName>(
  reply: SoapArguments,
  action: A,
  name: keyof OutArguments<A> & string,
): number {
  const value = leadingNumber(text(reply, action, name))
  if (value === undefined) throw missing(action, name, reply)
  return value
}

function missing(action: string, name: string, reply: SoapArguments): MalformedMessageError {
  return new MalformedMessageError(`${name} in the reply to ${action}`, [...reply.keys()].join(', '), { action })
}

/** Digits at the beginning, as C clients read them; link rates above 4 Gbit/s are longer than a ui4. */
function leadingNumber(value: string): number | undefined {
  const digits = /^\s*\+?(\d{1,15})/.exec(value)?.[1]
  return digits === undefined ? undefined : Number(digits)
}
