/** What the user's program and the hook learn of the ports. */
import { isIPv6 } from '../../domain/address.js'
import { type KeepFacts, opened } from '../../library/keeping/kept-ports.js'

/**
 * UPNP_EXTERNAL_ADDRESS, and UPNP_EXTERNAL_PORT, UPNP_INTERNAL_PORT and UPNP_PROTOCOL of the first port. If several
 * ports were asked for, each also has its own: UPNP_EXTERNAL_PORT_1 and so on, in the order of the command line. The
 * first port has both sets, so a script for one port also works with TCP+UDP. A port that is not open has none. What is
 * open over IPv6 beside IPv4 comes last, and UPNP_IPV6_ADDRESS is where.
 */
export function environmentOf(facts: KeepFacts): Record<string, string> {
  const { externalAddress, ports } = facts
  const variables: Record<string, string> = {}
  if (opened(facts).length > 0 && externalAddress !== undefined) variables.UPNP_EXTERNAL_ADDRESS = externalAddress
  const ipv6 = opened(facts).find(({ internalClient }) => isIPv6(internalClient))?.internalClient
  if (ipv6 !== undefined && ipv6 !== externalAddress) variables.UPNP_IPV6_ADDRESS = ipv6
  for (const [at, port] of ports.entries()) {
    if (port === undefined) continue
    const endings = [...(at === 0 ? [''] : []), ...(ports.length === 1 ? [] : [`_${at + 1}`])]
    for (const ending of endings) {
      variables[`UPNP_EXTERNAL_PORT${ending}`] = String(port.externalPort)
      variables[`UPNP_INTERNAL_PORT${ending}`] = String(port.internalPort)
      variables[`UPNP_PROTOCOL${ending}`] = port.protocol
    }
  }
  return variables
}
