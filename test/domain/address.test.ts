import { describe, expect, it } from 'vitest'
import {
  hostAndPort,
  isGlobalIPv6,
  isInternetAddress,
  isIPv6,
  isIPv6Host,
  isLinkLocalIPv4,
  isLinkLocalIPv6,
  isLoopbackIPv4,
  isLoopbackIPv6,
  isNoAddress,
  isReservedIPv4,
  isUnicastIPv4,
  isUnicastIPv6,
  knownAddress,
  onSameSubnet,
  parseIPv4,
  parseIPv6,
  samePrefixIPv6,
  splitZone,
  withoutBrackets,
  withZone,
} from '../../src/domain/address.ts'

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

describe('isLinkLocalIPv4', () => {
  it('holds for all of 169.254/16 and nothing beside it', () => {
    expect(['169.254.0.0', '169.254.255.255'].every(isLinkLocalIPv4)).toBe(true)
    expect(['169.253.255.255', '169.255.0.0', 'fe80::1', ''].some(isLinkLocalIPv4)).toBe(false)
  })
})

describe('parseIPv6', () => {
  it.each([
    ['::', [0, 0, 0, 0, 0, 0, 0, 0]],
    ['::1', [0, 0, 0, 0, 0, 0, 0, 1]],
    ['1::', [1, 0, 0, 0, 0, 0, 0, 0]],
    ['2001:db8::5', [0x2001, 0xdb8, 0, 0, 0, 0, 0, 5]],
    ['2001:DB8:0:0:0:0:0:5', [0x2001, 0xdb8, 0, 0, 0, 0, 0, 5]],
    ['1:2:3:4:5:6:7:8', [1, 2, 3, 4, 5, 6, 7, 8]],
    ['1:2:3::5:6:7:8', [1, 2, 3, 0, 5, 6, 7, 8]],
    ['0001:00fF:ffff:0::', [1, 0xff, 0xffff, 0, 0, 0, 0, 0]],
    ['::ffff:192.168.1.5', [0, 0, 0, 0, 0, 0xffff, 0xc0a8, 0x0105]],
    ['64:ff9b::255.255.255.255', [0x64, 0xff9b, 0, 0, 0, 0, 0xffff, 0xffff]],
    ['1:2:3:4:5:6:1.2.3.4', [1, 2, 3, 4, 5, 6, 0x0102, 0x0304]],
  ])('reads %s', (text, groups) => {
    expect(parseIPv6(text)).toEqual(groups)
    expect(isIPv6(text)).toBe(true)
  })

  it.each([
    '',
    ' ',
    ':',
    ':::',
    '1',
    '1:2',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8::',
    '1:2:3:4::5:6:7:8',
    '1::2::3',
    ':1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:',
    ':1::',
    '::1:',
    '12345::',
    '::g',
    '::-1',
    '::+1',
    ':: 1',
    '::1 ',
    ' ::1',
    '::1\n',
    '::1\0',
    '::0x1',
    '[::1]',
    '::1/64',
    'fe80::1%eth0',
    '::1.2.3',
    '::1.2.3.256',
    '::01.2.3.4',
    '::1.2.3.4:5',
    '1.2.3.4::',
    '1:2:3:4:5:6:7:1.2.3.4',
    '1.2.3.4',
    'localhost',
    '\uff11::',
    ':'.repeat(10_000),
  ])('takes %j for no address', (text) => {
    expect(parseIPv6(text)).toBeUndefined()
    const questions = [isIPv6, isLoopbackIPv6, isUnicastIPv6, isGlobalIPv6]
    expect(questions.filter((question) => question(text))).toEqual([])
  })
})

describe('an endpoint in a message', () => {
  it('has brackets around an IPv6 address', () => {
    expect(hostAndPort({ address: '192.168.1.1', port: 5351 })).toBe('192.168.1.1:5351')
    expect(hostAndPort({ address: 'fe80::1%eth0', port: 5351 })).toBe('[fe80::1%eth0]:5351')
  })
})

describe('the host of a URL', () => {
  it('has no brackets once it is an address', () => {
    expect(withoutBrackets('[2001:db8::1]')).toBe('2001:db8::1')
    expect(withoutBrackets('192.168.1.1')).toBe('192.168.1.1')
  })
})

describe('withZone', () => {
  it.each([
    ['fe80::1', 'eth0', 'fe80::1%eth0'],
    ['fe80::1', '', 'fe80::1'],
    ['fe80::1%eth1', 'eth0', 'fe80::1%eth1'],
    ['2001:db8::1', 'eth0', '2001:db8::1'],
    ['192.168.1.1', 'eth0', '192.168.1.1'],
  ])('gives %s the zone "%s" if it is link-local and has none', (address, zone, text) => {
    expect(withZone(address, zone)).toBe(text)
  })
})

