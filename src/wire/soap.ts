/**
 * SOAP 1.1 as UPnP uses it (UPnP Device Architecture 1.1, chapter 3): action requests, responses and faults.
 *
 * What is sent is one line without blanks between the tags, arguments in the standard's order, everything escaped:
 * some routers trip over less. What is received is taken by local names whatever the prefix and its binding, the
 * action's response element may have any namespace, and a fault counts at any HTTP status.
 */
import { MalformedMessageError, unlessMalformed } from '../domain/errors.js'
import { decodePlainResponse } from './plain-soap.js'
import { childNamed, decodeText, decodeXml, descendants, encodeEntities, encodeXml, type XmlElement } from './xml.js'

export interface SoapRequest {
  readonly serviceType: string
  readonly action: string
  readonly arguments: readonly (readonly [string, string])[]
}

/**
 * Argument names as received, in lower case, because some routers change it (NewUpTime for NewUptime). A value that is
 * XML where it should be text (NewPortListing of some routers) is that XML.
 */
export type SoapArguments = ReadonlyMap<string, string>

export type SoapReply =
  | { readonly kind: 'response'; readonly arguments: SoapArguments }
  | { readonly kind: 'fault'; readonly errorCode: number; readonly errorDescription: string }

const ENVELOPE_OPEN =
  '<?xml version="1.0"?>\r\n<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" ' +
  's:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><s:Body>'
const ENVELOPE_CLOSE = '</s:Body></s:Envelope>\r\n'

/** The value of the SOAPAction header, quotes included (UDA 1.1 3.2.1). */
export function soapActionHeader(request: SoapRequest): string {
  return `"${request.serviceType}#${request.action}"`
}

export function encodeSoapRequest(request: SoapRequest): string {
  return envelope(request.action, request.serviceType, request.arguments)
}

export function encodeSoapResponse(response: SoapRequest): string {
  return envelope(`${response.action}Response`, response.serviceType, response.arguments)
}

function envelope(name: string, serviceType: string, args: readonly (readonly [string, string])[]): string {
  const content = args.map(([argument, value]) => `<${argument}>${encodeEntities(value)}</${argument}>`).join('')
  return `${ENVELOPE_OPEN}<u:${name} xmlns:u="${encodeEntities(serviceType)}">${content}</u:${name}>${ENVELOPE_CLOSE}`
}

/** UDA 1.1 3.2.2, figure 3-3. */
export function encodeSoapFault(errorCode: number, errorDescription: string): string {
  return (
    `${ENVELOPE_OPEN}<s:Fault><faultcode>s:Client</faultcode><faultstring>UPnPError</faultstring><detail>` +
    `<UPnPError xmlns="urn:schemas-upnp-org:control-1-0"><errorCode>${errorCode}</errorCode>` +
    `<errorDescription>${encodeEntities(errorDescription)}</errorDescription></UPnPError></detail></s:Fault>${ENVELOPE_CLOSE}`
  )
}

/** @throws MalformedMessageError */
export function decodeSoapReply(bytes: Uint8Array, action: string): SoapReply {
  const plain = decodePlainResponse(decodeText(bytes), action)
  return plain === undefined ? parseSoapReply(bytes, action) : { kind: 'response', arguments: plain }
}

/** Whatever form it has. @throws MalformedMessageError */
export function parseSoapReply(bytes: Uint8Array, action: string): SoapReply {
  // Some routers answer a successful Add or Delete with nothing at all; whoever needs a value will miss it.
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
  // A fault without UPnP's own detail is still a no; -1 as where the number cannot be read.
  if (content.name.toLowerCase() === 'fault') {
    return { kind: 'fault', errorCode: -1, errorDescription: childNamed(content, 'faultstring')?.text ?? '' }
  }
  return { kind: 'response', arguments: argumentsOf(content) }
}

/** TP-Link Archer C8 sends faults with binary garbage in them: the number is still to be had. */
function faultFromBrokenXml(bytes: Uint8Array, action: string): SoapReply {
  const text = decodeText(bytes)
  const code = /<errorCode>\s*(-?\d{1,9})(?=[^\d])/i.exec(text)?.[1] // a number that the end cuts off is none
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
  return body?.children[0] ?? body // an empty Body is an empty answer
}

function argumentsOf(element: XmlElement): SoapArguments {
  const textOf = (child: XmlElement): string => (child.children.length === 0 ? child.text : encodeXml(child))
  return new Map(element.children.map((child) => [child.name.toLowerCase(), textOf(child)]))
}

/** What the emulator receives. The names of arguments are kept as they came. @throws MalformedMessageError */
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

/** Digits at the beginning, as C clients read them; link rates above 4 Gbit/s are longer than a ui4. */
export function leadingNumber(value: string): number | undefined {
  const digits = /^\s*\+?(\d{1,15})/.exec(value)?.[1]
  return digits === undefined ? undefined : Number(digits)
}
