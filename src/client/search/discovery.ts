/**
 * Gathers who is there: searches, and examines all devices that answer side by side. It decides nothing: the choice is
 * made in choice.ts, after every piece of news.
 */
import { isIPv6, isSameAddress, onSameSubnet, splitZone, withoutBrackets } from '../../domain/address.js'
import { PortMappingError } from '../../domain/errors.js'
import { ignore } from '../../domain/ignored.js'
import { zonedUrlText } from '../../domain/url.js'
import { type Trust, trustedUrl, trustSender } from '../trusted-url.js'
import type { Candidate, ExamineContext } from './candidate.js'
import type { KnownIgd } from './router-memory.js'
import { isIPv6Route, type SearchRoute } from './routes.js'
import { DeviceList, type FoundDevice, isIgdTarget, startSsdpSearch } from './ssdp-search.js'
import type { KnownDevice, PlacesNet, PlacesToAsk } from './where-to-ask.js'
import type { RouterPlace } from './which-router.js'

/** Our own searches are sent first. After that the search asks what other programs have heard. */
const BEFORE_OTHERS_MS = 15
/** For the description of a device that is not the router. */
const DESCRIPTION_TIMEOUT_MS = 3000

/** Where a device is: the router itself, on a link that leads to the router, or elsewhere. */
export type Place = 'router' | 'beside' | 'elsewhere'

/** A device that was examined. */
export interface Examined extends Candidate {
  readonly place: Place
}

interface Whereabouts {
  /** What tells devices apart: the location, with its zone. */
  readonly key: string
  /** The host of the description. */
  readonly host: string
  readonly route: SearchRoute | undefined
}

interface InFlight extends Whereabouts {
  isIgd: boolean
  /** It answered. If not, it is only remembered. */
  isHeard: boolean
}

export interface DiscoveryOptions
  extends Pick<PlacesNet, 'clock' | 'datagrams' | 'http' | 'signal' | 'answerMs'>,
    Pick<PlacesToAsk, 'routes'>,
    Partial<Pick<PlacesToAsk, 'alsoKnown' | 'isBound'>> {
  readonly memoryOf?: ExamineContext['memoryOf']
  /** Called after every piece of news. */
  readonly onNews: () => void
  /** Called once, when the first searches have been sent. */
  readonly onIdle?: (() => void) | undefined
}

export class Discovery {
  readonly #options: DiscoveryOptions
  readonly #list = new DeviceList((sender) => sender === this.#router?.address)
  readonly #examined: { readonly candidate: Candidate; readonly at: Whereabouts }[] = []
  readonly #unreadable: { readonly location: string; readonly error: unknown; readonly at: Whereabouts | undefined }[] =
    []
  /** Devices that are being examined. */
  readonly #inFlight = new Map<AbortController, InFlight>()
  /** These end the requests to the gateways that have been found. */
  readonly #kept: AbortController[] = []
  readonly #cancels: (() => void)[] = []
  readonly #search: ReturnType<typeof startSsdpSearch>
  readonly #onAbort: () => void
  #isOver = false
  #router: RouterPlace | undefined
  /** Those that answered as an IGD, by key. */
  readonly #igds = new Map<string, Whereabouts>()
  /** Who told of each device, by key: anybody may have been faster than the device itself. */
  readonly #senders = new Map<string, Set<string>>()
  #isListFinal = false
  /** After the end: an IGD of the router answers all the same. */
  #onLateRouter = (): void => {}
  #routesOpened: number | undefined

  constructor(options: DiscoveryOptions) {
    this.#options = options
    const { signal } = options
    this.#onAbort = () => {
      for (const each of [...this.#inFlight.keys(), ...this.#kept]) each.abort(signal?.reason)
      options.onNews()
    }
    this.#search = startSsdpSearch(options, options.routes, {
      onReply: ({ reply, from: { address }, route }) =>
        this.#add(reply, { sender: address, route }, trustSender(address, route), reply.SERVER),
      onReady: (opened) => this.#ready(opened),
    })
    signal?.addEventListener('abort', this.#onAbort, { once: true })
  }

  /** In the order in which they were heard. */
  get devices(): readonly FoundDevice[] {
    return this.#list.all()
  }

