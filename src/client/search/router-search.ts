/**
 * One search for a gateway: asks for an IGD, PCP and NAT-PMP at the same moment, lets choice.ts choose after every piece
 * of news, and remembers what the router speaks.
 */

import { isLoopbackIPv4 } from '../../domain/address.js'
import { ignore } from '../../domain/ignored.js'
import type { GatewayProtocol } from '../../domain/port-mapping.js'
import { resolveUrl } from '../../domain/url.js'
import type { ClientNet } from '../../net/network.js'
import {
  type PortControlAnswer,
  type PortControlProtocol,
  type PortControlRefusal,
  type PortControlSearch,
  searchPortControl,
} from '../port-control/probe.js'
import { type Choice, choose, type IgdNeed, isUsable, ranked, type Standing } from './choice.js'
import type { FoundDevice } from './device-list.js'
import { Discovery, type DiscoveryOptions, type Examined } from './discovery.js'
import { isWithoutUpnp, type KnownRouter, type RouterMemory } from './router-memory.js'
import { ROUNDS_MS } from './ssdp-search.js'
import type { PlacesToAsk } from './where-to-ask.js'
import type { RouterPlace } from './which-router.js'

/** Some routers answer after 2.5 s. */
export const SEARCH_MS = 4000
/** A router answers the second round within MX, at random, and its description takes a moment. */
export const ROUTERS_IGD_MS = ROUNDS_MS[1] + 1250
/** PCP and NAT-PMP are answered at once. This is long enough for a datagram that got lost. */
export const PORT_CONTROL_MS = 500
/** If no router is known, a connected IGD waits so long for a better one. */
export const RIVALS_MS = 150
/** A device that answered at the last moment is still examined. */
const LAST_LOOK_MS = 1500

export interface RouterSearchOptions {
  readonly net: Pick<ClientNet, 'clock' | 'datagrams' | 'http' | 'hardwareAddress'> & {
    readonly signal?: AbortSignal | undefined
    readonly answerMs?: number | undefined
    readonly onIdle?: (() => void) | undefined
  }
  readonly places: PlacesToAsk
  /** Asks for the external address. Undefined: PCP and NAT-PMP are not asked at all. */
  readonly addressOf?: ((answer: PortControlAnswer, signal: AbortSignal) => Promise<string | undefined>) | undefined
  readonly memory: RouterMemory
  readonly memoryOf?: DiscoveryOptions['memoryOf']
  readonly need?: IgdNeed
  readonly ignoreState?: boolean | undefined
  readonly changes?: boolean | undefined
  /** Search for exactly that long, and hear all that answer. */
  readonly searchMs?: number | undefined
  /** The protocol in which a mapping was made at the router with that address. */
  readonly madeIn?: ((router: string) => Promise<GatewayProtocol | undefined>) | undefined
}

/** Worth telling about the choice. */
export type SearchRemark =
  /** Programs here send through that interface, and not through the router. */
  | { readonly kind: 'through-tunnel'; readonly interface: string }
  /** Somebody else's IGD is used, because the router has not answered. */
  | { readonly kind: 'not-the-router'; readonly address: string; readonly router: string }
  /** This computer has no default gateway: it is the router that was used before, or the best of all who answered. */
  | { readonly kind: 'no-router'; readonly address: string }
  /** The router did not answer over UPnP, so another protocol is used. */
  | { readonly kind: 'no-upnp'; readonly via: PortControlProtocol; readonly waitedMs: number }

export interface Searched {
  readonly choice: Choice
  /** The devices that answered the search for an IGD, in the order of their answers. */
  readonly devices: readonly FoundDevice[]
  /** Best first. */
  readonly examined: readonly Examined[]
  /** Why the descriptions of others could not be read, the router's first. */
  readonly unreadable: readonly unknown[]
  readonly routesOpened: number
  readonly referral: Discovery['referral']
  readonly router: RouterPlace
  readonly answered: PortControlAnswer | undefined
  readonly refusals: readonly PortControlRefusal[]
  readonly remarks: readonly SearchRemark[]
  readonly searchedMs: number
}

const NO_ROUTER: RouterPlace = { address: undefined, isNamed: false, tunnel: undefined }

