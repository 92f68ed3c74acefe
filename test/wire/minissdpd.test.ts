import { describe, expect, it } from 'vitest'
import { MalformedMessageError } from '../../src/domain/errors.ts'
import {
  decodeMiniSsdpdReply,
  decodeMiniSsdpdRequest,
  decodeMiniSsdpdVersion,
  encodeMiniSsdpdReply,
  encodeMiniSsdpdRequest,
  encodeMiniSsdpdVersion,
  MAX_MINISSDPD_DEVICES,
  MAX_MINISSDPD_TEXT_BYTES,
  type MiniSsdpdDevice,
  type MiniSsdpdRequest,
} from '../../src/wire/minissdpd.ts'
import { mutations, randomBytes, randomFrom, thrownBy, truncations } from '../support/random.ts'

const IGD = 'urn:schemas-upnp-org:device:InternetGatewayDevice:1'
const WAN = 'urn:schemas-upnp-org:service:WANIPConnection:1'
const DESCRIPTION = 'http://192.168.1.1:5000/rootDesc.xml'

/** One character for each byte. */
const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1')

const REQUESTS: readonly (readonly [name: string, value: MiniSsdpdRequest, text: string])[] = [
  ['for the version', { kind: 'version' }, '\0\0'],
  ['by type, as upnpc sends it', { kind: 'type', ST: IGD }, `\x01\x33${IGD}`],
  ['for the root devices', { kind: 'type', ST: 'upnp:rootdevice' }, '\x01\x0fupnp:rootdevice'],
  ['with a text of 200 bytes', { kind: 'type', ST: 'x'.repeat(200) }, `\x01\x81\x48${'x'.repeat(200)}`],
  ['for everything, as upnpc sends it', { kind: 'all' }, '\x03\x08ssdp:all'],
]

const device = (LOCATION: string, ST = '', USN = ''): MiniSsdpdDevice => ({ LOCATION, ST, USN })

const REPLIES: readonly (readonly [name: string, value: readonly MiniSsdpdDevice[], text: string])[] = [
  ['without devices', [], '\0'],
  [
    'with one device',
    [device(DESCRIPTION, IGD, `uuid:1::${IGD}`)],
    `\x01\x24${DESCRIPTION}\x33${IGD}\x3buuid:1::${IGD}`,
  ],
  [
    'with two devices',
    [device(DESCRIPTION, IGD, 'uuid:1'), device('http://10.0.0.1/', WAN, 'uuid:2')],
    `\x02\x24${DESCRIPTION}\x33${IGD}\x06uuid:1\x10http://10.0.0.1/\x2e${WAN}\x06uuid:2`,
  ],
  ['with empty texts', [device('')], '\x01\0\0\0'],
  ['with a text of 127 bytes', [device('x'.repeat(127))], `\x01\x7f${'x'.repeat(127)}\0\0`],
  ['with a text of 128 bytes', [device('x'.repeat(128))], `\x01\x81\0${'x'.repeat(128)}\0\0`],
  [
    'with the longest text',
    [device('', '', 'x'.repeat(MAX_MINISSDPD_TEXT_BYTES))],
    `\x01\0\0\x90\0${'x'.repeat(MAX_MINISSDPD_TEXT_BYTES)}`,
  ],
  [
    'with the most devices',
    Array.from({ length: MAX_MINISSDPD_DEVICES }, () => device('a', 'b', 'c')),
    `\xfe${'\x01a\x01b\x01c'.repeat(MAX_MINISSDPD_DEVICES)}`,
  ],
  ['with letters of UTF-8', [device('http://a/é', '\ufeffx', '🙂')], '\x01\x0bhttp://a/Ã©\x04ï»¿x\x04ð\x9f\x99\x82'],
]

describe('a request to MiniSSDPd', () => {
  it.each(REQUESTS)('%s is written', (_name, value, text) => {
    expect(Buffer.from(encodeMiniSsdpdRequest(value)).toString('latin1')).toBe(text)
  })

  it.each(REQUESTS)('%s is read', (_name, value, text) => {
    expect(decodeMiniSsdpdRequest(bytes(text))).toEqual(value)
  })

  it.each(REQUESTS)('%s is malformed if its end is missing, or if more follows', (_name, _value, text) => {
    for (const part of [...truncations(bytes(text)), bytes(`${text}x`)]) {
      expect(() => decodeMiniSsdpdRequest(part)).toThrow(MalformedMessageError)
    }
  })

  it('for everything may have no text', () => {
    expect(decodeMiniSsdpdRequest(bytes('\x03\0'))).toEqual({ kind: 'all' })
  })

  it.each(['\x02\x01x', '\x04\x01x\x01x\x01x\x01x', '\x05\0', '\xff\0'])('of another type is malformed: %j', (text) => {
    expect(() => decodeMiniSsdpdRequest(bytes(text))).toThrow(MalformedMessageError)
  })
})

