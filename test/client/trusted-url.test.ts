import { describe, expect, it } from 'vitest'
import { type Around, type Trust, trustedUrl, trustSender, trustUnknownSender } from '../../src/client/trusted-url.ts'

const LAN = { address: '192.168.1.10', netmask: '255.255.255.0' }
const ETHERNET = { ...LAN, name: 'eth0', loopback: false }
const WIFI = { name: 'wlan0', address: '10.0.0.10', netmask: '255.255.255.0', loopback: false }
const LOOPBACK = { name: 'lo', address: '127.0.0.1', netmask: '255.0.0.0', loopback: true }
const HOME: Around = { interfaces: [LOOPBACK, ETHERNET, WIFI], router: '192.168.1.1', anyHost: false }
const ROUTER: Trust = { hosts: ['192.168.1.1'], subnet: LAN }

/** The URL that this sender may send us to, with these surroundings. */
const told = (sender: string, url: string, around: Partial<Around> = {}, via = LAN): string | undefined =>
  trustedUrl(url, undefined, trustSender(sender, via, { ...HOME, ...around }))?.href

describe('trustSender', () => {
  it.each([
    ['itself', '192.168.1.3', 'http://192.168.1.3:5000/'],
    ['the default gateway, as a floating address has it', '192.168.1.3', 'http://192.168.1.1:5000/'],
    ['itself on another network of this computer', '10.0.0.3', 'http://10.0.0.3/'],
  ])('lets a sender tell of %s', (_, sender, url) => {
    expect(told(sender, url)).toBe(url)
  })

  it.each([
    ['another host of the subnet', '192.168.1.3', 'http://192.168.1.4/'],
    ['another host of the subnet, though it is the router', '192.168.1.1', 'http://192.168.1.4/'],
    ['this computer', '192.168.1.3', 'http://192.168.1.10/'],
    ['another address of this computer', '192.168.1.3', 'http://10.0.0.10/'],
    ['loopback', '192.168.1.3', 'http://127.0.0.1/'],
    ['a host elsewhere', '192.168.1.3', 'http://93.184.216.34/'],
  ])('does not let a sender tell of %s', (_, sender, url) => {
    expect(told(sender, url)).toBeUndefined()
  })

  it.each(['172.16.0.1', '192.168.2.1', '127.0.0.1', '192.168.1.255', '169.254.169.254', '93.184.216.34', ''])(
    'does not hear the sender %j, which is on no network of this computer',
    (sender) => {
      expect(told(sender, `http://${sender}/`)).toBeUndefined()
      expect(told(sender, 'http://192.168.1.1/')).toBeUndefined()
      expect(told(sender, `http://${sender}/`, { anyHost: true })).toBeUndefined()
    },
  )

  it('hears the router wherever it is, and an emulated one on this computer', () => {
    expect(told('100.64.0.1', 'http://100.64.0.1/', { router: '100.64.0.1' })).toBe('http://100.64.0.1/')
    expect(told('192.168.1.10', 'http://192.168.1.10:5000/')).toBe('http://192.168.1.10:5000/')
    expect(told('127.0.0.1', 'http://127.0.0.1/', { router: '127.0.0.1' })).toBe('http://127.0.0.1/')
  })

  it('does not lead to this computer where its own address stands for the router', () => {
    expect(told('192.168.1.3', 'http://192.168.1.10/', { router: '192.168.1.10' })).toBeUndefined()
  })

  it('with anyHost lets a sender tell of its subnet, but not of this computer', () => {
    expect(told('192.168.1.3', 'http://192.168.1.4/', { anyHost: true })).toBe('http://192.168.1.4/')
    expect(told('192.168.1.3', 'http://192.168.1.10/', { anyHost: true })).toBeUndefined()
    expect(told('192.168.1.3', 'http://10.0.0.4/', { anyHost: true })).toBeUndefined()
    expect(told('192.168.1.3', 'http://127.0.0.1/', { anyHost: true })).toBeUndefined()
  })

  it('takes of what another program has heard only the default gateway, and with anyHost the subnet', () => {
    const known = (url: string, anyHost: boolean) =>
      trustedUrl(url, undefined, trustUnknownSender(LAN, { ...HOME, anyHost }))?.hostname
    expect(known('http://192.168.1.1/', false)).toBe('192.168.1.1')
    expect(known('http://192.168.1.4/', false)).toBeUndefined()
    expect(known('http://192.168.1.4/', true)).toBe('192.168.1.4')
    expect(known('http://192.168.1.10/', true)).toBeUndefined()
  })
})

