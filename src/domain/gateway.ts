/**
 * What a gateway can do. `Gateway` is what every protocol offers; `IgdGateway` adds what only UPnP has, so a command
 * that needs a listing asks for an IgdGateway and no method has to throw "not supported".
 */
import type { PortMappingError } from './errors.js'
import type { FirewallStatus, PinholeId, PinholeRequest, TimedPinholeRequest } from './pinhole.js'
import type { MappingKey, MappingRequest, PortMapping, TransportProtocol } from './port-mapping.js'

export interface Gateway {
  /** This computer's address as the gateway sees it. */
  readonly localAddress: string
  /** The address that the internet sees, a dotted quad. @throws RefusedError, TransportError, NoReplyError, MalformedMessageError */
  externalAddress(): Promise<string>
  /** Maps a port and reads back what the gateway made of it. @throws also NotConfirmedError */
  map(request: MappingRequest): Promise<PortMapping>
  unmap(key: MappingKey): Promise<void>
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

export interface IgdGateway extends Gateway {
  /** The control URL of the chosen WAN connection service. */
  readonly controlUrl: string
  /** The device's own web page as its description gives it, unresolved; empty where it gives none. */
  readonly presentationUrl: string
  connectionType(): Promise<string>
  status(): Promise<ConnectionStatus>
  linkRates(): Promise<LinkRates>
  trafficCounters(): Promise<TrafficCounters>
  /**
   * Another external port than asked where that one is taken: AddAnyPortMapping, or where the gateway does not have it
   * (`onFallback` is told why) AddPortMapping with one port after the other. @throws as map
   */
  mapAny(request: MappingRequest, onFallback?: (error: PortMappingError) => void): Promise<PortMapping>
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

/** WANIPv6FirewallControl:1. */
export interface PinholeFirewall {
  status(): Promise<FirewallStatus>
  /** Returns the UniqueID. */
  addPinhole(request: TimedPinholeRequest): Promise<PinholeId>
  updatePinhole(id: PinholeId, leaseSeconds: number): Promise<void>
  deletePinhole(id: PinholeId): Promise<void>
  isPinholeWorking(id: PinholeId): Promise<boolean>
  pinholePackets(id: PinholeId): Promise<number>
  /** Seconds after which the firewall forgets an idle connection that began inside. */
  outboundPinholeTimeout(request: PinholeRequest): Promise<number>
}

/** How a listing ended: the error that the gateway marked the end with, or that it began to repeat itself. */
export type ListingEnd = { readonly number: number; readonly standardName: string } | 'repetition' | 'limit'
