/**
 * Finds the IGD to use: searches, looks at every device that answers side by side, and ends as soon as a connected IGD
 * is known. Where several are connected it is the default gateway that counts, so a first one that is not waits a moment
 * for it. Ranking otherwise as in upnpc: connected with a public address, connected, an IGD at all, a device at all.
 */
import { PortMappingError } from '../domain/errors.js'
import type { Clock } from '../net/clock.js'
import type { Datagrams } from '../net/datagrams.js'
import type { HttpClient } from '../net/http-client.js'
import type { Candidate } from './candidate.js'
import { type HeardReply, SEARCH_TARGETS, type SearchRoute, startSsdpSearch } from './ssdp-search.js'
import { trustedUrl, trustSender } from './trusted-url.js'

/** Some routers answer after 2.5 s. */
export const SEARCH_MS = 4000
/** How long a connected IGD that is not the default gateway waits for the one that is. */
export const DEFAULT_GATEWAY_GRACE_MS = 150
/** Who answered at the last moment is still looked at. */
const LAST_LOOK_MS = 1500
const DESCRIPTION_TIMEOUT_MS = 3000

/** What LAN peers can make us keep and ask. */
export const MAX_DEVICES = 64
export const MAX_DEVICES_PER_SENDER = 16

/** A device that answered the search; texts from the network, not cleaned for a terminal. */
export interface FoundDevice {
  readonly location: string
  /** The search target that it answered to; where it answered to several, the one that says most. */
  readonly searchTarget: string
  readonly server: string
}

export interface Discovery {
  readonly devices: readonly FoundDevice[]
  /** Best first. */
  readonly candidates: readonly Candidate[]
  /** On how many interfaces it could search. */
  readonly routesOpened: number
  readonly searchedMs: number
}

export interface DiscoveryOptions {
  readonly clock: Clock
  readonly datagrams: Datagrams
  readonly http: HttpClient
  readonly routes: readonly SearchRoute[]
  /** Addresses of the default gateways; resolves to none where they are not known. */
  readonly defaultGateways: Promise<readonly string[]>
  /** Search for exactly that long and list all that answer, instead of ending at the first connected IGD. */
  readonly searchMs?: number | undefined
  readonly signal?: AbortSignal | undefined
  /** Called when the first searches are on their way: the moment to load what the answers will need. */
  readonly whileWaiting?: () => void
}

export function discover(options: DiscoveryOptions): Promise<Discovery> {
  return new Search(options).run()
}

/** The state of one search. */
class Search {
  readonly #options: DiscoveryOptions
  readonly #devices = new Map<string, FoundDevice>()
  readonly #perSender = new Map<string, number>()
  readonly #candidates: Candidate[] = []
  /** Devices that are being looked at, by the host of their description. */
  readonly #inFlight = new Map<AbortController, string>()
  readonly #cancels: (() => void)[] = []
  readonly #startedMs: number
  #windowIsOver = false
  #isOver = false
  #gateways: readonly string[] = []
  #routesOpened = 0
  #defect: unknown
  #finish: () => void = () => {}

  constructor(options: DiscoveryOptions) {
    this.#options = options
    this.#startedMs = options.clock.monotonicMs()
  }

