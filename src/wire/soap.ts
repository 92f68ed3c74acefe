/**
 * SOAP is how a UPnP client calls an action: the request and the response are XML documents over HTTP. A refusal is a
 * response with a fault, which has an error number (SOAP 1.1 in UPnP Device Architecture 1.1, chapter 3).
 *
 * Encoding is strict, because some routers read nothing else. A message is one line without blanks between the tags,
 * everything in it is escaped, and the arguments are in the standard's order. Decoding is lenient. Only local names
 * count, the response element may have any namespace, and a fault counts with any HTTP status.
 */
import { MalformedMessageError, unlessMalformed } from '../domain/errors.js'
import {
  childNamed,
  decodeEntities,
  decodeText,
  decodeXml,
  descendants,
  encodeElement,
  encodeEntities,
  encodeXml,
  type XmlElement,
} from './xml.js'

/** UDA 1.1 3.2.1: an action of a service, and its arguments in the standard's order. */
export interface SoapRequest {
  readonly serviceType: string
  readonly action: string
  readonly arguments: readonly (readonly [string, string])[]
}

/**
 * Argument names -> values. The names are in lower case, because some routers change the case (NewUpTime for
 * NewUptime). If a router sends XML instead of text as a value (as some do for NewPortListing), the value is that XML
 * as text.
 */
export type SoapArguments = ReadonlyMap<string, string>

/** UDA 1.1 3.2.1 and 3.2.2. `errorCode` is the UPnP error number, such as 718. */
export type SoapReply =
  | { readonly kind: 'response'; readonly arguments: SoapArguments }
  | { readonly kind: 'fault'; readonly errorCode: number; readonly errorDescription: string }

const ENVELOPE_OPEN =
  '<?xml version="1.0"?>\r\n<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" ' +
  's:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><s:Body>'
const ENVELOPE_CLOSE = '</s:Body></s:Envelope>\r\n'

/** The value of the SOAPAction header, with its quotes (UDA 1.1 3.2.1). */
export function soapActionHeader(request: SoapRequest): string {
  return `"${request.serviceType}#${request.action}"`
}

/** The body of the HTTP request (UDA 1.1 3.2.1). */
export function encodeSoapRequest(request: SoapRequest): string {
  return envelope(request.action, request.serviceType, request.arguments)
}

/** The body of the HTTP response; `action` is that of the request (UDA 1.1 3.2.1). */
export function encodeSoapResponse(response: SoapRequest): string {
  return envelope(`${response.action}Response`, response.serviceType, response.arguments)
}

function envelope(name: string, serviceType: string, args: readonly (readonly [string, string])[]): string {
  const content = args.map(([argument, value]) => encodeElement(argument, value)).join('')
  return `${ENVELOPE_OPEN}<u:${name} xmlns:u="${encodeEntities(serviceType)}">${content}</u:${name}>${ENVELOPE_CLOSE}`
}

/** UDA 1.1 3.2.2, figure 3-3. */
export function encodeSoapFault(errorCode: number, errorDescription: string): string {
  return (
    `${ENVELOPE_OPEN}<s:Fault><faultcode>s:Client</faultcode><faultstring>UPnPError</faultstring><detail>` +
    `<UPnPError xmlns="urn:schemas-upnp-org:control-1-0">${encodeElement('errorCode', String(errorCode))}` +
    `${encodeElement('errorDescription', errorDescription)}</UPnPError></detail></s:Fault>${ENVELOPE_CLOSE}`
  )
}

/** Reads the body of a response to that action, whatever its HTTP status. @throws MalformedMessageError */
export function decodeSoapReply(bytes: Uint8Array, action: string): SoapReply {
  const plain = decodePlainResponse(decodeText(bytes), action)
  return plain === undefined ? parseSoapReply(bytes, action) : { kind: 'response', arguments: plain }
}

/** Reads a reply of any form with the XML parser. @throws MalformedMessageError */
export function parseSoapReply(bytes: Uint8Array, action: string): SoapReply {
  // Some routers answer a successful Add or Delete with an empty body. A caller that needs a value finds it missing.
  if (bytes.every((byte) => byte <= 0x20)) return { kind: 'response', arguments: new Map() }
  const document = unlessMalformed(() => decodeXml(bytes))
  if (document === undefined) return faultFromBrokenXml(bytes, action)
  const code = [...descendants(document.root)].find((element) => element.name.toLowerCase() === 'errorcode')
  if (code !== undefined) return decodeFault(document.root, code)
  const response = [...descendants(document.root)].find(
    (element) => element.name.toLowerCase() === `${action}Response`.toLowerCase(),
  )
  const content = response ?? onlyContentOfBody(document.root)
  if (content === undefined || !document.complete) {
    throw new MalformedMessageError(`a SOAP response to ${action}`, decodeText(bytes), { action })
  }
  // A fault without the UPnP detail is still a refusal. It gets -1, as if its number could not be read.
  if (content.name.toLowerCase() === 'fault') {
    return { kind: 'fault', errorCode: -1, errorDescription: childNamed(content, 'faultstring')?.text ?? '' }
  }
  return { kind: 'response', arguments: argumentsOf(content) }
}

/** TP-Link Archer C8 sends faults with binary garbage in them. The number can still be read. */
function faultFromBrokenXml(bytes: Uint8Array, action: string): SoapReply {
  const text = decodeText(bytes)
  const code = /<errorCode>\s*(-?\d{1,9})(?=[^\d])/i.exec(text)?.[1] // a number at the very end may be cut short
  if (code === undefined) throw new MalformedMessageError(`a SOAP response to ${action}`, text, { action })
  return { kind: 'fault', errorCode: Number(code), errorDescription: '' }
}

