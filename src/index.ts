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
