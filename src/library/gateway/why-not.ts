/** Why a search has found nothing. */
import { NoGatewayError } from '../../domain/errors.js'
import type { Opened } from '../search-gateway.js'
import type { Where } from '../where.js'

export function whyNot(
  { best, unreadable, tried, refusals, searchedMs }: Opened,
  { url, via = 'igd' }: Pick<Where, 'url' | 'via'>,
) {
  if (url !== undefined) return unreadable ?? new NoGatewayError(`the device at ${url} has no WAN connection service`)
  if (best?.kind === 'disconnected') return new NoGatewayError(`the IGD at ${best.location} is not connected`)
  if (best?.gateway !== undefined)
    return new NoGatewayError(`the IGD at ${best.location} is not the router; url names it`)
  const searched = `within ${searchedMs} ms on ${tried?.routesOpened ?? 0} interfaces`
  const { referral } = tried ?? {}
  const told = referral && [`${referral.from} tells of an IGD on another host, ${referral.location}: anyHost uses it`]
  const reasons = via === 'igd' ? [] : refusals.map(({ error }) => error.message)
  const what = via === 'igd' ? 'IGD' : 'gateway'
  return new NoGatewayError([`no ${what} answered ${searched}`, ...new Set(reasons), ...(told ?? [])].join('; '))
}
