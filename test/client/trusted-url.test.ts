import { describe, expect, it } from 'vitest'
import { type Trust, trustedUrl, trustSender } from '../../src/client/trusted-url.ts'

const LAN = { address: '192.168.1.10', netmask: '255.255.255.0' }
const ROUTER: Trust = { hosts: ['192.168.1.1'], subnet: LAN }

describe('trustSender', () => {
  it('trusts the whole subnet of a sender that is on the subnet of the interface', () => {
    expect(trustSender('192.168.1.1', LAN)).toEqual({ hosts: ['192.168.1.1'], subnet: LAN })
  })

  it.each(['10.0.0.1', '192.168.2.1', '127.0.0.1', '192.168.1.255', ''])(
    'trusts the sender %j, which is not on it, for nobody but itself',
    (sender) => {
      expect(trustSender(sender, LAN)).toEqual({ hosts: [sender] })
    },
  )
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
    const trust = trustSender('127.0.0.1', { address: '127.0.0.1', netmask: '255.0.0.0' })
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
  const LINK_LOCAL = trustSender('fe80::1%eth0', ETH0)
  const GLOBAL = trustSender('2001:db8:86::1', ETH0)

  it('a link-local sender is trusted with the whole link, through its interface', () => {
    expect(LINK_LOCAL).toEqual({ hosts: ['fe80::1'], prefixes, zone: 'eth0' })
  })

  it('a sender with a prefix of the interface is trusted with its prefixes, and with no link-local host', () => {
    expect(GLOBAL).toEqual({ hosts: ['2001:db8:86::1'], prefixes })
  })

  it('a sender from elsewhere is trusted for nobody but itself', () => {
    expect(trustSender('2001:db8:ff::1', ETH0)).toEqual({ hosts: ['2001:db8:ff::1'] })
    expect(trustSender('fd00::1', ETH0)).toEqual({ hosts: ['fd00::1'] })
  })

  it.each([
    'fe80::1',
    'fe80::1%wlan0',
    '::1',
    '::',
    'ff02::c',
    '::ffff:192.168.1.1',
    '::ffff:7f00:1',
    '64:ff9b::7f00:1',
  ])('the sender %s is not trusted at all', (sender) => {
    expect(trustSender(sender, ETH0)).toEqual({ hosts: [] })
  })

  it('an IPv6 sender on a way of IPv4, and the other way round, is no neighbour', () => {
    expect(trustSender('fe80::1%eth0', LAN)).toEqual({ hosts: [] })
    expect(trustSender('192.168.1.1', ETH0)).toEqual({ hosts: ['192.168.1.1'] })
  })

  it.each([
    ['http://[fe80::1]:5000/root.xml', 'http://[fe80::1]:5000/root.xml'],
    ['http://[FE80:0::0:1]/', 'http://[fe80::1]/'],
    ['http://[fe80::2]/', 'http://[fe80::2]/'],
    ['http://[fe80::1%25br0]:5000/', 'http://[fe80::1]:5000/'], // the name of the device's own interface
    ['http://[fe80::1%br-lan]/', 'http://[fe80::1]/'],
    ['http://[2001:db8:86::1]:5000/', 'http://[2001:db8:86::1]:5000/'],
    ['http://[2001:db8:86:0:ffff::]/', 'http://[2001:db8:86:0:ffff::]/'],
  ])('a link-local sender may send us to %s', (reference, href) => {
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

  it('a sender with a wider address may send us to its prefix, and to no link-local host', () => {
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
    const trust = trustSender('::1', { address: '::1', netmask: '' })
    expect(trustedUrl('http://[::1]:5000/', undefined, trust)?.port).toBe('5000')
    const lo = { address: '::', netmask: '', zone: 'lo', prefixes: [{ address: '::1', prefixLength: 128 }] }
    expect(trustSender('::1', lo).hosts).toEqual(['::1'])
  })
})
