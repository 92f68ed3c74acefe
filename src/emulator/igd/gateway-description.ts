/**
 * The device description of the emulated gateway: the three devices of an InternetGatewayDevice
 * (InternetGatewayDevice:2 figure 1), with the services that the gateway offers.
 */
import type { Device, RootDescription, Service } from '../../wire/description.js'
import type { IgdOffer, OfferedService } from './offer.js'

export const DESCRIPTION_PATH = '/rootDesc.xml'

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
  // UDA 1.1 2.3: eventSubURL is empty if a service sends no events.
  return { serviceType: serviceTypes[0], serviceId, SCPDURL: descriptionPath, controlURL: controlPath, eventSubURL: '' }
}

/** Every device has its own UDN (UDA 1.1 2.3): the root's last twelve digits plus `steps`. */
function laterUuid(uuid: string, steps: number): string {
  const last = (Number.parseInt(uuid.slice(-12), 16) + steps) % 2 ** 48
  return uuid.slice(0, -12) + last.toString(16).padStart(12, '0')
}
