/** What each command but those that map asks of the gateway, as Reports in upnpc's order, and its exit code. */
import { upnpErrorOf } from '../../domain/errors.js'
import type { ConnectionStatus } from '../../domain/gateway.js'
import { MAX_LISTED_PORT_MAPPINGS } from '../../domain/port-mapping.js'
import { UPNP_ERRORS } from '../../domain/upnp-errors.js'
import type { Chosen, ChosenPortControl, RunContext } from '../context.js'
import { attempt, type Reporting, refusal, reportedError } from '../failure.js'
import type { Answer, ExitCode } from '../report.js'

/** The questions of the first part of -s and -l, all at once: how many go side by side is the gateway's affair. */
function askConnection({ gateway, ...chosen }: Chosen, { signal }: RunContext) {
  return {
    type: begun(attempt(signal, () => gateway.connectionType())),
    status: begun(attempt(signal, async () => chosen.status ?? (await gateway.status()))),
    rates: begun(attempt(signal, () => gateway.linkRates())),
    address: begun(attempt(signal, async () => chosen.externalAddress ?? (await gateway.externalAddress()))),
  }
}

/** What it fails with is heard when its turn to be reported comes. */
function begun<T>(work: Promise<T>): Promise<T> {
  work.catch(() => {})
  return work
}

/** Connection type, status, link rates, external address. True if the status or the address is known. */
async function* reportConnection(asked: ReturnType<typeof askConnection>, context: RunContext): Reporting<boolean> {
  const type = await asked.type
  yield { type: 'connection-type', ...(type.ok ? { ok: true, connectionType: type.value } : refusal(type.error)) }
  const status = await asked.status
  yield { type: 'status', ...(status.ok ? connectedSince(status.value, context) : refusal(status.error)) }
  const rates = await asked.rates
  yield { type: 'link-rates', ...(rates.ok ? { ok: true, ...rates.value } : refusal(rates.error)) }
  const address = await asked.address
  const answer: Answer<{ address: string }> = address.ok ? { ok: true, address: address.value } : refusal(address.error)
  yield { type: 'external-address', during: 'status', ...answer }
  return status.ok || (address.ok && address.value !== '')
}

function connectedSince(status: ConnectionStatus, context: RunContext) {
  const wallMs = context.clock.wallMs() - status.uptimeSeconds * 1000
  // A router may say anything: an uptime that leads out of the calendar is no time.
  const isTime = status.uptimeSeconds > 0 && !Number.isNaN(new Date(wallMs).getTime())
  return { ok: true as const, ...status, connectedSinceMs: isTime ? wallMs : undefined }
}

/** -s */
export async function* reportStatus(chosen: Chosen, context: RunContext): Reporting<ExitCode> {
  const asked = askConnection(chosen, context)
  const counted = begun(attempt(context.signal, () => chosen.gateway.trafficCounters()))
  const known = yield* reportConnection(asked, context)
  const traffic = await counted
  context.signal.throwIfAborted() // the counters, being optional, fail in silence
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

/** -L: TCP, then UDP; each in the reverse of the router's order, as upnpc has it. Where that cannot be had, as -l. */
export async function* listAtOnce(chosen: Chosen, context: RunContext): Reporting<ExitCode> {
  let index = 0
  let exitCode: ExitCode = 0
  for (const protocol of ['TCP', 'UDP'] as const) {
    const listed = await attempt(context.signal, () => chosen.gateway.portMappingsOf(protocol))
    if (!listed.ok) {
      yield { type: 'list-at-once-failed', error: reportedError(listed.error) }
      if (upnpErrorOf(listed.error) === UPNP_ERRORS.PortMappingNotFound) continue // there is none of that protocol
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

/** -s: how long the gateway has been up, or has had its mappings; and its external address. */
export async function* reportPortControlStatus(
  { gateway, externalAddress }: ChosenPortControl,
  context: RunContext,
): Reporting<ExitCode> {
  const { epochSeconds, protocol: via } = gateway
  const sinceMs = context.clock.wallMs() - epochSeconds * 1000
  yield { type: 'port-control-status', via, epochSeconds, sinceMs }
  const address = await attempt(context.signal, async () => externalAddress ?? (await gateway.externalAddress()))
  yield {
    type: 'external-address',
    during: 'status',
    ...(address.ok ? { ok: true, address: address.value } : { ok: false, error: reportedError(address.error) }),
  }
  return address.ok ? 0 : 2
}
