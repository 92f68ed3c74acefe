import { describe, expect, it } from 'vitest'
import {
  addressBytes,
  decodePcpOptions,
  encodePcpOptions,
  FIRST_OPTIONAL_CODE,
  type PcpOption,
} from '../../src/wire/pcp-options.ts'
import { bitFlips, bytesOf, viewsOf } from '../support/hex-bytes.ts'
import { randomBytes, randomFrom, truncations } from '../support/random.ts'

const thirdParty = (internalAddress: string): PcpOption => ({ kind: 'THIRD_PARTY', internalAddress })
const PREFER_FAILURE: PcpOption = { kind: 'PREFER_FAILURE' }
const filter = (prefixLength: number, remotePort: number, remoteAddress: string): PcpOption => ({
  kind: 'FILTER',
  prefixLength,
  remotePort,
  remoteAddress,
})
const unknown = (code: number, data: string): PcpOption => ({ kind: 'unknown', code, data: bytesOf(data) })

/** RFC 6887 7.3, 13.1 to 13.3; option 128 is that of RFC 7220. */
const OPTIONS: readonly (readonly [name: string, value: readonly PcpOption[], hex: string])[] = [
  ['none', [], ''],
  ['THIRD_PARTY of IPv4', [thirdParty('192.168.1.9')], '01 00 0010 00000000 00000000 0000ffff c0a80109'],
  ['THIRD_PARTY of IPv6', [thirdParty('2001:db8::9')], '01 00 0010 20010db8 00000000 00000000 00000009'],
  ['PREFER_FAILURE', [PREFER_FAILURE], '02 00 0000'],
  [
    'FILTER of 203.0.113.0/24, port 443',
    [filter(120, 443, '203.0.113.0')],
    '03 00 0014 00 78 01bb 00000000 00000000 0000ffff cb007100',
  ],
  [
    'FILTER of 2001:db8::/32, any port',
    [filter(32, 0, '2001:db8::')],
    '03 00 0014 00 20 0000 20010db8 00000000 00000000 00000000',
  ],
  [
    'FILTER of one host, the highest port',
    [filter(128, 65_535, '::1')],
    '03 00 0014 00 80 ffff 00000000 00000000 00000000 00000001',
  ],
  ['FILTER for none', [filter(0, 0, '::')], '03 00 0014 00 00 0000 00000000 00000000 00000000 00000000'],
  ['unknown, with nothing', [unknown(4, '')], '04 00 0000'],
  ['unknown, padded by 3', [unknown(128, '68656c6c6f')], '80 00 0005 68656c6c 6f000000'],
  ['unknown, padded by 2', [unknown(127, '6869')], '7f 00 0002 68690000'],
  ['unknown, padded by 1', [unknown(255, '010203')], 'ff 00 0003 01020300'],
  ['unknown, not padded', [unknown(0, '01020304')], '00 00 0004 01020304'],
  ['unknown, of 260 bytes', [unknown(200, 'ab'.repeat(260))], `c8 00 0104 ${'ab'.repeat(260)}`],
  [
    'of several kinds, in their order',
    [PREFER_FAILURE, unknown(128, '78'), filter(96, 1, '0.0.0.0'), thirdParty('10.0.0.2')],
    '02 00 0000  80 00 0001 78000000  03 00 0014 00 60 0001 00000000 00000000 0000ffff 00000000' +
      '01 00 0010 00000000 00000000 0000ffff 0a000002',
  ],
  [
    'the same twice',
    [filter(128, 80, '2001:db8::1'), filter(128, 80, '2001:db8::2')],
    '03 00 0014 00 80 0050 20010db8 00000000 00000000 00000001' +
      '03 00 0014 00 80 0050 20010db8 00000000 00000000 00000002',
  ],
]

