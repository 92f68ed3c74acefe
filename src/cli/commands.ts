/** What each command asks of the gateway, as Reports in upnpc's order, and its exit code. */
import { isPortTaken, otherPorts } from '../client/other-ports.js'
import { isReservedIPv4, parseIPv4 } from '../domain/address.js'
import { InvalidArgumentError, NotConfirmedError, type PortMappingError, RefusedError } from '../domain/errors.js'
import type { ConnectionStatus, PortRange } from '../domain/gateway.js'
import { MAX_LISTED_PORT_MAPPINGS, type MappingRequest, type PortMapping } from '../domain/port-mapping.js'
import { attempt, attemptWrite, reportedError } from './failure.js'
import type { AskedMapping, GatewayCommand } from './gateway-commands.js'
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

/** 730 PortMappingNotFound: there is none of that protocol. */
const NONE_FOUND = 730

/** -L: TCP, then UDP; each in the reverse of the router's order, as upnpc has it. Where that cannot be had, as -l. */
export async function* listAtOnce(chosen: Chosen, context: RunContext): Reporting<ExitCode> {
  let index = 0
  let exitCode: ExitCode = 0
  for (const protocol of ['TCP', 'UDP'] as const) {
    const listed = await attempt(context.signal, () => chosen.gateway.portMappingsOf(protocol))
    if (!listed.ok) {
      yield { type: 'list-at-once-failed', error: reportedError(listed.error) }
      if (refusedWith(listed.error) === NONE_FOUND) continue
      exitCode = 2
      if (protocol === 'UDP') continue
      yield { type: 'notice', message: 'the router cannot list all at once; asking for one entry after the other' }
      return yield* walkTable(chosen, context)
    }
    if (protocol === 'TCP') yield { type: 'listing' }
    for (const mapping of listed.value.toReversed()) yield { type: 'mapping', index: index++, mapping }
    if (listed.value.length === MAX_LISTED_PORT_MAPPINGS) {
      const limit = `the router was asked for ${MAX_LISTED_PORT_MAPPINGS} entries and may have more; -l lists all`
      yield { type: 'notice', message: limit }
    }
  }
  return exitCode
}

function refusedWith(error: PortMappingError): number | undefined {
  return error instanceof RefusedError ? error.number : undefined
}

/** -r, -a and -n: a mapping that fails does not stop the next one. */
export async function* map(
  command: Extract<GatewayCommand, { name: 'map' }>,
  description: string,
  chosen: Chosen,
  context: RunContext,
): Reporting<ExitCode> {
  let exitCode: ExitCode = 0
  let { externalAddress } = chosen
  const isForThisComputer = command.mappings.some(({ internalClient }) => internalClient === 'local')
  if (isForThisComputer && parseIPv4(chosen.gateway.localAddress) === undefined) {
    const advice =
      "ports are mapped over IPv4: give -u the router's IPv4 address, or -a the IPv4 address of this computer"
    yield { type: 'error', error: reportedError(new InvalidArgumentError(advice)) }
    return 2
  }
  let previous: PortMapping | undefined
  const asked = [...command.mappings]
  let otherTries: number[] | undefined
  for (let at = 0; at < asked.length; at++) {
    const each = asked[at]
    if (each === undefined || (each.pairedWithPrevious && previous === undefined)) continue // both or none
    const request = requestOf(each, description, chosen, each.pairedWithPrevious ? previous?.externalPort : undefined)
    externalAddress ??= yield* askExternalAddress(chosen, context)
    if (externalAddress !== undefined) {
      yield { type: 'external-address', during: 'map', ok: true, address: externalAddress }
      if (at === 0 && isReservedIPv4(externalAddress)) yield { type: 'notice', message: unreachable(externalAddress) }
    }
    const any = command.any && !each.pairedWithPrevious
    const made = yield* mapOne(request, any, externalAddress ?? '', chosen)
    previous = made.mapping
    if (made.mapping !== undefined) continue
    if (context.signal.aborted && each.pairedWithPrevious) {
      const open = `external ${request.externalPort} UDP is still open: no time is left to close it`
      yield { type: 'notice', message: open }
    }
    context.signal.throwIfAborted()
    if (each.pairedWithPrevious) yield* takeBack(request, chosen, context)
    otherTries ??= otherPorts(request).slice(0, MOST_TRIES_OF_A_PAIR)
    const nextTry = command.any && each.pairedWithPrevious && made.isTaken ? otherTries.shift() : undefined
    if (nextTry === undefined) exitCode = 2
    else asked.splice(at + 1, 0, ...asked.slice(at - 1, at + 1).map((one) => ({ ...one, externalPort: nextTry })))
  }
  return exitCode
}

