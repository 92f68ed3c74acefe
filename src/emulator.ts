/**
 * `upnp-ts/emulator`: a gateway for tests, which speaks UPnP IGD, PCP and NAT-PMP. This file lists its public names.
 *
 * @example
 * const gateway = await startEmulator({ quirks: [{ name: 'igd1' }] })
 * const port = await openPort(25565, { net: gateway.net })
 * gateway.forget() // it restarts
 * console.log(gateway.mappings(), gateway.counters)
 * await port.close()
 * await gateway.close()
 */

export type { ErrorCode, ErrorFacts, SearchSummary } from './domain/error-facts.js'
export type {
  AnyPortMappingError,
  AskedGateway,
  InvalidArgumentError,
  MalformedMessageError,
  NoGatewayError,
  NoReplyError,
  NotConfirmedError,
  PortMappingError,
  RefusedError,
  TransportError,
} from './domain/errors.js'
export type { LinkRates, TrafficCounters } from './domain/gateway.js'
export type { FirewallStatus, PinholeRequest, TimedPinholeRequest } from './domain/pinhole.js'
export type {
  GatewayProtocol,
  MappingKey,
  PortMapping as ShownMapping,
  TransportProtocol,
  Via,
} from './domain/port-mapping.js'
export type { Quirk, RefuseQuirk } from './domain/quirk.js'
export type { LeftBehind } from './domain/refusal-cause.js'
export {
  type Emulator,
  type EmulatorNetwork,
  type ForgetOptions,
  type MappingToAdd,
  type PinholeToAdd,
  startEmulator,
} from './emulator/emulator.js'
export type { EmulatorOptions } from './emulator/emulator-options.js'
export type { EmulatorCounters, GatewayFacts, NatPmpRequestName, PcpRequestName } from './emulator/gateway-state.js'
export type { DescriptionFacts } from './emulator/igd/descriptions.js'
export type { EmulatedNet } from './emulator/link.js'
export type { TableEntry, WantedMapping } from './emulator/tables/mapping-table.js'
export type { PinholeEntry, WantedPinhole } from './emulator/tables/pinhole-table.js'
export { type Clock, timersClock } from './net/clock.js'
export type {
  ConnectedOptions,
  ConnectedSocket,
  DatagramOptions,
  DatagramSocket,
  Datagrams,
  Endpoint,
} from './net/datagrams.js'
export type { PrivateFiles } from './net/files/private-files.js'
export type { HttpClient, HttpReply, HttpRequest } from './net/http/client.js'
export type {
  HttpServer,
  HttpServers,
  ListenOptions,
  RequestHandler,
  ServedReply,
  ServedRequest,
} from './net/http/server.js'
export type { InterfaceAddress } from './net/interfaces.js'
export type { ClientNet } from './net/network.js'
export type { IgdActionName } from './wire/igd-actions.js'
