/**
 * Which protocol: the policy. `auto` asks for an IGD, PCP and NAT-PMP at the same moment. An IGD goes first. If PCP or
 * NAT-PMP has answered and no IGD begins to within ALTERNATIVE_GRACE_MS, that one is taken, PCP before NAT-PMP.
 */
import type { GatewayProtocol } from '../../domain/port-mapping.js'
import type { PrivateFiles } from '../../net/files/private-files.js'
import type { PortControlAnswer, PortControlProtocol, PortControlRefusal } from '../port-control/probe.js'
import type { PortControlSearch } from '../port-control/search.js'
import { ALTERNATIVE_GRACE_MS, type Discovery, discover, isUsable, SEARCH_MS } from './discovery.js'
import type { PlacesNet, PlacesToAsk, PlaceWishes } from './where-to-ask.js'

export type Via = 'auto' | GatewayProtocol

export interface GatewayWishes extends PlaceWishes {
  readonly via: Via
  /** No other protocol can do what it is for: an IGD is searched for to the end. */
  readonly igdOnly?: boolean | undefined
  /** An IGD that says that it is not connected will do. */
  readonly ignoreState?: boolean | undefined
  /** Search for exactly that long and hear all that answer, instead of ending at the first good answer. */
  readonly searchMs?: number | undefined
  /** The nonce of PCP, 24 hexadecimal digits; this user's own if undefined. */
  readonly nonce?: string | undefined
}

export interface OpeningNet extends PlacesNet {
  /** The user's own: the key of PCP's nonces, and what was mapped. */
  readonly files: PrivateFiles
  /** From 0 to 1. */
  readonly random?: () => number
  /** Called when the searches are on their way: the moment to load what comes next. */
  readonly whileWaiting?: () => void
  /** Called when PCP or NAT-PMP has answered and no IGD has, for a while: the moment to load what comes next. */
  readonly whileYielding?: () => void
}

/** What is asked, by what, and where. */
export interface Asking {
  readonly wishes: GatewayWishes
  readonly net: OpeningNet
  readonly places: PlacesToAsk
}

export interface Answers {
  /** Undefined if no IGD was asked for. */
  readonly discovery: Discovery | undefined
  /** Who speaks PCP or NAT-PMP, also if only an IGD will do. */
  readonly answered: PortControlAnswer | undefined
  /** Why others of the gateways do not. */
  readonly refusals: readonly PortControlRefusal[]
  readonly searchedMs: number
}

export function askGateways(asking: Asking): Promise<Answers> {
  const { via } = asking.wishes
  switch (via) {
    case 'igd':
      return askForIgd(asking)
    case 'auto':
      return askForAny(asking)
    case 'pcp':
    case 'nat-pmp':
      return askFor(via, asking)
  }
}

async function askForIgd({ wishes: { searchMs }, net, places }: Asking): Promise<Answers> {
  const discovery = await discover({ ...net, ...places, searchMs })
  return { discovery, answered: undefined, refusals: [], searchedMs: discovery.searchedMs }
}

async function askFor(protocol: PortControlProtocol, asking: Asking): Promise<Answers> {
  const { clock, signal } = asking.net
  const startedMs = clock.monotonicMs()
  const search = await startSearch(asking, [protocol])
  const loading = new Loading(asking.net)
  loading.afterAnswers(search)
  try {
    const answered = await firstOf(search)
    signal?.throwIfAborted()
    const searchedMs = clock.monotonicMs() - startedMs
    return { discovery: undefined, answered, refusals: search.refusals, searchedMs }
  } finally {
    loading.stop()
    search.stop()
  }
}

async function askForAny(asking: Asking): Promise<Answers> {
  const { wishes, net, places } = asking
  const { searchMs, igdOnly = false } = wishes
  let begun: Promise<PortControlSearch> | undefined
  let tell: (found: boolean) => void = () => {}
  const alternative = new Promise<boolean>((resolve) => {
    tell = resolve
  })
  const begin = (): Promise<PortControlSearch> => {
    if (begun === undefined) {
      begun = startSearch(asking, ['pcp', 'nat-pmp'])
      begun.then(({ first }) => first.then((answer) => tell(answer !== undefined))).catch(() => {}) // it is awaited below
    }
    return begun
  }
  const loading = new Loading(net)
  const whileWaiting = (): void => {
    begin().then(
      (search) => loading.afterAnswers(search),
      () => {},
    )
  }
  const mayEndEarly = !igdOnly && searchMs === undefined
  if (mayEndEarly) {
    alternative.then((found) => {
      if (found) loading.whileYielding()
    })
  }
  try {
    const early = mayEndEarly ? { alternative } : {}
    const discovery = await discover({ ...net, ...places, searchMs, whileWaiting, ...early })
    const search = await begin()
    if (!igdOnly && !isUsable(discovery.candidates[0], wishes.ignoreState)) await firstOf(search)
    net.signal?.throwIfAborted()
    const { searchedMs } = discovery
    return { discovery, answered: search.best(), refusals: search.refusals, searchedMs }
  } finally {
    loading.stop()
    begun?.then(
      (search) => search.stop(),
      () => {},
    )
  }
}

/** Where nobody has answered, a defect may be why: it is thrown then. */
async function firstOf({ first, finished }: PortControlSearch): Promise<PortControlAnswer | undefined> {
  const answer = await first
  if (answer === undefined) await finished
  return answer
}

/** Loading keeps from listening, so it waits for the answer of a gateway that is near: so long at the most. */
const NEAR_MS = 10

/** When what comes next is loaded. */
class Loading {
  readonly #net: OpeningNet
  readonly #cancels: (() => void)[] = []
  #isOver = false

  constructor(net: OpeningNet) {
    this.#net = net
  }

  async afterAnswers({ sent, finished }: PortControlSearch): Promise<void> {
    await sent
    let load = this.#net.whileWaiting
    const loadOnce = (): void => {
      const task = load
      load = undefined
      if (!this.#isOver) task?.()
    }
    finished.then(loadOnce, () => {})
    this.#schedule(NEAR_MS, loadOnce)
  }

  /** Not at once: in most homes an IGD answers meanwhile, and nothing of this is needed. */
  whileYielding(): void {
    this.#schedule(ALTERNATIVE_GRACE_MS / 2, this.#net.whileYielding)
  }

  stop(): void {
    this.#isOver = true
    for (const cancel of this.#cancels) cancel()
  }

  #schedule(delayMs: number, load: (() => void) | undefined): void {
    if (load !== undefined && !this.#isOver) this.#cancels.push(this.#net.clock.schedule(delayMs, load))
  }
}

async function startSearch(
  { wishes: { searchMs = SEARCH_MS }, net: { clock, datagrams, signal }, places }: Asking,
  protocols: readonly PortControlProtocol[],
): Promise<PortControlSearch> {
  const { searchPortControl } = await import('../port-control/search.js')
  const { endpoints, localAddress } = places
  return searchPortControl({
    endpoints,
    localAddress,
    net: { clock, datagrams, signal },
    protocols,
    timeoutMs: searchMs,
  })
}
