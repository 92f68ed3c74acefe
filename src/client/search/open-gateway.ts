/**
 * Which protocol: the policy. `auto` asks for an IGD, PCP and NAT-PMP at the same moment. An IGD goes first; where PCP or
 * NAT-PMP has answered and no IGD begins to within ALTERNATIVE_GRACE_MS, that one is taken, PCP before NAT-PMP.
 */
import type { PortControlGateway } from '../../domain/gateway.js'
import type { GatewayProtocol } from '../../domain/port-mapping.js'
import type { Endpoint } from '../../net/datagrams.js'
import type { PortControlOptions } from '../port-control/common.js'
import type { PortControlAnswer, PortControlProtocol, PortControlRefusal } from '../port-control/probe.js'
import type { PortControlSearch } from '../port-control/search.js'
import { ALTERNATIVE_GRACE_MS, type Discovery, type DiscoveryOptions, discover, SEARCH_MS } from './discovery.js'

export type Via = 'auto' | GatewayProtocol

export interface OpenOptions extends Omit<DiscoveryOptions, 'alternative'> {
  readonly via: Via
  /** What is asked for is had from an IGD alone: one is searched for to the end. */
  readonly igdOnly: boolean
  /** An IGD that says that it is not connected will do. */
  readonly ignoreState: boolean
  /** Called when PCP or NAT-PMP has answered and no IGD has, for a while: the moment to load what comes next. */
  readonly whileYielding?: () => void
  /** Whom to ask for PCP and NAT-PMP. */
  readonly portControl: {
    readonly endpoints: Promise<readonly Endpoint[]>
    /** Where to ask from; on the way to the gateway where it is not given. */
    readonly localAddress?: string | undefined
  }
}

export interface Opened {
  /** Undefined where no IGD was asked for. */
  readonly discovery: Discovery | undefined
  /** What to go on with instead of an IGD. */
  readonly portControl: PortControlAnswer | undefined
  /** Who answered, also where an IGD is the only one that will do. */
  readonly answered: PortControlAnswer | undefined
  /** Why others of the gateways do not speak PCP or NAT-PMP. */
  readonly refusals: readonly PortControlRefusal[]
  readonly searchedMs: number
}

/** @throws whatever the signal aborts with */
export function openGateway(options: OpenOptions): Promise<Opened> {
  switch (options.via) {
    case 'igd':
      return openIgd(options)
    case 'auto':
      return openAny(options)
    case 'pcp':
    case 'nat-pmp':
      return openPortControl(options, options.via)
  }
}

async function openIgd(options: OpenOptions): Promise<Opened> {
  const discovery = await discover(options)
  const { searchedMs } = discovery
  return { discovery, portControl: undefined, answered: undefined, refusals: [], searchedMs }
}

async function openPortControl(options: OpenOptions, protocol: PortControlProtocol): Promise<Opened> {
  const { clock } = options
  const startedMs = clock.monotonicMs()
  const search = await startSearch(options, [protocol])
  const loading = new Loading(options)
  loading.afterAnswers(search)
  try {
    const answered = await firstOf(search)
    options.signal?.throwIfAborted()
    const searchedMs = clock.monotonicMs() - startedMs
    return { discovery: undefined, portControl: answered, answered, refusals: search.refusals, searchedMs }
  } finally {
    loading.stop()
    search.stop()
  }
}

async function openAny(options: OpenOptions): Promise<Opened> {
  let begun: Promise<PortControlSearch> | undefined
  let tell: (found: boolean) => void = () => {}
  const alternative = new Promise<boolean>((resolve) => {
    tell = resolve
  })
  const begin = (): Promise<PortControlSearch> => {
    if (begun === undefined) {
      begun = startSearch(options, ['pcp', 'nat-pmp'])
      begun.then(({ first }) => first.then((answer) => tell(answer !== undefined))).catch(() => {}) // it is awaited below
    }
    return begun
  }
  const loading = new Loading(options)
  const whileWaiting = (): void => {
    begin().then(
      (search) => loading.afterAnswers(search),
      () => {},
    )
  }
  const mayEndEarly = !options.igdOnly && options.searchMs === undefined
  if (mayEndEarly) {
    alternative.then((found) => {
      if (found) loading.whileYielding()
    })
  }
  try {
    const discovery = await discover({ ...options, whileWaiting, ...(mayEndEarly ? { alternative } : {}) })
    const hasIgd = discovery.candidates.some(({ kind, gateway }) =>
      kind === 'disconnected' ? options.ignoreState : gateway !== undefined,
    )
    const search = await begin()
    if (!hasIgd && !options.igdOnly) await firstOf(search)
    options.signal?.throwIfAborted()
    const answered = search.best()
    const portControl = hasIgd || options.igdOnly ? undefined : answered
    return { discovery, portControl, answered, refusals: search.refusals, searchedMs: discovery.searchedMs }
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
  readonly #options: OpenOptions
  readonly #cancels: (() => void)[] = []
  #isOver = false

  constructor(options: OpenOptions) {
    this.#options = options
  }

  async afterAnswers({ sent, finished }: PortControlSearch): Promise<void> {
    await sent
    let load = this.#options.whileWaiting
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
    this.#schedule(ALTERNATIVE_GRACE_MS / 2, this.#options.whileYielding)
  }

  stop(): void {
    this.#isOver = true
    for (const cancel of this.#cancels) cancel()
  }

  #schedule(delayMs: number, load: (() => void) | undefined): void {
    if (load !== undefined && !this.#isOver) this.#cancels.push(this.#options.clock.schedule(delayMs, load))
  }
}

async function startSearch(
  { clock, datagrams, signal, searchMs, portControl }: OpenOptions,
  protocols: readonly PortControlProtocol[],
): Promise<PortControlSearch> {
  const { searchPortControl } = await import('../port-control/search.js')
  const timeoutMs = searchMs ?? SEARCH_MS
  return searchPortControl({ ...portControl, net: { clock, datagrams, signal }, protocols, timeoutMs })
}

export type AnsweredOptions = Omit<PortControlOptions, 'endpoint' | 'localAddress' | 'epochSeconds' | 'externalAddress'>

/** The gateway of one that has answered. */
export async function gatewayOf(answer: PortControlAnswer, options: AnsweredOptions): Promise<PortControlGateway> {
  const { NatPmpGateway, PcpGateway } = await import('../port-control/first-answer.js')
  const all = { ...options, ...answer }
  return answer.protocol === 'pcp' ? new PcpGateway(all) : new NatPmpGateway(all)
}
