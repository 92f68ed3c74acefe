import { describe, expect, it } from 'vitest'
import { isLoopbackIPv4, isReservedIPv4, isUnicastIPv4, onSameSubnet, parseIPv4 } from '../../src/domain/address.ts'

const ODD_FORMS = [
  '',
  ' ',
  '0x7f.1',
  '0x7f.0.0.1',
  '010.1.2.3',
  '1.2.3.010',
  '00.1.2.3',
  '1.2.3',
  '1.2.3.',
  '.1.2.3',
  '1..2.3',
  '1.2.3.4.',
  '1.2.3.4.5',
  '256.1.2.3',
  '1.2.3.256',
  '999.1.2.3',
  '1000.1.2.3',
  '-1.2.3.4',
  '+1.2.3.4',
  '1.2.3.4 ',
  ' 1.2.3.4',
  '1.2.3.4\n',
  '1.2.3.4\0',
  '1.2. 3.4',
  '1,2,3,4',
  '1e1.2.3.4',
  '1.2.3.4/24',
  '1.2.3.4:80',
  '2130706433',
  '017700000001',
  '::ffff:127.0.0.1',
  '::1',
  'localhost',
  '１.2.3.4',
  '١.2.3.4',
]

describe('parseIPv4', () => {
  it.each([
    ['0.0.0.0', 0],
    ['127.0.0.1', 0x7f000001],
    ['192.168.1.254', 0xc0a801fe],
    ['255.255.255.255', 0xffffffff],
  ])('reads %s', (text, bits) => {
    expect(parseIPv4(text)).toBe(bits)
  })

  it.each(ODD_FORMS)('takes %j for no address', (text) => {
    expect(parseIPv4(text)).toBeUndefined()
  })
})

describe('every question about an address', () => {
  it.each(ODD_FORMS)('is answered for %j as for no address: reserved, nobody, on no subnet', (text) => {
    expect(isReservedIPv4(text)).toBe(true)
    expect(isUnicastIPv4(text)).toBe(false)
    expect(isLoopbackIPv4(text)).toBe(false)
    expect(onSameSubnet(text, '0.0.0.0', '1.2.3.4')).toBe(false)
    expect(onSameSubnet('1.2.3.4', text, '1.2.3.4')).toBe(false)
    expect(onSameSubnet('1.2.3.4', '0.0.0.0', text)).toBe(false)
  })
})

/** First and last address of each block, and their neighbours outside where those are public. */
const RESERVED: readonly (readonly [
  first: string,
  last: string,
  before: string | undefined,
  after: string | undefined,
])[] = [
  ['0.0.0.0', '0.255.255.255', undefined, '1.0.0.0'],
  ['10.0.0.0', '10.255.255.255', '9.255.255.255', '11.0.0.0'],
  ['100.64.0.0', '100.127.255.255', '100.63.255.255', '100.128.0.0'],
  ['127.0.0.0', '127.255.255.255', '126.255.255.255', '128.0.0.0'],
  ['169.254.0.0', '169.254.255.255', '169.253.255.255', '169.255.0.0'],
  ['172.16.0.0', '172.31.255.255', '172.15.255.255', '172.32.0.0'],
  ['192.0.0.0', '192.0.0.255', '191.255.255.255', '192.0.1.0'],
  ['192.0.2.0', '192.0.2.255', '192.0.1.255', '192.0.3.0'],
  ['192.31.196.0', '192.31.196.255', '192.31.195.255', '192.31.197.0'],
  ['192.52.193.0', '192.52.193.255', '192.52.192.255', '192.52.194.0'],
  ['192.88.99.0', '192.88.99.255', '192.88.98.255', '192.88.100.0'],
  ['192.168.0.0', '192.168.255.255', '192.167.255.255', '192.169.0.0'],
  ['192.175.48.0', '192.175.48.255', '192.175.47.255', '192.175.49.0'],
  ['198.18.0.0', '198.19.255.255', '198.17.255.255', '198.20.0.0'],
  ['198.51.100.0', '198.51.100.255', '198.51.99.255', '198.51.101.0'],
  ['203.0.113.0', '203.0.113.255', '203.0.112.255', '203.0.114.0'],
  ['224.0.0.0', '239.255.255.255', '223.255.255.255', undefined],
  ['240.0.0.0', '255.255.255.255', undefined, undefined],
]

