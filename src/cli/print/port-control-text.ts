/** Reports about PCP and NAT-PMP -> text in upnpc's style, although upnpc knows neither protocol. Pure. */
import { hostAndPort } from '../../domain/address.js'
import { type GatewayProtocol, PROTOCOL_TITLES } from '../../domain/port-mapping.js'
import type { ReportedError, ReportOf, SearchSummary } from '../report.js'
import { cleaned } from './clean.js'
import { nothingFoundHint } from './nothing-found.js'
import { bad, codeAndName, complaint, ctime, hint, type Piece, plain, upnpcCode, withHint } from './pieces.js'

/** Scripts look for the text after the first underscore. */
export const DELETE_NAMES: Readonly<Record<GatewayProtocol, string>> = {
  igd: 'UPNP_DeletePortMapping',
  pcp: 'PCP_DeletePortMapping',
  'nat-pmp': 'NATPMP_DeletePortMapping',
}

export function renderPortControlGateway({
  via,
  address,
  port,
}: Extract<ReportOf<'gateway'>, { readonly via: 'pcp' | 'nat-pmp' }>): Piece[] {
  return [plain(`Found valid ${PROTOCOL_TITLES[via]} gateway : ${hostAndPort({ address: cleaned(address), port })}\n`)]
}

/** An epoch begins when the gateway starts, when it loses its mappings, and when its external address changes. */
export function renderPortControlStatus({ via, epochSeconds, sinceMs }: ReportOf<'port-control-status'>): Piece[] {
  return [
    plain(`Status : speaks ${PROTOCOL_TITLES[via]}, uptime=${epochSeconds}s\n`),
    plain(`  Time started : ${ctime(sinceMs)}\n`),
  ]
}

export function renderUnmapFailed({ via, error }: ReportOf<'unmap-failed'>): Piece[] {
  if (error.code === 'INVALID_ARGUMENT') return [complaint(`${cleaned(error.message)}\n`)]
  const toSee = via === 'igd' ? 'look with -l' : 'ask again'
  return withHint(bad(`${DELETE_NAMES[via]}() failed with code : ${upnpcCode(error)}\n`), error, { toSee })
}

export function renderPortControlMapFailed(
  via: Exclude<GatewayProtocol, 'igd'>,
  { externalPort, internalPort, internalClient }: ReportOf<'map-failed'>['asked'],
  error: ReportedError,
): Piece[] {
  const what = `${PROTOCOL_TITLES[via]} ${error.action ?? 'MAP'}(${externalPort}, ${internalPort}, ${cleaned(internalClient)})`
  return withHint(bad(`${what} failed with code ${codeAndName(error, via)}\n`), error, { toSee: 'ask again' })
}

export function renderNothingFound(searched: SearchSummary): Piece[] {
  const { via } = searched
  const what = via === 'auto' || via === 'igd' ? 'IGD UPnP Device' : `${PROTOCOL_TITLES[via]} gateway`
  return [complaint(`No ${what} found on the network !\n`), hint(`hint: ${cleaned(nothingFoundHint(searched))}\n`)]
}
