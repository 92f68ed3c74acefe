/**
 * Opens the gateway to use: asks, decides which protocol counts, and makes a Gateway of the best answer.
 * `auto` asks for an IGD, PCP and NAT-PMP at the same moment. An IGD goes first. If PCP or NAT-PMP has answered, and no
 * IGD begins to answer within ALTERNATIVE_GRACE_MS, that gateway is taken: PCP before NAT-PMP.
 */
import { PortMappingError } from '../../domain/errors.js'
import type { ConnectionStatus, IgdGateway, PortControlGateway } from '../../domain/gateway.js'
import type { GatewayProtocol } from '../../domain/port-mapping.js'
import type { ZonedUrl } from '../../domain/url.js'
import type { PrivateFiles } from '../../net/files/private-files.js'
import { keptMappings } from '../port-control/mapping-memory.js'
import { derivedNonces, fixedNonce } from '../port-control/mapping-nonce.js'
import { NatPmpGateway } from '../port-control/natpmp-gateway.js'
import { PcpGateway } from '../port-control/pcp-gateway.js'
import {
  type PortControlAnswer,
  type PortControlProtocol,
  type PortControlRefusal,
  type PortControlSearch,
  searchPortControl,
} from '../port-control/probe.js'
import type { Candidate } from './candidate.js'
import { type Discovery, discover, isUsable, SEARCH_MS } from './discovery.js'
import type { FoundDevice } from './ssdp-search.js'
import {
  addressToAskFrom,
  interfacesOf,
  type PlacesNet,
  type PlacesToAsk,
  type PlaceWishes,
  placesToAsk,
} from './where-to-ask.js'

export type Via = 'auto' | GatewayProtocol

export interface GatewayWishes extends PlaceWishes {
  readonly via: Via
  /** Only an IGD can do what is wanted, so the search for one goes on to its end. */
  readonly igdOnly?: boolean | undefined
  /** An IGD that says that it is not connected will do. */
  readonly ignoreState?: boolean | undefined
  /** Search for exactly that long and hear all that answer, instead of ending at the first good answer. */
  readonly searchMs?: number | undefined
  /** The nonce of PCP: 24 hexadecimal digits. If undefined, this user's own. */
  readonly nonce?: string | undefined
}

export interface OpeningNet extends PlacesNet {
  /** The user's own files, with the key of PCP's nonces, and what was mapped. */
  readonly files: PrivateFiles
  /** From 0 to 1. */
  readonly random?: () => number
  /** Called once, when all requests that can be sent are on their way. It is the moment for work that can wait. */
  readonly onIdle?: (() => void) | undefined
}

export interface FoundIgd {
  readonly protocol: 'igd'
  readonly gateway: IgdGateway
  /** The search has learnt these already, so nobody has to ask again. */
  readonly status: ConnectionStatus | undefined
  readonly externalAddress: string | undefined
}

export interface FoundPortControl {
  readonly protocol: PortControlProtocol
  readonly gateway: PortControlGateway
  readonly externalAddress: string | undefined
  /** Trouble that fails no request. The list grows while the gateway is used. */
  readonly troubles: readonly PortMappingError[]
}

export type FoundGateway = FoundIgd | FoundPortControl

/** Where the search found nothing. */
export interface Tried {
  /** The interfaces on which an IGD was searched for. */
  readonly interfaces: ReturnType<typeof interfacesOf>
  /** On how many of them a search could be sent. */
  readonly routesOpened: number
  readonly defaultGateways: readonly string[]
}

interface Answers {
  /** Undefined if no IGD was asked for. */
  readonly discovery: Discovery | undefined
  /** The gateway that speaks PCP or NAT-PMP, even if only an IGD will do. */
  readonly answered: PortControlAnswer | undefined
  /** Why other gateways do not speak them. */
  readonly refusals: readonly PortControlRefusal[]
  readonly searchedMs: number
}

export interface Opened extends Omit<Answers, 'discovery'> {
  /** Undefined if no answer will do. */
  readonly found: FoundGateway | undefined
  /** The devices that answered the search for an IGD, in the order of their answers. */
  readonly devices: readonly FoundDevice[]
  /** The best of them, whether it will do or not. Undefined if no description could be read. */
  readonly best: Candidate | undefined
  /** Why another description could not be read. The default gateway's goes first. */
  readonly unreadable: unknown
  /** Undefined if a gateway was found, or if one was named, which needs no search. */
  readonly tried: Tried | undefined
}

