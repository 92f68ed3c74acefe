/** The state of the emulated gateway, which the responders of all protocols read: facts, tables, counters. */
import type { LinkRates, TrafficCounters } from '../domain/gateway.js'
import type { FirewallStatus } from '../domain/pinhole.js'
import type { IgdActionName } from '../wire/igd-actions.js'
import type { MappingTable } from './tables/mapping-table.js'
import type { PinholeTable } from './tables/pinhole-table.js'

/** What the gateway says about itself, and whom it lets open ports. By default its firewall allows pinholes. */
export interface GatewayFacts extends FirewallStatus {
  /** Default 11.22.33.44. */
  readonly externalAddress: string
  /** WANIPConnection:2 2.3.3. Default IP_Routed. */
  readonly connectionType: string
  /** WANIPConnection:2 2.3.5. Default Connected. */
  readonly connectionStatus: string
  /** WANIPConnection:2 2.3.7. Default ERROR_NONE. */
  readonly lastConnectionError: string
  /** Default 1 Gbit/s both ways. */
  readonly linkRates: LinkRates
  /** Default 0 for all four. */
  readonly traffic: Readonly<Record<keyof TrafficCounters, number>>
  /** Whether a computer can map ports only to itself; for another internal client it gets 606. Default false. */
  readonly secureMode: boolean
  /** Like secureMode, for pinholes. A loopback address is exempt: it has no IPv6 address to compare. Default true. */
  readonly pinholesOnlyForAsking: boolean
  /** How many packets have gone through each pinhole. With 0, CheckPinholeWorking is refused with 709. Default 1. */
  readonly pinholePackets: number
  /** How long the firewall lets answers in after an outgoing packet. Default 120. */
  readonly outboundPinholeTimeoutSeconds: number
}

/** The state now: each request reads it again. */
export interface GatewayState {
  readonly facts: GatewayFacts
  readonly table: MappingTable
  readonly pinholes: PinholeTable
  /** When the connection came up and the epoch of PCP and NAT-PMP began, on the monotonic clock. */
  readonly startedMs: number
  /** BOOTID.UPNP.ORG: greater after each start (UDA 1.1 1.2). */
  readonly bootId: number
}

/** The opcodes of RFC 6887 19.1. `other` is another version, an unknown opcode, or a request that cannot be read. */
export type PcpRequestName = 'ANNOUNCE' | 'MAP' | 'PEER' | 'other'
/** The requests of RFC 6886 3.2 and 3.3. `other` is another version or an unknown opcode. */
export type NatPmpRequestName = 'externalAddress' | 'map' | 'other'

/** What other programs have sent the gateway. */
export interface EmulatorCounters {
  /** SSDP searches from the gateway's subnet and within the limit per second, whether answered or not. */
  searches: number
  /** Datagrams that are not messages of SSDP, PCP or NAT-PMP, whichever port they came to. */
  malformedDatagrams: number
  /** Datagrams from outside the gateway's subnet, and datagrams above the limit per second. */
  ignoredDatagrams: number
  /** HTTP requests, whatever the answer. */
  requests: number
  /** Requests for each action that the gateway has, refused ones included. */
  readonly actions: Partial<Record<IgdActionName, number>>
  /** PCP requests, refused ones included. */
  readonly pcpRequests: Record<PcpRequestName, number>
  /** NAT-PMP requests, refused ones included. */
  readonly natPmpRequests: Record<NatPmpRequestName, number>
}

export function createCounters(): EmulatorCounters {
  return {
    searches: 0,
    malformedDatagrams: 0,
    ignoredDatagrams: 0,
    requests: 0,
    actions: {},
    pcpRequests: { ANNOUNCE: 0, MAP: 0, PEER: 0, other: 0 },
    natPmpRequests: { externalAddress: 0, map: 0, other: 0 },
  }
}
