/** -r, -a, -n, -d, -f and -N: what they ask a gateway, as Reports in upnpc's order, and their exit codes. */
import { isInternetAddress, isReachableAt, isSameAddress, knownAddress, parseIPv4 } from '../../domain/address.js'
import { isPortTaken, NotConfirmedError, type PortMappingError } from '../../domain/errors.js'
import type { Gateway } from '../../domain/gateway.js'
import { otherPorts } from '../../domain/other-ports.js'
import type { MappingKey, MappingRequest } from '../../domain/port-mapping.js'
import type { MappingNote } from '../../domain/refusal-cause.js'
import { isHopeless, Mapper, type Outcome } from '../../library/mapper.js'
import type { UnmapRemark } from '../../library/router.js'
import type { Listeners } from '../../net/tables/listeners.js'
import type { Chosen, ChosenGateway, RunContext } from '../context.js'
import { type Attempt, answerOf, attempt, attemptWrite, type Reporting, reportedError } from '../failure.js'
import type { AskedMapping, GatewayCommand } from '../parse/command-table.js'
import type { ExitCode, Report } from '../report.js'

/** Makes the mappings one by one. If one fails, the next is still made. */
export async function* map(
  chosen: ChosenGateway,
  context: RunContext,
  command: Extract<GatewayCommand, { name: 'map' }>,
  description: string,
): Reporting<ExitCode> {
  let hasFailed = false
  let isImpossible = false
  const isForThisComputer = command.mappings.some(({ internalClient }) => internalClient === 'local')
  if (isForThisComputer && parseIPv4(chosen.gateway.localAddress) === undefined) {
    yield { type: 'error', error: { kind: 'no-ipv4-address' } }
    return 2
  }
  const known: KnownGateway = { ...chosen, mapper: new Mapper(chosen.gateway, context), isUnreachableTold: false }
  let previous: Extract<Outcome, { ok: true }> | undefined
  let hasMapped = false
  const queue: Asked[] = command.mappings.map((each) => ({ each, otherPorts: undefined }))
  for (let at = 0; at < queue.length; at++) {
    const { each, otherPorts: others } = queue[at] ?? {}
    if (each === undefined || (each.pairedWithPrevious && previous === undefined)) continue // both or neither
    const request = requestOf(
      each,
      description,
      chosen,
      each.pairedWithPrevious ? previous?.mapping.externalPort : undefined,
    )
    const any = (command.any || each.externalPort === 0 || each.internalPort === 0) && !each.pairedWithPrevious
    const made = yield* mapOne(request, any, known, context)
    const udpHalf = each.pairedWithPrevious ? previous : undefined
    previous = made.ok ? made : undefined
    hasMapped ||= made.ok
    const isHalf = queue[at + 1]?.each.pairedWithPrevious === true
    if (made.ok && !isHalf) yield* unreachedReport(request, udpHalf !== undefined, known)
    if (made.ok) continue
    if (udpHalf?.wasThere) yield { type: 'notice', kind: 'left-open', key: udpHalfOf(request) }
    else if (udpHalf !== undefined && request.internalPort === 0) {
      const endsWallMs = context.clock.wallMs() + (udpHalf.mapping.leaseSeconds ?? 0) * 1000
      yield { type: 'notice', kind: 'ends-with-lease', key: udpHalfOf(request), endsWallMs }
    } else if (udpHalf !== undefined) yield* takeBack(request, chosen, context)
    context.signal.throwIfAborted()
    const pair = queue.slice(at - 1, at + 1).map((one) => one.each)
    const isAnyPort = command.any || pair[0]?.externalPort === 0
    const left = others ?? (isAnyPort ? otherPorts(request).slice(0, MOST_TRIES_OF_A_PAIR) : [])
    const mayTry = each.pairedWithPrevious && isPortTaken(made.error) && !isHopeless(made.cause)
    const [nextTry, ...rest] = mayTry ? left : []
    const protocolCannot = chosen.gateway.protocol !== 'igd' && made.error.code === 'INVALID_ARGUMENT'
    if (nextTry === undefined && protocolCannot) isImpossible = true
    else if (nextTry === undefined) hasFailed = true
    else queue.splice(at + 1, 0, ...pair.map((one) => ({ each: { ...one, externalPort: nextTry }, otherPorts: rest })))
  }
  if (hasFailed || (isImpossible && hasMapped)) return 2
  return isImpossible ? 1 : 0
}

