import { describe, expect, it } from 'vitest'
import { MalformedMessageError } from '../../src/domain/errors.ts'
import {
  decodeCallback,
  decodeEventHead,
  decodePropertySet,
  decodeSubscription,
  encodePropertySet,
  eventHeaders,
  MAX_EVENTED_VARIABLES,
  MAX_SID_LENGTH,
  renewalHeaders,
  subscribeHeaders,
  unsubscribeHeaders,
} from '../../src/wire/gena.ts'
import { mutations, randomBytes, randomFrom, thrownBy, truncations } from '../support/random.ts'

const SID = 'uuid:b3e0a0e4-5f3c-4c39-9f0e-2d6b7c3a9a10'

describe('a subscription', () => {
  it.each([
    [
      'is requested with the URL for the events',
      subscribeHeaders(new URL('http://192.168.1.10:40000/x'), 1800),
      ['CALLBACK: <http://192.168.1.10:40000/x>', 'NT: upnp:event', 'TIMEOUT: Second-1800'],
    ],
    ['is renewed by its SID alone', renewalHeaders(SID, 1800), [`SID: ${SID}`, 'TIMEOUT: Second-1800']],
    ['is given back by its SID', unsubscribeHeaders(SID), [`SID: ${SID}`]],
  ])('%s', (_name, headers, lines) => {
    expect(headers.map(([name, value]) => `${name}: ${value}`)).toEqual(lines)
  })

  it.each([
    ['Second-1800', 1800],
    ['second-300', 300],
    ['Second-0', 0],
    [' Second-1800 ', 1800],
    ['1800', 1800],
    ['Second-infinite', Number.POSITIVE_INFINITY],
    ['infinite', Number.POSITIVE_INFINITY],
    ['Second-4294967296', 4294967296],
    ['Second--1', undefined],
    ['Second-99999999999', undefined],
    ['Second-', undefined],
    ['Minute-5', undefined],
    ['', undefined],
  ])('granted with TIMEOUT: %j lasts %s s', (timeout, timeoutSeconds) => {
    expect(decodeSubscription(headersOf({ sid: SID, timeout }))).toEqual({ SID, timeoutSeconds })
  })

  it('granted without TIMEOUT lasts it is not known how long', () => {
    expect(decodeSubscription(headersOf({ sid: ` ${SID} ` }))).toEqual({ SID, timeoutSeconds: undefined })
  })

  it.each([undefined, '', '  ', 'uuid:1 2', 'uuid:1\r\nX: y', 'uuid:ü', 'x'.repeat(MAX_SID_LENGTH + 1)])(
    'is malformed with the SID %j',
    (sid) => {
      const headers = headersOf(sid === undefined ? {} : { sid })
      expect(() => decodeSubscription(headers)).toThrow(MalformedMessageError)
    },
  )

  it('may have any SID up to the longest length', () => {
    for (const sid of ['1', 'x'.repeat(MAX_SID_LENGTH)]) {
      expect(decodeSubscription(headersOf({ sid })).SID).toBe(sid)
    }
  })
})

function headersOf(headers: Record<string, string>): ReadonlyMap<string, string> {
  return new Map(Object.entries(headers))
}

const GOOD = { nt: 'upnp:event', nts: 'upnp:propchange', sid: SID, seq: '0' }

describe('the head of an event', () => {
  it.each([
    ['0', 0],
    ['4294967295', 4294967295],
    [' 7 ', 7],
    ['-1', undefined],
    ['x', undefined],
    ['', undefined],
  ])('with SEQ: %j has the number %s', (seq, SEQ) => {
    expect(decodeEventHead(headersOf({ ...GOOD, seq }))).toEqual({ SID, SEQ })
  })

  it('may spell its types in any case', () => {
    expect(decodeEventHead(headersOf({ ...GOOD, nt: 'UPnP:event', nts: ' upnp:PropChange ' })).SID).toBe(SID)
  })

  it.each(['nt', 'nts', 'sid'])('is malformed without %s, or with another', (name) => {
    const { [name as 'nt']: _, ...others } = GOOD
    expect(() => decodeEventHead(headersOf(others))).toThrow(MalformedMessageError)
    expect(() => decodeEventHead(headersOf({ ...GOOD, [name]: 'ssdp alive' }))).toThrow(MalformedMessageError)
  })
})

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const propertySet = (content: string): string =>
  `<?xml version="1.0"?>\n<e:propertyset xmlns:e="urn:schemas-upnp-org:event-1-0">${content}</e:propertyset>`
