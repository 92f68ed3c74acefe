import { describe, expect, it } from 'vitest'
import { isIPv6Route, type RouteOptions, searchRoutes } from '../../../src/client/search/routes.ts'
import { InvalidArgumentError } from '../../../src/domain/errors.ts'
import type { InterfaceAddress, IPv6InterfaceAddress } from '../../../src/net/interfaces.ts'
import { MAX_INTERFACES } from '../../../src/net/interfaces.ts'

const address = (name: string, text: string, netmask = '255.255.255.0', loopback = false): InterfaceAddress => ({
  name,
  address: text,
  netmask,
  loopback,
})

describe('searchRoutes', () => {
  it('leaves out loopback and addresses that are a subnet of their own', () => {
    const interfaces = [
      address('lo', '127.0.0.1', '255.0.0.0', true),
      address('eth0', '192.168.1.10'),
      address('ppp0', '100.64.0.7', '255.255.255.255'),
    ]
    expect(searchRoutes(interfaces)).toEqual([
      { address: '192.168.1.10', netmask: '255.255.255.0', multicast: true, unicastTo: [] },
    ])
  })

  it('takes one address for each subnet of an interface, the first one', () => {
    const interfaces = [
      address('eth0', '192.168.1.10'),
      address('eth0', '192.168.1.11'),
      address('eth0', '192.168.2.10'),
      address('eth0', '192.168.2.11', '255.255.0.0'),
    ]
    expect(searchRoutes(interfaces).map((route) => route.address)).toEqual([
      '192.168.1.10',
      '192.168.2.10',
      '192.168.2.11',
    ])
  })

  it('searches on two interfaces even where they are on one subnet', () => {
    const interfaces = [address('eth0', '192.168.1.10'), address('wlan0', '192.168.1.11')]
    expect(searchRoutes(interfaces).map((route) => route.address)).toEqual(['192.168.1.10', '192.168.1.11'])
  })

  it('takes a bounded number of interfaces', () => {
    const interfaces = Array.from({ length: 40 }, (_, at) => address(`eth${at}`, `10.0.${at}.2`))
    expect(searchRoutes(interfaces)).toHaveLength(MAX_INTERFACES)
    expect(searchRoutes([])).toEqual([])
  })
})

const address6 = (name: string, text: string, prefixLength = 64, loopback = false): IPv6InterfaceAddress => ({
  name,
  address: text,
  netmask: 'ffff:ffff:ffff:ffff::',
  loopback,
  prefixLength,
  zone: name,
})

const COMPUTER = [
  address('lo', '127.0.0.1', '255.0.0.0', true),
  address6('lo', '::1', 128, true),
  address('eth0', '192.168.1.10'),
  address('eth0', '192.168.1.11'),
  address6('eth0', '2001:db8:86::250'),
  address6('eth0', 'fd00::250', 48),
  address6('eth0', 'fe80::250'),
  address('wlan0', '10.0.0.10', '255.0.0.0'),
  address6('wlan0', 'fe80::250'),
  address('ppp0', '100.64.0.7', '255.255.255.255'),
  address6('wg0', '2001:db8:99::1', 128),
  address('vpn4', '10.9.0.1'),
]
const ETH0_PREFIXES = [
  { address: '2001:db8:86::250', prefixLength: 64 },
  { address: 'fd00::250', prefixLength: 48 },
]

const addressesOf = (options: RouteOptions): string[] =>
  searchRoutes(COMPUTER, options).map((each) => (isIPv6Route(each) ? `${each.address} by ${each.zone}` : each.address))

