/** Surroundings: everything outside the command line that it uses. A test brings its own. */
import { systemClock } from '../net/clock.js'
import { nodeDatagrams } from '../net/datagrams.js'
import { userPrivateFiles } from '../net/files/private-files.js'
import { createHttpClient } from '../net/http/client.js'
import { leanExchange } from '../net/http/lean-exchange.js'
import { interfaceAddresses } from '../net/interfaces.js'
import type { ClientNet } from '../net/network.js'
import { defaultGateways } from '../net/routes.js'
import type { RunContext } from './context.js'
import type { Streams } from './print/printer.js'
import { type OnSignal, onProcessSignal } from './signals.js'

export interface Surroundings extends Streams, ClientNet, Pick<RunContext, 'files' | 'onlyRoute' | 'onlyEndpoint'> {
  readonly onSignal: OnSignal
}

/** Node's network, with the HTTP exchange that starts fastest. */
export function commandLineNet(): ClientNet {
  return {
    clock: systemClock,
    datagrams: nodeDatagrams,
    http: createHttpClient(systemClock, leanExchange),
    interfaces: interfaceAddresses,
    defaultGateways: (family) => defaultGateways(family),
  }
}

export function ofProcess(): Surroundings {
  return {
    ...commandLineNet(),
    // Getters, because Node opens a stream when it is first read, which takes 3 ms.
    get stdout() {
      return process.stdout
    },
    get stderr() {
      return process.stderr
    },
    env: process.env,
    files: userPrivateFiles,
    onSignal: onProcessSignal,
  }
}
