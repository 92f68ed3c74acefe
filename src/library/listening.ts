/** Listens to a gateway while ports are kept open: to its multicast announcements, and to the events of an IGD. */
import { listenToAnnouncements } from '../client/listen/announcements.js'
import { EventSubscription } from '../client/listen/event-subscription.js'
import { parseIPv4 } from '../domain/address.js'
import type { Gateway } from '../domain/gateway.js'
import { ignore } from '../domain/ignored.js'
import { parseZonedUrl } from '../domain/url.js'
import type { GatewayNews } from '../keeper/keeper.js'
import { OncePer, SECOND_MS } from '../net/clock.js'
import type { HttpServers } from '../net/http/server.js'
import type { InterfaceAddress, InterfaceWatch } from '../net/interfaces.js'
import type { ClientNet } from '../net/network.js'

export interface ListeningNet extends Pick<ClientNet, 'clock' | 'datagrams' | 'http' | 'defaultGateways'> {
  readonly httpServers: HttpServers
  readonly watch: InterfaceWatch
  /** Whether the gateway can be reached only as given. Then its other addresses are not looked for. */
  readonly isOnlyRoute: boolean
  /** Called for every event of an IGD, whatever it tells. `isOfTable`: that the table of mappings has changed. */
  readonly onEvent?: (isOfTable: boolean) => void
}

/** WANIPConnection:2 2.3.18, in lower case. */
const TABLE_VARIABLE = 'portmappingnumberofentries'

/** Listens until the returned function is called. */
export function listenToGateway(
  net: ListeningNet,
  gateway: Gateway,
  onNews: (news: GatewayNews, onTrue?: () => void) => void,
): () => void {
  const { clock, datagrams, watch } = net
  const { localAddress, address } = gateway
  const addresses = address === undefined ? [] : [address]
  const news = new OncePer(clock, SECOND_MS, () => onNews('event'))
  const events = subscribe(net, gateway, () => news.tell())
  const hear = (): void => {
    onNews('announcement', () => events?.renewNow())
    events?.renew() // a router that has restarted has forgotten the subscription
  }
  let stopAnnouncements = (): void => {}
  let joins = 0
  const join = (): void => void rejoin().catch((error: unknown) => ignore('device', address ?? '', error))
  const rejoin = async (): Promise<void> => {
    const join = ++joins
    const others = net.isOnlyRoute ? [] : await otherAddresses(net, addresses).catch(() => [])
    if (join !== joins) return // the listening is over, or there is a newer call
    stopAnnouncements()
    const about = { gatewayAddresses: [...addresses, ...others], interfaces: watch.look(), localAddress }
    stopAnnouncements = listenToAnnouncements({ clock, datagrams }, about, hear)
  }
  let link = linkText(watch.look(), localAddress)
  // IPv6 often comes up later than IPv4, and a group can be joined only on an address that is there.
  const stopWatching = watch.onChange(() => {
    const before = link
    link = linkText(watch.look(), localAddress)
    if (link !== before) join()
  })
  join()
  return () => {
    joins++
    stopWatching()
    stopAnnouncements()
    events?.stop()
    news.cancel()
  }
}

/** The addresses of the interface that leads to the gateway. Others come and go with every container. */
function linkText(interfaces: readonly InterfaceAddress[], localAddress: string): string {
  const local = localAddress.split('%', 1)[0]
  const own = interfaces.find(({ address }) => address === local)
  return interfaces
    .filter(({ name }) => name === own?.name)
    .map(({ address }) => address)
    .toSorted()
    .join()
}

/** Over IPv6 a router announces itself from its link-local address. Some announce themselves over IPv4 only. */
async function otherAddresses(
  { defaultGateways }: ListeningNet,
  addresses: readonly string[],
): Promise<readonly string[]> {
  const isKnownByIPv4 = addresses.some((address) => parseIPv4(address) !== undefined)
  const families = isKnownByIPv4 ? ([6] as const) : ([4, 6] as const)
  return (await Promise.all(families.map((family) => defaultGateways(family)))).flat()
}

function subscribe({ http, httpServers, clock, onEvent }: ListeningNet, gateway: Gateway, onSuspicion: () => void) {
  const eventUrl = gateway.protocol === 'igd' ? gateway.eventUrl : undefined
  const event = eventUrl === undefined ? undefined : parseZonedUrl(eventUrl)
  if (event === undefined || gateway.address === undefined) return undefined
  return new EventSubscription({
    http,
    httpServers,
    clock,
    secret: () => crypto.randomUUID().replaceAll('-', ''),
    eventUrl: event.url,
    zone: event.zone,
    localAddress: gateway.localAddress,
    gatewayAddress: gateway.address,
    onSuspicion,
    onEvent: (names) => onEvent?.(names.some((name) => name.toLowerCase() === TABLE_VARIABLE)),
  })
}
