import { describe, expect, it } from 'vitest'
import { MAX_URL_LENGTH, parseZonedUrl, resolveUrl, zonedUrlText } from '../../src/domain/url.ts'

describe('resolveUrl', () => {
  const LOCATION = 'http://192.168.1.1:5000/igd/rootDesc.xml?x=1'
  it.each([
    ['/ctl/IPConn', LOCATION, 'http://192.168.1.1:5000/ctl/IPConn'],
    ['ctl/IPConn', LOCATION, 'http://192.168.1.1:5000/igd/ctl/IPConn'],
    ['../ctl', LOCATION, 'http://192.168.1.1:5000/ctl'],
    ['?10', LOCATION, 'http://192.168.1.1:5000/igd/rootDesc.xml?10'], // Q43
    ['?10', 'http://192.168.1.1:5000/UD/?3', 'http://192.168.1.1:5000/UD/?10'],
    ['/UD/?10', LOCATION, 'http://192.168.1.1:5000/UD/?10'],
    ['http://192.168.1.1:49000/ctl', LOCATION, 'http://192.168.1.1:49000/ctl'],
    ['HTTP://192.168.1.1/ctl', LOCATION, 'http://192.168.1.1/ctl'],
    ['//10.0.0.1/ctl', LOCATION, 'http://10.0.0.1/ctl'],
    ['', LOCATION, LOCATION],
    [' /ctl ', LOCATION, 'http://192.168.1.1:5000/ctl'],
    ['/ctl', 'http://192.168.1.1:5000', 'http://192.168.1.1:5000/ctl'],
    ['http://0x7f.1/ctl', LOCATION, 'http://127.0.0.1/ctl'],
    ['http://192.168.1.1/ctl', '', 'http://192.168.1.1/ctl'],
  ])('makes of %j at %j: %s', (reference, base, expected) => {
    expect(resolveUrl(reference, base)?.href).toBe(expected)
  })

  it.each([
    ['/ctl', ''],
    ['?10', ''],
    ['', ''],
    ['/ctl', '*'],
    ['/ctl', '192.168.1.1/desc.xml'],
    ['http://[::1', LOCATION],
    ['http://1.2.3.4:99999/', LOCATION],
    ['http://', LOCATION],
  ])('makes nothing of %j at %j', (reference, base) => {
    expect(resolveUrl(reference, base)).toBeUndefined()
  })

  it('makes nothing of a longer one than any device has', () => {
    const path = '/'.padEnd(MAX_URL_LENGTH, 'x')
    expect(resolveUrl(path, LOCATION)?.pathname).toBe(path)
    expect(resolveUrl(`${path}x`, LOCATION)).toBeUndefined()
    const letters = String.fromCodePoint(...Array.from({ length: MAX_URL_LENGTH }, (_, at) => 0x4e00 + at))
    expect(resolveUrl(`http://${letters}/`)).toBeUndefined()
  })

  it('makes nothing of what only looks like a URL in UTF-8, also once its code is optimised', () => {
    // Two characters of Latin-1 whose bytes are one of UTF-8: URL.canParse of Node 20 and 22 comes to say yes to them.
    const pairs = Array.from({ length: 0x32 * 0x40 }, (_, at) => Buffer.from([0xc2 + (at >> 6), 0x80 + (at & 0x3f)]))
    const texts = pairs.map((pair) => `http:${pair.toString('latin1')}`)
    const bad = texts.filter((text) => resolveUrl(text) === undefined)
    expect(bad.length).toBeGreaterThan(500)
    for (let round = 0; round < 20; round++) {
      expect(bad.filter((text) => resolveUrl(text) !== undefined)).toEqual([])
    }
  })
})

describe('parseZonedUrl', () => {
  it.each([
    ['http://[fe80::1%25eth0]:5000/a?b#c', 'http://[fe80::1]:5000/a?b#c', 'eth0'],
    ['http://[fe80::1%eth0]:5000/', 'http://[fe80::1]:5000/', 'eth0'],
    ['HTTP://[FE80::1%25br-lan.7]', 'http://[fe80::1]/', 'br-lan.7'],
    ['http://[fe80::1%3]/', 'http://[fe80::1]/', '3'],
    ['http://[fe80::1%25]/', 'http://[fe80::1]/', '25'],
    ['http://a:b@[fe80::1%25eth0]/', 'http://a:b@[fe80::1]/', 'eth0'],
    ['http://[fe80::1]/', 'http://[fe80::1]/', ''],
    ['http://[2001:db8::1%25eth0]/', 'http://[2001:db8::1]/', ''],
    ['http://192.168.1.1:5000/', 'http://192.168.1.1:5000/', ''],
    ['http://router/[fe80::1%25eth0]/', 'http://router/[fe80::1%25eth0]/', ''],
  ])('of %s is %s by %j', (text, href, zone) => {
    const parsed = parseZonedUrl(text)
    expect([parsed?.url.href, parsed?.zone]).toEqual([href, zone])
  })

  it.each(['', 'http://[fe80::1%]/', 'http://[fe80::1%a/b]/', 'http://[fe80::1%25', 'http://192.168.1.1%25eth0/'])(
    'takes %j for no URL',
    (text) => {
      expect(parseZonedUrl(text)).toBeUndefined()
    },
  )

  it('is undone by zonedUrlText', () => {
    for (const text of ['http://[fe80::1%25eth0]:5000/a', 'http://[2001:db8::1]/a', 'http://192.168.1.1/[a]']) {
      const parsed = parseZonedUrl(text)
      expect(parsed && zonedUrlText(parsed)).toBe(text)
    }
    expect(zonedUrlText({ url: new URL('http://192.168.1.1/'), zone: 'eth0' })).toBe('http://192.168.1.1/')
  })
})
