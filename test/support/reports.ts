/** One Report of every type and shape, and the same with other texts in them: for whatever renders Reports. */
import type { Report, ReportedError, ReportedPinhole } from '../../src/cli/report.ts'
import type { MappingRequest, PortMapping } from '../../src/domain/port-mapping.ts'

export const REFUSED: ReportedError = {
  code: 'REFUSED',
  message: 'AddPortMapping was refused with 718 (ConflictInMappingEntry)',
  action: 'AddPortMapping',
  number: 718,
  name: 'ConflictInMappingEntry',
  description: 'taken',
}

export const UNREACHABLE: ReportedError = {
  code: 'TRANSPORT',
  message: 'AddPortMapping: http://192.168.1.1:5000: connection refused',
  action: 'AddPortMapping',
}

export const MALFORMED: ReportedError = {
  code: 'MALFORMED_MESSAGE',
  message: 'expected NewUptime in the reply to GetStatusInfo',
  action: 'GetStatusInfo',
}

export const MAPPING: PortMapping = {
  remoteHost: '',
  externalPort: 8080,
  protocol: 'TCP',
  internalPort: 80,
  internalClient: '192.168.1.5',
  enabled: true,
  description: 'web & co',
  leaseSeconds: 0,
}

export const ASKED: MappingRequest = {
  remoteHost: '',
  externalPort: 8080,
  protocol: 'TCP',
  internalPort: 80,
  internalClient: '192.168.1.5',
  description: 'upnp-ts',
  lease: 'unlimited',
}

export const PINHOLE: ReportedPinhole = {
  remoteHost: '',
  remoteHostTyped: '::',
  remotePort: 0,
  internalClient: '2001:db8::5',
  internalPort: 22,
  protocol: 6,
  leaseSeconds: 3600,
}

export const RANGE = { startPort: 1, endPort: 100, protocol: 'TCP', manage: false } as const

const failed = { ok: false, error: REFUSED } as const
const KEY = { externalPort: 8080, protocol: 'TCP', remoteHost: '1.2.3.4' } as const
const URL = 'http://192.168.1.1:5000/ctl'

