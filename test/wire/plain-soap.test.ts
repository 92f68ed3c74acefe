import { describe, expect, it } from 'vitest'
import { decodePlainResponse, encodeSoapResponse, parseSoapReply } from '../../src/wire/soap.ts'
import { randomFrom } from '../support/random.ts'

const ACTION = 'GetGenericPortMappingEntry'
const VALUES = [
  ['NewRemoteHost', ''],
  ['NewExternalPort', '8080'],
  ['NewPortMappingDescription', 'web & <co> "x"'],
] as const
const TEXT = encodeSoapResponse({
  serviceType: 'urn:schemas-upnp-org:service:WANIPConnection:1',
  action: ACTION,
  arguments: VALUES,
})
const READ = new Map(VALUES.map(([name, value]) => [name.toLowerCase(), value]))

function parsed(text: string): ReadonlyMap<string, string> | undefined {
  try {
    const reply = parseSoapReply(new TextEncoder().encode(text), ACTION)
    return reply.kind === 'response' ? reply.arguments : undefined
  } catch {
    return undefined
  }
}

/** Nearly every router sends one of these, or something close to it. */
const PLAIN: readonly (readonly [string, string])[] = [
  ['as it is sent here', TEXT],
  ['without a declaration', TEXT.replace(/^<\?.*\?>/, '')],
  ['with an encoding in the declaration', TEXT.replace('"1.0"', '"1.0" encoding="utf-8"')],
  ['with other prefixes', TEXT.replace(/([</])s:/g, '$1SOAP-ENV:').replace(/([</])u:/g, '$1m:')],
  ['without prefixes', TEXT.replace(/([</])[su]:/g, '$1')],
  ['with line ends between the elements', TEXT.replace(/>(?=<)(?!<\/NewRemoteHost)/g, '>\r\n  ')],
  ['with attributes of the arguments', TEXT.replace('<NewExternalPort>', '<NewExternalPort dt:dt=\'ui2\' x="">')],
  ['with an argument that closes itself', TEXT.replace('<NewRemoteHost></NewRemoteHost>', '<NewRemoteHost />')],
]

/** Each of these is left to the XML parser. */
const NOT_PLAIN: readonly (readonly [string, string])[] = [
  ['with a comment', TEXT.replace('<NewExternalPort>', '<!-- --><NewExternalPort>')],
  ['with CDATA', TEXT.replace('>8080<', '><![CDATA[8080]]><')],
  ['with an element in an argument', TEXT.replace('>8080<', '><a>8080</a><')],
  ['with text between the arguments', TEXT.replace('<NewExternalPort>', 'x<NewExternalPort>')],
  ['with a carriage return in a value', TEXT.replace('8080', '80\r\n80')],
  ['with a header', TEXT.replace('<s:Body>', '<s:Header></s:Header><s:Body>')],
  ['with something after it', `${TEXT}<x/>`],
  ['without its end', TEXT.slice(0, -15)],
  ['with ends that do not fit', TEXT.replace('</NewExternalPort>', '</NewInternalPort>')],
  ['with a DTD', TEXT.replace('<s:Envelope', '<!DOCTYPE x><s:Envelope')],
  ['with an error code among the arguments', TEXT.replaceAll('NewExternalPort', 'errorCode')],
  ['for another action', TEXT.replaceAll(ACTION, 'GetSpecificPortMappingEntry')],
  ['with a name as JavaScript has it', TEXT.replaceAll('NewExternalPort', '__proto__')],
]

describe('a plain response', () => {
  it.each(PLAIN)('is read %s', (_, text) => {
    expect(decodePlainResponse(text, ACTION)).toEqual(READ)
    expect(parsed(text)).toEqual(READ)
  })

  it('may have no arguments', () => {
    const text = encodeSoapResponse({ serviceType: 'x', action: ACTION, arguments: [] })
    expect(decodePlainResponse(text, ACTION)).toEqual(new Map())
  })

  it.each(NOT_PLAIN)('is not plain %s', (_, text) => {
    expect(decodePlainResponse(text, ACTION)).toBeUndefined()
  })

  it('gives the same result as the parser, whatever is wrong with it', () => {
    const random = randomFrom(7)
    const pieces = [
      '<',
      '>',
      '/',
      '"',
      "'",
      '&',
      '&lt;',
      '=',
      ' ',
      '\r\n',
      '\0',
      '?',
      '!',
      ':',
      'a',
      '-',
      ']]>',
      '<a>',
      '</a>',
      '<a/>',
      '\u00a0',
      '\ufeff',
      'é',
      '<!--',
      '-->',
      'xmlns:',
    ]
    const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T
    let plain = 0
    for (let round = 0; round < 20_000; round++) {
      let text = pick(PLAIN)[1]
      for (let change = 0; change <= random() * 2; change++) {
        const at = Math.floor(random() * text.length)
        const cut = Math.floor(random() * 3)
        text = text.slice(0, at) + (random() < 0.7 ? pick(pieces) : '') + text.slice(at + cut)
      }
      const read = decodePlainResponse(text, ACTION)
      if (read === undefined) continue
      plain++
      expect(read, text).toEqual(parsed(text))
    }
    expect(plain).toBeGreaterThan(2000)
  })

  /** Each is so long that the test would take hours if the time were quadratic. */
  it.each<[string, (many: number) => string]>([
    ['blanks before it', (many) => `${' '.repeat(many)}x`],
    ['blanks before its declaration', (many) => `${' '.repeat(many)}<?xml?`],
    ['blanks in its declaration', (many) => `<?xml${' '.repeat(many)}x`],
    ['blanks after its declaration', (many) => `<?xml version="1.0"?>${' '.repeat(many)}x`],
    ['blanks between its elements', (many) => `<s:Envelope>${' '.repeat(many)}`],
    ['blanks in a tag', (many) => `<s:Envelope><s:Body><u:x${' '.repeat(many)}`],
    ['blanks in an end', (many) => TEXT.replace('</NewRemoteHost>', `</NewRemoteHost${' '.repeat(many)}>`)],
    ['blanks at its end', (many) => `${TEXT}${' '.repeat(many)}x`],
    ['attributes', (many) => `<s:Envelope${' a="b"'.repeat(many / 8)}`],
    ['attributes far apart', (many) => `<s:Envelope${`${' '.repeat(500)}a="b"`.repeat(many / 512)}`],
    [
      'attributes of one argument',
      (many) => TEXT.replace('<NewRemoteHost', `<NewRemoteHost${' a=""'.repeat(many / 8)} x`),
    ],
    ['letters in an attribute', (many) => `<s:Envelope ${'a'.repeat(many)}`],
    ['letters in a value', (many) => TEXT.replace('</NewRemoteHost>', 'a'.repeat(many))],
    ['arguments', (many) => TEXT.replace('<NewRemoteHost>', `${'<a>1</a>'.repeat(many / 8)}<NewRemoteHost>`)],
    ['ends', (many) => `${TEXT}${'</a>'.repeat(many / 4)}`],
  ])('is left to the parser at once if it has many %s', (_, textWith) => {
    for (const many of [1, 8, 512].map((kib) => kib * 1024))
      expect(decodePlainResponse(textWith(many), ACTION)).toBeUndefined()
  })
})
