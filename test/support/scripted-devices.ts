/** Descriptions and answers of devices, as odd as a test wants them. */
import type { HttpRequest } from '../../src/net/http/client.ts'
import { soapFault, soapResponse } from './scripted-gateway.ts'
import type { ScriptedAnswer } from './scripted-http.ts'

export const WANIP1 = 'urn:schemas-upnp-org:service:WANIPConnection:1'
export const WANPPP1 = 'urn:schemas-upnp-org:service:WANPPPConnection:1'
export const FIREWALL1 = 'urn:schemas-upnp-org:service:WANIPv6FirewallControl:1'
export const COMMON1 = 'urn:schemas-upnp-org:service:WANCommonInterfaceConfig:1'

/** An address of the internet that belongs to no documentation block. */
export const PUBLIC_ADDRESS = '11.22.33.44'

/** [serviceType, controlURL] */
export type DescribedService = readonly [string, string]

export interface DescriptionFacts {
  readonly services?: readonly DescribedService[]
  readonly urlBase?: string
  /** The default namespace of the root, or none. */
  readonly namespace?: string | undefined
  readonly presentationURL?: string
}

const ROOT_NAMESPACE = 'urn:schemas-upnp-org:device-1-0'

/** Three devices deep, as the standard draws it. */
export function igdDescription(facts: DescriptionFacts = {}): string {
  const { services = [[WANIP1, '/ctl/0']], urlBase, presentationURL } = facts
  const namespace = 'namespace' in facts ? facts.namespace : ROOT_NAMESPACE
  const urn = (kind: string): string => `<deviceType>urn:schemas-upnp-org:device:${kind}:1</deviceType>`
  return (
    `<?xml version="1.0"?>\n<root${namespace === undefined ? '' : ` xmlns="${namespace}"`}>` +
    '<specVersion><major>1</major><minor>0</minor></specVersion>' +
    `${urlBase === undefined ? '' : `<URLBase>${urlBase}</URLBase>`}<device>${urn('InternetGatewayDevice')}` +
    '<friendlyName>scripted</friendlyName><deviceList>' +
    `<device>${urn('WANDevice')}<serviceList>${service(COMMON1, '/ctl/common')}</serviceList><deviceList>` +
    `<device>${urn('WANConnectionDevice')}<serviceList>${services.map(([type, url]) => service(type, url)).join('')}` +
    '</serviceList></device></deviceList></device></deviceList>' +
    `${presentationURL === undefined ? '' : `<presentationURL>${presentationURL}</presentationURL>`}</device></root>`
  )
}

function service(type: string, controlURL: string): string {
  return (
    `<service><serviceType>${type}</serviceType><serviceId>urn:upnp-org:serviceId:1</serviceId>` +
    `<SCPDURL>/scpd.xml</SCPDURL><controlURL>${controlURL}</controlURL><eventSubURL>/evt</eventSubURL></service>`
  )
}

export const TV_DESCRIPTION =
  '<?xml version="1.0"?><root xmlns="urn:schemas-upnp-org:device-1-0"><device>' +
  '<deviceType>urn:schemas-upnp-org:device:MediaRenderer:1</deviceType><friendlyName>TV</friendlyName><serviceList>' +
  `${service('urn:schemas-upnp-org:service:AVTransport:1', '/av')}</serviceList></device></root>`

export const tag = (name: string, text: string | number): string => `<${name}>${text}</${name}>`

export function statusReply(status: string, uptime: string | number = 100): string {
  const content = tag('NewConnectionStatus', status) + tag('NewLastConnectionError', 'ERROR_NONE')
  return soapResponse('GetStatusInfo', content + tag('NewUptime', uptime))
}

export function addressReply(address: string): string {
  return soapResponse('GetExternalIPAddress', tag('NewExternalIPAddress', address))
}

/** One WAN connection: what it answers, or the number of the fault that it answers with. */
export interface ScriptedConnection {
  readonly status?: string | number
  readonly address?: string | number
  readonly afterMs?: number
}

export interface ScriptedDevice {
  /** `host` or `host:port`. */
  readonly host: string
  readonly description?: ScriptedAnswer
  readonly services?: readonly DescribedService[]
  /** By the control URL's path; `/ctl/0` unless told otherwise. */
  readonly connections?: Readonly<Record<string, ScriptedConnection>>
}

export const locationOf = (device: ScriptedDevice): string => `http://${device.host}/root.xml`

/** The answers of all these devices; anything else is asked in vain. */
export function answersOf(...devices: readonly ScriptedDevice[]): (request: HttpRequest) => ScriptedAnswer {
  return (request) => {
    const device = devices.find((each) => each.host === request.url.host)
    if (device === undefined) throw new Error(`nobody is at ${request.url.href}`)
    if (request.method === 'GET') {
      return device.description ?? { body: igdDescription(device.services ? { services: device.services } : {}) }
    }
    const connection = (device.connections ?? { '/ctl/0': {} })[request.url.pathname]
    return connection === undefined ? { status: 404, body: '' } : answerOf(connection, request.action)
  }
}

function answerOf(connection: ScriptedConnection, action: string): ScriptedAnswer {
  const { status = 'Connected', address = PUBLIC_ADDRESS, afterMs = 0 } = connection
  const asked = action === 'GetStatusInfo' ? status : address
  if (typeof asked === 'number') return { status: 500, body: soapFault(asked), afterMs }
  return { body: action === 'GetStatusInfo' ? statusReply(asked) : addressReply(asked), afterMs }
}
