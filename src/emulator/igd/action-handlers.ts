/**
 * One function for each action of the table in wire/igd-actions.ts. The table gives the types, so the compiler reports
 * an action without a function.
 */
import { isLoopbackIPv4, isLoopbackIPv6, samePrefixIPv6 } from '../../domain/address.js'
import { IGD_ACTIONS, type IgdActionName, type InArguments, type OutArguments } from '../../wire/igd-actions.js'
import type { GatewayState } from '../gateway-state.js'
import type { WantedMapping } from '../tables/mapping-table.js'
import type { PinholeEntry } from '../tables/pinhole-table.js'
import { Refusal } from '../tables/refusal.js'
import {
  decodeKey,
  decodeListRequest,
  decodeOutboundPinhole,
  decodePinhole,
  decodePinholeLease,
  decodeRange,
  decodeWanted,
  encodeBoolean,
  encodeEntry,
  encodeListing,
  encodeUi4,
  encodeValue,
  ui2,
} from './action-arguments.js'

interface ActionContext extends GatewayState {
  readonly nowMs: number
  /** The address of the control point, which is the UPnP word for the client. */
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
  GetGenericPortMappingEntry: (args, { table, nowMs }) => encodeEntry(table.at(ui2(args.NewPortMappingIndex), nowMs)),
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
  GetFirewallStatus: (_, { facts }) => ({
    FirewallEnabled: encodeBoolean(facts.firewallEnabled),
    InboundPinholeAllowed: encodeBoolean(facts.inboundPinholeAllowed),
  }),
  GetOutboundPinholeTimeout: (args, { facts }) => {
    if (!facts.firewallEnabled) throw new Refusal('FirewallDisabled')
    decodeOutboundPinhole(args)
    return { OutboundPinholeTimeout: encodeUi4(facts.outboundPinholeTimeoutSeconds) }
  },
  AddPinhole: (args, context) => {
    checkFirewall(context)
    const wanted = decodePinhole(args)
    checkPermission(wanted.internalClient, context)
    return { UniqueID: String(context.pinholes.add(wanted, context.nowMs)) }
  },
  UpdatePinhole: (args, context) => {
    checkFirewall(context)
    const leaseSeconds = decodePinholeLease(args.NewLeaseTime)
    context.pinholes.update(permittedPinhole(args, context).id, leaseSeconds, context.nowMs)
    return {}
  },
  DeletePinhole: (args, context) => {
    checkFirewall(context)
    context.pinholes.delete(permittedPinhole(args, context).id, context.nowMs)
    return {}
  },
  GetPinholePackets: (args, context) => {
    checkFirewall(context)
    permittedPinhole(args, context)
    return { PinholePackets: encodeUi4(context.facts.pinholePackets) }
  },
  CheckPinholeWorking: (args, context) => {
    checkFirewall(context)
    permittedPinhole(args, context)
    if (context.facts.pinholePackets === 0) throw new Refusal('NoTrafficReceived')
    return { IsWorking: encodeBoolean(true) }
  },
}

/** Arguments that the action does not have are ignored. @throws Refusal */
export function performAction<A extends IgdActionName>(
  action: A,
  given: ReadonlyMap<string, string>,
  context: ActionContext,
): OutArguments<A> {
  const names: readonly string[] = IGD_ACTIONS[action].in
  if (!names.every((name) => given.has(name))) throw new Refusal('InvalidArgs')
  const args = Object.fromEntries(names.map((name) => [name, given.get(name) ?? ''])) as InArguments<A>
  const handler: ActionHandlers[A] = HANDLERS[action]
  return handler(args, context)
}

/** @throws Refusal 606 */
function permitted(wanted: WantedMapping, { facts, askingAddress }: ActionContext): WantedMapping {
  if (facts.secureMode && wanted.internalClient !== askingAddress) throw new Refusal('ActionNotAuthorized')
  return wanted
}

/** @throws Refusal 702, 703 */
function checkFirewall({ facts }: ActionContext): void {
  if (!facts.firewallEnabled) throw new Refusal('FirewallDisabled')
  if (!facts.inboundPinholeAllowed) throw new Refusal('InboundPinholeNotAllowed')
}

/** @throws Refusal 402, 704, 606 */
function permittedPinhole(args: InArguments<'DeletePinhole'>, context: ActionContext): PinholeEntry {
  const pinhole = context.pinholes.get(ui2(args.UniqueID), context.nowMs)
  checkPermission(pinhole.internalClient, context)
  return pinhole
}

/** @throws Refusal 606 */
function checkPermission(internalClient: string, { facts, askingAddress }: ActionContext): void {
  if (!facts.pinholesOnlyForAsking) return
  if (isLoopbackIPv4(askingAddress) || isLoopbackIPv6(askingAddress)) return
  // Without the zone, which is only the gateway's name for the link. An IPv4 address never equals an internal client.
  if (!samePrefixIPv6(internalClient, askingAddress, 128)) throw new Refusal('ActionNotAuthorized')
}
