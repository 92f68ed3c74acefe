/** The library's public names. `findGateway` is where to begin. */

export type { Via } from './client/search/open-gateway.js'
export {
  type ErrorCode,
  InvalidArgumentError,
  MalformedMessageError,
  NoGatewayError,
  NoReplyError,
  NotConfirmedError,
  PortMappingError,
  RefusedError,
  TransportError,
} from './domain/errors.js'
export type {
  ConnectionStatus,
  Gateway,
  IgdGateway,
  LinkRates,
  ListingEnd,
  MappingToRemove,
  PortControlGateway,
  TrafficCounters,
} from './domain/gateway.js'
export type {
  GatewayProtocol,
  Lease,
  MappingKey,
  MappingRequest,
  PortMapping,
  TransportProtocol,
} from './domain/port-mapping.js'
export { VERSION } from './domain/version.js'
export { type FindGatewayOptions, findGateway } from './library/find-gateway.js'
export type { ClosedPort, OpenPort } from './library/opening/open-port.js'
export { openPort, openPorts } from './library/opening/open-ports.js'
export type { Endpoint, LeftOpen, PortChange } from './library/opening/port-changes.js'
export type { PortOptions } from './library/opening/port-options.js'
export type { Call, Net, Where } from './library/where.js'
