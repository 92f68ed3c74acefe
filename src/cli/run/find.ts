/** Finds the gateway for a command and reports it: the one that -u names, the best IGD, or one for PCP or NAT-PMP. */
import { NoGatewayError } from '../../domain/errors.js'
import { PROTOCOL_TITLES } from '../../domain/port-mapping.js'
import { zonedUrlText } from '../../domain/url.js'
import { type FoundGateway, type Opened, searchGateway } from '../../library/search-gateway.js'
import type { RunContext } from '../context.js'
import { type Reporting, reportedError } from '../failure.js'
import type { GatewayInvocation } from '../parse/invocation.js'
import type { Report, SearchSummary } from '../report.js'

export async function* find(invocation: GatewayInvocation, context: RunContext): Reporting<FoundGateway | undefined> {
  const opened = await openFor(invocation, context)
  yield* findReports(opened, invocation)
  return opened.found
}

/** @throws InvalidArgumentError; whatever the signal aborts with */
export function openFor(invocation: GatewayInvocation, context: RunContext): Promise<Opened> {
  const { url, facts, search, portControl, ignoreState, discoveryTimeMs: searchMs } = invocation
  const { onlyRoute, onlyEndpoint } = context
  const wishes = {
    ...search,
    ...portControl,
    url,
    ignoreState,
    searchMs,
    onlyRoute,
    onlyEndpoint,
    igdOnly: facts.waitsForIgd,
    forPinholes: facts.isAboutPinholes,
    family: facts.family === 4 ? 4 : search.family, // many routers refuse to map ports over IPv6
  } as const
  return searchGateway(wishes, context)
}

/** Reports what was found. If nothing usable was found, the last Report is an error. */
export function* findReports(opened: Opened, { url, portControl: { via } }: GatewayInvocation): Generator<Report> {
  const { found, devices, best, unreadable, tried } = opened
  if (found !== undefined && found.protocol !== 'igd') {
    const { address, port, epochSeconds } = found.gateway
    return yield { type: 'gateway', via: found.protocol, address, port, epochSeconds }
  }
  if (tried !== undefined && devices.length === 0) {
    const what = via === 'auto' || via === 'igd' ? 'no UPnP device' : `no gateway that speaks ${PROTOCOL_TITLES[via]}`
    const error = reportedError(new NoGatewayError(`${what} answered the search`))
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
  if (used) return
  const flaw = gateway === undefined ? 'it has no WAN connection service' : 'it is not connected; -i goes on anyway'
  yield { type: 'error', error: reportedError(new NoGatewayError(flaw)) }
}

function summaryOf(
  { refusals, answered, searchedMs }: Opened,
  { interfaces, defaultGateways }: NonNullable<Opened['tried']>,
  via: SearchSummary['via'],
): SearchSummary {
  return {
    via,
    searchedMs,
    interfaces,
    defaultGateways,
    portControl: refusals.map(({ protocol, endpoint: { address: gateway, port }, error }) => {
      return { via: protocol, gateway, port, error: reportedError(error) }
    }),
    answered: answered && { via: answered.protocol, gateway: answered.endpoint.address },
  }
}
