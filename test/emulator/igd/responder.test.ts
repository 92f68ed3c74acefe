import { describe, expect, it } from 'vitest'
import { MappingTable } from '../../../src/emulator/tables/mapping-table.ts'
import { decodeDescription } from '../../../src/wire/description.ts'
import { argumentList, IGD_ACTIONS } from '../../../src/wire/igd-actions.ts'
import { parseXml } from '../../../src/wire/xml.ts'
import {
  type Asked,
  ask,
  COMMON_CONTROL,
  COMMON1,
  FIREWALL1,
  MAPPING,
  makeResponder,
  PINHOLE,
  RANGE,
  request,
  soapRequest,
  WANIP_CONTROL,
  WANIP1,
  WANIP2,
  WHERE,
} from '../asking.ts'

const encode = (text: string): Uint8Array => new TextEncoder().encode(text)

describe('GET', () => {
  it('gives the description, in which every device has its own UDN', () => {
    const reply = makeResponder()(request(), 0)
    expect(reply.status).toBe(200)
    const { device } = decodeDescription(encode(reply.body))
    expect(device).toMatchObject({ friendlyName: 'Test <gateway>', presentationURL: 'http://127.0.0.1/' })
    expect(device.UDN).toBe('uuid:11111111-2222-3333-4444-5555555555ff')
    expect(device.deviceList[0]?.UDN).toBe('uuid:11111111-2222-3333-4444-555555555600')
    expect(device.deviceList[0]?.deviceList[0]?.UDN).toBe('uuid:11111111-2222-3333-4444-555555555601')
  })

  it('gives a service description at every SCPDURL of the description', () => {
    const responder = makeResponder()
    const { device } = decodeDescription(encode(responder(request(), 0).body))
    const wanDevice = device.deviceList[0]
    const services = [...(wanDevice?.serviceList ?? []), ...(wanDevice?.deviceList[0]?.serviceList ?? [])]
    expect(services.map((service) => service.serviceType)).toEqual([COMMON1, WANIP2, FIREWALL1])
    for (const { SCPDURL } of services)
      expect(parseXml(responder(request({ target: SCPDURL }), 0).body).root.name).toBe('scpd')
  })

  it('ignores a query', () => {
    expect(makeResponder()(request({ target: '/rootDesc.xml?x=1' }), 0).status).toBe(200)
  })
})

describe('a request that is not for us', () => {
  it.each(['/', '', '/rootDesc.xml/', '//rootDesc.xml', '/../rootDesc.xml', '*', '/control', '/__proto__'])(
    'is answered 404 for the path %j',
    (target) => {
      expect(makeResponder()(request({ target }), 0)).toMatchObject({ status: 404, body: '' })
    },
  )

  it('is answered 405 with the method that is allowed', () => {
    const responder = makeResponder()
    expect(responder(request({ method: 'POST' }), 0)).toMatchObject({ status: 405, headers: [['Allow', 'GET']] })
    for (const method of ['GET', 'OPTIONS', 'M-POST'])
      expect(responder(request({ method, target: WANIP_CONTROL }), 0)).toMatchObject({
        status: 405,
        headers: [['Allow', 'POST']],
      })
  })

  it.each([
    'localhost',
    'localhost:5000',
    'evil.example:5000',
    '127.0.0.1.evil.example',
    '0x7f.1',
    '2130706433',
    '127.1',
    '',
    '127.0.0.1:5000@evil.example',
    '::1',
    '[evil.example]',
  ])('is answered 400 if Host is %j', (host) => {
    expect(makeResponder()(request({ headers: new Map([['host', host]]) }), 0).status).toBe(400)
  })

  it('is answered 400 without Host', () => {
    expect(makeResponder()(request({ headers: new Map() }), 0).status).toBe(400)
  })

  it.each(['127.0.0.1', '192.168.1.1:80', '[::1]:5000', '[fe80::1]'])('is accepted if Host is %j', (host) => {
    expect(makeResponder()(request({ headers: new Map([['host', host]]) }), 0).status).toBe(200)
  })
})

