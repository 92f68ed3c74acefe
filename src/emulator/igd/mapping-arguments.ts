/**
 * The arguments of the mapping actions: text of WANIPConnection:2 <-> values of the mapping table. A text that is not
 * such a value is refused with 402, and a description that is too long with 605.
 */
import { isUnicastIPv4 } from '../../domain/address.js'
import {
  MAX_DESCRIPTION_LENGTH,
  MAX_LEASE_SECONDS,
  type MappingKey,
  NOT_IN_XML,
  type TransportProtocol,
} from '../../domain/port-mapping.js'
import type { InArguments, OutArguments } from '../../wire/igd-actions.js'
import { encodePortListing } from '../../wire/port-listing.js'
import type { MappingRange, TableEntry, WantedMapping } from '../tables/mapping-table.js'
import { Refusal } from '../tables/refusal.js'
import { boolean, encodeBoolean, ui2, unsigned } from './argument-values.js'

/** @throws Refusal */
export function decodeKey(args: InArguments<'DeletePortMapping'>): MappingKey {
  return {
    remoteHost: args.NewRemoteHost === '' ? '' : address(args.NewRemoteHost),
    externalPort: ui2(args.NewExternalPort),
    protocol: protocol(args.NewProtocol),
  }
}

/** @throws Refusal */
export function decodeWanted(args: InArguments<'AddPortMapping'>): WantedMapping {
  return {
    ...decodeKey(args),
    internalPort: ui2(args.NewInternalPort),
    internalClient: address(args.NewInternalClient),
    enabled: boolean(args.NewEnabled),
    description: description(args.NewPortMappingDescription),
    leaseSeconds: unsigned(args.NewLeaseDuration, MAX_LEASE_SECONDS),
  }
}

/** @throws Refusal */
export function decodeIndex(args: InArguments<'GetGenericPortMappingEntry'>): number {
  return ui2(args.NewPortMappingIndex)
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

/** The standard also allows host names, but to look one up the gateway would have to talk to strangers. */
function address(text: string): string {
  if (!isUnicastIPv4(text)) throw new Refusal('InvalidArgs')
  return text
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
