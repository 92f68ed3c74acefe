/** Opens the gateway to use: asks for it, and makes what has answered best into a Gateway, with all that was learnt on the way. */
import { PortMappingError } from '../../domain/errors.js'
import type { ConnectionStatus, IgdGateway, PortControlGateway } from '../../domain/gateway.js'
import type { ZonedUrl } from '../../domain/url.js'
import { keptMappings } from '../port-control/mapping-memory.js'
import { derivedNonces, fixedNonce } from '../port-control/mapping-nonce.js'
import { NatPmpGateway } from '../port-control/natpmp-gateway.js'
import { PcpGateway } from '../port-control/pcp-gateway.js'
import type { PortControlAnswer, PortControlProtocol } from '../port-control/probe.js'
import { type Candidate, describeGateway } from './candidate.js'
import { type FoundDevice, isUsable } from './discovery.js'
import { interfacesOf, placesToAsk } from './where-to-ask.js'
import { type Answers, askGateways, type GatewayWishes, type OpeningNet } from './which-protocol.js'

export type { GatewayWishes, OpeningNet, Via } from './which-protocol.js'

/** For the description of an IGD that was named. */
const NAMED_DESCRIPTION_TIMEOUT_MS = 5000

export interface FoundIgd {
  readonly protocol: 'igd'
  readonly gateway: IgdGateway
  /** What was learnt on the way, so that nobody has to ask again. */
  readonly status: ConnectionStatus | undefined
  readonly externalAddress: string | undefined
}

export interface FoundPortControl {
  readonly protocol: PortControlProtocol
  readonly gateway: PortControlGateway
  readonly externalAddress: string | undefined
  /** What goes wrong beside what it is asked; filled while it is used. */
  readonly troubles: readonly PortMappingError[]
}

export type FoundGateway = FoundIgd | FoundPortControl

/** Where it was searched in vain. */
export interface Tried {
  /** On which an IGD was searched for. */
  readonly interfaces: ReturnType<typeof interfacesOf>
  /** On how many of them a search could be sent. */
  readonly routesOpened: number
  readonly defaultGateways: readonly string[]
}

export interface Opened extends Omit<Answers, 'discovery'> {
  /** Undefined if nothing that was heard will do. */
  readonly found: FoundGateway | undefined
  /** What answered the search for an IGD, in the order in which it was heard. */
  readonly devices: readonly FoundDevice[]
  /** The best of them, whether it will do or not; undefined if no description could be had. */
  readonly best: Candidate | undefined
  /** Why another description could not be had; the default gateway's goes first. */
  readonly unreadable: unknown
  /** Undefined if a gateway was found, and if one was named: then nothing is searched. */
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
 * The IGD whose description is at that URL: it is taken without asking whether it is connected. A link-local host needs
 * its zone. @throws whatever the signal aborts with
 */
export async function openNamedGateway({ url, zone }: ZonedUrl, net: OpeningNet): Promise<Opened> {
  const { http, signal, onIdle } = net
  const heard = { devices: [], answered: undefined, refusals: [], searchedMs: 0, tried: undefined }
  try {
    const describing = describeGateway(url, { http, signal, timeoutMs: NAMED_DESCRIPTION_TIMEOUT_MS }, zone)
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

/** An IGD as what to go on with, if it will do. */
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
