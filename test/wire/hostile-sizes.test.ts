/**
 * Messages that are within every bound, but would take quadratic time in careless code. A deadline cannot interrupt the
 * decoding of one message. Each limit is a hundred times the time that the message takes.
 */
import { describe, expect, it } from 'vitest'
import { MalformedMessageError } from '../../src/domain/errors.ts'
import { readHead } from '../../src/net/http/head.ts'
import { decodeDescription } from '../../src/wire/description.ts'
import { decodeSoapReply } from '../../src/wire/soap.ts'
import { decodeXml, MAX_XML_NAME_LENGTH, MAX_XML_NODES, trimmed } from '../../src/wire/xml.ts'
import { thrownBy } from '../support/random.ts'

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)
const HALF_A_MEGABYTE = 512 * 1024

function cpuMs(work: () => unknown): number {
  const before = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

describe('half a megabyte', () => {
  it('of blanks inside a value of a description is read in no time', () => {
    const device = `<device><UDN>a${' '.repeat(HALF_A_MEGABYTE - 100)}b</UDN></device>`
    expect(cpuMs(() => decodeDescription(utf8(`<root>${device}</root>`)))).toBeLessThan(2000)
  })

  it('of blanks around a value of a reply is read in no time', () => {
    const value = `<NewEnabled>${' '.repeat(HALF_A_MEGABYTE)}1x</NewEnabled>`
    const reply = `<Envelope><Body><GetXResponse>${value}</GetXResponse></Body></Envelope>`
    expect(cpuMs(() => decodeSoapReply(utf8(reply), 'GetX'))).toBeLessThan(2000)
  })

  it.each([
    ['a tag that does not end', HALF_A_MEGABYTE / 2, (blanks: string) => `<a${blanks}"></a>`],
    ['an end tag that does not end', 4000, (blanks: string) => `<a></${blanks}<b>`], // it took cubic time
  ])('of no-break spaces in %s, or a part of it, is read in no time', (_, many, around) => {
    const text = around('\u00a0'.repeat(many))
    expect(cpuMs(() => decodeXml(utf8(`<root>${text}</root>`)))).toBeLessThan(2000)
  })

  it('of long element names is refused', () => {
    const name = 'n'.repeat(15_000)
    const deep = `<${name}>`.repeat(25) + '<b></b>'.repeat(9000) + `</${name}>`.repeat(25)
    expect(cpuMs(() => expect(() => decodeXml(utf8(deep))).toThrow(MalformedMessageError))).toBeLessThan(2000)
  })

  it('of the longest names, nested as deep as possible, is read in a moment', () => {
    const name = 'n'.repeat(MAX_XML_NAME_LENGTH)
    const deep = `<${name}>`.repeat(25) + '<b></b>'.repeat(9000) + `</${name}>`.repeat(25)
    expect(cpuMs(() => decodeXml(utf8(deep)))).toBeLessThan(4000)
  })
})

/** With as many `<` as may be. */
describe('a document', () => {
  const many = MAX_XML_NODES / 2 - 10
  it.each([
    ['start tags without an end', '<a>'.repeat(2 * many)],
    ['start tags without an end, with text', `<r>${'<a>1'.repeat(2 * many)}</r>`],
    ['start tags without an end, in one element', `<r>${'<a>'.repeat(2 * many)}</r>`],
    ['end tags without a start', `<r>${'</a>'.repeat(2 * many)}</r>`],
    ['start tags, and as many other end tags', `<r>${'<a>'.repeat(many)}${'</b>'.repeat(many)}</r>`],
    ['crossed tags', `<r>${'<a><b></a>'.repeat(many / 2)}${'</b>'.repeat(many / 2)}</r>`],
    ['tags in a text', `<r>1${' <a> 2'.repeat(2 * many)}</r>`],
    ['tags that are none', `<r>${`< <3 </> <a x='`.repeat(many / 2)}</r>`],
    ['long tags that are none', `<r>${`<a ${'x'.repeat(60)}`.repeat(2 * many)}</r>`],
    ['long names', `<r>${`<${'a'.repeat(60)}>1</${'b'.repeat(60)}>`.repeat(many)}</r>`],
  ])('of many %s is read or refused in a moment', (_, text) => {
    expect(
      cpuMs(() => {
        const error = thrownBy(() => decodeDescription(utf8(`<root><device>${text}</device></root>`)))
        if (error !== undefined) expect(error).toBeInstanceOf(MalformedMessageError)
      }),
    ).toBeLessThan(4000)
  })
})

describe('16 KiB', () => {
  it('of blanks in a header are read in no time', () => {
    const head = `HTTP/1.1 200 OK\r\nContent-Length: 1${' '.repeat(16_000)}x\r\n\r\n`
    expect(cpuMs(() => readHead(head))).toBeLessThan(100)
  })
})

describe('trimmed', () => {
  it('takes blanks and NULs off both ends and leaves those within', () => {
    expect(trimmed('\0 \t\r\na \0 b\0\n ')).toBe('a \0 b')
    expect(trimmed(' \0 ')).toBe('')
    expect(trimmed('')).toBe('')
  })
})
