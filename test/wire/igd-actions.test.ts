import { describe, expect, it } from 'vitest'
import { argumentList, IGD_ACTIONS, isIgdActionName } from '../../src/wire/igd-actions.ts'
import { encodeSoapRequest } from '../../src/wire/soap.ts'

/** The arguments of each request in recorded runs of upnpc 2.3.3, in order. */
const RECORDED: Readonly<Record<string, string>> = {
  GetConnectionTypeInfo: '',
  GetStatusInfo: '',
  GetExternalIPAddress: '',
  GetCommonLinkProperties: '',
  GetTotalBytesSent: '',
  GetTotalBytesReceived: '',
  GetTotalPacketsSent: '',
  GetTotalPacketsReceived: '',
  GetFirewallStatus: '',
  GetGenericPortMappingEntry: '<NewPortMappingIndex>0</NewPortMappingIndex>',
  GetSpecificPortMappingEntry:
    '<NewRemoteHost></NewRemoteHost><NewExternalPort>8080</NewExternalPort><NewProtocol>TCP</NewProtocol>',
  AddPortMapping:
    '<NewRemoteHost></NewRemoteHost><NewExternalPort>8080</NewExternalPort><NewProtocol>TCP</NewProtocol>' +
    '<NewInternalPort>80</NewInternalPort><NewInternalClient>192.168.1.5</NewInternalClient><NewEnabled>1</NewEnabled>' +
    '<NewPortMappingDescription>libminiupnpc</NewPortMappingDescription><NewLeaseDuration>0</NewLeaseDuration>',
  AddAnyPortMapping:
    '<NewRemoteHost></NewRemoteHost><NewExternalPort>8080</NewExternalPort><NewProtocol>TCP</NewProtocol>' +
    '<NewInternalPort>80</NewInternalPort><NewInternalClient>127.0.0.1</NewInternalClient><NewEnabled>1</NewEnabled>' +
    '<NewPortMappingDescription>libminiupnpc</NewPortMappingDescription><NewLeaseDuration>0</NewLeaseDuration>',
  DeletePortMapping:
    '<NewRemoteHost></NewRemoteHost><NewExternalPort>8080</NewExternalPort><NewProtocol>TCP</NewProtocol>',
  DeletePortMappingRange:
    '<NewStartPort>1</NewStartPort><NewEndPort>100</NewEndPort><NewProtocol>TCP</NewProtocol><NewManage>0</NewManage>',
  GetListOfPortMappings:
    '<NewStartPort>1</NewStartPort><NewEndPort>65535</NewEndPort><NewProtocol>TCP</NewProtocol>' +
    '<NewManage>1</NewManage><NewNumberOfPorts>1000</NewNumberOfPorts>',
  AddPinhole:
    '<RemoteHost>::</RemoteHost><RemotePort>0</RemotePort><Protocol>6</Protocol><InternalPort>80</InternalPort>' +
    '<InternalClient>127.0.0.1</InternalClient><LeaseTime>60</LeaseTime>',
  UpdatePinhole: '<UniqueID>4711</UniqueID><NewLeaseTime>100</NewLeaseTime>',
  DeletePinhole: '<UniqueID>1</UniqueID>',
  CheckPinholeWorking: '<UniqueID>4711</UniqueID>',
  GetPinholePackets: '<UniqueID>1</UniqueID>',
  GetOutboundPinholeTimeout:
    '<RemoteHost>::</RemoteHost><RemotePort>0</RemotePort><Protocol>TCP</Protocol><InternalPort>80</InternalPort>' +
    '<InternalClient>127.0.0.1</InternalClient>',
}

/**
 * The results of each action, in the standard's order.
 * (WANIPConnection:2 2.4, WANCommonInterfaceConfig:1 2.4, WANIPv6FirewallControl:1 2.4)
 */
