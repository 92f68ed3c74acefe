/**
 * One function for each action of the table in wire/igd-actions.ts, which gives the types. Below are the arguments:
 * text of the standards <-> values of the tables. Text that is not such a value is refused with 402, or with another
 * number that the standards have for a value that the gateway does not support.
 */
import {
  isLoopbackIPv4,
  isLoopbackIPv6,
  isUnicastIPv4,
  isUnicastIPv6,
  parseIPv6,
  samePrefixIPv6,
} from '../../domain/address.js'
import type { PinholeRequest, TimedPinholeRequest } from '../../domain/pinhole.js'
import {
  MAX_DESCRIPTION_LENGTH,
  MAX_LEASE_SECONDS,
  type MappingKey,
  NOT_IN_XML,
  type TransportProtocol,
  transportProtocolOf,
} from '../../domain/port-mapping.js'
import { IGD_ACTIONS, type IgdActionName, type InArguments, type OutArguments } from '../../wire/igd-actions.js'
import { encodePortListing } from '../../wire/port-listing.js'
import type { GatewayState } from '../gateway-state.js'
import type { MappingRange, TableEntry, WantedMapping } from '../tables/mapping-table.js'
import { LONGEST_PINHOLE_LEASE_SECONDS, type PinholeEntry } from '../tables/pinhole-table.js'
import { Refusal } from '../tables/refusal.js'

interface ActionContext extends GatewayState {
  readonly nowMs: number
  /** The address of the control point, which is the UPnP word for the client. */
  readonly askingAddress: string
}

type ActionHandlers = {
  readonly [A in IgdActionName]: (args: InArguments<A>, context: ActionContext) => OutArguments<A>
}

const HANDLERS: ActionHandlers = {
  GetConnectionTypeInfo: (_, { facts }) => ({
    NewConnectionType: facts.connectionType,
    NewPossibleConnectionTypes: facts.connectionType,
  }),
  GetStatusInfo: (_, { facts, startedMs, nowMs }) => ({
    NewConnectionStatus: facts.connectionStatus,
    NewLastConnectionError: facts.lastConnectionError,
    NewUptime: encodeUi4((nowMs - startedMs) / 1000),
  }),
  GetExternalIPAddress: (_, { facts }) => ({ NewExternalIPAddress: facts.externalAddress }),
  AddPortMapping: (args, context) => {
    context.table.add(permitted(decodeWanted(args), context), context.nowMs)
    return {}
  },
  AddAnyPortMapping: (args, context) => ({
    NewReservedPort: String(context.table.addAny(permitted(decodeWanted(args), context), context.nowMs)),
  }),
  DeletePortMapping: (args, { table, nowMs }) => {
    table.delete(decodeKey(args), nowMs)
    return {}
  },
  DeletePortMappingRange: (args, { table, nowMs, askingAddress }) => {
    table.deleteWithin(decodeRange(args, askingAddress), nowMs)
    return {}
  },
  GetSpecificPortMappingEntry: (args, { table, nowMs }) => encodeValue(table.get(decodeKey(args), nowMs)),
  GetGenericPortMappingEntry: (args, { table, nowMs }) => encodeEntry(table.at(ui2(args.NewPortMappingIndex), nowMs)),
  GetListOfPortMappings: (args, { table, nowMs, askingAddress }) => {
    const most = decodeNumberOfPorts(args.NewNumberOfPorts)
    const entries = table.within(decodeRange(args, askingAddress), nowMs)
    return { NewPortListing: encodeListing(entries.slice(0, most)) }
  },
  GetCommonLinkProperties: (_, { facts }) => ({
    NewWANAccessType: 'Ethernet',
    NewLayer1UpstreamMaxBitRate: encodeUi4(facts.linkRates.upstreamBitsPerSecond),
    NewLayer1DownstreamMaxBitRate: encodeUi4(facts.linkRates.downstreamBitsPerSecond),
    NewPhysicalLinkStatus: 'Up',
  }),
  GetTotalBytesSent: (_, { facts }) => ({ NewTotalBytesSent: encodeUi4(facts.traffic.bytesSent) }),
  GetTotalBytesReceived: (_, { facts }) => ({ NewTotalBytesReceived: encodeUi4(facts.traffic.bytesReceived) }),
  GetTotalPacketsSent: (_, { facts }) => ({ NewTotalPacketsSent: encodeUi4(facts.traffic.packetsSent) }),
  GetTotalPacketsReceived: (_, { facts }) => ({ NewTotalPacketsReceived: encodeUi4(facts.traffic.packetsReceived) }),
  GetFirewallStatus: (_, { facts }) => ({
    FirewallEnabled: encodeBoolean(facts.firewallEnabled),
    InboundPinholeAllowed: encodeBoolean(facts.inboundPinholeAllowed),
  }),
  GetOutboundPinholeTimeout: (args, { facts }) => {
    if (!facts.firewallEnabled) throw new Refusal('FirewallDisabled')
    decodeOutboundPinhole(args)
    return { OutboundPinholeTimeout: encodeUi4(facts.outboundPinholeTimeoutSeconds) }
  },
  AddPinhole: (args, context) => {
    checkFirewall(context)
    const wanted = decodePinhole(args)
    checkPermission(wanted.internalClient, context)
    return { UniqueID: String(context.pinholes.add(wanted, context.nowMs)) }
  },
  UpdatePinhole: (args, context) => {
    checkFirewall(context)
    const leaseSeconds = decodePinholeLease(args.NewLeaseTime)
    context.pinholes.update(permittedPinhole(args, context).id, leaseSeconds, context.nowMs)
    return {}
  },
  DeletePinhole: (args, context) => {
    checkFirewall(context)
    context.pinholes.delete(permittedPinhole(args, context).id, context.nowMs)
    return {}
  },
  GetPinholePackets: (args, context) => {
    checkFirewall(context)
    permittedPinhole(args, context)
    return { PinholePackets: encodeUi4(context.facts.pinholePackets) }
  },
  CheckPinholeWorking: (args, context) => {
    checkFirewall(context)
    permittedPinhole(args, context)
    if (context.facts.pinholePackets === 0) throw new Refusal('NoTrafficReceived')
    return { IsWorking: encodeBoolean(true) }
  },
}

