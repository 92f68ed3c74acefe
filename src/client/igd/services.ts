/** Finds in a description the services that a port mapper needs, with the URLs that may be used. Pure. */
import { parseZonedUrl, zonedUrlText } from '../../domain/url.js'
import { allDevices, allServices, type RootDescription, type Service, serviceKind } from '../../wire/description.js'
import type { IgdService } from '../../wire/igd-actions.js'
import { type Trust, trustedUrl } from '../trusted-url.js'

/** No box has more connections than this. */
const MAX_CONNECTIONS = 8

/** A service and its URLs: first the URL that the description means, then the other one that it may mean. */
export interface ControlledService {
  readonly service: IgdService
  /** As in the description. The header SOAPAction and the body must repeat it exactly. */
  readonly serviceType: string
  /** Never empty. */
  readonly controlUrls: readonly URL[]
  /** The same for its events; empty or left out if there are none. */
  readonly eventUrls?: readonly URL[]
}

export interface IgdServices {
  /** WANIPConnection and WANPPPConnection, whatever the version, in the order of the document. */
  readonly connections: readonly ControlledService[]
  readonly commonInterfaceConfig: ControlledService | undefined
  readonly firewallControl: ControlledService | undefined
  /** Of the last device that has one, unchanged. */
  readonly presentationUrl: string
}

export interface DescribedServices extends IgdServices {
  /** The control URLs of connections that may not be used, as they are written. */
  readonly elsewhere: readonly string[]
}

const KINDS: ReadonlyMap<string, IgdService> = new Map([
  ['WANIPConnection', 'WANConnection'],
  ['WANPPPConnection', 'WANConnection'],
  ['WANCommonInterfaceConfig', 'WANCommonInterfaceConfig'],
  ['WANIPv6FirewallControl', 'WANIPv6FirewallControl'],
])

export function igdServices(description: RootDescription, location: string, trust: Trust): DescribedServices {
  // URLBase is often wrong (an old LAN address), so it counts only if it may be used.
  const base = description.URLBase === '' ? undefined : trustedUrl(description.URLBase, location, trust)
  const bases = base === undefined ? [location] : [base.href, location]
  const described = allServices(description.device)
  const services = described.flatMap((service) => controlled(service, bases, trust))
  const isRefused = (service: Service): boolean =>
    kindOf(service) === 'WANConnection' && service.controlURL !== '' && controlled(service, bases, trust).length === 0
  const presentations = [...allDevices(description.device)].map((device) => device.presentationURL)
  return {
    connections: services.filter((each) => each.service === 'WANConnection').slice(0, MAX_CONNECTIONS),
    commonInterfaceConfig: services.find((each) => each.service === 'WANCommonInterfaceConfig'),
    firewallControl: services.find((each) => each.service === 'WANIPv6FirewallControl'),
    elsewhere: described.filter(isRefused).map(({ controlURL }) => controlURL),
    presentationUrl: presentations.filter((url) => url !== '').at(-1) ?? '',
  }
}

function kindOf({ serviceType }: Service): IgdService | undefined {
  return KINDS.get(serviceKind(serviceType))
}

function controlled(service: Service, bases: readonly string[], trust: Trust): ControlledService[] {
  const kind = kindOf(service)
  if (kind === undefined || service.controlURL === '') return [] // some Realtek stacks leave controlURL empty
  const controlUrls = usableUrls(service.controlURL, bases, trust)
  const eventUrls = usableUrls(service.eventSubURL, bases, trust)
  return controlUrls.length === 0 ? [] : [{ service: kind, serviceType: service.serviceType, controlUrls, eventUrls }]
}

/** The URLs that the reference may mean, without repeats. An empty reference means no events (UDA 1.1 2.3). */
function usableUrls(reference: string, bases: readonly string[], trust: Trust): URL[] {
  if (reference === '') return []
  const urls = bases.flatMap((base) => trustedUrl(reference, base, trust) ?? [])
  return urls.filter((url, at) => urls.findIndex((other) => other.href === url.href) === at)
}

/** The event URL with the origin of the control URL in use, or else the first one; with the same zone. */
export function eventUrlBeside(controlUrl: string, { eventUrls = [] }: ControlledService): string | undefined {
  const inUse = parseZonedUrl(controlUrl)
  const url = eventUrls.find(({ origin }) => origin === inUse?.url.origin) ?? eventUrls[0]
  return url && zonedUrlText({ url, zone: inUse?.zone ?? '' })
}
