/**
 * What the emulated gateway does for each action of the table: one function each, typed by the table, so that the
 * compiler finds an action without one.
 */
import type { LinkRates } from '../domain/gateway.js'
import type { IgdActionName, InArguments, OutArguments } from '../wire/igd-actions.js'
import { decodeIndex, decodeKey, decodeWanted, encodeEntry, encodeValue } from './mapping-arguments.js'
import type { MappingTable } from './mapping-table.js'
import { Refusal } from './refusal.js'

/** What the gateway says about itself and its connection. */
export interface GatewayFacts {
  readonly externalAddress: string
  /** WANIPConnection:2 2.3.1, e.g. IP_Routed. */
  readonly connectionType: string
  /** WANIPConnection:2 2.3.3, e.g. Connected. */
  readonly connectionStatus: string
  /** WANIPConnection:2 2.3.5, e.g. ERROR_NONE. */
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
}

export interface ActionContext {
  readonly facts: GatewayFacts
  readonly table: MappingTable
  /** When the connection came up. */
  readonly startedMs: number
  readonly nowMs: number
  /** The address of the control point. */
  readonly askingAddress: string
}

type ActionHandlers = {
  readonly [A in IgdActionName]: (args: InArguments<A>, context: ActionContext) => OutArguments<A>
}

const HANDLERS: ActionHandlers = {
  GetConnectionTypeInfo: (_, { facts }) => ({
    NewConnectionType: facts.connectionType,
    NewPossibleConnectionTypes: facts.connectionType,
  }),
  GetStatusInfo: (_, { facts, startedMs, nowMs }) => ({
    NewConnectionStatus: facts.connectionStatus,
    NewLastConnectionError: facts.lastConnectionError,
    NewUptime: ui4((nowMs - startedMs) / 1000),
  }),
  GetExternalIPAddress: (_, { facts }) => ({ NewExternalIPAddress: facts.externalAddress }),
  AddPortMapping: (args, { facts, table, askingAddress, nowMs }) => {
    const wanted = decodeWanted(args)
    if (facts.secureMode && wanted.internalClient !== askingAddress) throw new Refusal(606)
    table.add(wanted, nowMs)
    return {}
  },
  DeletePortMapping: (args, { table, nowMs }) => {
    table.delete(decodeKey(args), nowMs)
    return {}
  },
  GetSpecificPortMappingEntry: (args, { table, nowMs }) => encodeValue(table.get(decodeKey(args), nowMs)),
  GetGenericPortMappingEntry: (args, { table, nowMs }) => encodeEntry(table.at(decodeIndex(args), nowMs)),
  GetCommonLinkProperties: (_, { facts }) => ({
    NewWANAccessType: 'Ethernet',
    NewLayer1UpstreamMaxBitRate: ui4(facts.linkRates.upstreamBitsPerSecond),
    NewLayer1DownstreamMaxBitRate: ui4(facts.linkRates.downstreamBitsPerSecond),
    NewPhysicalLinkStatus: 'Up',
  }),
  GetTotalBytesSent: (_, { facts }) => ({ NewTotalBytesSent: ui4(facts.traffic.bytesSent) }),
  GetTotalBytesReceived: (_, { facts }) => ({ NewTotalBytesReceived: ui4(facts.traffic.bytesReceived) }),
  GetTotalPacketsSent: (_, { facts }) => ({ NewTotalPacketsSent: ui4(facts.traffic.packetsSent) }),
  GetTotalPacketsReceived: (_, { facts }) => ({ NewTotalPacketsReceived: ui4(facts.traffic.packetsReceived) }),
}

/** @throws Refusal */
export function performAction<A extends IgdActionName>(
  action: A,
  args: InArguments<A>,
  context: ActionContext,
): OutArguments<A> {
  const handler: ActionHandlers[A] = HANDLERS[action]
  return handler(args, context)
}

/** Counters are 32 bits and wrap (WANCommonInterfaceConfig:1 2.2.7). */
function ui4(value: number): string {
  return String(Math.trunc(value) % 2 ** 32)
}
