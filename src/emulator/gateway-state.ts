/** What the emulated gateway is at a moment: what it says about itself, and its tables. The responders of all protocols read it. */
import type { LinkRates } from '../domain/gateway.js'
import type { FirewallStatus } from '../domain/pinhole.js'
import type { MappingTable } from './tables/mapping-table.js'
import type { PinholeTable } from './tables/pinhole-table.js'

/** What the gateway says about itself and its connection. */
export interface GatewayFacts extends FirewallStatus {
  readonly externalAddress: string
  /** WANIPConnection:2 2.3.3, e.g. IP_Routed. */
  readonly connectionType: string
  /** WANIPConnection:2 2.3.5, e.g. Connected. */
  readonly connectionStatus: string
  /** WANIPConnection:2 2.3.7, e.g. ERROR_NONE. */
  readonly lastConnectionError: string
  readonly linkRates: LinkRates
  readonly traffic: {
    readonly bytesSent: number
    readonly bytesReceived: number
    readonly packetsSent: number
    readonly packetsReceived: number
  }
  /** Mappings only for the computer that asks; another internal client is refused with 606. */
  readonly secureMode: boolean
  /**
   * Pinholes only for the computer that asks; another internal client is refused with 606. Who asks from a loopback
   * address may have them for anybody: no IPv6 address can be its own.
   */
  readonly pinholesOnlyForAsking: boolean
  /** How many packets have gone through each pinhole; with 0 none can be said to be working (709). */
  readonly pinholePackets: number
  readonly outboundPinholeTimeoutSeconds: number
}

/** What the gateway is at this moment: the responders of all protocols read it anew at every request. */
export interface GatewayState {
  readonly facts: GatewayFacts
  readonly table: MappingTable
  readonly pinholes: PinholeTable
  /** When the connection came up, and the epoch of PCP and NAT-PMP began. */
  readonly startedMs: number
}