describe('isIPv6Host', () => {
  it.each(['2001:db8::1', 'fe80::1', 'fe80::1%eth0'])('is true for %s', (text) => {
    expect(isIPv6Host(text)).toBe(true)
  })

  it.each(['', '192.168.1.1', 'router', '%eth0'])('is false for "%s"', (text) => {
    expect(isIPv6Host(text)).toBe(false)
  })
})

describe('splitZone', () => {
  it.each([
    ['fe80::1%eth0', 'fe80::1', 'eth0'],
    ['fe80::1', 'fe80::1', ''],
    ['fe80::1%', 'fe80::1', ''],
    ['fe80::1%a%b', 'fe80::1', 'a%b'],
    ['%eth0', '', 'eth0'],
    ['', '', ''],
  ])('takes %j apart', (text, address, zone) => {
    expect(splitZone(text)).toEqual({ address, zone })
  })
})

describe('what an IPv6 address is', () => {
  it.each([
    // link-local, loopback, unicast, global
    ['::', false, false, false, false],
    ['::1', false, true, true, false],
    ['0:0:0:0:0:0:0:1', false, true, true, false],
    ['::2', false, false, true, false],
    ['1::1', false, false, true, false],
    ['fe80::1', true, false, true, false],
    ['fe80::', true, false, true, false],
    ['febf:ffff::1', true, false, true, false],
    ['fec0::1', false, false, true, false],
    ['fe7f::1', false, false, true, false],
    ['fd00::1', false, false, true, false],
    ['feff::1', false, false, true, false],
    ['ff00::', false, false, false, false],
    ['ff02::c', false, false, false, false],
    ['ffff::1', false, false, false, false],
    ['1fff::1', false, false, true, false],
    ['2000::', false, false, true, true],
    ['2001:db8::5', false, false, true, true],
    ['3fff:ffff::1', false, false, true, true],
    ['4000::1', false, false, true, false],
    ['::ffff:1.2.3.4', false, false, true, false],
  ])('%s', (address, linkLocal, loopback, unicast, global) => {
    expect([isLinkLocalIPv6, isLoopbackIPv6, isUnicastIPv6, isGlobalIPv6].map((is) => is(address))).toEqual([
      linkLocal,
      loopback,
      unicast,
      global,
    ])
  })

  it('is link-local with a zone too, and only that', () => {
    expect(isLinkLocalIPv6('fe80::1%eth0')).toBe(true)
    expect(isLinkLocalIPv6('2001:db8::1%eth0')).toBe(false)
  })
})

describe('samePrefixIPv6', () => {
  it.each([
    ['2001:db8::1', '2001:db8::2', 64, true],
    ['2001:db8::1', '2001:db8:0:0:ffff::1', 64, true],
    ['2001:db8:0:0::1', '2001:db8:0:1::1', 64, false],
    ['2001:db8:0:0::1', '2001:db8:0:1::1', 63, true],
    ['2001:db8:0:2::1', '2001:db8:0:1::1', 63, false],
    ['2001:db8::1', '2001:DB8:0::1', 128, true],
    ['2001:db8::1', '2001:db8::', 128, false],
    ['2001:db8::1', '2001:db8::', 127, true],
    ['8000::', '::', 1, false],
    ['8000::', 'ffff::', 1, true],
    ['1::', 'ffff::', 0, true],
    ['fe80::1%eth0', 'fe80::1%eth1', 128, true],
    ['::ffff:1.2.3.4', '::ffff:102:304', 128, true],
    ['1.2.3.4', '1.2.3.4', 0, false],
    ['', '', 0, false],
  ])('%s and %s, first %i bits: %s', (a, b, length, expected) => {
    expect(samePrefixIPv6(a, b, length)).toBe(expected)
    expect(samePrefixIPv6(b, a, length)).toBe(expected)
  })
})

describe('an address of the internet', () => {
  it.each([
    '1.1.1.1',
    '11.22.33.44',
    '192.0.2.1',
    '198.51.100.1',
    '203.0.113.1',
    '172.32.0.1',
    '100.128.0.1',
    '2001:db8::1',
  ])('is %s', (text) => expect(isInternetAddress(text)).toBe(true))

  it.each([
    ...['10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', '100.64.0.1', '100.127.255.255', '169.254.1.1'],
    ...['127.0.0.1', '0.0.0.0', '0.1.2.3', '::', '::1', 'fe80::1', 'fd00::1', '', 'router', '1.2.3'],
  ])('is not %j', (text) => expect(isInternetAddress(text)).toBe(false))
})

describe('no address', () => {
  it.each(['', '0.0.0.0', '::', '0:0:0:0:0:0:0:0', '0::0'])('is %j', (text) => {
    expect(isNoAddress(text)).toBe(true)
    expect(knownAddress(text)).toBeUndefined()
  })

  it.each(['0.0.0.1', '::1', '10.0.0.1', ' ', 'none', '0'])('is not %j', (text) => {
    expect(isNoAddress(text)).toBe(false)
    expect(knownAddress(text)).toBe(text)
  })
})
