/**
 * An Internet Gateway Device as a Gateway: turns its methods into actions of the services WANIPConnection and
 * WANCommonInterfaceConfig. (WANIPConnection:2 2.4, WANCommonInterfaceConfig:1 2.4)
 */
import { isIPv6, isUnicastIPv4, parseIPv4, withoutBrackets, withZone } from '../../domain/address.js'
import {
  InvalidArgumentError,
  isPortTaken,
  MalformedMessageError,
  NotConfirmedError,
  PortMappingError,
  RefusedError,
  TransportError,
  upnpErrorOf,
} from '../../domain/errors.js'
import type {
  AskAnyOptions,
  ConnectionStatus,
  IgdGateway,
  LinkRates,
  ListingEnd,
  MappingToRemove,
  PinholeFirewall,
  PortRange,
  TrafficCounters,
} from '../../domain/gateway.js'
import { mapToFreePort } from '../../domain/other-ports.js'
import {
  isPort,
  leaseToSeconds,
  MAX_LISTED_PORT_MAPPINGS,
  type MappingKey,
  type MappingRequest,
  type PortMapping,
  type TransportProtocol,
} from '../../domain/port-mapping.js'
import { UPNP_ERRORS } from '../../domain/upnp-errors.js'
import { parseZonedUrl } from '../../domain/url.js'
import { interfaceAddresses } from '../../net/interfaces.js'
import { IGD_ACTIONS, type IgdActionName, type InArguments, type OutArguments } from '../../wire/igd-actions.js'
import { decodePortListing } from '../../wire/port-listing.js'
import { leadingNumber, type SoapArguments } from '../../wire/soap.js'
import type { MappingMemory } from '../mapping-memory.js'
import { findEntry, listPortMappings, type ShownBy, showEntry, UNKNOWN_ACTION } from './listing.js'
import { IgdPinholeFirewall } from './pinhole-firewall.js'
import { differenceOf, keyArguments, mappingArguments, mappingOfEntry, refuseFlawed } from './port-mapping-messages.js'
import { checkRemoteHost } from './remote-host.js'
import { RequestWindow } from './request-window.js'
import { type ControlledService, eventUrlBeside, type IgdServices } from './services.js'
import { type CallOptions, missing, number, optionalText, type SoapCaller, text } from './soap-caller.js'

/** From which address, and until when. */
type From = Pick<CallOptions, 'localAddress' | 'signal'>

type CounterAction = 'GetTotalBytesSent' | 'GetTotalBytesReceived' | 'GetTotalPacketsSent' | 'GetTotalPacketsReceived'

export interface IgdOptions {
  /** This computer's addresses. */
  readonly ownAddresses?: () => readonly string[]
  /** Without it, nobody will know that this user made the mappings. */
  readonly memory?: MappingMemory | undefined
  /** Whose description it is. If the user gave a name, the gateway is known by this address. */
  readonly remoteAddress?: string | undefined
}

export class IgdServiceGateway implements IgdGateway {
  readonly protocol = 'igd'
  readonly epochSeconds = undefined
  readonly localAddress: string
  readonly presentationUrl: string
  readonly firewall: PinholeFirewall | undefined
  readonly #caller: SoapCaller
  readonly #connection: ControlledService
  readonly #commonInterfaceConfig: ControlledService | undefined
  readonly #ownAddresses: () => readonly string[]
  readonly #window: RequestWindow
  readonly #memory: MappingMemory | undefined
  readonly #remoteAddress: string
  /** The same gateway, whose requests end with that signal in place of the one that ends the search. */
  readonly until: (signal: AbortSignal | undefined) => IgdServiceGateway
  #isKnownDown = false

  constructor(
    caller: SoapCaller,
    services: IgdServices,
    connection: ControlledService,
    localAddress: string,
    options: IgdOptions = {},
    window = new RequestWindow(),
  ) {
    const {
      ownAddresses = () => interfaceAddresses().map(({ address }) => address),
      memory,
      remoteAddress = '',
    } = options
    this.until = (signal) =>
      new IgdServiceGateway(caller.until(signal), services, connection, localAddress, options, window)
    this.#window = window
    this.#ownAddresses = ownAddresses
    this.#memory = memory
    this.#remoteAddress = remoteAddress
    this.localAddress = localAddress
    this.presentationUrl = services.presentationUrl
    this.#caller = caller
    this.#connection = connection
    this.#commonInterfaceConfig = services.commonInterfaceConfig
    const { firewallControl } = services
    this.firewall = firewallControl === undefined ? undefined : new IgdPinholeFirewall(caller, firewallControl)
  }

  get controlUrl(): string {
    return this.#caller.controlUrl(this.#connection)
  }

