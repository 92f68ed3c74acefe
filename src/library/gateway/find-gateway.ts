/** Finds the gateway to use, of any protocol: the way into the library for a program that asks it itself. */
import { InvalidArgumentError } from '../../domain/errors.js'
import { checkOptions } from '../../domain/option-check.js'
import { FIND_GATEWAY } from '../options.js'
import { searchGateway } from '../search-gateway.js'
import { askedGateway } from './asked-gateway.js'
import { within } from './call-limit.js'
import type { FindGatewayOptions } from './find-gateway-options.js'
import type { Gateway, IgdGateway, PortControlGateway } from './gateway.js'
import { netOf, wishesOf } from './search-wishes.js'
import { whyNot } from './why-not.js'

/**
 * Finds the gateway to use: the router, the default gateway of the interface by which this computer's traffic leaves.
 * Somebody else's IGD is found only if the router has not answered for 4 s, and an IGD that is not connected only with
 * `ignoreState`. `signal` and `timeoutMs` bound the search, and nothing that the gateway is asked later.
 *
 * @example
 * const gateway = await findGateway({ timeoutMs: 5000 })
 * console.log(await gateway.externalAddress())
 *
 * @throws NoGatewayError with what was asked and what came, if nobody will do; NoReplyError after `timeoutMs`;
 * InvalidArgumentError; with `url` also TransportError and MalformedMessageError
 */
export function findGateway(options: FindGatewayOptions & { readonly via: 'igd' }): Promise<IgdGateway>
export function findGateway(
  options: FindGatewayOptions & { readonly via: 'pcp' | 'nat-pmp' },
): Promise<PortControlGateway>
export function findGateway(options?: FindGatewayOptions): Promise<Gateway>
export async function findGateway(options: FindGatewayOptions = {}): Promise<Gateway> {
  checkOptions(options, FIND_GATEWAY, 'findGateway')
  const { ignoreState, anyHost, family = 4 } = options
  if (family === 6 && options.via === 'nat-pmp')
    throw new InvalidArgumentError("via 'nat-pmp' opens no IPv6: leave via out, or take 'igd' or 'pcp'")
  const wishes = { ...wishesOf(options), ignoreState, anyHost, family, forPinholes: family === 6 }
  const net = netOf(options)
  const opened = await within(net.clock, options, 'no gateway was found', (signal) =>
    searchGateway(wishes, { ...net, signal }),
  )
  if (opened.found === undefined) throw whyNot(opened, options)
  return askedGateway(opened.found, { opened, where: options, net })
}
