import { describe, expect, it } from 'vitest'
import { igdServices } from '../../src/client/igd-services.ts'
import type { Trust } from '../../src/client/trusted-url.ts'
import { decodeDescription } from '../../src/wire/description.ts'
import { COMMON1, type DescriptionFacts, igdDescription, WANIP1, WANPPP1 } from '../support/scripted-devices.ts'

const LOCATION = 'http://192.168.1.1:5000/upnp/root.xml'
const TRUST: Trust = { hosts: ['192.168.1.1'], subnet: { address: '192.168.1.10', netmask: '255.255.255.0' } }

function servicesOf(facts: DescriptionFacts) {
  return igdServices(decodeDescription(new TextEncoder().encode(igdDescription(facts))), LOCATION, TRUST)
}

/** The control URLs of the first connection. */
const urlsOf = (facts: DescriptionFacts): string[] =>
  servicesOf(facts).connections[0]?.controlUrls.map((url) => url.href) ?? []

describe('igdServices', () => {
  it('finds connections and the common interface in the tree, in the order of the document', () => {
    const { connections, commonInterfaceConfig, presentationUrl } = servicesOf({
      services: [
        [WANPPP1, '/ppp'],
        [WANIP1, '/ip'],
        ['urn:schemas-upnp-org:service:WANIPConnection:2', '/ip2'],
        ['urn:schemas-upnp-org:service:WANIPv6FirewallControl:1', '/6fc'],
        ['urn:dslforum-org:service:WANDSLLinkConfig:1', '/dsl'],
      ],
    })
    expect(connections.map(({ serviceType, controlUrls }) => [serviceType, controlUrls[0]?.pathname])).toEqual([
      [WANPPP1, '/ppp'],
      [WANIP1, '/ip'],
      ['urn:schemas-upnp-org:service:WANIPConnection:2', '/ip2'],
    ])
    expect(connections.every(({ service }) => service === 'WANConnection')).toBe(true)
    expect(commonInterfaceConfig).toMatchObject({ service: 'WANCommonInterfaceConfig', serviceType: COMMON1 })
    expect(presentationUrl).toBe('')
  })

  it.each([
    'urn:dslforum-org:service:WANPPPConnection:1',
    'urn:schemas-upnp-org:service:WANIPConnection',
    'urn:example:service:WANIPConnection:99',
  ])('takes %s for a connection and keeps its spelling', (type) => {
    expect(servicesOf({ services: [[type, '/c']] }).connections.map((each) => each.serviceType)).toEqual([type])
  })

  it.each([
    'WANIPConnection:1',
    'urn:schemas-upnp-org:service:wanipconnection:1',
    'urn:x:service:WANIPConnection2:1',
    '',
  ])('does not take %j for one', (type) => {
    expect(servicesOf({ services: [[type, '/c']] }).connections).toEqual([])
  })

  it('has two URLs for a service where URLBase and the location make different ones, that of URLBase first', () => {
    const services = [[WANIP1, 'ctl']] as const
    expect(urlsOf({ services, urlBase: 'http://192.168.1.1:80/igd/' })).toEqual([
      'http://192.168.1.1/igd/ctl',
      'http://192.168.1.1:5000/upnp/ctl',
    ])
    expect(urlsOf({ services, urlBase: LOCATION })).toEqual(['http://192.168.1.1:5000/upnp/ctl'])
    expect(urlsOf({ services: [[WANIP1, 'http://192.168.1.1:7/c']], urlBase: 'http://192.168.1.2/' })).toEqual([
      'http://192.168.1.1:7/c',
    ])
  })

  it('takes a relative URLBase as relative to the location', () => {
    expect(urlsOf({ services: [[WANIP1, 'ctl']], urlBase: '/igd/' })[0]).toBe('http://192.168.1.1:5000/igd/ctl')
  })

  it.each(['http://10.0.0.1/', 'http://127.0.0.1/', 'https://192.168.1.1/', 'http://a@192.168.1.1/', 'http://:0/'])(
    'passes over the URLBase %s',
    (urlBase) => {
      expect(urlsOf({ urlBase })).toEqual(['http://192.168.1.1:5000/ctl/0'])
    },
  )

  it('leaves out a service whose control URL is empty or leads elsewhere', () => {
    const services = [
      [WANIP1, ''],
      [WANIP1, 'http://10.0.0.1/ctl'],
      [WANIP1, 'http://127.0.0.1:22/'],
      [WANPPP1, '/ppp'],
    ] as const
    expect(servicesOf({ services }).connections.map((each) => each.serviceType)).toEqual([WANPPP1])
  })

  it('keeps at most eight connections', () => {
    const services = Array.from({ length: 20 }, (_, at) => [WANIP1, `/${at}`] as const)
    expect(servicesOf({ services }).connections.map((each) => each.controlUrls[0]?.pathname)).toEqual(
      [0, 1, 2, 3, 4, 5, 6, 7].map((at) => `/${at}`),
    )
  })

  it('gives the presentation URL as it is written', () => {
    expect(servicesOf({ presentationURL: ' /index.html ' }).presentationUrl).toBe('/index.html')
  })
})
