/** What a client needs of the outside, in one handful, and Node's own. */
import { type Clock, systemClock } from './clock.js'
import { type Datagrams, nodeDatagrams } from './datagrams.js'
import { createHttpClient, type HttpClient } from './http-client.js'
import { undiciExchange } from './undici-exchange.js'

export interface ClientNet {
  readonly clock: Clock
  readonly datagrams: Datagrams
  readonly http: HttpClient
}

export function nodeNet(): ClientNet {
  return { clock: systemClock, datagrams: nodeDatagrams, http: createHttpClient(systemClock, undiciExchange) }
}
