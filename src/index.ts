/** The library's public names. `findGateway` is where to begin. */

export type { ErrorCode, ErrorFacts, SearchSummary } from './domain/error-facts.js'
export {
  type AnyPortMappingError,
  type AskedGateway,
  InvalidArgumentError,
  MalformedMessageError,
  NoGatewayError,
  NoReplyError,
  NotConfirmedError,
  PortMappingError,
  RefusedError,
  TransportError,
} from './domain/errors.js'
export type { ConnectionStatus, LinkRates, TrafficCounters } from './domain/gateway.js'
export { type Ignored, onIgnored } from './domain/ignored.js'
export type { FirewallStatus, GrantedPinhole, PinholeId } from './domain/pinhole.js'
export type { GatewayProtocol, PortMapping as ShownMapping, TransportProtocol, Via } from './domain/port-mapping.js'
export type { LeftBehind } from './domain/refusal-cause.js'
export { VERSION } from './domain/version.js'
export { findGateway } from './library/gateway/find-gateway.js'
export type { FindGatewayOptions } from './library/gateway/find-gateway-options.js'
export type {
  Firewall,
  Gateway,
  GatewayBase,
  IgdGateway,
  Lease,
  LeftMapping,
  MappingToUnmap,
  OpenPortOptions,
  Outside,
  OwnMappings,
  Pinholes,
  PinholeTraffic,
  PortControlGateway,
  PortToMap,
  RangeToUnmap,
  RemoveOwnOptions,
} from './library/gateway/gateway.js'
export type { PortMapping } from './library/gateway/shown-mapping.js'
export type { ClosedPort, OpenPort } from './library/opening/open-port.js'
export { openPort, openPorts } from './library/opening/open-ports.js'
export type { Endpoint, LeftOpen, PortChange } from './library/opening/port-changes.js'
export type { PortOptions } from './library/opening/port-options.js'
export type { Call, Net, Where } from './library/where.js'
export type { Clock } from './net/clock.js'
