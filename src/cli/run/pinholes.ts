/** The commands about pinholes: what they ask a gateway, as Reports in upnpc's order, and their exit codes. */
import { upnpErrorOf } from '../../domain/errors.js'
import type { IgdGateway, PinholeFirewall, PinholeOpener } from '../../domain/gateway.js'
import { NO_FIREWALL } from '../../domain/gateway.js'
import type { PinholeId } from '../../domain/pinhole.js'
import { UPNP_ERRORS } from '../../domain/upnp-errors.js'
import { pinholeAddress } from '../../library/pinhole-address.js'
import type { Chosen, ChosenGateway, RunContext } from '../context.js'
import { type Attempt, attempt, attemptWrite, type Reporting, reportedError } from '../failure.js'
import type { GatewayCommand } from '../parse/command-table.js'
import type { AskedPinhole, AskedTimedPinhole } from '../parse/pinhole-words.js'
import type { Answer, ExitCode } from '../report.js'

/** A gateway, and what opens its pinholes: its firewall service, or PCP. */
export interface PinholesOf extends Pick<ChosenGateway, 'gateway'> {
  readonly pinholes: PinholeOpener
}

/** Asks the firewall of a gateway. A gateway without one is an ordinary failure. */
function askFirewall<T>(
  { firewall = NO_FIREWALL }: Pick<IgdGateway, 'firewall'>,
  { signal }: RunContext,
  question: (firewall: PinholeFirewall) => Promise<T>,
): Promise<Attempt<T>> {
  return attempt(signal, () => question(firewall))
}

function answerOf<T, U>(asked: Attempt<T>, facts: (value: T) => U): Answer<U> {
  return asked.ok ? { ok: true, ...facts(asked.value) } : { ok: false, error: reportedError(asked.error) }
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
  { gateway }: Pick<ChosenGateway, 'gateway'>,
  { onlyRoute, interfaces }: RunContext,
): T {
  if (asked.internalClient !== 'local') return asked
  return { ...asked, internalClient: pinholeAddress(gateway.localAddress, onlyRoute === undefined ? interfaces() : []) }
}

/** -A. With TCP+UDP, opens both or neither. */
export async function* addPinholes(
  pinholes: readonly AskedTimedPinhole[],
  chosen: PinholesOf,
  context: RunContext,
): Reporting<ExitCode> {
  const added: PinholeId[] = []
  for (const each of pinholes) {
    const asked = withClient(each, chosen, context)
    const granted = await attemptWrite(() => chosen.pinholes.addPinhole(asked))
    yield { type: 'pinhole-added', via: chosen.gateway.protocol, asked, ...answerOf(granted, ({ id }) => ({ id })) }
    if (!granted.ok) {
      const [udpHalf] = added
      if (udpHalf !== undefined && context.signal.aborted) {
        yield { type: 'notice', kind: 'pinhole-still-open', id: udpHalf }
      }
      context.signal.throwIfAborted()
      if (udpHalf !== undefined) {
        const exitCode = yield* deletePinholes([udpHalf], chosen, context)
        yield { type: 'notice', kind: 'pinhole-taken-back', id: udpHalf, closed: exitCode === 0 }
      }
      return 2
    }
    added.push(granted.value.id)
  }
  return 0
}

const NOTHING_TO_UPDATE: ReadonlySet<number | undefined> = new Set([
  UPNP_ERRORS.FirewallDisabled,
  UPNP_ERRORS.InboundPinholeNotAllowed,
  UPNP_ERRORS.NoSuchEntry,
])

/** -U. Over UPnP, it first checks whether the pinhole works, as upnpc does. */
export async function* updatePinhole(
  { id, leaseSeconds }: Extract<GatewayCommand, { name: 'update-pinhole' }>,
  { pinholes }: PinholesOf,
  context: RunContext,
  igd?: Pick<IgdGateway, 'firewall'>,
): Reporting<ExitCode> {
  if (igd !== undefined) {
    const working = await askFirewall(igd, context, (firewall) => firewall.isPinholeWorking(id))
    yield { type: 'pinhole-working', during: 'update', id, ...answerOf(working, (value) => ({ working: value })) }
    if (!working.ok && NOTHING_TO_UPDATE.has(upnpErrorOf(working.error))) return 2
  }
  const updated = await attemptWrite(() => pinholes.updatePinhole(id, leaseSeconds))
  yield { type: 'pinhole-updated', id, leaseSeconds, ...answerOf(updated, () => ({})) }
  if (!updated.ok) context.signal.throwIfAborted()
  return updated.ok ? 0 : 2
}

/** -C */
export async function* checkPinholes(
  ids: readonly PinholeId[],
  chosen: Chosen,
  context: RunContext,
): Reporting<ExitCode> {
  let exitCode: ExitCode = 0
  for (const id of ids) {
    const working = await askFirewall(chosen.gateway, context, (firewall) => firewall.isPinholeWorking(id))
    if (!working.ok) exitCode = 2
    yield { type: 'pinhole-working', during: 'check', id, ...answerOf(working, (value) => ({ working: value })) }
  }
  return exitCode
}

/** -K */
export async function* reportPinholePackets(
  ids: readonly PinholeId[],
  chosen: Chosen,
  context: RunContext,
): Reporting<ExitCode> {
  let exitCode: ExitCode = 0
  for (const id of ids) {
    const packets = await askFirewall(chosen.gateway, context, (firewall) => firewall.pinholePackets(id))
    if (!packets.ok) exitCode = 2
    yield { type: 'pinhole-packets', id, ...answerOf(packets, (value) => ({ packets: value })) }
  }
  return exitCode
}

/** -D */
export async function* deletePinholes(
  ids: readonly PinholeId[],
  { pinholes }: PinholesOf,
  context: RunContext,
): Reporting<ExitCode> {
  let exitCode: ExitCode = 0
  for (const id of ids) {
    const deleted = await attemptWrite(() => pinholes.deletePinhole(id))
    if (!deleted.ok) exitCode = 2
    yield { type: 'pinhole-deleted', id, ...answerOf(deleted, () => ({})) }
    if (!deleted.ok) context.signal.throwIfAborted()
  }
  return exitCode
}

/** -G */
export async function* reportOutboundTimeouts(
  pinholes: readonly AskedPinhole[],
  chosen: Chosen,
  context: RunContext,
): Reporting<ExitCode> {
  let exitCode: ExitCode = 0
  for (const each of pinholes) {
    const asked = withClient(each, chosen, context)
    const timeout = await askFirewall(chosen.gateway, context, (firewall) => firewall.outboundPinholeTimeout(asked))
    if (!timeout.ok) exitCode = 2
    yield { type: 'outbound-timeout', asked, ...answerOf(timeout, (value) => ({ seconds: value })) }
  }
  return exitCode
}
