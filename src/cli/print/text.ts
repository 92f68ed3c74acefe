/**
 * A Report -> the text that upnpc 2.3.3 prints (or 2.1, for -l). Pure. All text from the network passes through
 * cleaned(), cut to what a terminal can bear. What upnpc does not say, such as a hint, goes to stderr.
 */
import { hostAndPort, isNoAddress, knownAddress } from '../../domain/address.js'
import type { ListingEnd } from '../../domain/gateway.js'
import { type Asked, NOT_A_DESCRIPTION, nothingFoundHint } from '../../domain/hints.js'
import { type GatewayProtocol, PROTOCOL_TITLES } from '../../domain/port-mapping.js'
import { causeText } from '../../domain/refusal-text.js'
import type { Compatibility } from '../parse/output-options.js'
import {
  type ByType,
  byType,
  type KeeperReport,
  type Notice,
  type Report,
  type ReportedError,
  type ReportOf,
} from '../report.js'
import { cleaned, withShortTexts } from './clean.js'
import { briefUsage } from './help/brief.js'
import { isAboutKeeping, renderKeeper } from './keeper-text.js'
import { emulatorText, errorOf, noticeText } from './notices.js'
import {
  bad,
  codeAndName,
  complaint,
  ctime,
  good,
  hint,
  type Piece,
  plain,
  remark,
  upnpcCode,
  withHint,
} from './pieces.js'
import { PINHOLE_TEXTS } from './pinhole-text.js'

/** Scripts look for the text after the first underscore. */
const DELETE_NAMES: Readonly<Record<GatewayProtocol, string>> = {
  igd: 'UPNP_DeletePortMapping',
  pcp: 'PCP_DeletePortMapping',
  'nat-pmp': 'NATPMP_DeletePortMapping',
}

export function renderText(whole: Report, compat: Compatibility): Piece[] {
  const report = withShortTexts(whole)
  if (isAboutKeeping(report)) return renderKeeper(report)
  if (report.type === 'listing-end') return renderListingEnd(report.endedBy, compat)
  if (report.type in PINHOLE_TEXTS && 'ok' in report && !report.ok && report.error.code === 'INVALID_ARGUMENT')
    return [messageOf(report.error)]
  return byType(TEXTS, report.type, report)
}

