/**
 * watch: looks at the router again and again, and reports what has changed since the last look. An event or an
 * announcement brings the next look forward, but never nearer to the last one than the least pause: both are hints, and
 * an announcement can be forged.
 */
import { isInternetAddress, isNoAddress, knownAddress } from '../../domain/address.js'
import { RefusedError } from '../../domain/errors.js'
import type { Gateway } from '../../domain/gateway.js'
import {
  type MappingKey,
  type PortMapping,
  PROTOCOL_NUMBERS,
  type TransportProtocol,
} from '../../domain/port-mapping.js'
import { type Look, type LookAgain, looksAt } from '../../library/gateway/look.js'
import { addressOf } from '../../library/router.js'
import type { Opened } from '../../library/search-gateway.js'
import { sleep } from '../../net/clock.js'
import type { ChosenGateway, RunContext } from '../context.js'
import { attempt, type Reporting, reportedError } from '../failure.js'
import type { GatewayInvocation } from '../parse/invocation.js'
import type { ExitCode } from '../report.js'
import { find, openFor } from './find.js'

/** The pause after a look is never shorter. */
export const LEAST_PAUSE_MS = 2000
/** Nor shorter than so many times what the look took. */
const PAUSE_PER_LOOK = 4
/** If events tell what changes in the table, looks without one are there to notice a router that has gone. */
export const PAUSE_WITH_EVENTS_MS = 10_000
/** So many changes in a row that no event has told: the events cannot be relied on. */
const MAX_UNTOLD = 3
/** A router that has gone is looked for with growing pauses. */
const FIRST_SEARCH_MS = 1000
const LAST_SEARCH_MS = 30_000
/** Of one look. A row that moves while the table is read seems to be gone; if more seem so, they are believed to be. */
const MAX_CONFIRMED = 16

/** `table`: an event that tells of the table. */
export type RouterNews = 'table' | 'event' | 'announcement'
export type ListenToGateway = (gateway: Gateway, onNews: (kind: RouterNews) => void) => () => void

/** The signal ends it: there is no other end. */
export interface WatchContext extends RunContext {
  readonly listen: ListenToGateway
}

/** Returns the exit code if there is no router. @throws whatever the signal aborts with */
export async function* watch(invocation: GatewayInvocation, context: WatchContext): Reporting<ExitCode> {
  const chosen = yield* find(invocation, context)
  if (chosen === undefined) return 1
  yield { type: 'local-address', address: chosen.gateway.localAddress }
  yield { type: 'router', address: chosen.gateway.address, protocols: await chosen.router.protocols() }
  return yield* follow(chosen, (address) => openFor(invocation, context, address), context)
}

/** `searchAgain` searches for the router with that address, after it has gone. */
export function follow(
  chosen: ChosenGateway,
  searchAgain: (address: string) => Promise<Opened>,
  context: WatchContext,
): Reporting<never> {
  return new Watch(chosen, searchAgain, context).reports()
}

class Watch {
  readonly #context: WatchContext
  readonly #searchAgain: (address: string) => Promise<Opened>
  readonly #address: string
  #gateway: Gateway
  #look: LookAgain
  #stopListening = (): void => {}
  /** What the router has announced since the last look began. */
  readonly #news = new Set<RouterNews>()
  #wake = (): void => {}
  /** The router sends events about its table. */
  #hasTableEvents = false
  #untold = 0
  #rows: ReadonlyMap<string, PortMapping> | undefined
  #externalAddress: string | undefined
  #connectionStatus: string | undefined
  #isRefusalTold = false

  constructor(
    { gateway, externalAddress }: ChosenGateway,
    searchAgain: (address: string) => Promise<Opened>,
    context: WatchContext,
  ) {
    this.#context = context
    this.#searchAgain = searchAgain
    this.#address = addressOf(gateway)
    this.#gateway = gateway
    this.#look = looksAt(gateway, context, externalAddress)
  }

