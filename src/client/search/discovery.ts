/**
 * Finds the IGD to use: searches, examines all devices that answer side by side, and ends as soon as it knows a
 * connected IGD. If several are connected, the default gateway counts, so any other one waits a moment for it. The rest
 * of the ranking is upnpc's: connected with a public address, connected, an IGD at all, a device at all.
 */
import { resolveUrl, zonedUrlText } from '../../domain/url.js'
import { type Trust, trustedUrl, trustSender } from '../trusted-url.js'
import type { Candidate } from './candidate.js'
import { isIPv6Route, type SearchRoute } from './routes.js'
import { DeviceList, type FoundDevice, isIgdTarget, startSsdpSearch } from './ssdp-search.js'
import type { KnownDevice, PlacesNet, PlacesToAsk } from './where-to-ask.js'

/** Some routers answer after 2.5 s. */
export const SEARCH_MS = 4000
/** How long a connected IGD that is not the default gateway waits for the one that is. */
export const DEFAULT_GATEWAY_GRACE_MS = 150
/** How long the search still waits for an IGD to begin to answer once a gateway of another protocol has answered. */
export const ALTERNATIVE_GRACE_MS = 150
/** Our own searches are sent first. After that the search asks what other programs have heard. */
const BEFORE_OTHERS_MS = 15
/** A device that answered at the last moment is still examined. What may be the router is waited for. */
const LAST_LOOK_MS = 1500
/** For a device that is not the router, and for any if a gateway of another protocol has answered. */
const DESCRIPTION_TIMEOUT_MS = 3000

export interface Discovery {
  readonly devices: readonly FoundDevice[]
  /** Best first. */
  readonly candidates: readonly Candidate[]
  /**
   * The devices whose description could not be read, the default gateway's first. If the error is no PortMappingError,
   * it is a defect of ours, which costs this device only.
   */
  readonly unreadable: readonly { readonly location: string; readonly error: unknown }[]
  /** On how many interfaces it could search. */
  readonly routesOpened: number
  readonly searchedMs: number
}

export interface DiscoveryOptions
  extends Pick<PlacesNet, 'clock' | 'datagrams' | 'http' | 'signal' | 'answerMs'>,
    Pick<PlacesToAsk, 'routes' | 'defaultGateways'>,
    Partial<Pick<PlacesToAsk, 'alsoKnown' | 'isBound'>> {
  /** Search for exactly that long and list all that answer, instead of ending at the first connected IGD. */
  readonly searchMs?: number | undefined
  /** True when a gateway of another protocol has answered: that ends the search early. */
  readonly alternative?: Promise<boolean> | undefined
  /** Called once, when the first searches have been sent. */
  readonly onIdle?: (() => void) | undefined
}

export function discover(options: DiscoveryOptions): Promise<Discovery> {
  return new Search(options).run()
}

