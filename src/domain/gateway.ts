/**
 * This folder is the vocabulary: no bytes, no I/O, no import from elsewhere. Here it says what a gateway can do.
 * `GatewayBase` is what every protocol offers. `IgdGateway` adds what only UPnP has, so a command that needs a listing
 * takes an IgdGateway, and no method throws "not supported".
 */
import { type PortMappingError, TransportError } from './errors.js'
import type { FirewallStatus, GrantedPinhole, PinholeId, PinholeRequest, TimedPinholeRequest } from './pinhole.js'
import type { GatewayProtocol, MappingKey, MappingRequest, PortMapping, TransportProtocol } from './port-mapping.js'

/**
 * A gateway; `protocol` tells which kind:
 *
 *     if (gateway.protocol === 'igd') for await (const mapping of gateway.portMappings()) console.log(mapping)
 */
export type Gateway = IgdGateway | PortControlGateway

export interface GatewayBase {
  readonly protocol: GatewayProtocol
  /** Its address, with its zone. If that is not known, the name that was given, or undefined. */
  readonly address: string | undefined
  /** This computer's address on the way to the gateway. */
  readonly localAddress: string
  /** An address; empty or 0.0.0.0 if the gateway has none. @throws RefusedError, TransportError, NoReplyError, MalformedMessageError */
  externalAddress(): Promise<string>
  /** Maps a port, and reads it back. @throws as externalAddress, and InvalidArgumentError, NotConfirmedError */
  map(request: MappingRequest, options?: AskOptions): Promise<PortMapping>
  /**
   * Maps the port, or another external port if that one is taken. An IGD is asked with AddAnyPortMapping
   * (WANIPConnection:2 2.4.17). If it lacks that action (`onFallback` gets the error), AddPortMapping tries one port
   * after another, for as long as `mayHelp` agrees after each refusal. An IGD that wants the same port outside and inside
   * gets that. To PCP and NAT-PMP the port is only a suggestion, and 0 means any. Over NAT-PMP, internal port 0 asks for
   * one port, the same inside and outside. Such a mapping is never removed: it ends with its lease. @throws as map
   */
  mapAny(request: MappingRequest, options?: AskAnyOptions): Promise<PortMapping>
  /** Removes a mapping. @throws as map, but for NotConfirmedError */
  unmap(mapping: MappingToRemove): Promise<void>
  /** Seconds since the gateway lost its state, as it said last (RFC 6886 3.6, RFC 6887 8.5); an IGD does not say. */
  readonly epochSeconds: number | undefined
  /** Asks whether it is there. The address is undefined if only a mapping can tell it. @throws as externalAddress */
  pulse(): Promise<{ readonly externalAddress: string | undefined }>
  /** The mapping as the gateway shows it: undefined if there is none, 'untold' if the gateway cannot be asked. */
  find(key: MappingKey): Promise<PortMapping | undefined | 'untold'>
  /** Whether this user is known to have made that mapping in this protocol, and its lease has not ended. */
  remembers(key: MappingKey): Promise<boolean>
}

export interface AskOptions {
  /**
   * The same was asked for before. Over PCP this is one packet, and it is not sent again: a client must not ask for a
   * mapping twice within 4 s (RFC 6887 11.2.1). It makes no difference to NAT-PMP and an IGD.
   */
  readonly isRepetition?: boolean
  /** An earlier request for the same had no answer: what PCP or NAT-PMP has for that inside may be its work. */
  readonly mayBeMade?: boolean
}

export interface AskAnyOptions extends AskOptions {
  readonly onFallback?: (error: PortMappingError) => void
  readonly mayHelp?: (error: PortMappingError) => Promise<boolean>
}

/** PCP and NAT-PMP go by the inside: as remembered, or else this computer and the external port. An IGD ignores it. */
export interface MappingToRemove extends MappingKey {
  readonly internalClient?: string
  readonly internalPort?: number
}

/** WANIPConnection:2 2.4.5 GetStatusInfo. */
export interface ConnectionStatus {
  readonly connectionStatus: string
  readonly lastConnectionError: string
  /** Seconds since the connection was made. */
  readonly uptimeSeconds: number
}

/** WANCommonInterfaceConfig:1 2.4.3 GetCommonLinkProperties, in bits per second. */
export interface LinkRates {
  readonly upstreamBitsPerSecond: number
  readonly downstreamBitsPerSecond: number
}

/** WANCommonInterfaceConfig:1 2.4.4 to 2.4.7: 32-bit counters that wrap; undefined if the gateway does not give it. */
export interface TrafficCounters {
  readonly bytesSent: number | undefined
  readonly bytesReceived: number | undefined
  readonly packetsSent: number | undefined
  readonly packetsReceived: number | undefined
}