  async *reports(): Reporting<never> {
    const { clock, signal } = this.#context
    this.#listen()
    try {
      for (;;) {
        const [beganMs, isForEvent] = [clock.monotonicMs(), this.#news.has('table')]
        this.#news.clear()
        const looked = await attempt(signal, this.#look)
        const tookMs = clock.monotonicMs() - beganMs
        if (looked.ok) yield* this.#compare(looked.value, isForEvent)
        else yield* this.#findAgain(reportedError(looked.error))
        await this.#pause(looked.ok ? tookMs : 0)
        signal.throwIfAborted()
      }
    } finally {
      this.#stopListening()
    }
  }

  #listen(): void {
    this.#stopListening()
    this.#hasTableEvents = false
    this.#untold = 0
    this.#stopListening = this.#context.listen(this.#gateway, (kind) => {
      this.#news.add(kind)
      this.#hasTableEvents ||= kind === 'table'
      this.#wake()
    })
  }

  async #pause(tookMs: number): Promise<void> {
    const { clock, signal } = this.#context
    const leastMs = Math.max(LEAST_PAUSE_MS, PAUSE_PER_LOOK * tookMs)
    await sleep(clock, leastMs, signal)
    const isTold = this.#hasTableEvents && this.#untold < MAX_UNTOLD
    const restMs = (isTold ? PAUSE_WITH_EVENTS_MS : 0) - leastMs
    if (restMs <= 0 || this.#news.size > 0) return
    const woken = new AbortController()
    const wake = (): void => woken.abort()
    this.#wake = wake
    signal.addEventListener('abort', wake, { once: true })
    await sleep(clock, restMs, woken.signal)
    signal.removeEventListener('abort', wake)
    this.#wake = () => {}
  }

  async *#compare(look: Look, isForEvent: boolean): Reporting<void> {
    const timeMs = this.#context.clock.wallMs()
    const { status, hasRestarted } = look
    if (hasRestarted) yield { type: 'gateway-restarted', timeMs }
    if (status !== undefined && status.connectionStatus !== this.#connectionStatus) {
      this.#connectionStatus = status.connectionStatus
      const sinceMs = timeMs - status.uptimeSeconds * 1000
      const isTime = status.uptimeSeconds > 0 && !Number.isNaN(new Date(sinceMs).getTime())
      yield { type: 'status', ok: true, ...status, connectedSinceMs: isTime ? sinceMs : undefined }
    }
    yield* this.#compareAddress(look.externalAddress, timeMs)
    const { table } = look
    if (table instanceof RefusedError) {
      if (!this.#isRefusalTold) yield { type: 'listing-failed', count: 0, error: reportedError(table) }
      this.#isRefusalTold = true
      return
    }
    this.#isRefusalTold = false
    const isFirst = this.#rows === undefined
    const hasChanged = yield* this.#compareRows(table.rows, timeMs)
    if (hasChanged && !isFirst) this.#untold = isForEvent ? 0 : this.#untold + 1
    if (isFirst) yield { type: 'listing-end', count: table.rows.length, endedBy: table.endedBy }
  }

  async *#compareAddress(told: string | undefined, timeMs: number): Reporting<void> {
    if (told === undefined) return
    const address = knownAddress(told) ?? ''
    const previous = this.#externalAddress
    if (address === previous) return
    this.#externalAddress = address
    yield previous === undefined
      ? { type: 'external-address', during: 'status', ok: true, address: told }
      : { type: 'external-address-changed', timeMs, address, previous }
    if (isNoAddress(address) || !isInternetAddress(address))
      yield { type: 'notice', kind: 'address-not-public', address }
  }

  /** Returns whether a row has come or gone. */
  async *#compareRows(mappings: readonly PortMapping[], timeMs: number): Reporting<boolean> {
    const before = this.#rows
    const rows = new Map(mappings.map((mapping) => [nameOf(mapping), mapping]))
    const missing = [...(before ?? [])].filter(([name]) => !rows.has(name))
    let hasChanged = false
    for (const [name, mapping] of missing) {
      if (missing.length <= MAX_CONFIRMED && (await this.#isThere(mapping))) rows.set(name, mapping)
      else {
        hasChanged = true
        yield { type: 'port-gone', timeMs, mapping }
      }
    }
    for (const [name, mapping] of rows) {
      const old = before?.get(name)
      if (old === undefined) {
        hasChanged = true
        yield { type: 'port-appeared', timeMs, wasThere: before === undefined, mapping }
      } else if ((mapping.leaseSeconds ?? 0) > (old.leaseSeconds ?? 0)) yield { type: 'port-renewed', timeMs, mapping }
    }
    this.#rows = rows
    return hasChanged
  }

  async #isThere(mapping: PortMapping): Promise<boolean> {
    const key = keyOf(mapping)
    if (key === undefined || this.#gateway.protocol !== 'igd') return false
    const found = await attempt(this.#context.signal, () => this.#gateway.find(key))
    return found.ok && typeof found.value === 'object' && nameOf(found.value) === nameOf(mapping)
  }

  async *#findAgain(error: ReturnType<typeof reportedError>): Reporting<void> {
    const { clock, signal } = this.#context
    const lostMs = clock.monotonicMs()
    this.#stopListening()
    this.#stopListening = () => {}
    yield { type: 'gateway-lost', timeMs: clock.wallMs(), error }
    for (let pauseMs = FIRST_SEARCH_MS; ; pauseMs = Math.min(2 * pauseMs, LAST_SEARCH_MS)) {
      await sleep(clock, pauseMs, signal)
      signal.throwIfAborted()
      const opened = await attempt(signal, () => this.#searchAgain(this.#address))
      const found = opened.ok ? opened.value.found : undefined
      if (found === undefined || addressOf(found.gateway) !== this.#address) continue
      this.#gateway = found.gateway
      this.#look = looksAt(found.gateway, this.#context, found.externalAddress)
      this.#listen()
      const [timeMs, afterMs] = [clock.wallMs(), clock.monotonicMs() - lostMs]
      return yield { type: 'gateway-back', timeMs, address: this.#address, afterMs }
    }
  }
}

/** What else is changed is another row: it leads elsewhere, or somebody else made it. */
function nameOf({
  externalPort,
  protocol,
  remoteHost,
  internalClient,
  internalPort,
  description,
  enabled,
}: PortMapping) {
  return JSON.stringify([externalPort, protocol, remoteHost, internalClient, internalPort, description, enabled])
}

function keyOf({ externalPort, protocol, remoteHost }: PortMapping): MappingKey | undefined {
  const isKnown = (name: string): name is TransportProtocol => name in PROTOCOL_NUMBERS
  return externalPort === undefined || !isKnown(protocol) ? undefined : { externalPort, protocol, remoteHost }
}