/** @throws whatever the signal aborts with */
export function searchRouter(options: RouterSearchOptions): Promise<Searched> {
  return new RouterSearch(options).run()
}

class RouterSearch {
  readonly #options: RouterSearchOptions
  readonly #discovery: Discovery
  readonly #startedMs: number
  readonly #cancels: (() => void)[] = []
  readonly #over = { answer: false, igd: false, rivals: false, search: false, lastLook: false }
  /** Undefined until the routing table has been read. */
  #router: RouterPlace | undefined
  #known: KnownRouter = {}
  #madeIn: GatewayProtocol | undefined
  #need: IgdNeed
  #hasNoUpnp = false
  #portControl: PortControlSearch | undefined
  #areAllAnswered = false
  /** PCP tells its external address only when it is asked for a mapping. */
  #asksForAddress: 'not yet' | 'now' | 'no more' = 'not yet'
  #externalAddress: string | undefined
  #isRivalAwaited = false
  readonly #end = new AbortController()
  #finish: (choice: Choice) => void = () => {}
  #fail: (error: unknown) => void = () => {}

  constructor(options: RouterSearchOptions) {
    const { net, places, need, memoryOf } = options
    this.#options = options
    this.#need = need
    this.#startedMs = net.clock.monotonicMs()
    this.#discovery = new Discovery({
      ...net,
      ...places,
      memoryOf,
      onNews: () => this.#consider(),
      onIdle: () => this.#askPortControl(),
    })
  }

  async run(): Promise<Searched> {
    const { net, searchMs = SEARCH_MS } = this.#options
    const { signal } = net
    const chosen = new Promise<Choice>((resolve, reject) => {
      this.#finish = resolve
      this.#fail = reject
    })
    this.#after(PORT_CONTROL_MS, () => (this.#over.answer = true))
    this.#after(ROUTERS_IGD_MS, () => {
      this.#over.igd = true
      this.#router ??= NO_ROUTER // nobody knows why the routing table is not there yet
    })
    this.#after(searchMs, () => {
      this.#over.search = true
      this.#discovery.hearNoMore()
    })
    this.#after(searchMs + LAST_LOOK_MS, () => (this.#over.lastLook = true))
    this.#learnRouter()
    this.#consider()
    try {
      const choice = await chosen
      signal?.throwIfAborted()
      return await this.#result(choice)
    } catch (error) {
      this.#discovery.stop()
      throw error
    } finally {
      for (const cancel of this.#cancels) cancel()
      this.#portControl?.stop()
      this.#end.abort(new Error('the search is over'))
    }
  }

  /** In two steps: if this process could not run for a while, an answer may not have been read yet. */
  #after(ms: number, task: () => void): void {
    const { clock } = this.#options.net
    const schedule = (after: number, then: () => void): unknown => this.#cancels.push(clock.schedule(after, then))
    schedule(ms - 1, () =>
      schedule(1, () => {
        task()
        this.#consider()
      }),
    )
  }

  async #learnRouter(): Promise<void> {
    const { places, memory, madeIn } = this.#options
    try {
      const router = await places.router
      const { address } = router
      if (address !== undefined) {
        const remembered = [isOne(address) ? memory.recall(address) : {}, madeIn?.(address)] as const
        ;[this.#known, this.#madeIn] = await Promise.all(remembered)
        if (this.#madeIn === 'igd') this.#need ??= 'wanted'
      }
      this.#router ??= router
      this.#discovery.learnRouter(this.#router, this.#known.igd)
      await this.#hearAnswer() // it may have answered before
    } catch (error) {
      this.#fail(error)
    }
  }

  #askPortControl(): void {
    const { net, places, addressOf, searchMs = SEARCH_MS } = this.#options
    const { onIdle } = net
    if (this.#portControl !== undefined) return
    if (addressOf === undefined) {
      onIdle?.()
      return
    }
    const endpoints = places.endpoint.then((endpoint) => (endpoint === undefined ? [] : [endpoint]))
    const { localAddress } = places
    const protocols = ['pcp', 'nat-pmp'] as const
    const search = searchPortControl({
      endpoints,
      localAddress,
      net,
      protocols,
      timeoutMs: searchMs,
      onSent: onIdle,
      onAnswer: () => void this.#hearAnswer().catch(this.#fail),
    })
    this.#portControl = search
    search.finished.then(() => {
      this.#areAllAnswered = true
      this.#consider()
    }, this.#fail)
  }

  async #hearAnswer(): Promise<void> {
    const { net } = this.#options
    const { address = '' } = this.#router ?? NO_ROUTER
    if (this.#known.silence !== undefined && !this.#hasNoUpnp)
      this.#hasNoUpnp = isWithoutUpnp(this.#known, await net.hardwareAddress?.(address), net.clock.wallMs())
    this.#consider()
  }

  /** Nobody waits for it, so a defect of the choice ends the search, and not the process. */
  #consider(): void {
    try {
      this.#chooseIfClear()
    } catch (error) {
      this.#fail(error)
    }
  }

  #chooseIfClear(): void {
    const { signal } = this.#options.net
    const { routesOpened } = this.#discovery
    if (signal?.aborted) this.#fail(signal.reason)
    if (routesOpened === 0) this.#askPortControl()
    const standing = this.#standing()
    if (this.#options.searchMs !== undefined && !standing.time.search) return
    if (standing.hasHeardRouter || (standing.answered !== undefined && standing.need === undefined))
      this.#discovery.sendNoMore()
    this.#lookFurther(standing)
    const choice = choose(this.#standing())
    if (choice !== undefined) this.#finish(choice)
  }

  #standing(): Standing {
    const { ignoreState = false, changes = false, addressOf } = this.#options
    const { examined, hasHeardRouter, routesOpened } = this.#discovery
    const cannotSearch = routesOpened === 0
    const answered = this.#answered()
    const isAnswerAwaited = addressOf !== undefined && !this.#areAllAnswered
    return {
      isRouterKnown: this.#router && this.#router.address !== undefined,
      examined,
      isExamining: (...places) => this.#discovery.isExamining(...places),
      hasHeardRouter,
      answered,
      isAnswerAwaited: isAnswerAwaited && !this.#isBestPossible(answered),
      isAddressAwaited: this.#asksForAddress === 'now',
      madeIn: this.#madeIn,
      hasNoUpnp: this.#hasNoUpnp,
      need: this.#need,
      ignoreState,
      changes,
      time: {
        ...this.#over,
        igd: this.#over.igd || cannotSearch,
        search: this.#over.search || (cannotSearch && (!isAnswerAwaited || answered !== undefined)),
      },
    }
  }

  #order(): readonly PortControlProtocol[] {
    const isNatPmp = (this.#madeIn ?? (this.#hasNoUpnp ? this.#known.portControl : undefined)) === 'nat-pmp'
    return isNatPmp ? ['nat-pmp', 'pcp'] : ['pcp', 'nat-pmp']
  }

  /** The best answer so far. */
  #answered(): PortControlAnswer | undefined {
    const best = this.#portControl?.best(this.#order())
    return best && { ...best, externalAddress: best.externalAddress ?? this.#externalAddress }
  }

  #isBestPossible(answered: PortControlAnswer | undefined): boolean {
    return answered?.protocol === this.#order()[0] && answered?.externalAddress !== undefined
  }

  /** What has to be asked before it can be chosen. */
  #lookFurther({ isRouterKnown, examined, answered, need, ignoreState, time }: Standing): void {
    const { addressOf } = this.#options
    const usable = examined.filter((each) => isUsable(each, ignoreState))
    if (isRouterKnown === false && usable.length > 0 && !this.#isRivalAwaited) {
      this.#isRivalAwaited = true
      this.#after(RIVALS_MS, () => (this.#over.rivals = true))
    }
    const isWorthAsking = isRouterKnown && need === undefined && usable.some(({ kind }) => kind === 'reserved')
    if (!isWorthAsking || !(this.#areAllAnswered || time.answer) || answered === undefined) return
    if (answered.externalAddress !== undefined || this.#asksForAddress !== 'not yet') return
    this.#asksForAddress = 'now'
    this.#after(PORT_CONTROL_MS, () => (this.#asksForAddress = 'no more'))
    addressOf?.(answered, this.#end.signal).then((address) => {
      this.#externalAddress = address
      this.#asksForAddress = 'no more'
      this.#consider()
    }, this.#fail)
  }

  async #result(choice: Choice): Promise<Searched> {
    const { clock } = this.#options.net
    const searchedMs = clock.monotonicMs() - this.#startedMs
    const { devices, examined, unreadable, routesOpened = 0, referral } = this.#discovery
    const router = this.#router ?? NO_ROUTER
    const igd = choice !== 'nobody' && 'igd' in choice ? choice.igd : undefined
    const others = ranked(examined).filter((each) => each.gateway !== igd?.gateway || igd === undefined)
    const searched = {
      choice,
      devices,
      examined: igd === undefined ? others : [igd, ...others],
      unreadable,
      routesOpened,
      referral,
      router,
      answered: this.#answered(),
      refusals: this.#need === 'only' ? [] : (this.#portControl?.refusals ?? []),
      remarks: this.#remarks(choice, router, Math.round(searchedMs)),
      searchedMs,
    }
    const isQuick = choice !== 'nobody' && 'answer' in choice && this.#hasNoUpnp && !this.#over.igd
    if (isQuick) this.#listenOn(router)
    else this.#discovery.stop()
    await this.#remember(choice, router, devices)
    return searched
  }

  /** It may have UPnP again. */
  #listenOn({ address = '' }: RouterPlace): void {
    const { memory, net } = this.#options
    const leftMs = ROUTERS_IGD_MS - (net.clock.monotonicMs() - this.#startedMs)
    if (net.signal === undefined)
      this.#discovery.stop() // nothing would end it with the command
    else
      this.#discovery.stopLater(leftMs, () => {
        memory.forgetSilence(address).catch((error: unknown) => ignore('device', address, error))
      })
  }

  async #remember(choice: Choice, { address }: RouterPlace, devices: readonly FoundDevice[]): Promise<void> {
    const { memory, net } = this.#options
    if (address === undefined || !isOne(address) || choice === 'nobody') return
    if ('igd' in choice) {
      const device = devices.find(({ location }) => resolveUrl(location)?.href === choice.igd.location)
      if (choice.igd.place === 'router' && device !== undefined) await memory.rememberIgd(address, device)
      return
    }
    const { examined, hasHeardRouter, routesOpened = 0 } = this.#discovery
    const hasIgd = hasHeardRouter || examined.some(({ place, gateway }) => place === 'router' && gateway !== undefined)
    const isItself = choice.answer.endpoint.address === address // a pinhole is asked for elsewhere
    if (!this.#over.igd || hasIgd || routesOpened === 0 || !isItself) return
    await memory.rememberSilence(address, choice.answer.protocol, await net.hardwareAddress?.(address))
  }

  #remarks(choice: Choice, router: RouterPlace, waitedMs: number): SearchRemark[] {
    const { address, isNamed, isAssumed = false, tunnel } = router
    if (choice === 'nobody') return []
    const remarks: SearchRemark[] = tunnel === undefined ? [] : [{ kind: 'through-tunnel', interface: tunnel }]
    const { examined, hasHeardRouter } = this.#discovery
    if ('igd' in choice) {
      const used = choice.igd.gateway?.address ?? ''
      if (address !== undefined && choice.igd.place !== 'router')
        remarks.push({ kind: 'not-the-router', address: used, router: address })
      else if (isAssumed || (address === undefined && !isNamed)) remarks.push({ kind: 'no-router', address: used })
    } else {
      const { protocol: via, endpoint } = choice.answer
      if (isAssumed) remarks.push({ kind: 'no-router', address: endpoint.address })
      const isHeard = hasHeardRouter || examined.some(({ place }) => place === 'router')
      if (!isHeard && !this.#hasNoUpnp && via !== this.#madeIn) remarks.push({ kind: 'no-upnp', via, waitedMs })
    }
    return remarks
  }
}

/** Any number of gateways can be on this computer itself. */
function isOne(address: string): boolean {
  return !isLoopbackIPv4(address)
}
