/**
 * The emulated gateway, which knows nothing about the client. This file connects the responders to the network, counts
 * what they receive, and closes everything at the end.
 */
import { setMaxListeners } from 'node:events'
import { hostAndPort, splitZone } from '../domain/address.js'
import { InvalidArgumentError, TransportError } from '../domain/errors.js'
import { PROTOCOL_NUMBERS } from '../domain/port-mapping.js'
import { SSDP_PORT } from '../domain/ports.js'
import { VERSION } from '../domain/version.js'
import { type Clock, sleep, systemClock } from '../net/clock.js'
import { type Datagrams, type Endpoint, nodeDatagrams } from '../net/datagrams.js'
import { createHttpClient } from '../net/http/client.js'
import { leanExchange } from '../net/http/lean-exchange.js'
import { type HttpServers, nodeHttpServers, type RequestHandler } from '../net/http/server.js'
import { type InterfaceAddress, interfaceAddresses } from '../net/interfaces.js'
import type { Device } from '../wire/description.js'
import type { IgdActionName } from '../wire/igd-actions.js'
import { checkExternalAddress, type EmulatorOptions, type EmulatorSettings, settingsOf } from './emulator-options.js'
import { createCounters, type EmulatorCounters, type GatewayState } from './gateway-state.js'
import { DESCRIPTION_PATH, describeGateway } from './igd/descriptions.js'
import { EventPublisher } from './igd/events.js'
import { createIgdResponder, type IgdResponder } from './igd/responder.js'
import { createSsdpResponder, openSsdp, type SsdpSockets } from './igd/ssdp-responder.js'
import { EmulatedLink, type EmulatedNet } from './link.js'
import { ipv6NeighboursOf, neighboursOf } from './neighbours.js'
import { openPortControl } from './port-control/port-control.js'
import { type Behaviour, behaviourOf } from './quirks.js'
import { MappingTable, type TableEntry } from './tables/mapping-table.js'
import { type PinholeEntry, PinholeTable } from './tables/pinhole-table.js'
import { Refusal } from './tables/refusal.js'

/**
 * The clock and the network that the emulated gateway uses. The default is the system's; tests bring their own. With
 * `clock: timersClock` it follows the fake timers of a test runner.
 */
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
  /** Where unicast searches go over IPv6. Undefined without `ipv6Address`, or if it could not start. */
  readonly ssdpIPv6: Endpoint | undefined
  /** Why SSDP could not start, or why it stopped later. */
  readonly ssdpError: TransportError | undefined
  /** Where PCP and NAT-PMP are spoken. Undefined if both are off, or could not start; `portControlError` says why. */
  readonly portControl: Endpoint | undefined
  /** Where PCP is spoken over IPv6. Undefined without `ipv6Address`, or if it could not start. */
  readonly portControlIPv6: Endpoint | undefined
  /** Why PCP and NAT-PMP could not start, or why they stopped later. */
  readonly portControlError: TransportError | undefined
  readonly counters: Readonly<EmulatorCounters>
  /**
   * The network of a computer whose router is this gateway, to hand to `findGateway`, `openPort` and `openPorts`. They
   * find the gateway there and nothing else: nothing is sent to any other host, and nothing is written to disk. It has
   * the clock of the gateway.
   *
   * @example const port = await openPort(25565, { net: gateway.net })
   */
  readonly net: EmulatedNet
  /** The mappings that exist now, from all three protocols. */
  mappings(): TableEntry[]
  /**
   * Adds a mapping as another computer does, over UPnP: for tests in which a port is taken. All but the external port
   * has a default: TCP, to the same port of 192.168.1.99, described as `another program`, with the longest lease.
   *
   * @example gateway.addMapping({ externalPort: 25565, internalClient: '192.168.1.7' })
   * @throws InvalidArgumentError if a third computer has the port already, or if the table is full
   */
  addMapping(mapping: MappingToAdd): void
  /** The pinholes that exist now, from UPnP and PCP. */
  pinholes(): PinholeEntry[]
  /**
   * Adds a pinhole as a computer does over UPnP, for everybody, and returns its ID. All has a default: an unused ID, TCP,
   * port 8333 of 2001:db8::99, for an hour.
   *
   * @example gateway.addPinhole({ id: 7, internalClient: '::1' })
   * @throws InvalidArgumentError if the ID is not from 1 to 65535 or is taken, or if the table is full
   */
  addPinhole(pinhole?: PinholeToAdd): number
  /**
   * Restarts as after a power cut: the epoch of PCP and NAT-PMP and the uptime begin from 0, and mappings, pinholes and
   * subscriptions to events are gone. The gateway announces itself as real ones do: to the programs on `net`, and to
   * the real link if it has port 1900 (UDA 1.1 1.2.2, with a greater BOOTID) or 5351 (RFC 6887 14.1.1, RFC 6886 3.2.1).
   *
   * @example gateway.forget({ keepMappings: true })
   */
  forget(options?: ForgetOptions): void
  /**
   * The connection is up again with another address, as after a night at many providers: mappings stay, the epoch and
   * the uptime begin from 0 (RFC 6887 8.5). Whoever has subscribed to the events of the WAN connection is told (UDA 1.1
   * 4.3.2), and PCP and NAT-PMP announce it (RFC 6886 3.2.1).
   *
   * @example gateway.setExternalAddress('11.22.33.55')
   * @throws InvalidArgumentError if it is not one IPv4 address; `0.0.0.0` is for none
   */
  setExternalAddress(address: string): void
  /** Says goodbye over SSDP and closes every socket, connection and timer. It may be called twice. */
  close(): Promise<void>
}

