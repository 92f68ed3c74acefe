/**
 * Which device is the router: the best default gateway of the interface by which this computer's traffic leaves, or the
 * one that was named. Only its address is found here. What it speaks, the search finds out.
 */
import { isIPv6, onSameSubnet, splitZone } from '../../domain/address.js'
import { TransportError } from '../../domain/errors.js'
import type { Endpoint } from '../../net/datagrams.js'
import { type InterfaceAddress, isIPv6Interface } from '../../net/interfaces.js'
import type { ClientNet } from '../../net/network.js'
import { isIPv6Route, type SearchRoute } from './routes.js'

export interface RouterPlace {
  /** Undefined if no router is known. A link-local address has its zone. */
  readonly address: string | undefined
  /** It was named, and nobody else is asked: whoever answers from there is the router. */
  readonly isNamed: boolean
  /** This computer has no default gateway: it is the router that was used before. */
  readonly isAssumed?: boolean
  /** The interface that programs here send through, if the router is not behind it: a VPN is up. */
  readonly tunnel: string | undefined
}

/** Any address of the internet will do, because nothing is sent there: a root server of the DNS. */
const SOMEWHERE: Readonly<Record<4 | 6, Endpoint>> = {
  4: { address: '198.41.0.4', port: 53 },
  6: { address: '2001:503:ba3e::2:30', port: 53 },
}

/** `onlyBy`: the routes of the one interface that was named. */
export async function whichRouter(
  family: 4 | 6,
  { defaultGateways, interfaces, datagrams }: Pick<ClientNet, 'defaultGateways' | 'interfaces' | 'datagrams'>,
  onlyBy?: readonly SearchRoute[],
): Promise<RouterPlace> {
  const gateways = await defaultGateways(family).catch(() => []) // the search works without them
  const addresses = interfaces()
  const place = { isNamed: false, tunnel: undefined }
  if (onlyBy !== undefined) {
    const isAllowed = (gateway: string): boolean => onlyBy.some((route) => isReachedBy(route, gateway, addresses))
    return { ...place, address: gateways.find(isAllowed) }
  }
  const [best] = gateways
  const outward = best === undefined ? undefined : await outwardInterface(family, datagrams, addresses)
  if (outward === undefined) return { ...place, address: best }
  const behind = gateways.map((gateway) => ({ gateway, names: interfacesTo(gateway, addresses) }))
  // A gateway that is on no subnet is reached by a route to itself, which leaves by the same interface.
  const own = behind.find(({ names }) => names.length === 0 || names.includes(outward))
  return own === undefined ? { ...place, address: best, tunnel: outward } : { ...place, address: own.gateway }
}

/** The name of the interface by which packets to the internet leave. Undefined if nobody can say. */
async function outwardInterface(
  family: 4 | 6,
  datagrams: ClientNet['datagrams'],
  interfaces: readonly InterfaceAddress[],
): Promise<string | undefined> {
  const ofFamily = interfaces.filter((each) => !each.loopback && isIPv6Interface(each) === (family === 6))
  if (new Set(ofFamily.map(({ name }) => name)).size <= 1) return ofFamily[0]?.name
  try {
    const socket = await datagrams.connect({ remote: SOMEWHERE[family], onMessage() {}, onError() {} })
    const { address } = splitZone(socket.local.address)
    socket.close()
    return ofFamily.find((each) => each.address === address)?.name
  } catch (error) {
    if (error instanceof TransportError) return undefined
    throw error
  }
}

/** The interfaces whose link the gateway is on. */
function interfacesTo(gateway: string, interfaces: readonly InterfaceAddress[]): readonly string[] {
  const { address, zone } = splitZone(gateway)
  const isOn = (each: InterfaceAddress): boolean => {
    if (isIPv6(address)) return isIPv6Interface(each) && each.zone === zone
    return !isIPv6Interface(each) && onSameSubnet(each.address, each.netmask, address)
  }
  return interfaces.filter(isOn).map(({ name }) => name)
}

/** Whether packets to the gateway leave by that route. */
export function isReachedBy(route: SearchRoute, gateway: string, interfaces: readonly InterfaceAddress[]): boolean {
  const { address, zone } = splitZone(gateway)
  if (!isIPv6(address)) return onSameSubnet(route.address, route.netmask, address)
  const ours = isIPv6Route(route) ? route.zone : interfaces.find((each) => each.address === route.address)?.name
  return interfaces.some(
    (each) => isIPv6Interface(each) && each.zone === zone && (each.name === ours || each.zone === ours),
  )
}