  get address(): string | undefined {
    const control = parseZonedUrl(this.controlUrl)
    if (control === undefined) return undefined
    const host = withoutBrackets(control.url.hostname)
    const isName = parseIPv4(host) === undefined && !isIPv6(host)
    return isName && this.#remoteAddress !== '' ? this.#remoteAddress : withZone(host, control.zone)
  }

  get eventUrl(): string | undefined {
    return eventUrlBeside(this.controlUrl, this.#connection)
  }

  async connectionType(): Promise<string> {
    const action = 'GetConnectionTypeInfo'
    return text(await this.#call(action, {}), action, 'NewConnectionType')
  }

  async status(): Promise<ConnectionStatus> {
    const action = 'GetStatusInfo'
    const reply = await this.#call(action, {})
    const connectionStatus = text(reply, action, 'NewConnectionStatus')
    this.#isKnownDown = !isConnected(connectionStatus)
    return {
      connectionStatus,
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

  /** Some routers (Bouygues F5688B) do not tell it now and then, so it is asked for once more. */
  async externalAddress(): Promise<string> {
    try {
      const address = await this.#externalAddress()
      if (address !== '' || this.#isKnownDown) return address
    } catch (error) {
      if (!isPassing(error)) throw error
    }
    return this.#externalAddress()
  }

  /** The only place where text of a router becomes its address. */
  async #externalAddress(): Promise<string> {
    const told = await this.#toldAddress()
    if (told === '' || parseIPv4(told) !== undefined || isIPv6(told)) return told
    throw new MalformedMessageError('an address in NewExternalIPAddress', told, { action: 'GetExternalIPAddress' })
  }

  async #toldAddress(): Promise<string> {
    const action = 'GetExternalIPAddress'
    return text(await this.#call(action, {}), action, 'NewExternalIPAddress').trim()
  }

  async trafficCounters(): Promise<TrafficCounters> {
    const [bytesSent, bytesReceived, packetsSent, packetsReceived] = await Promise.all([
      this.#counter('GetTotalBytesSent', 'NewTotalBytesSent'),
      this.#counter('GetTotalBytesReceived', 'NewTotalBytesReceived'),
      this.#counter('GetTotalPacketsSent', 'NewTotalPacketsSent'),
      this.#counter('GetTotalPacketsReceived', 'NewTotalPacketsReceived'),
    ])
    return { bytesSent, bytesReceived, packetsSent, packetsReceived }
  }

  /** Undefined if the gateway does not know that counter, which is no error. DrayTek misspells the name of one. */
  async #counter(action: CounterAction, name: keyof OutArguments<CounterAction>): Promise<number | undefined> {
    try {
      const reply = await this.#call(action, {})
      const [only] = reply.size === 1 ? reply.values() : []
      return leadingNumber(reply.get(String(name).toLowerCase()) ?? only ?? '')
    } catch (error) {
      if (error instanceof PortMappingError) return undefined
      throw error
    }
  }

  portMappings(signal = this.#caller.signal): AsyncGenerator<PortMapping, ListingEnd> {
    return this.#table({ signal })
  }

  #table({ localAddress, signal = this.#caller.signal }: From): AsyncGenerator<PortMapping, ListingEnd> {
    return listPortMappings({
      window: this.#window,
      signal,
      entry: (index, signal) =>
        this.#call('GetGenericPortMappingEntry', { NewPortMappingIndex: String(index) }, { signal, localAddress }),
    })
  }

  async map(request: MappingRequest): Promise<PortMapping> {
    refuseFlawed(request)
    const localAddress = this.#addressFor(request)
    await withLeaseThatIsTaken(request, (leaseSeconds) =>
      this.#call('AddPortMapping', mappingArguments(request, leaseSeconds), { localAddress }),
    )
    return this.#remember(request, await this.#checkRemoteHost(request, await this.#readBack(request)))
  }

  async mapAny(
    request: MappingRequest,
    { onFallback, mayHelp }: Pick<AskAnyOptions, 'onFallback' | 'mayHelp'> = {},
  ): Promise<PortMapping> {
    refuseFlawed(request)
    const action = 'AddAnyPortMapping'
    const localAddress = this.#addressFor(request)
    try {
      const reply = await withLeaseThatIsTaken(request, (leaseSeconds) =>
        this.#call(action, mappingArguments(request, leaseSeconds), { localAddress }),
      )
      const externalPort = number(reply, action, 'NewReservedPort')
      if (!isPort(externalPort)) throw missing(action, 'NewReservedPort', reply)
      const made = { ...request, externalPort }
      return await this.#remember(made, await this.#checkRemoteHost(made, await this.#readBack(made)))
    } catch (error) {
      if (!(error instanceof PortMappingError) || !isUnknownAction(error, action))
        return this.#onSamePort(request, error)
      onFallback?.(error)
      const mapped = mapToFreePort(request, (each) => this.map(each), mayHelp)
      return mapped.catch((second: unknown) => this.#onSamePort(request, second))
    }
  }

  /** For a router that wants the same port outside and inside. If that one is taken, `error` says more. */
  async #onSamePort(request: MappingRequest, error: unknown): Promise<PortMapping> {
    const { externalPort, internalPort } = request
    if (upnpErrorOf(error) !== UPNP_ERRORS.SamePortValuesRequired || externalPort === internalPort) throw error
    return this.map({ ...request, externalPort: internalPort }).catch((second: unknown) => {
      throw isPortTaken(second) ? error : second
    })
  }

  /** Some gateways show 0 for every lease (miniupnp#466): then it ends when it was asked to. */
  async #remember({ lease, internalClient, internalPort }: MappingRequest, shown: PortMapping): Promise<PortMapping> {
    const { externalPort = 0, remoteHost, leaseSeconds = 0 } = shown
    const protocol = shown.protocol.toUpperCase() === 'UDP' ? 'UDP' : 'TCP'
    const isForThisComputer = [this.localAddress, ...this.#ownAddresses()].includes(internalClient)
    const inside = { internalClient, internalPort, leaseSeconds: leaseSeconds || leaseToSeconds(lease) }
    await this.#memory?.remember({ externalPort, protocol, remoteHost, ...inside, isForThisComputer })
    return shown
  }

  /** Checks that the gateway shows the mapping that it was asked for. */
  async #readBack(request: MappingRequest): Promise<PortMapping> {
    const mapping = await showEntry(this.#shownTo({ localAddress: this.#addressFor(request) }), request).catch(
      unconfirmed,
    )
    const instead = differenceOf(mapping, request)
    if (instead === undefined) return mapping
    const message = `external port ${request.externalPort} ${request.protocol}: the gateway ${instead}`
    const belongsToAnother = mapping.internalClient !== request.internalClient
    throw new NotConfirmedError(mapping, message, { action: 'GetSpecificPortMappingEntry', belongsToAnother })
  }

  #checkRemoteHost(request: MappingRequest, shown: PortMapping): Promise<PortMapping> {
    return checkRemoteHost(request, shown, { table: () => this.portMappings(), unmap: (key) => this.unmap(key) })
  }

