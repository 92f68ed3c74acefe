/** The internet cannot come in: why, and what helps. */
import { cleaned } from '../../clean.js'
import { bad, hint, type Piece } from '../../pieces.js'

/** RFC 6598: the addresses behind a provider's own NAT. */
const SHARED = /^100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\./

/** `address`: what the router says of its own; empty if it says that it has none. */
export function natText(address: string): Piece[] {
  if (address === '')
    return [
      bad('The internet cannot reach it: your router has no internet address.\n'),
      hint('  It is not connected, or it is behind another router: then open the port there too.\n'),
    ]
  const at = cleaned(address)
  const provider = '  ask your provider for an IPv4 address of your own (a public one), or try IPv6 alone: add --ipv6\n'
  const second = '  if there is a second router or a modem in front of it, open the port there too\n'
  const advice = SHARED.test(address) ? [provider, second] : [second, provider]
  return [
    bad(`The internet cannot reach it: another NAT is in front of your router (${at}).\n`),
    hint(`What helps:\n${advice.join('')}`),
  ]
}
