/**
 * What the emulated gateway offers over UPnP, and what it says about that. The device description has the three devices
 * of an InternetGatewayDevice (InternetGatewayDevice:2 figure 1). A service description (UDA 1.1 2.5) lists actions,
 * arguments and types as in the table in wire/igd-actions.ts. The gateway is an InternetGatewayDevice:2, unless a quirk
 * changes that.
 */
import { type Device, type RootDescription, type Service, serviceKind } from '../../wire/description.js'
import { IGD_ACTIONS, type IgdActionName, type IgdService, isIgdActionName } from '../../wire/igd-actions.js'
import { encodeElement } from '../../wire/xml.js'
import { LONGEST_LEASE_SECONDS } from '../tables/mapping-table.js'
import { LONGEST_PINHOLE_LEASE_SECONDS } from '../tables/pinhole-table.js'

export interface IgdOffer {
  /** The version of all three devices. */
  readonly deviceVersion: number
  /** In seconds. Infinite if a lease need not end. */
  readonly longestLeaseSeconds: number
  readonly services: readonly OfferedService[]
}

export interface OfferedService {
  readonly name: IgdService
  /** First the type in the description, then the older ones that a client may use instead (UDA 1.1 2.3). */
  readonly serviceTypes: readonly [string, ...string[]]
  readonly serviceId: string
  readonly descriptionPath: string
  readonly controlPath: string
  readonly actions: readonly IgdActionName[]
}

export const IGD2: IgdOffer = {
  deviceVersion: 2,
  longestLeaseSeconds: LONGEST_LEASE_SECONDS,
  services: [
    offered('WANCommonInterfaceConfig', 'WANCommonIFC1', ['urn:schemas-upnp-org:service:WANCommonInterfaceConfig:1']),
    offered('WANConnection', 'WANIPConn1', [
      'urn:schemas-upnp-org:service:WANIPConnection:2',
      'urn:schemas-upnp-org:service:WANIPConnection:1',
    ]),
    offered('WANIPv6FirewallControl', 'WANIPv6Firewall1', ['urn:schemas-upnp-org:service:WANIPv6FirewallControl:1']),
  ],
}

function offered(name: IgdService, id: string, serviceTypes: readonly [string, ...string[]]): OfferedService {
  const kind = serviceKind(serviceTypes[0])
  return {
    name,
    serviceTypes,
    serviceId: `urn:upnp-org:serviceId:${id}`,
    descriptionPath: `/${kind}.xml`,
    controlPath: `/control/${kind}`,
    actions: Object.keys(IGD_ACTIONS)
      .filter(isIgdActionName)
      .filter((action) => IGD_ACTIONS[action].service === name),
  }
}

export const DESCRIPTION_PATH = '/rootDesc.xml'
/** Of the WAN connection, the only service that sends events. */
export const EVENT_PATH = '/event/WANConnection'

/** WANIPConnection:2 table 2-2, as far as the gateway tells of them. */
const EVENTED: ReadonlySet<string> = new Set(['ConnectionStatus', 'ExternalIPAddress'])

/** The texts of the device description (UDA 1.1 2.3). */
export interface DescriptionFacts {
  /** The name that a user sees. Default `Emulated gateway`. */
  readonly friendlyName: string
  /** Default `upnp-ts`. */
  readonly manufacturer: string
  /** Default `upnp-ts emulator`. */
  readonly modelName: string
  /** Default `1`. */
  readonly modelNumber: string
  /** The UUID of the root device, without `uuid:`. The two devices in it have the next two UUIDs. Default: random. */
  readonly uuid: string
  /** The URL of the gateway's own web page. Default: the URL of the description. */
  readonly presentationUrl: string
}

export function describeGateway({ deviceVersion, services }: IgdOffer, facts: DescriptionFacts): RootDescription {
  const device = (
    type: string,
    place: number,
    serviceList: readonly OfferedService[],
    deviceList: readonly Device[],
  ): Device => ({
    deviceType: `urn:schemas-upnp-org:device:${type}:${deviceVersion}`,
    friendlyName: place === 0 ? facts.friendlyName : type,
    manufacturer: facts.manufacturer,
    modelName: facts.modelName,
    modelNumber: facts.modelNumber,
    UDN: `uuid:${laterUuid(facts.uuid, place)}`,
    presentationURL: place === 0 ? facts.presentationUrl : '',
    serviceList: serviceList.map(describeService),
    deviceList,
  })
  const isOfWanDevice = ({ name }: OfferedService): boolean => name === 'WANCommonInterfaceConfig'
  const connectionServices = services.filter((service) => !isOfWanDevice(service))
  const wanConnectionDevice = device('WANConnectionDevice', 2, connectionServices, [])
  const wanDevice = device('WANDevice', 1, services.filter(isOfWanDevice), [wanConnectionDevice])
  return { URLBase: '', device: device('InternetGatewayDevice', 0, [], [wanDevice]) }
}

