/**
 * The emulated gateway, which knows nothing about the client. This file connects the responders to the network, counts
 * what they receive, and closes everything at the end.
 */
import { TransportError } from '../domain/errors.js'
import { SSDP_PORT } from '../domain/ports.js'
import { VERSION } from '../domain/version.js'
import { type Clock, sleep, systemClock } from '../net/clock.js'
import { type Datagrams, type Endpoint, nodeDatagrams } from '../net/datagrams.js'
import { type HttpServers, nodeHttpServers } from '../net/http/server.js'
import { type InterfaceAddress, interfaceAddresses } from '../net/interfaces.js'
import type { Device } from '../wire/description.js'
import type { IgdActionName } from '../wire/igd-actions.js'
import { type EmulatorOptions, type EmulatorSettings, settingsOf } from './emulator-options.js'
import { createCounters, type EmulatorCounters, type GatewayState } from './gateway-state.js'
import { DESCRIPTION_PATH, describeGateway } from './igd/descriptions.js'
import { createIgdResponder, type IgdResponder } from './igd/responder.js'
import { createSsdpResponder, openSsdp, type SsdpSockets } from './igd/ssdp-responder.js'
import { neighboursOf } from './neighbours.js'
import { openPortControl } from './port-control/port-control.js'
import { type Behaviour, behaviourOf } from './quirks.js'
import { MappingTable, type TableEntry } from './tables/mapping-table.js'
import { type PinholeEntry, PinholeTable } from './tables/pinhole-table.js'

/** The clock and the network that the emulated gateway uses. The default is the system's; tests bring their own. */
export interface EmulatorNetwork {
  readonly clock: Clock
  readonly datagrams: Datagrams
  readonly httpServers: HttpServers
  readonly interfaces: () => readonly InterfaceAddress[]
}

/** A running emulated gateway. */
export interface Emulator {
  /** The URL of the device description, to give to a client that does not search. */
  readonly descriptionUrl: string
  readonly httpPort: number
  /** Where unicast searches go. Undefined if SSDP could not start; `ssdpError` says why. */
  readonly ssdp: Endpoint | undefined
  /** Why SSDP could not start, or why it stopped later. */
  readonly ssdpError: TransportError | undefined
  /** Where PCP and NAT-PMP are spoken. Undefined if both are off, or could not start; `portControlError` says why. */
  readonly portControl: Endpoint | undefined
  /** Where PCP is spoken over IPv6. Undefined without `ipv6Address`, or if it could not start. */
  readonly portControlIPv6: Endpoint | undefined
  /** Why PCP and NAT-PMP could not start, or why they stopped later. */
  readonly portControlError: TransportError | undefined
  readonly counters: Readonly<EmulatorCounters>
  /** The mappings that exist now, from all three protocols. */
  mappings(): TableEntry[]
  /** The pinholes that exist now, from UPnP and PCP. */
  pinholes(): PinholeEntry[]
  /**
   * Starts again as after a power cut. Mappings and pinholes are gone, and the epoch and the uptime start from 0. On
   * port 5351 the gateway announces itself again. `externalAddress` replaces the external address.
   */
  forget(options?: { readonly externalAddress?: string }): void
  /** Says goodbye over SSDP and closes every socket, connection and timer. It may be called twice. */
  close(): Promise<void>
}

const SERVER = `Emulated/1.0 UPnP/1.1 upnp-ts/${VERSION}`

const NODE_NETWORK: EmulatorNetwork = {
  clock: systemClock,
  datagrams: nodeDatagrams,
  httpServers: nodeHttpServers,
  interfaces: interfaceAddresses,
}

/**
 * Starts an emulated gateway. If another program has port 1900 or 5351, the gateway starts without that protocol, and
 * `ssdpError` or `portControlError` says so.
 * @throws InvalidArgumentError if an option has a value that it cannot have
 * @throws TransportError if any other port cannot be opened; then nothing stays open
 */
