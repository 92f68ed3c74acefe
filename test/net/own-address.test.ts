import { describe, expect, it } from 'vitest'
import type { InterfaceAddress, IPv6InterfaceAddress } from '../../src/net/interfaces.ts'
import { ownAddressTowards } from '../../src/net/own-address.ts'

const ipv4 = (name: string, address: string, netmask = '255.255.255.0'): InterfaceAddress => ({
  name,
  address,
  netmask,
  loopback: name === 'lo',
})
const ipv6 = (name: string, address: string, prefixLength = 64): IPv6InterfaceAddress => ({
  ...ipv4(name, address, ''),
  prefixLength,
  zone: name,
})

const INTERFACES = [
  ipv4('lo', '127.0.0.1', '255.0.0.0'),
  ipv4('vpn', '192.168.0.1', '255.255.0.0'),
  ipv4('eth0', '192.168.1.5'),
  ipv6('lo', '::1', 128),
  ipv6('eth0', 'fe80::5'),
  ipv6('eth0', '2001:db8:1::5'),
  ipv6('wlan0', 'fe80::6'),
  ipv6('wlan0', '2001:db8:2::6'),
]
const gateways = async (family: 4 | 6): Promise<string[]> => (family === 4 ? ['192.168.1.1'] : ['fe80::1%wlan0'])

describe("this computer's address towards", () => {
  it.each([
    ['itself', '127.0.0.1', '127.0.0.1'],
    ['itself over IPv6', '::1', '::1'],
    ['a router on the smaller of two subnets', '192.168.1.1', '192.168.1.5'],
    ['a host on the larger one only', '192.168.9.9', '192.168.0.1'],
    ['the internet: beside the default gateway', '198.41.0.4', '192.168.1.5'],
    ['a link-local router: on its link, with the zone', 'fe80::1%eth0', 'fe80::5%eth0'],
    ['a neighbour over IPv6', '2001:db8:1::1', '2001:db8:1::5'],
    ['the internet over IPv6: not the link-local address', '2001:503:ba3e::2:30', '2001:db8:2::6'],
  ])('%s', async (_, host, expected) => {
    expect(await ownAddressTowards(host, INTERFACES, gateways)).toBe(expected)
  })

  it.each(['198.41.0.4', '2001:503:ba3e::2:30', 'fe80::1%gone', 'no address'])(
    'is not known for %s if nothing leads there',
    async (host) => {
      expect(await ownAddressTowards(host, [], gateways)).toBeUndefined()
      expect(await ownAddressTowards(host, INTERFACES, async () => ['fe80::1%gone'])).toBeUndefined()
    },
  )
})
