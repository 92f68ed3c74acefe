/** Which of this computer's addresses leads to a host, as the system's interfaces and default gateways tell it. */
import {
  isIPv6Host,
  isLinkLocalIPv6,
  onSameSubnet,
  parseIPv4,
  samePrefixIPv6,
  splitZone,
  withZone,
} from '../domain/address.js'
import { type InterfaceAddress, interfaceAddresses, isIPv6Interface } from './interfaces.js'
import { defaultGateways } from './tables/routes.js'

/**
 * The address on the host's own link; for a host that is on none, the one beside the default gateway. Undefined if there
 * is neither. (The routing table knows better, but only a connected socket can ask it.) A link-local address has its zone.
 */
export async function ownAddressTowards(
  host: string,
  interfaces: readonly InterfaceAddress[] = interfaceAddresses(),
  gatewaysOf: (family: 4 | 6) => Promise<readonly string[]> = defaultGateways,
): Promise<string | undefined> {
  const beside = isIPv6Host(host) ? besideIPv6 : besideIPv4
  const near = beside(host, interfaces, host)
  if (near !== undefined || isLinkLocalIPv6(host)) return near
  const gateways = await gatewaysOf(isIPv6Host(host) ? 6 : 4)
  return gateways.map((gateway) => beside(gateway, interfaces, host)).find((address) => address !== undefined)
}

function besideIPv4(neighbour: string, interfaces: readonly InterfaceAddress[]): string | undefined {
  const links = interfaces.filter((own) => onSameSubnet(own.address, own.netmask, neighbour))
  return links.toSorted((a, b) => (parseIPv4(b.netmask) ?? 0) - (parseIPv4(a.netmask) ?? 0))[0]?.address
}

/** An IPv6 gateway has a link-local address, and leads to hosts that ours cannot be used for. */
function besideIPv6(neighbour: string, interfaces: readonly InterfaceAddress[], host: string): string | undefined {
  const { address, zone } = splitZone(neighbour)
  const ours = interfaces.filter(isIPv6Interface).filter((own) => zone === '' || own.zone === zone)
  const [link, ...links] = ours
    .filter((own) => samePrefixIPv6(own.address, address, own.prefixLength))
    .toSorted((a, b) => b.prefixLength - a.prefixLength)
  if (link === undefined) return undefined
  const isUsable = (own: InterfaceAddress): boolean => isLinkLocalIPv6(own.address) === isLinkLocalIPv6(host)
  const found = [link, ...links, ...ours.filter(({ name }) => name === link.name)].find(isUsable)
  return found && withZone(found.address, found.zone)
}
