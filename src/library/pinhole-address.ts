/** The address of this computer that a pinhole is for. */
import { isGlobalIPv6, isIPv6, splitZone } from '../domain/address.js'
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
