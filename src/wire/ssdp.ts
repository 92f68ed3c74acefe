/**
 * SSDP is how UPnP devices are found (UPnP Device Architecture 1.1, chapter 1). Its messages are M-SEARCH, the reply to
 * it, and NOTIFY, the announcement of a device.
 *
 * Encoding is strict: CRLF, one space after the colon, upper-case names. Decoding is lenient, because routers are not
 * strict. Lines may end in LF, the blank line may be missing, names may have any case, and values may have blanks
 * around them. A datagram that is not an SSDP message is a MalformedMessageError; a receive loop drops it and keeps
 * listening.
 */
import { MalformedMessageError } from '../domain/errors.js'
import { SSDP_PORT } from '../domain/ports.js'

/** UDA 1.1 1.2.2: the multicast group of IPv4. */
export const SSDP_MULTICAST_IPV4 = '239.255.255.250'
/** UDA 1.1 A.3: the site-local group, then the link-local one. The header HOST has them in upper case. */
export const SSDP_MULTICAST_IPV6 = ['FF05::C', 'FF02::C'] as const
/** UDA 1.1 1.1.2 and 1.3.2: the TTL for IPv4, and the hop limit for IPv6. */
export const SSDP_MULTICAST_TTL = 2

/** Bounds what one datagram can make the receiver keep. No real device sends as much. */
export const MAX_SSDP_DATAGRAM_BYTES = 8192
export const MAX_SSDP_LINES = 64
export const MAX_SSDP_LINE_LENGTH = 1024

/** UDA 1.1 1.3.2. */
export interface SearchRequest {
  readonly kind: 'search'
  readonly ST: string
  /** A device answers a multicast search at a random moment within this many seconds. */
  readonly MX: number | undefined
  readonly HOST: string
}

/** What replies and announcements share. The texts are from the network and not cleaned for a terminal. */
interface Announced {
  readonly USN: string
  readonly LOCATION: string
  readonly SERVER: string
  /** Seconds, from CACHE-CONTROL. */
  readonly maxAge: number | undefined
  /** BOOTID.UPNP.ORG. It is a string, because some devices do not send a number. */
  readonly BOOTID: string | undefined
}

/** UDA 1.1 1.3.3. */
export interface SearchReply extends Announced {
  readonly kind: 'reply'
  readonly ST: string
}

/** UDA 1.1 1.2. */
export interface Notify extends Announced {
  readonly kind: 'notify'
  readonly NTS: string
  readonly NT: string
}

/** What may come to a socket of SSDP. */
export type SsdpMessage = SearchRequest | SearchReply | Notify

/** A header without a value is left out. */
function lines(startLine: string, headers: readonly (readonly [string, string | undefined])[]): Uint8Array {
  const given = headers.filter(([, value]) => value !== undefined)
  const text = [startLine, ...given.map(([name, value]) => `${name}: ${value}`), '', ''].join('\r\n')
  return new TextEncoder().encode(text)
}

/** A unicast search has MX too. UDA 1.1 1.3.2 does not want it there, but some devices do, and none rejects it. */
export function encodeSearch(search: Omit<SearchRequest, 'kind'>): Uint8Array {
  return lines('M-SEARCH * HTTP/1.1', [
    ['HOST', search.HOST],
    ['MAN', '"ssdp:discover"'],
    ['MX', search.MX?.toString()],
    ['ST', search.ST],
  ])
}

/** UDA 1.1 1.3.3. Without `maxAge` it says 1800 s. */
export function encodeSearchReply(reply: Omit<SearchReply, 'kind'>): Uint8Array {
  return lines('HTTP/1.1 200 OK', [
    ['CACHE-CONTROL', `max-age=${reply.maxAge ?? 1800}`],
    ['EXT', ''],
    ['LOCATION', reply.LOCATION],
    ['SERVER', reply.SERVER],
    ['ST', reply.ST],
    ['USN', reply.USN],
    ['BOOTID.UPNP.ORG', reply.BOOTID],
  ])
}

/** UDA 1.1 1.2.2, for the group of IPv4. */
export function encodeNotify(notify: Omit<Notify, 'kind'>): Uint8Array {
  return lines('NOTIFY * HTTP/1.1', [
    ['HOST', `${SSDP_MULTICAST_IPV4}:${SSDP_PORT}`],
    ['CACHE-CONTROL', notify.maxAge === undefined ? undefined : `max-age=${notify.maxAge}`],
    ['LOCATION', notify.LOCATION || undefined],
    ['NT', notify.NT],
    ['NTS', notify.NTS],
    ['SERVER', notify.SERVER || undefined],
    ['USN', notify.USN],
    ['BOOTID.UPNP.ORG', notify.BOOTID],
  ])
}

