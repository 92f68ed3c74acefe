/**
 * The emulated gateway: binds the responders to the network, counts, and lets go of everything at the end. It is on
 * loopback unless told otherwise.
 */
import { randomUUID } from 'node:crypto'
import { isLoopbackIPv4, isUnicastIPv4, onSameSubnet } from '../domain/address.js'
import { InvalidArgumentError, TransportError } from '../domain/errors.js'
import { isPort, type PortMapping } from '../domain/port-mapping.js'
import { VERSION } from '../domain/version.js'
import { type Clock, systemClock } from '../net/clock.js'
import { type Datagrams, type Endpoint, nodeDatagrams } from '../net/datagrams.js'
import { type HttpServer, type HttpServers, nodeHttpServers } from '../net/http-server.js'
import { type InterfaceAddress, ipv4Interfaces } from '../net/interfaces.js'
import type { RootDescription } from '../wire/description.js'
import type { IgdActionName } from '../wire/igd-actions.js'
import { SSDP_PORT } from '../wire/ssdp.js'
import type { GatewayFacts } from './action-context.js'
import { createCounters, type EmulatorCounters } from './counters.js'
import { DESCRIPTION_PATH, type DescriptionFacts, describeGateway } from './gateway-description.js'
import { createIgdResponder, type IgdResponder } from './igd-responder.js'
import { MAX_MAPPINGS, MappingTable } from './mapping-table.js'
import { MAX_PINHOLE_ID, MAX_PINHOLES, type PinholeEntry, PinholeTable } from './pinhole-table.js'
import { createSsdpResponder } from './ssdp-responder.js'
import { openSsdp, type SsdpSockets } from './ssdp-sockets.js'

export interface EmulatorOptions extends Partial<GatewayFacts>, Partial<DescriptionFacts> {
  /** The one IPv4 address of this computer that the gateway is on; 127.0.0.1 if not given. */
  readonly address?: string
  /** 0, the default, for any free port. */
  readonly httpPort?: number
  /** 0, the default, for unicast searches on any free port; 1900 for the multicast group as well. */
  readonly ssdpPort?: number
  readonly maxMappings?: number
  readonly maxPinholes?: number
}

/** What it runs on; tests give their own. */
export interface EmulatorNetwork {
  readonly clock: Clock
  readonly datagrams: Datagrams
  readonly httpServers: HttpServers
  readonly interfaces: () => readonly InterfaceAddress[]
}

export interface Emulator {
  readonly descriptionUrl: string
  readonly httpPort: number
  /** Where unicast searches go; undefined where SSDP could not be had, see `ssdpError`. */
  readonly ssdp: Endpoint | undefined
  readonly ssdpError: TransportError | undefined
  readonly counters: Readonly<EmulatorCounters>
  mappings(): PortMapping[]
  pinholes(): PinholeEntry[]
  /** Says goodbye and closes every socket, connection and timer. May be called again. */
  close(): Promise<void>
}

const SERVER = `Emulated/1.0 UPnP/1.1 upnp-ts/${VERSION}`

const DEFAULTS = {
  address: '127.0.0.1',
  httpPort: 0,
  ssdpPort: 0,
  maxMappings: MAX_MAPPINGS,
  maxPinholes: MAX_PINHOLES,
  externalAddress: '11.22.33.44', // not a reserved one: clients warn of those
  connectionType: 'IP_Routed',
  connectionStatus: 'Connected',
  lastConnectionError: 'ERROR_NONE',
  linkRates: { upstreamBitsPerSecond: 1_000_000_000, downstreamBitsPerSecond: 1_000_000_000 },
  traffic: { bytesSent: 0, bytesReceived: 0, packetsSent: 0, packetsReceived: 0 },
  secureMode: false,
  firewallEnabled: true,
  inboundPinholeAllowed: true,
  pinholesOnlyForAsking: true,
  pinholePackets: 1,
  outboundPinholeTimeoutSeconds: 120,
  friendlyName: 'Emulated gateway',
  manufacturer: 'upnp-ts',
  modelName: 'upnp-ts emulator',
  modelNumber: '1',
}

const NODE_NETWORK: EmulatorNetwork = {
  clock: systemClock,
  datagrams: nodeDatagrams,
  httpServers: nodeHttpServers,
  interfaces: ipv4Interfaces,
}