/** Arguments that the action does not have are ignored. @throws Refusal */
export function performAction<A extends IgdActionName>(
  action: A,
  given: ReadonlyMap<string, string>,
  context: ActionContext,
): OutArguments<A> {
  const names: readonly string[] = IGD_ACTIONS[action].in
  if (!names.every((name) => given.has(name))) throw new Refusal('InvalidArgs')
  const args = Object.fromEntries(names.map((name) => [name, given.get(name) ?? ''])) as InArguments<A>
  const handler: ActionHandlers[A] = HANDLERS[action]
  return handler(args, context)
}

/** @throws Refusal 606 */
function permitted(wanted: WantedMapping, { facts, askingAddress }: ActionContext): WantedMapping {
  if (facts.secureMode && wanted.internalClient !== askingAddress) throw new Refusal('ActionNotAuthorized')
  return wanted
}

/** @throws Refusal 702, 703 */
function checkFirewall({ facts }: ActionContext): void {
  if (!facts.firewallEnabled) throw new Refusal('FirewallDisabled')
  if (!facts.inboundPinholeAllowed) throw new Refusal('InboundPinholeNotAllowed')
}

/** @throws Refusal 402, 704, 606 */
function permittedPinhole(args: InArguments<'DeletePinhole'>, context: ActionContext): PinholeEntry {
  const pinhole = context.pinholes.get(ui2(args.UniqueID), context.nowMs)
  checkPermission(pinhole.internalClient, context)
  return pinhole
}

/** @throws Refusal 606 */
function checkPermission(internalClient: string, { facts, askingAddress }: ActionContext): void {
  if (!facts.pinholesOnlyForAsking) return
  if (isLoopbackIPv4(askingAddress) || isLoopbackIPv6(askingAddress)) return
  // Without the zone, which is only the gateway's name for the link. An IPv4 address never equals an internal client.
  if (!samePrefixIPv6(internalClient, askingAddress, 128)) throw new Refusal('ActionNotAuthorized')
}

/** @throws Refusal 402 */
function unsigned(text: string, largest: number): number {
  if (!/^\d{1,10}$/.test(text) || Number(text) > largest) throw new Refusal('InvalidArgs')
  return Number(text)
}

/** @throws Refusal 402 */
export function ui2(text: string): number {
  return unsigned(text, 0xffff)
}

/** The words are deprecated, but a device must accept them (UDA 1.1 2.5). @throws Refusal 402 */
function boolean(text: string): boolean {
  if (/^(1|true|yes)$/.test(text)) return true
  if (/^(0|false|no)$/.test(text)) return false
  throw new Refusal('InvalidArgs')
}

/** A counter has 32 bits and starts from 0 again after the largest value (WANCommonInterfaceConfig:1 2.2.7). */
function encodeUi4(value: number): string {
  return String(Math.trunc(value) % 2 ** 32)
}

function encodeBoolean(value: boolean): string {
  return value ? '1' : '0'
}

/** @throws Refusal */
export function decodeKey(args: InArguments<'DeletePortMapping'>): MappingKey {
  return {
    remoteHost: addressOrAny(args.NewRemoteHost, isUnicastIPv4),
    externalPort: ui2(args.NewExternalPort),
    protocol: protocol(args.NewProtocol),
  }
}

/** @throws Refusal */
export function decodeWanted(args: InArguments<'AddPortMapping'>): WantedMapping {
  return {
    ...decodeKey(args),
    internalPort: ui2(args.NewInternalPort),
    internalClient: address(args.NewInternalClient, isUnicastIPv4),
    enabled: boolean(args.NewEnabled),
    description: description(args.NewPortMappingDescription),
    leaseSeconds: unsigned(args.NewLeaseDuration, MAX_LEASE_SECONDS),
  }
}

