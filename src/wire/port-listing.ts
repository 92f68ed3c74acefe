/**
 * The list of mappings that GetListOfPortMappings returns (WANIPConnection:2 2.4.21 and its XML schema):
 * PortMappingList <-> entries with the names of the schema. A response has it in NewPortListing as CDATA, as escaped
 * text or, wrongly, as plain XML. soap.ts turns all three into the same text.
 */
import { MalformedMessageError } from '../domain/errors.js'
import { childNamed, descendants, encodeElement, parseXml, type XmlElement } from './xml.js'

const NAMES = [
  'NewRemoteHost',
  'NewExternalPort',
  'NewProtocol',
  'NewInternalPort',
  'NewInternalClient',
  'NewEnabled',
  'NewDescription',
  'NewLeaseTime',
] as const

/** All values are text, as in the document; NewLeaseTime is in seconds. */
export type PortMappingEntry = Readonly<Record<(typeof NAMES)[number], string>>

/** An empty text is an empty list too. @throws MalformedMessageError */
export function decodePortListing(listing: string): PortMappingEntry[] {
  if (listing.trim() === '') return []
  const { root, rest, complete } = parseXml(listing)
  if (!complete) throw new MalformedMessageError('a complete PortMappingList', listing)
  const elements = [root, ...rest].flatMap((each) => [...descendants(each)])
  return elements.filter((each) => each.name.toLowerCase() === 'portmappingentry').map(decodeEntry)
}

function decodeEntry(element: XmlElement): PortMappingEntry {
  const texts = NAMES.map((name) => [name, childNamed(element, name)?.text ?? ''])
  return Object.fromEntries(texts) as PortMappingEntry
}

/** The text of NewPortListing, before it is escaped (WANIPConnection:2 2.4.21). */
export function encodePortListing(entries: readonly PortMappingEntry[]): string {
  const encodeEntry = (entry: PortMappingEntry): string =>
    `<p:PortMappingEntry>${NAMES.map((name) => encodeElement(`p:${name}`, entry[name])).join('')}</p:PortMappingEntry>`
  return (
    '<p:PortMappingList xmlns:p="urn:schemas-upnp-org:gw:WANIPConnection" ' +
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" ' +
    'xsi:schemaLocation="urn:schemas-upnp-org:gw:WANIPConnection http://www.upnp.org/schemas/gw/WANIPConnection-v2.xsd">' +
    `${entries.map(encodeEntry).join('')}</p:PortMappingList>`
  )
}