describe('the options of PCP', () => {
  it.each(OPTIONS)('are written: %s', (_name, value, hex) => {
    expect(encodePcpOptions(value)).toEqual(bytesOf(hex))
  })

  it.each(OPTIONS)('are read, wherever their bytes are: %s', (_name, value, hex) => {
    for (const bytes of [bytesOf(hex), ...viewsOf(bytesOf(hex))]) {
      expect(decodePcpOptions(bytes)).toStrictEqual({ options: value, complete: true })
    }
  })

  it.each(OPTIONS)('are read as far as they go if their end is missing: %s', (_name, value, hex) => {
    const whole = new Map(value.map((_, count) => [encodePcpOptions(value.slice(0, count)).length, count]))
    for (const part of truncations(bytesOf(hex))) {
      const { options, complete } = decodePcpOptions(part)
      expect(options).toEqual(value.slice(0, options.length))
      expect(complete).toBe(whole.get(part.length) === options.length)
    }
  })

  it('may have anything in their reserved fields and in their padding', () => {
    const hex = '02 ff 0000  80 ff 0001 78ffffff  03 ff 0014 ff 60 0001 00000000 00000000 0000ffff 00000000'
    expect(decodePcpOptions(bytesOf(hex))).toEqual({
      options: [PREFER_FAILURE, unknown(128, '78'), filter(96, 1, '0.0.0.0')],
      complete: true,
    })
  })

  it.each([
    ['THIRD_PARTY without an address', '01 00 0000'],
    ['THIRD_PARTY with four bytes', '01 00 0004 c0a80109'],
    ['THIRD_PARTY with 15 bytes', `01 00 000f ${'00'.repeat(16)}`],
    ['THIRD_PARTY with 17 bytes', `01 00 0011 ${'00'.repeat(20)}`],
    ['PREFER_FAILURE with data', '02 00 0004 00000000'],
    ['FILTER with nothing', '03 00 0000'],
    ['FILTER with 16 bytes', `03 00 0010 ${'00'.repeat(16)}`],
    ['FILTER with 24 bytes', `03 00 0018 ${'00'.repeat(24)}`],
    ['FILTER with a prefix of 129 bits', `03 00 0014 00 81 ${'00'.repeat(18)}`],
    ['FILTER with a prefix of 255 bits', `03 00 0014 00 ff ${'00'.repeat(18)}`],
    ['a length of one byte more than there is', '80 00 0005 01020304'],
    ['a length of 65535', '80 00 ffff 01020304'],
    ['one byte of an option', '80'],
    ['three bytes of an option', '80 00 00'],
  ])('are not complete with %s, and those before it are kept', (_name, hex) => {
    expect(decodePcpOptions(bytesOf(hex))).toEqual({ options: [], complete: false })
    expect(decodePcpOptions(bytesOf(`02 00 0000 ${hex}`))).toEqual({ options: [PREFER_FAILURE], complete: false })
  })

  it('of an unknown kind keep their data when the buffer is used again', () => {
    const buffer = Buffer.from(bytesOf('80 00 0002 68690000'))
    const { options } = decodePcpOptions(buffer)
    buffer.fill(0xff)
    expect(options).toStrictEqual([unknown(128, '6869')])
  })

  it('that must be understood have codes below 128', () => expect(FIRST_OPTIONAL_CODE).toBe(128))

  it.each(OPTIONS)('are read or not, and nothing is thrown, if one bit is wrong: %s', (_name, _value, hex) => {
    for (const spoilt of bitFlips(bytesOf(hex))) expect(() => decodePcpOptions(spoilt)).not.toThrow()
  })

  it('that could be read are written to bytes with the same meaning', () => {
    const random = randomFrom(7220)
    for (let length = 0; length <= 1200; length++) {
      const noise = randomBytes(random, length)
      for (const bytes of [noise, noise.map((byte, at) => (at % 4 === 3 ? byte & 7 : byte & 3))]) {
        const { options } = decodePcpOptions(bytes)
        expect(decodePcpOptions(encodePcpOptions(options))).toEqual({ options, complete: true })
      }
    }
  })
})

describe('the sixteen bytes of an address in PCP', () => {
  it.each(['', 'localhost', 'fe80::1%eth0', '1.2.3'])('are those of the unspecified address for %j', (text) => {
    expect(addressBytes(text)).toEqual(new Uint8Array(16))
  })
})
