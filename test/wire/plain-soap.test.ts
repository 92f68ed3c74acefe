import { describe, expect, it } from 'vitest'
import { decodePlainResponse, encodeSoapResponse } from '../../src/wire/soap.ts'
import { ACTION, comparedReaders, PLAIN, parsed, TEXT, VALUES } from '../fuzz/xml-differential.ts'

const READ = new Map(VALUES.map(([name, value]) => [name.toLowerCase(), value]))

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
    const { read, differences } = comparedReaders(60_000, 7)
    expect(differences).toEqual([])
    expect(read).toBeGreaterThan(10_000)
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