describe('trustedUrl', () => {
  it.each([
    ['http://192.168.1.1/', 'http://192.168.1.1/'],
    ['http://192.168.1.1:5000/root.xml?a=1', 'http://192.168.1.1:5000/root.xml?a=1'],
    ['HTTP://192.168.1.1:80/a/../b', 'http://192.168.1.1/b'],
    ['http://192.168.1.254/', 'http://192.168.1.254/'],
    ['http://0xc0a80101/', 'http://192.168.1.1/'],
    ['http://192.168.257/', 'http://192.168.1.1/'],
    ['  http://192.168.1.1/ ', 'http://192.168.1.1/'],
    ['http://192.168.1.1:65535/', 'http://192.168.1.1:65535/'],
  ])('takes %j for what it is', (reference, href) => {
    expect(trustedUrl(reference, undefined, ROUTER)?.href).toBe(href)
  })

  it.each([
    'http://192.168.2.1/',
    'http://192.168.1.255/',
    'http://0.0.0.0/',
    'http://127.0.0.1/',
    'http://0x7f.1/',
    'http://2130706433/',
    'http://017700000001/',
    'http://127.1/',
    'http://localhost/',
    'http://192.168.1.1.nip.io/',
    'http://router/',
    'http://\u{ff11}\u{ff12}\u{ff17}.0.0.1/', // digits of another script are digits
    'http://[::1]/',
    'http://[::ffff:7f00:1]/',
    'http://192.168.1.1:0/',
    'http://192.168.1.1:00/',
    'http://user@192.168.1.1/',
    'http://:secret@192.168.1.1/',
    'https://192.168.1.1/',
    'ws://192.168.1.1/',
    'file://192.168.1.1/etc/passwd',
    'javascript:alert(1)',
    'data:text/xml,<root/>',
    '//192.168.1.1/',
    '/root.xml',
    '',
    'http://',
    'http:///',
  ])('does not use %j', (reference) => {
    expect(trustedUrl(reference, undefined, ROUTER)).toBeUndefined()
  })

  it('resolves against the base, and judges the result', () => {
    const base = 'http://192.168.1.1:5000/upnp/root.xml'
    expect(trustedUrl('?10', base, ROUTER)?.href).toBe('http://192.168.1.1:5000/upnp/root.xml?10')
    expect(trustedUrl('ctl', base, ROUTER)?.href).toBe('http://192.168.1.1:5000/upnp/ctl')
    expect(trustedUrl('//192.168.1.2/ctl', base, ROUTER)?.href).toBe('http://192.168.1.2/ctl')
    expect(trustedUrl('//10.0.0.1/ctl', base, ROUTER)).toBeUndefined()
    expect(trustedUrl('http://10.0.0.1/ctl', base, ROUTER)).toBeUndefined()
  })

  it('takes loopback only from loopback itself, and only that address of it', () => {
    const trust = trustSender('127.0.0.1', { address: '127.0.0.1', netmask: '255.0.0.0' }, HOME)
    expect(trustedUrl('http://127.0.0.1:5000/', undefined, trust)?.port).toBe('5000')
    expect(trustedUrl('http://0x7f.1:5000/', undefined, trust)?.hostname).toBe('127.0.0.1')
    expect(trustedUrl('http://127.0.0.2/', undefined, trust)).toBeUndefined()
  })

  it('takes a host by its name where the user named it', () => {
    expect(trustedUrl('/ctl', 'http://router.lan/root.xml', { hosts: ['router.lan'] })?.hostname).toBe('router.lan')
    expect(trustedUrl('http://other.lan/', undefined, { hosts: ['router.lan'] })).toBeUndefined()
  })
})

