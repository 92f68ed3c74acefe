/** A search that found nothing to use -> what it has asked and what came, and the error that says so. */
import type { Opened as Search } from '../../client/search/open-gateway.js'
import type { SearchSummary } from '../../domain/error-facts.js'
import { errorFacts, NoGatewayError, nobodyAnswered, PortMappingError } from '../../domain/errors.js'
import { PROTOCOL_TITLES, type Via } from '../../domain/port-mapping.js'
import { LIBRARY } from '../../domain/words.js'
import type { Opened } from '../search-gateway.js'
import type { Where } from '../where.js'

export function summaryOf(
  { refusals, answered, searchedMs }: Pick<Opened, 'refusals' | 'answered' | 'searchedMs'>,
  { interfaces, defaultGateways, lacksIPv4, referral }: NonNullable<Search['tried']>,
  via: Via,
): SearchSummary {
  return {
    via,
    searchedMs,
    interfaces,
    defaultGateways,
    lacksIPv4,
    ...(referral && { referral }),
    portControl: refusals.map(({ protocol, endpoint: { address: gateway, port }, error }) => {
      return { via: protocol, gateway, port, error: errorFacts(error) }
    }),
    answered: answered && { via: answered.protocol, gateway: answered.endpoint.address },
  }
}

/** What answered the search of a command line or a program, if nobody did. */
export function nobodyOver(via: Via): string {
  return via === 'auto' || via === 'igd' ? 'UPnP device' : `gateway that speaks ${PROTOCOL_TITLES[via]}`
}

/** Of a search whose `found` is undefined. */
export function whyNot(opened: Opened, { url, via = 'auto' }: Pick<Where, 'url' | 'via'>): unknown {
  const { best, unreadable, tried, devices } = opened
  if (url !== undefined) {
    if (unreadable === undefined)
      return hinted(`the device at ${url} has no WAN connection service`, LIBRARY.descriptionUrl)
    if (unreadable instanceof PortMappingError && unreadable.action === 'description')
      unreadable.hint = LIBRARY.descriptionUrl
    return unreadable
  }
  if (tried !== undefined && devices.length === 0) return nobodyAnswered(nobodyOver(via), summaryOf(opened, tried, via))
  if (best === undefined) return unreadable ?? new NoGatewayError('no device that answered gave its description')
  const { kind, gateway, location } = best
  const what = gateway === undefined ? 'device' : 'IGD'
  const error =
    gateway === undefined
      ? new NoGatewayError(`the ${what} at ${location} has no WAN connection service`)
      : kind === 'disconnected'
        ? hinted(`the ${what} at ${location} is not connected`, 'ignoreState: true of findGateway uses it anyway')
        : hinted(`the ${what} at ${location} is not the router of this computer`, "url: '…' uses it all the same")
  if (tried !== undefined) error.searched = summaryOf(opened, tried, via)
  return error
}

function hinted(message: string, hint: string): NoGatewayError {
  const error = new NoGatewayError(message)
  error.hint = hint
  return error
}
