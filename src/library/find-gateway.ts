/** For the library: one call that finds the gateway to use, of any protocol, with Node's own network under it. */

import { keptMappings } from '../client/port-control/mapping-memory.js'
import { derivedNonces } from '../client/port-control/mapping-nonce.js'
import type { PortControlAnswer } from '../client/port-control/probe.js'
import { describeGateway } from '../client/search/candidate.js'
import { gatewayOf, openGateway, type Via } from '../client/search/open-gateway.js'
import { searchRoutes } from '../client/search/ssdp-search.js'
import { InvalidArgumentError, NoGatewayError } from '../domain/errors.js'
import type { Gateway, IgdGateway } from '../domain/gateway.js'
import { PORT_CONTROL_PORT } from '../domain/port-mapping.js'
import { parseZonedUrl, type ZonedUrl } from '../domain/url.js'
import type { Endpoint } from '../net/datagrams.js'
import { type PrivateFiles, userPrivateFiles } from '../net/files/private-files.js'
import { type ClientNet, nodeNet } from '../net/network.js'

export interface FindGatewayOptions {
  /**
   * The URL of the root description: no search is made. Its host is trusted, and may be a name. A link-local IPv6 host
   * needs its zone, as in `http://[fe80::1%25eth0]:5000/`.
   */
  readonly url?: string | undefined
  /**
   * 'igd', the default, is UPnP. 'auto' asks in all three protocols at the same moment: an IGD goes first, then PCP, then
   * NAT-PMP.
   */
  readonly via?: Via | undefined
  /** Whom to ask for PCP and NAT-PMP instead of the default gateways. */
  readonly portControl?: Endpoint | undefined
  /** Where the key of PCP's nonces is kept; the user's state directory if not given. */
  readonly files?: PrivateFiles | undefined
  readonly signal?: AbortSignal | undefined
}

const DESCRIPTION_TIMEOUT_MS = 5000

/**
 * The gateway to use; an IGD unless `via` says otherwise: connected, and the default gateway where several are. Ends with the first good answer, at the latest
 * after 4 s of searching. The signal also ends what the gateway is asked later.
 * @throws NoGatewayError; with `url` also InvalidArgumentError, TransportError, NoReplyError and MalformedMessageError
 */
export function findGateway(
  options?: FindGatewayOptions & { readonly via?: 'igd' | undefined },
  net?: ClientNet,
): Promise<IgdGateway>
export function findGateway(options: FindGatewayOptions, net?: ClientNet): Promise<Gateway>
export async function findGateway(options: FindGatewayOptions = {}, net: ClientNet = nodeNet()): Promise<Gateway> {
  const { url, signal, via = 'igd' } = options
  if (url !== undefined) {
    if (via === 'pcp' || via === 'nat-pmp')
      throw new InvalidArgumentError(`url names an IGD, and via is ${via}: leave one out`)
    const context = { http: net.http, signal, timeoutMs: DESCRIPTION_TIMEOUT_MS }
    const named = descriptionUrl(url)
    const { gateway } = await describeGateway(named.url, context, named.zone)
    if (gateway === undefined) throw new NoGatewayError(`the device at ${url} has no WAN connection service`)
    return gateway
  }
  const defaultGateways = net.defaultGateways(4).catch(() => []) // knowing them only makes the search better
  const toEndpoints = (all: readonly string[]) => all.map((address) => ({ address, port: PORT_CONTROL_PORT }))
  const { portControl } = options
  const endpoints = portControl === undefined ? defaultGateways.then(toEndpoints) : Promise.resolve([portControl])
  const routes = searchRoutes(net.interfaces())
  const common = { igdOnly: false, ignoreState: false, portControl: { endpoints } }
  const opened = await openGateway({ ...net, ...common, via, routes, defaultGateways, signal })
  if (opened.portControl !== undefined) return portControlGateway(opened.portControl, options, net)
  const best = opened.discovery?.candidates[0]
  if (best?.gateway === undefined) {
    const searched = `within ${Math.round(opened.searchedMs)} ms on ${opened.discovery?.routesOpened ?? 0} interfaces`
    if (via === 'igd') throw new NoGatewayError(`no IGD answered ${searched}`)
    const refusals = opened.refusals.map(({ error }) => error.message)
    throw new NoGatewayError([`no gateway answered ${searched}`, ...new Set(refusals)].join('; '))
  }
  if (best.kind === 'disconnected') throw new NoGatewayError(`the IGD at ${best.location} is not connected`)
  return best.gateway
}

async function portControlGateway(
  answer: PortControlAnswer,
  { files = userPrivateFiles, signal }: FindGatewayOptions,
  { clock, datagrams, interfaces }: ClientNet,
): Promise<Gateway> {
  return gatewayOf(answer, {
    net: { clock, datagrams, signal },
    memory: keptMappings(files, clock, `${answer.protocol}-${answer.endpoint.address}`),
    nonces: derivedNonces(files),
    ownAddresses: () => interfaces().map(({ address }) => address),
    random: Math.random,
  })
}

function descriptionUrl(text: string): ZonedUrl {
  const zoned = parseZonedUrl(text)
  const url = zoned?.url
  if (url?.protocol === 'http:' && url.port !== '0' && url.username === '' && url.password === '')
    return { url, zone: zoned?.zone ?? '' }
  throw new InvalidArgumentError('url is not the http:// URL of a description, without user name and password')
}
