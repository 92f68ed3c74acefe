/** Pinholes in an IPv6 firewall, in the terms of WANIPv6FirewallControl:1. */
import { isUnicastIPv6 } from './address.js'
import { InvalidArgumentError } from './errors.js'
import { isPort, leaseFlawOf, type TransportProtocol } from './port-mapping.js'

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

/** @throws InvalidArgumentError if no message can hold that lease */
export function refuseFlawedLease(leaseSeconds: number): void {
  const flaw = leaseFlawOf(leaseSeconds)
  if (flaw !== undefined) throw new InvalidArgumentError(flaw)
}

/** What was granted. PCP may give another lease than was asked for. An IGD reports none: the one asked for counts. */
export interface GrantedPinhole {
  readonly id: PinholeId
  readonly leaseSeconds: number
}

export interface FirewallStatus {
  readonly firewallEnabled: boolean
  readonly inboundPinholeAllowed: boolean
}

/** A ui2 for an IGD (WANIPv6FirewallControl:1 2.2.6); `TCP:[2001:db8::5]:8022` for PCP: its target (RFC 6887 11.3). */
export type PinholeId = number | string

/** What a pinhole of PCP leads to, which identifies it. */
export interface PinholeTarget {
  readonly protocol: TransportProtocol
  readonly internalClient: string
  readonly internalPort: number
}

export function pinholeIdOf({ protocol, internalClient, internalPort }: PinholeTarget): string {
  return `${protocol}:[${internalClient}]:${internalPort}`
}

/** Undefined for any other text. */
export function pinholeTargetOf(id: string): PinholeTarget | undefined {
  const [, protocol = '', internalClient = '', port = ''] = /^(TCP|UDP):\[([^\]%]+)\]:(\d{1,5})$/i.exec(id) ?? []
  const internalPort = Number(port)
  if (!isUnicastIPv6(internalClient) || !isPort(internalPort)) return undefined
  return { protocol: protocol.toUpperCase() === 'TCP' ? 'TCP' : 'UDP', internalClient, internalPort }
}