/** A gateway that is asked over UDP: PCP or NAT-PMP. */
export interface PortControlGateway extends GatewayBase {
  readonly protocol: 'pcp' | 'nat-pmp'
  readonly address: string
  /** The UDP port that requests go to: 5351 in the standards (RFC 6887 19.1, RFC 6886 3.1). */
  readonly port: number
  readonly epochSeconds: number
  /** Whether nobody has that external port. It is mapped for a moment to learn it, because neither protocol can ask. */
  isFree(outside: Pick<MappingKey, 'externalPort' | 'protocol'>): Promise<boolean | 'untold'>
  /** Opens pinholes in the IPv6 firewall; undefined if the gateway is asked over IPv4. */
  readonly pinholes: PinholeOpener | undefined
}

/** A UPnP gateway (InternetGatewayDevice:1 or :2), through one of its WAN connection services. */
export interface IgdGateway extends GatewayBase {
  readonly protocol: 'igd'
  /** The control URL of the chosen WAN connection service; a link-local host has its zone. */
  readonly controlUrl: string
  /** The URL to subscribe to the connection's events; undefined if it has none. */
  readonly eventUrl: string | undefined
  /** The URL of the device's own web page, unresolved, as its description gives it; empty if it gives none. */
  readonly presentationUrl: string
  /** WANIPConnection:2 2.4.2 GetConnectionTypeInfo: `IP_Routed`, for example. */
  connectionType(): Promise<string>
  status(): Promise<ConnectionStatus>
  linkRates(): Promise<LinkRates>
  trafficCounters(): Promise<TrafficCounters>
  /** WANIPConnection:2 2.4.19. Both ends are included; `manage` also removes mappings of other computers. */
  unmapRange(range: PortRange): Promise<void>
  /** Whether its table has an entry there; false if the gateway does not say. */
  hasPortMappingAt(index: number): Promise<boolean>
  /** WANIPConnection:2 2.4.21 GetListOfPortMappings: one request, in the order of the gateway's document. */
  portMappingsOf(protocol: TransportProtocol): Promise<readonly PortMapping[]>
  /** Undefined if the gateway has no IPv6 firewall that can be asked. */
  readonly firewall: PinholeFirewall | undefined
  /** All mappings in the order of the gateway's table (WANIPConnection:2 2.4.14). The end of the table is no error. */
  portMappings(signal?: AbortSignal): AsyncGenerator<PortMapping, ListingEnd>
  /**
   * As with any gateway. With `specificOnly` the table is not read if the gateway cannot be asked for one mapping. With
   * `surely` the table counts only if the gateway lacks that question (401, 602), and not if it refuses to answer.
   */
  find(
    key: MappingKey,
    options?: { readonly signal?: AbortSignal; readonly specificOnly?: boolean; readonly surely?: boolean },
  ): Promise<PortMapping | undefined | 'untold'>
}

export interface PortRange {
  readonly startPort: number
  readonly endPort: number
  readonly protocol: TransportProtocol
  readonly manage: boolean
}

/** What opens pinholes: WANIPv6FirewallControl:1, or PCP over IPv6. */
export interface PinholeOpener {
  /** Returns the ID of the pinhole and its lease. */
  addPinhole(request: TimedPinholeRequest, options?: AskOptions): Promise<GrantedPinhole>
  updatePinhole(id: PinholeId, leaseSeconds: number): Promise<GrantedPinhole>
  deletePinhole(id: PinholeId): Promise<void>
}

/** WANIPv6FirewallControl:1. */
export interface PinholeFirewall extends PinholeOpener {
  status(): Promise<FirewallStatus>
  isPinholeWorking(id: PinholeId): Promise<boolean>
  pinholePackets(id: PinholeId): Promise<number>
  /** Seconds after which the firewall forgets an idle connection that began inside. */
  outboundPinholeTimeout(request: PinholeRequest): Promise<number>
}

/** How a listing ended: with the gateway's error, because the gateway repeated itself, or at this library's limit. */
export type ListingEnd = { readonly number: number; readonly standardName: string } | 'repetition' | 'limit'

function missing(action: string): Promise<never> {
  const message = `${action}: the gateway has no IPv6 firewall that can be asked (WANIPv6FirewallControl)`
  return Promise.reject(new TransportError(message, { action }))
}

export const NO_FIREWALL: PinholeFirewall = {
  status: () => missing('GetFirewallStatus'),
  addPinhole: () => missing('AddPinhole'),
  updatePinhole: () => missing('UpdatePinhole'),
  deletePinhole: () => missing('DeletePinhole'),
  isPinholeWorking: () => missing('CheckPinholeWorking'),
  pinholePackets: () => missing('GetPinholePackets'),
  outboundPinholeTimeout: () => missing('GetOutboundPinholeTimeout'),
}
