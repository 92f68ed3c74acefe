/**
 * Which protocol: the policy. `auto` asks for an IGD, PCP and NAT-PMP at the same moment. An IGD goes first. If PCP or
 * NAT-PMP has answered and no IGD begins to within ALTERNATIVE_GRACE_MS, that one is taken, PCP before NAT-PMP.
 */
import type { GatewayProtocol } from '../../domain/port-mapping.js'
import type { PrivateFiles } from '../../net/files/private-files.js'
import {
  type PortControlAnswer,
  type PortControlProtocol,
  type PortControlRefusal,
  type PortControlSearch,
  searchPortControl,
} from '../port-control/probe.js'
import { type Discovery, discover, isUsable, SEARCH_MS } from './discovery.js'
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
  /** Called once, when all requests that can be sent are on their way: the moment for what need not come before them. */
  readonly onIdle?: (() => void) | undefined
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
  const search = startSearch(asking, [protocol])
  try {
    const answered = await firstOf(search)
    signal?.throwIfAborted()
    const searchedMs = clock.monotonicMs() - startedMs
    return { discovery: undefined, answered, refusals: search.refusals, searchedMs }
  } finally {
    search.stop()
  }
}

async function askForAny(asking: Asking): Promise<Answers> {
  const { wishes, net, places } = asking
  const { searchMs, igdOnly = false } = wishes
  let search: PortControlSearch | undefined
  let tell: (found: boolean) => void = () => {}
  const alternative = new Promise<boolean>((resolve) => {
    tell = resolve
  })
  const begin = (): PortControlSearch => {
    if (search === undefined) {
      search = startSearch(asking, ['pcp', 'nat-pmp'])
      search.first.then((answer) => tell(answer !== undefined))
    }
    return search
  }
  const mayEndEarly = !igdOnly && searchMs === undefined
  try {
    const early = mayEndEarly ? { alternative } : {}
    const discovery = await discover({ ...net, ...places, searchMs, onIdle: begin, ...early })
    const asked = begin()
    if (!igdOnly && !isUsable(discovery.candidates[0], wishes.ignoreState)) await firstOf(asked)
    net.signal?.throwIfAborted()
    const { searchedMs } = discovery
    return { discovery, answered: asked.best(), refusals: asked.refusals, searchedMs }
  } finally {
    search?.stop()
  }
}

/** If nobody has answered, a defect may be why: it is thrown then. */
async function firstOf({ first, finished }: PortControlSearch): Promise<PortControlAnswer | undefined> {
  const answer = await first
  if (answer === undefined) await finished
  return answer
}

function startSearch(
  { wishes: { searchMs: timeoutMs = SEARCH_MS }, net: { onIdle: onSent, ...net }, places }: Asking,
  protocols: readonly PortControlProtocol[],
): PortControlSearch {
  const { endpoints, localAddress } = places
  return searchPortControl({ endpoints, localAddress, net, protocols, timeoutMs, onSent })
}
