/**
 * The service descriptions (UPnP Device Architecture 1.1, 2.5), made from the table of actions: a control point reads
 * in them which actions there are, with which arguments of which types.
 */
import { IGD_ACTIONS, type IgdActionName, type IgdService } from '../wire/igd-actions.js'
import { encodeEntities } from '../wire/xml.js'

type ActionTable = typeof IGD_ACTIONS
type ArgumentName = { [A in IgdActionName]: ActionTable[A]['in' | 'out'][number] }[IgdActionName]

interface StateVariable {
  readonly name: string
  readonly dataType: 'string' | 'boolean' | 'ui2' | 'ui4'
  readonly allowedValues?: readonly string[]
  readonly allowedRange?: readonly [number, number]
}

/** WANIPConnection:2 table 2-2, WANCommonInterfaceConfig:1 table 2-1: the state variable behind each argument. */
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
  NewPortMappingIndex: { name: 'PortMappingNumberOfEntries', dataType: 'ui2' },
  NewRemoteHost: { name: 'RemoteHost', dataType: 'string' },
  NewExternalPort: { name: 'ExternalPort', dataType: 'ui2' },
  NewProtocol: { name: 'PortMappingProtocol', dataType: 'string', allowedValues: ['TCP', 'UDP'] },
  NewInternalPort: { name: 'InternalPort', dataType: 'ui2', allowedRange: [1, 65535] },
  NewInternalClient: { name: 'InternalClient', dataType: 'string' },
  NewEnabled: { name: 'PortMappingEnabled', dataType: 'boolean' },
  NewPortMappingDescription: { name: 'PortMappingDescription', dataType: 'string' },
  NewLeaseDuration: { name: 'PortMappingLeaseDuration', dataType: 'ui4', allowedRange: [0, 604_800] },
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
}

interface DescribedAction {
  readonly name: string
  readonly in: readonly ArgumentName[]
  readonly out: readonly ArgumentName[]
}

export function encodeServiceDescription(service: IgdService): string {
  const actions: DescribedAction[] = Object.entries(IGD_ACTIONS)
    .filter(([, action]) => action.service === service)
    .map(([name, action]) => ({ name, in: action.in, out: action.out }))
  const names = new Set(actions.flatMap((action) => [...action.in, ...action.out]))
  // Two arguments may share a variable, which is declared once.
  const variables = new Map([...names].map((name) => [STATE_VARIABLES[name].name, STATE_VARIABLES[name]]))
  return (
    '<?xml version="1.0"?>\n<scpd xmlns="urn:schemas-upnp-org:service-1-0">' +
    '<specVersion><major>1</major><minor>1</minor></specVersion>' +
    `<actionList>${actions.map(encodeAction).join('')}</actionList>` +
    `<serviceStateTable>${[...variables.values()].map(encodeVariable).join('')}</serviceStateTable></scpd>\n`
  )
}

/** In arguments come before out arguments; an action without any has no argumentList (UDA 1.1 2.5). */
function encodeAction(action: DescribedAction): string {
  const args = [...action.in.map((name) => argument(name, 'in')), ...action.out.map((name) => argument(name, 'out'))]
  const list = args.length === 0 ? '' : `<argumentList>${args.join('')}</argumentList>`
  return `<action>${tag('name', action.name)}${list}</action>`
}

function argument(name: ArgumentName, direction: 'in' | 'out'): string {
  const related = tag('relatedStateVariable', STATE_VARIABLES[name].name)
  return `<argument>${tag('name', name)}${tag('direction', direction)}${related}</argument>`
}

/** Nothing is evented: the gateway takes no subscriptions. */
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
