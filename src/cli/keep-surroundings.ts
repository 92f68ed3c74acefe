/** What --keep runs in, beside what every command does. */
import { listenToAnnouncements } from '../client/announcements.js'
import { subscribeToEvents } from '../client/event-subscription.js'
import { parseZonedUrl } from '../client/trusted-url.js'
import type { Gateway } from '../domain/gateway.js'
import { runInShell, startCommand } from '../net/child-process.js'
import { nodeHttpServers } from '../net/http-server.js'
import { notifyServiceManager } from '../net/service-manager.js'
import type { KeepContext } from './keep-run.js'
import type { Surroundings } from './main.js'

const HOOK_TIMEOUT_MS = 60_000

export function keepSurroundings(surroundings: Surroundings): Omit<KeepContext, 'whileWaiting'> {
  const { env } = surroundings
  return {
    ...surroundings,
    startCommand,
    runHook: (command, variables) => runInShell(command, variables, { timeoutMs: HOOK_TIMEOUT_MS }),
    notifyServiceManager: (message) => notifyServiceManager(message, env),
    listen: (gateway, onSuspicion) => listen(surroundings, gateway, onSuspicion),
  }
}

/** To everything by which a gateway may tell of a change: multicast, and the events of an IGD that has them. */
function listen(surroundings: Surroundings, gateway: Gateway, onSuspicion: () => void): () => void {
  const { clock, datagrams, interfaces, onlyRoute } = surroundings
  const addresses = addressesOf(gateway)
  let stopAnnouncements = (): void => {}
  let isOver = false
  // A router announces itself over IPv6 from its link-local address, whatever it is asked at; and some over IPv4 only.
  const others = onlyRoute === undefined ? otherAddresses(surroundings, addresses) : Promise.resolve([])
  others
    .catch(() => [])
    .then((more) => {
      if (isOver) return
      const about = {
        gatewayAddresses: [...addresses, ...more],
        interfaces: interfaces(),
        localAddress: gateway.localAddress,
      }
      stopAnnouncements = listenToAnnouncements({ clock, datagrams }, about, onSuspicion)
    })
  const stopEvents = subscribe(surroundings, gateway, addresses[0], onSuspicion)
  return () => {
    isOver = true
    stopAnnouncements()
    stopEvents()
  }
}

async function otherAddresses(
  { defaultGateways }: Pick<Surroundings, 'defaultGateways'>,
  addresses: readonly string[],
): Promise<readonly string[]> {
  const families = addresses.some((address) => address.includes(':')) ? ([4, 6] as const) : ([6] as const)
  return (await Promise.all(families.map(defaultGateways))).flat()
}

function subscribe(
  { http, clock }: Surroundings,
  gateway: Gateway,
  gatewayAddress: string | undefined,
  onEvent: () => void,
): () => void {
  const eventUrl =
    'eventUrl' in gateway && typeof gateway.eventUrl === 'string' ? parseZonedUrl(gateway.eventUrl) : undefined
  if (eventUrl === undefined || gatewayAddress === undefined) return () => {}
  const { url, zone } = eventUrl
  const secret = (): string =>
    Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16)).join('')
  const { localAddress } = gateway
  const asked = {
    http,
    httpServers: nodeHttpServers,
    clock,
    secret,
    eventUrl: url,
    zone,
    localAddress,
    gatewayAddress,
    onEvent,
  }
  const stop = subscribeToEvents(asked)
  return () => void stop()
}

function addressesOf(gateway: Gateway): string[] {
  if ('address' in gateway && typeof gateway.address === 'string') return [gateway.address]
  const control =
    'controlUrl' in gateway && typeof gateway.controlUrl === 'string' ? parseZonedUrl(gateway.controlUrl) : undefined
  if (control === undefined) return []
  const host = control.url.hostname.replace(/^\[|\]$/g, '')
  return [control.zone === '' ? host : `${host}%${control.zone}`]
}
