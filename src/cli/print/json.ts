/**
 * A Report -> one JSON object on one line. Pure. Each type of Report has a row that names the fields it publishes.
 * docs/json.md says what the fields mean, and what a version promises. An unknown value is null.
 */
import { knownAddress } from '../../domain/address.js'
import type { PortRange } from '../../domain/gateway.js'
import { leaseToSeconds, type MappingKey, type MappingRequest, type PortMapping } from '../../domain/port-mapping.js'
import {
  type Answer,
  type ByType,
  byType,
  type LostPort,
  type Notice,
  type RefusalCause,
  type Report,
  type ReportedError,
  type ReportedPinhole,
  type SearchSummary,
} from '../report.js'
import { cleanedJson } from './clean.js'
import { emulatorText, errorOf, noticeText } from './notices.js'

/** The version of the promises in docs/json.md. Only the first object of a run has it. */
export const JSON_VERSION = 1

type Fields = Readonly<Record<string, unknown>>
type KeysOf<T> = T extends unknown ? keyof T & string : never

export function renderJson(report: Report, isFirst = false): string {
  const version = isFirst ? { version: JSON_VERSION } : {}
  const object = { type: report.type, ...version, ...byType(ROWS, report.type, report) }
  const json = JSON.stringify(object, (_key, value: unknown) => (value === undefined ? null : value))
  return `${cleanedJson(json)}\n`
}

