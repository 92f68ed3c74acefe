/** -l, -L and -s: what they ask a gateway, as Reports in upnpc's order, and their exit codes. */
import { isInternetAddress, knownAddress } from '../../domain/address.js'
import { upnpErrorOf } from '../../domain/errors.js'
import type { ConnectionStatus } from '../../domain/gateway.js'
import { MAX_LISTED_PORT_MAPPINGS } from '../../domain/port-mapping.js'
import { UPNP_ERRORS } from '../../domain/upnp-errors.js'
import { rememberedAt } from '../../library/gateway/remove-own.js'
import type { Chosen, ChosenGateway, ChosenPortControl, RunContext } from '../context.js'
import { type Attempt, answerOf, attempt, type Reporting, reportedError } from '../failure.js'
import type { ExitCode } from '../report.js'

/** Begins all questions of the first part of -s and -l at once. The gateway decides how many run in parallel. */
function askConnection({ gateway, ...chosen }: Chosen, { signal }: RunContext) {
  return {
    type: begun(attempt(signal, () => gateway.connectionType())),
    status: begun(attempt(signal, async () => chosen.status ?? (await gateway.status()))),
    rates: begun(attempt(signal, () => gateway.linkRates())),
    address: begun(attempt(signal, async () => chosen.externalAddress ?? (await gateway.externalAddress()))),
  }
}

/** Marks work as begun. If it fails, the failure is noticed later, when its turn to be reported comes. */
function begun<T>(work: Promise<T>): Promise<T> {
  work.catch(() => {})
  return work
}

/** Reports connection type, status, link rates and external address. Returns whether the status or address is known. */
async function* reportConnection(asked: ReturnType<typeof askConnection>, context: RunContext): Reporting<boolean> {
  const type = await asked.type
  yield { type: 'connection-type', ...answerOf(type, (connectionType) => ({ connectionType })) }
  const status = await asked.status
  yield { type: 'status', ...answerOf(status, (value) => connectedSince(value, context)) }
  const rates = await asked.rates
  yield { type: 'link-rates', ...answerOf(rates, (value) => value) }
  const address = await asked.address
  const isKnown = yield* reportAddress(address)
  return status.ok || isKnown
}

/** Returns whether the gateway has an address. */
async function* reportAddress(address: Attempt<string>): Reporting<boolean> {
  yield { type: 'external-address', during: 'status', ...answerOf(address, (value) => ({ address: value })) }
  if (!address.ok) return false
  const known = knownAddress(address.value)
  if (!isInternetAddress(address.value)) yield { type: 'notice', kind: 'address-not-public', address: known ?? '' }
  return known !== undefined
}

function connectedSince(status: ConnectionStatus, context: RunContext) {
  const wallMs = context.clock.wallMs() - status.uptimeSeconds * 1000
  // A router may say anything: an uptime may lead to a date that JavaScript cannot express.
  const isTime = status.uptimeSeconds > 0 && !Number.isNaN(new Date(wallMs).getTime())
  return { ...status, connectedSinceMs: isTime ? wallMs : undefined }
}

/** -s */
export async function* reportStatus(chosen: Chosen, context: RunContext): Reporting<ExitCode> {
  const asked = askConnection(chosen, context)
  const counted = begun(attempt(context.signal, () => chosen.gateway.trafficCounters()))
  const known = yield* reportConnection(asked, context)
  const traffic = await counted
  context.signal.throwIfAborted() // the counters are optional, so their failure is not reported
  if (traffic.ok) yield { type: 'traffic', ...traffic.value }
  return known ? 0 : 2
}

/** -l */
export async function* listMappings(chosen: Chosen, context: RunContext): Reporting<ExitCode> {
  yield* reportConnection(askConnection(chosen, context), context)
  return yield* walkTable(chosen, context)
}

