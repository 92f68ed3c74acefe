/**
 * The arguments of the IGD actions: text of the standards <-> values of the tables. Text that is not such a value is
 * refused with 402. For some values that the gateway does not support, the standards have other numbers.
 */
import { isUnicastIPv4, isUnicastIPv6, parseIPv6 } from '../../domain/address.js'
import type { PinholeRequest, TimedPinholeRequest } from '../../domain/pinhole.js'
import {
  MAX_DESCRIPTION_LENGTH,
  MAX_LEASE_SECONDS,
  type MappingKey,
  NOT_IN_XML,
  type TransportProtocol,
  transportProtocolOf,
} from '../../domain/port-mapping.js'
import type { InArguments, OutArguments } from '../../wire/igd-actions.js'
import { encodePortListing } from '../../wire/port-listing.js'
import type { MappingRange, TableEntry, WantedMapping } from '../tables/mapping-table.js'
import { LONGEST_PINHOLE_LEASE_SECONDS } from '../tables/pinhole-table.js'
import { Refusal } from '../tables/refusal.js'

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
export function encodeUi4(value: number): string {
  return String(Math.trunc(value) % 2 ** 32)
}

export function encodeBoolean(value: boolean): string {
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

/**
 * With NewManage 0 the range has only mappings to the computer that asks (WANIPConnection:2 2.5.19).
 * @throws Refusal 402, 733
 */
export function decodeRange(args: InArguments<'DeletePortMappingRange'>, askingAddress: string): MappingRange {
  const [startPort, endPort] = [ui2(args.NewStartPort), ui2(args.NewEndPort)]
  const range = { startPort, endPort, protocol: protocol(args.NewProtocol) }
  const internalClient = boolean(args.NewManage) ? undefined : askingAddress
  if (startPort > endPort) throw new Refusal('InconsistentParameters')
  return { ...range, internalClient }
}

/** NewNumberOfPorts 0 asks for all mappings (WANIPConnection:2 2.5.21). @throws Refusal 402, 733 */
export function decodeListRequest(
  args: InArguments<'GetListOfPortMappings'>,
  askingAddress: string,
): { range: MappingRange; most: number } {
  const number = ui2(args.NewNumberOfPorts)
  return { range: decodeRange(args, askingAddress), most: number === 0 ? Number.POSITIVE_INFINITY : number }
}

export function encodeListing(entries: readonly TableEntry[]): string {
  return encodePortListing(
    entries.map((entry) => {
      const { NewPortMappingDescription, NewLeaseDuration, ...others } = encodeEntry(entry)
      return { ...others, NewDescription: NewPortMappingDescription, NewLeaseTime: NewLeaseDuration }
    }),
  )
}

export function encodeValue(entry: TableEntry): OutArguments<'GetSpecificPortMappingEntry'> {
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
