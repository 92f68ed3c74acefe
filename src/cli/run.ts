/**
 * A GatewayInvocation -> Reports, in the order in which upnpc prints, and the exit code. It finds the gateway, says
 * which, and hands over to the command. It knows gateways and discovery, and nothing of what is under them.
 */
import type { Candidate } from '../client/candidate.js'
import { type Discovery, type DiscoveryOptions, discover } from '../client/discovery.js'
import { isIPv6Route, type SearchRoute, searchRoutes } from '../client/search-routes.js'
import { parseZonedUrl, zonedUrlText } from '../client/trusted-url.js'
import { NoGatewayError, PortMappingError } from '../domain/errors.js'
import type { IgdGateway } from '../domain/gateway.js'
import type { InterfaceAddress } from '../net/interfaces.js'
import type { ClientNet } from '../net/network.js'
import { reportedError } from './failure.js'
import type { GatewayInvocation } from './invocation.js'
import type { ExitCode, Report } from './report.js'

/** What a command is run with; tests bring their own. */
export interface RunContext extends ClientNet {
  readonly signal: AbortSignal
  /** Search there and nowhere else: for the emulated gateway. */
  readonly onlyRoute?: SearchRoute | undefined
  /** Called when the searches are on their way: the moment for what need not come before them. */
  readonly whileWaiting: () => void
}

/** What is known about the chosen gateway, beside the gateway itself. */
export interface Chosen extends Pick<Candidate, 'status' | 'externalAddress'> {
  readonly gateway: IgdGateway
}

const DESCRIPTION_TIMEOUT_MS = 5000

export async function* run(
  invocation: GatewayInvocation,
  context: RunContext,
): AsyncGenerator<Report, ExitCode, undefined> {
  const { url } = invocation
  if (wantsIPv6(invocation)) yield { type: 'pinhole-advice' }
  const find = url === undefined ? search(invocation, context) : describeGiven(url, invocation, context)
  const chosen = yield* find
  if (chosen === undefined) return 1
  yield { type: 'local-address', address: chosen.gateway.localAddress }
  const { runCommand } = await import('./run-command.js') // not needed before the search is on its way
  return yield* runCommand(invocation, chosen, context)
}

/** The commands about single pinholes want the router to be asked over IPv6. */
function wantsIPv6({ command: { name }, search: { family } }: GatewayInvocation): boolean {
  return family === 4 && (/pinhole/.test(name) || name === 'outbound-timeout')
}

type Finding = AsyncGenerator<Report, Chosen | undefined, undefined>

async function* search(invocation: GatewayInvocation, context: RunContext): Finding {
  const interfaces = context.interfaces()
  const { localPort, ttl, interface: named, minissdpdPath } = invocation.search
  const isOfIPv4 = ['map', 'unmap', 'unmap-ranges'].includes(invocation.command.name)
  const family = isOfIPv4 ? 4 : invocation.search.family // many routers refuse IPv4 mappings that are asked for over IPv6
  const { onlyRoute } = context
  const routes =
    onlyRoute === undefined ? searchRoutes(interfaces, { family, interface: named, localPort, ttl }) : [onlyRoute]
  const gateways = onlyRoute === undefined ? context.defaultGateways() : Promise.resolve([])
  const alsoKnown = onlyRoute === undefined ? devicesOfMiniSsdpd(minissdpdPath, context) : undefined
  const { discoveryTimeMs: searchMs } = invocation
  const found = await discover({ ...context, routes, defaultGateways: gateways, searchMs, alsoKnown })
  if (found.devices.length === 0) {
    yield nothingFound(found, routes, interfaces, await gateways)
    return undefined
  }
  for (const device of found.devices) yield { type: 'device', ...device }
  return yield* choose(found.candidates[0], invocation, found.unreadable[0])
}

/** What the daemon has heard, where there is one: it is asked beside the search, not instead of it. */
function devicesOfMiniSsdpd(path: string | undefined, context: RunContext): DiscoveryOptions['alsoKnown'] {
  return async () => {
    const { searchMiniSsdpd } = await import('../client/minissdpd-search.js')
    const { createUnixStreams } = await import('../net/unix-stream.js')
    const { clock, signal } = context
    return searchMiniSsdpd({ clock, signal, unixStreams: createUnixStreams(clock), path })
  }
}

function nothingFound(
  found: Discovery,
  routes: readonly SearchRoute[],
  interfaces: readonly InterfaceAddress[],
  gateways: readonly string[],
): Report {
  const names = routes.map((route) => {
    if (isIPv6Route(route)) return `${route.zone} (IPv6)`
    const name = interfaces.find((each) => each.address === route.address)?.name
    return name === undefined ? route.address : `${name} (${route.address})`
  })
  return {
    type: 'error',
    error: reportedError(new NoGatewayError('no UPnP device answered the search')),
    searched: { searchedMs: found.searchedMs, interfaces: names, defaultGateways: gateways },
  }
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
  yield { type: 'gateway', state, controlUrl, externalAddress, used: good || forced, forced }
  if (gateway !== undefined && (good || forced)) return { gateway, status, externalAddress }
  const flaw =
    gateway === undefined ? 'it has no WAN connection service' : 'it is not connected; -i goes on all the same'
  yield { type: 'error', error: reportedError(new NoGatewayError(flaw)) }
  return undefined
}

/** -u: what the user named is taken without asking whether it is connected, but it must be an IGD. */
async function* describeGiven(url: string, invocation: GatewayInvocation, context: RunContext): Finding {
  try {
    const { describeGateway } = await import('../client/candidate.js')
    const { url: location = new URL(url), zone } = parseZonedUrl(url) ?? {}
    const described = await describeGateway(location, { ...context, timeoutMs: DESCRIPTION_TIMEOUT_MS }, zone)
    const kind = described.gateway === undefined ? 'not-an-igd' : 'connected'
    return yield* choose({ ...described, kind, status: undefined, externalAddress: undefined }, invocation)
  } catch (error) {
    if (!(error instanceof PortMappingError)) throw error
    context.signal.throwIfAborted()
    yield { type: 'error', error: reportedError(error) }
    return undefined
  }
}