export interface ForgetOptions {
  /** Whether mappings and pinholes are still there after the restart, as at routers that store them. Default false. */
  readonly keepMappings?: boolean
  /** Another external address. Default: the same as before. */
  readonly externalAddress?: string
}

/** Port 0 is any port, and `leaseSeconds` 0 is the longest lease. */
export type MappingToAdd = Pick<TableEntry, 'externalPort'> &
  Partial<Omit<TableEntry, 'externalPort' | 'madeBy' | 'nonce' | 'isSamePort'>>

export type PinholeToAdd = Partial<Omit<PinholeEntry, 'nonce'>>

const SERVER = `Emulated/1.0 UPnP/1.1 upnp-ts/${VERSION}`

const ANOTHER_COMPUTERS = {
  remoteHost: '',
  protocol: 'TCP',
  internalClient: '192.168.1.99',
  enabled: true,
  description: 'another program',
  leaseSeconds: 0,
} as const

const ANOTHER_PINHOLE = {
  remoteHost: '',
  remotePort: 0,
  internalClient: '2001:db8::99',
  internalPort: 8333,
  protocol: PROTOCOL_NUMBERS.TCP,
  leaseSeconds: 3600,
} as const

const NODE_NETWORK: EmulatorNetwork = {
  clock: systemClock,
  datagrams: nodeDatagrams,
  httpServers: nodeHttpServers,
  interfaces: interfaceAddresses,
}

/**
 * Starts an emulated gateway. If another program has port 1900 or 5351, the gateway starts without that protocol, and
 * `ssdpError` or `portControlError` says so.
 *
 * @example
 * const gateway = await startEmulator({ externalAddress: '11.22.33.44', quirks: [{ name: 'igd1' }] })
 * const port = await openPort(25565, { net: gateway.net })
 *
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
    startedMs: clock.monotonicMs() - settings.uptimeSeconds * 1000,
    bootId: bootIdAt(clock),
  }
  const { address, ipv6Address } = settings
  const http = createHttpClient(clock, leanExchange)
  const link = new EmulatedLink({ address, ipv6Address, clock, http, ...others })
  const events = new EventPublisher({ http, clock, state, address })
  const running = { settings, ...behaviour, state, clock, ...others, counters: createCounters(), link, events }
  const { igd, ssdp, ssdpIPv6, portControl, close } = await openAll(running)
  const ssdpSockets = ssdp instanceof TransportError ? undefined : ssdp
  link.leadTo({
    ssdp: ssdpSockets?.local,
    portControl: portControl.local,
    portControlIPv6: portControl.localIPv6,
  })
  const beginAnew = (externalAddress: string): void => {
    state.facts = { ...state.facts, externalAddress }
    state.startedMs = clock.monotonicMs()
  }
  let closed: Promise<void> | undefined
  return {
    descriptionUrl: igd.descriptionUrl,
    httpPort: igd.port,
    ssdp: ssdpSockets?.local,
    ssdpIPv6,
    get ssdpError() {
      return ssdp instanceof TransportError ? ssdp : ssdp.failure
    },
    portControl: portControl.local,
    portControlIPv6: portControl.localIPv6,
    get portControlError() {
      return portControl.failure
    },
    counters: running.counters,
    net: link.net,
    mappings: () => state.table.list(clock.monotonicMs()),
    addMapping(mapping) {
      const wanted = { ...ANOTHER_COMPUTERS, internalPort: mapping.externalPort, ...mapping }
      orInvalid('mapping', () => state.table.add(wanted, clock.monotonicMs()))
    },
    pinholes: () => state.pinholes.list(clock.monotonicMs()),
    addPinhole({ id, ...pinhole } = {}) {
      return orInvalid('pinhole', () => state.pinholes.add({ ...ANOTHER_PINHOLE, ...pinhole }, clock.monotonicMs(), id))
    },
    forget({ keepMappings = false, externalAddress = state.facts.externalAddress } = {}) {
      if (!keepMappings) {
        state.table.clear()
        state.pinholes.clear()
      }
      beginAnew(externalAddress)
      events.forget()
      state.bootId = Math.max(state.bootId + 1, bootIdAt(clock))
      ssdpSockets?.announce()
      portControl.announce()
    },
    setExternalAddress(address) {
      checkExternalAddress(address)
      beginAnew(address)
      events.tell()
      portControl.announce()
    },
    close() {
      closed ??= close()
      return closed
    },
  }
}

/** @throws InvalidArgumentError in place of a Refusal */
function orInvalid<T>(what: string, add: () => T): T {
  try {
    return add()
  } catch (error) {
    if (error instanceof Refusal) throw new InvalidArgumentError(`the ${what} cannot be added: ${error.message}`)
    throw error
  }
}

