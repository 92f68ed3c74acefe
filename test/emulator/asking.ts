/** How tests call the emulated gateway: with requests as the HTTP server passes them on. */

import type { GatewayState } from '../../src/emulator/gateway-state.ts'
import { describeGateway, IGD2 } from '../../src/emulator/igd/descriptions.ts'
import { createIgdResponder, type IgdResponderOptions } from '../../src/emulator/igd/responder.ts'
import { MappingTable } from '../../src/emulator/tables/mapping-table.ts'
import { PinholeTable } from '../../src/emulator/tables/pinhole-table.ts'
import type { ServedReply, ServedRequest } from '../../src/net/http/server.ts'
import { decodeSoapReply, encodeSoapRequest, type SoapReply } from '../../src/wire/soap.ts'

export const WANIP1 = 'urn:schemas-upnp-org:service:WANIPConnection:1'
export const WANIP2 = 'urn:schemas-upnp-org:service:WANIPConnection:2'
export const COMMON1 = 'urn:schemas-upnp-org:service:WANCommonInterfaceConfig:1'
export const FIREWALL1 = 'urn:schemas-upnp-org:service:WANIPv6FirewallControl:1'
export const WANIP_CONTROL = '/control/WANIPConnection'
export const COMMON_CONTROL = '/control/WANCommonInterfaceConfig'
export const FIREWALL_CONTROL = '/control/WANIPv6FirewallControl'

export const WHERE = {
  WANConnection: { serviceType: WANIP2, target: WANIP_CONTROL },
  WANCommonInterfaceConfig: { serviceType: COMMON1, target: COMMON_CONTROL },
  WANIPv6FirewallControl: { serviceType: FIREWALL1, target: FIREWALL_CONTROL },
} as const

export const DESCRIPTION_FACTS = {
  friendlyName: 'Test <gateway>',
  manufacturer: 'maker',
  modelName: 'model',
  modelNumber: '1',
  uuid: '11111111-2222-3333-4444-5555555555ff',
  presentationUrl: 'http://127.0.0.1/',
}

export const FACTS = {
  externalAddress: '11.22.33.44',
  connectionType: 'IP_Routed',
  connectionStatus: 'Connected',
  lastConnectionError: 'ERROR_NONE',
  linkRates: { upstreamBitsPerSecond: 20_000_000, downstreamBitsPerSecond: 100_000_000 },
  traffic: { bytesSent: 1, bytesReceived: 2 ** 32 + 2, packetsSent: 3, packetsReceived: 4 },
  secureMode: false,
  firewallEnabled: true,
  inboundPinholeAllowed: true,
  pinholesOnlyForAsking: true,
  pinholePackets: 7,
  outboundPinholeTimeoutSeconds: 120,
}

export const MAPPING = {
  NewRemoteHost: '',
  NewExternalPort: '8080',
  NewProtocol: 'TCP',
  NewInternalPort: '80',
  NewInternalClient: '192.168.1.5',
  NewEnabled: '1',
  NewPortMappingDescription: 'web & co',
  NewLeaseDuration: '3600',
}

export const KEY = { NewRemoteHost: '', NewExternalPort: '8080', NewProtocol: 'TCP' }

export const PINHOLE = {
  RemoteHost: '2001:db8:9::1',
  RemotePort: '0',
  Protocol: '6',
  InternalPort: '8080',
  InternalClient: '2001:db8::5',
  LeaseTime: '3600',
}

/** All TCP mappings. */
export const RANGE = {
  NewStartPort: '1',
  NewEndPort: '65535',
  NewProtocol: 'TCP',
  NewManage: '1',
  NewNumberOfPorts: '0',
}

export function makeState(changes: Partial<GatewayState> = {}): GatewayState {
  return { facts: FACTS, table: new MappingTable(), pinholes: new PinholeTable(), startedMs: 0, bootId: 0, ...changes }
}

type ResponderChanges = Partial<GatewayState> & Pick<IgdResponderOptions, 'onAction'>

export function makeResponder({ onAction, ...changes }: ResponderChanges = {}): ReturnType<typeof createIgdResponder> {
  return createIgdResponder({
    state: makeState(changes),
    offer: IGD2,
    description: describeGateway(IGD2, DESCRIPTION_FACTS),
    server: 'test/1 UPnP/1.1 test/1',
    ...(onAction === undefined ? {} : { onAction }),
  })
}

export function request(changes: Partial<ServedRequest> = {}): ServedRequest {
  return {
    method: 'GET',
    target: '/rootDesc.xml',
    headers: new Map([['host', '127.0.0.1:5000']]),
    body: new Uint8Array(),
    remoteAddress: '192.168.1.5',
    localAddress: '192.168.1.1',
    ...changes,
  }
}

export interface Asked {
  readonly action: string
  readonly args?: Readonly<Record<string, string>>
  readonly serviceType?: string
  readonly target?: string
  readonly remoteAddress?: string
}

export function soapRequest(asked: Asked): ServedRequest {
  const { action, args = {}, serviceType = WANIP2, target = WANIP_CONTROL, remoteAddress = '192.168.1.5' } = asked
  const body = encodeSoapRequest({ serviceType, action, arguments: Object.entries(args) })
  return request({
    method: 'POST',
    target,
    headers: new Map([
      ['host', '127.0.0.1:5000'],
      ['soapaction', `"${serviceType}#${action}"`],
    ]),
    body: new TextEncoder().encode(body),
    remoteAddress,
  })
}

export function decoded(reply: ServedReply, action: string): SoapReply {
  return decodeSoapReply(new TextEncoder().encode(reply.body), action)
}

/** The error number of a fault, or the arguments of a response as an object. */
export function outcome(reply: ServedReply, action: string): number | Record<string, string> {
  const soap = decoded(reply, action)
  return soap.kind === 'fault' ? soap.errorCode : Object.fromEntries(soap.arguments)
}

export function ask(asked: Asked, responder = makeResponder(), nowMs = 0): number | Record<string, string> {
  return outcome(responder(soapRequest(asked), nowMs), asked.action)
}
