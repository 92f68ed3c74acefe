/**
 * The service descriptions (UPnP Device Architecture 1.1, 2.5), made from the table in wire/igd-actions.ts. A service
 * description lists the actions of a service, and the arguments of each action with their types.
 */
import { IGD_ACTIONS, type IgdActionName } from '../../wire/igd-actions.js'
import { encodeEntities } from '../../wire/xml.js'
import { LONGEST_PINHOLE_LEASE_SECONDS } from '../tables/pinhole-table.js'
import type { IgdOffer, OfferedService } from './offer.js'

type ActionTable = typeof IGD_ACTIONS
type ArgumentName = { [A in IgdActionName]: ActionTable[A]['in' | 'out'][number] }[IgdActionName]

interface StateVariable {
  readonly name: string
  readonly dataType: 'string' | 'boolean' | 'ui2' | 'ui4'
  readonly allowedValues?: readonly string[]
  readonly allowedRange?: readonly [number, number]
}

const IPV6_ADDRESS = { name: 'A_ARG_TYPE_IPv6Address', dataType: 'string' } as const
const PINHOLE_PORT = { name: 'A_ARG_TYPE_Port', dataType: 'ui2' } as const
const PINHOLE_LEASE = {
  name: 'A_ARG_TYPE_LeaseTime',
  dataType: 'ui4',
  allowedRange: [1, LONGEST_PINHOLE_LEASE_SECONDS],
} as const
const EXTERNAL_PORT = { name: 'ExternalPort', dataType: 'ui2' } as const
const NUMBER_OF_ENTRIES = { name: 'PortMappingNumberOfEntries', dataType: 'ui2' } as const

/**
 * The state variable that gives each argument its type (WANIPConnection:2 table 2-2, WANCommonInterfaceConfig:1 table
 * 2-1, WANIPv6FirewallControl:1 table 2-1).
 */
const STATE_VARIABLES: Readonly<Record<ArgumentName, StateVariable>> = {
  NewConnectionType: { name: 'ConnectionType', dataType: 'string' },
  NewPossibleConnectionTypes: {
    name: 'PossibleConnectionTypes',
    dataType: 'string',
    allowedValues: ['Unconfigured', 'IP_Routed', 'IP_Bridged'],
  },
  NewConnectionStatus: {
    name: 'ConnectionStatus',
    dataType: 'string',
    allowedValues: ['Unconfigured', 'Connecting', 'Connected', 'PendingDisconnect', 'Disconnecting', 'Disconnected'],
  },
  NewLastConnectionError: { name: 'LastConnectionError', dataType: 'string' },
  NewUptime: { name: 'Uptime', dataType: 'ui4' },
  NewExternalIPAddress: { name: 'ExternalIPAddress', dataType: 'string' },
  NewPortMappingIndex: NUMBER_OF_ENTRIES,
  NewRemoteHost: { name: 'RemoteHost', dataType: 'string' },
  NewExternalPort: EXTERNAL_PORT,
  NewProtocol: { name: 'PortMappingProtocol', dataType: 'string', allowedValues: ['TCP', 'UDP'] },
  NewInternalPort: { name: 'InternalPort', dataType: 'ui2', allowedRange: [1, 65535] },
  NewInternalClient: { name: 'InternalClient', dataType: 'string' },
  NewEnabled: { name: 'PortMappingEnabled', dataType: 'boolean' },
  NewPortMappingDescription: { name: 'PortMappingDescription', dataType: 'string' },
  NewLeaseDuration: { name: 'PortMappingLeaseDuration', dataType: 'ui4' },
  NewReservedPort: EXTERNAL_PORT,
  NewStartPort: EXTERNAL_PORT,
  NewEndPort: EXTERNAL_PORT,
  NewManage: { name: 'A_ARG_TYPE_Manage', dataType: 'boolean' },
  NewNumberOfPorts: NUMBER_OF_ENTRIES,
  NewPortListing: { name: 'A_ARG_TYPE_PortListing', dataType: 'string' },
  NewWANAccessType: {
    name: 'WANAccessType',
    dataType: 'string',
    allowedValues: ['DSL', 'POTS', 'Cable', 'Ethernet'],
  },
  NewLayer1UpstreamMaxBitRate: { name: 'Layer1UpstreamMaxBitRate', dataType: 'ui4' },
  NewLayer1DownstreamMaxBitRate: { name: 'Layer1DownstreamMaxBitRate', dataType: 'ui4' },
  NewPhysicalLinkStatus: {
    name: 'PhysicalLinkStatus',
    dataType: 'string',
    allowedValues: ['Up', 'Down', 'Initializing', 'Unavailable'],
  },
  NewTotalBytesSent: { name: 'TotalBytesSent', dataType: 'ui4' },
  NewTotalBytesReceived: { name: 'TotalBytesReceived', dataType: 'ui4' },
  NewTotalPacketsSent: { name: 'TotalPacketsSent', dataType: 'ui4' },
  NewTotalPacketsReceived: { name: 'TotalPacketsReceived', dataType: 'ui4' },
  FirewallEnabled: { name: 'FirewallEnabled', dataType: 'boolean' },
  InboundPinholeAllowed: { name: 'InboundPinholeAllowed', dataType: 'boolean' },
  RemoteHost: IPV6_ADDRESS,
  RemotePort: PINHOLE_PORT,
  InternalClient: IPV6_ADDRESS,
  InternalPort: PINHOLE_PORT,
  Protocol: { name: 'A_ARG_TYPE_Protocol', dataType: 'ui2' },
  LeaseTime: PINHOLE_LEASE,
  NewLeaseTime: PINHOLE_LEASE,
  UniqueID: { name: 'A_ARG_TYPE_UniqueID', dataType: 'ui2' },
  OutboundPinholeTimeout: { name: 'A_ARG_TYPE_OutboundPinholeTimeout', dataType: 'ui4' },
  PinholePackets: { name: 'A_ARG_TYPE_PinholePackets', dataType: 'ui4' },
  IsWorking: { name: 'A_ARG_TYPE_Boolean', dataType: 'boolean' },
}

