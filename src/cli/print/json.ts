/**
 * A Report -> one JSON object on one line. Pure. Each type of Report has a row that names the fields it publishes.
 * docs/json.md says what the fields mean, and what a version promises. An unknown value is null.
 */
import type { PortRange } from '../../domain/gateway.js'
import { leaseToSeconds, type MappingKey, type MappingRequest, type PortMapping } from '../../domain/port-mapping.js'
import type {
  Answer,
  LostPort,
  Notice,
  OpenPort,
  Report,
  ReportedError,
  ReportedPinhole,
  ReportOf,
  SearchSummary,
} from '../report.js'
import { cleanedJson } from './clean.js'
import { emulatorText, errorOf, noticeText } from './notices.js'

/** The version of the promises in docs/json.md. Only the first object of a run has it. */
export const JSON_VERSION = 1

type Fields = Readonly<Record<string, unknown>>
type Rows = { readonly [T in Report['type']]: (report: ReportOf<T>) => Fields }
type NoticeRows = { readonly [K in Notice['kind']]: (notice: Extract<Notice, { readonly kind: K }>) => Fields }

export function renderJson(report: Report, isFirst = false): string {
  const version = isFirst ? { version: JSON_VERSION } : {}
  const object = { type: report.type, ...version, ...fieldsOf(report.type, report) }
  const json = JSON.stringify(object, (_key, value: unknown) => (value === undefined ? null : value))
  return `${cleanedJson(json)}\n`
}

function fieldsOf<T extends Report['type']>(type: T, report: ReportOf<T>): Fields {
  return ROWS[type](report)
}

const ROWS: Rows = {
  device: ({ location, searchTarget, server }) => ({ location, searchTarget, server }),
  gateway: (report) => {
    if (report.via !== 'igd') {
      const { via, address, port, epochSeconds } = report
      return { via, address, port, epochSeconds }
    }
    const { via, state, controlUrl, externalAddress, used, forced } = report
    return { via, state, controlUrl, externalAddress, used, forced }
  },
  'local-address': ({ address }) => ({ address }),
  'connection-type': (report) => answer(report, ({ connectionType }) => ({ connectionType })),
  status: (report) =>
    answer(report, ({ connectionStatus, lastConnectionError, uptimeSeconds, connectedSinceMs }) => {
      const connectedSince = connectedSinceMs === undefined ? null : isoSeconds(connectedSinceMs)
      return { connectionStatus, lastConnectionError, uptimeSeconds, connectedSince }
    }),
  'link-rates': (report) =>
    answer(report, ({ upstreamBitsPerSecond, downstreamBitsPerSecond }) => {
      return { upstreamBitsPerSecond, downstreamBitsPerSecond }
    }),
  'external-address': (report) => ({ during: report.during, ...answer(report, ({ address }) => ({ address })) }),
  traffic: ({ bytesSent, bytesReceived, packetsSent, packetsReceived }) => {
    return { bytesSent, bytesReceived, packetsSent, packetsReceived }
  },
  'port-control-status': ({ via, epochSeconds, sinceMs }) => ({ via, epochSeconds, since: isoSeconds(sinceMs) }),
  listing: () => ({}),
  mapping: ({ index, mapping }) => ({ index, ...mappingFields(mapping) }),
  'listing-end': ({ count, endedBy }) => {
    if (typeof endedBy === 'string') return { count, endedBy }
    const { number, standardName } = endedBy
    return { count, endedBy: { number, standardName } }
  },
  'listing-failed': ({ count, error }) => ({ count, error: errorFields(error) }),
  mapped: ({ timeMs, asked, mapping, externalAddress }) => ({
    ...timeIfAny(timeMs),
    asked: askedFields(asked),
    mapping: mappingFields(mapping),
    externalAddress,
  }),
  'map-failed': ({ via, asked, error }) => ({ via, asked: askedFields(asked), error: errorFields(error) }),
  'taken-back': ({ key }) => ({ key: keyFields(key) }),
  unmapped: ({ via, key }) => ({ via, key: keyFields(key) }),
  'unmap-failed': ({ via, key, error }) => ({ via, key: keyFields(key), error: errorFields(error) }),
  'list-at-once-failed': ({ error }) => ({ error: errorFields(error) }),
  'range-unmapped': ({ range }) => ({ range: rangeFields(range) }),
  'range-unmap-failed': ({ range, error }) => ({ range: rangeFields(range), error: errorFields(error) }),
  'presentation-url': ({ url }) => ({ url }),
  'pinhole-advice': () => ({}),
  'firewall-status': (report) =>
    answer(report, ({ firewallEnabled, inboundPinholeAllowed }) => ({ firewallEnabled, inboundPinholeAllowed })),
  'pinhole-added': (report) => ({
    ...timeIfAny(report.timeMs),
    asked: { ...pinholeFields(report.asked), leaseSeconds: report.asked.leaseSeconds },
    ...answer(report, ({ id }) => ({ id })),
  }),
  'pinhole-working': (report) => {
    return { during: report.during, id: report.id, ...answer(report, ({ working }) => ({ working })) }
  },
  'pinhole-updated': (report) => {
    return { id: report.id, leaseSeconds: report.leaseSeconds, ...answer(report, () => ({})) }
  },
  'pinhole-packets': (report) => ({ id: report.id, ...answer(report, ({ packets }) => ({ packets })) }),
  'pinhole-deleted': (report) => ({ id: report.id, ...answer(report, () => ({})) }),
  'outbound-timeout': (report) => {
    return { asked: pinholeFields(report.asked), ...answer(report, ({ seconds }) => ({ seconds })) }
  },
  searching: ({ timeMs, error }) => ({ time: iso(timeMs), error: errorFields(error) }),
  'gateway-lost': ({ timeMs, error }) => ({ time: iso(timeMs), error: errorFields(error) }),
  renewed: (report) => ({ ...keptFields(report), leaseSeconds: report.leaseSeconds }),
  restored: (report) => {
    return { ...keptFields(report), leaseSeconds: report.leaseSeconds, afterSeconds: seconds(report.afterMs) }
  },
  lost: (report) => ({ ...keptFields(report), reason: report.reason }),
  'keep-failed': (report) => {
    return { ...keptFields(report), error: errorFields(report.error), againInSeconds: seconds(report.againInMs) }
  },
  'external-address-changed': ({ timeMs, address, previous }) => ({ time: iso(timeMs), address, previous }),
  removed: keptFields,
  'left-open': keptFields,
  'not-removed': (report) => ({ ...keptFields(report), error: errorFields(report.error) }),
  emulator: (report) => {
    const { descriptionUrl, portControl } = report
    const endpoint = portControl && { address: portControl.address, port: portControl.port }
    return { descriptionUrl, portControl: endpoint, search: emulatorText(report) }
  },
  notice: (report) => ({ kind: report.kind, message: noticeText(report), ...noticeFields(report.kind, report) }),
  error: ({ error, searched }) => {
    return { error: errorFields(errorOf(error)), ...(searched && { searched: searchedFields(searched) }) }
  },
}