/** @throws InvalidArgumentError, TransportError */
export async function startEmulator(
  options: EmulatorOptions = {},
  network: Partial<EmulatorNetwork> = {},
): Promise<Emulator> {
  const settings = { ...DEFAULTS, uuid: randomUUID(), ...options }
  checkSettings(settings)
  const running = { settings, ...NODE_NETWORK, ...network, counters: createCounters() }
  const table = new MappingTable(settings.maxMappings)
  const pinholes = new PinholeTable(settings.maxPinholes)
  const igd = await openIgd(running, { table, pinholes })
  const ssdp = await openSsdpOrSayWhyNot(running, igd)
  const sockets = ssdp instanceof TransportError ? undefined : ssdp
  let closed: Promise<void> | undefined
  return {
    descriptionUrl: igd.descriptionUrl,
    httpPort: igd.server.local.port,
    ssdp: sockets?.local,
    get ssdpError() {
      return ssdp instanceof TransportError ? ssdp : ssdp.failure
    },
    counters: running.counters,
    mappings: () => table.list(running.clock.monotonicMs()),
    pinholes: () => pinholes.list(running.clock.monotonicMs()),
    close() {
      closed ??= closeBoth(igd.server, sockets)
      return closed
    },
  }
}

type Settings = Required<Omit<EmulatorOptions, 'presentationUrl'>> & Pick<EmulatorOptions, 'presentationUrl'>

interface Running extends EmulatorNetwork {
  readonly settings: Settings
  readonly counters: EmulatorCounters
}

interface Tables {
  readonly table: MappingTable
  readonly pinholes: PinholeTable
}

interface Igd {
  readonly server: HttpServer
  readonly description: RootDescription
  readonly descriptionUrl: string
}

function checkSettings({ address, httpPort, ssdpPort, maxMappings, maxPinholes, uuid }: Settings): void {
  if (!isUnicastIPv4(address))
    throw new InvalidArgumentError(`the gateway's address must be one IPv4 address: ${address}`)
  for (const port of [httpPort, ssdpPort])
    if (port !== 0 && !isPort(port)) throw new InvalidArgumentError(`a port must be 0 to 65535: ${port}`)
  if (!Number.isInteger(maxMappings) || maxMappings < 0)
    throw new InvalidArgumentError(`the number of mappings must be 0 or more: ${maxMappings}`)
  if (!Number.isInteger(maxPinholes) || maxPinholes < 0 || maxPinholes > MAX_PINHOLE_ID)
    throw new InvalidArgumentError(`the number of pinholes must be 0 to ${MAX_PINHOLE_ID}: ${maxPinholes}`)
  if (!/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(uuid)) throw new InvalidArgumentError(`not a UUID: ${uuid}`)
}

async function openIgd({ settings, httpServers, clock, counters }: Running, tables: Tables): Promise<Igd> {
  const startedMs = clock.monotonicMs()
  let respond: IgdResponder | undefined // the description needs the port, which the server knows
  const server = await httpServers.listen({
    address: settings.address,
    port: settings.httpPort,
    handler(request) {
      counters.requests++
      return respond?.(request, clock.monotonicMs())
    },
  })
  const origin = `http://${settings.address}:${server.local.port}`
  const description = describeGateway({ presentationUrl: `${origin}${DESCRIPTION_PATH}`, ...settings })
  const onAction = (action: IgdActionName): void => {
    counters.actions[action] = (counters.actions[action] ?? 0) + 1
  }
  respond = createIgdResponder({ facts: settings, ...tables, startedMs, description, server: SERVER, onAction })
  return { server, description, descriptionUrl: origin + DESCRIPTION_PATH }
}

/** Other programs may hold port 1900: the gateway is of use without it, at its URL. */
async function openSsdpOrSayWhyNot(running: Running, igd: Igd): Promise<SsdpSockets | TransportError> {
  const { address, ssdpPort } = running.settings
  const responder = createSsdpResponder({
    device: igd.description.device,
    location: igd.descriptionUrl,
    server: SERVER,
    bootId: Math.trunc(running.clock.wallMs() / 1000),
  })
  try {
    const isNeighbour = subnetOf(address, running.interfaces())
    return await openSsdp({ ...running, address, port: ssdpPort, responder, isNeighbour })
  } catch (error) {
    if (error instanceof TransportError && ssdpPort === SSDP_PORT) return error
    await igd.server.close()
    throw error
  }
}

function subnetOf(address: string, interfaces: readonly InterfaceAddress[]): (other: string) => boolean {
  if (isLoopbackIPv4(address)) return isLoopbackIPv4
  const netmask = interfaces.find((each) => each.address === address)?.netmask ?? '255.255.255.255'
  return (other) => onSameSubnet(address, netmask, other)
}

async function closeBoth(server: HttpServer, ssdp: SsdpSockets | undefined): Promise<void> {
  await Promise.all([ssdp?.close(), server.close()])
}
