/** Opens the gateway to use: makes a Gateway of the choice of a search, or of the IGD that was named. */
import { isLinkLocalIPv6 } from '../../domain/address.js'
import { PortMappingError } from '../../domain/errors.js'
import type { ConnectionStatus, IgdGateway, PortControlGateway } from '../../domain/gateway.js'
import type { Via } from '../../domain/port-mapping.js'
import type { ZonedUrl } from '../../domain/url.js'
import type { PrivateFiles } from '../../net/files/private-files.js'
import { isIPv6Interface } from '../../net/interfaces.js'
import { keptMappings, type MappingMemory } from '../mapping-memory.js'
import { derivedNonces, fixedNonce } from '../port-control/mapping-nonce.js'
import { NatPmpGateway } from '../port-control/natpmp-gateway.js'
import { PcpGateway } from '../port-control/pcp-gateway.js'
import {
  type PortControlAnswer,
  type PortControlProtocol,
  type PortControlRefusal,
  searchPortControl,
} from '../port-control/probe.js'
import type { Candidate } from './candidate.js'
import { type IgdNeed, isUsable } from './choice.js'
import type { FoundDevice } from './device-list.js'
import type { Referral } from './discovery.js'
import { rememberedRouters } from './router-memory.js'
import {
  PORT_CONTROL_MS,
  type RouterSearchOptions,
  SEARCH_MS,
  type SearchRemark,
  searchRouter,
} from './router-search.js'
import {
  addressToAskFrom,
  interfacesOf,
  type PlacesNet,
  type PlacesToAsk,
  type PlaceWishes,
  placesToAsk,
} from './where-to-ask.js'
import type { RouterPlace } from './which-router.js'

export type { Via } from '../../domain/port-mapping.js'

export interface GatewayWishes extends PlaceWishes {
  readonly via: Via
  /** If an IGD is needed, the search for one goes on to its end. */
  readonly need?: IgdNeed
  /** Something is to be changed at the gateway. */
  readonly changes?: boolean | undefined
  /** The protocol in which a mapping was made, at the router with that address. */
  readonly madeIn?: RouterSearchOptions['madeIn']
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
  /** The same gateway, whose requests end with that signal, and not with the one of the search. */
  readonly until: (signal: AbortSignal | undefined) => IgdGateway
  /** The search has learnt these already, so nobody has to ask again. */
  readonly status: ConnectionStatus | undefined
  readonly externalAddress: string | undefined
}

export interface FoundPortControl {
  readonly protocol: PortControlProtocol
  readonly gateway: PortControlGateway
  readonly until: (signal: AbortSignal | undefined) => PortControlGateway
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
  /** The search was over IPv4, and this computer has only IPv6. */
  readonly lacksIPv4: boolean
  /** An IGD that another host told of, which is not used without `anyHost`. */
  readonly referral?: Referral | undefined
}

export interface Opened {
  /** Undefined if no answer will do. */
  readonly found: FoundGateway | undefined
  /** The devices that answered the search for an IGD, in the order of their answers. */
  readonly devices: readonly FoundDevice[]
  /** The best of them, whether it will do or not. Undefined if no description could be read. */
  readonly best: Candidate | undefined
  /** Why another description could not be read. The router's goes first. */
  readonly unreadable: unknown
  /** The router, if it speaks PCP or NAT-PMP, even if only an IGD will do. */
  readonly answered: PortControlAnswer | undefined
  /** Why it does not speak them. */
  readonly refusals: readonly PortControlRefusal[]
  /** Worth telling about the choice. */
  readonly remarks: readonly SearchRemark[]
  readonly searchedMs: number
  /** Undefined if a gateway was found, or if one was named, which needs no search. */
  readonly tried: Tried | undefined
  /** Asks whether the router speaks PCP and NAT-PMP too. In the order of preference. */
  readonly askOthers: () => Promise<readonly FoundPortControl[]>
}