  get examined(): readonly Examined[] {
    return this.#examined.map(({ candidate, at }) => ({ ...candidate, place: this.#placeOf(at) }))
  }

  /** The errors of the devices whose description could not be read, the router's first. */
  get unreadable(): readonly unknown[] {
    const isRouters = ({ at }: { readonly at: Whereabouts | undefined }): number =>
      Number(at !== undefined && this.#placeOf(at) === 'router')
    return this.#unreadable.toSorted((a, b) => isRouters(b) - isRouters(a)).map(({ error }) => error)
  }

  /** On how many interfaces it could search. Undefined until that is known. */
  get routesOpened(): number | undefined {
    return this.#routesOpened
  }

  /** Whether the router itself has answered as an IGD. */
  get hasHeardRouter(): boolean {
    return [...this.#igds.values()].some((each) => this.#placeOf(each) === 'router')
  }

  /** Whether an IGD at one of those places has answered, and is being examined. Of the router, any device counts. */
  isExamining(...places: readonly Place[]): boolean {
    return [...this.#inFlight.values()].some((each) => {
      const place = this.#placeOf(each)
      return each.isHeard && places.includes(place) && (each.isIgd || place === 'router')
    })
  }

  /** From now on it is known which device is the router. An IGD that is remembered is asked beside the search. */
  learnRouter(router: RouterPlace, known: KnownIgd | undefined): void {
    this.#router = router
    const { address, isNamed } = router
    if (address === undefined || this.#isOver) return
    if (!isNamed && !isIPv6(splitZone(address).address)) this.#search.askDirectly(address)
    const trust: Trust = { hosts: [address] }
    const location = known && trustedUrl(known.location, undefined, trust)
    if (known === undefined || location === undefined) return
    const key = keyOf(location, trust)
    const host = withoutBrackets(location.hostname)
    const onExamined = (): unknown => this.#list.add(key, known, address)
    if (!this.#isKnown(key, true))
      this.#examine(location, trust, { key, host, route: undefined, isIgd: true, isHeard: false }, onExamined)
  }

  /** The router has answered: no more rounds of the search are sent. */
  sendNoMore(): void {
    this.#search.sendNoMore()
  }

  /** The time of the search is over: only what was heard by now is still examined. */
  hearNoMore(): void {
    this.#isListFinal = true
  }

  /** Requests to the gateways that were found go on, until the caller's signal. */
  stop(): void {
    this.#isOver = true
    this.#search.stop()
    for (const cancel of this.#cancels.splice(0)) cancel()
    for (const each of this.#inFlight.keys()) each.abort(new Error('the search is over'))
    // The caller's signal also ends later requests to the gateways that were found. If there are none, it is let go.
    if (this.#kept.length === 0) this.#options.signal?.removeEventListener('abort', this.#onAbort)
  }

  /** The same, but for `ms`, or until the caller's signal, it still listens for an IGD of the router. */
  stopLater(ms: number, onRouter: () => void): void {
    const { signal, clock } = this.#options
    const end = (): void => {
      cancel()
      signal?.removeEventListener('abort', end)
      this.stop()
    }
    const cancel = clock.schedule(ms, end)
    signal?.addEventListener('abort', end, { once: true })
    this.#isOver = true
    this.#onLateRouter = () => {
      onRouter()
      end()
    }
  }

  #ready(opened: number): void {
    const { clock, onIdle, alsoKnown } = this.#options
    this.#routesOpened = opened
    if (opened > 0) this.#cancels.push(clock.schedule(0, () => onIdle?.()))
    if (alsoKnown !== undefined) this.#cancels.push(clock.schedule(BEFORE_OTHERS_MS, () => this.#askOthers(alsoKnown)))
    this.#options.onNews()
  }

  async #askOthers(alsoKnown: () => Promise<readonly KnownDevice[]>): Promise<void> {
    try {
      for (const device of await alsoKnown()) this.#take(device)
    } catch (error) {
      ignore('device', 'MiniSSDPd', error)
    }
  }

  /** A device that another program has heard. */
  #take(device: KnownDevice): void {
    try {
      for (const route of this.#options.routes) {
        const trust: Trust = isIPv6Route(route) ? { hosts: [], prefixes: route.prefixes } : { hosts: [], subnet: route }
        if (!this.#isOver && this.#add(device, { sender: '', route }, trust, '')) return
      }
    } catch (error) {
      ignore('device', device.LOCATION, error)
      this.#unreadable.push({ location: device.LOCATION, error, at: undefined })
    }
  }

  /** The sender is empty if another program has heard the device. */
  #add(
    device: KnownDevice,
    { sender, route }: Pick<Whereabouts, 'route'> & { readonly sender: string },
    trust: Trust,
    server: string,
  ): boolean {
    const location = trustedUrl(device.LOCATION, undefined, trust)
    if (location === undefined) return false
    const isIgd = isIgdTarget(device.ST)
    const key = keyOf(location, trust)
    const at = { route, key, host: withoutBrackets(location.hostname) }
    if (this.#isOver) {
      if (isIgd && this.#placeOf(at) === 'router') this.#onLateRouter()
      return true
    }
    if (this.#isListFinal) return true
    const found = { location: device.LOCATION.trim(), searchTarget: device.ST, server }
    const isNew = this.#list.add(key, found, sender)
    if (!this.#list.has(key)) return true
    const senders = this.#senders.get(key) ?? new Set()
    this.#senders.set(key, senders.add(sender))
    if (isIgd) this.#igds.set(key, at)
    const isKnown = this.#isKnown(key, isIgd)
    if (isNew && !isKnown) this.#examine(location, trust, { ...at, isIgd, isHeard: true })
    else if (this.#router?.address === sender) this.#options.onNews() // it may have been taken for somebody else
    return true
  }

  /** A remembered device may answer while it is being examined, or later; any device once more, as an IGD. */
  #isKnown(key: string, isIgd: boolean): boolean {
    for (const each of this.#inFlight.values()) {
      if (each.key !== key) continue
      each.isHeard = true
      each.isIgd ||= isIgd
      return true
    }
    return this.#examined.some(({ at }) => at.key === key)
  }

  async #examine(location: URL, trust: Trust, device: InFlight, onExamined?: () => void): Promise<void> {
    const { http, onNews, answerMs, memoryOf, routes, isBound = false } = this.#options
    const stop = new AbortController()
    this.#inFlight.set(stop, device)
    try {
      const descriptionMs = this.#mayBeRouter(device) ? answerMs : DESCRIPTION_TIMEOUT_MS
      const localAddress = isBound ? (device.route ?? routes[0])?.address : undefined
      const context = { http, signal: stop.signal, answerMs, descriptionMs, localAddress, memoryOf }
      const { examine } = await import('./candidate.js') // with the XML parser, once the search is on its way
      const candidate = await examine(location, trust, context)
      if (this.#isOver) return
      onExamined?.()
      this.#examined.push({ candidate, at: device })
      if (candidate.gateway !== undefined) this.#kept.push(stop)
    } catch (error) {
      if (!stop.signal.aborted && !(error instanceof PortMappingError)) ignore('device', location.href, error)
      if (!stop.signal.aborted && device.isHeard) this.#unreadable.push({ location: location.href, error, at: device })
    } finally {
      this.#inFlight.delete(stop)
      if (!this.#isOver) onNews()
    }
  }

  #mayBeRouter(device: InFlight): boolean {
    return this.#router?.address === undefined ? device.isIgd : this.#placeOf(device) === 'router'
  }

  /** A sender over UDP can be forged, and a description cannot. But over IPv6 the router is known by its sender. */
  #placeOf({ key, host, route }: Whereabouts): Place {
    const { address, isNamed } = this.#router ?? { address: undefined, isNamed: false }
    if (address === undefined) return 'beside'
    const router = splitZone(address)
    const isHost = router.zone === '' && isSameAddress(host, router.address)
    const senders = [...(this.#senders.get(key) ?? [])]
    const isSender = isIPv6(router.address) && senders.some((each) => isSameAddress(each, address))
    if (isNamed || isHost || isSender) return 'router'
    if (route === undefined) return 'elsewhere'
    const leadsThere = isIPv6Route(route)
      ? route.zone === router.zone
      : onSameSubnet(route.address, route.netmask, router.address)
    return leadsThere ? 'beside' : 'elsewhere'
  }
}

/** Two links may have the same address. */
function keyOf(url: URL, { zone = '' }: Trust): string {
  return zonedUrlText({ url, zone })
}