describe('POST of something that is not SOAP', () => {
  const good = soapRequest({ action: 'AddPortMapping', args: MAPPING })
  const envelope = new TextDecoder().decode(good.body)

  it.each([
    ['nothing', ''],
    ['no XML', 'hello'],
    ['a DTD', envelope.replace('?>', '?><!DOCTYPE s [<!ENTITY x SYSTEM "file:///etc/passwd">]>')],
    ['another action than in SOAPAction', envelope.replaceAll('AddPortMapping', 'DeletePortMapping')],
    ['an envelope without a body', '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"></s:Envelope>'],
    ['deep nesting', `${'<a>'.repeat(5000)}${'</a>'.repeat(5000)}`],
    ['many nodes', `<a>${'<b/>'.repeat(15_000)}</a>`],
    ['an element called __proto__', '<__proto__><Body><__proto__/></Body></__proto__>'],
  ])('is answered 400: %s', (_, body) => {
    expect(makeResponder()({ ...good, body: encode(body) }, 0)).toMatchObject({ status: 400, body: '' })
  })

  it('is answered 400 wherever a valid message is cut off, and nothing is mapped', () => {
    const table = new MappingTable()
    const responder = makeResponder({ table })
    const whole = envelope.trimEnd()
    for (let length = 0; length < whole.length; length++)
      expect(responder({ ...good, body: encode(whole.slice(0, length)) }, 0).status).toBe(400)
    expect(table.list(0)).toEqual([])
  })

  it.each([undefined, '', 'AddPortMapping', '"#"', `"${WANIP2}"`])(
    'is answered 400 with SOAPAction %j',
    (soapAction) => {
      const headers = new Map([
        ['host', '127.0.0.1'],
        ...(soapAction === undefined ? [] : [['soapaction', soapAction] as const]),
      ])
      expect(makeResponder()({ ...good, headers }, 0).status).toBe(400)
    },
  )
})

describe('an action', () => {
  it('is answered with the version of the service in the request', () => {
    for (const serviceType of [WANIP1, WANIP2]) {
      const reply = makeResponder()(soapRequest({ action: 'GetExternalIPAddress', serviceType }), 0)
      expect(reply.status).toBe(200)
      expect(reply.headers).toContainEqual(['Content-Type', 'text/xml; charset="utf-8"'])
      expect(reply.body).toContain(`<u:GetExternalIPAddressResponse xmlns:u="${serviceType}">`)
    }
  })

  it.each<[string, Asked]>([
    ['does not exist', { action: 'Reboot' }],
    ['is a property of every object', { action: 'toLocaleString' }],
    ['belongs to another service', { action: 'GetTotalBytesSent' }],
    ['is asked in another type', { action: 'GetExternalIPAddress', serviceType: COMMON1 }],
    ['is asked in a later version', { action: 'GetExternalIPAddress', serviceType: WANIP2.replace(':2', ':3') }],
    ['is sent elsewhere', { action: 'GetExternalIPAddress', target: COMMON_CONTROL }],
  ])('is refused with 401 if it %s', (_, asked) => {
    expect(ask(asked)).toBe(401)
  })

  it('is refused with HTTP status 500, the number and its name', () => {
    const reply = makeResponder()(soapRequest({ action: 'Reboot' }), 0)
    expect(reply.status).toBe(500)
    expect(reply.body).toContain('<errorDescription>Invalid Action</errorDescription>')
  })

  it.each(Object.keys(MAPPING))('is refused with 402 without %s', (missing) => {
    const args = Object.fromEntries(Object.entries(MAPPING).filter(([name]) => name !== missing))
    expect(ask({ action: 'AddPortMapping', args })).toBe(402)
  })

  it('accepts its arguments in any order, and ignores others', () => {
    const reversed = Object.fromEntries(Object.entries(MAPPING).reverse())
    expect(ask({ action: 'AddPortMapping', args: { ...reversed, constructor: 'x', NewColour: 'red' } })).toEqual({})
  })

  it('is counted if it is known, refused or not', () => {
    const seen: string[] = []
    const responder = makeResponder({ onAction: (action) => seen.push(action) })
    for (const action of ['GetStatusInfo', 'DeletePortMapping', 'Reboot']) ask({ action }, responder)
    expect(seen).toEqual(['GetStatusInfo', 'DeletePortMapping'])
  })

  it('is answered for every row of the table with every out argument, in the order of the standard', () => {
    const values = { ...MAPPING, ...PINHOLE, ...RANGE, NewPortMappingIndex: '0', UniqueID: '1', NewLeaseTime: '60' }
    for (const [action, row] of Object.entries(IGD_ACTIONS)) {
      const responder = makeResponder() // a new one for each, because some take away what the next one needs
      const from = { remoteAddress: '127.0.0.1' }
      ask({ action: 'AddPortMapping', args: MAPPING }, responder)
      ask({ action: 'AddPinhole', args: PINHOLE, ...WHERE.WANIPv6FirewallControl, ...from }, responder)
      const args = Object.fromEntries(argumentList(row.in, values))
      const reply = responder(soapRequest({ action, args, ...WHERE[row.service], ...from }), 0)
      const names = [...reply.body.matchAll(/<([A-Z]\w+)>/g)].map((match) => match[1])
      expect([action, reply.status, names]).toEqual([action, 200, [...row.out]])
    }
  })
})
