/** Port mappings, in the words of WANIPConnection:2; the names are the same for every protocol. */

export type TransportProtocol = 'TCP' | 'UDP'

/**
 * How long a mapping lives. `'unlimited'` is lease 0 of IGD:1 (and 604800 s in IGD:2); a number is seconds, 1 or more.
 * It is a type of its own because 0 means *delete* in NAT-PMP and PCP.
 */
export type Lease = 'unlimited' | { readonly seconds: number }

/** What identifies a mapping on a gateway. An empty remote host means any. */
export interface MappingKey {
  readonly externalPort: number
  readonly protocol: TransportProtocol
  readonly remoteHost: string
}

export interface MappingRequest extends MappingKey {
  readonly internalClient: string
  readonly internalPort: number
  readonly description: string
  readonly lease: Lease
}

/**
 * A mapping as a gateway shows it. Numbers that it did not send, or that are none, are undefined.
 * Texts are the gateway's own and not cleaned for a terminal.
 */
export interface PortMapping {
  readonly remoteHost: string
  readonly externalPort: number | undefined
  readonly protocol: string
  readonly internalPort: number | undefined
  readonly internalClient: string
  readonly enabled: boolean
  readonly description: string
  /** Seconds left; 0 where the mapping does not end. */
  readonly leaseSeconds: number | undefined
}

/** The largest lease that an IGD takes: ui4 seconds. */
export const MAX_LEASE_SECONDS = 0xffffffff

export function leaseToSeconds(lease: Lease): number {
  return lease === 'unlimited' ? 0 : lease.seconds
}

export function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 1 && port <= 65535
}
