import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { isLoopbackIPv4, parseIPv4, parseIPv6 } from '../../src/domain/address.ts'
import { interfaceAddresses, isIPv6Interface, temporaryAddresses, zoneMeantBy } from '../../src/net/interfaces.ts'

type System = ReturnType<typeof networkInterfaces>

const MASK64 = 'ffff:ffff:ffff:ffff::'
const common = { mac: '02:00:00:00:00:01', internal: false }
const SYSTEM: System = {
  lo: [
    { ...common, internal: true, family: 'IPv4', address: '127.0.0.1', netmask: '255.0.0.0', cidr: '127.0.0.1/8' },
    { ...common, internal: true, family: 'IPv6', address: '::1', netmask: 'ffff::', cidr: '::1/128', scopeid: 0 },
  ],
  eth0: [
    { ...common, family: 'IPv4', address: '192.168.1.10', netmask: '255.255.255.0', cidr: '192.168.1.10/24' },
    { ...common, family: 'IPv6', address: '2001:db8::10', netmask: MASK64, cidr: '2001:db8::10/64', scopeid: 0 },
    { ...common, family: 'IPv6', address: 'fe80::10', netmask: MASK64, cidr: 'fe80::10/64', scopeid: 7 },
  ],
  tun0: [{ ...common, family: 'IPv6', address: '2001:db8::1', netmask: MASK64, cidr: null, scopeid: 0 }],
  gone: undefined,
}

const byName = (system: System, platform: NodeJS.Platform) =>
  interfaceAddresses(system, platform)
    .filter(isIPv6Interface)
    .map(({ address, prefixLength, zone }) => [address, prefixLength, zone])

describe('interfaceAddresses', () => {
  it('lists the addresses of both families, with their masks, and which of them are loopback', () => {
    expect(interfaceAddresses(SYSTEM, 'linux').slice(0, 3)).toEqual([
      { name: 'lo', address: '127.0.0.1', netmask: '255.0.0.0', loopback: true },
      { name: 'lo', address: '::1', netmask: 'ffff::', loopback: true, prefixLength: 128, zone: 'lo' },
      { name: 'eth0', address: '192.168.1.10', netmask: '255.255.255.0', loopback: false },
    ])
  })

  it('keeps the zone of an interface beside all its IPv6 addresses: its name', () => {
    expect(byName(SYSTEM, 'linux')).toEqual([
      ['::1', 128, 'lo'],
      ['2001:db8::10', 64, 'eth0'],
      ['fe80::10', 64, 'eth0'],
      ['2001:db8::1', 128, 'tun0'],
    ])
  })

  it('on Windows has its number for a zone, which link-local addresses tell', () => {
    expect(byName(SYSTEM, 'win32').map(([, , zone]) => zone)).toEqual(['0', '7', '7', '0'])
  })

  it('knows the addresses of this computer', () => {
    for (const each of interfaceAddresses()) {
      expect(each.name).not.toBe('')
      expect((isIPv6Interface(each) ? parseIPv6 : parseIPv4)(each.address)).toBeDefined()
      if (isIPv6Interface(each)) expect([each.prefixLength >= 0, each.prefixLength <= 128]).toEqual([true, true])
    }
  })
})

describe('interfaceAddresses on this system', () => {
  it('lists IPv4 addresses with their netmasks, and which of them are loopback', () => {
    const interfaces = interfaceAddresses().filter((each) => !isIPv6Interface(each))
    for (const { name, address, netmask, loopback } of interfaces) {
      expect(name).not.toBe('')
      expect(parseIPv4(address)).toBeDefined()
      expect(parseIPv4(netmask)).toBeDefined()
      if (isLoopbackIPv4(address)) expect(loopback).toBe(true)
    }
  })
})

describe('zoneMeantBy', () => {
  it.each([
    ['eth0', 'linux', 'eth0'],
    ['7', 'linux', 'eth0'],
    ['7', 'darwin', 'eth0'],
    ['8', 'linux', '8'],
    ['0', 'linux', '0'],
    ['', 'linux', ''],
    ['7', 'win32', '7'],
  ] as const)('%j on %s is %j', (text, platform, zone) => {
    expect(zoneMeantBy(text, SYSTEM, platform)).toBe(zone)
  })
})

describe('temporary addresses', () => {
  it('are those that the kernel lists as temporary, deprecated, tentative or failed', () => {
    const directory = mkdtempSync(join(tmpdir(), 'upnp-ts-'))
    const path = join(directory, 'if_inet6')
    const lines = [
      '00000000000000000000000000000001 01 80 10 80       lo',
      '20010db8000000000000000000000005 02 40 00 00     eth0',
      '20010db8000000000000000000000006 02 40 00 01     eth0',
      '20010db8000000000000000000000007 02 40 00 20     eth0',
      '20010db8000000000000000000000008 02 40 00 40     eth0',
      'not an address',
    ]
    writeFileSync(path, `${lines.join('\n')}\n`)
    expect(temporaryAddresses(path)).toEqual([6, 7, 8].map((last) => `2001:0db8:0000:0000:0000:0000:0000:000${last}`))
    rmSync(directory, { recursive: true })
    expect(temporaryAddresses(path)).toEqual([])
    expect(temporaryAddresses().every((address) => parseIPv6(address) !== undefined)).toBe(true)
  })
})