/** @throws MalformedMessageError */
export function decodeSsdp(datagram: Uint8Array): SsdpMessage {
  const { length } = datagram
  if (length > MAX_SSDP_DATAGRAM_BYTES)
    throw new MalformedMessageError(`an SSDP datagram of at most ${MAX_SSDP_DATAGRAM_BYTES} bytes`, `${length} bytes`)
  const text = LATIN1.decode(datagram)
  const decode = DECODERS.find(([start]) => start.test(text))?.[1]
  if (decode === undefined) throw new MalformedMessageError('an SSDP message: HTTP/1.1 200, NOTIFY or M-SEARCH', text)
  const [, ...headerLines] = text.split(/\r\n|\n|\r/, MAX_SSDP_LINES)
  return decode(decodeHeaders(headerLines), text)
}

/** To make one takes longer than to use it for a datagram. */
const LATIN1 = new TextDecoder('latin1')

/** How the start line begins. */
const DECODERS: readonly (readonly [RegExp, (headers: Map<string, string>, text: string) => SsdpMessage])[] = [
  [/^HTTP\/1\.\d +200\b/i, decodeReply],
  [/^NOTIFY +\* +HTTP\/1\.\d/i, decodeNotify],
  [/^M-SEARCH +\* +HTTP\/1\.\d/i, decodeSearch],
]

/** Whether the datagram begins as replies do: a look that costs nothing, because anybody can send any number of them. */
export function mayBeSearchReply(datagram: Uint8Array): boolean {
  return datagram.length <= MAX_SSDP_DATAGRAM_BYTES && (datagram[0] === 0x48 || datagram[0] === 0x68) // H or h, of HTTP
}

/** Of several headers with one name the first counts. Lines that are not headers, or are too long, are ignored. */
function decodeHeaders(headerLines: readonly string[]): Map<string, string> {
  const headers = new Map<string, string>()
  for (const line of headerLines) {
    if (line === '') break
    const colon = line.indexOf(':')
    if (colon <= 0 || line.length > MAX_SSDP_LINE_LENGTH) continue
    const name = line.slice(0, colon).trim().toUpperCase()
    if (!headers.has(name)) headers.set(name, line.slice(colon + 1).trim())
  }
  return headers
}

function required(headers: Map<string, string>, name: string, text: string): string {
  const value = headers.get(name) ?? ''
  if (value === '') throw new MalformedMessageError(`an SSDP message with ${name}`, text)
  return value
}

function decodeReply(headers: Map<string, string>, text: string): SearchReply {
  return {
    kind: 'reply',
    ST: required(headers, 'ST', text),
    LOCATION: required(headers, 'LOCATION', text),
    ...announcement(headers),
  }
}

function decodeNotify(headers: Map<string, string>, text: string): Notify {
  return {
    kind: 'notify',
    NTS: required(headers, 'NTS', text),
    NT: required(headers, 'NT', text),
    LOCATION: headers.get('LOCATION') ?? headers.get('AL') ?? '',
    ...announcement(headers),
  }
}

function announcement(headers: Map<string, string>): Omit<Announced, 'LOCATION'> {
  const maxAge = /max-age\s*=\s*"?(\d{1,10})/i.exec(headers.get('CACHE-CONTROL') ?? '')?.[1]
  return {
    USN: headers.get('USN') ?? '', // some devices do not send it
    SERVER: headers.get('SERVER') ?? '',
    maxAge: maxAge === undefined ? undefined : Number(maxAge),
    BOOTID: headers.get('BOOTID.UPNP.ORG'),
  }
}

function decodeSearch(headers: Map<string, string>, text: string): SearchRequest {
  // UDA 1.1 1.3.2: a search must have MAN, with the quotes. Devices ignore a search without it.
  if (headers.get('MAN') !== '"ssdp:discover"') {
    throw new MalformedMessageError('an M-SEARCH with MAN: "ssdp:discover"', text)
  }
  const MX = headers.get('MX')
  return {
    kind: 'search',
    ST: required(headers, 'ST', text),
    MX: MX !== undefined && /^\d{1,5}$/.test(MX) ? Number(MX) : undefined,
    HOST: headers.get('HOST') ?? '',
  }
}
