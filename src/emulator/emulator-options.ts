/** The options of the emulated gateway, their defaults, and the checks of their values. */
import { randomUUID } from 'node:crypto'
import { isUnicastIPv4, isUnicastIPv6, parseIPv4, splitZone } from '../domain/address.js'
import { InvalidArgumentError } from '../domain/errors.js'
import { checkOptions, type OptionTable } from '../domain/option-check.js'
import { isPort } from '../domain/port-mapping.js'
import type { Quirk } from '../domain/quirk.js'
import type { GatewayFacts } from './gateway-state.js'
import type { DescriptionFacts } from './igd/descriptions.js'
import { MAX_MAPPINGS } from './tables/mapping-table.js'
import { MAX_PINHOLE_ID, MAX_PINHOLES } from './tables/pinhole-table.js'

/** Every option has a default, except `ipv6Address`. `GatewayFacts` and `DescriptionFacts` name theirs. */
export interface EmulatorOptions extends Partial<GatewayFacts>, Partial<DescriptionFacts> {
  /** The gateway's IPv4 address, which must be one of this computer's. Default 127.0.0.1. */
  readonly address?: string
  /**
   * An IPv6 address of this computer, for PCP, and for UPnP with unicast searches; a link-local one has its zone
   * (`fe80::1%eth0`). Default: none.
   */
  readonly ipv6Address?: string
  /** The TCP port of the descriptions and of the actions. Default 0: any free port. */
  readonly httpPort?: number
  /** The UDP port of SSDP. Default 0: any, for unicast searches only. With 1900 the gateway also uses multicast. */
  readonly ssdpPort?: number
  /** The UDP port of PCP and NAT-PMP. Default 0: any free port. With 5351 the gateway also announces itself. */
  readonly portControlPort?: number
  /** Whether the gateway speaks PCP. Default true. */
  readonly pcp?: boolean
  /** Whether the gateway speaks NAT-PMP. Default true. */
  readonly natPmp?: boolean
  /** How many mappings the gateway has room for; above that it refuses (with 728 over UPnP). Default 4096. */
  readonly maxMappings?: number
  /** How many pinholes the gateway has room for, 0 to 65535; above that it refuses (701 over UPnP). Default 1024. */
  readonly maxPinholes?: number
  /** How many milliseconds the HTTP server waits before each reply, 0 to 600000. Default 0. */
  readonly replyDelayMs?: number
  /**
   * For how many seconds the gateway has been up when it starts. Default 0. A restart in the first seconds cannot be told
   * over PCP and NAT-PMP, because the epoch is hardly less after it (RFC 6887 8.5): tests of that need some time before.
   */
  readonly uptimeSeconds?: number
  /** How the gateway differs from the standards, as some real routers do. Default `[]`: it does not differ. */
  readonly quirks?: readonly Quirk[]
}

/** Longer than any client waits. */
const MAX_REPLY_DELAY_MS = 600_000

/** The options without a default of their own. */
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
  uptimeSeconds: 0,
  quirks: [],
  externalAddress: '11.22.33.44', // clients warn about a reserved address
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

const OPTIONS: OptionTable<EmulatorOptions> = {
  address: 'a string',
  ipv6Address: 'a string',
  httpPort: 'a number',
  ssdpPort: 'a number',
  portControlPort: 'a number',
  pcp: 'true or false',
  natPmp: 'true or false',
  maxMappings: 'a number',
  maxPinholes: 'a number',
  replyDelayMs: 'a number',
  uptimeSeconds: 'a number',
  quirks: 'an array',
  externalAddress: 'a string',
  connectionType: 'a string',
  connectionStatus: 'a string',
  lastConnectionError: 'a string',
  linkRates: 'an object',
  traffic: 'an object',
  secureMode: 'true or false',
  firewallEnabled: 'true or false',
  inboundPinholeAllowed: 'true or false',
  pinholesOnlyForAsking: 'true or false',
  pinholePackets: 'a number',
  outboundPinholeTimeoutSeconds: 'a number',
  friendlyName: 'a string',
  manufacturer: 'a string',
  modelName: 'a string',
  modelNumber: 'a string',
  presentationUrl: 'a string',
  uuid: 'a string',
}

/** @throws InvalidArgumentError */
export function settingsOf(options: EmulatorOptions): EmulatorSettings {
  checkOptions(options, OPTIONS, 'startEmulator')
  const settings = { ...DEFAULTS, uuid: randomUUID(), ...options }
  const { address, ipv6Address, maxMappings, maxPinholes, replyDelayMs, uptimeSeconds, uuid } = settings
  const isIPv6 = ipv6Address === undefined || isUnicastIPv6(splitZone(ipv6Address).address)
  const isDelay = replyDelayMs >= 0 && replyDelayMs <= MAX_REPLY_DELAY_MS
  check(isUnicastIPv4(address), `the gateway's address must be one IPv4 address: ${address}`)
  check(isIPv6, `the gateway's IPv6 address must be one IPv6 address: ${ipv6Address}`)
  for (const port of [settings.httpPort, settings.ssdpPort, settings.portControlPort])
    check(port === 0 || isPort(port), `a port must be 0 to 65535: ${port}`)
  check(isWithin(maxMappings, Number.MAX_SAFE_INTEGER), `the number of mappings must be 0 or more: ${maxMappings}`)
  check(isWithin(maxPinholes, MAX_PINHOLE_ID), `the number of pinholes must be 0 to ${MAX_PINHOLE_ID}: ${maxPinholes}`)
  check(isWithin(uptimeSeconds, 0xffff_ffff), `the uptime must be 0 to 4294967295 s: ${uptimeSeconds}`)
  check(isDelay, `the delay of replies must be 0 to ${MAX_REPLY_DELAY_MS} ms: ${replyDelayMs}`)
  check(/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(uuid), `not a UUID: ${uuid}`)
  return settings
}

/** @throws InvalidArgumentError */
export function checkExternalAddress(address: string): void {
  check(address === '' || parseIPv4(address) !== undefined, `the external address must be one IPv4 address: ${address}`)
}

function check(isValid: boolean, problem: string): void {
  if (!isValid) throw new InvalidArgumentError(problem)
}

function isWithin(value: number, largest: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= largest
}
