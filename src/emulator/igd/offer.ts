/** What the emulated gateway offers over UPnP. It is an InternetGatewayDevice:2, unless a quirk changes that. */
import { serviceKind } from '../../wire/description.js'
import { IGD_ACTIONS, type IgdActionName, type IgdService, isIgdActionName } from '../../wire/igd-actions.js'
import { LONGEST_LEASE_SECONDS } from '../tables/mapping-table.js'

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