describe('over IPv6', () => {
  const prefixes = [{ address: '2001:db8:86::250', prefixLength: 64 }]
  const ETH0 = { address: '::', netmask: '', zone: 'eth0', prefixes }
  const ALONE: Around = {
    interfaces: [
      { ...ETHERNET, address: '2001:db8:86::250', netmask: '' },
      { ...ETHERNET, address: 'fe80::250' },
    ],
    router: undefined,
    anyHost: false,
  }
  const LINK_LOCAL = trustSender('fe80::1%eth0', ETH0, { ...ALONE, anyHost: true })
  const GLOBAL = trustSender('2001:db8:86::1', ETH0, { ...ALONE, anyHost: true })
  const toldOf = (sender: string, url: string, around: Partial<Around> = {}): string | undefined =>
    trustedUrl(url, undefined, trustSender(sender, ETH0, { ...ALONE, ...around }))?.hostname

  it('a sender may tell of itself only: a link-local one through its interface', () => {
    expect(toldOf('fe80::1%eth0', 'http://[fe80::1]/')).toBe('[fe80::1]')
    expect(toldOf('2001:db8:86::1', 'http://[2001:db8:86::1]/')).toBe('[2001:db8:86::1]')
    expect(toldOf('fe80::1%eth0', 'http://[fe80::2]/')).toBeUndefined()
    expect(toldOf('fe80::1%eth0', 'http://[2001:db8:86::1]/')).toBeUndefined()
    expect(toldOf('2001:db8:86::1', 'http://[2001:db8:86::2]/')).toBeUndefined()
    expect(toldOf('2001:db8:86::1', 'http://[fe80::1]/')).toBeUndefined()
  })

  it('or of the router, of a link-local one on its own link only', () => {
    expect(toldOf('fe80::2%eth0', 'http://[fe80::1]/', { router: 'fe80::1%eth0' })).toBe('[fe80::1]')
    expect(toldOf('fe80::2%eth0', 'http://[fe80::1]/', { router: 'fe80::1%wlan0' })).toBeUndefined()
    expect(toldOf('fe80::2%eth0', 'http://[2001:db8:86::1]/', { router: '2001:db8:86::1' })).toBe('[2001:db8:86::1]')
  })

  it('the router may tell of its wider address, but neither of another link-local one nor of this computer', () => {
    const router = 'fe80::1%eth0'
    expect(toldOf(router, 'http://[2001:db8:86::1]/', { router })).toBe('[2001:db8:86::1]')
    expect(toldOf(router, 'http://[2001:db8:86::250]/', { router })).toBeUndefined()
    expect(toldOf(router, 'http://[2001:db8:ff::1]/', { router })).toBeUndefined()
    expect(toldOf(router, 'http://[fe80::2]/', { router })).toBeUndefined()
  })

  it('nobody may tell of this computer, even with anyHost', () => {
    for (const url of ['http://[2001:db8:86::250]/', 'http://[fe80::250]/']) {
      expect(toldOf('fe80::1%eth0', url, { anyHost: true })).toBeUndefined()
    }
    expect(toldOf('2001:db8:86::250', 'http://[2001:db8:86::250]/')).toBe('[2001:db8:86::250]') // it is the sender
  })

  it.each([
    'fe80::1',
    'fe80::1%wlan0',
    '2001:db8:ff::1',
    'fd00::1',
    '::1',
    '::',
    'ff02::c',
    '::ffff:192.168.1.1',
    '::ffff:7f00:1',
    '64:ff9b::7f00:1',
  ])('the sender %s is not trusted at all', (sender) => {
    for (const anyHost of [false, true]) {
      expect(trustSender(sender, ETH0, { ...ALONE, anyHost })).toEqual({ hosts: [] })
    }
  })

  it('an IPv6 sender on a way of IPv4, and the other way round, is no neighbour', () => {
    expect(trustSender('fe80::1%eth0', LAN, HOME)).toEqual({ hosts: [] })
    expect(trustSender('192.168.1.3', ETH0, ALONE)).toEqual({ hosts: [] })
  })

  it.each([
    ['http://[fe80::1]:5000/root.xml', 'http://[fe80::1]:5000/root.xml'],
    ['http://[FE80:0::0:1]/', 'http://[fe80::1]/'],
    ['http://[fe80::2]/', 'http://[fe80::2]/'],
    ['http://[fe80::1%25br0]:5000/', 'http://[fe80::1]:5000/'], // the name of the device's own interface
    ['http://[fe80::1%br-lan]/', 'http://[fe80::1]/'],
    ['http://[2001:db8:86::1]:5000/', 'http://[2001:db8:86::1]:5000/'],
    ['http://[2001:db8:86:0:ffff::]/', 'http://[2001:db8:86:0:ffff::]/'],
  ])('with anyHost a link-local sender may send us to %s', (reference, href) => {
    expect(trustedUrl(reference, undefined, LINK_LOCAL)?.href).toBe(href)
  })

  it.each([
    'http://[2001:db8:86:1::1]/',
    'http://[2001:db8::1]/',
    'http://[::1]/',
    'http://[::]/',
    'http://[ff02::c]/',
    'http://[::ffff:127.0.0.1]/',
    'http://[::ffff:192.168.1.1]/',
    'http://[::127.0.0.1]/',
    'http://[64:ff9b::127.0.0.1]/',
    'http://127.0.0.1/',
    'http://192.168.1.1/',
    'http://router.lan/',
    'http://user@[fe80::1]/',
    'https://[fe80::1]/',
    'http://[fe80::1]:0/',
    'http://fe80::1/',
    'http://[fe80::1%]/',
    'http://[fe80::1%25a b]/',
  ])('but not to %s', (reference) => {
    expect(trustedUrl(reference, undefined, LINK_LOCAL)).toBeUndefined()
  })

  it('with anyHost a sender with a wider address may send us to its prefix, and to no link-local host', () => {
    expect(trustedUrl('http://[2001:db8:86::2]/', undefined, GLOBAL)?.hostname).toBe('[2001:db8:86::2]')
    expect(trustedUrl('http://[fe80::1]/', undefined, GLOBAL)).toBeUndefined()
    expect(trustedUrl('http://[fe80::1]/', undefined, { hosts: ['fe80::1'] })).toBeUndefined()
    expect(trustedUrl('http://[fe80::1]/', undefined, { hosts: ['fe80::1'], zone: '' })).toBeUndefined()
  })

  it('takes a host that the user named however it is spelled, and no neighbour of it', () => {
    const named: Trust = { hosts: ['[fe80::1]', 'fe80::1%eth0'], zone: 'eth0' }
    expect(trustedUrl('/ctl', 'http://[fe80::1]:5000/root.xml', named)?.href).toBe('http://[fe80::1]:5000/ctl')
    expect(trustedUrl('http://[fe80:0:0::1]/ctl', undefined, named)?.hostname).toBe('[fe80::1]')
    expect(trustedUrl('http://[fe80::2]/ctl', undefined, named)).toBeUndefined()
    expect(trustedUrl('http://[::1]/ctl', undefined, { hosts: ['[::1]'] })?.hostname).toBe('[::1]')
  })

  it('takes loopback only from loopback itself', () => {
    const trust = trustSender('::1', { address: '::1', netmask: '' }, ALONE)
    expect(trustedUrl('http://[::1]:5000/', undefined, trust)?.port).toBe('5000')
    const lo = { address: '::', netmask: '', zone: 'lo', prefixes: [{ address: '::1', prefixLength: 128 }] }
    expect(trustSender('::1', lo, { ...ALONE, router: '::1' }).hosts).toContain('::1')
  })
})
