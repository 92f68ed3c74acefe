/** What the emulated gateway can be told to be, what it is if it is told nothing, and what it cannot be. */
import { randomUUID } from 'node:crypto'
import { isUnicastIPv4, isUnicastIPv6, splitZone } from '../domain/address.js'
import { InvalidArgumentError } from '../domain/errors.js'
import { isPort } from '../domain/port-mapping.js'
import type { Quirk } from '../domain/quirk.js'
import type { GatewayFacts } from './gateway-state.js'
import type { DescriptionFacts } from './igd/gateway-description.js'
import { MAX_MAPPINGS } from './tables/mapping-table.js'
import { MAX_PINHOLE_ID, MAX_PINHOLES } from './tables/pinhole-table.js'

export interface EmulatorOptions extends Partial<GatewayFacts>, Partial<DescriptionFacts> {
  /** The one IPv4 address of this computer that the gateway is on; 127.0.0.1 if not given. */
  readonly address?: string
  /** The one IPv6 address of this computer on which PCP is spoken as well, with its zone if it is a link-local one. */
  readonly ipv6Address?: string
  /** 0, the default, for any free port. */
  readonly httpPort?: number
  /** 0, the default, for unicast searches on any free port; 1900 for the multicast group as well. */
  readonly ssdpPort?: number
  /** Of PCP and NAT-PMP: 0, the default, for any free port; on 5351 the gateway announces itself as well. */
  readonly portControlPort?: number
  /** Whether it speaks PCP; true if not given. */
  readonly pcp?: boolean
  /** Whether it speaks NAT-PMP; true if not given. */
  readonly natPmp?: boolean
  readonly maxMappings?: number
  readonly maxPinholes?: number
  /** How long the HTTP server takes over every reply, beside what it needs; 0 if not given. */
  readonly replyDelayMs?: number
  /** In what it behaves as some routers do and the standards do not want; in nothing if not given. */
  readonly quirks?: readonly Quirk[]
}

/** Longer than anybody waits for. */
const MAX_REPLY_DELAY_MS = 600_000

/** Without a default. */
type Optional = 'presentationUrl' | 'ipv6Address'

export type EmulatorSettings = Required<Omit<EmulatorOptions, Optional>> & Pick<EmulatorOptions, Optional>

const DEFAULTS = {
  address: '127.0.0.1',
  httpPort: 0,
  ssdpPort: 0,
  portControlPort: 0,
  pcp: true,
  natPmp: true,
  maxMappings: MAX_MAPPINGS,
  maxPinholes: MAX_PINHOLES,
  replyDelayMs: 0,
  quirks: [],
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

/** @throws InvalidArgumentError */
export function settingsOf(options: EmulatorOptions): EmulatorSettings {
  const settings = { ...DEFAULTS, uuid: randomUUID(), ...options }
  checkAddresses(settings)
  checkNumbers(settings)
  if (!/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(settings.uuid)) {
    throw new InvalidArgumentError(`not a UUID: ${settings.uuid}`)
  }
  return settings
}

function checkAddresses({ address, ipv6Address }: EmulatorSettings): void {
  if (!isUnicastIPv4(address))
    throw new InvalidArgumentError(`the gateway's address must be one IPv4 address: ${address}`)
  if (ipv6Address !== undefined && !isUnicastIPv6(splitZone(ipv6Address).address))
    throw new InvalidArgumentError(`the gateway's IPv6 address must be one IPv6 address: ${ipv6Address}`)
}

function checkNumbers(settings: EmulatorSettings): void {
  const { httpPort, ssdpPort, portControlPort, maxMappings, maxPinholes } = settings
  for (const port of [httpPort, ssdpPort, portControlPort])
    if (port !== 0 && !isPort(port)) throw new InvalidArgumentError(`a port must be 0 to 65535: ${port}`)
  if (!isWithin(maxMappings, Number.MAX_SAFE_INTEGER))
    throw new InvalidArgumentError(`the number of mappings must be 0 or more: ${maxMappings}`)
  if (!isWithin(maxPinholes, MAX_PINHOLE_ID))
    throw new InvalidArgumentError(`the number of pinholes must be 0 to ${MAX_PINHOLE_ID}: ${maxPinholes}`)
  if (!(settings.replyDelayMs >= 0 && settings.replyDelayMs <= MAX_REPLY_DELAY_MS))
    throw new InvalidArgumentError(
      `the delay of replies must be 0 to ${MAX_REPLY_DELAY_MS} ms: ${settings.replyDelayMs}`,
    )
}

function isWithin(value: number, largest: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= largest
}