describe('searchRoutes with options', () => {
  it('takes IPv4 unless it is told otherwise', () => {
    expect(addressesOf({})).toEqual(['192.168.1.10', '10.0.0.10', '10.9.0.1'])
    expect(searchRoutes(COMPUTER, { family: 4 })).toEqual(searchRoutes(COMPUTER))
  })

  it('takes one route for each interface with IPv6, with its prefixes', () => {
    const common = { address: '::', netmask: '', multicast: true, unicastTo: [] }
    expect(searchRoutes(COMPUTER, { family: 6 })).toEqual([
      { ...common, zone: 'eth0', prefixes: ETH0_PREFIXES },
      { ...common, zone: 'wlan0', prefixes: [] },
    ])
  })

  it.each([
    ['eth0', 4, ['192.168.1.10']],
    ['eth0', 6, [':: by eth0']],
    ['192.168.1.11', 4, ['192.168.1.11']],
    ['192.168.1.11', 6, [':: by eth0']],
    ['2001:db8:86::250', 4, ['192.168.1.10']],
    ['2001:db8:86::250', 6, ['2001:db8:86::250 by eth0']],
    ['2001:DB8:86:0::250', 6, ['2001:db8:86::250 by eth0']],
    ['fe80::250%wlan0', 6, ['fe80::250%wlan0 by wlan0']],
    ['fe80::250', 6, ['fe80::250%eth0 by eth0', 'fe80::250%wlan0 by wlan0']],
    ['lo', 4, ['127.0.0.1']],
    ['127.0.0.1', 4, ['127.0.0.1']],
    ['lo', 6, [':: by lo']],
    ['ppp0', 4, ['100.64.0.7']],
    ['wg0', 6, [':: by wg0']],
  ] as const)('takes the interface %s for IPv%i: %j', (text, family, expected) => {
    expect(addressesOf({ interface: text, family })).toEqual(expected)
  })

  it('keeps all prefixes of the interface where one of its addresses is named', () => {
    for (const text of ['fd00::250', 'fe80::250%eth0']) {
      expect(searchRoutes(COMPUTER, { interface: text, family: 6 })).toMatchObject([{ prefixes: ETH0_PREFIXES }])
    }
  })

  const THERE =
    'there are: lo (127.0.0.1, ::1), eth0 (192.168.1.10, 192.168.1.11, 2001:db8:86::250, fd00::250, fe80::250), ' +
    'wlan0 (10.0.0.10, fe80::250), ppp0 (100.64.0.7), wg0 (2001:db8:99::1), vpn4 (10.9.0.1)'

  it.each(['eth9', '', 'ETH0', '192.168.1.1', '2001:db8::9', 'fe80::250%eth9'])(
    'refuses %j, which is not here, and lists what is',
    (text) => {
      const search = (): unknown => searchRoutes(COMPUTER, { interface: text })
      expect(search).toThrow(InvalidArgumentError)
      expect(search).toThrow(`'${text}' is neither the name nor an address of an interface here; ${THERE}`)
    },
  )

  it('refuses an interface that has no address of the family', () => {
    const search = (): unknown => searchRoutes(COMPUTER, { interface: 'vpn4', family: 6 })
    expect(search).toThrow(InvalidArgumentError)
    expect(search).toThrow(`'vpn4' has no IPv6 address to search from; ${THERE}`)
    expect(() => searchRoutes(COMPUTER, { interface: 'wg0' })).toThrow("'wg0' has no IPv4 address to search from")
  })

  it('says so where there is no interface at all', () => {
    expect(() => searchRoutes([], { interface: 'eth0' })).toThrow('there are: none')
  })

  it('hands on the port and the TTL, 0 being any port and a TTL like others', () => {
    expect(searchRoutes(COMPUTER, { localPort: 1900, ttl: 0 })).toMatchObject([
      { localPort: 1900, multicastTtl: 0 },
      { localPort: 1900, multicastTtl: 0 },
      { localPort: 1900, multicastTtl: 0 },
    ])
    expect(searchRoutes(COMPUTER, { localPort: 0 })).toEqual(searchRoutes(COMPUTER))
    expect(searchRoutes(COMPUTER, { family: 6, localPort: 4000, ttl: 9 })[1]).toMatchObject({
      zone: 'wlan0',
      localPort: 4000,
      multicastTtl: 9,
    })
  })

  it('takes a bounded number of interfaces of IPv6', () => {
    const many = Array.from({ length: 40 }, (_, at) => address6(`eth${at}`, 'fe80::1'))
    expect(searchRoutes(many, { family: 6 })).toHaveLength(MAX_INTERFACES)
  })
})