/** With NewManage 0 only mappings to the computer that asks (WANIPConnection:2 2.5.19). @throws Refusal 402, 733 */
export function decodeRange(args: InArguments<'DeletePortMappingRange'>, askingAddress: string): MappingRange {
  const [startPort, endPort] = [ui2(args.NewStartPort), ui2(args.NewEndPort)]
  const range = { startPort, endPort, protocol: protocol(args.NewProtocol) }
  const internalClient = boolean(args.NewManage) ? undefined : askingAddress
  if (startPort > endPort) throw new Refusal('InconsistentParameters')
  return { ...range, internalClient }
}

/** 0 asks for all mappings (WANIPConnection:2 2.5.21). @throws Refusal 402 */
export function decodeNumberOfPorts(text: string): number {
  return ui2(text) === 0 ? Number.POSITIVE_INFINITY : ui2(text)
}

export function encodeListing(entries: readonly TableEntry[]): string {
  return encodePortListing(
    entries.map((entry) => {
      const { NewPortMappingDescription, NewLeaseDuration, ...others } = encodeEntry(entry)
      return { ...others, NewDescription: NewPortMappingDescription, NewLeaseTime: NewLeaseDuration }
    }),
  )
}

function encodeValue(entry: TableEntry): OutArguments<'GetSpecificPortMappingEntry'> {
  return {
    NewInternalPort: String(entry.internalPort),
    NewInternalClient: entry.internalClient,
    NewEnabled: encodeBoolean(entry.enabled),
    NewPortMappingDescription: entry.description,
    NewLeaseDuration: String(entry.leaseSeconds),
  }
}

export function encodeEntry(entry: TableEntry): OutArguments<'GetGenericPortMappingEntry'> {
  return {
    NewRemoteHost: entry.remoteHost,
    NewExternalPort: String(entry.externalPort),
    NewProtocol: entry.protocol,
    ...encodeValue(entry),
  }
}

function protocol(text: string): TransportProtocol {
  if (text !== 'TCP' && text !== 'UDP') throw new Refusal('InvalidArgs')
  return text
}

/** Characters that XML 1.0 does not allow would break the listing for every other client. */
function description(text: string): string {
  if (text.length > MAX_DESCRIPTION_LENGTH) throw new Refusal('StringArgumentTooLong')
  if (NOT_IN_XML.test(text)) throw new Refusal('InvalidArgs')
  return text
}

/** The wildcard for the protocol in WANIPv6FirewallControl:1. */
const ANY_PROTOCOL = 0xffff

/** @throws Refusal 402, 705, 706, 707, 708, 601 */
export function decodePinhole(args: InArguments<'AddPinhole'>): TimedPinholeRequest {
  const [internalPort, number] = [ui2(args.InternalPort), ui2(args.Protocol)]
  if (internalPort === 0) throw new Refusal('InternalPortWildcardingNotAllowed')
  if (isAnyAddress(args.InternalClient)) throw new Refusal('InvalidLayer2Address')
  if (number === ANY_PROTOCOL) throw new Refusal('ProtocolWildcardingNotAllowed')
  return { ...decodeOutboundPinhole(args), leaseSeconds: decodePinholeLease(args.LeaseTime) }
}

/** Which traffic the question is about. Every part but the protocol may be a wildcard. @throws Refusal 402, 705 */
export function decodeOutboundPinhole(args: InArguments<'GetOutboundPinholeTimeout'>): PinholeRequest {
  const pinhole = {
    remoteHost: addressOrAny(args.RemoteHost, isUnicastIPv6),
    remotePort: ui2(args.RemotePort),
    internalClient: addressOrAny(args.InternalClient, isUnicastIPv6),
    internalPort: ui2(args.InternalPort),
    protocol: ui2(args.Protocol),
  }
  if (transportProtocolOf(pinhole.protocol) === undefined) throw new Refusal('ProtocolNotSupported')
  return pinhole
}

/** A lease outside the allowed range gets 601 (UDA 1.1 table 3-3); miniupnpd answers 402. @throws Refusal 402, 601 */
export function decodePinholeLease(text: string): number {
  const seconds = unsigned(text, MAX_LEASE_SECONDS)
  if (seconds < 1 || seconds > LONGEST_PINHOLE_LEASE_SECONDS) throw new Refusal('ArgumentValueOutOfRange')
  return seconds
}

/** The wildcard is the empty string. miniupnpd also takes an asterisk. The address of all zeros belongs to no host. */
function isAnyAddress(text: string): boolean {
  return text === '' || text === '*' || parseIPv6(text)?.every((group) => group === 0) === true
}

function addressOrAny(text: string, isAddress: (text: string) => boolean): string {
  return text === '' ? '' : address(text, isAddress)
}

/** The standards also allow host names, but to look one up the gateway would have to talk to strangers. */
function address(text: string, isAddress: (text: string) => boolean): string {
  if (!isAddress(text)) throw new Refusal('InvalidArgs')
  return text
}
