/** Port mappings, in the terms of WANIPConnection:2; the names are the same for every protocol. */
import { isUnicastIPv4 } from './address.js'

export type TransportProtocol = 'TCP' | 'UDP'

/** IANA protocol numbers. */
export const PROTOCOL_NUMBERS: Readonly<Record<TransportProtocol, number>> = { TCP: 6, UDP: 17 }

/** The name for an IANA protocol number; undefined if it is neither TCP nor UDP. */
export function transportProtocolOf(number: number): TransportProtocol | undefined {
  if (number === PROTOCOL_NUMBERS.TCP) return 'TCP'
  return number === PROTOCOL_NUMBERS.UDP ? 'UDP' : undefined
}

/** The protocols to ask a gateway in: UPnP's InternetGatewayDevice, PCP (RFC 6887), NAT-PMP (RFC 6886). */
export const GATEWAY_PROTOCOLS = ['igd', 'pcp', 'nat-pmp'] as const

export type GatewayProtocol = (typeof GATEWAY_PROTOCOLS)[number]

/** In which protocol to ask: 'auto' asks in all of them. */
export type Via = 'auto' | GatewayProtocol

/** What each protocol is called in sentences. */
export const PROTOCOL_TITLES = { igd: 'UPnP', pcp: 'PCP', 'nat-pmp': 'NAT-PMP' } as const

/**
 * How long a mapping lives: `'unlimited'`, which is lease 0 in IGD:1 (and 604800 s in IGD:2), or 1 to 4294967295 whole
 * seconds, as in `{ seconds: 3600 }`. It is not a bare number, because 0 means *delete* in NAT-PMP and PCP.
 */
export type Lease = 'unlimited' | { readonly seconds: number }

/** What identifies a mapping on a gateway. An empty remote host means any. */
export interface MappingKey {
  readonly externalPort: number
  readonly protocol: TransportProtocol
  readonly remoteHost: string
}

/**
 * What to ask for. Ports are 1 to 65535, or 0 where a protocol has a meaning for it; the internal client is an IPv4
 * address, and a description has at most 1024 characters, none of them control characters:
 *
 *     { externalPort: 22, protocol: 'TCP', remoteHost: '', internalClient: '192.168.1.5', internalPort: 22,
 *       description: 'ssh', lease: { seconds: 3600 } }
 */
export interface MappingRequest extends MappingKey {
  readonly internalClient: string
  readonly internalPort: number
  readonly description: string
  readonly lease: Lease
}

/** As a gateway shows it, not cleaned for a terminal. A number that was not sent, or not as a number, is undefined. */
export interface PortMapping {
  readonly remoteHost: string
  readonly externalPort: number | undefined
  readonly protocol: string
  readonly internalPort: number | undefined
  readonly internalClient: string
  readonly enabled: boolean
  readonly description: string
  /** Seconds left; 0 if the mapping does not end. */
  readonly leaseSeconds: number | undefined
  /** Made for one remote host, and nobody could be asked whether others can come in too. */
  readonly isRemoteHostUnchecked?: true
}

/** The largest lease that an IGD takes: ui4 seconds. */
export const MAX_LEASE_SECONDS = 0xffffffff

/** How many mappings one GetListOfPortMappings asks for, as upnpc does; miniupnpd takes 0 for that number too. */
export const MAX_LISTED_PORT_MAPPINGS = 1000

export function leaseToSeconds(lease: Lease): number {
  return lease === 'unlimited' ? 0 : lease.seconds
}

export function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 1 && port <= 65535
}

/** Routers keep 32 to 256 bytes, or refuse a longer text. This only bounds what we send and the emulator keeps. */
export const MAX_DESCRIPTION_LENGTH = 1024

/** XML 1.0 2.2 cannot express these characters. */
export const NOT_IN_XML = /[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/

/** What is wrong with the request, as the end of a sentence; undefined if nothing. External port 0 would mean all. */
export function flawOf(request: MappingKey & Partial<MappingRequest>): string | undefined {
  const { externalPort, protocol, internalPort = 1, internalClient, remoteHost = '', description = '' } = request
  const { lease = 'unlimited' } = request
  if (!isPort(externalPort)) return `external port ${shownValue(externalPort)} is not a port from 1 to 65535`
  if (protocol !== 'TCP' && protocol !== 'UDP') return `protocol '${String(protocol)}' is neither TCP nor UDP`
  if (!isPort(internalPort)) return `internal port ${shownValue(internalPort)} is not a port from 1 to 65535`
  if (internalClient !== undefined && !isUnicastIPv4(internalClient)) {
    return `internal client '${internalClient}' is not the IPv4 address of a computer`
  }
  if (remoteHost !== '' && !isUnicastIPv4(remoteHost)) return `remote host '${remoteHost}' is not an IPv4 address`
  if (NOT_IN_XML.test(description)) return 'the description has control characters'
  if (description.length > MAX_DESCRIPTION_LENGTH) {
    return `the description is longer than ${MAX_DESCRIPTION_LENGTH} characters`
  }
  return lease === 'unlimited' ? undefined : leaseFlawOf(lease.seconds)
}

/** As a message shows what was given: text in quotes. */
export function shownValue(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'function') return 'a function'
  return typeof value === 'object' && value !== null ? 'an object' : String(value)
}

/** On the wire more would become less: 4294967297 s is 1 s in 32 bits. */
export function leaseFlawOf(seconds: number): string | undefined {
  if (Number.isInteger(seconds) && seconds >= 1 && seconds <= MAX_LEASE_SECONDS) return undefined
  return `a lease of ${shownValue(seconds)} s is not a whole number from 1 to ${MAX_LEASE_SECONDS}`
}

/** Of a mapping, if the user gives no other. */
export const DEFAULT_DESCRIPTION = 'upnp-ts'