/** The compiler finds a type that is not here. */
const EXAMPLES: { readonly [T in Report['type']]: readonly Extract<Report, { readonly type: T }>[] } = {
  device: [{ type: 'device', location: URL, searchTarget: 'upnp:rootdevice', server: 'Linux UPnP/1.1' }],
  gateway: (['connected', 'reserved', 'disconnected', 'not-an-igd'] as const).flatMap((state) => [
    { type: 'gateway', state, controlUrl: URL, externalAddress: '100.64.0.1', used: true, forced: true },
    { type: 'gateway', state, controlUrl: URL, externalAddress: undefined, used: false, forced: false },
  ]),
  'local-address': [{ type: 'local-address', address: '192.168.1.2' }],
  'connection-type': [
    { type: 'connection-type', ok: true, connectionType: 'IP_Routed' },
    { type: 'connection-type', ...failed },
  ],
  status: [
    { type: 'status', ok: true, ...status(undefined) },
    { type: 'status', ok: true, ...status(Date.UTC(2026, 10, 23, 22, 25, 19)) },
    { type: 'status', ...failed },
  ],
  'link-rates': [
    { type: 'link-rates', ok: true, upstreamBitsPerSecond: 512, downstreamBitsPerSecond: 16_999_999 },
    { type: 'link-rates', ...failed },
  ],
  'external-address': (['status', 'map'] as const).flatMap((during) => [
    { type: 'external-address', during, ok: true, address: '11.22.33.44' },
    { type: 'external-address', during, ok: true, address: '' },
    { type: 'external-address', during, ...failed },
  ]),
  traffic: [{ type: 'traffic', bytesSent: 1, bytesReceived: 4294967295, packetsSent: undefined, packetsReceived: 4 }],
  listing: [{ type: 'listing' }],
  mapping: [
    { type: 'mapping', index: 0, mapping: MAPPING },
    { type: 'mapping', index: 12, mapping: { ...MAPPING, externalPort: undefined, internalPort: undefined } },
  ],
  'listing-end': [
    { type: 'listing-end', count: 2, endedBy: { number: 713, standardName: 'SpecifiedArrayIndexInvalid' } },
    { type: 'listing-end', count: 2, endedBy: 'repetition' },
    { type: 'listing-end', count: 65_536, endedBy: 'limit' },
  ],
  'listing-failed': [
    { type: 'listing-failed', count: 0, error: REFUSED },
    { type: 'listing-failed', count: 3, error: MALFORMED },
  ],
  mapped: [{ type: 'mapped', asked: ASKED, mapping: MAPPING, externalAddress: '11.22.33.44' }],
  'map-failed': [
    { type: 'map-failed', asked: ASKED, error: REFUSED },
    { type: 'map-failed', asked: { ...ASKED, lease: { seconds: 60 } }, error: UNREACHABLE },
    { type: 'map-failed', asked: ASKED, error: { ...REFUSED, action: 'GetSpecificPortMappingEntry', number: 714 } },
    { type: 'map-failed', asked: ASKED, error: { code: 'NOT_CONFIRMED', message: 'it leads elsewhere' } },
    { type: 'map-failed', asked: ASKED, error: { code: 'INVALID_ARGUMENT', message: 'no such port' } },
  ],
  unmapped: [{ type: 'unmapped', key: KEY }],
  'unmap-failed': [{ type: 'unmap-failed', key: KEY, error: { ...REFUSED, action: 'DeletePortMapping', number: 714 } }],
  'taken-back': [{ type: 'taken-back', key: { ...KEY, protocol: 'UDP' } }],
  'list-at-once-failed': [
    { type: 'list-at-once-failed', error: { ...REFUSED, action: 'GetListOfPortMappings', number: 730 } },
    { type: 'list-at-once-failed', error: UNREACHABLE },
  ],
  'range-unmapped': [{ type: 'range-unmapped', range: RANGE }],
  'range-unmap-failed': [{ type: 'range-unmap-failed', range: RANGE, error: { ...REFUSED, number: 730 } }],
  'pinhole-advice': [{ type: 'pinhole-advice' }],
  'firewall-status': [
    { type: 'firewall-status', ok: true, firewallEnabled: true, inboundPinholeAllowed: false },
    { type: 'firewall-status', ...failed },
  ],
  'pinhole-added': [
    { type: 'pinhole-added', asked: PINHOLE, ok: true, id: 4711 },
    { type: 'pinhole-added', asked: PINHOLE, ...failed },
  ],
  'pinhole-working': (['check', 'update'] as const).flatMap((during) => [
    { type: 'pinhole-working', during, id: 1, ok: true, working: true },
    { type: 'pinhole-working', during, id: 1, ...failed },
  ]),
  'pinhole-updated': [
    { type: 'pinhole-updated', id: 1, leaseSeconds: 60, ok: true },
    { type: 'pinhole-updated', id: 1, leaseSeconds: 60, ...failed },
  ],
  'pinhole-packets': [
    { type: 'pinhole-packets', id: 1, ok: true, packets: 4294967295 },
    { type: 'pinhole-packets', id: 1, ...failed },
  ],
  'pinhole-deleted': [
    { type: 'pinhole-deleted', id: 1, ok: true },
    { type: 'pinhole-deleted', id: 1, ...failed },
  ],
  'outbound-timeout': [
    { type: 'outbound-timeout', asked: PINHOLE, ok: true, seconds: 120 },
    { type: 'outbound-timeout', asked: PINHOLE, ...failed },
  ],
  'presentation-url': [{ type: 'presentation-url', url: 'http://192.168.1.1/' }],
  emulator: [{ type: 'emulator', descriptionUrl: 'http://127.0.0.1:5000/rootDesc.xml', search: 'It answers.' }],
  notice: [{ type: 'notice', message: 'something' }],
  error: [
    { type: 'error', error: { code: 'USAGE', message: 'one line' } },
    { type: 'error', error: { code: 'USAGE', message: 'Command line argument error.' }, withUsage: true },
    { type: 'error', error: { code: 'INTERNAL', message: 'TypeError: x' } },
    { type: 'error', error: { code: 'NO_GATEWAY', message: 'it is not connected' } },
    { type: 'error', error: { code: 'NO_REPLY', message: 'gave up' } },
    { type: 'error', error: { code: 'TRANSPORT', message: 'description: refused', action: 'description' } },
    {
      type: 'error',
      error: { code: 'NO_GATEWAY', message: 'nothing answered' },
      searched: { searchedMs: 4000, interfaces: ['eth0 (192.168.1.2)'], defaultGateways: ['192.168.1.1'] },
    },
  ],
}

function status(connectedSinceMs: number | undefined) {
  return { connectionStatus: 'Connected', lastConnectionError: 'ERROR_NONE', uptimeSeconds: 10, connectedSinceMs }
}

export const ALL_REPORTS: readonly Report[] = Object.values(EXAMPLES).flat()

/** What decides about the shape of a Report, and can be nothing but what its type says. */
const DISCRIMINANTS: ReadonlySet<string> = new Set(['type', 'state', 'during', 'code', 'endedBy', 'lease', 'action'])

/** The same Report with that text wherever there is text that came from somewhere. */
export function withTextEverywhere(report: Report, text: string): Report {
  return replaced(report, '', text) as Report
}

function replaced(value: unknown, key: string, text: string): unknown {
  if (typeof value === 'string') return DISCRIMINANTS.has(key) ? value : text
  if (Array.isArray(value)) return value.map((each) => replaced(each, key, text))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, replaced(each, name, text)]))
}
