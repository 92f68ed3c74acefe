/**
 * The arguments of the pinhole actions: text of WANIPv6FirewallControl:1 -> values of the pinhole table. Text that
 * cannot be such a value is refused with 402, what the firewall does not do with a number of its own.
 */
import { isUnicastIPv6, parseIPv6 } from '../../domain/address.js'
import type { PinholeRequest, TimedPinholeRequest } from '../../domain/pinhole.js'
import { MAX_LEASE_SECONDS, transportProtocolOf } from '../../domain/port-mapping.js'
import type { InArguments } from '../../wire/igd-actions.js'
import { LONGEST_PINHOLE_LEASE_SECONDS } from '../tables/pinhole-table.js'
import { Refusal } from '../tables/refusal.js'
import { ui2, unsigned } from './argument-values.js'

/** The wildcard of WANIPv6FirewallControl:1. */
const ANY_PROTOCOL = 0xffff

/** @throws Refusal 402, 705, 706, 707, 708, 601 */
export function decodePinhole(args: InArguments<'AddPinhole'>): TimedPinholeRequest {
  const [internalPort, number] = [ui2(args.InternalPort), ui2(args.Protocol)]
  if (internalPort === 0) throw new Refusal('InternalPortWildcardingNotAllowed')
  if (isAnyAddress(args.InternalClient)) throw new Refusal('InvalidLayer2Address')
  if (number === ANY_PROTOCOL) throw new Refusal('ProtocolWildcardingNotAllowed')
  const endpoints = {
    remoteHost: addressOrAny(args.RemoteHost),
    remotePort: ui2(args.RemotePort),
    internalClient: address(args.InternalClient),
    internalPort,
  }
  return { ...endpoints, protocol: supported(number), leaseSeconds: decodePinholeLease(args.LeaseTime) }
}

/** A question about traffic, in which every part may be left open but the protocol. @throws Refusal 402, 705 */
export function decodeOutboundPinhole(args: InArguments<'GetOutboundPinholeTimeout'>): PinholeRequest {
  return {
    remoteHost: addressOrAny(args.RemoteHost),
    remotePort: ui2(args.RemotePort),
    internalClient: addressOrAny(args.InternalClient),
    internalPort: ui2(args.InternalPort),
    protocol: supported(ui2(args.Protocol)),
  }
}

/** @throws Refusal 402 */
export function decodePinholeId(args: InArguments<'DeletePinhole'>): number {
  return ui2(args.UniqueID)
}

/** Outside the allowed range it is 601 (UDA 1.1 table 3-3); miniupnpd answers 402. @throws Refusal 402, 601 */
export function decodePinholeLease(text: string): number {
  const seconds = unsigned(text, MAX_LEASE_SECONDS)
  if (seconds < 1 || seconds > LONGEST_PINHOLE_LEASE_SECONDS) throw new Refusal('ArgumentValueOutOfRange')
  return seconds
}

/** The wildcard is the empty string; miniupnpd takes the asterisk as well, and all zeros are nobody's address. */
function isAnyAddress(text: string): boolean {
  return text === '' || text === '*' || parseIPv6(text)?.every((group) => group === 0) === true
}

function addressOrAny(text: string): string {
  return text === '' ? '' : address(text)
}

/** The standard also allows host names; a gateway that looked them up would be talking to strangers. */
function address(text: string): string {
  if (!isUnicastIPv6(text)) throw new Refusal('InvalidArgs')
  return text
}

function supported(protocol: number): number {
  if (transportProtocolOf(protocol) === undefined) throw new Refusal('ProtocolNotSupported')
  return protocol
}