interface DescribedAction {
  readonly name: string
  readonly in: readonly ArgumentName[]
  readonly out: readonly ArgumentName[]
}

export function encodeServiceDescription(service: OfferedService, { longestLeaseSeconds }: IgdOffer): string {
  const actions: DescribedAction[] = service.actions.map((name) => ({ name, ...IGD_ACTIONS[name] }))
  const names = new Set(actions.flatMap((action) => [...action.in, ...action.out]))
  // Two arguments may have the same variable, which is declared once.
  const variables = new Map([...names].map((name) => [STATE_VARIABLES[name].name, STATE_VARIABLES[name]]))
  const lease = STATE_VARIABLES.NewLeaseDuration
  if (variables.has(lease.name) && Number.isFinite(longestLeaseSeconds))
    variables.set(lease.name, { ...lease, allowedRange: [0, longestLeaseSeconds] })
  return (
    '<?xml version="1.0"?>\n<scpd xmlns="urn:schemas-upnp-org:service-1-0">' +
    '<specVersion><major>1</major><minor>1</minor></specVersion>' +
    `<actionList>${actions.map(encodeAction).join('')}</actionList>` +
    `<serviceStateTable>${[...variables.values()].map(encodeVariable).join('')}</serviceStateTable></scpd>\n`
  )
}

/** In arguments come before out arguments. An action without arguments has no argumentList (UDA 1.1 2.5). */
function encodeAction(action: DescribedAction): string {
  const args = [...action.in.map((name) => argument(name, 'in')), ...action.out.map((name) => argument(name, 'out'))]
  const list = args.length === 0 ? '' : `<argumentList>${args.join('')}</argumentList>`
  return `<action>${tag('name', action.name)}${list}</action>`
}

function argument(name: ArgumentName, direction: 'in' | 'out'): string {
  const related = tag('relatedStateVariable', STATE_VARIABLES[name].name)
  return `<argument>${tag('name', name)}${tag('direction', direction)}${related}</argument>`
}

/** No variable sends events, because the gateway accepts no subscriptions. */
function encodeVariable({ name, dataType, allowedValues, allowedRange }: StateVariable): string {
  const values = allowedValues?.map((value) => tag('allowedValue', value)).join('')
  const list = values === undefined ? '' : `<allowedValueList>${values}</allowedValueList>`
  const [minimum, maximum] = allowedRange?.map(String) ?? []
  const range =
    minimum === undefined || maximum === undefined
      ? ''
      : `<allowedValueRange>${tag('minimum', minimum)}${tag('maximum', maximum)}</allowedValueRange>`
  return `<stateVariable sendEvents="no">${tag('name', name)}${tag('dataType', dataType)}${list}${range}</stateVariable>`
}

function tag(name: string, text: string): string {
  return `<${name}>${encodeEntities(text)}</${name}>`
}
