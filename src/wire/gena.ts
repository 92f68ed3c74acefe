/**
 * GENA (UPnP Device Architecture 1.1, chapter 4): subscriptions and events, for a subscriber and for a device. Encoders
 * are strict, decoders lenient.
 */
import { MalformedMessageError } from '../domain/errors.js'
import { resolveUrl } from '../domain/url.js'
import { decodeXml, encodeElement, trimmed } from './xml.js'

/** Bounds what one device can make the subscriber keep and send back. */
export const MAX_SID_LENGTH = 256
export const MAX_EVENTED_VARIABLES = 64

type Headers = readonly (readonly [string, string])[]

/** UDA 1.1 4.1.2. The device sends its notifications to `callback`. */
export function subscribeHeaders(callback: URL, timeoutSeconds: number): Headers {
  return [
    ['CALLBACK', `<${callback.href}>`],
    ['NT', 'upnp:event'],
    ['TIMEOUT', `Second-${timeoutSeconds}`],
  ]
}

/** UDA 1.1 4.1.3: a renewal with a CALLBACK or an NT is an error. */
export function renewalHeaders(SID: string, timeoutSeconds: number): Headers {
  return [
    ['SID', SID],
    ['TIMEOUT', `Second-${timeoutSeconds}`],
  ]
}

/** UDA 1.1 4.1.4. */
export function unsubscribeHeaders(SID: string): Headers {
  return [['SID', SID]]
}

/** UDA 1.1 4.1.2: the answer to a subscription and to its renewal. */
export interface Subscription {
  readonly SID: string
  /** Infinity for `infinite`. Undefined if the header is missing or cannot be read. */
  readonly timeoutSeconds: number | undefined
}

/** Header names are in lower case. @throws MalformedMessageError if there is no valid SID */
export function decodeSubscription(headers: ReadonlyMap<string, string>): Subscription {
  return { SID: decodeSid(headers), timeoutSeconds: decodeTimeout(headers.get('timeout') ?? '') }
}

function decodeSid(headers: ReadonlyMap<string, string>): string {
  const SID = headers.get('sid')?.trim() ?? ''
  const isSid = SID.length <= MAX_SID_LENGTH && /^[!-~]+$/.test(SID)
  if (!isSid) throw new MalformedMessageError(`a SID of 1 to ${MAX_SID_LENGTH} characters`, SID)
  return SID
}

/** Such as `Second-1800`. UDA 1.0 also has `Second-infinite`, and some devices write `infinite`. */
function decodeTimeout(text: string): number | undefined {
  const [, seconds] = /^\s*(?:Second-)?(\d{1,10}|infinite)\s*$/i.exec(text) ?? []
  if (seconds === undefined) return undefined
  return seconds.toLowerCase() === 'infinite' ? Number.POSITIVE_INFINITY : Number(seconds)
}

/** UDA 1.1 4.3.2. */
export interface EventHead {
  readonly SID: string
  /** 0 for the first event, which has all variables. Undefined if the header is missing or cannot be read. */
  readonly SEQ: number | undefined
}

/** Names in lower case. @throws MalformedMessageError if it is no event or has no SID; the answer to both is 412 */
export function decodeEventHead(headers: ReadonlyMap<string, string>): EventHead {
  const is = (name: string, value: string): boolean => headers.get(name)?.trim().toLowerCase() === value
  if (!is('nt', 'upnp:event') || !is('nts', 'upnp:propchange')) {
    const received = `NT: ${headers.get('nt')}, NTS: ${headers.get('nts')}`
    throw new MalformedMessageError('a notification with NT: upnp:event and NTS: upnp:propchange', received)
  }
  const seq = /^\s*(\d{1,10})\s*$/.exec(headers.get('seq') ?? '')?.[1]
  return { SID: decodeSid(headers), SEQ: seq === undefined ? undefined : Number(seq) }
}

/** The changed variables (UDA 1.1 4.3.2); not cleaned for a terminal. @throws MalformedMessageError */
export function decodePropertySet(body: Uint8Array): ReadonlyMap<string, string> {
  const { root, complete } = decodeXml(body)
  if (!/^propertyset$/i.test(root.name) || !complete)
    throw new MalformedMessageError('a complete <propertyset>', root.name)
  const properties = root.children.filter(({ name }) => /^property$/i.test(name))
  // Each property should have one variable (UDA 1.1 4.3.2). Some devices put all variables into one property.
  const variables = properties.flatMap(({ children }) => children)
  return new Map(variables.slice(0, MAX_EVENTED_VARIABLES).map(({ name, text }) => [name, trimmed(text)]))
}

/** The callback of a subscription (UDA 1.1 4.1.2): the first URL. @throws MalformedMessageError; the answer is 412 */
export function decodeCallback(headers: ReadonlyMap<string, string>): URL {
  const text = headers.get('callback') ?? ''
  const url = resolveUrl(/^<(http:[^<>\s]{1,512})>/i.exec(text.trim())?.[1] ?? '', undefined)
  if (url === undefined || headers.get('nt')?.trim().toLowerCase() !== 'upnp:event')
    throw new MalformedMessageError('NT: upnp:event and a CALLBACK with an http URL', text)
  return url
}

/** UDA 1.1 4.3.2. */
export function eventHeaders(SID: string, SEQ: number): Headers {
  return [
    ['CONTENT-TYPE', 'text/xml; charset="utf-8"'],
    ['NT', 'upnp:event'],
    ['NTS', 'upnp:propchange'],
    ['SID', SID],
    ['SEQ', String(SEQ)],
  ]
}

/** UDA 1.1 4.3.2: one property for each variable. */
export function encodePropertySet(variables: Readonly<Record<string, string>>): string {
  const properties = Object.entries(variables).map(
    ([name, value]) => `<e:property>${encodeElement(name, value)}</e:property>`,
  )
  const xmlns = 'xmlns:e="urn:schemas-upnp-org:event-1-0"'
  return `<?xml version="1.0"?>\n<e:propertyset ${xmlns}>${properties.join('')}</e:propertyset>\n`
}
