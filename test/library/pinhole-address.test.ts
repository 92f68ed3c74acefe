import { expect, it } from 'vitest'
import { pinholeAddress } from '../../src/library/pinhole-address.ts'

const interfaces = [
  { name: 'eth0', address: '192.168.1.10', netmask: '255.255.255.0', loopback: false },
  { name: 'eth0', address: 'fd00::1', netmask: '', loopback: false },
  { name: 'wlan0', address: '2a00::9', netmask: '', loopback: false },
  { name: 'eth0', address: '2a00::1', netmask: '', loopback: false },
]

it.each([
  ['global', '2a00::5', '2a00::5'],
  ['link-local', 'fe80::5%eth0', '2a00::1'],
  ['link-local, on an interface without a global one', 'fe80::5%eth7', '2a00::9'],
  ['of the site', 'fd00::1', '2a00::9'],
  ['of IPv4', '192.168.1.10', '192.168.1.10'],
])('a pinhole is for an address that the internet can reach: the own one is %s', (_name, localAddress, address) => {
  expect(pinholeAddress(localAddress, interfaces)).toBe(address)
})

it('a pinhole is for the own address if this computer has no global one', () => {
  expect(pinholeAddress('fe80::5%eth0', [])).toBe('fe80::5')
})
