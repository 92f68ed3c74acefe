/** Only this folder touches sockets, clock, files and interfaces. These are the parts that a client needs. */
import { type Clock, systemClock } from './clock.js'
import { type Datagrams, nodeDatagrams } from './datagrams.js'
import { createHttpClient, type HttpClient } from './http/client.js'
import { undiciExchange } from './http/undici-exchange.js'
import { computerName, type InterfaceAddress, interfaceAddresses, temporaryAddresses } from './interfaces.js'
import { hardwareAddress } from './tables/neighbours.js'
import { defaultGateways } from './tables/routes.js'

export interface ClientNet {
  readonly clock: Clock
  readonly datagrams: Datagrams
  readonly http: HttpClient
  /** This computer's addresses, of both families. */
  readonly interfaces: () => readonly InterfaceAddress[]
  /** The default gateways of that family, the preferred one first; a link-local address has its zone. */
  readonly defaultGateways: (family: 4 | 6) => Promise<readonly string[]>
  /** Of a neighbour with that IP address; undefined if it is not known. Without it, no router can be told from another. */
  readonly hardwareAddress?: ((address: string) => Promise<string | undefined>) | undefined
  /** This computer's IPv6 addresses that will not last. Without it, none is known to be such. */
  readonly temporaryAddresses?: (() => readonly string[]) | undefined
  /** Tells this computer from others that have the same files: a container, or a home on the network. */
  readonly computerName?: string | undefined
}

export function nodeNet(): ClientNet {
  const http = createHttpClient(systemClock, undiciExchange)
  return {
    clock: systemClock,
    datagrams: nodeDatagrams,
    http,
    interfaces: interfaceAddresses,
    defaultGateways: (family) => defaultGateways(family),
    hardwareAddress: (address) => hardwareAddress(address),
    temporaryAddresses: () => temporaryAddresses(),
    computerName: computerName(),
  }
}
