import { describe, expect, it } from 'vitest'
import { describeGateway, IGD2 } from '../../../src/emulator/igd/descriptions.ts'
import { createSsdpResponder } from '../../../src/emulator/igd/ssdp-responder.ts'
import { decodeSsdp, type SsdpMessage } from '../../../src/wire/ssdp.ts'
import { DESCRIPTION_FACTS } from '../asking.ts'

const ROOT = 'uuid:11111111-2222-3333-4444-5555555555ff'
const WAN = 'uuid:11111111-2222-3333-4444-555555555600'
const CONNECTION = 'uuid:11111111-2222-3333-4444-555555555601'
const device = (type: string): string => `urn:schemas-upnp-org:device:${type}`
const service = (type: string): string => `urn:schemas-upnp-org:service:${type}`

/** UDA 1.1 tables 1-1 to 1-3: three for the root device, two for each other one, one for each service. */
const EVERYTHING = [
  ['upnp:rootdevice', `${ROOT}::upnp:rootdevice`],
  [ROOT, ROOT],
  [device('InternetGatewayDevice:2'), `${ROOT}::${device('InternetGatewayDevice:2')}`],
  [WAN, WAN],
  [device('WANDevice:2'), `${WAN}::${device('WANDevice:2')}`],
  [service('WANCommonInterfaceConfig:1'), `${WAN}::${service('WANCommonInterfaceConfig:1')}`],
  [CONNECTION, CONNECTION],
  [device('WANConnectionDevice:2'), `${CONNECTION}::${device('WANConnectionDevice:2')}`],
  [service('WANIPConnection:2'), `${CONNECTION}::${service('WANIPConnection:2')}`],
  [service('WANIPv6FirewallControl:1'), `${CONNECTION}::${service('WANIPv6FirewallControl:1')}`],
]

const responder = createSsdpResponder({
  device: describeGateway(IGD2, DESCRIPTION_FACTS).device,
  location: 'http://127.0.0.1:5000/rootDesc.xml',
  server: 'test/1 UPnP/1.1 test/1',
  bootId: () => 7,
})

const answers = (ST: string): SsdpMessage[] =>
  responder.answer({ kind: 'search', ST, MX: 2, HOST: '239.255.255.250:1900' }).map(decodeSsdp)

const stAndUsn = (ST: string): unknown[] =>
  answers(ST).map((message) => message.kind === 'reply' && [message.ST, message.USN])

describe('a search', () => {
  it('for everything is answered with every device and service', () => {
    expect(stAndUsn('ssdp:all')).toEqual(EVERYTHING)
  })

  it.each(EVERYTHING)('for %s is answered once, as %s', (ST, USN) => {
    expect(stAndUsn(ST ?? '')).toEqual([[ST, USN]])
  })

  it.each([
    [device('InternetGatewayDevice:1'), ROOT],
    [device('WANDevice:1'), WAN],
    [device('WANConnectionDevice:1'), CONNECTION],
    [service('WANIPConnection:1'), CONNECTION],
  ])('for the older %s is answered with that version, in ST and USN', (ST, UDN) => {
    expect(stAndUsn(ST)).toEqual([[ST, `${UDN}::${ST}`]])
  })

  it.each([
    device('InternetGatewayDevice:3'),
    device('InternetGatewayDevice:0'),
    device('InternetGatewayDevice:01'),
    device('InternetGatewayDevice:1.5'),
    device('InternetGatewayDevice'),
    device('MediaServer:1'),
    service('WANPPPConnection:1'),
    service('WANCommonInterfaceConfig:2'),
    service('WANIPv6FirewallControl:2'),
    'uuid:11111111-2222-3333-4444-000000000000',
    'uuid:',
    'ssdp:ALL',
    '',
  ])('for %j is not answered', (ST) => {
    expect(answers(ST)).toEqual([])
  })

  it('learns where the description is, how long that is valid, and the boot', () => {
    expect(answers('upnp:rootdevice')[0]).toMatchObject({
      kind: 'reply',
      LOCATION: 'http://127.0.0.1:5000/rootDesc.xml',
      SERVER: 'test/1 UPnP/1.1 test/1',
      maxAge: 1800,
      BOOTID: '7',
    })
  })
})

describe('announcements', () => {
  const ntAndUsn = (messages: Uint8Array[]): unknown[] =>
    messages.map(decodeSsdp).map((message) => message.kind === 'notify' && [message.NT, message.USN])

  it('are sent for every device and service, and ssdp:alive has a location', () => {
    expect(ntAndUsn(responder.alive())).toEqual(EVERYTHING)
    for (const message of responder.alive().map(decodeSsdp))
      expect(message).toMatchObject({
        NTS: 'ssdp:alive',
        maxAge: 1800,
        BOOTID: '7',
        LOCATION: 'http://127.0.0.1:5000/rootDesc.xml',
      })
  })

  it('are withdrawn for the same ones, with the same boot and no location', () => {
    expect(ntAndUsn(responder.byebye())).toEqual(EVERYTHING)
    for (const message of responder.byebye().map(decodeSsdp))
      expect(message).toMatchObject({ NTS: 'ssdp:byebye', BOOTID: '7', LOCATION: '' })
  })
})