/** @throws InvalidArgumentError for an interface that is not there; whatever the signal aborts with */
export async function openGateway(wishes: GatewayWishes, net: OpeningNet): Promise<Opened> {
  const places = placesToAsk(wishes, net)
  const { discovery, answered, refusals, searchedMs } = await askGateways({ wishes, net, places })
  const { devices = [], routesOpened = 0 } = discovery ?? {}
  const best = discovery?.candidates[0]
  const unreadable = discovery?.unreadable[0]?.error
  const heard = { devices, best, unreadable, answered, refusals, searchedMs: Math.round(searchedMs), tried: undefined }
  const igd = usableIgd(best, wishes.ignoreState)
  if (igd !== undefined) return { ...heard, found: igd }
  if (answered !== undefined && wishes.igdOnly !== true)
    return { ...heard, found: answeredGateway(answered, wishes, net) }
  const interfaces = discovery === undefined ? [] : interfacesOf(places.routes, net.interfaces())
  const tried = { interfaces, routesOpened, defaultGateways: await places.defaultGateways }
  return { ...heard, found: undefined, tried }
}

/**
 * The IGD whose description is at that URL, without asking whether it is connected. A link-local host needs its zone.
 * @throws InvalidArgumentError for an interface that is not there; whatever the signal aborts with
 */
export async function openNamedGateway({ url, zone }: ZonedUrl, wishes: PlaceWishes, net: OpeningNet): Promise<Opened> {
  const { http, signal, answerMs, onIdle } = net
  const localAddress = addressToAskFrom(wishes, url, net)
  const heard = { devices: [], answered: undefined, refusals: [], searchedMs: 0, tried: undefined }
  try {
    const { describeGateway } = await import('./candidate.js')
    const describing = describeGateway(url, { http, signal, answerMs, localAddress }, zone)
    onIdle?.()
    const described = await describing
    const kind = described.gateway === undefined ? 'not-an-igd' : 'connected'
    const best: Candidate = { ...described, kind, status: undefined, externalAddress: undefined }
    return { ...heard, best, unreadable: undefined, found: usableIgd(best) }
  } catch (error) {
    if (!(error instanceof PortMappingError)) throw error
    signal?.throwIfAborted()
    return { ...heard, best: undefined, unreadable: error, found: undefined }
  }
}

function usableIgd(candidate: Candidate | undefined, ignoreState?: boolean): FoundIgd | undefined {
  if (candidate?.gateway === undefined || !isUsable(candidate, ignoreState)) return undefined
  const { gateway, status, externalAddress } = candidate
  return { protocol: 'igd', gateway, status, externalAddress }
}

function answeredGateway(
  answer: PortControlAnswer,
  { nonce }: GatewayWishes,
  { clock, datagrams, signal, files, interfaces, random = Math.random }: OpeningNet,
): FoundPortControl {
  const { protocol, endpoint, externalAddress } = answer
  const troubles: PortMappingError[] = []
  const options = {
    ...answer,
    net: { clock, datagrams, signal },
    memory: keptMappings(files, clock, `${protocol}-${endpoint.address}`),
    nonces: nonce === undefined ? derivedNonces(files, (error) => troubles.push(error)) : fixedNonce(nonce),
    ownAddresses: () => interfaces().map(({ address }) => address),
    random,
  }
  const gateway = protocol === 'pcp' ? new PcpGateway(options) : new NatPmpGateway(options)
  return { protocol, gateway, externalAddress, troubles }
}

interface Asking {
  readonly wishes: GatewayWishes
  readonly net: OpeningNet
  readonly places: PlacesToAsk
}

async function askGateways(asking: Asking): Promise<Answers> {
  const { wishes, net, places } = asking
  const { via, searchMs } = wishes
  if (via === 'auto') return askForAny(asking)
  if (via !== 'igd') return askFor(via, asking)
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
  try {
    const early = igdOnly || searchMs !== undefined ? {} : { alternative }
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

/** If nobody has answered, a defect may be the reason. Then it is thrown. */
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
