/**
 * XML as UPnP devices send it -> a tree of elements with local names. fast-xml-parser reads it; this file says what is
 * let in. Lenient in form: a byte order mark, blank lines or NULs around the document, any namespace prefix, bound or
 * not, or Latin-1 where UTF-8 was promised. Strict in size and kind: no DTD (so no entities but the five of XML 1.0
 * and numeric ones, decoded once), and a cap on depth and on the number of nodes.
 */
import { XMLParser } from 'fast-xml-parser'
import { MalformedMessageError } from '../domain/errors.js'

export const MAX_XML_DEPTH = 32
export const MAX_XML_NODES = 20_000
/** The parser strings the names of all open elements together for each element: long ones would cost their square. */
export const MAX_XML_NAME_LENGTH = 128
const LONG_NAME = new RegExp(`<[^\\s/>!?<][^\\s/><]{${MAX_XML_NAME_LENGTH}}`)

/** One element: its name without a prefix, its own text (entities decoded, CDATA as it stands), its children. */
export interface XmlElement {
  readonly name: string
  readonly text: string
  readonly children: readonly XmlElement[]
}

export interface XmlDocument {
  readonly root: XmlElement
  /** False where the text ends before the root element does. */
  readonly complete: boolean
}

const TEXT = '#text'
const CDATA = '#cdata'

let parser: XMLParser | undefined // made at the first use: nothing happens at import time

const makeParser = (): XMLParser =>
  new XMLParser({
    preserveOrder: true,
    ignoreAttributes: true,
    ignoreDeclaration: true,
    ignorePiTags: true,
    removeNSPrefix: true,
    parseTagValue: false,
    trimValues: false,
    processEntities: false,
    cdataPropName: CDATA,
    maxNestedTags: MAX_XML_DEPTH - 1, // counted there without the element itself
  })

/** @throws MalformedMessageError */
export function decodeXml(bytes: Uint8Array): XmlDocument {
  return parseXml(decodeText(bytes))
}

/** UTF-8 where it is that, otherwise Latin-1, whatever the declaration says. Other encodings are not XML to us. */
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
  if (LONG_NAME.test(text)) throw new MalformedMessageError(`XML with names of at most ${MAX_XML_NAME_LENGTH}`, raw)
  if (countNodes(text) > MAX_XML_NODES) throw new MalformedMessageError(`XML of at most ${MAX_XML_NODES} nodes`, raw)
  const root = toElements(parse(text, raw), 0)[0]
  if (root === undefined) throw new MalformedMessageError('XML with a root element', raw)
  return { root, complete: lastEndTag(text) === root.name }
}

/** The local name in the end tag that the text ends with, or ''; comments and instructions may follow it. */
function lastEndTag(text: string): string {
  let end = text.length
  for (;;) {
    const before = text.slice(0, end).trimEnd()
    const opening = before.endsWith('-->') ? '<!--' : before.endsWith('?>') ? '<?' : undefined
    if (opening === undefined) {
      const [, name = ''] = /^<\/([^<>]*)>$/.exec(before.slice(before.lastIndexOf('<'))) ?? []
      return name.slice(name.indexOf(':') + 1).trim()
    }
    end = Math.max(0, before.lastIndexOf(opening))
  }
}

function parse(text: string, raw: string): unknown {
  try {
    parser ??= makeParser()
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

/** fast-xml-parser's ordered form, `[{ name: [...] }, { '#text': '...' }]`, is unknown until looked at here. */
function toElements(nodes: unknown, depth: number): XmlElement[] {
  if (!Array.isArray(nodes) || depth > MAX_XML_DEPTH) return []
  return nodes.flatMap((node: unknown) => {
    const [name, content] = entryOf(node)
    if (name === undefined || name === TEXT || name === CDATA) return []
    return [{ name, text: ownText(content), children: toElements(content, depth + 1) }]
  })
}

function entryOf(node: unknown): [string | undefined, unknown] {
  if (typeof node !== 'object' || node === null) return [undefined, undefined]
  return Object.entries(node).find(([name]) => name !== ':@') ?? [undefined, undefined]
}

function ownText(nodes: unknown): string {
  if (!Array.isArray(nodes)) return ''
  return nodes
    .map((node: unknown) => {
      const [name, content] = entryOf(node)
      if (name === TEXT) return decodeEntities(String(content))
      if (name === CDATA) return rawText(content)
      return ''
    })
    .join('')
}

function rawText(nodes: unknown): string {
  if (!Array.isArray(nodes)) return ''
  return nodes.map((node: unknown) => String(entryOf(node)[1] ?? '')).join('')
}

const NAMED: ReadonlyMap<string, string> = new Map([
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['quot', '"'],
  ['apos', "'"],
])

/** One pass, so that `&amp;lt;` is `&lt;`; what is no entity stays as it stands. The result is never longer. */
export function decodeEntities(text: string): string {
  return text.replace(/&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|(amp|lt|gt|quot|apos));/gi, (whole, hex, decimal, name) => {
    if (name !== undefined) return NAMED.get(String(name).toLowerCase()) ?? whole
    const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16)
    return code <= 0x10ffff && (code < 0xd800 || code > 0xdfff) ? String.fromCodePoint(code) : whole
  })
}

/** For element content: the three that matter there. Quotes stay, because some routers do not decode `&quot;`. */
export function encodeEntities(text: string): string {
  return text.replace(/[&<>]/g, (char) => (char === '&' ? '&amp;' : char === '<' ? '&lt;' : '&gt;'))
}

/** Without blanks and NULs around it. A loop, because a regular expression for the end takes the square of the length. */
export function trimmed(text: string): string {
  let [start, end] = [0, text.length]
  while (start < end && isBlank(text.charCodeAt(start))) start++
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--
  return text.slice(start, end)
}

function isBlank(code: number): boolean {
  return code === 0 || (code >= 9 && code <= 13) || code === 0x20 || code === 0xa0
}

/** An element as text again, without the prefixes that it may have had. */
export function encodeXml(element: XmlElement): string {
  const { name, text, children } = element
  const content = children.length === 0 ? encodeEntities(text) : children.map(encodeXml).join('')
  return `<${name}>${content}</${name}>`
}

/** Depth first, the element itself included. */
export function* descendants(element: XmlElement): Generator<XmlElement> {
  yield element
  for (const child of element.children) yield* descendants(child)
}

/** The first child of that local name, compared without case, because some devices change it. */
export function childNamed(element: XmlElement, name: string): XmlElement | undefined {
  return element.children.find((child) => child.name.toLowerCase() === name.toLowerCase())
}

/** Whether the bytes end as a whole SOAP message or description does: for a reader who cannot trust a length. */
export function endsWithRoot(bytes: Uint8Array): boolean {
  const tail = new TextDecoder('latin1').decode(bytes.subarray(Math.max(0, bytes.length - 128)))
  return /<\/(?:[\w.-]+:)?(?:Envelope|root|scpd)\s*>[\s\0]*$/i.test(tail)
}