export async function startEmulator(
  options: EmulatorOptions = {},
  network: Partial<EmulatorNetwork> = {},
): Promise<Emulator> {
  const settings = settingsOf(options)
  const behaviour = behaviourOf(settings.quirks)
  const { clock, ...others } = { ...NODE_NETWORK, ...network }
  const state: Changing<GatewayState> = {
    facts: settings,
    table: new MappingTable(settings.maxMappings, behaviour.offer.longestLeaseSeconds),
    pinholes: new PinholeTable(settings.maxPinholes),
    startedMs: clock.monotonicMs(),
  }
  const running = { settings, ...behaviour, state, clock, ...others, counters: createCounters() }
  const { igd, ssdp, portControl, close } = await openAll(running)
  let closed: Promise<void> | undefined
  return {
    descriptionUrl: igd.descriptionUrl,
    httpPort: igd.port,
    ssdp: ssdp instanceof TransportError ? undefined : ssdp.local,
    get ssdpError() {
      return ssdp instanceof TransportError ? ssdp : ssdp.failure
    },
    portControl: portControl.local,
    portControlIPv6: portControl.localIPv6,
    get portControlError() {
      return portControl.failure
    },
    counters: running.counters,
    mappings: () => state.table.list(clock.monotonicMs()),
    pinholes: () => state.pinholes.list(clock.monotonicMs()),
    forget(changes = {}) {
      state.table.clear()
      state.pinholes.clear()
      state.startedMs = clock.monotonicMs()
      state.facts = { ...state.facts, ...changes }
      portControl.announce()
    },
    close() {
      closed ??= close()
      return closed
    },
  }
}

type Changing<T> = { -readonly [K in keyof T]: T[K] }

interface Running extends EmulatorNetwork, Behaviour {
  readonly settings: EmulatorSettings
  readonly state: GatewayState
  readonly counters: EmulatorCounters
}

/** If one of the three cannot be opened, the others are closed again. */
async function openAll(running: Running) {
  const closing: (() => void | Promise<void>)[] = []
  const close = async (): Promise<void> => {
    await Promise.all(closing.map((end) => end()))
  }
  try {
    const igd = await openIgd(running)
    closing.push(() => igd.close())
    const ssdp = await openSsdpOrSayWhyNot(running, igd.device, igd.descriptionUrl)
    if (!(ssdp instanceof TransportError)) closing.push(() => ssdp.close())
    const portControl = await openPortControl(running)
    closing.push(() => portControl.close())
    return { igd, ssdp, portControl, close }
  } catch (error) {
    await close()
    throw error
  }
}

async function openIgd({ settings, state, offer, refusalOf, httpServers, clock, counters }: Running) {
  const ending = new AbortController()
  let respond: IgdResponder | undefined // the description needs the port, which the server knows
  const server = await httpServers.listen({
    address: settings.address,
    port: settings.httpPort,
    async handler(request) {
      counters.requests++
      const reply = respond?.(request, clock.monotonicMs())
      if (settings.replyDelayMs > 0) await sleep(clock, settings.replyDelayMs, ending.signal)
      return reply
    },
  })
  const origin = `http://${settings.address}:${server.local.port}`
  const description = describeGateway(offer, { presentationUrl: `${origin}${DESCRIPTION_PATH}`, ...settings })
  const onAction = (action: IgdActionName): void => {
    counters.actions[action] = (counters.actions[action] ?? 0) + 1
  }
  respond = createIgdResponder({ state, offer, description, server: SERVER, onAction, refusalOf })
  const close = (): Promise<void> => {
    ending.abort()
    return server.close()
  }
  return { port: server.local.port, device: description.device, descriptionUrl: origin + DESCRIPTION_PATH, close }
}

/** If another program has port 1900, the gateway is still useful: clients can use its URL. */
async function openSsdpOrSayWhyNot(
  running: Running,
  device: Device,
  location: string,
): Promise<SsdpSockets | TransportError> {
  const { address, ssdpPort } = running.settings
  const bootId = Math.trunc(running.clock.wallMs() / 1000)
  const responder = createSsdpResponder({ device, location, server: SERVER, bootId })
  try {
    const isNeighbour = neighboursOf(address, running.interfaces())
    return await openSsdp({ ...running, address, port: ssdpPort, responder, isNeighbour })
  } catch (error) {
    if (error instanceof TransportError && ssdpPort === SSDP_PORT) return error
    throw error
  }
}