const property = (name: string, text: string): string => `<e:property><${name}>${text}</${name}></e:property>`

const BODIES: readonly (readonly [name: string, text: string, variables: Record<string, string>])[] = [
  ['one variable', propertySet(property('ExternalIPAddress', '11.22.33.44')), { ExternalIPAddress: '11.22.33.44' }],
  [
    'several variables, one of them empty',
    propertySet(property('PortMappingNumberOfEntries', ' 3 ') + property('ExternalIPAddress', '')),
    { PortMappingNumberOfEntries: '3', ExternalIPAddress: '' },
  ],
  ['several variables in one property', propertySet('<e:property><A>1</A><B>2</B></e:property>'), { A: '1', B: '2' }],
  ['no variable', propertySet(''), {}],
  ['a property without one', propertySet('<e:property/>'), {}],
  ['something else beside properties', propertySet(`<e:other><A>1</A></e:other>${property('B', '2')}`), { B: '2' }],
  ['escaped text', propertySet(property('A', '&lt;b&gt; &amp;amp;')), { A: '<b> &amp;' }],
  ['no prefixes', '<propertyset><property><A>1</A></property></propertyset>', { A: '1' }],
]

describe('the body of an event', () => {
  it.each(BODIES)('with %s is read', (_name, text, variables) => {
    expect([...decodePropertySet(bytes(text))]).toEqual(Object.entries(variables))
  })

  it.each(BODIES)('with %s is malformed if it is cut short', (_name, text) => {
    for (const part of truncations(bytes(text))) {
      expect(thrownBy(() => decodePropertySet(part))).toBeInstanceOf(MalformedMessageError)
    }
  })

  it.each(BODIES)('with %s and one byte that is wrong throws nothing but MalformedMessageError', (_name, text) => {
    for (const spoilt of mutations(bytes(text), randomFrom(4))) {
      const error = thrownBy(() => decodePropertySet(spoilt))
      if (error !== undefined) expect(error).toBeInstanceOf(MalformedMessageError)
    }
  })

  it('of random bytes is malformed', () => {
    const random = randomFrom(43)
    for (let round = 0; round < 500; round++) {
      const noise = randomBytes(random, Math.floor(random() * 200))
      expect(thrownBy(() => decodePropertySet(noise))).toBeInstanceOf(MalformedMessageError)
    }
  })

  it.each([
    ['another document', '<root><property><A>1</A></property></root>'],
    ['a DTD', `<!DOCTYPE x>${propertySet('')}`],
    ['nothing', ''],
  ])('is malformed if it is %s', (_name, text) => {
    expect(() => decodePropertySet(bytes(text))).toThrow(MalformedMessageError)
  })

  it('has a limited number of variables', () => {
    const many = Array.from({ length: 1000 }, (_, at) => property(`V${at}`, String(at))).join('')
    expect(decodePropertySet(bytes(propertySet(many))).size).toBe(MAX_EVENTED_VARIABLES)
  })
})

describe('the device', () => {
  const callbackOf = (callback: string, nt = 'upnp:event') =>
    decodeCallback(
      new Map([
        ['callback', callback],
        ['nt', nt],
      ]),
    ).href

  it('reads the first callback of a subscription', () => {
    expect(callbackOf('<http://192.168.1.10:40000/x>')).toBe('http://192.168.1.10:40000/x')
    expect(callbackOf(' <HTTP://[2001:db8::5]/> <http://other/>', ' UPnP:Event ')).toBe('http://[2001:db8::5]/')
  })

  it.each(['', '<>', '<https://192.168.1.10/>', 'http://192.168.1.10/', '<http://>', `<http://a/${'x'.repeat(600)}>`])(
    'refuses the callback %j',
    (callback) => expect(() => callbackOf(callback)).toThrow(MalformedMessageError),
  )

  it('refuses what is no subscription to events', () => {
    expect(() => callbackOf('<http://192.168.1.10/>', 'other')).toThrow(MalformedMessageError)
    expect(() => decodeCallback(new Map())).toThrow(MalformedMessageError)
  })

  it('sends events that a subscriber reads', () => {
    const headers = new Map(eventHeaders(SID, 7).map(([name, value]) => [name.toLowerCase(), value]))
    expect(decodeEventHead(headers)).toEqual({ SID, SEQ: 7 })
    const variables = { ConnectionStatus: 'Connected', ExternalIPAddress: '<1 & 2>' }
    expect(Object.fromEntries(decodePropertySet(bytes(encodePropertySet(variables))))).toEqual(variables)
  })
})
