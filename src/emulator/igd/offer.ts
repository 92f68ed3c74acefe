/**
 * What the emulated gateway offers over UPnP: its version, its services and their actions. The gateway is an
 * InternetGatewayDevice:2, unless a quirk changes that.
 */
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
    {
      name: 'WANCommonInterfaceConfig',
      serviceTypes: ['urn:schemas-upnp-org:service:WANCommonInterfaceConfig:1'],
      serviceId: 'urn:upnp-org:serviceId:WANCommonIFC1',
      descriptionPath: '/WANCommonInterfaceConfig.xml',
      controlPath: '/control/WANCommonInterfaceConfig',
      actions: actionsOf('WANCommonInterfaceConfig'),
    },
    {
      name: 'WANConnection', // offered as WANIPConnection
      serviceTypes: [
        'urn:schemas-upnp-org:service:WANIPConnection:2',
        'urn:schemas-upnp-org:service:WANIPConnection:1',
      ],
      serviceId: 'urn:upnp-org:serviceId:WANIPConn1',
      descriptionPath: '/WANIPConnection.xml',
      controlPath: '/control/WANIPConnection',
      actions: actionsOf('WANConnection'),
    },
    {
      name: 'WANIPv6FirewallControl',
      serviceTypes: ['urn:schemas-upnp-org:service:WANIPv6FirewallControl:1'],
      serviceId: 'urn:upnp-org:serviceId:WANIPv6Firewall1',
      descriptionPath: '/WANIPv6FirewallControl.xml',
      controlPath: '/control/WANIPv6FirewallControl',
      actions: actionsOf('WANIPv6FirewallControl'),
    },
  ],
}

function actionsOf(service: IgdService): IgdActionName[] {
  return Object.keys(IGD_ACTIONS)
    .filter(isIgdActionName)
    .filter((action) => IGD_ACTIONS[action].service === service)
}