async function* walkTable(chosen: Chosen, context: RunContext): Reporting<ExitCode> {
  yield { type: 'listing' }
  const entries = chosen.gateway.portMappings()[Symbol.asyncIterator]()
  for (let count = 0; ; count++) {
    const entry = await attempt(context.signal, () => entries.next())
    if (!entry.ok) {
      yield { type: 'listing-failed', count, error: reportedError(entry.error) }
      return 2
    }
    if (entry.value.done === true) {
      yield { type: 'listing-end', count, endedBy: entry.value.value }
      return 0
    }
    yield { type: 'mapping', index: count, mapping: entry.value.value }
  }
}

/** miniupnpd 2.3.1 dies if GetListOfPortMappings has more than these to list. */
const MOST_LISTED_AT_ONCE = 128

/** -L: TCP, then UDP, each in the reverse of the router's order, as upnpc does. If that fails, it lists as -l does. */
export async function* listAtOnce(chosen: Chosen, context: RunContext): Reporting<ExitCode> {
  if (await chosen.gateway.hasPortMappingAt(MOST_LISTED_AT_ONCE)) {
    yield { type: 'notice', kind: 'too-many-for-list-at-once', count: MOST_LISTED_AT_ONCE }
    return yield* walkTable(chosen, context)
  }
  let index = 0
  let exitCode: ExitCode = 0
  for (const protocol of ['TCP', 'UDP'] as const) {
    const listed = await attempt(context.signal, () => chosen.gateway.portMappingsOf(protocol))
    if (!listed.ok) {
      yield { type: 'list-at-once-failed', error: reportedError(listed.error) }
      if (upnpErrorOf(listed.error) === UPNP_ERRORS.PortMappingNotFound) continue // no mapping of that protocol
      exitCode = 2
      if (protocol === 'UDP') continue
      yield { type: 'notice', kind: 'not-listed-at-once' }
      return yield* walkTable(chosen, context)
    }
    if (protocol === 'TCP') yield { type: 'listing' }
    for (const mapping of listed.value.toReversed()) yield { type: 'mapping', index: index++, mapping }
    if (listed.value.length === MAX_LISTED_PORT_MAPPINGS) {
      yield { type: 'notice', kind: 'listing-full', count: MAX_LISTED_PORT_MAPPINGS }
    }
  }
  return exitCode
}

/** -s over PCP and NAT-PMP: how long the gateway has been up or has had its mappings, and its external address. */
export async function* reportPortControlStatus(
  { gateway, externalAddress }: ChosenPortControl,
  context: RunContext,
): Reporting<ExitCode> {
  const { epochSeconds, protocol: via } = gateway
  const sinceMs = context.clock.wallMs() - epochSeconds * 1000
  yield { type: 'port-control-status', via, epochSeconds, sinceMs }
  const address = await attempt(context.signal, async () => externalAddress ?? (await gateway.externalAddress()))
  return (yield* reportAddress(address)) ? 0 : 2
}

/** status: as -s, and what the router speaks. */
export async function* reportOverview(chosen: Chosen, context: RunContext): Reporting<ExitCode> {
  yield* reportRouter(chosen)
  return yield* reportStatus(chosen, context)
}

export async function* reportPortControlOverview(chosen: ChosenPortControl, context: RunContext): Reporting<ExitCode> {
  yield* reportRouter(chosen)
  return yield* reportPortControlStatus(chosen, context)
}

async function* reportRouter({ gateway, router }: ChosenGateway): Reporting<void> {
  yield { type: 'router', address: gateway.address, protocols: await router.protocols() }
}

/** list over PCP and NAT-PMP, which cannot list: what this user is remembered to have opened. */
export async function* listRemembered({ gateway }: ChosenPortControl, context: RunContext): Reporting<ExitCode> {
  yield { type: 'listing' }
  const mappings = await rememberedAt(gateway, context)
  for (const [index, mapping] of mappings.entries()) yield { type: 'mapping', index, mapping }
  yield { type: 'listing-end', count: mappings.length, endedBy: 'memory' }
  return 0
}
