/**
 * Which addresses we let ourselves be sent to. Any host on the LAN can answer a search, so a URL from the network is
 * used only if it is plain http, without user-info, to an IPv4 literal that is the sender of the reply or on the
 * sender's subnet (a floating gateway address answers from another one). Names are never resolved. (SSRF: CVE-2024-29415
 * and kin are about deciding on the text; the URL parser has made a canonical dotted quad of it before we look.)
 */
import { isLinkLocalIPv4, isLoopbackIPv4, isUnicastIPv4, onSameSubnet } from '../domain/address.js'
import { resolveUrl } from '../wire/url.js'

/** Who may be asked: these hosts exactly, and where the subnet is given, everyone on it. */
export interface Trust {
  readonly hosts: readonly string[]
  readonly subnet?: { readonly address: string; readonly netmask: string }
}

/** The sender of a search reply that came in through the interface with that address and netmask. */
export function trustSender(sender: string, via: { address: string; netmask: string }): Trust {
  if (onSameSubnet(via.address, via.netmask, sender)) return { hosts: [sender], subnet: via }
  // A router may answer from its address on another subnet. A forged sender could send us to a cloud's metadata service.
  return isLinkLocalIPv4(sender) ? { hosts: [] } : { hosts: [sender] }
}

/** The URL, resolved against `base` (RFC 3986 5.2) where there is one, if it may be used. */
export function trustedUrl(reference: string, base: string | undefined, trust: Trust): URL | undefined {
  const url = resolveUrl(reference, base)
  if (url === undefined || url.protocol !== 'http:' || url.username !== '' || url.password !== '') return undefined
  if (url.port === '0') return undefined
  return trust.hosts.includes(url.hostname) || isNeighbour(url.hostname, trust) ? url : undefined
}

function isNeighbour(host: string, trust: Trust): boolean {
  if (trust.subnet === undefined || !isUnicastIPv4(host) || isLoopbackIPv4(host)) return false
  return onSameSubnet(trust.subnet.address, trust.subnet.netmask, host)
}