describe('isReservedIPv4', () => {
  it.each(RESERVED)('holds for %s to %s and not for their neighbours', (first, last, before, after) => {
    expect(isReservedIPv4(first)).toBe(true)
    expect(isReservedIPv4(last)).toBe(true)
    if (before !== undefined) expect(isReservedIPv4(before)).toBe(false)
    if (after !== undefined) expect(isReservedIPv4(after)).toBe(false)
  })

  it.each(['1.1.1.1', '8.8.8.8', '91.198.174.192', '172.217.0.1', '198.41.0.4', '223.255.255.255'])(
    'does not hold for %s',
    (address) => {
      expect(isReservedIPv4(address)).toBe(false)
    },
  )
})

describe('isUnicastIPv4', () => {
  it.each(['192.168.1.1', '10.0.0.0', '127.0.0.1', '169.254.1.1', '1.0.0.0', '223.255.255.255'])(
    'holds for %s, which can be one host',
    (address) => {
      expect(isUnicastIPv4(address)).toBe(true)
    },
  )

  it.each(['0.0.0.0', '0.1.2.3', '224.0.0.1', '239.255.255.250', '240.0.0.1', '255.255.255.255'])(
    'does not hold for %s',
    (address) => {
      expect(isUnicastIPv4(address)).toBe(false)
    },
  )
})

describe('isLoopbackIPv4', () => {
  it('holds for all of 127/8 and nothing beside it', () => {
    expect(['127.0.0.0', '127.0.0.1', '127.255.255.255'].every(isLoopbackIPv4)).toBe(true)
    expect(['126.255.255.255', '128.0.0.0', '0.0.0.0', '255.0.0.1'].some(isLoopbackIPv4)).toBe(false)
  })
})

describe('onSameSubnet', () => {
  it.each([
    ['192.168.1.10', '255.255.255.0', '192.168.1.1', true],
    ['192.168.1.10', '255.255.255.0', '192.168.1.254', true],
    ['192.168.1.10', '255.255.255.0', '192.168.1.255', false], // broadcast
    ['192.168.1.10', '255.255.255.0', '192.168.2.1', false],
    ['192.168.1.10', '255.255.255.0', '192.168.0.255', false],
    ['192.168.1.10', '255.255.255.128', '192.168.1.127', false], // broadcast of the lower half
    ['192.168.1.10', '255.255.255.128', '192.168.1.129', false],
    ['192.168.1.10', '255.255.0.0', '192.168.1.255', true], // not the broadcast of a /16
    ['192.168.1.10', '255.255.0.0', '192.168.255.255', false],
    ['10.1.2.3', '255.0.0.0', '10.255.255.254', true],
    ['200.1.2.3', '255.255.255.0', '200.1.2.4', true], // the sign bit of 32
    ['200.1.2.3', '255.255.255.0', '72.1.2.4', false],
    ['10.0.0.2', '255.255.255.254', '10.0.0.3', true], // RFC 3021: both of a /31 are hosts
    ['10.0.0.3', '255.255.255.254', '10.0.0.2', true],
    ['10.0.0.2', '255.255.255.254', '10.0.0.4', false],
    ['10.0.0.2', '255.255.255.255', '10.0.0.2', true], // /32
    ['10.0.0.2', '255.255.255.255', '10.0.0.3', false],
    ['10.0.0.2', '0.0.0.0', '8.8.8.8', true], // one subnet of everything
    ['10.0.0.2', '0.0.0.0', '255.255.255.255', false],
  ])('%s/%s and %s: %s', (address, netmask, other, expected) => {
    expect(onSameSubnet(address, netmask, other)).toBe(expected)
  })
})