/** @throws InvalidArgumentError for an interface that is not there; whatever the signal aborts with */
export async function openGateway(wishes: GatewayWishes, net: OpeningNet): Promise<Opened> {
  const places = placesToAsk(wishes, net)
  const { via } = wishes
  return via === 'pcp' || via === 'nat-pmp' ? openOver(via, wishes, net, places) : openAny(wishes, net, places)
}

async function openAny(wishes: GatewayWishes, net: OpeningNet, places: PlacesToAsk): Promise<Opened> {
  const { via, need, ignoreState, changes, searchMs, madeIn } = wishes
  const addressOf = async (answer: PortControlAnswer, signal: AbortSignal): Promise<string | undefined> => {
    try {
      return await answeredGateway(answer, wishes, { ...net, signal }).gateway.externalAddress()
    } catch (error) {
      if (error instanceof PortMappingError || signal.aborted) return undefined
      throw error
    }
  }
  const memory = rememberedRouters(net.files, net.clock)
  const asked = { need, ignoreState, changes, searchMs, madeIn: via === 'auto' ? madeIn : undefined }
  const searched = await searchRouter({
    net,
    places,
    memory,
    memoryOf: igdMemory(net),
    addressOf: via === 'auto' ? addressOf : undefined,
    ...asked,
  })
  const { choice, devices, examined, unreadable, routesOpened, referral, router, answered, refusals, remarks } =
    searched
  const found =
    choice === 'nobody'
      ? undefined
      : 'igd' in choice
        ? foundIgd(choice.igd, ignoreState)
        : answeredGateway(choice.answer, wishes, net)
  const interfaces = interfacesOf(places.routes, net.interfaces())
  const defaultGateways = defaultGatewaysIn(router)
  return {
    found,
    devices,
    best: examined[0],
    unreadable: unreadable[0],
    answered,
    refusals,
    remarks,
    searchedMs: Math.round(searched.searchedMs),
    tried:
      found === undefined
        ? { interfaces, routesOpened, defaultGateways, referral, lacksIPv4: lacksIPv4(wishes, net) }
        : undefined,
    askOthers: via === 'auto' ? () => askOthers(wishes, net, places) : noOthers,
  }
}

async function openOver(
  protocol: PortControlProtocol,
  wishes: GatewayWishes,
  net: OpeningNet,
  { endpoint, localAddress, router }: PlacesToAsk,
): Promise<Opened> {
  const { searchMs: timeoutMs = SEARCH_MS } = wishes
  const { onIdle: onSent, clock, signal } = net
  const startedMs = clock.monotonicMs()
  const endpoints = endpoint.then((one) => (one === undefined ? [] : [one]))
  const search = searchPortControl({ endpoints, localAddress, net, protocols: [protocol], timeoutMs, onSent })
  try {
    const answered = await search.first
    if (answered === undefined) await search.finished // a defect may be the reason; then it is thrown
    signal?.throwIfAborted()
    const found = answered && answeredGateway(answered, wishes, net)
    const defaultGateways = defaultGatewaysIn(await router)
    const tried = { interfaces: [], routesOpened: 0, defaultGateways, lacksIPv4: lacksIPv4(wishes, net) }
    return {
      ...NOTHING_HEARD,
      found,
      answered,
      refusals: search.refusals,
      searchedMs: Math.round(clock.monotonicMs() - startedMs),
      tried: found === undefined ? tried : undefined,
    }
  } finally {
    search.stop()
  }
}

function defaultGatewaysIn({ address, isAssumed = false }: RouterPlace): readonly string[] {
  return address === undefined || isAssumed ? [] : [address]
}

function lacksIPv4({ family = 4, forPinholes = false }: PlaceWishes, { interfaces }: OpeningNet): boolean {
  const ours = interfaces().filter(({ address, loopback }) => !loopback && !isLinkLocalIPv6(address))
  return family === 4 && !forPinholes && ours.length > 0 && ours.every(isIPv6Interface)
}

