/** How a program wants a port to be open. */
import type { TransportProtocol } from '../../domain/port-mapping.js'
import type { Where } from '../where.js'

/** How to open one port. */
export interface PortOptions extends Where {
  /**
   * 1 to 65535, or `'any'` for the same number if it is free, or else another one. Default: the port itself; then it
   * is no success if the router has only another one to give.
   */
  readonly externalPort?: number | 'any' | undefined
  /** Default 'TCP'. 'TCP+UDP' opens both on one external port, or neither. */
  readonly protocol?: TransportProtocol | 'TCP+UDP' | undefined
  /**
   * 4 maps the port over IPv4. 6 opens a pinhole for this computer in the IPv6 firewall (WANIPv6FirewallControl:1, or
   * RFC 6887 over IPv6). 'both' does both, and it is a success if one of them is. Default 4.
   */
  readonly family?: 4 | 6 | 'both' | undefined
  /**
   * The address of the computer that the port leads to. Most routers open ports only for whoever asks. Default: this
   * computer, whatever its address is at the time; for a pinhole its stable global address (RFC 8981).
   */
  readonly internalClient?: string | undefined
  /** The address of the only host that may come in. Most routers refuse it. Default: every host. */
  readonly remoteHost?: string | undefined
  /** What the router's list of mappings shows, at most 1024 characters. Default `'upnp-ts'`. */
  readonly description?: string | undefined
  /**
   * How many seconds the router keeps it open unless it is renewed, 1 to 4294967295; a pinhole at most 86400
   * (WANIPv6FirewallControl:1 2.4.3). `'unlimited'` has no end, if the protocol can say that. Default 7200
   * (RFC 6886 3.3): if the program is killed, the port does not stay open for longer.
   */
  readonly lease?: number | 'unlimited' | undefined
  /** Whether it is renewed, looked at and opened again until it is closed. If not, it is opened once. Default true. */
  readonly keep?: boolean | undefined
}