function decodeFault(root: XmlElement, code: XmlElement): SoapReply {
  const description = [...descendants(root)].find((element) => element.name.toLowerCase() === 'errordescription')
  const number = /^\s*(-?\d{1,9})/.exec(code.text)?.[1]
  return {
    kind: 'fault',
    errorCode: number === undefined ? -1 : Number(number),
    errorDescription: description?.text ?? '',
  }
}

function onlyContentOfBody(root: XmlElement): XmlElement | undefined {
  if (root.name.toLowerCase() !== 'envelope') return undefined
  const body = childNamed(root, 'Body')
  return body?.children[0] ?? body // an empty Body is a response without arguments
}

function argumentsOf(element: XmlElement): SoapArguments {
  const textOf = ({ text, children }: XmlElement): string => text + children.map(encodeXml).join('')
  return new Map(element.children.map((child) => [child.name.toLowerCase(), textOf(child)]))
}

/** Reads a request, which only the emulator receives. Argument names stay as they are. @throws MalformedMessageError */
export function decodeSoapRequest(bytes: Uint8Array, soapAction: string): SoapRequest {
  const [, serviceType = '', action = ''] = /^"?([^"#]*)#([A-Za-z0-9_]+)"?$/.exec(soapAction.trim()) ?? []
  if (action === '') throw new MalformedMessageError('a SOAPAction of "serviceType#action"', soapAction)
  const { root, complete } = decodeXml(bytes)
  const content = onlyContentOfBody(root)
  if (content?.name !== action || !complete) {
    throw new MalformedMessageError(`a SOAP request for ${action}`, decodeText(bytes), { action })
  }
  return { serviceType, action, arguments: content.children.map((child) => [child.name, child.text] as const) }
}

/** The digits at the beginning, as C clients read them. A link rate above 4 Gbit/s does not fit in 32 bits. */
export function leadingNumber(value: string): number | undefined {
  const digits = /^\s*\+?(\d{1,15})/.exec(value)?.[1]
  return digits === undefined ? undefined : Number(digits)
}

// The most common form of a response is read without the XML parser, which takes thirty times as long. A listing of
// mappings has one response for each entry, so that matters. In this form an Envelope has one Body, the Body has one
// response element, and each argument is text. The XML parser reads every other form. For this form both give the same
// result (test/wire/plain-soap.test.ts).

const BLANKS = '[ \\t\\r\\n]*'
/** Captures the local name. A name with an underscore first, such as `__proto__`, is left to the XML parser. */
const NAME = '(?:(?!xmlns:)[A-Za-z][\\w.-]{0,63}:)?([A-Za-z][\\w.-]{0,63})'
/** Values with `<` or `>` are left to the XML parser. No run of blanks may follow this pattern, see PROLOG. */
const ATTRIBUTES = `(?:[ \\t\\r\\n]+[\\w:.-]+=(?:"[^"<>]*"|'[^'<>]*'))*${BLANKS}`
/** Two runs of blanks must never be adjacent: to try every way to divide blanks between them takes quadratic time. */
const PROLOG = new RegExp(`${BLANKS}(?:<\\?xml${ATTRIBUTES}\\?>${BLANKS})?`, 'y')
const START_TAG = new RegExp(`<${NAME}${ATTRIBUTES}>${BLANKS}`, 'y')
const END_TAG = new RegExp(`</${NAME}>${BLANKS}`, 'y')
/** A value with a carriage return is left to the XML parser, which would change it. */
const ARGUMENT = new RegExp(`<${NAME}${ATTRIBUTES}(?:/>|>([^<\\r]*)</([\\w.:-]+)>)${BLANKS}`, 'y')
const MAX_ARGUMENTS = 64

/** Names in lower case -> values. Undefined if the text has another form, or is not the response to this action. */
export function decodePlainResponse(text: string, action: string): ReadonlyMap<string, string> | undefined {
  let at = match(PROLOG, text, 0)[0].length
  const open: string[] = []
  for (const expected of ['Envelope', 'Body', `${action}Response`]) {
    const [tag, name = ''] = match(START_TAG, text, at)
    if (name.toLowerCase() !== expected.toLowerCase()) return undefined
    at += tag.length
    open.unshift(name)
  }
  const values = new Map<string, string>()
  for (let count = 0; count < MAX_ARGUMENTS; count++) {
    const [argument, name = '', value = '', ending] = match(ARGUMENT, text, at)
    if (argument === '') return isClosed(text, at, open) ? values : undefined
    const isEnded = ending === undefined || ending.slice(ending.indexOf(':') + 1) === name
    if (!isEnded || name.toLowerCase() === 'errorcode') return undefined
    values.set(name.toLowerCase(), decodeEntities(value))
    at += argument.length
  }
  return undefined
}

function isClosed(text: string, from: number, names: readonly string[]): boolean {
  let at = from
  for (const expected of names) {
    const [tag, name] = match(END_TAG, text, at)
    if (name !== expected) return false
    at += tag.length
  }
  return at === text.length
}

/** The match at that place, or one empty text. */
function match(pattern: RegExp, text: string, at: number): RegExpExecArray | [string] {
  pattern.lastIndex = at
  return pattern.exec(text) ?? ['']
}
