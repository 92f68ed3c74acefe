/** Pinholes in an IPv6 firewall, in the words of WANIPv6FirewallControl:1. */
import { isPort, MAX_LEASE_SECONDS } from './port-mapping.js'

export interface PinholeRequest {
  /** Empty means any. */
  readonly remoteHost: string
  /** 0 means any. */
  readonly remotePort: number
  readonly internalClient: string
  /** 0 means any, which most gateways refuse (706). */
  readonly internalPort: number
  /** IANA protocol number, 6 for TCP and 17 for UDP; 65535 means any, which most gateways refuse (707). */
  readonly protocol: number
}

/** WANIPv6FirewallControl:1 2.4.3: a lease is 1 to 86400 s; there is no unlimited one. */
export interface TimedPinholeRequest extends PinholeRequest {
  readonly leaseSeconds: number
}

export interface FirewallStatus {
  readonly firewallEnabled: boolean
  readonly inboundPinholeAllowed: boolean
}

/** WANIPv6FirewallControl:1 2.2.6: an ui2. */
export type PinholeId = number

export function isPinholePort(port: number): boolean {
  return port === 0 || isPort(port)
}

export function isPinholeLease(seconds: number): boolean {
  return Number.isInteger(seconds) && seconds >= 1 && seconds <= MAX_LEASE_SECONDS
}
