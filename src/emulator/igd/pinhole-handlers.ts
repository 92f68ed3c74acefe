/** One function for each action of WANIPv6FirewallControl:1. */
import { isLoopbackIPv4, isLoopbackIPv6, samePrefixIPv6 } from '../../domain/address.js'
import type { InArguments } from '../../wire/igd-actions.js'
import type { PinholeEntry } from '../tables/pinhole-table.js'
import { Refusal } from '../tables/refusal.js'
import type { ActionContext, ActionHandlers } from './action-context.js'
import { encodeBoolean, encodeUi4 } from './argument-values.js'
import { decodeOutboundPinhole, decodePinhole, decodePinholeId, decodePinholeLease } from './pinhole-arguments.js'

type PinholeAction =
  | 'GetFirewallStatus'
  | 'GetOutboundPinholeTimeout'
  | 'AddPinhole'
  | 'UpdatePinhole'
  | 'DeletePinhole'
  | 'GetPinholePackets'
  | 'CheckPinholeWorking'

export const PINHOLE_HANDLERS: ActionHandlers<PinholeAction> = {
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

/** @throws Refusal 702, 703 */
function checkFirewall({ facts }: ActionContext): void {
  if (!facts.firewallEnabled) throw new Refusal('FirewallDisabled')
  if (!facts.inboundPinholeAllowed) throw new Refusal('InboundPinholeNotAllowed')
}

/** @throws Refusal 402, 704, 606 */
function permittedPinhole(args: InArguments<'DeletePinhole'>, context: ActionContext): PinholeEntry {
  const pinhole = context.pinholes.get(decodePinholeId(args), context.nowMs)
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
