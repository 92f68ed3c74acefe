/**
 * The plain reader of SOAP against the XML parser, on documents that are spoilt at random: whatever the plain reader
 * takes, the parser takes too, and reads the same. About what the plain reader leaves to the parser nothing is claimed.
 */
import { decodePlainResponse, encodeSoapResponse, parseSoapReply } from '../../src/wire/soap.ts'
import { randomFrom } from '../support/random.ts'

export const ACTION = 'GetGenericPortMappingEntry'
export const VALUES = [
  ['NewRemoteHost', ''],
  ['NewExternalPort', '8080'],
  ['NewPortMappingDescription', 'web & <co> "x"'],
] as const
export const TEXT = encodeSoapResponse({
  serviceType: 'urn:schemas-upnp-org:service:WANIPConnection:1',
  action: ACTION,
  arguments: VALUES,
})

/** Nearly every router sends one of these, or something close to it. */
export const PLAIN: readonly (readonly [string, string])[] = [
  ['as it is sent here', TEXT],
  ['without a declaration', TEXT.replace(/^<\?.*\?>/, '')],
  ['with an encoding in the declaration', TEXT.replace('"1.0"', '"1.0" encoding="utf-8"')],
  ['with other prefixes', TEXT.replace(/([</])s:/g, '$1SOAP-ENV:').replace(/([</])u:/g, '$1m:')],
  ['without prefixes', TEXT.replace(/([</])[su]:/g, '$1')],
  ['with line ends between the elements', TEXT.replace(/>(?=<)(?!<\/NewRemoteHost)/g, '>\r\n  ')],
  ['with attributes of the arguments', TEXT.replace('<NewExternalPort>', '<NewExternalPort dt:dt=\'ui2\' x="">')],
  ['with an argument that closes itself', TEXT.replace('<NewRemoteHost></NewRemoteHost>', '<NewRemoteHost />')],
]

/** What every object of JavaScript has, or seems to have. */
export const NAMES_OF_OBJECTS = [
  ...['__proto__', 'constructor', 'prototype', 'hasOwnProperty', 'toString', 'valueOf'],
  ...['__defineGetter__', '__lookupSetter__', 'isPrototypeOf', 'length', 'name'],
] as const

const PIECES: readonly string[] = [
  ...['<', '>', '/', '"', "'", '&', '=', '?', '!', ':', '-', '.', '_', '#', ';', '%', '[', ']', 'a', 'Z', '0', '9'],
  ...[' ', '\t', '\n', '\r', '\r\n', '\0', '\v', '\f', '\u0085', '\u00a0', '\u2028', '\u3000', '\ufeff', '\ufffd'],
  ...[
    '&lt;',
    '&gt;',
    '&amp;',
    '&amp;lt;',
    '&quot;',
    '&APOS;',
    '&#65;',
    '&#x41;',
    '&#0;',
    '&#xd800;',
    '&nbsp;',
    '&#13;',
  ],
  ...['<!--', '-->', '<!-- x -->', '<![CDATA[', ']]>', '<![CDATA[x]]>', '<?x y?>', '?>', '<!DOCTYPE x>', '<!ENTITY'],
  ...['<a>', '</a>', '<a/>', '<a />', '<a b="c">', '</ a>', '<1>', '<_a>1</_a>', '<é>1</é>', '<a:b:c>1</a:b:c>'],
  ...['xmlns:', ' xmlns="u"', ' x=""', " x='1' x='2'", ' x', 'xml:', '<xmlns:a>1</xmlns:a>', '<A>1</A><a>2</a>'],
  ...['<errorCode>718</errorCode>', 'errorCode', '<s:Fault/>', '<Envelope>', '</s:Body>', '<Body>', '</s:Envelope>'],
  ...['é', '\u{1f600}', 'x'.repeat(63), 'y'.repeat(130), '1'.repeat(40)],
  ...NAMES_OF_OBJECTS,
  ...NAMES_OF_OBJECTS.map((name) => `<${name}>1</${name}>`),
]

export interface Compared {
  readonly documents: number
  /** How many of them the plain reader has read. */
  readonly read: number
  /** Documents that the two read differently; the first few. */
  readonly differences: readonly string[]
}

const MOST_DIFFERENCES = 10

export function comparedReaders(documents: number, seed: number): Compared {
  const random = randomFrom(seed)
  const differences: string[] = []
  let read = 0
  for (let nth = 0; nth < documents; nth++) {
    const text = spoilt(random)
    const plain = decodePlainResponse(text, ACTION)
    if (plain === undefined) continue
    read++
    if (!isSame(plain, parsed(text)) && differences.length < MOST_DIFFERENCES) differences.push(text)
  }
  return { documents, read, differences }
}

/** Undefined if it is refused, or is no response. */
export function parsed(text: string): ReadonlyMap<string, string> | undefined {
  try {
    const reply = parseSoapReply(new TextEncoder().encode(text), ACTION)
    return reply.kind === 'response' ? reply.arguments : undefined
  } catch {
    return undefined
  }
}

function isSame(plain: ReadonlyMap<string, string>, other: ReadonlyMap<string, string> | undefined): boolean {
  return other !== undefined && JSON.stringify([...plain]) === JSON.stringify([...other])
}

/** One of the plain documents with one to three changes, many of them in values: those the plain reader takes most. */
function spoilt(random: () => number): string {
  const below = (limit: number): number => Math.floor(random() * limit)
  const pick = (from: readonly string[]): string => from[below(from.length)] ?? ''
  let text = PLAIN[below(PLAIN.length)]?.[1] ?? ''
  for (let left = 1 + below(3); left > 0; left--) {
    const value = random() < 0.4 ? text.indexOf(random() < 0.5 ? '8080' : 'web') : -1
    const at = value === -1 ? below(text.length) : value + below(4)
    const [before, after] = [text.slice(0, at), text.slice(at)]
    const change = random()
    if (change < 0.5) text = before + pick(PIECES) + after
    else if (change < 0.65) text = before + pick(PIECES) + after.slice(1 + below(3))
    else if (change < 0.75) text = before + after.slice(1 + below(20))
    else if (change < 0.85) text = before + copyOf(text, below) + after
    else if (change < 0.95) text = text.replaceAll(pick(['NewRemoteHost', 'NewExternalPort', '8080']), pick(PIECES))
    else text = before + swapCase(after.slice(0, 1)) + after.slice(1)
  }
  return Buffer.from(text).toString() // bytes never decode to half a character
}

function copyOf(text: string, below: (limit: number) => number): string {
  const from = below(text.length)
  return text.slice(from, from + 1 + below(60))
}

function swapCase(char: string): string {
  return char === char.toLowerCase() ? char.toUpperCase() : char.toLowerCase()
}
