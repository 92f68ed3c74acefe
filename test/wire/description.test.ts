import { describe, expect, it } from 'vitest'
import { MalformedMessageError } from '../../src/domain/errors.ts'
import {
  allDevices,
  allServices,
  type Device,
  decodeDescription,
  encodeDescription,
  MAX_DEVICES,
  MAX_SERVICES_PER_DEVICE,
  type RootDescription,
  type Service,
  serviceKind,
} from '../../src/wire/description.ts'
import { mutations, randomFrom, thrownBy, truncations } from '../support/random.ts'

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)

function service(kind: string, path: string): Service {
  return {
    serviceType: `urn:schemas-upnp-org:service:${kind}:1`,
    serviceId: `urn:upnp-org:serviceId:${kind}1`,
    SCPDURL: `/${path}.xml`,
    controlURL: `/ctl/${path}`,
    eventSubURL: `/evt/${path}`,
  }
}

function device(kind: string, serviceList: Service[] = [], deviceList: Device[] = []): Device {
  return {
    deviceType: `urn:schemas-upnp-org:device:${kind}:1`,
    friendlyName: `My <${kind}> & "co"`,
    manufacturer: 'ACME',
    modelName: 'M',
    modelNumber: '1',
    UDN: 'uuid:12345678-0000-0000-0000-000000000001',
    presentationURL: 'http://192.168.1.1/',
    serviceList,
    deviceList,
  }
}

const IGD: RootDescription = {
  URLBase: 'http://192.168.1.1:5000/',
  device: device(
    'InternetGatewayDevice',
    [service('Layer3Forwarding', 'l3f')],
    [
      device(
        'WANDevice',
        [service('WANCommonInterfaceConfig', 'cif')],
        [device('WANConnectionDevice', [service('WANIPConnection', 'ip'), service('WANPPPConnection', 'ppp')])],
      ),
    ],
  ),
}

const IGD_TEXT = encodeDescription(IGD)

