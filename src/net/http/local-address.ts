/** Whether a request can be sent from the address that it names. */
import { isIPv6Host, parseIPv4, samePrefixIPv6 } from '../../domain/address.js'
import { interfaceAddresses } from '../interfaces.js'

export type Binding = { readonly localAddress: string; readonly family?: 4 } | { readonly localAddress?: undefined }

/**
 * Only an own address of this computer can be bound, for a host of the same family. A name is looked up in IPv4 then;
 * from an address of IPv6 it is asked as usual.
 */
export function bindingTo(localAddress: string, host: string): Binding {
  const isIPv4 = parseIPv4(localAddress) !== undefined
  const isName = parseIPv4(host) === undefined && !isIPv6Host(host)
  const canLead = isIPv4 ? !isIPv6Host(host) : isIPv6Host(localAddress) && isIPv6Host(host)
  if (!canLead || !isOwn(localAddress)) return {}
  return isIPv4 && isName ? { localAddress, family: 4 } : { localAddress }
}

function isOwn(address: string): boolean {
  return interfaceAddresses().some((own) => own.address === address || samePrefixIPv6(own.address, address, 128))
}