const TEXTS: ByType<Exclude<Report, KeeperReport | ReportOf<'listing-end'>>['type'], Piece[]> = {
  device: ({ location, searchTarget }) => [plain(` desc: ${cleaned(location)}\n st: ${cleaned(searchTarget)}\n\n`)],
  gateway: (report) => {
    if (report.via === 'igd') return renderIgd(report)
    const { via, address, port } = report
    const where = hostAndPort({ address: cleaned(address), port })
    return [plain(`Found valid ${PROTOCOL_TITLES[via]} gateway : ${where}\n`)]
  },
  'port-control-status': ({ via, epochSeconds, sinceMs }) => [
    plain(`Status : speaks ${PROTOCOL_TITLES[via]}, uptime=${epochSeconds}s\n`),
    plain(`  Time started : ${ctime(sinceMs)}\n`),
  ],
  'local-address': ({ address }) => [plain(`Local LAN ip address : ${cleaned(address)}\n`)],
  router: () => [],
  'to-close': () => [],
  'left-alone': () => [],
  'nothing-to-close': () => [],
  asked: () => [],
  declined: () => [],
  'port-appeared': () => [],
  'port-gone': () => [],
  'port-renewed': () => [],
  'gateway-restarted': () => [],
  'gateway-back': () => [],
  'connection-type': (report) => [
    report.ok ? plain(`Connection Type : ${cleaned(report.connectionType)}\n`) : bad('GetConnectionTypeInfo failed.\n'),
  ],
  status: (report) => {
    if (!report.ok) return [bad('GetStatusInfo failed.\n')]
    const { connectionStatus, uptimeSeconds, lastConnectionError, connectedSinceMs } = report
    const [status, error] = [cleaned(connectionStatus), cleaned(lastConnectionError)]
    const line = plain(`Status : ${status}, uptime=${uptimeSeconds}s, LastConnectionError : ${error}\n`)
    return connectedSinceMs === undefined ? [line] : [line, plain(`  Time started : ${ctime(connectedSinceMs)}\n`)]
  },
  'link-rates': (report) => {
    if (!report.ok) return [bad('GetLinkLayerMaxBitRates failed.\n')]
    const [down, up] = [rate(report.downstreamBitsPerSecond), rate(report.upstreamBitsPerSecond)]
    return [plain(`MaxBitRateDown : ${down}   MaxBitRateUp ${up}\n`)]
  },
  'external-address': (report) => {
    const isForMap = report.during === 'map'
    if (report.ok && (isForMap || !isNoAddress(report.address)))
      return [plain(`ExternalIPAddress = ${cleaned(knownAddress(report.address) ?? '')}\n`)]
    if (isForMap) return [bad('GetExternalIPAddress failed.\n')]
    const why = report.ok ? cleaned(report.address) || 'empty string' : `errorcode=${upnpcCode(report.error)}`
    return [bad(`GetExternalIPAddress failed. (${why})\n`)]
  },
  traffic: ({ bytesSent, bytesReceived, packetsSent, packetsReceived }) => [
    plain(`Bytes:   Sent: ${counter(bytesSent)}\tRecv: ${counter(bytesReceived)}\n`),
    plain(`Packets: Sent: ${counter(packetsSent)}\tRecv: ${counter(packetsReceived)}\n`),
  ],
  listing: () => [plain(' i protocol exPort->inAddr:inPort description remoteHost leaseTime\n')],
  mapping: ({ index, mapping }) => {
    const { protocol, externalPort, internalClient, internalPort, description, remoteHost, leaseSeconds } = mapping
    const number = String(index).padStart(2)
    const external = String(externalPort ?? '').padStart(5)
    const internal = `${cleaned(internalClient)}:${String(internalPort ?? '').padEnd(5)}`
    const rest = `'${cleaned(description)}' '${cleaned(remoteHost)}' ${leaseSeconds ?? ''}`
    return [plain(`${number} ${cleaned(protocol)} ${external}->${internal} ${rest}\n`)]
  },
  'listing-failed': ({ error }) =>
    withHint(bad(`GetGenericPortMappingEntry() returned ${codeAndName(error)}\n`), error),
  mapped: ({ mapping, externalAddress }) => {
    const internal = `${cleaned(mapping.internalClient)}:${mapping.internalPort ?? ''}`
    const address = cleaned(knownAddress(externalAddress) ?? '')
    const external = `${address}:${mapping.externalPort ?? ''} ${cleaned(mapping.protocol)}`
    return [
      plain(`InternalIP:Port = ${internal}\n`),
      good(`external ${external} is redirected to internal ${internal} (duration=${mapping.leaseSeconds ?? ''})\n`),
    ]
  },
  'map-failed': ({ via, asked, error, cause }) => {
    const why = cause === undefined ? [] : [hint(`hint: ${cleaned(causeText(cause, { asked, error }))}\n`)]
    if (error.code === 'NOT_CONFIRMED' || error.code === 'INVALID_ARGUMENT') return [messageOf(error), ...why]
    if (via === 'igd' && error.isUnconfirmed === true)
      return withHint(bad(`GetSpecificPortMappingEntry() failed with code ${codeAndName(error)}\n`), error)
    const action =
      via === 'igd' ? (error.action ?? 'AddPortMapping') : `${PROTOCOL_TITLES[via]} ${error.action ?? 'MAP'}`
    const what = `${action}(${asked.externalPort}, ${asked.internalPort}, ${cleaned(asked.internalClient)})`
    const failure = bad(`${what} failed with code ${codeAndName(error, via)}\n`)
    if (cause !== undefined) return [failure, ...why]
    return withHint(failure, error, { ...toSee(via), isSamePort: asked.internalPort === 0 })
  },
  unmapped: ({ via }) => [good(`${DELETE_NAMES[via]}() returned : 0\n`)],
  'unmap-failed': ({ via, error }) => {
    if (error.code === 'INVALID_ARGUMENT') return [messageOf(error)]
    return withHint(bad(`${DELETE_NAMES[via]}() failed with code : ${upnpcCode(error)}\n`), error, toSee(via))
  },
  'taken-back': ({ key: { externalPort, protocol } }) => [
    plain(`external ${externalPort} ${cleaned(protocol)} is closed again: TCP+UDP means both or neither\n`),
  ],
  'list-at-once-failed': ({ error }) => [bad(`GetListOfPortMappings() returned ${codeAndName(error)}\n`)],
  'range-unmapped': () => [good('UPNP_DeletePortMappingRange() returned : 0\n')],
  'range-unmap-failed': ({ error }) => {
    const line = `UPNP_DeletePortMappingRange() failed with code : ${upnpcCode(error)}\n`
    return withHint(bad(line), error, { toSee: 'look with -l' })
  },
  'presentation-url': ({ url }) => [plain(`Presentation URL found:\n            ${cleaned(url)}\n`)],
  // A program reads the URL, and nothing else is there.
  emulator: (report) => [plain(`${cleaned(report.descriptionUrl)}\n`), remark(`${cleaned(emulatorText(report))}\n`)],
  ...PINHOLE_TEXTS,
  notice: (report) => [hint(`hint: ${cleaned(noticeText(report))}\n`)],
  error: ({ error: told, searched, usageOf, isNamed }) => {
    const error = errorOf(told)
    if (searched !== undefined) {
      const { via } = searched
      const what = via === 'auto' || via === 'igd' ? 'IGD UPnP Device' : `${PROTOCOL_TITLES[via]} gateway`
      return [complaint(`No ${what} found on the network !\n`), hint(`hint: ${cleaned(nothingFoundHint(searched))}\n`)]
    }
    if (error.code === 'INTERNAL') return [complaint(`upnp-ts has a defect: ${cleaned(error.message)}\n`)]
    const pieces = [messageOf(error)]
    if (usageOf !== undefined) pieces.unshift(remark(briefUsage(usageOf)))
    if (error.action === 'description' || error.code === 'NO_GATEWAY')
      pieces.push(complaint('No valid UPNP Internet Gateway Device found.\n'))
    if (error.action === 'description' && isNamed === true) pieces.push(hint(`hint: ${NOT_A_DESCRIPTION}\n`))
    return pieces
  },
}