/** -n of TCP+UDP: as often as that the pair is tried on another port, where one of the two is taken. */
const MOST_TRIES_OF_A_PAIR = 3

function requestOf(asked: AskedMapping, description: string, chosen: Chosen, port?: number): MappingRequest {
  const { internalClient, pairedWithPrevious: _, ...rest } = asked
  const client = internalClient === 'local' ? chosen.gateway.localAddress : internalClient
  return { ...rest, externalPort: port ?? rest.externalPort, internalClient: client, description }
}

/** Such a mapping works only from inside the network in front of the router. */
function unreachable(externalAddress: string): string {
  if (externalAddress === '')
    return 'the router has no address of the internet: it is not connected, or behind another router'
  return (
    `${externalAddress}, the address of the router, is not one of the internet: another router or the NAT of the ` +
    'provider is in front of it, and the port has to be opened there too'
  )
}

async function* askExternalAddress(chosen: Chosen, context: RunContext): Reporting<string | undefined> {
  const address = await attempt(context.signal, () => chosen.gateway.externalAddress())
  if (address.ok) return address.value
  yield { type: 'external-address', during: 'map', ...refusal(address.error) }
  return undefined
}

/** Undefined where it failed; `isTaken` where another port may do. */
interface Made {
  readonly mapping: PortMapping | undefined
  readonly isTaken: boolean
}

async function* mapOne(asked: MappingRequest, any: boolean, externalAddress: string, chosen: Chosen): Reporting<Made> {
  let fallback: PortMappingError | undefined
  const onFallback = (error: PortMappingError): void => {
    fallback = error
  }
  const { gateway } = chosen
  const mapped = await attemptWrite(() => (any ? gateway.mapAny(asked, onFallback) : gateway.map(asked)))
  if (fallback !== undefined) yield { type: 'notice', message: withoutAddAny(fallback) }
  if (mapped.ok) {
    yield { type: 'mapped', asked, mapping: mapped.value, externalAddress }
    return { mapping: mapped.value, isTaken: false }
  }
  if (mapped.error instanceof NotConfirmedError) {
    yield { type: 'mapped', asked, mapping: mapped.error.mapping, externalAddress }
  }
  yield { type: 'map-failed', asked, error: reportedError(mapped.error) }
  return { mapping: undefined, isTaken: isPortTaken(mapped.error) }
}

function withoutAddAny(error: PortMappingError): string {
  return `the router does not choose a port itself (${error.message}); asked it for one after the other`
}

/** The UDP half of TCP+UDP, because the TCP half, which this is the request for, could not be had. */
async function* takeBack(request: MappingRequest, chosen: Chosen, context: RunContext): Reporting<void> {
  const { externalPort, remoteHost } = request
  const key = { externalPort, remoteHost, protocol: 'UDP' } as const
  const done = await attempt(context.signal, () => chosen.gateway.unmap(key))
  yield done.ok ? { type: 'taken-back', key } : { type: 'unmap-failed', key, error: reportedError(done.error) }
}

/** -d and -f: one that fails does not stop the next one. */
export async function* unmap(
  { keys, exitCodeOfFailure }: Extract<GatewayCommand, { name: 'unmap' }>,
  chosen: Chosen,
  context: RunContext,
): Reporting<ExitCode> {
  let exitCode: ExitCode = 0
  for (const key of keys) {
    const done = await attemptWrite(() => chosen.gateway.unmap(key))
    if (!done.ok) exitCode = exitCodeOfFailure
    yield done.ok ? { type: 'unmapped', key } : { type: 'unmap-failed', key, error: reportedError(done.error) }
    if (!done.ok) context.signal.throwIfAborted()
  }
  return exitCode
}

/** -N */
export async function* unmapRanges(
  ranges: readonly PortRange[],
  chosen: Chosen,
  context: RunContext,
): Reporting<ExitCode> {
  let exitCode: ExitCode = 0
  for (const range of ranges) {
    const done = await attemptWrite(() => chosen.gateway.unmapRange(range))
    if (!done.ok) exitCode = 2
    yield done.ok
      ? { type: 'range-unmapped', range }
      : { type: 'range-unmap-failed', range, error: reportedError(done.error) }
    if (!done.ok) context.signal.throwIfAborted()
  }
  return exitCode
}
