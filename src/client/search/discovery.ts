/**
 * Finds the IGD to use: searches, looks at every device that answers side by side, and ends as soon as a connected IGD
 * is known. Where several are connected it is the default gateway that counts, so a first one that is not waits a moment
 * for it. Ranking otherwise as in upnpc: connected with a public address, connected, an IGD at all, a device at all.
 */

import { resolveUrl, zonedUrlText } from '../../domain/url.js'
import type { Clock } from '../../net/clock.js'
import type { Datagrams } from '../../net/datagrams.js'
import type { HttpClient } from '../../net/http/client.js'
import { type Trust, trustedUrl, trustSender } from '../trusted-url.js'
import { type Candidate, examine } from './candidate.js'
import { DeviceList, type FoundDevice, isIgdTarget, type KnownDevice } from './device-list.js'
import { type HeardReply, isIPv6Route, type SearchRoute, startSsdpSearch } from './ssdp-search.js'

/** Some routers answer after 2.5 s. */
export const SEARCH_MS = 4000
/** How long a connected IGD that is not the default gateway waits for the one that is. */
export const DEFAULT_GATEWAY_GRACE_MS = 150
/** How long an IGD that has not begun to answer is waited for when there is a gateway of another protocol. */
export const ALTERNATIVE_GRACE_MS = 150
/** What others have heard of is asked for after our own searches are on their way. */
const BEFORE_OTHERS_MS = 15
/** Who answered at the last moment is still looked at. */
const LAST_LOOK_MS = 1500
const DESCRIPTION_TIMEOUT_MS = 3000

/** A device that was heard of, and whose description could not be had. */
export interface Unreadable {
  readonly location: string
  /** A PortMappingError; anything else is a defect of ours, which costs this device only. */
  readonly error: unknown
}

export interface Discovery {
  readonly devices: readonly FoundDevice[]
  /** Best first. */
  readonly candidates: readonly Candidate[]
  /** Those of the default gateway first. */
  readonly unreadable: readonly Unreadable[]
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
  /** Devices that somebody else has heard of: who announced them is not known, so they have to be on one of the subnets. */
  readonly alsoKnown?: (() => Promise<readonly KnownDevice[]>) | undefined
  /** Resolves when there is a gateway of another protocol to go on with; true ends the search before its time. */
  readonly alternative?: Promise<boolean> | undefined
  /** Called once, when the first searches are on their way. */
  readonly onIdle?: (() => void) | undefined
}

export { type FoundDevice, type KnownDevice, MAX_DEVICES, MAX_DEVICES_PER_SENDER } from './device-list.js'

export function discover(options: DiscoveryOptions): Promise<Discovery> {
  return new Search(options).run()
}

