/** The address of a router as a person writes it, with the port of PCP and NAT-PMP if it is another one. */
import { isLinkLocalIPv6, isUnicastIPv4, isUnicastIPv6, splitZone } from './address.js'

export interface RouterWords {
  readonly address: string
  /** Empty if the address has none. */
  readonly zone: string
  /** As it was written; undefined if it was not. */
  readonly port: string | undefined
}

/**
 * `192.168.1.1`, `192.168.1.1:5351`, `fe80::1%eth0`, `[fe80::1%eth0]:5351`. What is wrong with any other text is returned
 * as the end of a sentence.
 */
export function parseRouterWords(word: string): RouterWords | string {
  const [, bracketed, plain = '', port] = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$/.exec(word) ?? []
  const isBareIPv6 = bracketed === undefined && isUnicastIPv6(splitZone(word).address)
  const text = isBareIPv6 ? word : (bracketed ?? plain)
  const { address, zone } = splitZone(text)
  if (!isUnicastIPv4(text) && !isUnicastIPv6(address))
    return `'${word}' is not the address of a router: give one such as 192.168.1.1 or 192.168.1.1:5351`
  if (zone.includes(':')) return 'an IPv6 address with a port needs brackets, as in [fe80::1%eth0]:5351'
  if (zone === '' && isLinkLocalIPv6(address))
    return `${address} is link-local: name the interface too, as in ${address}%eth0`
  return { address, zone, port: isBareIPv6 ? undefined : port }
}
