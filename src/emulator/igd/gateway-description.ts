/**
 * What the emulated gateway says it is: the three devices of an InternetGatewayDevice (InternetGatewayDevice:2 figure 1)
 * with the services that it offers.
 */
import type { Device, RootDescription, Service } from '../../wire/description.js'
import type { IgdOffer, OfferedService } from './offer.js'

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

export function describeGateway({ deviceVersion, services }: IgdOffer, facts: DescriptionFacts): RootDescription {
  const common = { ...facts, deviceVersion }
  const isOfWanDevice = ({ name }: OfferedService): boolean => name === 'WANCommonInterfaceConfig'
  const connectionServices = services.filter((service) => !isOfWanDevice(service))
  const wanConnectionDevice = device(common, 'WANConnectionDevice', 2, connectionServices, [])
  const wanDevice = device(common, 'WANDevice', 1, services.filter(isOfWanDevice), [wanConnectionDevice])
  return { URLBase: '', device: device(common, 'InternetGatewayDevice', 0, [], [wanDevice]) }
}

function device(
  facts: DescriptionFacts & Pick<IgdOffer, 'deviceVersion'>,
  type: string,
  place: number,
  services: readonly OfferedService[],
  deviceList: readonly Device[],
): Device {
  return {
    deviceType: `urn:schemas-upnp-org:device:${type}:${facts.deviceVersion}`,
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

function describeService({ serviceTypes, serviceId, descriptionPath, controlPath }: OfferedService): Service {
  // UDA 1.1 2.3: a service that sends no events has an empty eventSubURL.
  return { serviceType: serviceTypes[0], serviceId, SCPDURL: descriptionPath, controlURL: controlPath, eventSubURL: '' }
}

/** Every device has a UDN of its own (UDA 1.1 2.3): the last twelve digits, counted on. */
function laterUuid(uuid: string, steps: number): string {
  const last = (Number.parseInt(uuid.slice(-12), 16) + steps) % 2 ** 48
  return uuid.slice(0, -12) + last.toString(16).padStart(12, '0')
}
