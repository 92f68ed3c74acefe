/** For the library: one call that finds the gateway to use, with Node's own network under it. */
import { InvalidArgumentError, NoGatewayError } from '../domain/errors.js'
import type { IgdGateway } from '../domain/gateway.js'
import { type ClientNet, nodeNet } from '../net/network.js'
import { describeGateway } from './candidate.js'
import { discover } from './discovery.js'
import { searchRoutes } from './ssdp-search.js'
import { parseZonedUrl, type ZonedUrl } from './trusted-url.js'

export interface FindGatewayOptions {
  /**
   * The URL of the root description: no search is made. Its host is trusted, and may be a name. A link-local IPv6 host
   * needs its zone, as in `http://[fe80::1%25eth0]:5000/`.
   */
  readonly url?: string
  readonly signal?: AbortSignal
}

const DESCRIPTION_TIMEOUT_MS = 5000

/**
 * The IGD to use: connected, and the default gateway where several are. Ends with the first good answer, at the latest
 * after 4 s of searching. The signal also ends what the gateway is asked later.
 * @throws NoGatewayError; with `url` also InvalidArgumentError, TransportError, NoReplyError and MalformedMessageError
 */
export async function findGateway(options: FindGatewayOptions = {}, net: ClientNet = nodeNet()): Promise<IgdGateway> {
  const { url, signal } = options
  if (url !== undefined) {
    const context = { http: net.http, signal, timeoutMs: DESCRIPTION_TIMEOUT_MS }
    const named = descriptionUrl(url)
    const { gateway } = await describeGateway(named.url, context, named.zone)
    if (gateway === undefined) throw new NoGatewayError(`the device at ${url} has no WAN connection service`)
    return gateway
  }
  const routes = searchRoutes(net.interfaces())
  const found = await discover({ ...net, routes, defaultGateways: net.defaultGateways(), signal })
  const best = found.candidates[0]
  if (best?.gateway === undefined) {
    throw new NoGatewayError(
      `no IGD answered within ${Math.round(found.searchedMs)} ms on ${found.routesOpened} interfaces`,
    )
  }
  if (best.kind === 'disconnected') throw new NoGatewayError(`the IGD at ${best.location} is not connected`)
  return best.gateway
}

function descriptionUrl(text: string): ZonedUrl {
  const zoned = parseZonedUrl(text)
  const url = zoned?.url
  if (url?.protocol === 'http:' && url.port !== '0' && url.username === '' && url.password === '')
    return { url, zone: zoned?.zone ?? '' }
  throw new InvalidArgumentError('url is not the http:// URL of a description, without user name and password')
}
