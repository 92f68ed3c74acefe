/**
 * Chooses the address of this computer that a pinhole is for. It must be one that the internet can reach: the one on
 * the way to the gateway, or another global one, preferably of the same interface. If there is none, it is the first
 * anyway.
 */
import { isGlobalIPv6, splitZone } from '../domain/address.js'
import { type InterfaceAddress, isIPv6Interface } from '../net/interfaces.js'

export function pinholeAddress(localAddress: string, interfaces: readonly InterfaceAddress[]): string {
  const { address, zone } = splitZone(localAddress)
  if (isGlobalIPv6(address)) return address
  const global = interfaces.filter((each) => isGlobalIPv6(each.address))
  const isOwn = (each: InterfaceAddress): boolean =>
    each.address === address && (zone === '' || (isIPv6Interface(each) && each.zone === zone))
  const ownName = interfaces.find(isOwn)?.name ?? zone
  return (global.find(({ name }) => name === ownName) ?? global[0])?.address ?? address
}