  /** One request. The address is undefined if the gateway has none (empty, or 0.0.0.0, while the line is down). */
  async pulse(): Promise<{ readonly externalAddress: string | undefined }> {
    try {
      const externalAddress = await this.#toldAddress()
      return { externalAddress: isUnicastIPv4(externalAddress) ? externalAddress : undefined }
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error // a refusal is a sign of life too
      return { externalAddress: undefined }
    }
  }

  find(
    key: MappingKey,
    { signal, specificOnly = false, surely = false }: Parameters<IgdGateway['find']>[1] = {},
  ): Promise<PortMapping | undefined | 'untold'> {
    const shown = this.#shownTo({ signal })
    return findEntry(specificOnly ? { ...shown, table: undefined } : shown, key, surely)
  }

  async remembers({ remoteHost, ...outside }: MappingKey): Promise<boolean> {
    const known = await this.#memory?.recall(outside)
    return known !== undefined && (known.remoteHost ?? '') === remoteHost
  }

  async unmap(mapping: MappingToRemove): Promise<void> {
    refuseFlawed(mapping)
    const remove = (localAddress: string | undefined): Promise<unknown> =>
      this.#call('DeletePortMapping', keyArguments(mapping), { localAddress })
    const asked = this.#addressFor(mapping)
    try {
      await remove(asked)
    } catch (error) {
      if (upnpErrorOf(error) === UPNP_ERRORS.NoSuchEntryInArray) await this.#memory?.forget(mapping)
      if (upnpErrorOf(error) !== UPNP_ERRORS.ActionNotAuthorized) throw error
      const owner = await this.#ownerOf(mapping)
      if (owner === undefined || owner === asked) throw error
      await remove(owner)
    }
    await this.#memory?.forget(mapping)
  }

