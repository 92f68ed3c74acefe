import { expect, it } from 'vitest'
import { pinholeAddress, stableAddress } from '../../src/library/pinhole-address.ts'

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

const withTemporary = [
  ...interfaces,
  { name: 'eth0', address: '2a00::ffff', netmask: '', loopback: false },
  { name: 'wlan0', address: '2a00::aaaa', netmask: '', loopback: false },
]
const temporary = ['2a00:0000:0000:0000:0000:0000:0000:ffff', '2a00:0:0:0:0:0:0:aaaa']

it.each([
  ['the one on the way', '2a00::1', '2a00::1'],
  ['one of that interface, if the one on the way is temporary', '2a00::ffff', '2a00::1'],
  ['one of that interface, if the way is IPv4', '192.168.1.10', '2a00::1'],
  ['one of that interface, if the way is link-local', 'fe80::7%wlan0', '2a00::9'],
  ['any, if the interface has none', 'fe80::7%eth7', '2a00::9'],
])('an address that lasts is %s', (_name, localAddress, address) => {
  expect(stableAddress(localAddress, withTemporary, temporary)).toBe(address)
})

it('an address that lasts may be temporary if there is no other, and may not be there', () => {
  const only = withTemporary.filter(({ address }) => ['2a00::ffff', '2a00::aaaa'].includes(address))
  expect(stableAddress('fe80::7%wlan0', only, temporary)).toBe('2a00::aaaa')
  expect(stableAddress('fd00::1', interfaces.slice(0, 2), [])).toBeUndefined()
})
