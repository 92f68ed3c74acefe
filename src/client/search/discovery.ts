/**
 * Gathers who is there: searches, and examines all devices that answer side by side. It decides nothing: the choice is
 * made in choice.ts, after every piece of news.
 */
import { isIPv6, isSameAddress, onSameSubnet, splitZone, withoutBrackets } from '../../domain/address.js'
import { PortMappingError } from '../../domain/errors.js'
import { ignore } from '../../domain/ignored.js'
import { zonedUrlText } from '../../domain/url.js'
import { type Around, type Trust, trustedUrl, trustSender, trustUnknownSender } from '../trusted-url.js'
import type { Candidate, ExamineContext } from './candidate.js'
import { DeviceList, type FoundDevice, ROUTERS_OWN_PLACE, ROUTERS_PLACE } from './device-list.js'
import { OthersBudget } from './others-budget.js'
import type { KnownIgd } from './router-memory.js'
import { isIPv6Route, type SearchRoute } from './routes.js'
import { isIgdTarget, startSsdpSearch } from './ssdp-search.js'
import type { KnownDevice, PlacesNet, PlacesToAsk } from './where-to-ask.js'
import type { RouterPlace } from './which-router.js'

/** Our own searches are sent first. After that the search asks what other programs have heard. */
const BEFORE_OTHERS_MS = 15
/** For the description of a device that is not the router. */
const DESCRIPTION_TIMEOUT_MS = 3000
/** Replies that may count once it is known which device is the router. */
const MAX_HELD = 32
/** Of the locations that are said to be at the router: so many are looked at, and so many, the newest, wait for it. */
export const MAX_LOOKS_AT_ROUTER = 64
const MAX_WAITING = 8

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

/** A host told of an IGD on another host of its subnet. */
export interface Referral {
  readonly from: string
  readonly location: string
}

/** Where a device was heard of. */
interface Hearing {
  /** Empty if another program has heard it. */
  readonly sender: string
  readonly route: SearchRoute
  /** Nobody but the router can have said it. */
  readonly isRoutersOwn: boolean
}

interface InFlight extends Whereabouts {
  isIgd: boolean
  /** It answered. If not, it is only remembered. */
  isHeard: boolean
  readonly isRoutersOwn: boolean
}

export interface DiscoveryOptions
  extends Pick<PlacesNet, 'clock' | 'datagrams' | 'http' | 'signal' | 'answerMs'>,
    Pick<PlacesToAsk, 'routes' | 'interfaces' | 'anyHost'>,
    Partial<Pick<PlacesToAsk, 'alsoKnown' | 'isBound'>> {
  readonly memoryOf?: ExamineContext['memoryOf']
  /** Called after every piece of news. */
  readonly onNews: () => void
  /** Called once, when the first searches have been sent. */
  readonly onIdle?: (() => void) | undefined
}

export class Discovery {
  readonly #options: DiscoveryOptions
  readonly #list = new DeviceList()
  readonly #budget = new OthersBudget()
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
  /** The keys of the devices that have been looked at. */
  readonly #looked = new Set<string>()
  /** Of those, the ones that have a place at the router, and turned out to be no IGD. */
  readonly #useless = new Set<string>()
  #looksAtRouter = MAX_LOOKS_AT_ROUTER
  /** Hears once more what is said to be at the router and has no place yet. The newest is the last. */
  #waiting: { readonly key: string; readonly hearAgain: () => void }[] = []
  /** Hears once more what may count once the router is known. */
  readonly #held: (() => void)[] = []
  #referral: Referral | undefined
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
      onReply: ({ reply, from: { address: sender }, route, isRoutersOwn }) =>
        void this.#hear(reply, { sender, route, isRoutersOwn }, reply.SERVER),
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