function describeService({ name, serviceTypes, serviceId, descriptionPath, controlPath }: OfferedService): Service {
  // UDA 1.1 2.3: eventSubURL is empty if a service sends no events.
  const eventSubURL = name === 'WANConnection' ? EVENT_PATH : ''
  return { serviceType: serviceTypes[0], serviceId, SCPDURL: descriptionPath, controlURL: controlPath, eventSubURL }
}

/** Every device has its own UDN (UDA 1.1 2.3): the root's last twelve digits plus `steps`. */
function laterUuid(uuid: string, steps: number): string {
  const last = (Number.parseInt(uuid.slice(-12), 16) + steps) % 2 ** 48
  return uuid.slice(0, -12) + last.toString(16).padStart(12, '0')
}

type ActionTable = typeof IGD_ACTIONS
type ArgumentName = { [A in IgdActionName]: ActionTable[A]['in' | 'out'][number] }[IgdActionName]

interface StateVariable {
  readonly name: string
  readonly dataType: 'string' | 'boolean' | 'ui2' | 'ui4'
  readonly allowedValues?: readonly string[]
  readonly allowedRange?: readonly [number, number]
}

function oneOf(name: string, ...allowedValues: readonly string[]): StateVariable {
  return { name, dataType: 'string', allowedValues }
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

/** WANIPConnection:2 table 2-2, WANCommonInterfaceConfig:1 table 2-1, WANIPv6FirewallControl:1 table 2-1. */
const STATE_VARIABLES: Readonly<Record<ArgumentName, StateVariable>> = {
  NewConnectionType: { name: 'ConnectionType', dataType: 'string' },
  NewPossibleConnectionTypes: oneOf('PossibleConnectionTypes', 'Unconfigured', 'IP_Routed', 'IP_Bridged'),
  NewConnectionStatus: oneOf(
    'ConnectionStatus',
    'Unconfigured',
    'Connecting',
    'Connected',
    'PendingDisconnect',
    'Disconnecting',
    'Disconnected',
  ),
  NewLastConnectionError: { name: 'LastConnectionError', dataType: 'string' },
  NewUptime: { name: 'Uptime', dataType: 'ui4' },
  NewExternalIPAddress: { name: 'ExternalIPAddress', dataType: 'string' },
  NewPortMappingIndex: NUMBER_OF_ENTRIES,
  NewRemoteHost: { name: 'RemoteHost', dataType: 'string' },
  NewExternalPort: EXTERNAL_PORT,
  NewProtocol: oneOf('PortMappingProtocol', 'TCP', 'UDP'),
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
  NewWANAccessType: oneOf('WANAccessType', 'DSL', 'POTS', 'Cable', 'Ethernet'),
  NewLayer1UpstreamMaxBitRate: { name: 'Layer1UpstreamMaxBitRate', dataType: 'ui4' },
  NewLayer1DownstreamMaxBitRate: { name: 'Layer1DownstreamMaxBitRate', dataType: 'ui4' },
  NewPhysicalLinkStatus: oneOf('PhysicalLinkStatus', 'Up', 'Down', 'Initializing', 'Unavailable'),
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

export function encodeServiceDescription({ actions }: OfferedService, { longestLeaseSeconds }: IgdOffer): string {
  const names = actions.flatMap((name): ArgumentName[] => [...IGD_ACTIONS[name].in, ...IGD_ACTIONS[name].out])
  // Two arguments may have the same variable, which is declared once.
  const variables = new Map(names.map((name) => [STATE_VARIABLES[name].name, STATE_VARIABLES[name]]))
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
function encodeAction(name: IgdActionName): string {
  const args = encodeArguments(IGD_ACTIONS[name].in, 'in') + encodeArguments(IGD_ACTIONS[name].out, 'out')
  const list = args === '' ? '' : `<argumentList>${args}</argumentList>`
  return `<action>${encodeElement('name', name)}${list}</action>`
}

function encodeArguments(names: readonly ArgumentName[], direction: 'in' | 'out'): string {
  const encode = (name: ArgumentName): string => {
    const related = encodeElement('relatedStateVariable', STATE_VARIABLES[name].name)
    return `<argument>${encodeElement('name', name)}${encodeElement('direction', direction)}${related}</argument>`
  }
  return names.map(encode).join('')
}

function encodeVariable({ name, dataType, allowedValues, allowedRange }: StateVariable): string {
  const values = allowedValues?.map((value) => encodeElement('allowedValue', value)).join('')
  const list = values === undefined ? '' : `<allowedValueList>${values}</allowedValueList>`
  const range = allowedRange === undefined ? '' : encodeRange(allowedRange)
  const head = encodeElement('name', name) + encodeElement('dataType', dataType)
  return `<stateVariable sendEvents="${EVENTED.has(name) ? 'yes' : 'no'}">${head}${list}${range}</stateVariable>`
}

function encodeRange([minimum, maximum]: readonly [number, number]): string {
  const limits = encodeElement('minimum', String(minimum)) + encodeElement('maximum', String(maximum))
  return `<allowedValueRange>${limits}</allowedValueRange>`
}
