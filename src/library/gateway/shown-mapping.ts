/** A mapping as a gateway shows it -> as a program gets it. */
import type { PortMapping as Shown } from '../../domain/port-mapping.js'
import { isPort, type TransportProtocol } from '../../domain/port-mapping.js'

/** A port mapping, as the gateway shows it. Texts are not cleaned for a terminal. */
export interface PortMapping {
  readonly externalPort: number
  readonly protocol: TransportProtocol
  /** The only host that may come in; empty for everybody. */
  readonly remoteHost: string
  /** The address that it leads to. */
  readonly internalClient: string
  /** Undefined if the gateway does not show it. */
  readonly internalPort: number | undefined
  readonly enabled: boolean
  /** Empty over PCP and NAT-PMP. */
  readonly description: string
  /** Seconds left; 0 if the mapping does not end, undefined if the gateway does not show it. */
  readonly leaseSeconds: number | undefined
  /** Made for one remote host, and nobody could be asked whether others can come in too. */
  readonly isRemoteHostUnchecked?: true
}

/** Undefined for an entry that names no port, or neither TCP nor UDP: some tables have empty rows. */
export function shownMapping({ externalPort = 0, protocol: name, ...rest }: Shown): PortMapping | undefined {
  const text = name.trim().toUpperCase()
  const protocol = text === 'TCP' || text === 'UDP' ? text : undefined
  return protocol === undefined || !isPort(externalPort) ? undefined : { externalPort, protocol, ...rest }
}