  /** The first IGD that was told of by another host, and is not used therefore. */
  get referral(): Referral | undefined {
    return this.#referral
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
    if (this.#isOver) return
    if (address !== undefined) {
      this.#search.learnRouter(address)
      if (!isNamed && !isIPv6(splitZone(address).address)) this.#search.askDirectly(address)
      if (known !== undefined) this.#askKnown(known, address)
    }
    for (const hearAgain of this.#held.splice(0)) hearAgain()
  }

  #askKnown(known: KnownIgd, router: string): void {
    const trust: Trust = { hosts: [router] }
    const location = trustedUrl(known.location, undefined, trust)
    if (location === undefined) return
    const key = keyOf(location, trust)
    if (this.#isKnown(key, true)) return
    const host = withoutBrackets(location.hostname)
    const device = { key, host, route: undefined, isIgd: true, isHeard: false, isRoutersOwn: false }
    this.#examine(location, trust, device, () => this.#list.add(key, known, router, ROUTERS_OWN_PLACE))
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
    this.#waiting = []
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
    for (const route of this.#options.routes) {
      const isTaken = this.#guarded(device, () => this.#hear(device, { sender: '', route, isRoutersOwn: false }, ''))
      if (this.#isOver || isTaken) return
    }
  }

  /** Whatever one device makes us throw, the others are heard. */
  #guarded({ LOCATION: location }: KnownDevice, hear: () => boolean): boolean {
    try {
      return hear()
    } catch (error) {
      ignore('device', location, error)
      this.#unreadable.push({ location, error, at: undefined })
      return true
    }
  }

  /** Returns whether the location may be used. */
  #hear(device: KnownDevice, from: Hearing, server: string): boolean {
    const { interfaces, anyHost } = this.#options
    const { sender, route } = from
    const around: Around = { interfaces, anyHost, router: this.#router?.address }
    const trust = sender === '' ? trustUnknownSender(route, around) : trustSender(sender, route, around)
    const location = trustedUrl(device.LOCATION, undefined, trust)
    if (location !== undefined) {
      this.#add(device, from, server, { location, trust })
      return true
    }
    if (this.#router !== undefined) this.#referral ??= referralOf(device, from, around)
    else if (this.#held.length < MAX_HELD)
      this.#held.push(() => this.#guarded(device, () => this.#hear(device, from, server)))
    return false
  }

  #add(
    device: KnownDevice,
    from: Hearing,
    server: string,
    { location, trust }: { readonly location: URL; readonly trust: Trust },
  ): void {
    const { sender, route, isRoutersOwn } = from
    const isIgd = isIgdTarget(device.ST)
    const key = keyOf(location, trust)
    const at = { route, key, host: withoutBrackets(location.hostname) }
    if (this.#isOver) {
      if (isIgd && this.#placeOf(at) === 'router') this.#onLateRouter()
      return
    }
    if (this.#isListFinal) return
    const found = { location: device.LOCATION.trim(), searchTarget: device.ST, server }
    const isRouters = this.#isAtRouter(at)
    if (!this.#list.has(key) && this.#looked.has(key)) return // it has made room for others
    this.#list.add(key, found, sender, isRoutersOwn ? ROUTERS_OWN_PLACE : isRouters ? ROUTERS_PLACE : sender)
    if (!this.#list.has(key)) {
      if (isRouters) this.#wait(key, () => this.#guarded(device, () => this.#hear(device, from, server)))
      return
    }
    const senders = this.#senders.get(key) ?? new Set()
    const isNews = !senders.has(sender) || (isIgd && !this.#igds.has(key))
    this.#senders.set(key, senders.add(sender))
    if (isIgd) this.#igds.set(key, at)
    const inFlight: InFlight = { ...at, isIgd, isHeard: true, isRoutersOwn }
    if (this.#isKnown(key, isIgd)) this.#looked.add(key)
    else if (!this.#looked.has(key) && this.#mayLookAt(inFlight)) {
      this.#looked.add(key)
      this.#examine(location, trust, inFlight)
      return
    }
    if (isNews && this.#router?.address === sender) this.#options.onNews() // it may have been taken for somebody else
  }

  #mayLookAt(device: InFlight): boolean {
    if (!this.#isFree(device)) return this.#budget.hasRoomFor({ isIgd: () => device.isIgd, isFree: () => false })
    return device.isRoutersOwn || this.#looksAtRouter-- > 0
  }

  /** What really comes from the router over TCP, or is in use, costs the others nothing. */
  #isFree(device: InFlight): boolean {
    return this.#isOver || device.isRoutersOwn || this.#router?.isNamed === true || this.#isAtRouter(device)
  }

  #isAtRouter({ host }: Pick<Whereabouts, 'host'>): boolean {
    const { address, zone } = splitZone(this.#router?.address ?? '')
    return zone === '' && (host === address || isSameAddress(host, address))
  }

  /** More locations are said to be at the router than have a place. The newest is heard once more when one is free. */
  #wait(key: string, hearAgain: () => void): void {
    this.#search.askRouterAlone()
    this.#waiting = [...this.#waiting.filter((each) => each.key !== key), { key, hearAgain }].slice(-MAX_WAITING)
    this.#makeRoom()
  }

  /** A location at the router that was no IGD makes room for the newest of those that wait. */
  #makeRoom(): void {
    const [useless] = this.#useless
    const newest = useless === undefined ? undefined : this.#waiting.pop()
    if (useless === undefined || newest === undefined) return
    this.#list.remove(useless)
    this.#useless.delete(useless)
    this.#igds.delete(useless)
    this.#senders.delete(useless)
    newest.hearAgain()
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

  async #examine(location: URL, { zone }: Trust, device: InFlight, onExamined?: () => void): Promise<void> {
    const { onNews, answerMs, memoryOf, routes, isBound = false } = this.#options
    const stop = new AbortController()
    this.#inFlight.set(stop, device)
    let isIgd = false
    try {
      const descriptionMs = this.#mayBeRouter(device) ? answerMs : DESCRIPTION_TIMEOUT_MS
      const localAddress = isBound ? (device.route ?? routes[0])?.address : undefined
      const http = this.#budget.client(this.#options.http, {
        isIgd: () => device.isIgd,
        isFree: () => this.#isFree(device),
        stop: (reason) => stop.abort(reason),
      })
      const context = { http, signal: stop.signal, answerMs, descriptionMs, localAddress, memoryOf }
      const { examine } = await import('./candidate.js') // with the XML parser, once the search is on its way
      const candidate = await examine(location, context, zone)
      if (this.#isOver || stop.signal.aborted) return
      onExamined?.()
      this.#examined.push({ candidate, at: device })
      isIgd = candidate.gateway !== undefined
      if (isIgd) this.#kept.push(stop)
    } catch (error) {
      if (stop.signal.aborted) {
        this.#looked.delete(device.key) // others have used up the search, but it may turn out to be an IGD
        return
      }
      if (!(error instanceof PortMappingError)) ignore('device', location.href, error)
      if (device.isHeard) this.#unreadable.push({ location: location.href, error, at: device })
    } finally {
      this.#inFlight.delete(stop)
      if (!this.#isOver) {
        if (!isIgd && this.#list.placeOf(device.key) === ROUTERS_PLACE) this.#useless.add(device.key)
        this.#makeRoom()
        onNews()
      }
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
    const senders = [...(this.#senders.get(key) ?? [])]
    const isSender = isIPv6(router.address) && senders.some((each) => isSameAddress(each, address))
    if (isNamed || this.#isAtRouter({ host }) || isSender) return 'router'
    if (route === undefined) return 'elsewhere'
    const leadsThere = isIPv6Route(route)
      ? route.zone === router.zone
      : onSameSubnet(route.address, route.netmask, router.address)
    return leadsThere ? 'beside' : 'elsewhere'
  }
}

function referralOf({ ST, LOCATION }: KnownDevice, { sender, route }: Hearing, around: Around): Referral | undefined {
  if (sender === '' || !isIgdTarget(ST)) return undefined
  const location = trustedUrl(LOCATION, undefined, trustSender(sender, route, { ...around, anyHost: true }))
  return location && { from: sender, location: location.href }
}

/** Two links may have the same address. */
function keyOf(url: URL, { zone = '' }: Trust): string {
  return zonedUrlText({ url, zone })
}
