/** Which addresses are on the gateway's own link. The gateway answers no others. */
import { isLinkLocalIPv6, isLoopbackIPv4, onSameSubnet, samePrefixIPv6, splitZone } from '../domain/address.js'
import { type InterfaceAddress, type IPv6InterfaceAddress, isIPv6Interface } from '../net/interfaces.js'

export type IsNeighbour = (address: string) => boolean

export function neighboursOf(address: string, interfaces: readonly InterfaceAddress[]): IsNeighbour {
  if (isLoopbackIPv4(address)) return isLoopbackIPv4
  const netmask = interfaces.find((each) => each.address === address)?.netmask ?? '255.255.255.255'
  return (other) => onSameSubnet(address, netmask, other)
}

/** The addresses with the same prefix, and the link-local addresses on the same interface. */
export function ipv6NeighboursOf(address: string, interfaces: readonly InterfaceAddress[]): IsNeighbour {
  const own = interfaceOf(address, interfaces)
  return (other) => {
    const { zone } = splitZone(other)
    if (isLinkLocalIPv6(other)) return own !== undefined && zone === own.zone
    return samePrefixIPv6(address, other, own?.prefixLength ?? 128)
  }
}

/** The interface that has this IPv6 address, or undefined. */
export function interfaceOf(text: string, interfaces: readonly InterfaceAddress[]): IPv6InterfaceAddress | undefined {
  const { address, zone } = splitZone(text)
  return interfaces
    .filter(isIPv6Interface)
    .find((each) => samePrefixIPv6(each.address, address, 128) && (zone === '' || each.zone === zone))
}
