/**
 * THE TABLE of IGD actions: service, and arguments in and out in the order of the standard (WANIPConnection:2 2.4,
 * WANCommonInterfaceConfig:1 2.4, WANIPv6FirewallControl:1 2.4). The client and the emulator read it.
 */

/** WANConnection stands for both WANIPConnection and WANPPPConnection, because their mapping actions are the same. */
export type IgdService = 'WANConnection' | 'WANCommonInterfaceConfig' | 'WANIPv6FirewallControl'

interface IgdAction {
  readonly service: IgdService
  readonly in: readonly string[]
  readonly out: readonly string[]
}

const MAPPING_KEY = ['NewRemoteHost', 'NewExternalPort', 'NewProtocol'] as const
const MAPPING_VALUE = [
  'NewInternalPort',
  'NewInternalClient',
  'NewEnabled',
  'NewPortMappingDescription',
  'NewLeaseDuration',
] as const

/** Each action: its service, and its arguments in the standard's order. */
export const IGD_ACTIONS = {
  GetConnectionTypeInfo: { service: 'WANConnection', in: [], out: ['NewConnectionType', 'NewPossibleConnectionTypes'] },
  GetStatusInfo: {
    service: 'WANConnection',
    in: [],
    out: ['NewConnectionStatus', 'NewLastConnectionError', 'NewUptime'],
  },
  GetExternalIPAddress: { service: 'WANConnection', in: [], out: ['NewExternalIPAddress'] },
  AddPortMapping: { service: 'WANConnection', in: [...MAPPING_KEY, ...MAPPING_VALUE], out: [] },
  DeletePortMapping: { service: 'WANConnection', in: MAPPING_KEY, out: [] },
  GetSpecificPortMappingEntry: { service: 'WANConnection', in: MAPPING_KEY, out: MAPPING_VALUE },
  GetGenericPortMappingEntry: {
    service: 'WANConnection',
    in: ['NewPortMappingIndex'],
    out: [...MAPPING_KEY, ...MAPPING_VALUE],
  },
  AddAnyPortMapping: { service: 'WANConnection', in: [...MAPPING_KEY, ...MAPPING_VALUE], out: ['NewReservedPort'] },
  DeletePortMappingRange: {
    service: 'WANConnection',
    in: ['NewStartPort', 'NewEndPort', 'NewProtocol', 'NewManage'],
    out: [],
  },
  GetListOfPortMappings: {
    service: 'WANConnection',
    in: ['NewStartPort', 'NewEndPort', 'NewProtocol', 'NewManage', 'NewNumberOfPorts'],
    out: ['NewPortListing'],
  },
  GetCommonLinkProperties: {
    service: 'WANCommonInterfaceConfig',
    in: [],
    out: ['NewWANAccessType', 'NewLayer1UpstreamMaxBitRate', 'NewLayer1DownstreamMaxBitRate', 'NewPhysicalLinkStatus'],
  },
  GetTotalBytesSent: { service: 'WANCommonInterfaceConfig', in: [], out: ['NewTotalBytesSent'] },
  GetTotalBytesReceived: { service: 'WANCommonInterfaceConfig', in: [], out: ['NewTotalBytesReceived'] },
  GetTotalPacketsSent: { service: 'WANCommonInterfaceConfig', in: [], out: ['NewTotalPacketsSent'] },
  GetTotalPacketsReceived: { service: 'WANCommonInterfaceConfig', in: [], out: ['NewTotalPacketsReceived'] },
  // These arguments have no prefix New, except NewLeaseTime. The internal port comes before the internal client, as in
  // miniupnpc, because every router has been tested with that. The standard has the two the other way round.
  GetFirewallStatus: { service: 'WANIPv6FirewallControl', in: [], out: ['FirewallEnabled', 'InboundPinholeAllowed'] },
  GetOutboundPinholeTimeout: {
    service: 'WANIPv6FirewallControl',
    in: ['RemoteHost', 'RemotePort', 'Protocol', 'InternalPort', 'InternalClient'],
    out: ['OutboundPinholeTimeout'],
  },
  AddPinhole: {
    service: 'WANIPv6FirewallControl',
    in: ['RemoteHost', 'RemotePort', 'Protocol', 'InternalPort', 'InternalClient', 'LeaseTime'],
    out: ['UniqueID'],
  },
  UpdatePinhole: { service: 'WANIPv6FirewallControl', in: ['UniqueID', 'NewLeaseTime'], out: [] },
  DeletePinhole: { service: 'WANIPv6FirewallControl', in: ['UniqueID'], out: [] },
  GetPinholePackets: { service: 'WANIPv6FirewallControl', in: ['UniqueID'], out: ['PinholePackets'] },
  CheckPinholeWorking: { service: 'WANIPv6FirewallControl', in: ['UniqueID'], out: ['IsWorking'] },
} as const satisfies Record<string, IgdAction>

/** The name of an action, such as `AddPortMapping`. */
export type IgdActionName = keyof typeof IGD_ACTIONS
/** The arguments of a request, by their names in the standard. */
export type InArguments<A extends IgdActionName> = Readonly<Record<(typeof IGD_ACTIONS)[A]['in'][number], string>>
/** The arguments of the response, by their names in the standard. */
export type OutArguments<A extends IgdActionName> = Readonly<Record<(typeof IGD_ACTIONS)[A]['out'][number], string>>

/** Whether IGD_ACTIONS has that action; the case counts. */
export function isIgdActionName(name: string): name is IgdActionName {
  return Object.hasOwn(IGD_ACTIONS, name)
}

/** [name, value] pairs in the order of the standard, because some routers insist on it. */
export function argumentList(names: readonly string[], values: Readonly<Record<string, string>>): [string, string][] {
  return names.map((name) => [name, values[name] ?? ''])
}
