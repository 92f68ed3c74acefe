/**
 * Finds the gateway that a command is for, and says which: what -u names, the best IGD, or a gateway that speaks PCP or
 * NAT-PMP. Which protocol goes first is the client's policy; here it is put into words.
 */

import type { PortControlAnswer } from '../../client/port-control/probe.js'
import type { Candidate } from '../../client/search/candidate.js'
import type { Discovery, DiscoveryOptions } from '../../client/search/discovery.js'
import { gatewayOf, type Opened, openGateway } from '../../client/search/open-gateway.js'
import { type IPv6SearchRoute, isIPv6Route, type SearchRoute, searchRoutes } from '../../client/search/routes.js'
import { isIPv6, onSameSubnet, splitZone } from '../../domain/address.js'
import { NoGatewayError, PortMappingError } from '../../domain/errors.js'
import { PORT_CONTROL_PORT, PROTOCOL_TITLES } from '../../domain/port-mapping.js'
import { parseZonedUrl, zonedUrlText } from '../../domain/url.js'
import type { Clock } from '../../net/clock.js'
import type { Endpoint } from '../../net/datagrams.js'
import { isIPv6Interface } from '../../net/interfaces.js'
import type { Chosen, ChosenPortControl, RunContext } from '../context.js'
import { reportedError } from '../failure.js'
import type { GatewayInvocation } from '../parse/invocation.js'
import type { Report } from '../report.js'

export type Finding = AsyncGenerator<Report, Chosen | ChosenPortControl | undefined, undefined>

const DESCRIPTION_TIMEOUT_MS = 5000
const SSDP_PORT = 1900

export async function* search(invocation: GatewayInvocation, context: RunContext): Finding {
  const { onlyRoute } = context
  const { discoveryTimeMs: searchMs, ignoreState } = invocation
  const { via, gateway } = invocation.portControl
  const routes = routesOf(invocation, context)
  const given = onlyRoute === undefined ? gateway : context.onlyEndpoint
  const known =
    onlyRoute !== undefined ? [] : given === undefined ? context.defaultGateways(4) : [splitZone(given.address).address]
  const defaultGateways = Promise.resolve(known)
  const opened = await openGateway({
    ...context,
    via,
    routes,
    defaultGateways,
    searchMs,
    ignoreState,
    igdOnly: invocation.facts.waitsForIgd,
    alsoKnown: onlyRoute === undefined && gateway === undefined ? devicesOfMiniSsdpd(invocation, context) : undefined,
    whileYielding: () => void loadPortControl(context.clock).catch(() => {}),
    portControl: {
      endpoints: endpointsOf(given, invocation, context, routes),
      localAddress: invocation.search.interface === undefined ? undefined : boundAddressOf(routes[0], invocation),
    },
  })
  if (opened.portControl !== undefined) return yield* choosePortControl(opened.portControl, invocation, context)
  const { discovery } = opened
  if (discovery === undefined || discovery.devices.length === 0) {
    yield nothingFound(opened, routes, context, await defaultGateways, invocation)
    return undefined
  }
  for (const device of discovery.devices) yield { type: 'device', ...device }
  return yield* choose(discovery.candidates[0], invocation, discovery.unreadable[0])
}

/** What comes after the wait, loaded during it; a failure shows again, with a reason, at the first use. */
export async function loadPortControl(clock: Clock): Promise<void> {
  const { rehearseMapping } = await import('../../client/port-control/first-answer.js')
  await rehearseMapping(clock)
}

/** Pinholes are opened over IPv6, and ports mapped over IPv4: many routers refuse what comes over the other one. */
function familyOf({ command: { name }, search }: GatewayInvocation): 4 | 6 {
  return ['map', 'unmap', 'unmap-ranges'].includes(name) ? 4 : search.family
}

/** Where an IGD is searched for. */
function routesOf(invocation: GatewayInvocation, { onlyRoute, interfaces }: RunContext): readonly SearchRoute[] {
  const { localPort, ttl, interface: named } = invocation.search
  const { gateway } = invocation.portControl
  if (onlyRoute !== undefined) return [onlyRoute]
  const routes = (): readonly SearchRoute[] =>
    searchRoutes(interfaces(), { family: familyOf(invocation), interface: named, localPort, ttl })
  if (gateway === undefined) return routes()
  const straight = straightTo(gateway.address)
  return [named === undefined ? straight : { ...straight, address: routes()[0]?.address ?? straight.address }]
}

/** --gateway: that one and nobody else. */
function straightTo(gateway: string): SearchRoute {
  const unicastTo = [{ address: gateway, port: SSDP_PORT }]
  const route = { address: '0.0.0.0', netmask: '255.255.255.255', multicast: false, unicastTo }
  const { address, zone } = splitZone(gateway)
  if (!isIPv6(address)) return route
  const overIPv6: IPv6SearchRoute = { ...route, address: '::', netmask: '', zone, prefixes: [] }
  return overIPv6
}

/** Who is asked for PCP and NAT-PMP: the default gateways, of the interface that is named with -m. */
async function endpointsOf(
  given: Endpoint | undefined,
  invocation: GatewayInvocation,
  context: RunContext,
  routes: readonly SearchRoute[],
): Promise<readonly Endpoint[]> {
  if (given !== undefined) return isForPinholes(invocation) && !isIPv6(splitZone(given.address).address) ? [] : [given]
  if (context.onlyRoute !== undefined) return []
  const gateways = await context.defaultGateways(isForPinholes(invocation) ? 6 : familyOf(invocation))
  const allowed = gateways.filter(
    (each) => invocation.search.interface === undefined || routes.some((route) => isReachedBy(route, each, context)),
  )
  return allowed.map((address) => ({ address, port: PORT_CONTROL_PORT }))
}