  async run(): Promise<Discovery> {
    const { clock, signal } = this.#options
    const finished = new Promise<void>((resolve) => {
      this.#finish = resolve
    })
    const search = startSsdpSearch(this.#options, this.#options.routes, {
      onReply: (heard) => this.#hear(heard),
      onReady: (opened) => this.#ready(opened),
    })
    this.#options.defaultGateways.then(
      (gateways) => this.#learnGateways(gateways, search.askDirectly),
      () => {},
    )
    this.#cancels.push(clock.schedule(this.#options.searchMs ?? SEARCH_MS, () => this.#endWindow()))
    const onAbort = (): void => this.#finish()
    signal?.addEventListener('abort', onAbort, { once: true })
    if (signal?.aborted) this.#finish()
    await finished
    this.#isOver = true
    signal?.removeEventListener('abort', onAbort)
    search.stop()
    for (const cancel of this.#cancels) cancel()
    for (const each of this.#inFlight.keys()) each.abort(new SearchIsOver())
    signal?.throwIfAborted()
    if (this.#defect !== undefined) throw this.#defect
    return this.#result()
  }

  #ready(opened: number): void {
    this.#routesOpened = opened
    if (opened === 0)
      this.#finish() // nobody can hear us: no use in waiting
    else this.#cancels.push(this.#options.clock.schedule(0, () => this.#options.whileWaiting?.()))
  }

  #learnGateways(gateways: readonly string[], askDirectly: (address: string) => void): void {
    this.#gateways = gateways
    for (const address of gateways) askDirectly(address)
  }

  #hear({ reply, from, route }: HeardReply): void {
    const trust = trustSender(from.address, route)
    const location = trustedUrl(reply.LOCATION, undefined, trust)
    if (location === undefined) return
    const known = this.#devices.get(location.href)
    if (known === undefined && !this.#hasRoomFor(from.address)) return
    const searchTarget = moreTelling(known?.searchTarget, reply.ST)
    this.#devices.set(location.href, { location: reply.LOCATION, searchTarget, server: reply.SERVER })
    if (known === undefined) this.#examine(location, trust)
  }

  #hasRoomFor(sender: string): boolean {
    const sofar = this.#perSender.get(sender) ?? 0
    if (this.#devices.size >= MAX_DEVICES || sofar >= MAX_DEVICES_PER_SENDER) return false
    this.#perSender.set(sender, sofar + 1)
    return true
  }

  async #examine(location: URL, trust: ReturnType<typeof trustSender>): Promise<void> {
    const { http, signal } = this.#options
    // Its requests end with the search while it is being looked at, and with the caller's signal for ever after.
    const stop = new AbortController()
    const onAbort = (): void => stop.abort(signal?.reason)
    signal?.addEventListener('abort', onAbort, { once: true })
    this.#inFlight.set(stop, location.hostname)
    let candidate: Candidate | undefined
    try {
      const { examine } = await import('./candidate.js') // with the XML parser: loaded while the search is on its way
      candidate = await examine(location, trust, { http, signal: stop.signal, timeoutMs: DESCRIPTION_TIMEOUT_MS })
      if (!this.#isOver) this.#candidates.push(candidate)
    } catch (error) {
      // A device that does not answer, or whose description cannot be read, is not the gateway.
      if (!(error instanceof PortMappingError) && !stop.signal.aborted) this.#fail(error)
    } finally {
      this.#inFlight.delete(stop)
      if (candidate?.gateway === undefined) signal?.removeEventListener('abort', onAbort)
      if (!this.#isOver) this.#considerEnding()
    }
  }

  #fail(error: unknown): void {
    this.#defect = error
    this.#finish()
  }

  /** Asked after every device that has been looked at. */
  #considerEnding(): void {
    if (this.#windowIsOver && this.#inFlight.size === 0) this.#finish()
    if (this.#options.searchMs !== undefined || !this.#candidates.some(isUsable)) return
    if (!this.#isDefaultGatewayAwaited()) this.#finish()
    else this.#cancels.push(this.#options.clock.schedule(DEFAULT_GATEWAY_GRACE_MS, () => this.#finish()))
  }

  /** Not where it is unknown, and no longer when it is known as an IGD, unless another description of it is on its way. */
  #isDefaultGatewayAwaited(): boolean {
    const known = this.#candidates.filter((each) => each.gateway !== undefined && this.#isDefaultGateway(each))
    if (this.#gateways.length === 0 || known.some(isUsable)) return false
    return known.length === 0 || [...this.#inFlight.values()].some((host) => this.#gateways.includes(host))
  }

  #endWindow(): void {
    this.#windowIsOver = true
    if (this.#inFlight.size === 0 || this.#candidates.some(isUsable)) this.#finish()
    else this.#cancels.push(this.#options.clock.schedule(LAST_LOOK_MS, () => this.#finish()))
  }

  #isDefaultGateway(candidate: Candidate): boolean {
    return this.#gateways.includes(new URL(candidate.location).hostname)
  }

  #result(): Discovery {
    const rank = (each: Candidate): number => {
      const kind = { connected: 1, reserved: 2, disconnected: 3, 'not-an-igd': 4 }[each.kind]
      return isUsable(each) && this.#isDefaultGateway(each) ? 0 : kind
    }
    return {
      devices: [...this.#devices.values()],
      candidates: this.#candidates.toSorted((a, b) => rank(a) - rank(b)),
      routesOpened: this.#routesOpened,
      searchedMs: this.#options.clock.monotonicMs() - this.#startedMs,
    }
  }
}

/** Why requests in flight are dropped when the search ends; nobody sees it. */
class SearchIsOver extends Error {}

function isUsable(candidate: Candidate): boolean {
  return candidate.kind === 'connected' || candidate.kind === 'reserved'
}

/** Of two search targets that one device answered to, the earlier one in our list. */
function moreTelling(known: string | undefined, heard: string): string {
  const rank = (target: string): number => {
    const at = (SEARCH_TARGETS as readonly string[]).indexOf(target)
    return at === -1 ? SEARCH_TARGETS.length : at
  }
  return known === undefined || rank(heard) < rank(known) ? heard : known
}
