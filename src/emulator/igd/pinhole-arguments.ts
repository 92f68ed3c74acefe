/**
 * The arguments of the pinhole actions: text of WANIPv6FirewallControl:1 -> values of the pinhole table. A text that is
 * not such a value is refused with 402. For a value that the firewall does not support, the standard has other numbers.
 */
import { isUnicastIPv6, parseIPv6 } from '../../domain/address.js'
import type { PinholeRequest, TimedPinholeRequest } from '../../domain/pinhole.js'
import { MAX_LEASE_SECONDS, transportProtocolOf } from '../../domain/port-mapping.js'
import type { InArguments } from '../../wire/igd-actions.js'
import { LONGEST_PINHOLE_LEASE_SECONDS } from '../tables/pinhole-table.js'
import { Refusal } from '../tables/refusal.js'
import { ui2, unsigned } from './argument-values.js'

/** The wildcard for the protocol in WANIPv6FirewallControl:1. */
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

/** Which traffic the question is about. Every part but the protocol may be a wildcard. @throws Refusal 402, 705 */
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

/** A lease outside the allowed range gets 601 (UDA 1.1 table 3-3); miniupnpd answers 402. @throws Refusal 402, 601 */
export function decodePinholeLease(text: string): number {
  const seconds = unsigned(text, MAX_LEASE_SECONDS)
  if (seconds < 1 || seconds > LONGEST_PINHOLE_LEASE_SECONDS) throw new Refusal('ArgumentValueOutOfRange')
  return seconds
}

/** The wildcard is the empty string. miniupnpd also takes an asterisk. The address of all zeros belongs to no host. */
function isAnyAddress(text: string): boolean {
  return text === '' || text === '*' || parseIPv6(text)?.every((group) => group === 0) === true
}

function addressOrAny(text: string): string {
  return text === '' ? '' : address(text)
}

/** The standard also allows host names, but to look one up the gateway would have to talk to strangers. */
function address(text: string): string {
  if (!isUnicastIPv6(text)) throw new Refusal('InvalidArgs')
  return text
}

function supported(protocol: number): number {
  if (transportProtocolOf(protocol) === undefined) throw new Refusal('ProtocolNotSupported')
  return protocol
}
