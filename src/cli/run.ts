/**
 * A GatewayInvocation -> Reports, in the order in which upnpc prints, and the exit code. It finds the gateway, says
 * which, and hands over to the command. It knows gateways and discovery, and nothing of what is under them.
 */
import type { Candidate } from '../client/candidate.js'
import { type Discovery, discover } from '../client/discovery.js'
import { type SearchRoute, searchRoutes } from '../client/ssdp-search.js'
import { NoGatewayError, PortMappingError } from '../domain/errors.js'
import type { IgdGateway } from '../domain/gateway.js'
import type { InterfaceAddress } from '../net/interfaces.js'
import type { ClientNet } from '../net/network.js'
import { listMappings, map, reportStatus, unmap } from './commands.js'
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
  const find = url === undefined ? search(invocation, context) : describeGiven(url, invocation, context)
  const chosen = yield* find
  if (chosen === undefined) return 1
  yield { type: 'local-address', address: chosen.gateway.localAddress }
  return yield* runCommand(invocation, chosen, context)
}

function runCommand(
  invocation: GatewayInvocation,
  chosen: Chosen,
  context: RunContext,
): AsyncGenerator<Report, ExitCode> {
  const { command } = invocation
  switch (command.name) {
    case 'list':
      return listMappings(chosen, context)
    case 'status':
      return reportStatus(chosen, context)
    case 'presentation':
      return presentation(chosen)
    case 'map':
      return map(command.mappings, invocation.description, chosen, context)
    case 'unmap':
      return unmap(command.key, chosen, context)
  }
}

async function* presentation({ gateway }: Chosen): AsyncGenerator<Report, ExitCode> {
  yield { type: 'presentation-url', url: gateway.presentationUrl }
  return 0
}

type Finding = AsyncGenerator<Report, Chosen | undefined, undefined>

async function* search(invocation: GatewayInvocation, context: RunContext): Finding {
  const interfaces = context.interfaces()
  const routes = context.onlyRoute === undefined ? searchRoutes(interfaces) : [context.onlyRoute]
  const gateways = context.onlyRoute === undefined ? context.defaultGateways() : Promise.resolve([])
  const { discoveryTimeMs: searchMs } = invocation
  const found = await discover({
    ...context,
    routes,
    defaultGateways: gateways,
    searchMs,
  })
  if (found.devices.length === 0) {
    yield nothingFound(found, routes, interfaces, await gateways)
    return undefined
  }
  for (const device of found.devices) yield { type: 'device', ...device }
  return yield* choose(found.candidates[0], invocation)
}

function nothingFound(
  found: Discovery,
  routes: readonly SearchRoute[],
  interfaces: readonly InterfaceAddress[],
  gateways: readonly string[],
): Report {
  const names = routes.map(({ address }) => {
    const name = interfaces.find((each) => each.address === address)?.name
    return name === undefined ? address : `${name} (${address})`
  })
  return {
    type: 'error',
    error: reportedError(new NoGatewayError('no UPnP device answered the search')),
    searched: { searchedMs: found.searchedMs, interfaces: names, defaultGateways: gateways },
  }
}

/** Says what was found and decides whether to go on with it (upnpc: only with -i if it is not connected). */
async function* choose(candidate: Candidate | undefined, invocation: GatewayInvocation): Finding {
  if (candidate === undefined) {
    const nothing = new NoGatewayError('the devices that answered could not be asked for their descriptions')
    yield { type: 'error', error: reportedError(nothing) }
    return undefined
  }
  const { gateway, kind: state, status, externalAddress } = candidate
  const good = state === 'connected' || state === 'reserved'
  const forced = !good && gateway !== undefined && invocation.ignoreState
  const controlUrl = gateway?.controlUrl ?? new URL('/', candidate.location).href
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
    const described = await describeGateway(new URL(url), { ...context, timeoutMs: DESCRIPTION_TIMEOUT_MS })
    const kind = described.gateway === undefined ? 'not-an-igd' : 'connected'
    return yield* choose({ ...described, kind, status: undefined, externalAddress: undefined }, invocation)
  } catch (error) {
    if (!(error instanceof PortMappingError)) throw error
    context.signal.throwIfAborted()
    yield { type: 'error', error: reportedError(error) }
    return undefined
  }
}