const OUT: Readonly<Record<string, string>> = {
  GetConnectionTypeInfo: 'NewConnectionType NewPossibleConnectionTypes',
  GetStatusInfo: 'NewConnectionStatus NewLastConnectionError NewUptime',
  GetExternalIPAddress: 'NewExternalIPAddress',
  AddPortMapping: '',
  DeletePortMapping: '',
  GetSpecificPortMappingEntry:
    'NewInternalPort NewInternalClient NewEnabled NewPortMappingDescription NewLeaseDuration',
  GetGenericPortMappingEntry:
    'NewRemoteHost NewExternalPort NewProtocol NewInternalPort NewInternalClient NewEnabled NewPortMappingDescription NewLeaseDuration',
  GetCommonLinkProperties:
    'NewWANAccessType NewLayer1UpstreamMaxBitRate NewLayer1DownstreamMaxBitRate NewPhysicalLinkStatus',
  GetTotalBytesSent: 'NewTotalBytesSent',
  GetTotalBytesReceived: 'NewTotalBytesReceived',
  GetTotalPacketsSent: 'NewTotalPacketsSent',
  GetTotalPacketsReceived: 'NewTotalPacketsReceived',
  AddAnyPortMapping: 'NewReservedPort',
  DeletePortMappingRange: '',
  GetListOfPortMappings: 'NewPortListing',
  GetFirewallStatus: 'FirewallEnabled InboundPinholeAllowed',
  GetOutboundPinholeTimeout: 'OutboundPinholeTimeout',
  AddPinhole: 'UniqueID',
  UpdatePinhole: '',
  DeletePinhole: '',
  GetPinholePackets: 'PinholePackets',
  CheckPinholeWorking: 'IsWorking',
}

const recorded = Object.entries(RECORDED).flatMap(([name, text]) =>
  isIgdActionName(name) ? [[name, text] as const] : [],
)
const documented = Object.entries(OUT).flatMap(([name, text]) => (isIgdActionName(name) ? [[name, text] as const] : []))

describe('the table of actions', () => {
  it('has every action that upnpc uses, and no other', () => {
    const names = Object.keys(IGD_ACTIONS).toSorted()
    expect(Object.keys(OUT).toSorted()).toEqual(names)
    expect(Object.keys(RECORDED).toSorted()).toEqual(names)
  })

  it('has the service of every action', () => {
    const of = (service: string): string[] =>
      Object.entries(IGD_ACTIONS).flatMap(([name, action]) => (action.service === service ? [name] : []))
    expect(of('WANIPv6FirewallControl').toSorted()).toEqual(
      Object.keys(OUT)
        .filter((name) => /Pinhole|Firewall/.test(name))
        .toSorted(),
    )
    expect(of('WANCommonInterfaceConfig').toSorted()).toEqual(
      Object.keys(OUT)
        .filter((name) => /^GetTotal|Link/.test(name))
        .toSorted(),
    )
  })

  it.each(recorded)('writes %s with the arguments and in the order of upnpc', (name, text) => {
    const values = Object.fromEntries(
      [...text.matchAll(/<(\w+)>([^<]*)</g)].map(([, key, value]) => [key, value ?? '']),
    )
    const request = encodeSoapRequest({
      serviceType: 'urn:x',
      action: name,
      arguments: argumentList(IGD_ACTIONS[name].in, values),
    })
    expect(request).toContain(`<u:${name} xmlns:u="urn:x">${text}</u:${name}>`)
  })

  it.each(documented)('has the results of the standard for %s', (name, names) => {
    expect(IGD_ACTIONS[name].out.join(' ')).toBe(names)
  })

  it.each(Object.entries(IGD_ACTIONS))('names no argument of %s twice', (_name, action) => {
    for (const names of [action.in, action.out]) expect(new Set<string>(names).size).toBe(names.length)
  })

  it.each(['GetStatusInfo', 'AddPortMapping'])('knows %s', (name) => expect(isIgdActionName(name)).toBe(true))

  it.each(['', 'getstatusinfo', 'Reboot', '__proto__', 'constructor', 'toString', 'hasOwnProperty'])(
    'does not know %j',
    (name) => expect(isIgdActionName(name)).toBe(false),
  )
})

describe('argumentList', () => {
  it('keeps the order of the names, with an empty text for what is missing (Q82)', () => {
    expect(argumentList(['A', 'B', 'C'], { C: '3', A: '1' })).toEqual([
      ['A', '1'],
      ['B', ''],
      ['C', '3'],
    ])
  })
})