  /** The other address of this computer that the gateway shows as the one with the mapping. */
  async #ownerOf(key: MappingKey): Promise<string | undefined> {
    const shown = await this.find(key).catch((error: unknown) => {
      if (!(error instanceof PortMappingError)) throw error // the refusal counts
    })
    const { internalClient = '' } = typeof shown === 'object' ? shown : {}
    return this.#addressFor({ internalClient })
  }

  /**
   * The address of this computer that a mapping leads to: a gateway in secure mode lets an address open and close only
   * what leads to itself. Undefined if it is the usual address, or another computer's.
   */
  #addressFor({ internalClient = '' }: { readonly internalClient?: string }): string | undefined {
    if (internalClient === '' || internalClient === this.localAddress) return undefined
    return this.#ownAddresses().includes(internalClient) ? internalClient : undefined
  }

  #shownTo(from: From = {}): ShownBy {
    return {
      specific: (key) => this.#call('GetSpecificPortMappingEntry', keyArguments(key), from),
      table: () => this.#table(from),
    }
  }

  async unmapRange({ startPort, endPort, protocol, manage }: PortRange): Promise<void> {
    if (!isPort(startPort) || !isPort(endPort) || startPort > endPort) {
      throw new InvalidArgumentError(`ports ${startPort} to ${endPort} are not a range within 1 to 65535`)
    }
    await this.#call('DeletePortMappingRange', {
      NewStartPort: String(startPort),
      NewEndPort: String(endPort),
      NewProtocol: protocol,
      NewManage: manage ? '1' : '0',
    })
  }

  async hasPortMappingAt(index: number): Promise<boolean> {
    try {
      await this.#call('GetGenericPortMappingEntry', { NewPortMappingIndex: String(index) })
      return true
    } catch (error) {
      if (error instanceof PortMappingError && error.action !== undefined) return false
      throw error
    }
  }

  async portMappingsOf(protocol: TransportProtocol): Promise<readonly PortMapping[]> {
    const action = 'GetListOfPortMappings'
    const reply = await this.#call(action, {
      NewStartPort: '1', // some refuse 0
      NewEndPort: '65535',
      NewProtocol: protocol,
      NewManage: '1',
      NewNumberOfPorts: String(MAX_LISTED_PORT_MAPPINGS),
    })
    return decodePortListing(text(reply, action, 'NewPortListing')).map(mappingOfEntry)
  }

  #call<A extends IgdActionName>(action: A, values: InArguments<A>, options: CallOptions = {}): Promise<SoapArguments> {
    const service = IGD_ACTIONS[action].service === 'WANConnection' ? this.#connection : this.#commonInterfaceConfig
    if (service === undefined) {
      const missing = `${action}: the gateway's description has no usable ${IGD_ACTIONS[action].service} service`
      return Promise.reject(new TransportError(missing, { action }))
    }
    if (!action.startsWith('Get')) return this.#caller.call(service, action, values, options)
    return this.#window.ask((watch) => this.#caller.call(service, action, values, { ...options, ...watch }))
  }
}

/** The router answered, but without sense, or refused an action that it knows. (What has a cause is the network's.) */
function isPassing(error: unknown): boolean {
  if (error instanceof RefusedError) return error.number !== UPNP_ERRORS.InvalidAction
  return error instanceof MalformedMessageError || (error instanceof TransportError && error.cause === undefined)
}

/** WANIPConnection:2 2.4.5: connected is "Connected"; Bouygues boxes say "Up". */
export function isConnected(connectionStatus: string): boolean {
  return /^\s*(connected|up)\s*$/i.test(connectionStatus)
}

/** An error without an action means that the caller's time is over. */
function unconfirmed(error: unknown): never {
  if (error instanceof PortMappingError && error.action !== undefined) error.isUnconfirmed = true
  throw error
}

/** Refused as in UNKNOWN_ACTION, or the connection is reset (Ubee EVW32C), or a 404 or 500 page comes. */
function isUnknownAction(error: PortMappingError, action: string): boolean {
  if (error.action !== action) return false
  return error instanceof RefusedError ? UNKNOWN_ACTION.has(error.number) : error instanceof TransportError
}

/** For routers that refuse lease 0: most accept an hour. */
const FALLBACK_LEASE_SECONDS = 3600

/**
 * If the router refuses the lease, another one is tried. 725, or 402 to a finite lease (ARRIS), means that it accepts
 * only permanent leases. 402 to a permanent one (routers with a maximum) means that it accepts only finite leases.
 */
async function withLeaseThatIsTaken<T>(request: MappingRequest, add: (leaseSeconds: number) => Promise<T>): Promise<T> {
  const asked = leaseToSeconds(request.lease)
  try {
    return await add(asked)
  } catch (error) {
    const refusedWith = upnpErrorOf(error)
    const isInvalid = refusedWith === UPNP_ERRORS.InvalidArgs
    if (asked > 0 && (isInvalid || refusedWith === UPNP_ERRORS.OnlyPermanentLeasesSupported)) return add(0)
    if (asked === 0 && isInvalid) return add(FALLBACK_LEASE_SECONDS)
    throw error
  }
}