/** The state of one search. */
class Search {
  readonly #options: DiscoveryOptions
  readonly #devices = new DeviceList((sender) => this.#gateways?.includes(sender) === true)
  readonly #candidates: Candidate[] = []
  readonly #unreadable: Unreadable[] = []
  /** Devices that are being looked at: the host of the description, and whether they call themselves an IGD. */
  readonly #inFlight = new Map<AbortController, { readonly host: string; readonly isIgd: boolean }>()
  /** What ends the requests of the gateways that have been found. */
  readonly #kept: AbortController[] = []
  readonly #cancels: (() => void)[] = []
  readonly #startedMs: number
  #windowIsOver = false
  /** No device that has not begun to answer as an IGD is waited for. */
  #hasAlternative = false
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
      onReply: (heard) => this.#hear(heard),
      onReady: (opened) => this.#ready(opened),
    })
    this.#options.defaultGateways.then(
      (gateways) => this.#learnGateways(gateways, search.askDirectly),
      () => this.#learnGateways([], search.askDirectly),
    )
    this.#options.alternative?.then((found) => {
      if (!found || this.#isOver) return
      // In two steps: where this process was kept from running, an IGD's answer may lie there unread.
      const after = (ms: number, task: () => void): unknown => this.#cancels.push(clock.schedule(ms, task))
      after(ALTERNATIVE_GRACE_MS - 1, () => after(1, () => this.#yield()))
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
    for (const each of this.#inFlight.keys()) each.abort(new SearchIsOver())
    // The caller's signal ends what the gateways that were found are asked later, too; without one it is forgotten.
    if (this.#kept.length === 0) signal?.removeEventListener('abort', onAbort)
    signal?.throwIfAborted()
    if (this.#defect !== undefined) throw this.#defect
    return this.#result()
  }

  #ready(opened: number): void {
    const { clock, onIdle, alsoKnown } = this.#options
    this.#routesOpened = opened
    if (opened === 0)
      this.#finish() // nobody can hear us: no use in waiting
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

  #hear({ reply, from, route }: HeardReply): void {
    this.#add(reply, from.address, trustSender(from.address, route), reply.SERVER)
  }

  /** Heard of from somebody who did not say who sent it. */
  #take(device: KnownDevice): void {
    try {
      for (const route of this.#options.routes) {
        const trust: Trust = isIPv6Route(route) ? { hosts: [], prefixes: route.prefixes } : { hosts: [], subnet: route }
        if (!this.#isOver && this.#add(device, '', trust, '')) return
      }
    } catch (error) {
      this.#unreadable.push({ location: device.LOCATION, error })
    }
  }

  #add(device: KnownDevice, sender: string, trust: Trust, server: string): boolean {
    const location = trustedUrl(device.LOCATION, undefined, trust)
    if (location === undefined) return false
    const key = zonedUrlText({ url: location, zone: trust.zone ?? '' }) // two links may have the same address
    const found = { location: device.LOCATION.trim(), searchTarget: device.ST, server }
    if (this.#devices.add(key, found, sender)) this.#examine(location, trust, isIgdTarget(device.ST))
    return true
  }

  async #examine(location: URL, trust: Trust, calledIgd: boolean): Promise<void> {
    const { http } = this.#options
    const stop = new AbortController()
    const { hostname: host } = location
    this.#inFlight.set(stop, { host, isIgd: calledIgd || this.#gateways?.includes(host) === true })
    try {
      const context = { http, signal: stop.signal, timeoutMs: DESCRIPTION_TIMEOUT_MS }
      const candidate = await examine(location, trust, context)
      if (this.#isOver) return
      this.#candidates.push(candidate)
      if (candidate.gateway !== undefined) this.#kept.push(stop)
    } catch (error) {
      // A device that does not answer, or whose description cannot be read, is not the gateway.
      if (!stop.signal.aborted) this.#unreadable.push({ location: location.href, error })
    } finally {
      this.#inFlight.delete(stop)
      if (!this.#isOver) this.#considerEnding()
    }
  }

  /** Asked after every device that has been looked at. */
  #considerEnding(): void {
    if (this.#windowIsOver && this.#inFlight.size === 0) this.#finish()
    if (this.#hasAlternative) this.#yield()
    if (this.#options.searchMs !== undefined || !this.#candidates.some((each) => isUsable(each))) return
    if (!this.#isDefaultGatewayAwaited()) this.#finish()
    else this.#cancels.push(this.#options.clock.schedule(DEFAULT_GATEWAY_GRACE_MS, () => this.#finish()))
  }

  /** Not where there is none, and no longer when it is known as an IGD, unless another description of it is on its way. */
  #isDefaultGatewayAwaited(): boolean {
    const gateways = this.#gateways
    if (gateways === undefined) return true // the routing table has not been read
    const known = this.#candidates.filter((each) => each.gateway !== undefined && this.#isDefaultGateway(each))
    if (gateways.length === 0 || known.some((each) => isUsable(each))) return false
    return known.length === 0 || [...this.#inFlight.values()].some(({ host }) => gateways.includes(host))
  }

  /** In favour of the other gateway, unless an IGD has answered and is being looked at. */
  #yield(): void {
    this.#hasAlternative = true
    if (![...this.#inFlight.values()].some((each) => each.isIgd)) this.#finish()
  }

  #endWindow(): void {
    this.#windowIsOver = true
    if (this.#inFlight.size === 0 || this.#candidates.some((each) => isUsable(each))) this.#finish()
    else this.#cancels.push(this.#options.clock.schedule(LAST_LOOK_MS, () => this.#finish()))
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

class SearchIsOver extends Error {}

/** Whether it can map ports; with `ignoreState` an IGD will do that says that it is not connected. */
export function isUsable(candidate: Candidate | undefined, ignoreState = false): boolean {
  const kind = candidate?.kind
  return kind === 'connected' || kind === 'reserved' || (ignoreState && kind === 'disconnected')
}