type Changing<T> = { -readonly [K in keyof T]: T[K] }

interface Running extends EmulatorNetwork, Behaviour {
  readonly settings: EmulatorSettings
  readonly state: GatewayState
  readonly counters: EmulatorCounters
  readonly link: EmulatedLink
  readonly events: EventPublisher
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
    const ipv6 = await openIgdOverIPv6(running, igd)
    if (ipv6 !== undefined) closing.push(() => ipv6.close())
    const portControl = await openPortControl(running)
    closing.push(() => portControl.close())
    return { igd, ssdp, ssdpIPv6: ipv6?.ssdp, portControl, close }
  } catch (error) {
    await close()
    throw error
  }
}

async function openIgd({ settings, state, offer, refusalOf, httpServers, clock, counters, events }: Running) {
  const ending = new AbortController()
  setMaxListeners(0, ending.signal) // many delayed replies share it, and Node warns of the eleventh
  let respond: IgdResponder | undefined // the description needs the port, which the server knows
  const handler: RequestHandler = async (request) => {
    counters.requests++
    const reply = respond?.(request, clock.monotonicMs())
    if (settings.replyDelayMs > 0) await sleep(clock, settings.replyDelayMs, ending.signal)
    return reply
  }
  const server = await httpServers.listen({ address: settings.address, port: settings.httpPort, handler })
  const origin = `http://${settings.address}:${server.local.port}`
  const description = describeGateway(offer, { presentationUrl: `${origin}${DESCRIPTION_PATH}`, ...settings })
  const onAction = (action: IgdActionName): void => {
    counters.actions[action] = (counters.actions[action] ?? 0) + 1
  }
  respond = createIgdResponder({ state, offer, description, server: SERVER, onAction, refusalOf, events })
  const close = (): Promise<void> => {
    ending.abort()
    events.close()
    return server.close()
  }
  const descriptionUrl = origin + DESCRIPTION_PATH
  return { port: server.local.port, device: description.device, descriptionUrl, handler, close }
}

/** The same device over IPv6. It hears unicast searches, and joins no group. Where SSDP need not start, nor need this. */
async function openIgdOverIPv6(running: Running, igd: Awaited<ReturnType<typeof openIgd>>) {
  try {
    return await openIPv6(running, igd)
  } catch (error) {
    if (error instanceof TransportError && running.settings.ssdpPort === SSDP_PORT) return undefined
    throw error
  }
}

/** @throws TransportError */
async function openIPv6(running: Running, { device, handler }: Awaited<ReturnType<typeof openIgd>>) {
  const { settings, state, clock, datagrams, httpServers, counters, interfaces, searchDelayMs } = running
  const { ipv6Address, httpPort: port } = settings
  if (ipv6Address === undefined) return undefined
  const server = await httpServers.listen({ address: ipv6Address, port, handler })
  const host = hostAndPort({ ...server.local, address: splitZone(ipv6Address).address })
  const location = `http://${host}${DESCRIPTION_PATH}`
  const responder = createSsdpResponder({ device, location, server: SERVER, bootId: () => state.bootId })
  const isNeighbour = ipv6NeighboursOf(ipv6Address, interfaces())
  const common = { clock, datagrams, counters, searchDelayMs }
  try {
    const ssdp = await openSsdp({ ...common, address: ipv6Address, port: 0, responder, isNeighbour })
    const close = async (): Promise<void> => void (await Promise.all([ssdp.close(), server.close()]))
    return { ssdp: ssdp.local, close }
  } catch (error) {
    await server.close()
    throw error
  }
}

/** If another program has port 1900, the gateway is still useful: clients can use its URL. */
async function openSsdpOrSayWhyNot(
  running: Running,
  device: Device,
  location: string,
): Promise<SsdpSockets | TransportError> {
  const { address, ssdpPort } = running.settings
  const bootId = () => running.state.bootId
  const responder = createSsdpResponder({ device, location, server: SERVER, bootId })
  try {
    const isNeighbour = neighboursOf(address, running.interfaces())
    return await openSsdp({ ...running, address, port: ssdpPort, responder, isNeighbour })
  } catch (error) {
    if (error instanceof TransportError && ssdpPort === SSDP_PORT) return error
    throw error
  }
}

/** Seconds since 1970, so that it is greater after each start (UDA 1.1 1.2). */
function bootIdAt(clock: Clock): number {
  return Math.trunc(clock.wallMs() / 1000)
}
