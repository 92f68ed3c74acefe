/** The commands about pinholes: what they ask a gateway, as Reports in upnpc's order, and their exit codes. */
import { upnpErrorOf } from '../../domain/errors.js'
import {
  type Gateway,
  type IgdGateway,
  NO_FIREWALL,
  type PinholeFirewall,
  type PinholeOpener,
} from '../../domain/gateway.js'
import type { PinholeId } from '../../domain/pinhole.js'
import { UPNP_ERRORS } from '../../domain/upnp-errors.js'
import { pinholeAddress, stableAddress } from '../../library/pinhole-address.js'
import { forgetPinhole, rememberPinhole } from '../../library/pinhole-memory.js'
import type { Chosen, ChosenGateway, RunContext } from '../context.js'
import { type Attempt, answerOf, attempt, attemptWrite, type Reporting } from '../failure.js'
import type { GatewayCommand } from '../parse/command-table.js'
import type { AskedPinhole } from '../parse/pinhole-words.js'
import type { ExitCode, PinholeReport } from '../report.js'

/** What opens the pinholes of a gateway: the firewall service of an IGD, or PCP. */
function openerOf(gateway: Gateway): PinholeOpener {
  return (gateway.protocol === 'igd' ? gateway.firewall : gateway.pinholes) ?? NO_FIREWALL
}

/** Asks the firewall of a gateway. A gateway without one is an ordinary failure. */
function askFirewall<T>(
  { firewall = NO_FIREWALL }: Pick<IgdGateway, 'firewall'>,
  { signal }: RunContext,
  question: (firewall: PinholeFirewall) => Promise<T>,
): Promise<Attempt<T>> {
  return attempt(signal, () => question(firewall))
}

/** -S */
export async function* reportFirewall(chosen: Chosen, context: RunContext): Reporting<ExitCode> {
  const status = await askFirewall(chosen.gateway, context, (firewall) => firewall.status())
  yield { type: 'firewall-status', ...answerOf(status, (value) => value) }
  const traffic = await attempt(context.signal, () => chosen.gateway.trafficCounters())
  context.signal.throwIfAborted() // the counters are optional, so their failure is not reported
  if (traffic.ok) yield { type: 'traffic', ...traffic.value }
  return status.ok ? 0 : 2
}

/**
 * Puts this computer's address in place of `@`: one that the internet can reach. With an emulated gateway, it is the
 * address on the way to that gateway.
 */
function withClient<T extends AskedPinhole>(
  asked: T,
  { localAddress }: Gateway,
  { onlyRoute, interfaces, temporaryAddresses = () => [] }: RunContext,
): T {
  if (asked.internalClient !== 'local' && asked.internalClient !== 'stable') return asked
  const own = onlyRoute === undefined ? interfaces() : []
  const lasting = asked.internalClient === 'stable' ? stableAddress(localAddress, own, temporaryAddresses()) : undefined
  return { ...asked, internalClient: lasting ?? pinholeAddress(localAddress, own) }
}

/** One after the other; if one fails, the next is still opened. With TCP+UDP, opens both or neither. */
export async function* addPinholes(
  chosen: ChosenGateway,
  context: RunContext,
  { pinholes }: Extract<GatewayCommand, { name: 'add-pinholes' }>,
): Reporting<ExitCode> {
  const { gateway } = chosen
  let exitCode: ExitCode = 0
  let previous: PinholeId | undefined
  for (const each of pinholes) {
    const udpHalf = each.pairedWithPrevious === true ? previous : undefined
    if (each.pairedWithPrevious === true && udpHalf === undefined) continue // both or neither
    const asked = withClient(each, gateway, context)
    const granted = await attemptWrite(() => openerOf(gateway).addPinhole(asked))
    if (granted.ok) await rememberPinhole(gateway, asked, granted.value, context)
    yield {
      type: 'pinhole-added',
      via: gateway.protocol,
      asked,
      ...answerOf(granted, ({ id, leaseSeconds }) => ({ id, leaseSeconds })),
    }
    previous = granted.ok ? granted.value.id : undefined
    if (!granted.ok) {
      exitCode = 2
      if (udpHalf !== undefined && context.signal.aborted) {
        yield { type: 'notice', kind: 'pinhole-still-open', id: udpHalf }
      }
      context.signal.throwIfAborted()
      if (udpHalf !== undefined) {
        const closed = (yield* deletePinholes(chosen, context, { ids: [udpHalf] })) === 0
        yield { type: 'notice', kind: 'pinhole-taken-back', id: udpHalf, closed }
      }
    }
  }
  return exitCode
}