function isForPinholes({ command }: GatewayInvocation): boolean {
  return /pinhole/.test(command.name)
}

function isReachedBy(route: SearchRoute, gateway: string, { interfaces }: RunContext): boolean {
  const { address, zone } = splitZone(gateway)
  if (!isIPv6(address)) return onSameSubnet(route.address, route.netmask, address)
  const names = interfaces().filter((each) => isIPv6Interface(each) && each.zone === zone)
  const ours = isIPv6Route(route) ? route.zone : interfaces().find((each) => each.address === route.address)?.name
  return names.some((each) => each.name === ours || (isIPv6Interface(each) && each.zone === ours))
}

/** None for pinholes, which are asked for over IPv6, by whatever route an IGD is searched for. */
function boundAddressOf(route: SearchRoute | undefined, invocation: GatewayInvocation): string | undefined {
  return route === undefined || isIPv6Route(route) || isForPinholes(invocation) ? undefined : route.address
}

/** What the daemon has heard, where there is one: it is asked beside the search, not instead of it. */
function devicesOfMiniSsdpd({ search }: GatewayInvocation, context: RunContext): DiscoveryOptions['alsoKnown'] {
  return async () => {
    const { searchMiniSsdpd } = await import('../../client/search/minissdpd-search.js')
    const { createUnixStreams } = await import('../../net/unix-stream.js')
    const { clock, signal } = context
    return searchMiniSsdpd({ clock, signal, unixStreams: createUnixStreams(clock), path: search.minissdpdPath })
  }
}

function nothingFound(
  { discovery, refusals, answered, searchedMs }: Opened,
  routes: readonly SearchRoute[],
  { interfaces }: RunContext,
  defaultGateways: readonly string[],
  { portControl: { via } }: GatewayInvocation,
): Report {
  const names = routes.map((route) => {
    if (isIPv6Route(route)) return `${route.zone} (IPv6)`
    const name = interfaces().find((each) => each.address === route.address)?.name
    return name === undefined ? route.address : `${name} (${route.address})`
  })
  const what = via === 'auto' || via === 'igd' ? 'no UPnP device' : `no gateway that speaks ${PROTOCOL_TITLES[via]}`
  return {
    type: 'error',
    error: reportedError(new NoGatewayError(`${what} answered the search`)),
    searched: {
      via,
      searchedMs,
      interfaces: discovery === undefined ? [] : names,
      defaultGateways,
      portControl: refusals.map(({ protocol, endpoint, error }) => {
        return { via: protocol, gateway: endpoint.address, port: endpoint.port, error: reportedError(error) }
      }),
      answered: answered && { via: answered.protocol, gateway: answered.endpoint.address },
    },
  }
}

async function* choosePortControl(
  answer: PortControlAnswer,
  { portControl: { nonce } }: GatewayInvocation,
  context: RunContext,
): Finding {
  const { protocol: via, endpoint, epochSeconds, externalAddress } = answer
  yield { type: 'gateway', via, ...endpoint, epochSeconds }
  const { clock, datagrams, signal, files, interfaces } = context
  const { derivedNonces, fixedNonce, keptMappings } = await import('../../client/port-control/first-answer.js')
  const troubles: PortMappingError[] = []
  const gateway = await gatewayOf(answer, {
    net: { clock, datagrams, signal },
    memory: keptMappings(files, clock, `${via}-${endpoint.address}`),
    nonces: nonce === undefined ? derivedNonces(files, (error) => troubles.push(error)) : fixedNonce(nonce),
    ownAddresses: () => interfaces().map(({ address }) => address),
    random: Math.random,
  })
  return { gateway, externalAddress, troubles }
}

/** Says what was found and decides whether to go on with it (upnpc: only with -i if it is not connected). */
async function* choose(
  candidate: Candidate | undefined,
  invocation: GatewayInvocation,
  unreadable?: Discovery['unreadable'][number],
): Finding {
  if (candidate === undefined) {
    const nothing = new NoGatewayError('no device that answered could be asked for its description')
    yield { type: 'error', error: reportedError(unreadable?.error ?? nothing) }
    return undefined
  }
  const { gateway, kind: state, status, externalAddress } = candidate
  const good = state === 'connected' || state === 'reserved'
  const forced = !good && gateway !== undefined && invocation.ignoreState
  const { location, zone } = candidate
  const controlUrl = gateway?.controlUrl ?? zonedUrlText({ url: new URL('/', location), zone })
  yield { type: 'gateway', via: 'igd', state, controlUrl, externalAddress, used: good || forced, forced }
  if (gateway !== undefined && (good || forced)) return { gateway, status, externalAddress }
  const flaw =
    gateway === undefined ? 'it has no WAN connection service' : 'it is not connected; -i goes on all the same'
  yield { type: 'error', error: reportedError(new NoGatewayError(flaw)) }
  return undefined
}

/** -u: what the user named is taken without asking whether it is connected, but it must be an IGD. */
export async function* describeGiven(url: string, invocation: GatewayInvocation, context: RunContext): Finding {
  try {
    const { describeGateway } = await import('../../client/search/first-answer.js')
    const { url: location = new URL(url), zone } = parseZonedUrl(url) ?? {}
    const describing = describeGateway(location, { ...context, timeoutMs: DESCRIPTION_TIMEOUT_MS }, zone)
    context.whileWaiting()
    const described = await describing
    const kind = described.gateway === undefined ? 'not-an-igd' : 'connected'
    return yield* choose({ ...described, kind, status: undefined, externalAddress: undefined }, invocation)
  } catch (error) {
    if (!(error instanceof PortMappingError)) throw error
    context.signal.throwIfAborted()
    yield { type: 'error', error: reportedError(error) }
    return undefined
  }
}
