/** What each call of the library takes: the names of all options, and their kinds. */
import type { OptionTable } from '../domain/option-check.js'
import type { FindGatewayOptions } from './gateway/find-gateway-options.js'
import type { OpenPortOptions, PortToMap, RemoveOwnOptions } from './gateway/gateway.js'
import type { PortOptions } from './opening/port-options.js'
import type { Call, Where } from './where.js'

export const CALL: OptionTable<Call> = { signal: 'an AbortSignal', timeoutMs: 'a number' }

export const WHERE: OptionTable<Where> = {
  via: 'auto, igd, pcp or nat-pmp',
  router: 'a string',
  url: 'a string',
  networkInterface: 'a string',
  net: 'an object',
  state: 'a string or false',
  ...CALL,
}

export const FIND_GATEWAY: OptionTable<FindGatewayOptions> = {
  ...WHERE,
  ignoreState: 'true or false',
  anyHost: 'true or false',
  family: '4 or 6',
}

export const OPEN_PORT_AT_GATEWAY: OptionTable<OpenPortOptions> = {
  externalPort: "a number or 'any'",
  protocol: 'TCP, UDP or TCP+UDP',
  family: "4, 6 or 'both'",
  internalClient: 'a string',
  remoteHost: 'a string',
  description: 'a string',
  lease: "a number or 'unlimited'",
  keep: 'true or false',
  ...CALL,
}

export const OPEN_PORT: OptionTable<PortOptions> = { ...OPEN_PORT_AT_GATEWAY, ...WHERE }

export const MAP: OptionTable<PortToMap> = {
  internalPort: 'a number',
  externalPort: "a number or 'any'",
  protocol: 'TCP or UDP',
  internalClient: 'a string',
  remoteHost: 'a string',
  description: 'a string',
  lease: "a number or 'unlimited'",
}

export const REMOVE_OWN: OptionTable<RemoveOwnOptions> = { description: 'a string', internalClient: 'a string' }
