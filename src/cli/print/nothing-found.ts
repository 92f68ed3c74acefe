/** The hint after a search that found nothing: what was tried, and what the user can check. Pure. */

import { PROTOCOL_TITLES } from '../../domain/port-mapping.js'
import type { SearchSummary } from '../report.js'
import { hintFor } from './hints.js'

export function nothingFoundHint(searched: SearchSummary): string {
  const { via, searchedMs, interfaces, defaultGateways, answered } = searched
  const span = searchedMs < 100 ? '' : ` ${(searchedMs / 1000).toFixed(1)} s`
  if (via === 'pcp' || via === 'nat-pmp') {
    const tried = portControlTried(searched)
    if (tried === '') return 'this computer has no default gateway to ask; name the router with --gateway'
    return `asked${span && ` for${span}`}: ${tried}. Name another router with --gateway, or leave --via out.`
  }
  if (interfaces.length === 0) return 'this computer has no network address to search from; is the network up?'
  const where = interfaces.slice(0, 4).map(interfaceText).join(', ') + (interfaces.length > 4 ? ', …' : '')
  const [gateway] = defaultGateways
  const unheard =
    gateway === undefined
      ? 'this computer has no default gateway: --gateway names a router'
      : `the router at ${gateway} did not answer`
  const who = answered === undefined ? unheard : 'no router answered over UPnP'
  const tried = answered === undefined ? portControlTried(searched) : ''
  const head = `searched${span} on ${where}; ${who}${tried === '' ? '' : `; ${tried}`}. `
  if (answered !== undefined) {
    const speaks = `${answered.gateway} speaks ${PROTOCOL_TITLES[answered.via]}`
    const isIPv6 = answered.gateway.includes(':')
    const has = isIPv6 ? 'opens and closes pinholes (-A, -U, -D)' : 'opens and closes ports (-r, -a, -n, -d)'
    return `${head}${speaks}, which ${has}, but only UPnP can do this: switch it on in the router.`
  }
  const settings = tried === '' ? 'UPnP' : 'UPnP, PCP or NAT-PMP'
  return (
    `${head}Switch on ${settings} in the settings of the router, and let UDP port 1900 through the firewall of ` +
    'this computer.'
  )
}

function interfaceText({ name, address }: SearchSummary['interfaces'][number]): string {
  return name === undefined ? address : `${name} (${address.includes(':') ? 'IPv6' : address})`
}

/** One clause for each gateway that was asked and each reason. */
function portControlTried({ portControl }: SearchSummary): string {
  const clauses = portControl.map(({ via, gateway, port, error }) => {
    const title = PROTOCOL_TITLES[via]
    if (error.number !== undefined) {
      const advice = hintFor(error)
      return `${gateway} answers ${title} with ${error.number} (${error.name ?? ''})${advice === undefined ? '' : `: ${advice}`}`
    }
    if (error.code === 'NO_REPLY') return `${gateway} does not answer ${title}`
    return error.message.includes('nothing listens')
      ? `nothing listens on UDP port ${port} of ${gateway} (PCP, NAT-PMP)`
      : `${title}: ${error.message}`
  })
  return [...new Set(clauses)].join('; ')
}