class Search {
  readonly #options: DiscoveryOptions
  readonly #devices = new DeviceList((sender) => this.#gateways?.includes(sender) === true)
  readonly #candidates: Candidate[] = []
  readonly #unreadable: Discovery['unreadable'][number][] = []
  /** Devices that are being examined: the host of the description, and whether they call themselves an IGD. */
  readonly #inFlight = new Map<AbortController, { readonly host: string; readonly isIgd: boolean }>()
  /** These end the requests to the gateways that have been found. */
  readonly #kept: AbortController[] = []
  readonly #cancels: (() => void)[] = []
  readonly #startedMs: number
  #windowIsOver = false
  /** The search waits only for devices that have begun to answer as an IGD. */
  #waitsForIgdsOnly = false
  #isOver = false
  /** Undefined until they are known. */
  #gateways: readonly string[] | undefined
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
      onReply: ({ reply, from: { address }, route }) =>
        this.#add(reply, address, trustSender(address, route), route, reply.SERVER),
      onReady: (opened) => this.#ready(opened),
    })
    this.#options.defaultGateways.then(
      (gateways) => this.#learnGateways(gateways, search.askDirectly),
      () => this.#learnGateways([], search.askDirectly),
    )
    this.#options.alternative?.then((found) => {
      if (!found || this.#isOver) return
      // In two steps: if this process could not run for a while, an IGD's answer may not have been read yet.
      const after = (ms: number, task: () => void): unknown => this.#cancels.push(clock.schedule(ms, task))
      after(ALTERNATIVE_GRACE_MS - 1, () => after(1, () => this.#yield()))
      after(DESCRIPTION_TIMEOUT_MS, () => this.#finish())
    })
    this.#cancels.push(clock.schedule(this.#options.searchMs ?? SEARCH_MS, () => this.#endWindow()))
    const onAbort = (): void => {
      this.#finish()
      for (const each of [...this.#inFlight.keys(), ...this.#kept]) each.abort(signal?.reason)
    }
    signal?.addEventListener('abort', onAbort, { once: true })
    if (signal?.aborted) onAbort()
    await finished
    this.#isOver = true
    search.stop()
    for (const cancel of this.#cancels) cancel()
    for (const each of this.#inFlight.keys()) each.abort(new Error('the search is over'))
    // The caller's signal also ends later requests to the gateways that were found. If there are none, it is let go.
    if (this.#kept.length === 0) signal?.removeEventListener('abort', onAbort)
    signal?.throwIfAborted()
    if (this.#defect !== undefined) throw this.#defect
    return this.#result()
  }

  #ready(opened: number): void {
    const { clock, onIdle, alsoKnown } = this.#options
    this.#routesOpened = opened
    if (opened === 0) this.#finish()
    else this.#cancels.push(clock.schedule(0, () => onIdle?.()))
    if (alsoKnown !== undefined) this.#cancels.push(clock.schedule(BEFORE_OTHERS_MS, () => this.#askOthers(alsoKnown)))
  }

  async #askOthers(alsoKnown: () => Promise<readonly KnownDevice[]>): Promise<void> {
    try {
      for (const device of await alsoKnown()) this.#take(device)
    } catch (error) {
      this.#defect = error
      this.#finish()
    }
  }

  #learnGateways(gateways: readonly string[], askDirectly: (address: string) => void): void {
    const useful = this.#options.routes.every(isIPv6Route) ? [] : gateways // they are addresses of IPv4
    this.#gateways = useful
    for (const address of useful) askDirectly(address)
    if (!this.#isOver) this.#considerEnding()
  }

  /** A device that another program has heard. */
  #take(device: KnownDevice): void {
    try {
      for (const route of this.#options.routes) {
        const trust: Trust = isIPv6Route(route) ? { hosts: [], prefixes: route.prefixes } : { hosts: [], subnet: route }
        if (!this.#isOver && this.#add(device, '', trust, route, '')) return
      }
    } catch (error) {
      this.#unreadable.push({ location: device.LOCATION, error })
    }
  }

  #add(device: KnownDevice, sender: string, trust: Trust, route: SearchRoute, server: string): boolean {
    const location = trustedUrl(device.LOCATION, undefined, trust)
    if (location === undefined) return false
    const key = zonedUrlText({ url: location, zone: trust.zone ?? '' }) // two links may have the same address
    const found = { location: device.LOCATION.trim(), searchTarget: device.ST, server }
    if (this.#devices.add(key, found, sender)) this.#examine(location, trust, route, isIgdTarget(device.ST))
    return true
  }

  async #examine(location: URL, trust: Trust, { address }: SearchRoute, calledIgd: boolean): Promise<void> {
    const { http, answerMs, isBound = false } = this.#options
    const stop = new AbortController()
    const { hostname: host } = location
    const isIgd = calledIgd || this.#gateways?.includes(host) === true
    this.#inFlight.set(stop, { host, isIgd })
    try {
      const localAddress = isBound ? address : undefined
      const descriptionMs = isIgd ? answerMs : DESCRIPTION_TIMEOUT_MS
      const context = { http, signal: stop.signal, answerMs, descriptionMs, localAddress }
      const { examine } = await import('./candidate.js') // with the XML parser, once the search is on its way
      const candidate = await examine(location, trust, context)
      if (this.#isOver) return
      this.#candidates.push(candidate)
      if (candidate.gateway !== undefined) this.#kept.push(stop)
    } catch (error) {
      if (!stop.signal.aborted) this.#unreadable.push({ location: location.href, error })
    } finally {
      this.#inFlight.delete(stop)
      if (!this.#isOver) this.#considerEnding()
    }
  }

  /** Called after every device that has been examined. */
  #considerEnding(): void {
    if (this.#windowIsOver && this.#inFlight.size === 0) this.#finish()
    if (this.#waitsForIgdsOnly) this.#yield()
    if (this.#options.searchMs !== undefined || !this.#candidates.some((each) => isUsable(each))) return
    if (!this.#isDefaultGatewayAwaited()) this.#finish()
    else this.#cancels.push(this.#options.clock.schedule(DEFAULT_GATEWAY_GRACE_MS, () => this.#finish()))
  }

  /** Yes until it is known as an IGD, or another description of it is on its way. No if there is no default gateway. */
  #isDefaultGatewayAwaited(): boolean {
    const gateways = this.#gateways
    if (gateways === undefined) return true // the routing table has not been read
    const known = this.#candidates.filter((each) => each.gateway !== undefined && this.#isDefaultGateway(each))
    if (gateways.length === 0 || known.some((each) => isUsable(each))) return false
    return known.length === 0 || [...this.#inFlight.values()].some(({ host }) => gateways.includes(host))
  }

  /** To the gateway of another protocol or the end, unless an IGD has answered and is being examined. */
  #yield(): void {
    this.#waitsForIgdsOnly = true
    if (![...this.#inFlight.values()].some((each) => each.isIgd)) this.#finish()
  }

  #endWindow(): void {
    this.#windowIsOver = true
    if (this.#inFlight.size === 0 || this.#candidates.some((each) => isUsable(each))) this.#finish()
    else this.#cancels.push(this.#options.clock.schedule(LAST_LOOK_MS, () => this.#yield()))
  }

  #isDefaultGateway(candidate: { readonly location: string }): boolean {
    return this.#gateways?.includes(resolveUrl(candidate.location)?.hostname ?? '') === true
  }

  #result(): Discovery {
    const rank = (each: Candidate): number => {
      const kind = { connected: 1, reserved: 2, disconnected: 3, 'not-an-igd': 4 }[each.kind]
      return isUsable(each) && this.#isDefaultGateway(each) ? 0 : kind
    }
    return {
      devices: this.#devices.all(),
      candidates: this.#candidates.toSorted((a, b) => rank(a) - rank(b)),
      unreadable: this.#unreadable.toSorted(
        (a, b) => Number(this.#isDefaultGateway(b)) - Number(this.#isDefaultGateway(a)),
      ),
      routesOpened: this.#routesOpened,
      searchedMs: this.#options.clock.monotonicMs() - this.#startedMs,
    }
  }
}

/** Whether it can map ports. With `ignoreState` an IGD that says that it is not connected will do. */
export function isUsable(candidate: Candidate | undefined, ignoreState = false): boolean {
  const kind = candidate?.kind
  return kind === 'connected' || kind === 'reserved' || (ignoreState && kind === 'disconnected')
}
