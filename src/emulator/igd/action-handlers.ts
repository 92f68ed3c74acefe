/**
 * One function for each action of the table in wire/igd-actions.ts. The table gives the types, so the compiler reports
 * an action without a function. The functions of the IPv6 firewall are in pinhole-handlers.ts.
 */
import type { IgdActionName, InArguments, OutArguments } from '../../wire/igd-actions.js'
import type { WantedMapping } from '../tables/mapping-table.js'
import { Refusal } from '../tables/refusal.js'
import type { ActionContext, ActionHandlers } from './action-context.js'
import { encodeUi4 } from './argument-values.js'
import {
  decodeIndex,
  decodeKey,
  decodeListRequest,
  decodeRange,
  decodeWanted,
  encodeEntry,
  encodeListing,
  encodeValue,
} from './mapping-arguments.js'
import { PINHOLE_HANDLERS } from './pinhole-handlers.js'

const HANDLERS: ActionHandlers = {
  ...PINHOLE_HANDLERS,
  GetConnectionTypeInfo: (_, { facts }) => ({
    NewConnectionType: facts.connectionType,
    NewPossibleConnectionTypes: facts.connectionType,
  }),
  GetStatusInfo: (_, { facts, startedMs, nowMs }) => ({
    NewConnectionStatus: facts.connectionStatus,
    NewLastConnectionError: facts.lastConnectionError,
    NewUptime: encodeUi4((nowMs - startedMs) / 1000),
  }),
  GetExternalIPAddress: (_, { facts }) => ({ NewExternalIPAddress: facts.externalAddress }),
  AddPortMapping: (args, context) => {
    context.table.add(permitted(decodeWanted(args), context), context.nowMs)
    return {}
  },
  AddAnyPortMapping: (args, context) => ({
    NewReservedPort: String(context.table.addAny(permitted(decodeWanted(args), context), context.nowMs)),
  }),
  DeletePortMapping: (args, { table, nowMs }) => {
    table.delete(decodeKey(args), nowMs)
    return {}
  },
  DeletePortMappingRange: (args, { table, nowMs, askingAddress }) => {
    table.deleteWithin(decodeRange(args, askingAddress), nowMs)
    return {}
  },
  GetSpecificPortMappingEntry: (args, { table, nowMs }) => encodeValue(table.get(decodeKey(args), nowMs)),
  GetGenericPortMappingEntry: (args, { table, nowMs }) => encodeEntry(table.at(decodeIndex(args), nowMs)),
  GetListOfPortMappings: (args, { table, nowMs, askingAddress }) => {
    const { range, most } = decodeListRequest(args, askingAddress)
    return { NewPortListing: encodeListing(table.within(range, nowMs).slice(0, most)) }
  },
  GetCommonLinkProperties: (_, { facts }) => ({
    NewWANAccessType: 'Ethernet',
    NewLayer1UpstreamMaxBitRate: encodeUi4(facts.linkRates.upstreamBitsPerSecond),
    NewLayer1DownstreamMaxBitRate: encodeUi4(facts.linkRates.downstreamBitsPerSecond),
    NewPhysicalLinkStatus: 'Up',
  }),
  GetTotalBytesSent: (_, { facts }) => ({ NewTotalBytesSent: encodeUi4(facts.traffic.bytesSent) }),
  GetTotalBytesReceived: (_, { facts }) => ({ NewTotalBytesReceived: encodeUi4(facts.traffic.bytesReceived) }),
  GetTotalPacketsSent: (_, { facts }) => ({ NewTotalPacketsSent: encodeUi4(facts.traffic.packetsSent) }),
  GetTotalPacketsReceived: (_, { facts }) => ({ NewTotalPacketsReceived: encodeUi4(facts.traffic.packetsReceived) }),
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

/** @throws Refusal 606 */
function permitted(wanted: WantedMapping, { facts, askingAddress }: ActionContext): WantedMapping {
  if (facts.secureMode && wanted.internalClient !== askingAddress) throw new Refusal('ActionNotAuthorized')
  return wanted
}