const ROWS: ByType<Report['type'], Fields> = {
  device: (report) => pick(report, 'location', 'searchTarget', 'server'),
  gateway: (report) =>
    report.via === 'igd'
      ? {
          ...pick(report, 'via', 'state', 'controlUrl'),
          externalAddress: knownAddress(report.externalAddress),
          ...pick(report, 'used', 'forced'),
        }
      : pick(report, 'via', 'address', 'port', 'epochSeconds'),
  'local-address': (report) => pick(report, 'address'),
  router: (report) => pick(report, 'address', 'protocols'),
  'connection-type': (report) => answer(report, 'connectionType'),
  status: (report) => ({
    ...answer(report, 'connectionStatus', 'lastConnectionError', 'uptimeSeconds'),
    ...(report.ok && { connectedSince: isoSeconds(report.connectedSinceMs) }),
  }),
  'link-rates': (report) => answer(report, 'upstreamBitsPerSecond', 'downstreamBitsPerSecond'),
  'external-address': (report) => ({
    during: report.during,
    ...answer(report, 'address'),
    ...(report.ok && { address: knownAddress(report.address) }),
  }),
  traffic: (report) => pick(report, 'bytesSent', 'bytesReceived', 'packetsSent', 'packetsReceived'),
  'port-control-status': ({ via, epochSeconds, sinceMs }) => ({ via, epochSeconds, since: isoSeconds(sinceMs) }),
  listing: () => ({}),
  mapping: ({ index, mapping }) => ({ index, ...mappingFields(mapping) }),
  'listing-end': ({ count, endedBy }) => {
    return { count, endedBy: typeof endedBy === 'string' ? endedBy : pick(endedBy, 'number', 'standardName') }
  },
  'listing-failed': ({ count, error }) => ({ count, error: errorFields(error) }),
  mapped: ({ timeMs, asked, mapping, externalAddress, reachable }) => ({
    ...timeIfAny(timeMs),
    asked: askedFields(asked),
    mapping: mappingFields(mapping),
    externalAddress: knownAddress(externalAddress),
    reachable,
  }),
  'map-failed': ({ via, asked, error, cause }) => ({
    ...{ via, asked: askedFields(asked), error: errorFields(error) },
    ...(cause && { cause: causeFields(cause) }),
  }),
  'taken-back': ({ key }) => ({ key: keyFields(key) }),
  unmapped: ({ via, key }) => ({ via, key: keyFields(key) }),
  'unmap-failed': ({ via, key, error }) => ({ via, key: keyFields(key), error: errorFields(error) }),
  'list-at-once-failed': ({ error }) => ({ error: errorFields(error) }),
  'range-unmapped': ({ range }) => ({ range: rangeFields(range) }),
  'range-unmap-failed': ({ range, error }) => ({ range: rangeFields(range), error: errorFields(error) }),
  'presentation-url': ({ url }) => ({ url }),
  'pinhole-advice': () => ({}),
  'firewall-status': (report) => answer(report, 'firewallEnabled', 'inboundPinholeAllowed'),
  'pinhole-added': (report) => ({
    ...timeIfAny(report.timeMs),
    asked: { ...pinholeFields(report.asked), leaseSeconds: report.asked.leaseSeconds },
    ...answer(report, 'id', 'leaseSeconds'),
  }),
  'pinhole-working': (report) => ({ ...pick(report, 'during', 'id'), ...answer(report, 'working') }),
  'pinhole-updated': (report) => ({ ...pick(report, 'id', 'leaseSeconds'), ...answer(report) }),
  'pinhole-packets': (report) => ({ id: report.id, ...answer(report, 'packets') }),
  'pinhole-deleted': (report) => ({ id: report.id, ...answer(report) }),
  'outbound-timeout': (report) => ({ asked: pinholeFields(report.asked), ...answer(report, 'seconds') }),
  searching: ({ timeMs, error, searched }) => ({
    ...{ time: iso(timeMs), error: errorFields(error) },
    ...(searched && { searched: searchedFields(searched) }),
  }),
  'gateway-lost': ({ timeMs, error }) => ({ time: iso(timeMs), error: errorFields(error) }),
  moved: (report) => ({ time: iso(report.timeMs), ...pick(report, 'gateway', 'previous', 'externalAddress') }),
  renewed: (report) => ({ ...keptFields(report), leaseSeconds: report.leaseSeconds }),
  restored: (report) => {
    return { ...keptFields(report), leaseSeconds: report.leaseSeconds, afterSeconds: seconds(report.afterMs) }
  },
  lost: (report) => ({ ...keptFields(report), reason: report.reason }),
  'keep-failed': (report) => {
    const cause = report.leftBehind && { cause: causeFields({ kind: 'left-behind', ...report.leftBehind }) }
    return {
      ...keptFields(report),
      error: errorFields(report.error),
      ...cause,
      againInSeconds: seconds(report.againInMs),
    }
  },
  'external-address-changed': ({ timeMs, address, previous }) => ({ time: iso(timeMs), address, previous }),
  'external-port-changed': (report) => {
    return { time: iso(report.timeMs), ...pick(report, 'protocol', 'externalPort', 'previous') }
  },
  'port-appeared': ({ timeMs, wasThere, mapping }) => ({ time: iso(timeMs), wasThere, ...mappingFields(mapping) }),
  'port-gone': ({ timeMs, mapping }) => ({ time: iso(timeMs), ...mappingFields(mapping) }),
  'port-renewed': ({ timeMs, mapping }) => ({ time: iso(timeMs), ...mappingFields(mapping) }),
  'gateway-restarted': ({ timeMs }) => ({ time: iso(timeMs) }),
  'gateway-back': ({ timeMs, address, afterMs }) => ({ time: iso(timeMs), address, afterSeconds: seconds(afterMs) }),
  'to-close': ({ mapping }) => mappingFields(mapping),
  'left-alone': ({ mapping, reason }) => ({ ...mappingFields(mapping), reason }),
  'nothing-to-close': ({ left }) => ({ left }),
  asked: ({ count }) => ({ count }),
  declined: () => ({}),
  'hook-succeeded': ({ timeMs, failures }) => ({ time: iso(timeMs), failures }),
  'lines-dropped': ({ timeMs, count }) => ({ time: iso(timeMs), count }),
  removed: keptFields,
  'left-open': (report) => ({ ...keptFields(report), reason: report.reason }),
  'ends-with-lease': (report) => ({ ...keptFields(report), ends: iso(report.endsWallMs) }),
  'not-removed': (report) => ({ ...keptFields(report), error: errorFields(report.error) }),
  emulator: (report) => {
    const { descriptionUrl, portControl } = report
    const endpoint = portControl && pick(portControl, 'address', 'port')
    return { descriptionUrl, portControl: endpoint, search: emulatorText(report) }
  },
  notice: (report) => ({ kind: report.kind, message: noticeText(report), ...noticeFields(report) }),
  error: ({ error, searched }) => {
    return { error: errorFields(errorOf(error)), ...(searched && { searched: searchedFields(searched) }) }
  },
}

