/** Surroundings: everything outside the command line that it uses. A test brings its own. */
import { systemClock } from '../net/clock.js'
import { nodeDatagrams } from '../net/datagrams.js'
import { userPrivateFiles } from '../net/files/private-files.js'
import { createHttpClient, type HttpRequest } from '../net/http/client.js'
import { computerName, interfaceAddresses, temporaryAddresses } from '../net/interfaces.js'
import type { ClientNet } from '../net/network.js'
import type { DroppedLine } from '../net/patient-output.js'
import { hardwareAddress } from '../net/tables/neighbours.js'
import { defaultGateways } from '../net/tables/routes.js'
import type { RunContext } from './context.js'
import type { OutputStream, Streams } from './print/printer.js'

/** `isTTY`: somebody sits there. */
export type Input = AsyncIterable<string | Uint8Array> & { readonly isTTY?: boolean; destroy?(): unknown }

export interface Surroundings
  extends Streams,
    ClientNet,
    Pick<RunContext, 'files' | 'onlyRoute' | 'onlyEndpoint' | 'listeners'> {
  readonly onSignal: OnSignal
  /** Sends this process a signal that it has caught, so that it ends as if it had not. */
  readonly raise?: ((signal: string) => void) | undefined
  /** Opened when it is called. Without it, there is no input. */
  readonly stdin?: (() => Input) | undefined
  /** Streams for a program that must not wait for its readers. `droppedLine` is about lines that nobody read. */
  readonly patientStreams?: ((droppedLine: DroppedLine) => Promise<Omit<Streams, 'env'>>) | undefined
}

/** Node's network, with the HTTP exchange that starts fastest. */
export function commandLineNet(): ClientNet {
  return {
    clock: systemClock,
    datagrams: nodeDatagrams,
    http: {
      async request(request: HttpRequest) {
        // It loads node:net, which takes 4 ms: that can wait until the search has been sent.
        const { leanExchange } = await import('../net/http/lean-exchange.js')
        return createHttpClient(systemClock, leanExchange).request(request)
      },
    },
    interfaces: interfaceAddresses,
    defaultGateways: (family) => defaultGateways(family),
    hardwareAddress: (address) => hardwareAddress(address),
    temporaryAddresses: () => temporaryAddresses(),
    computerName: computerName(),
  }
}

/**
 * Opens a stream of Node when it is first used: that takes 3 ms, and Node makes a pipe one that does not wait, for every
 * program that shares it.
 */
function opened(stream: () => OutputStream): OutputStream {
  return {
    write: (text) => stream().write(text),
    on: (event, listener) => stream().on(event, listener),
    get isTTY() {
      return stream().isTTY === true
    },
    get columns() {
      return stream().columns || undefined // a terminal that does not know its size says 0
    },
    get rows() {
      return stream().rows || undefined
    },
  }
}

async function openPatientStreams(droppedLine: DroppedLine): Promise<Omit<Streams, 'env'>> {
  const { patientStreams } = await import('../net/patient-output.js')
  return patientStreams(droppedLine)
}

export function ofProcess(): Surroundings {
  return {
    ...commandLineNet(),
    stdout: opened(() => process.stdout),
    stderr: opened(() => process.stderr),
    stdin: () => process.stdin,
    env: process.env,
    files: userPrivateFiles,
    onSignal: onProcessSignal,
    listeners: async () => (await import('../net/tables/listeners.js')).listenersOfThisComputer(),
    raise: (signal) => void process.kill(process.pid, signal),
    // A console of Windows takes text, not bytes.
    patientStreams: process.platform === 'win32' ? undefined : openPatientStreams,
  }
}

/**
 * The signals that ask upnp-ts to end. SIGBREAK is Ctrl-Break on Windows, which also has SIGINT and SIGHUP; other
 * systems do not have SIGBREAK.
 */
export const END_SIGNALS: readonly string[] = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGBREAK']
/** The signals to pass on to a program that upnp-ts runs. A system without one of them never sends it. */
export const PROGRAM_SIGNALS: readonly string[] = [...END_SIGNALS, 'SIGQUIT', 'SIGUSR1', 'SIGUSR2']

/**
 * Calls the listener with the name of each signal, until the returned function is called. After that, a signal has its
 * default effect again.
 */
export type OnSignal = (names: readonly string[], listener: (name: string) => void) => () => void

export function onProcessSignal(names: readonly string[], listener: (name: string) => void): () => void {
  for (const name of names) process.on(name, listener)
  return () => {
    for (const name of names) process.off(name, listener)
  }
}
