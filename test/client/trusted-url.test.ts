import { describe, expect, it } from 'vitest'
import { type Trust, trustedUrl, trustSender } from '../../src/client/trusted-url.ts'

const LAN = { address: '192.168.1.10', netmask: '255.255.255.0' }
const ROUTER: Trust = { hosts: ['192.168.1.1'], subnet: LAN }

describe('trustSender', () => {
  it('trusts the whole subnet of a sender that is on the subnet of the interface', () => {
    expect(trustSender('192.168.1.1', LAN)).toEqual({ hosts: ['192.168.1.1'], subnet: LAN })
  })

  it.each(['10.0.0.1', '192.168.2.1', '127.0.0.1', '192.168.1.255', 'fe80::1', ''])(
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
