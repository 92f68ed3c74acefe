/**
 * What a gateway can do. `GatewayBase` is what every protocol offers; `IgdGateway` adds what only UPnP has, so a command
 * that needs a listing asks for an IgdGateway and no method has to throw "not supported". A `Gateway` is one or the other,
 * and `protocol` tells which.
 */
import type { PortMappingError } from './errors.js'
import type { FirewallStatus, GrantedPinhole, PinholeId, PinholeRequest, TimedPinholeRequest } from './pinhole.js'
import type { GatewayProtocol, MappingKey, MappingRequest, PortMapping, TransportProtocol } from './port-mapping.js'

export type Gateway = IgdGateway | PortControlGateway

export interface GatewayBase {
  readonly protocol: GatewayProtocol
  /** The host that it is asked at, with its zone, or the name that was given for it; undefined if not known. */
  readonly address: string | undefined
  /** This computer's address on the way to the gateway. */
  readonly localAddress: string
  /** The address that the internet sees, a dotted quad. @throws RefusedError, TransportError, NoReplyError, MalformedMessageError */
  externalAddress(): Promise<string>
  /** Maps a port and reads back what the gateway made of it. @throws also NotConfirmedError */
  map(request: MappingRequest): Promise<PortMapping>
  /**
   * Another external port than asked where that one is taken. An IGD is asked with AddAnyPortMapping, or where it does not
   * have that (`onFallback` is told why) with AddPortMapping for one port after the other; PCP and NAT-PMP only suggest
   * a port, and take 0 for any. @throws as map
   */
  mapAny(request: MappingRequest, onFallback?: (error: PortMappingError) => void): Promise<PortMapping>
  unmap(mapping: MappingToRemove): Promise<void>
  /**
   * Seconds since the gateway began or lost its state, as it told last (RFC 6886 3.6, RFC 6887 8.5); undefined for an IGD,
   * which does not tell.
   */
  readonly epochSeconds: number | undefined
  /** Whether it is there, and its external address, asked for anew; undefined where that cannot be had without a mapping. */
  pulse(): Promise<{ readonly externalAddress: string | undefined }>
  /** What it shows of a mapping: undefined for none, 'untold' where the protocol, or this gateway, has no such question. */
  find(key: MappingKey): Promise<PortMapping | undefined | 'untold'>
}

/**
 * PCP and NAT-PMP know a mapping by its inside. Where that is not given they take what they remember of it, or else this
 * computer and the internal port that is the same as the external one. An IGD does not look at it.
 */
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

/** WANCommonInterfaceConfig:1 2.4.3 GetCommonLinkProperties; bits per second. */
export interface LinkRates {
  readonly upstreamBitsPerSecond: number
  readonly downstreamBitsPerSecond: number
}

/** WANCommonInterfaceConfig:1 2.4.4 to 2.4.7; 32-bit counters that wrap. A counter that could not be had is undefined. */
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
  readonly port: number
  /** Seconds since it lost its state, or began, as it told last (RFC 6886 3.6, RFC 6887 8.5). */
  readonly epochSeconds: number
  /** Whether this user is known to have made that mapping, and its lease lasts. */
  remembers(key: MappingKey): Promise<boolean>
  /** Pinholes of an IPv6 firewall; undefined where this is IPv4. */
  readonly pinholes: PinholeOpener | undefined
}

export interface IgdGateway extends GatewayBase {
  readonly protocol: 'igd'
  /** The control URL of the chosen WAN connection service; a link-local host has its zone. */
  readonly controlUrl: string
  /** Where the connection's events are subscribed to; undefined if it has none. */
  readonly eventUrl: string | undefined
  /** The device's own web page as its description gives it, unresolved; empty where it gives none. */
  readonly presentationUrl: string
  connectionType(): Promise<string>
  status(): Promise<ConnectionStatus>
  linkRates(): Promise<LinkRates>
  trafficCounters(): Promise<TrafficCounters>
  /** DeletePortMappingRange: both ends included; `manage` also removes the mappings of other computers. */
  unmapRange(range: PortRange): Promise<void>
  /** GetListOfPortMappings: in the order of the gateway's document, in one request. */
  portMappingsOf(protocol: TransportProtocol): Promise<readonly PortMapping[]>
  /** Undefined where the gateway has no IPv6 firewall that can be asked. */
  readonly firewall: PinholeFirewall | undefined
  /** All mappings in the order of the gateway's table; ends without an error where the table ends. */
  portMappings(): AsyncIterable<PortMapping, ListingEnd>
}

export interface PortRange {
  readonly startPort: number
  readonly endPort: number
  readonly protocol: TransportProtocol
  readonly manage: boolean
}

/** What opens pinholes: WANIPv6FirewallControl:1, or PCP over IPv6. */
export interface PinholeOpener {
  /** Returns what it is known by from then on, and its lease. */
  addPinhole(request: TimedPinholeRequest): Promise<GrantedPinhole>
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

/** How a listing ended: the error that the gateway marked the end with, or that it began to repeat itself. */
export type ListingEnd = { readonly number: number; readonly standardName: string } | 'repetition' | 'limit'
