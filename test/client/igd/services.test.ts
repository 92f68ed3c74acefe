import { describe, expect, it } from 'vitest'
import { IgdServiceGateway } from '../../../src/client/igd/gateway.ts'
import { type ControlledService, eventUrlBeside, igdServices } from '../../../src/client/igd/services.ts'
import { SoapCaller } from '../../../src/client/igd/soap-caller.ts'
import type { Trust } from '../../../src/client/trusted-url.ts'
import { decodeDescription } from '../../../src/wire/description.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { COMMON1, type DescriptionFacts, igdDescription, WANIP1, WANPPP1 } from '../../support/scripted-devices.ts'
import { ScriptedHttp } from '../../support/scripted-http.ts'

const LOCATION = 'http://192.168.1.1:5000/upnp/root.xml'
const TRUST: Trust = { hosts: ['192.168.1.1'] }

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
      [WANIP1, '//192.168.1.2/ctl'],
      [WANPPP1, '/ppp'],
    ] as const
    const { connections, elsewhere } = servicesOf({ services })
    expect(connections.map((each) => each.serviceType)).toEqual([WANPPP1])
    expect(elsewhere).toEqual(['http://10.0.0.1/ctl', 'http://127.0.0.1:22/', '//192.168.1.2/ctl'])
  })

  it('goes to no neighbour of the description, even if its URLBase leads there', () => {
    expect(urlsOf({ urlBase: 'http://192.168.1.2/' })).toEqual(['http://192.168.1.1:5000/ctl/0'])
  })

  const eventUrlsOf = (eventSubURL: string, urlBase?: string): string[] | undefined => {
    const facts = urlBase === undefined ? {} : { urlBase }
    const text = igdDescription(facts).replaceAll('/evt<', `${eventSubURL}<`)
    const description = decodeDescription(new TextEncoder().encode(text))
    return igdServices(description, LOCATION, TRUST).connections[0]?.eventUrls?.map((url) => url.href)
  }

  it.each([
    ['/evt', ['http://192.168.1.1:5000/evt']],
    ['evt', ['http://192.168.1.1:5000/upnp/evt']],
    ['http://192.168.1.1:80/evt', ['http://192.168.1.1/evt']],
    ['http://192.168.1.2/evt', []],
    ['//192.168.1.2/evt', []],
    ['', []],
    ['http://10.0.0.1/evt', []],
    ['http://127.0.0.1:22/', []],
    ['http://192.168.1.1:0/', []],
    ['https://192.168.1.1/evt', []],
    ['http://a@192.168.1.1/evt', []],
  ])('has for the event URL %j, under the same rules, %j; the service counts either way', (eventSubURL, urls) => {
    expect(eventUrlsOf(eventSubURL)).toEqual(urls)
  })

  it('has two event URLs where URLBase and the location make different ones', () => {
    expect(eventUrlsOf('/evt', 'http://192.168.1.1:80/')).toEqual([
      'http://192.168.1.1/evt',
      'http://192.168.1.1:5000/evt',
    ])
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

describe('eventUrlBeside', () => {
  const service = (...eventUrls: string[]): ControlledService => ({
    service: 'WANConnection',
    serviceType: WANIP1,
    controlUrls: [new URL(LOCATION)],
    eventUrls: eventUrls.map((url) => new URL(url)),
  })
  const [FIRST, SECOND] = ['http://192.168.1.1/evt', 'http://192.168.1.1:5000/evt']

  it.each([
    ['the one at the origin of the control URL', 'http://192.168.1.1:5000/ctl', [FIRST, SECOND], SECOND],
    ['the first one where none is there', 'http://192.168.1.1:7/ctl', [FIRST, SECOND], FIRST],
    ['the first one where the control URL is none', '', [FIRST, SECOND], FIRST],
    ['none where there is none', 'http://192.168.1.1/ctl', [], undefined],
    [
      'with the zone of the control URL',
      'http://[fe80::1%25eth0]:5000/ctl',
      ['http://[fe80::1]:5000/evt'],
      'http://[fe80::1%25eth0]:5000/evt',
    ],
  ])('is %s', (_name, controlUrl, eventUrls, expected) => {
    expect(eventUrlBeside(controlUrl, service(...eventUrls))).toBe(expected)
  })

  it('is what a gateway says', () => {
    const services = {
      connections: [],
      commonInterfaceConfig: undefined,
      firewallControl: undefined,
      presentationUrl: '',
    }
    const caller = new SoapCaller(new ScriptedHttp(new FakeClock(), () => 'silence'), undefined)
    const gateway = new IgdServiceGateway(caller, services, service(FIRST, SECOND), '192.168.1.10')
    expect(gateway.eventUrl).toBe(SECOND)
  })

  it('is none for a service that was described without', () => {
    const { eventUrls: _, ...without } = service()
    expect(eventUrlBeside('http://192.168.1.1/ctl', without)).toBeUndefined()
  })
})
