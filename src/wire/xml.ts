/**
 * XML as UPnP devices send it -> a tree of elements with local names. fast-xml-parser reads the XML, and this file
 * decides what is accepted. It is lenient about form. A byte order mark, blank lines or NULs may surround the document.
 * A namespace prefix need not be bound. The text may be Latin-1 although the document promises UTF-8. A tag may be
 * missing or one too many (xml-tags.ts).
 *
 * It is strict about size and kind. A DTD is refused, so the only entities are the five of XML 1.0 and the numeric
 * ones, and they are decoded once. The depth and the number of nodes are limited.
 */
import { XMLParser } from 'fast-xml-parser'
import { MalformedMessageError } from '../domain/errors.js'
import { NAME_MARK, pairTags } from './xml-tags.js'

export const MAX_XML_DEPTH = 32
export const MAX_XML_NODES = 20_000
/** For each element the parser joins the names of all open elements, so long names would take quadratic time. */
export const MAX_XML_NAME_LENGTH = 128
const LONG_NAME = new RegExp(`<[^\\s/>!?<][^\\s/><]{${MAX_XML_NAME_LENGTH}}`)

/** An element: its name without a prefix, its own text (entities decoded, CDATA as it is), and its children. */
export interface XmlElement {
  readonly name: string
  readonly text: string
  readonly children: readonly XmlElement[]
}

export interface XmlDocument {
  readonly root: XmlElement
  /** What comes after it, if a damaged document ends its root too early or more than once. */
  readonly rest: readonly XmlElement[]
  /** False if the text ends before the root element does. */
  readonly complete: boolean
}

const CDATA = '#cdata'

let parser: XMLParser | undefined // made at the first use, so that an import costs nothing

/** @throws MalformedMessageError */
export function decodeXml(bytes: Uint8Array): XmlDocument {
  return parseXml(decodeText(bytes))
}

/** Valid UTF-8 is read as that, and anything else as Latin-1, whatever the declaration says. */
export function decodeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return new TextDecoder('latin1').decode(bytes)
  }
}

/** @throws MalformedMessageError */
export function parseXml(raw: string): XmlDocument {
  const text = raw.slice(Math.max(0, raw.indexOf('<')), raw.lastIndexOf('>') + 1)
  if (text === '') throw new MalformedMessageError('XML', raw)
  if (/<!(DOCTYPE|ENTITY)/i.test(text)) throw new MalformedMessageError('XML without a DTD', raw)
  if (LONG_NAME.test(text))
    throw new MalformedMessageError(`XML with names of at most ${MAX_XML_NAME_LENGTH} characters`, raw)
  if (countNodes(text) > MAX_XML_NODES) throw new MalformedMessageError(`XML of at most ${MAX_XML_NODES} nodes`, raw)
  const { xml, isEnded } = pairTags(text)
  const [root, ...rest] = toElements(parse(xml, raw), raw, MAX_XML_DEPTH)
  if (root === undefined) throw new MalformedMessageError('XML with a root element', raw)
  return { root, rest, complete: isEnded }
}

function parse(text: string, raw: string): Nodes {
  try {
    parser ??= new XMLParser({
      preserveOrder: true,
      ignoreAttributes: true,
      parseTagValue: false,
      trimValues: false,
      processEntities: false,
      cdataPropName: CDATA,
      maxNestedTags: MAX_XML_DEPTH - 1, // fast-xml-parser does not count the element itself
    })
    return parser.parse(text)
  } catch (cause) {
    throw new MalformedMessageError('well-formed XML', raw, { cause })
  }
}

function countNodes(text: string): number {
  let count = 0
  for (let at = text.indexOf('<'); at !== -1; at = text.indexOf('<', at + 1)) count++
  return count
}

/** What fast-xml-parser makes of XML: `[{ name: [...] }, { '#text': '...' }]`, one name for each. */
type Nodes = readonly { readonly [name: string]: Nodes | string }[]

/** `levels`: how many are allowed. fast-xml-parser does not count an element without an end tag. */
function toElements(nodes: Nodes, raw: string, levels: number): XmlElement[] {
  return nodes.flatMap(Object.entries<Nodes | string>).flatMap(([name, content]) => {
    if (typeof content === 'string' || name === CDATA) return []
    if (levels === 0) throw new MalformedMessageError(`XML of at most ${MAX_XML_DEPTH} levels`, raw)
    const children = toElements(content, raw, levels - 1)
    return [{ name: name.slice(NAME_MARK.length), text: ownText(content), children }]
  })
}

function ownText(nodes: Nodes): string {
  const texts = nodes.flatMap(Object.entries<Nodes | string>).map(([name, content]) => {
    if (typeof content === 'string') return decodeEntities(content)
    return name === CDATA ? content.flatMap(Object.values<Nodes | string>).join('') : ''
  })
  return texts.join('')
}

const NAMED: ReadonlyMap<string, string> = new Map([
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['quot', '"'],
  ['apos', "'"],
])

/** One pass, so that `&amp;lt;` becomes `&lt;`. Unknown entities stay as they are. The result is never longer. */
export function decodeEntities(text: string): string {
  return text.replace(/&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|([a-z]{2,4}));/gi, (whole, hex, decimal, name) => {
    if (name !== undefined) return NAMED.get(String(name).toLowerCase()) ?? whole
    const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16)
    return code <= 0x10ffff && (code < 0xd800 || code > 0xdfff) ? String.fromCodePoint(code) : whole
  })
}

/** Escapes the three characters that matter in element content. Not quotes: some routers do not decode `&quot;`. */
export function encodeEntities(text: string): string {
  return text.replace(/[&<>]/g, (char) => (char === '&' ? '&amp;' : char === '<' ? '&lt;' : '&gt;'))
}

/** An element that contains only this text. */
export function encodeElement(name: string, text: string): string {
  return `<${name}>${encodeEntities(text)}</${name}>`
}

/** The text without blanks and NULs around it. A loop, because a regular expression would take quadratic time. */
export function trimmed(text: string): string {
  let [start, end] = [0, text.length]
  while (start < end && isBlank(text.charCodeAt(start))) start++
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--
  return text.slice(start, end)
}

function isBlank(code: number): boolean {
  return code === 0 || (code >= 9 && code <= 13) || code === 0x20 || code === 0xa0
}

/** Writes an element as text again, without the prefixes that it may have had. */
export function encodeXml(element: XmlElement): string {
  const { name, text, children } = element
  return children.length === 0 ? encodeElement(name, text) : `<${name}>${children.map(encodeXml).join('')}</${name}>`
}

/** Depth first, the element itself included. */
export function* descendants(element: XmlElement): Generator<XmlElement> {
  yield element
  for (const child of element.children) yield* descendants(child)
}

/** The first child with this local name. Case does not matter, because some devices change it. */
export function childNamed(element: XmlElement, name: string): XmlElement | undefined {
  return element.children.find((child) => child.name.toLowerCase() === name.toLowerCase())
}

/** Whether the bytes end as a complete SOAP message or description does, because Content-Length cannot be trusted. */
export function endsWithRoot(bytes: Uint8Array): boolean {
  const tail = new TextDecoder('latin1').decode(bytes.subarray(Math.max(0, bytes.length - 128)))
  return /<\/(?:[\w.-]+:)?(?:Envelope|root|scpd)\s*>[\s\0]*$/i.test(tail)
}