describe('a description', () => {
  it('is read back as it was written', () => {
    expect(decodeDescription(utf8(IGD_TEXT))).toEqual(IGD)
  })

  it('is written without what it does not have', () => {
    const bare = { URLBase: '', device: { ...device('Basic'), modelNumber: '', presentationURL: '' } }
    const text = encodeDescription(bare)
    expect(text).not.toMatch(/URLBase|modelNumber|presentationURL|serviceList|deviceList/)
    expect(decodeDescription(utf8(text))).toEqual(bare)
  })

  it('has its services in the order of the document', () => {
    const found = decodeDescription(utf8(IGD_TEXT))
    expect([...allDevices(found.device)]).toHaveLength(3)
    expect(allServices(found.device).map(({ controlURL }) => controlURL)).toEqual([
      '/ctl/l3f',
      '/ctl/cif',
      '/ctl/ip',
      '/ctl/ppp',
    ])
  })

  it.each([
    ['a byte order mark', `\ufeff${IGD_TEXT}`],
    ['blank lines before it', `\r\n\r\n${IGD_TEXT}`],
    ['NULs after it (Q49)', `${IGD_TEXT}\0\0\0`],
    [
      'the DSL Forum namespace (Q45)',
      IGD_TEXT.replace('urn:schemas-upnp-org:device-1-0', 'urn:dslforum-org:device-1-0'),
    ],
    ['no namespace (Q46)', IGD_TEXT.replace(/ xmlns="[^"]*"/, '')],
    ['a prefix that nobody declared', IGD_TEXT.replace(/<(\/?)(?=[A-Za-z])/g, '<$1d:')],
    ['comments', IGD_TEXT.replaceAll('><', '><!-- <device> --><')],
    ['blanks between its elements', IGD_TEXT.replaceAll('><', '>\r\n\t<')],
    ['CDATA in its values', IGD_TEXT.replace(/<controlURL>([^<]*)</g, '<controlURL><![CDATA[$1]]><')],
    ['blanks and NULs about its values (Q41)', IGD_TEXT.replace(/URL>(http[^<]*|\/[^<]*)</g, 'URL>\n \0$1\0 <')],
    ['no declaration', IGD_TEXT.replace(/^<\?xml.*?\?>/, '')],
    ['a false declaration (Q50)', IGD_TEXT.replace('version="1.0"', 'version="1.0" encoding="ISO-8859-1"')],
  ])('may have %s', (_name, text) => {
    expect(decodeDescription(utf8(text))).toEqual(IGD)
  })

  it('may be Latin-1', () => {
    const text = '<root><device><friendlyName>Büro</friendlyName></device></root>'
    expect(decodeDescription(Buffer.from(text, 'latin1')).device.friendlyName).toBe('Büro')
  })

  it('has empty texts where elements are missing or empty', () => {
    expect(
      decodeDescription(utf8('<root><URLBase/><device><serviceList><service/></serviceList></device></root>')),
    ).toEqual({
      URLBase: '',
      device: {
        deviceType: '',
        friendlyName: '',
        manufacturer: '',
        modelName: '',
        modelNumber: '',
        UDN: '',
        presentationURL: '',
        serviceList: [{ serviceType: '', serviceId: '', SCPDURL: '', controlURL: '', eventSubURL: '' }],
        deviceList: [],
      },
    })
  })

  it.each([
    ['nothing', ''],
    ['an HTML page', '<html><head><title>Login</title></head><body><p>x</body></html>'],
    ['plain text', '404 Not Found'],
    ['a document type', `<!DOCTYPE root>${IGD_TEXT}`],
    ['a SOAP message', '<s:Envelope><s:Body/></s:Envelope>'],
    ['a root without a device', '<root><specVersion/></root>'],
  ])('is malformed if it is %s', (_name, text) => {
    expect(() => decodeDescription(utf8(text))).toThrow(MalformedMessageError)
  })

  it('cut anywhere is read as far as it goes, or is malformed, and no value in it is cut', () => {
    const whole = new Set(allServices(IGD.device).flatMap((each) => Object.values(each)))
    for (const part of truncations(utf8(IGD_TEXT))) {
      const error = thrownBy(() => {
        for (const each of allServices(decodeDescription(part).device)) {
          for (const value of Object.values(each)) expect(value === '' || whole.has(value)).toBe(true)
        }
      })
      if (error !== undefined) expect(error).toBeInstanceOf(MalformedMessageError)
    }
  })

  it('with one byte wrong is read, or malformed', () => {
    for (const spoilt of mutations(utf8(IGD_TEXT), randomFrom(7))) {
      const error = thrownBy(() => decodeDescription(spoilt))
      if (error !== undefined) expect(error).toBeInstanceOf(MalformedMessageError)
    }
  })
})

describe('the bounds of a description', () => {
  const description = (content: string): Uint8Array => utf8(`<root><device>${content}</device></root>`)

  it('are the services of one device', () => {
    const many = `<serviceList>${'<service></service>'.repeat(MAX_SERVICES_PER_DEVICE + 100)}</serviceList>`
    expect(decodeDescription(description(many)).device.serviceList).toHaveLength(MAX_SERVICES_PER_DEVICE)
  })

  it('are its devices, side by side', () => {
    const many = `<deviceList>${'<device></device>'.repeat(MAX_DEVICES + 100)}</deviceList>`
    expect([...allDevices(decodeDescription(description(many)).device)]).toHaveLength(MAX_DEVICES)
  })

  it('are its devices, in a tree', () => {
    const leaves = `<deviceList>${'<device></device>'.repeat(20)}</deviceList>`
    const many = `<deviceList>${`<device>${leaves}</device>`.repeat(20)}</deviceList>`
    expect([...allDevices(decodeDescription(description(many)).device)]).toHaveLength(MAX_DEVICES)
  })

  it('are its depth', () => {
    const deep = '<deviceList><device>'.repeat(100) + '</device></deviceList>'.repeat(100)
    expect(() => decodeDescription(description(deep))).toThrow(MalformedMessageError)
  })
})

describe('serviceKind', () => {
  it.each([
    ['urn:schemas-upnp-org:service:WANIPConnection:1', 'WANIPConnection'],
    ['urn:schemas-upnp-org:service:WANIPConnection:2', 'WANIPConnection'],
    ['urn:dslforum-org:service:WANPPPConnection:1', 'WANPPPConnection'],
    ['urn:schemas-upnp-org:service:WANIPConnection', 'WANIPConnection'],
    ['urn:schemas-upnp-org:device:WANDevice:1', ''],
    ['WANIPConnection', ''],
    ['', ''],
  ])('of %j is %j', (type, kind) => {
    expect(serviceKind(type)).toBe(kind)
  })
})
