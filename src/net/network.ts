/** What a client needs of the outside, in one handful, and Node's own. */
import { type Clock, systemClock } from './clock.js'
import { type Datagrams, nodeDatagrams } from './datagrams.js'
import { createHttpClient, type HttpClient } from './http-client.js'
import { type InterfaceAddress, interfaceAddresses } from './interfaces.js'
import { defaultGateways } from './routes.js'
import { undiciExchange } from './undici-exchange.js'

export interface ClientNet {
  readonly clock: Clock
  readonly datagrams: Datagrams
  readonly http: HttpClient
  /** This computer's addresses, of both families. */
  readonly interfaces: () => readonly InterfaceAddress[]
  /** IPv4 addresses, the preferred one first. */
  readonly defaultGateways: () => Promise<readonly string[]>
}

export function nodeNet(): ClientNet {
  const http = createHttpClient(systemClock, undiciExchange)
  return { clock: systemClock, datagrams: nodeDatagrams, http, interfaces: interfaceAddresses, defaultGateways }
}
