/** The library's one call: finds the gateway to use, of any protocol, on Node's own network. */
import type { Via } from '../client/search/open-gateway.js'
import { InvalidArgumentError } from '../domain/errors.js'
import type { Gateway, IgdGateway } from '../domain/gateway.js'
import type { Endpoint } from '../net/datagrams.js'
import { type PrivateFiles, userPrivateFiles } from '../net/files/private-files.js'
import { type ClientNet, nodeNet } from '../net/network.js'
import { whyNot } from './gateway/why-not.js'
import { searchGateway } from './search-gateway.js'

export interface FindGatewayOptions {
  /**
   * The URL of an IGD's root description. No search is made. Its host is trusted, and may be a name. A link-local IPv6
   * host needs its zone, as in `http://[fe80::1%25eth0]:5000/`.
   */
  readonly url?: string | undefined
  /**
   * The default 'igd' is UPnP. 'pcp' and 'nat-pmp' ask in that protocol only. 'auto' asks in all three at the same
   * moment, and prefers the router's IGD, then its PCP, then its NAT-PMP. The same router gets the same protocol every
   * time: one without UPnP is found after 1.6 s.
   */
  readonly via?: Via | undefined
  /**
   * An IGD is used only if it tells of itself, or if it is the default gateway. With `anyHost` another host of its subnet
   * may tell of it, as some do that share a floating address.
   */
  readonly anyHost?: boolean | undefined
  /** The host to ask over PCP and NAT-PMP. The default is the router, the default gateway of the way out, at port 5351. */
  readonly portControl?: Endpoint | undefined
  /** Where to store the key of PCP's nonces, and what is remembered of routers and mappings. The default is the user's state directory. */
  readonly files?: PrivateFiles | undefined
  /** Ends the search, and all later requests to the gateway. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Finds the gateway to use: the router, the default gateway of the interface by which this computer's traffic leaves. It
 * is an IGD unless `via` says otherwise. Somebody else's IGD is found only if the router has not answered for 4 s. Each
 * request to an IGD ends after 30 s, or after 10 s of silence (20 s if it changes something).
 *
 * @example
 * const gateway = await findGateway({ via: 'auto' })
 * console.log(await gateway.externalAddress())
 *
 * @throws NoGatewayError; with `url` also InvalidArgumentError, TransportError, NoReplyError and MalformedMessageError
 */
export function findGateway(
  options?: FindGatewayOptions & { readonly via?: 'igd' | undefined },
  net?: ClientNet,
): Promise<IgdGateway>
export function findGateway(options: FindGatewayOptions, net?: ClientNet): Promise<Gateway>
export async function findGateway(options: FindGatewayOptions = {}, net: ClientNet = nodeNet()): Promise<Gateway> {
  const { url, signal, via = 'igd', portControl, anyHost, files = userPrivateFiles } = options
  if (url !== undefined && (via === 'pcp' || via === 'nat-pmp'))
    throw new InvalidArgumentError(`url names an IGD, and via is ${via}: leave one out`)
  const wishes = { url, via, anyHost, changes: true, onlyEndpoint: portControl, minissdpdPath: '' }
  const opened = await searchGateway(wishes, { ...net, files, signal })
  if (opened.found === undefined) throw whyNot(opened, options)
  return opened.found.gateway
}