async function askOthers(
  wishes: GatewayWishes,
  net: OpeningNet,
  { endpoint, localAddress }: PlacesToAsk,
): Promise<readonly FoundPortControl[]> {
  const endpoints = endpoint.then((one) => (one === undefined ? [] : [one]))
  const protocols = ['pcp', 'nat-pmp'] as const
  const search = searchPortControl({ endpoints, localAddress, net, protocols, timeoutMs: PORT_CONTROL_MS })
  await search.finished
  return protocols.flatMap((protocol) => {
    const answer = search.best([protocol])
    return answer === undefined ? [] : [answeredGateway(answer, wishes, net)]
  })
}

const noOthers = (): Promise<readonly FoundPortControl[]> => Promise.resolve([])

const NOTHING_HEARD = {
  devices: [],
  best: undefined,
  unreadable: undefined,
  answered: undefined,
  refusals: [],
  remarks: [],
  searchedMs: 0,
  tried: undefined,
  askOthers: noOthers,
} as const

/**
 * The IGD whose description is at that URL, without asking whether it is connected. A link-local host needs its zone.
 * @throws InvalidArgumentError for an interface that is not there; whatever the signal aborts with
 */
export async function openNamedGateway({ url, zone }: ZonedUrl, wishes: PlaceWishes, net: OpeningNet): Promise<Opened> {
  const { http, signal, answerMs, onIdle } = net
  const localAddress = addressToAskFrom(wishes, url, net)
  try {
    const { describeGateway } = await import('./candidate.js')
    const memoryOf = igdMemory(net)
    const describing = describeGateway(url, { http, signal, answerMs, localAddress, memoryOf }, zone)
    onIdle?.()
    const described = await describing
    const kind = described.gateway === undefined ? 'not-an-igd' : 'connected'
    const best: Candidate = { ...described, kind, status: undefined, externalAddress: undefined }
    return { ...NOTHING_HEARD, best, found: foundIgd(best) }
  } catch (error) {
    if (!(error instanceof PortMappingError)) throw error
    signal?.throwIfAborted()
    return { ...NOTHING_HEARD, unreadable: error, found: undefined }
  }
}

function foundIgd(candidate: Candidate, ignoreState?: boolean): FoundIgd | undefined {
  if (candidate.gateway === undefined || !isUsable(candidate, ignoreState)) return undefined
  const { gateway, status, externalAddress } = candidate
  return { protocol: 'igd', gateway, until: gateway.until, status, externalAddress }
}

/** What this user has mapped at an IGD. */
export function igdMemory({ files, clock, computerName }: Pick<OpeningNet, 'files' | 'clock' | 'computerName'>) {
  return (address: string, udn: string): MappingMemory =>
    keptMappings(files, clock, { address, via: 'igd', identity: () => Promise.resolve(udn), computer: computerName })
}

function answeredGateway(
  answer: PortControlAnswer,
  { nonce }: GatewayWishes,
  { clock, datagrams, signal, files, interfaces, hardwareAddress, computerName, random = Math.random }: OpeningNet,
): FoundPortControl {
  const { protocol, endpoint, externalAddress } = answer
  const troubles: PortMappingError[] = []
  const options = {
    ...answer,
    net: { clock, datagrams, signal },
    memory: keptMappings(files, clock, {
      address: endpoint.address,
      via: protocol,
      identity: async () => (await hardwareAddress?.(endpoint.address)) ?? '',
      computer: computerName,
    }),
    nonces: nonce === undefined ? derivedNonces(files, (error) => troubles.push(error)) : fixedNonce(nonce),
    ownAddresses: () => interfaces().map(({ address }) => address),
    random,
  }
  const gateway = protocol === 'pcp' ? new PcpGateway(options) : new NatPmpGateway(options)
  return { protocol, gateway, until: (signal) => gateway.until(signal), externalAddress, troubles }
}
