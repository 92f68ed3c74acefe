/** From a description to the services that a port mapper needs, with URLs that may be used. Pure. */
import { allDevices, allServices, type RootDescription, type Service, serviceKind } from '../wire/description.js'
import type { IgdService } from '../wire/igd-actions.js'
import { type Trust, trustedUrl } from './trusted-url.js'

/** More connections than this one box never has. */
const MAX_CONNECTIONS = 8

/** A service with where to reach it: first the URL that the description means, then the other one that it may mean. */
export interface ControlledService {
  readonly service: IgdService
  /** As the description spells it; SOAPAction and body must repeat it. */
  readonly serviceType: string
  /** Never empty. */
  readonly controlUrls: readonly URL[]
}

export interface IgdServices {
  /** WANIPConnection and WANPPPConnection, whatever the version, in the order of the document. */
  readonly connections: readonly ControlledService[]
  readonly commonInterfaceConfig: ControlledService | undefined
  readonly firewallControl: ControlledService | undefined
  /** Of the last device that has one, as it is written there. */
  readonly presentationUrl: string
}

const KINDS: ReadonlyMap<string, IgdService> = new Map([
  ['WANIPConnection', 'WANConnection'],
  ['WANPPPConnection', 'WANConnection'],
  ['WANCommonInterfaceConfig', 'WANCommonInterfaceConfig'],
  ['WANIPv6FirewallControl', 'WANIPv6FirewallControl'],
])

export function igdServices(description: RootDescription, location: string, trust: Trust): IgdServices {
  const bases = [...usableBase(description.URLBase, location, trust), location]
  const services = allServices(description.device).flatMap((service) => controlled(service, bases, trust))
  const presentations = [...allDevices(description.device)].map((device) => device.presentationURL)
  return {
    connections: services.filter((each) => each.service === 'WANConnection').slice(0, MAX_CONNECTIONS),
    commonInterfaceConfig: services.find((each) => each.service === 'WANCommonInterfaceConfig'),
    firewallControl: services.find((each) => each.service === 'WANIPv6FirewallControl'),
    presentationUrl: presentations.filter((url) => url !== '').at(-1) ?? '',
  }
}

/** URLBase is often wrong (an old LAN address), so one that we would not go to does not count. */
function usableBase(urlBase: string, location: string, trust: Trust): string[] {
  const base = urlBase === '' ? undefined : trustedUrl(urlBase, location, trust)
  return base === undefined ? [] : [base.href]
}

function controlled(service: Service, bases: readonly string[], trust: Trust): ControlledService[] {
  const kind = KINDS.get(serviceKind(service.serviceType))
  if (kind === undefined || service.controlURL === '') return [] // some Realtek stacks leave controlURL empty
  const urls = bases.flatMap((base) => trustedUrl(service.controlURL, base, trust) ?? [])
  const distinct = urls.filter((url, at) => urls.findIndex((other) => other.href === url.href) === at)
  return distinct.length === 0 ? [] : [{ service: kind, serviceType: service.serviceType, controlUrls: distinct }]
}