function noticeFields(notice: Notice): Fields {
  return {
    ...pick(notice, 'via'),
    ...pick(notice, 'protocol'),
    ...('key' in notice && { key: keyFields(notice.key) }),
    ...pick(notice, 'leaseSeconds', 'renewedEverySeconds', 'gatewayAddress', 'localAddress', 'port'),
    ...pick(notice, 'id', 'closed', 'address', 'router', 'interface', 'description', 'count', 'someOpen', 'reason'),
    ...pick(notice, 'signal', 'exitStatus', 'willTryAgain', 'externalPort', 'protocols', 'late'),
    ...('waitedMs' in notice && { waitedSeconds: seconds(notice.waitedMs) }),
    ...('endsWallMs' in notice && { ends: Number.isFinite(notice.endsWallMs) ? iso(notice.endsWallMs) : null }),
    ...('afterMs' in notice && { afterSeconds: seconds(notice.afterMs) }),
    ...('error' in notice && { error: errorFields(notice.error) }),
    ...('searched' in notice && notice.searched !== undefined && { searched: searchedFields(notice.searched) }),
  }
}

/** The named fields. A field that is not there is left out. */
function pick<T extends object>(value: T, ...names: readonly KeysOf<T>[]): Fields {
  const fields = new Map<string, unknown>(Object.entries(value))
  return Object.fromEntries(names.filter((name) => fields.has(name)).map((name) => [name, fields.get(name)]))
}

/** `ok`, and then the named fields of the answer, or the error. */
function answer<T extends Answer<unknown>>(report: T, ...names: readonly KeysOf<T>[]): Fields {
  return report.ok ? { ok: true, ...pick(report, ...names) } : { ok: false, error: errorFields(report.error) }
}

function errorFields(error: ReportedError): Fields {
  return pick(error, 'code', 'message', 'action', 'via', 'number', 'name', 'description')
}

function keyFields(key: MappingKey): Fields {
  return pick(key, 'externalPort', 'protocol', 'remoteHost')
}

/** The lease becomes a number of seconds, 0 for a lease without an end. */
function askedFields(asked: MappingRequest): Fields {
  const inside = pick(asked, 'internalClient', 'internalPort', 'description')
  return { ...keyFields(asked), ...inside, leaseSeconds: leaseToSeconds(asked.lease) }
}

function causeFields(cause: RefusalCause): Fields {
  const facts = pick(cause, 'kind', 'isForThisComputer', 'address', 'gatewayAddress', 'localAddress')
  const mapping = 'mapping' in cause ? cause.mapping : undefined
  return {
    ...{ ...facts, ...pick(cause, 'internalClient', 'internalPort') },
    ...('endsWallMs' in cause && { ends: Number.isFinite(cause.endsWallMs) ? iso(cause.endsWallMs) : null }),
    ...(mapping && { mapping: mappingFields(mapping) }),
  }
}

function mappingFields(mapping: PortMapping): Fields {
  const ports = pick(mapping, 'protocol', 'externalPort', 'internalClient', 'internalPort')
  return { ...ports, ...pick(mapping, 'description', 'remoteHost', 'leaseSeconds', 'enabled') }
}

function rangeFields(range: PortRange): Fields {
  return pick(range, 'startPort', 'endPort', 'protocol', 'manage')
}

function pinholeFields(pinhole: ReportedPinhole): Fields {
  return pick(pinhole, 'remoteHost', 'remotePort', 'internalClient', 'internalPort', 'protocol')
}

/** The fields of the port stand beside the others, and are left out if the port was never open. */
function keptFields({ timeMs, name, port }: LostPort & { readonly timeMs: number }): Fields {
  const fields = port && pick(port, 'protocol', 'externalPort', 'internalPort', 'internalClient')
  return { time: iso(timeMs), name, ...fields }
}

function searchedFields({ interfaces, portControl, answered, referral, ...searched }: SearchSummary): Fields {
  return {
    ...pick(searched, 'via', 'searchedMs'),
    interfaces: interfaces.map((each) => pick(each, 'name', 'address')),
    ...pick(searched, 'defaultGateways', 'lacksIPv4'),
    ...(referral && { referral: pick(referral, 'from', 'location') }),
    portControl: portControl.map((each) => ({
      ...pick(each, 'via', 'gateway', 'port'),
      error: errorFields(each.error),
    })),
    answered: answered && pick(answered, 'via', 'gateway'),
  }
}

function timeIfAny(timeMs: number | undefined): Fields {
  return timeMs === undefined ? {} : { time: iso(timeMs) }
}

function iso(wallMs: number): string {
  return new Date(wallMs).toISOString()
}

function isoSeconds(wallMs: number | undefined): string | undefined {
  return wallMs === undefined ? undefined : iso(Math.floor(wallMs / 1000) * 1000).replace('.000Z', 'Z')
}

/** A span in seconds, to the millisecond. */
function seconds(ms: number): number {
  return Math.round(ms) / 1000
}