const NOTHING_TO_UPDATE: ReadonlySet<number | undefined> = new Set([
  UPNP_ERRORS.FirewallDisabled,
  UPNP_ERRORS.InboundPinholeNotAllowed,
  UPNP_ERRORS.NoSuchEntry,
])

/** -U. Over UPnP, it first checks whether the pinhole works, as upnpc does. */
export async function* updatePinhole(
  { gateway }: ChosenGateway,
  context: RunContext,
  { id, leaseSeconds }: Extract<GatewayCommand, { name: 'update-pinhole' }>,
): Reporting<ExitCode> {
  if (gateway.protocol === 'igd') {
    const working = await askFirewall(gateway, context, (firewall) => firewall.isPinholeWorking(id))
    yield { type: 'pinhole-working', during: 'update', id, ...answerOf(working, (value) => ({ working: value })) }
    if (!working.ok && NOTHING_TO_UPDATE.has(upnpErrorOf(working.error))) return 2
  }
  const updated = await attemptWrite(() => openerOf(gateway).updatePinhole(id, leaseSeconds))
  yield { type: 'pinhole-updated', id, leaseSeconds, ...answerOf(updated, () => ({})) }
  if (!updated.ok) context.signal.throwIfAborted()
  return updated.ok ? 0 : 2
}

/** -C */
export function checkPinholes({ gateway }: Chosen, context: RunContext, { ids }: Ids): Reporting<ExitCode> {
  return reportEach(ids, context, async (id) => {
    const working = await askFirewall(gateway, context, (firewall) => firewall.isPinholeWorking(id))
    return { type: 'pinhole-working', during: 'check', id, ...answerOf(working, (value) => ({ working: value })) }
  })
}

/** -K */
export function reportPinholePackets({ gateway }: Chosen, context: RunContext, { ids }: Ids): Reporting<ExitCode> {
  return reportEach(ids, context, async (id) => {
    const packets = await askFirewall(gateway, context, (firewall) => firewall.pinholePackets(id))
    return { type: 'pinhole-packets', id, ...answerOf(packets, (value) => ({ packets: value })) }
  })
}

/** -D. `mayBeGone`: one that is not there any more is closed too. */
export function deletePinholes(
  { gateway }: ChosenGateway,
  context: RunContext,
  { ids, mayBeGone = false }: Ids & { readonly mayBeGone?: boolean },
): Reporting<ExitCode> {
  return reportEach(ids, context, async (id) => {
    const deleted = await attemptWrite(() => openerOf(gateway).deletePinhole(id))
    const isGone = !deleted.ok && upnpErrorOf(deleted.error) === UPNP_ERRORS.NoSuchEntry
    if (deleted.ok || isGone) await forgetPinhole(gateway, id, context)
    return { type: 'pinhole-deleted', id, ...(isGone && mayBeGone ? { ok: true } : answerOf(deleted, () => ({}))) }
  })
}

/** -G */
export function reportOutboundTimeouts(
  { gateway }: Chosen,
  context: RunContext,
  { pinholes }: Extract<GatewayCommand, { name: 'outbound-timeout' }>,
): Reporting<ExitCode> {
  return reportEach(pinholes, context, async (each) => {
    const asked = withClient(each, gateway, context)
    const timeout = await askFirewall(gateway, context, (firewall) => firewall.outboundPinholeTimeout(asked))
    return { type: 'outbound-timeout', asked, ...answerOf(timeout, (value) => ({ seconds: value })) }
  })
}

interface Ids {
  readonly ids: readonly PinholeId[]
}

/** Does one thing after the other, and reports each. If one fails, the next is still done. */
async function* reportEach<T>(
  wanted: readonly T[],
  { signal }: RunContext,
  reportOf: (each: T) => Promise<PinholeReport & { readonly ok: boolean }>,
): Reporting<ExitCode> {
  let exitCode: ExitCode = 0
  for (const each of wanted) {
    const report = await reportOf(each)
    yield report
    if (report.ok) continue
    exitCode = 2
    signal.throwIfAborted()
  }
  return exitCode
}