/** TCP+UDP and another port will do: how many are tried if the port of one half is taken. */
const MOST_TRIES_OF_A_PAIR = 3

/** A mapping that waits for its turn, and the ports that a pair may still be moved to. */
interface Asked {
  readonly each: AskedMapping
  readonly otherPorts: readonly number[] | undefined
}

function requestOf(asked: AskedMapping, description: string, chosen: ChosenGateway, port?: number): MappingRequest {
  const { internalClient, pairedWithPrevious: _, ...rest } = asked
  const client = internalClient === 'local' ? chosen.gateway.localAddress : internalClient
  return { ...rest, externalPort: port ?? rest.externalPort, internalClient: client, description }
}

/** A gateway, and its external address once that is known. */
interface KnownGateway {
  readonly gateway: Gateway
  readonly mapper: Mapper
  readonly isDoubtful?: boolean | undefined
  externalAddress: string | undefined
  isUnreachableTold: boolean
  /** Who listens on this computer, as far as it was asked. */
  listeners?: Promise<Listeners> | undefined
}

/** Reports the external address and returns it, or the empty string if the gateway does not give it. */
async function* reportAddress(
  known: KnownGateway,
  attempted: (question: () => Promise<string>) => Promise<Attempt<string>>,
): Reporting<string> {
  const { externalAddress, gateway } = known
  const address = await attempted(async () => externalAddress ?? (await gateway.externalAddress()))
  yield { type: 'external-address', during: 'map', ...answerOf(address, (value) => ({ address: value })) }
  if (address.ok) known.externalAddress = address.value
  if (!known.isUnreachableTold && !(address.ok && isInternetAddress(address.value))) {
    known.isUnreachableTold = true
    yield address.ok
      ? { type: 'notice', kind: 'address-not-public', address: knownAddress(address.value) ?? '' }
      : { type: 'notice', kind: 'address-unknown', error: reportedError(address.error) }
  }
  return address.ok ? address.value : ''
}

/** Asks an IGD for its external address first, as upnpc does. PCP gives the address in its reply to the mapping. */
async function* mapOne(
  asked: MappingRequest,
  any: boolean,
  known: KnownGateway,
  context: RunContext,
): Reporting<Outcome> {
  const { gateway, mapper, isDoubtful = false } = known
  const isIgd = gateway.protocol === 'igd'
  let externalAddress = ''
  if (isIgd) externalAddress = yield* reportAddress(known, (question) => attempt(context.signal, question))
  const mapping = mapper.map({ request: asked, externalAddress }, any)
  if (isSameAddress(asked.internalClient, gateway.localAddress)) known.listeners ??= context.listeners?.()
  const made = await mapping
  if (made.fallback !== undefined)
    yield { type: 'notice', kind: 'port-not-chosen', error: reportedError(made.fallback) }
  if (made.ok) {
    // After a mapping it is asked once, and a failure does not keep the mapping from being reported.
    if (!isIgd && known.externalAddress !== '') externalAddress = yield* reportAddress(known, attemptWrite)
    if (!isIgd) known.externalAddress = externalAddress
    const told = isIgd || externalAddress !== '' ? known.externalAddress : undefined
    const reachable = isReachableAt(told) && (isDoubtful || made.notes.some(isDoubt)) ? undefined : isReachableAt(told)
    yield { type: 'mapped', asked, mapping: made.mapping, externalAddress, reachable }
    for (const note of made.notes) yield { type: 'notice', ...note }
    const key = { ...asked, externalPort: made.mapping.externalPort ?? asked.externalPort }
    if (made.mapping.isRemoteHostUnchecked === true)
      yield { type: 'notice', kind: 'remote-host-unchecked', via: gateway.protocol, key }
    return made
  }
  const { error, cause } = made
  if (isIgd && error instanceof NotConfirmedError && !error.isClosedAgain) {
    yield { type: 'mapped', asked, mapping: error.mapping, externalAddress, isOtherwise: true }
  }
  const failure = { via: gateway.protocol, asked, error: reportedError(error), cause, isTaken: isPortTaken(error) }
  yield { type: 'map-failed', ...failure }
  return made
}

