/**
 * What the emulated gateway says it is: the three devices of an InternetGatewayDevice:2 (figure 1 there) with their
 * services, and where on the HTTP server each service is found.
 */
import type { Device, RootDescription, Service } from '../../wire/description.js'
import type { IgdService } from '../../wire/igd-actions.js'

export const DESCRIPTION_PATH = '/rootDesc.xml'

export interface DescriptionFacts {
  readonly friendlyName: string
  readonly manufacturer: string
  readonly modelName: string
  readonly modelNumber: string
  /** Of the root device, without `uuid:`; the two devices in it have the next two. */
  readonly uuid: string
  readonly presentationUrl: string
}

interface OfferedService {
  /** The type in the description first, then older ones that a control point may speak (UDA 1.1 2.3). */
  readonly serviceTypes: readonly [string, ...string[]]
  readonly serviceId: string
  readonly descriptionPath: string
  readonly controlPath: string
}

/** WANConnection is offered as WANIPConnection. */
export const SERVICES: Readonly<Record<IgdService, OfferedService>> = {
  WANCommonInterfaceConfig: {
    serviceTypes: ['urn:schemas-upnp-org:service:WANCommonInterfaceConfig:1'],
    serviceId: 'urn:upnp-org:serviceId:WANCommonIFC1',
    descriptionPath: '/WANCommonInterfaceConfig.xml',
    controlPath: '/control/WANCommonInterfaceConfig',
  },
  WANConnection: {
    serviceTypes: ['urn:schemas-upnp-org:service:WANIPConnection:2', 'urn:schemas-upnp-org:service:WANIPConnection:1'],
    serviceId: 'urn:upnp-org:serviceId:WANIPConn1',
    descriptionPath: '/WANIPConnection.xml',
    controlPath: '/control/WANIPConnection',
  },
  WANIPv6FirewallControl: {
    serviceTypes: ['urn:schemas-upnp-org:service:WANIPv6FirewallControl:1'],
    serviceId: 'urn:upnp-org:serviceId:WANIPv6Firewall1',
    descriptionPath: '/WANIPv6FirewallControl.xml',
    controlPath: '/control/WANIPv6FirewallControl',
  },
}

export function describeGateway(facts: DescriptionFacts): RootDescription {
  const connectionServices = ['WANConnection', 'WANIPv6FirewallControl'] as const
  const wanConnectionDevice = device(facts, 'WANConnectionDevice', 2, connectionServices, [])
  const wanDevice = device(facts, 'WANDevice', 1, ['WANCommonInterfaceConfig'], [wanConnectionDevice])
  return { URLBase: '', device: device(facts, 'InternetGatewayDevice', 0, [], [wanDevice]) }
}

function device(
  facts: DescriptionFacts,
  type: string,
  place: number,
  services: readonly IgdService[],
  deviceList: readonly Device[],
): Device {
  return {
    deviceType: `urn:schemas-upnp-org:device:${type}:2`,
    friendlyName: place === 0 ? facts.friendlyName : type,
    manufacturer: facts.manufacturer,
    modelName: facts.modelName,
    modelNumber: facts.modelNumber,
    UDN: `uuid:${laterUuid(facts.uuid, place)}`,
    presentationURL: place === 0 ? facts.presentationUrl : '',
    serviceList: services.map(describeService),
    deviceList,
  }
}

function describeService(name: IgdService): Service {
  const { serviceTypes, serviceId, descriptionPath, controlPath } = SERVICES[name]
  // UDA 1.1 2.3: a service that sends no events has an empty eventSubURL.
  return { serviceType: serviceTypes[0], serviceId, SCPDURL: descriptionPath, controlURL: controlPath, eventSubURL: '' }
}

/** Every device has a UDN of its own (UDA 1.1 2.3): the last twelve digits, counted on. */
function laterUuid(uuid: string, steps: number): string {
  const last = (Number.parseInt(uuid.slice(-12), 16) + steps) % 2 ** 48
  return uuid.slice(0, -12) + last.toString(16).padStart(12, '0')
}
