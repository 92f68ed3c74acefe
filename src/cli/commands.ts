/** What each command asks of the gateway, as Reports in upnpc's order, and its exit code. */
import { NotConfirmedError, type PortMappingError } from '../domain/errors.js'
import type { ConnectionStatus } from '../domain/gateway.js'
import type { MappingKey, MappingRequest } from '../domain/port-mapping.js'
import { attempt, reportedError } from './failure.js'
import type { AskedMapping } from './gateway-commands.js'
import type { Answer, ExitCode, Report } from './report.js'
import type { Chosen, RunContext } from './run.js'

type Reporting<T> = AsyncGenerator<Report, T, undefined>

function refusal(error: PortMappingError): { readonly ok: false; readonly error: ReturnType<typeof reportedError> } {
  return { ok: false, error: reportedError(error) }
}

/** Connection type, status, link rates, external address: the first part of -s and -l. True if the status or the address is known. */
async function* reportConnection(chosen: Chosen, context: RunContext): Reporting<boolean> {
  const { gateway } = chosen
  const { signal } = context
  const type = await attempt(signal, () => gateway.connectionType())
  yield { type: 'connection-type', ...(type.ok ? { ok: true, connectionType: type.value } : refusal(type.error)) }
  const status = await attempt(signal, async () => chosen.status ?? (await gateway.status()))
  yield { type: 'status', ...(status.ok ? connectedSince(status.value, context) : refusal(status.error)) }
  const rates = await attempt(signal, () => gateway.linkRates())
  yield { type: 'link-rates', ...(rates.ok ? { ok: true, ...rates.value } : refusal(rates.error)) }
  const address = await attempt(signal, async () => chosen.externalAddress ?? (await gateway.externalAddress()))
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
  const known = yield* reportConnection(chosen, context)
  const traffic = await attempt(context.signal, () => chosen.gateway.trafficCounters())
  context.signal.throwIfAborted() // the counters, being optional, fail in silence
  if (traffic.ok) yield { type: 'traffic', ...traffic.value }
  return known ? 0 : 2
}

/** -l */
export async function* listMappings(chosen: Chosen, context: RunContext): Reporting<ExitCode> {
  yield* reportConnection(chosen, context)
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

/** -r and -a: a mapping that fails does not stop the next one. */
export async function* map(
  asked: readonly AskedMapping[],
  description: string,
  chosen: Chosen,
  context: RunContext,
): Reporting<ExitCode> {
  let exitCode: ExitCode = 0
  let { externalAddress } = chosen
  for (const each of asked) {
    const { internalClient, ...rest } = each
    const client = internalClient === 'local' ? chosen.gateway.localAddress : internalClient
    const request = { ...rest, internalClient: client, description }
    externalAddress ??= yield* askExternalAddress(chosen, context)
    if (externalAddress !== undefined) {
      yield { type: 'external-address', during: 'map', ok: true, address: externalAddress }
    }
    const done = yield* mapOne(request, externalAddress ?? '', chosen, context)
    if (!done) exitCode = 2
  }
  return exitCode
}

async function* askExternalAddress(chosen: Chosen, context: RunContext): Reporting<string | undefined> {
  const address = await attempt(context.signal, () => chosen.gateway.externalAddress())
  if (address.ok) return address.value
  yield { type: 'external-address', during: 'map', ...refusal(address.error) }
  return undefined
}

async function* mapOne(
  asked: MappingRequest,
  externalAddress: string,
  chosen: Chosen,
  context: RunContext,
): Reporting<boolean> {
  const mapped = await attempt(context.signal, () => chosen.gateway.map(asked))
  if (mapped.ok) {
    yield { type: 'mapped', asked, mapping: mapped.value, externalAddress }
    return true
  }
  if (mapped.error instanceof NotConfirmedError) {
    yield { type: 'mapped', asked, mapping: mapped.error.mapping, externalAddress }
  }
  yield { type: 'map-failed', asked, error: reportedError(mapped.error) }
  return false
}

/** -d */
export async function* unmap(key: MappingKey, chosen: Chosen, context: RunContext): Reporting<ExitCode> {
  const done = await attempt(context.signal, () => chosen.gateway.unmap(key))
  if (done.ok) {
    yield { type: 'unmapped', key }
    return 0
  }
  yield { type: 'unmap-failed', key, error: reportedError(done.error) }
  return 2
}
