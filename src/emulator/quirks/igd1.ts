/**
 * The quirk `igd1`: an InternetGatewayDevice:1 with WANIPConnection:1. It lacks what came with version 2:
 * AddAnyPortMapping, DeletePortMappingRange, GetListOfPortMappings and the IPv6 firewall. A lease of 0 never ends
 * (WANIPConnection:1, PortMappingLeaseDuration). aMule, nat-upnp, Net::UPnP and goupnp's clients for version 1 work
 * with no other gateway.
 */
import type { IgdActionName } from '../../wire/igd-actions.js'
import type { IgdOffer } from '../igd/offer.js'
import type { Hooks } from './hooks.js'

const ONLY_IN_VERSION_2: ReadonlySet<IgdActionName> = new Set([
  'AddAnyPortMapping',
  'DeletePortMappingRange',
  'GetListOfPortMappings',
])

export function igd1(): Hooks {
  return { offer }
}

function offer({ services }: IgdOffer): IgdOffer {
  return {
    deviceVersion: 1,
    longestLeaseSeconds: Number.POSITIVE_INFINITY,
    services: services
      .filter(({ name }) => name !== 'WANIPv6FirewallControl')
      .map(({ serviceTypes: [newest, ...older], actions, ...service }) => ({
        ...service,
        serviceTypes: [older.at(-1) ?? newest],
        actions: actions.filter((action) => !ONLY_IN_VERSION_2.has(action)),
      })),
  }
}
