/** The address of this computer that a pinhole is for. */
import { isGlobalIPv6, isIPv6, isSameAddress, splitZone } from '../domain/address.js'
import type { InterfaceAddress } from '../net/interfaces.js'

/**
 * An address that the internet can reach: the one on the way to the gateway, or a global one if that is link-local or of
 * the site only, first of all of the same interface. If the way is IPv4, it is that address, as upnpc has it.
 */
export function pinholeAddress(localAddress: string, interfaces: readonly InterfaceAddress[]): string {
  const { address, zone } = splitZone(localAddress)
  if (!isIPv6(address) || isGlobalIPv6(address)) return address
  const global = interfaces.filter((each) => isGlobalIPv6(each.address))
  return (global.find((each) => each.name === zone) ?? global[0])?.address ?? address
}

/**
 * A global address that lasts: the one on the way to the gateway, another one of that interface, or of any. If none is
 * known to last, a temporary one in the same order (RFC 8981). Undefined if this computer has no global address.
 */
export function stableAddress(
  localAddress: string,
  interfaces: readonly InterfaceAddress[],
  temporary: readonly string[],
): string | undefined {
  const { address, zone } = splitZone(localAddress)
  const name = interfaces.find((each) => each.address === address)?.name ?? zone
  const lasts = (each: InterfaceAddress): boolean => !temporary.some((other) => isSameAddress(other, each.address))
  const rank = (each: InterfaceAddress): number =>
    (lasts(each) ? 0 : 4) + (each.name === name ? 0 : 2) + (each.address === address ? 0 : 1)
  const global = interfaces.filter((each) => isGlobalIPv6(each.address))
  return global.toSorted((one, other) => rank(one) - rank(other))[0]?.address
}