function noticeFields<K extends Notice['kind']>(kind: K, notice: Extract<Notice, { readonly kind: K }>): Fields {
  return NOTICES[kind](notice)
}

const NOTICES: NoticeRows = {
  'still-open': ({ key }) => ({ key: keyFields(key) }),
  'pinhole-still-open': ({ id }) => ({ id }),
  'pinhole-taken-back': ({ id, closed }) => ({ id, closed }),
  'address-not-public': ({ address }) => ({ address }),
  'port-not-chosen': ({ error }) => ({ error: errorFields(error) }),
  'deleted-unknown': ({ via, key }) => ({ via, key: keyFields(key) }),
  'not-listed-at-once': () => ({}),
  'listing-full': ({ count }) => ({ count }),
  'no-presentation-url': () => ({}),
  'nonce-key-not-kept': ({ error }) => ({ error: errorFields(error) }),
  'started-without-ports': ({ someOpen, afterMs }) => ({ someOpen, afterSeconds: seconds(afterMs) }),
  'hook-failed': (notice) => {
    switch (notice.reason) {
      case 'not-started':
        return { reason: notice.reason, error: errorFields(notice.error) }
      case 'timeout':
        return { reason: notice.reason }
      case 'signal':
        return { reason: notice.reason, signal: notice.signal }
      case 'exit':
        return { reason: notice.reason, exitStatus: notice.exitStatus }
    }
  },
  'state-not-written': ({ error }) => ({ error: errorFields(error) }),
}

/** `ok`, and then the fields of the answer or the error. */
function answer<T>(report: Answer<T>, fields: (value: T) => Fields): Fields {
  return report.ok ? { ok: true, ...fields(report) } : { ok: false, error: errorFields(report.error) }
}

function errorFields({ code, message, action, via, number, name, description }: ReportedError): Fields {
  const known = Object.entries({ action, via, number, name, description }).filter(([, value]) => value !== undefined)
  return { code, message, ...Object.fromEntries(known) }
}

function keyFields({ externalPort, protocol, remoteHost }: MappingKey): Fields {
  return { externalPort, protocol, remoteHost }
}

/** The lease becomes a number of seconds, 0 for a lease without an end. */
function askedFields({ internalClient, internalPort, description, lease, ...key }: MappingRequest): Fields {
  return { ...keyFields(key), internalClient, internalPort, description, leaseSeconds: leaseToSeconds(lease) }
}

function mappingFields(mapping: PortMapping): Fields {
  const { protocol, externalPort, internalClient, internalPort, description, remoteHost, leaseSeconds, enabled } =
    mapping
  return { protocol, externalPort, internalClient, internalPort, description, remoteHost, leaseSeconds, enabled }
}

function rangeFields({ startPort, endPort, protocol, manage }: PortRange): Fields {
  return { startPort, endPort, protocol, manage }
}

function pinholeFields({ remoteHost, remotePort, internalClient, internalPort, protocol }: ReportedPinhole): Fields {
  return { remoteHost, remotePort, internalClient, internalPort, protocol }
}

/** The fields of the port stand beside the others, and are left out if the port was never open. */
function keptFields({ timeMs, name, port }: LostPort & { readonly timeMs: number }): Fields {
  return { time: iso(timeMs), name, ...(port && portFields(port)) }
}

function portFields({ protocol, externalPort, internalPort, internalClient }: OpenPort): Fields {
  return { protocol, externalPort, internalPort, internalClient }
}

function searchedFields({
  via,
  searchedMs,
  interfaces,
  defaultGateways,
  portControl,
  answered,
}: SearchSummary): Fields {
  return {
    via,
    searchedMs,
    interfaces: interfaces.map(({ name, address }) => ({ name, address })),
    defaultGateways,
    portControl: portControl.map(({ error, via, gateway, port }) => ({
      via,
      gateway,
      port,
      error: errorFields(error),
    })),
    answered: answered && { via: answered.via, gateway: answered.gateway },
  }
}

function timeIfAny(timeMs: number | undefined): Fields {
  return timeMs === undefined ? {} : { time: iso(timeMs) }
}

function iso(wallMs: number): string {
  return new Date(wallMs).toISOString()
}

function isoSeconds(wallMs: number): string {
  return iso(Math.floor(wallMs / 1000) * 1000).replace('.000Z', 'Z')
}

/** A span in seconds, to the millisecond. */
function seconds(ms: number): number {
  return Math.round(ms) / 1000
}