function messageOf({ message }: ReportedError): Piece {
  return complaint(`${cleaned(message)}\n`)
}

/** What is never why something fails. */
const NEVER_A_CAUSE: ReadonlySet<Notice['kind']> = new Set([
  'nonce-in-sight',
  'nobody-listens',
  'listens-on-loopback-only',
  'listens-elsewhere',
])

/**
 * The part of a Report that --quiet prints: what went wrong, and what to do about it. A new external address or port is
 * not a failure.
 */
export function complaintsAmong(pieces: readonly Piece[], report: Report | undefined): Piece[] {
  if (report?.type === 'external-address-changed' || report?.type === 'external-port-changed') return []
  if (report?.type === 'notice' && NEVER_A_CAUSE.has(report.kind)) return []
  return pieces
    .filter(({ tone }) => tone === 'bad' || tone === 'hint')
    .map((piece) => ({ ...piece, stream: 'stderr' as const }))
}

/** Printed once, before the first device. */
export const DEVICES_HEADING = 'List of UPNP devices found on the network :\n'

function renderIgd(report: Extract<ReportOf<'gateway'>, { readonly via: 'igd' }>): Piece[] {
  const url = cleaned(report.controlUrl)
  const carryingOn = report.forced ? [plain('Trying to continue anyway\n')] : []
  switch (report.state) {
    case 'connected':
      return [plain(`Found valid IGD : ${url}\n`)]
    case 'reserved':
      return [plain(`Found an IGD with a reserved IP address (${cleaned(report.externalAddress ?? '')}) : ${url}\n`)]
    case 'disconnected':
      return [plain(`Found a (not connected?) IGD : ${url}\n`), ...carryingOn]
    case 'not-an-igd':
      return [plain(`UPnP device found. Is it an IGD ? : ${url}\n`), ...carryingOn]
  }
}

/** One decimal, truncated, not rounded. */
function rate(bitsPerSecond: number): string {
  const bps = `${bitsPerSecond} bps`
  if (bitsPerSecond >= 1_000_000) {
    const tenths = Math.floor(bitsPerSecond / 100_000)
    return `${bps} (${Math.floor(tenths / 10)}.${tenths % 10} Mbps)`
  }
  return bitsPerSecond >= 1000 ? `${bps} (${Math.floor(bitsPerSecond / 1000)} Kbps)` : bps
}

function counter(value: number | undefined): string {
  return String(value ?? 'unknown').padStart(8)
}

/** upnpc 2.3.3 prints nothing at the end of the table; 2.1 prints the error that ended it. */
function renderListingEnd(endedBy: ListingEnd | 'memory', compat: Compatibility): Piece[] {
  if (typeof endedBy === 'object') {
    const { number, standardName } = endedBy
    return compat === '2.1'
      ? [plain(`GetGenericPortMappingEntry() returned ${number} (${cleaned(standardName)})\n`)]
      : []
  }
  if (endedBy === 'memory') return [] // of a verb
  if (endedBy === 'limit') return [hint('hint: the table is longer than this; the rest was not read\n')]
  return [hint('hint: the router repeats its last entry instead of ending the table; stopped there\n')]
}

/** What shows whether a change was made although no answer came: PCP and NAT-PMP have no listing. */
function toSee(via: GatewayProtocol): Asked {
  return { toSee: via === 'igd' ? 'look with -l' : 'ask again' }
}