/** The port is open, but may lead nowhere. */
function isDoubt({ kind }: MappingNote): boolean {
  return kind === 'client-is-router' || kind === 'client-is-public' || kind === 'another-nat'
}

/** The port is open: a program on this computer may not be there yet. Nothing is said about other computers. */
async function* unreachedReport(asked: MappingRequest, isPair: boolean, known: KnownGateway): Reporting<void> {
  const { internalClient: address, internalPort: port, protocol } = asked
  const listeners = await known.listeners
  if (listeners === undefined || port === 0 || !isSameAddress(address, known.gateway.localAddress)) return
  const { whyUnreached } = await import('./listening.js')
  const why = whyUnreached(listeners, { protocols: isPair ? ['TCP', 'UDP'] : [protocol], address, port })
  if (why !== undefined) yield { type: 'notice', ...why }
}

function udpHalfOf({ externalPort, remoteHost }: MappingRequest): MappingKey {
  return { externalPort, remoteHost, protocol: 'UDP' }
}

/** Closes the UDP half of TCP+UDP, because the TCP half failed. `request` is the request for the TCP half. */
async function* takeBack(request: MappingRequest, { gateway }: ChosenGateway, context: RunContext): Reporting<void> {
  const { internalClient, internalPort } = request
  const key = udpHalfOf(request)
  if (context.signal.aborted) return yield { type: 'notice', kind: 'still-open', key }
  const done = await attempt(context.signal, () => gateway.unmap({ ...key, internalClient, internalPort }))
  yield done.ok ? { type: 'taken-back', key } : unmapFailed(gateway, key, done.error)
}

/** -d and -f. If a deletion fails, the next one is still done. */
export async function* unmap(
  chosen: ChosenGateway,
  context: RunContext,
  { keys, exitCodeOfFailure }: Extract<GatewayCommand, { name: 'unmap' }>,
): Reporting<ExitCode> {
  let exitCode: ExitCode = 0
  for (const key of keys) if (!(yield* unmapKey(chosen, context, key))) exitCode = exitCodeOfFailure
  return exitCode
}

/** Returns whether it is closed. */
export async function* unmapKey(
  { router }: ChosenGateway,
  { signal }: RunContext,
  key: MappingKey,
): Reporting<boolean> {
  const { isClosed, attempts, remark } = await router.unmap(key)
  for (const { via, error } of attempts)
    yield error === undefined
      ? { type: 'unmapped', via, key }
      : { type: 'unmap-failed', via, key, error: reportedError(error) }
  if (remark !== undefined) yield remarkOf(remark, key)
  if (!isClosed) signal.throwIfAborted()
  return isClosed
}

function remarkOf(remark: UnmapRemark, key: MappingKey): Report {
  if (remark.kind !== 'made-by-another') return { type: 'notice', key, ...remark }
  const { internalClient: address, description } = remark.mapping
  return { type: 'notice', kind: remark.kind, key, address, description }
}

export function unmapFailed({ protocol: via }: Gateway, key: MappingKey, error: PortMappingError): Report {
  return { type: 'unmap-failed', via, key, error: reportedError(error) }
}

/** -N */
export async function* unmapRanges(
  { gateway }: Chosen,
  { signal }: RunContext,
  { ranges }: Extract<GatewayCommand, { name: 'unmap-ranges' }>,
): Reporting<ExitCode> {
  let exitCode: ExitCode = 0
  for (const range of ranges) {
    const done = await attemptWrite(() => gateway.unmapRange(range))
    if (!done.ok) exitCode = 2
    yield done.ok
      ? { type: 'range-unmapped', range }
      : { type: 'range-unmap-failed', range, error: reportedError(done.error) }
    if (!done.ok) signal.throwIfAborted()
  }
  return exitCode
}
