/** Finds the gateway for a command and reports it: the one that -u names, the best IGD, or one for PCP or NAT-PMP. */
import { NoGatewayError } from '../../domain/errors.js'
import { DEFAULT_DESCRIPTION, type MappingKey } from '../../domain/port-mapping.js'
import { zonedUrlText } from '../../domain/url.js'
import { nobodyOver, summaryOf } from '../../library/gateway/why-not.js'
import { protocolOf } from '../../library/router.js'
import { type FoundGateway, type Opened, searchForPinholes, searchGateway } from '../../library/search-gateway.js'
import type { ChosenGateway, RunContext } from '../context.js'
import { type Reporting, reportedError } from '../failure.js'
import type { GatewayInvocation } from '../parse/invocation.js'
import type { Report } from '../report.js'

export type Found = FoundGateway & Pick<ChosenGateway, 'isDoubtful'>

export async function* find(invocation: GatewayInvocation, context: RunContext): Reporting<Found | undefined> {
  const opened = await openFor(invocation, context)
  yield* findReports(opened, invocation)
  return opened.found && { ...opened.found, isDoubtful: isDoubtful(opened) }
}

/** What the search found may not be what the internet comes in by. */
export function isDoubtful({ remarks }: Opened): boolean {
  return remarks.some(({ kind }) => kind === 'through-tunnel' || kind === 'not-the-router' || kind === 'no-router')
}

/** `routerBefore`: the address of the router that was used before. @throws InvalidArgumentError; whatever the signal aborts with */
export function openFor(
  invocation: GatewayInvocation,
  context: RunContext,
  routerBefore?: string | undefined,
): Promise<Opened> {
  const { command, url, facts, search, portControl, ignoreState, discoveryTimeMs: searchMs } = invocation
  const { onlyRoute, onlyEndpoint } = context
  const wishes = {
    ...search,
    ...portControl,
    url,
    ignoreState,
    searchMs,
    onlyRoute,
    onlyEndpoint,
    routerBefore,
    need: facts.waitsForIgd ? 'only' : isBetterOverIgd(invocation) ? 'wanted' : undefined,
    changes: facts.changes,
    // What is not remembered is to be looked for, which only an IGD can do.
    madeIn: (router: string) => protocolOf(remembered(invocation), router, context, command.name === 'unmap'),
    forPinholes: facts.isAboutPinholes,
    family: facts.family === 4 ? 4 : search.family, // many routers refuse to map ports over IPv6
  } as const
  if (invocation.voice === 'upnpc' || !facts.isAboutPinholes) return searchGateway(wishes, context)
  const isPlaceGiven = [url, portControl.gateway, onlyRoute, onlyEndpoint].some((place) => place !== undefined)
  return searchForPinholes(wishes, isPlaceGiven, context)
}

/** PCP and NAT-PMP have no descriptions, and cannot say whether a port is open for one remote host only. */
function isBetterOverIgd({ command, description }: GatewayInvocation): boolean {
  if (command.name === 'unmap') return command.keys.some(({ remoteHost }) => remoteHost !== '')
  if (command.name !== 'map') return false
  return description !== DEFAULT_DESCRIPTION || command.mappings.some(({ remoteHost }) => remoteHost !== '')
}

/** The mappings of which it counts in which protocol they were made. */
function remembered({ command, keep }: GatewayInvocation): readonly MappingKey[] {
  if (command.name === 'unmap') return command.keys
  return command.name === 'map' && keep !== undefined ? command.mappings : []
}

/** Reports what was found. If nothing usable was found, the last Report is an error. */
export function* findReports(opened: Opened, invocation: GatewayInvocation): Generator<Report> {
  const { found, devices, best, unreadable, tried } = opened
  const {
    url,
    portControl: { via },
  } = invocation
  if (found !== undefined && found.protocol !== 'igd') {
    const { address, port, epochSeconds } = found.gateway
    yield { type: 'gateway', via: found.protocol, address, port, epochSeconds }
    return yield* remarkReports(opened, invocation)
  }
  if (tried !== undefined && devices.length === 0) {
    const error = reportedError(new NoGatewayError(`no ${nobodyOver(via)} answered the search`))
    return yield { type: 'error', error, searched: summaryOf(opened, tried, via) }
  }
  for (const device of devices) yield { type: 'device', ...device }
  if (best === undefined) {
    const nothing = new NoGatewayError('no device that answered gave its description')
    return yield { type: 'error', error: reportedError(unreadable ?? nothing), isNamed: url !== undefined }
  }
  const { kind: state, gateway, location, zone, externalAddress } = best
  const controlUrl = gateway?.controlUrl ?? zonedUrlText({ url: new URL('/', location), zone })
  const used = found !== undefined
  const forced = used && state === 'disconnected'
  yield { type: 'gateway', via: 'igd', state, controlUrl, externalAddress, used, forced }
  if (used) return yield* remarkReports(opened, invocation)
  const flaw =
    gateway === undefined
      ? 'it has no WAN connection service'
      : state === 'disconnected'
        ? 'it is not connected; -i goes on anyway'
        : `it is not the router of this computer; -u ${zonedUrlText({ url: new URL(location), zone })} uses it all the same`
  yield { type: 'error', error: reportedError(new NoGatewayError(flaw)) }
}

function* remarkReports({ remarks, found }: Opened, { command, description }: GatewayInvocation): Generator<Report> {
  for (const remark of remarks) yield { type: 'notice', ...remark }
  const isLost = command.name === 'map' && description !== DEFAULT_DESCRIPTION
  if (found !== undefined && found.protocol !== 'igd' && isLost)
    yield { type: 'notice', kind: 'description-lost', via: found.protocol }
}
