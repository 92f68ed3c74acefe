import { describe, expect, it } from 'vitest'
import { addressOfBytes, bytesOfAddress, formatIPv6, isSameAddress, parseIPv6 } from '../../src/domain/address.ts'
import { bytesOf, hexOf, viewsOf } from '../support/hex-bytes.ts'
import { randomFrom } from '../support/random.ts'

describe('formatIPv6', () => {
  it.each([
    [[0, 0, 0, 0, 0, 0, 0, 0], '::'],
    [[0, 0, 0, 0, 0, 0, 0, 1], '::1'],
    [[1, 0, 0, 0, 0, 0, 0, 0], '1::'],
    [[0x2001, 0xdb8, 0, 0, 0, 0, 0, 5], '2001:db8::5'],
    [[0xfe80, 0, 0, 0, 0xabcd, 0xef01, 0x23, 0x4], 'fe80::abcd:ef01:23:4'], // lower case, no zeros in front
    [[1, 2, 3, 4, 5, 6, 7, 8], '1:2:3:4:5:6:7:8'],
    [[0x2001, 0xdb8, 0, 1, 1, 1, 1, 1], '2001:db8:0:1:1:1:1:1'], // RFC 5952 4.2.2: not for one group
    [[0, 1, 1, 1, 1, 1, 1, 0], '0:1:1:1:1:1:1:0'],
    [[0x2001, 0, 0, 1, 0, 0, 0, 1], '2001:0:0:1::1'], // 4.2.3: the longest
    [[0x2001, 0xdb8, 0, 0, 1, 0, 0, 1], '2001:db8::1:0:0:1'], // the first of equals
    [[0, 0, 1, 0, 0, 0, 1, 0], '0:0:1::1:0'],
    [[0, 0, 1, 1, 1, 1, 0, 0], '::1:1:1:1:0:0'],
    [[1, 1, 1, 1, 1, 1, 0, 0], '1:1:1:1:1:1::'],
    [[0xffff, 0xffff, 0xffff, 0xffff, 0xffff, 0xffff, 0xffff, 0xffff], 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
  ])('writes %j as %s', (groups, text) => {
    expect(formatIPv6(groups)).toBe(text)
    expect(parseIPv6(text)).toEqual(groups)
  })

  it('writes what is read as the same address, and not otherwise when it is written again', () => {
    const random = randomFrom(5952)
    for (let round = 0; round < 2000; round++) {
      const groups = Array.from({ length: 8 }, () => (random() < 0.5 ? 0 : Math.floor(random() * 65_536)))
      const text = formatIPv6(groups)
      expect(parseIPv6(text)).toEqual(groups)
      expect(text).toBe(new URL(`http://[${text}]/`).hostname.slice(1, -1))
    }
  })
})

const ADDRESSES = [
  ['192.168.1.5', '00000000 00000000 0000ffff c0a80105'],
  ['0.0.0.0', '00000000 00000000 0000ffff 00000000'],
  ['255.255.255.255', '00000000 00000000 0000ffff ffffffff'],
  ['2001:db8::5', '20010db8 00000000 00000000 00000005'],
  ['::', '00000000 00000000 00000000 00000000'],
  ['::1', '00000000 00000000 00000000 00000001'],
  ['fe80::abcd:ef01:23:4', 'fe800000 00000000 abcdef01 00230004'],
  ['::fffe:c0a8:105', '00000000 00000000 0000fffe c0a80105'],
  ['::1:ffff:c0a8:105', '00000000 00000000 0001ffff c0a80105'],
  ['64:ff9b::c0a8:105', '0064ff9b 00000000 00000000 c0a80105'],
] as const

describe('the sixteen bytes of an address', () => {
  it.each(ADDRESSES)('of %s are written', (text, hex) => {
    expect(bytesOfAddress(text)).toEqual(bytesOf(hex))
  })

  it.each(ADDRESSES)('of %s are read, wherever they are', (text, hex) => {
    for (const bytes of [bytesOf(hex), ...viewsOf(bytesOf(hex))]) expect(addressOfBytes(bytes)).toBe(text)
  })

  it.each([
    ['::ffff:192.168.1.5', '192.168.1.5'],
    ['::FFFF:c0a8:0105', '192.168.1.5'],
    ['2001:DB8:0:0::0005', '2001:db8::5'],
  ])('of %s are those of %s, which is written so', (text, usual) => {
    const bytes = bytesOfAddress(text)
    expect(bytes).toEqual(bytesOfAddress(usual))
    expect(bytes && addressOfBytes(bytes)).toBe(usual)
  })

  it.each([
    '',
    ' ',
    'localhost',
    '1.2.3',
    '01.2.3.4',
    '1.2.3.4 ',
    '256.1.1.1',
    ':::',
    '[::1]',
    '::1/64',
    'fe80::1%eth0',
  ])('do not exist for %j', (text) => expect(bytesOfAddress(text)).toBeUndefined())

  it.each([0, 4, 15, 17, 32])('are not %i', (length) => {
    expect(() => addressOfBytes(new Uint8Array(length))).toThrow(RangeError)
  })

  it('are the same after they were text', () => {
    const random = randomFrom(4291)
    for (let round = 0; round < 2000; round++) {
      const bytes = Uint8Array.from({ length: 16 }, () => (random() < 0.5 ? 0 : Math.floor(random() * 256)))
      if (round % 2 === 0) bytes.set(bytesOf('00000000 00000000 0000ffff'))
      expect(hexOf(bytesOfAddress(addressOfBytes(bytes)) ?? bytesOf(''))).toBe(hexOf(bytes))
    }
  })
})

describe('isSameAddress', () => {
  it.each([
    ['192.168.1.5', '192.168.1.5', true],
    ['192.168.1.5', '192.168.1.6', false],
    ['192.168.1.5', '::ffff:192.168.1.5', true],
    ['192.168.1.5', '::192.168.1.5', false],
    ['2001:db8::5', '2001:DB8:0:0:0:0:0:0005', true],
    ['2001:db8::5', '2001:db8::6', false],
    ['0.0.0.0', '::', false],
    ['fe80::1%eth0', 'fe80:0::1%eth0', true],
    ['fe80::1%eth0', 'fe80::1%eth1', false],
    ['fe80::1%eth0', 'fe80::1', false],
    ['fe80::1%', 'fe80::1', true], // an empty zone is none
    ['', '', false],
    ['localhost', 'localhost', false],
    ['1.2.3', '1.2.3', false],
    ['01.2.3.4', '1.2.3.4', false],
  ])('%j and %j: %s', (a, b, expected) => {
    expect(isSameAddress(a, b)).toBe(expected)
    expect(isSameAddress(b, a)).toBe(expected)
  })
})