describe('a reply of MiniSSDPd', () => {
  it.each(REPLIES)('%s is written', (_name, value, text) => {
    expect(Buffer.from(encodeMiniSsdpdReply(value)).toString('latin1')).toBe(text)
  })

  it.each(REPLIES)('%s is read', (_name, value, text) => {
    expect(decodeMiniSsdpdReply(bytes(text))).toEqual({ devices: value, ended: true })
  })

  it.each(REPLIES)('%s is read as far as it has come', (_name, value, text) => {
    let before = 0
    for (const part of truncations(bytes(text))) {
      const { devices, ended } = decodeMiniSsdpdReply(part)
      expect(ended).toBe(false)
      expect(devices).toEqual(value.slice(0, devices.length))
      expect(devices.length).toBeGreaterThanOrEqual(before)
      before = devices.length
    }
    expect(before).toBe(Math.max(0, value.length - 1))
  })

  it('ends after its last device, whatever follows', () => {
    expect(decodeMiniSsdpdReply(bytes('\0\xff\xff\xff\xff\xff'))).toEqual({ devices: [], ended: true })
    expect(decodeMiniSsdpdReply(bytes('\x01\x01a\x01b\x01cmore'))).toEqual({
      devices: [device('a', 'b', 'c')],
      ended: true,
    })
  })

  it('does not count missing devices', () => {
    expect(decodeMiniSsdpdReply(bytes('\xfe\x01a\x01b\x01c'))).toEqual({
      devices: [device('a', 'b', 'c')],
      ended: false,
    })
  })

  it('may write a length with zeros in front', () => {
    expect(decodeMiniSsdpdReply(bytes('\x01\x80\x80\x80\x01a\0\0'))).toEqual({ devices: [device('a')], ended: true })
  })

  it.each([
    ['a notification', '\xff\x01\x01\x01a\x01b\x01c'],
    ['a text one byte too long', `\x01\x90\x01${'x'.repeat(MAX_MINISSDPD_TEXT_BYTES + 1)}\0\0`],
    ['a length that is too much before its end', '\x01\xff\xff'],
    ['a length of 4 GiB', '\x01\x90\x80\x80\x80\0'],
    ['a length that has no end', '\x01\x80\x80\x80\x80'],
    ['a length that has no end, in the last text', '\x01\x01a\x01b\x80\x80\x80\x80\x80\x80'],
  ])('is malformed as soon as it can only be that: %s', (_name, text) => {
    expect(() => decodeMiniSsdpdReply(bytes(text))).toThrow(MalformedMessageError)
  })

  it.each(REPLIES)(
    'throws nothing but MalformedMessageError where one byte of one %s is wrong',
    (_name, _value, text) => {
      for (const spoilt of mutations(bytes(text), randomFrom(254))) {
        const error = thrownBy(() => decodeMiniSsdpdReply(spoilt))
        if (error !== undefined) expect(error).toBeInstanceOf(MalformedMessageError)
      }
    },
  )

  it('throws nothing but MalformedMessageError for random bytes', () => {
    const random = randomFrom(255)
    for (let round = 0; round < 5000; round++) {
      const anything = randomBytes(random, Math.floor(random() * 300))
      const noise = round % 2 === 0 ? anything : anything.map((byte) => byte & 0x1f) // short texts
      for (const decode of [decodeMiniSsdpdReply, decodeMiniSsdpdRequest, decodeMiniSsdpdVersion]) {
        const error = thrownBy(() => decode(noise))
        if (error !== undefined) expect(error).toBeInstanceOf(MalformedMessageError)
      }
    }
  })
})

describe('the version of MiniSSDPd', () => {
  it.each(['1.6.0', '', 'x'.repeat(300)])('%j is written and read, once it is complete', (version) => {
    const answer = encodeMiniSsdpdVersion(version)
    expect(decodeMiniSsdpdVersion(answer)).toBe(version)
    for (const part of truncations(answer)) expect(decodeMiniSsdpdVersion(part)).toBeUndefined()
  })

  it('of 1.6.0 is these bytes', () => {
    expect(Buffer.from(encodeMiniSsdpdVersion('1.6.0')).toString('latin1')).toBe('\x051.6.0')
  })
})
