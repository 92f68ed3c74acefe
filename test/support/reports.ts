/** One Report of every type and shape, and the same with other texts in them: for whatever renders Reports. */
import type { Notice, RefusalCause, Report, SearchSummary } from '../../src/cli/report.ts'
import type { CandidateKind } from '../../src/client/search/candidate.ts'
import {
  ASKED,
  MALFORMED,
  MAPPING,
  NOTHING_FOUND,
  PINHOLE,
  RANGE,
  REFUSED,
  REFUSED_BY_NAT_PMP,
  REFUSED_BY_PCP,
  SILENT,
  UNREACHABLE,
} from './report-parts.ts'

export * from './report-parts.ts'

const failed = { ok: false, error: REFUSED } as const
const KEY = { externalPort: 8080, protocol: 'TCP', remoteHost: '1.2.3.4' } as const
const PCP_PINHOLE = 'TCP:[2001:db8::5]:22'
const TIME_MS = Date.UTC(2026, 10, 24, 12, 0, 1, 500)
const KEPT = {
  name: 'external port 22 TCP',
  port: {
    protocol: 'TCP',
    externalPort: 22,
    internalPort: 22,
    internalClient: '192.168.1.2',
    endsWallMs: TIME_MS + 7_200_000,
  },
}
const URL = 'http://192.168.1.1:5000/ctl'

const EMULATOR = { type: 'emulator', descriptionUrl: URL, address: '127.0.0.1' } as const

const ANOTHER_NAT = { kind: 'another-nat', gatewayAddress: '192.168.77.1', localAddress: '172.17.0.2' } as const

const CAUSES: readonly RefusalCause[] = [
  { kind: 'port-taken', mapping: MAPPING },
  { kind: 'port-taken', mapping: { ...MAPPING, remoteHost: '1.2.3.4', internalPort: undefined, description: '' } },
  ...[true, false].flatMap((isForThisComputer): RefusalCause[] => [
    { kind: 'port-differs', mapping: MAPPING, isForThisComputer },
    { kind: 'port-differs', mapping: { ...MAPPING, enabled: false }, isForThisComputer },
    { kind: 'port-differs', mapping: { ...MAPPING, remoteHost: '1.2.3.4' }, isForThisComputer },
    { kind: 'open-elsewhere', mapping: MAPPING, isForThisComputer },
    { kind: 'nobody-shown', isForThisComputer },
  ]),
  ...[TIME_MS, Number.POSITIVE_INFINITY].map((endsWallMs): RefusalCause => {
    return { kind: 'left-behind', internalClient: '192.168.1.7', internalPort: 80, endsWallMs, mapping: MAPPING }
  }),
  { kind: 'client-is-router', address: '11.22.33.44' },
  { kind: 'client-is-public', address: '55.66.77.88' },
  ANOTHER_NAT,
]

const NOTICES: { readonly [K in Notice['kind']]: readonly Extract<Notice, { readonly kind: K }>[] } = {
  'still-open': [{ kind: 'still-open', key: { ...KEY, protocol: 'UDP' } }],
  'left-open': [{ kind: 'left-open', key: { ...KEY, protocol: 'UDP' } }],
  'description-changed': [{ kind: 'description-changed', description: 'Lets Encrypt' }],
  'left-behind-closed': [{ kind: 'left-behind-closed', address: '192.168.1.7' }],
  'lease-not-renewed': [{ kind: 'lease-not-renewed', leaseSeconds: 100 }],
  'client-is-router': [{ kind: 'client-is-router', address: '11.22.33.44' }],
  'client-is-public': [{ kind: 'client-is-public', address: '55.66.77.88' }],
  'another-nat': [ANOTHER_NAT],
  'pinhole-still-open': [{ kind: 'pinhole-still-open', id: 4711 }],
  'pinhole-taken-back': [true, false].map((closed) => ({ kind: 'pinhole-taken-back', id: PCP_PINHOLE, closed })),
  'address-not-public': ['', '10.0.0.1'].map((address) => ({ kind: 'address-not-public', address })),
  'address-unknown': [{ kind: 'address-unknown', error: REFUSED }],
  'not-over-ipv6': [
    { kind: 'not-over-ipv6', error: SILENT, late: true },
    { kind: 'not-over-ipv6', error: SILENT, searched: NOTHING_FOUND, late: false },
  ],
  'ports-over-ipv4': [{ kind: 'ports-over-ipv4' }],
  'too-many-for-list-at-once': [{ kind: 'too-many-for-list-at-once', count: 128 }],
  'port-not-chosen': [{ kind: 'port-not-chosen', error: REFUSED }],
  'nobody-listens': [
    { kind: 'nobody-listens', protocol: 'TCP', port: 25565 },
    { kind: 'nobody-listens', protocol: 'TCP+UDP', port: 25565 },
  ],
  'listens-on-loopback-only': [{ kind: 'listens-on-loopback-only', protocol: 'TCP', port: 25565 }],
  'listens-elsewhere': [
    { kind: 'listens-elsewhere', protocol: 'TCP', port: 6881, address: '10.8.0.2', localAddress: '192.168.1.20' },
    { kind: 'listens-elsewhere', protocol: 'TCP', port: 8333, address: '0.0.0.0', localAddress: '2001:db8:1::20' },
  ],
  'through-tunnel': [{ kind: 'through-tunnel', interface: 'wg0' }],
  'not-the-router': [{ kind: 'not-the-router', address: '192.168.1.2', router: '192.168.1.1' }],
  'no-router': [{ kind: 'no-router', address: '192.168.1.2' }],
  'no-upnp': (['pcp', 'nat-pmp'] as const).map((via) => ({ kind: 'no-upnp', via, waitedMs: 1550 })),
  'description-lost': [{ kind: 'description-lost', via: 'pcp' }],
  'remote-host-unchecked': (['igd', 'pcp'] as const).map((via) => ({ kind: 'remote-host-unchecked', via, key: KEY })),
  'made-by-another': [{ kind: 'made-by-another', key: KEY, address: '192.168.1.2', description: 'a "game"' }],
  'still-taken': (['pcp', 'nat-pmp'] as const).map((via) => ({ kind: 'still-taken', via, key: KEY })),
  'not-remembered': [{ kind: 'not-remembered', key: KEY }],
  'not-shown': [{ kind: 'not-shown', key: KEY }],
  'protocol-gone': [TIME_MS, Number.POSITIVE_INFINITY].map((endsWallMs) => ({
    kind: 'protocol-gone',
    via: 'igd',
    key: KEY,
    endsWallMs,
  })),
  kept: [{ kind: 'kept', key: KEY }],
  'ends-with-lease': [{ kind: 'ends-with-lease', key: KEY, endsWallMs: TIME_MS }],
  'deleted-unknown': (['pcp', 'nat-pmp'] as const).map((via) => ({ kind: 'deleted-unknown', via, key: KEY })),
  'nothing-open': ([['TCP'], ['UDP', 'TCP']] as const).map((protocols) => ({
    kind: 'nothing-open',
    externalPort: 8080,
    protocols,
  })),
  'another-computers': [{ kind: 'another-computers', key: KEY, address: '192.168.1.2', description: 'a "game"' }],
  'not-listed-at-once': [{ kind: 'not-listed-at-once' }],
  'listing-full': [{ kind: 'listing-full', count: 1000 }],
  'no-presentation-url': [{ kind: 'no-presentation-url' }],
  'nonce-in-sight': [{ kind: 'nonce-in-sight' }],
  'nonce-key-not-kept': [{ kind: 'nonce-key-not-kept', error: UNREACHABLE }],
  'started-without-ports': [true, false].map((someOpen) => ({
    kind: 'started-without-ports',
    someOpen,
    afterMs: 1500,
  })),
  'lease-too-short': [{ kind: 'lease-too-short', leaseSeconds: 2, renewedEverySeconds: 4 }],
  'hook-failed': [
    { kind: 'hook-failed', reason: 'not-started', error: UNREACHABLE, willTryAgain: true },
    { kind: 'hook-failed', reason: 'timeout', willTryAgain: false },
    { kind: 'hook-failed', reason: 'signal', signal: 'SIGKILL', willTryAgain: true },
    { kind: 'hook-failed', reason: 'exit', exitStatus: 3, willTryAgain: true },
  ],
  'state-not-written': [{ kind: 'state-not-written', error: UNREACHABLE, willTryAgain: true }],
}

/** The compiler finds a type that is not here. */
const EXAMPLES: { readonly [T in Report['type']]: readonly Extract<Report, { readonly type: T }>[] } = {
  device: [{ type: 'device', location: URL, searchTarget: 'upnp:rootdevice', server: 'Linux UPnP/1.1' }],
  gateway: [
    ...(['connected', 'reserved', 'disconnected', 'not-an-igd'] as const).flatMap((state) => [
      { ...igd(state), externalAddress: '100.64.0.1', used: true, forced: true },
      { ...igd(state), externalAddress: undefined, used: false, forced: false },
    ]),
    { type: 'gateway', via: 'pcp', address: 'fe80::1%eth0', port: 5351, epochSeconds: 4711 },
    { type: 'gateway', via: 'nat-pmp', address: '192.168.1.1', port: 5351, epochSeconds: 0 },
  ],
  'local-address': [{ type: 'local-address', address: '192.168.1.2' }],
  router: [{ type: 'router', address: '192.168.1.1', protocols: ['igd', 'pcp'] }],
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
  'port-control-status': (['pcp', 'nat-pmp'] as const).map((via) => {
    return { type: 'port-control-status', via, epochSeconds: 10, sinceMs: Date.UTC(2026, 10, 23, 22, 25, 19) }
  }),
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
  mapped: [
    { type: 'mapped', asked: ASKED, mapping: MAPPING, externalAddress: '11.22.33.44' },
    { type: 'mapped', timeMs: TIME_MS, asked: ASKED, mapping: MAPPING, externalAddress: '11.22.33.44' },
  ],
  'map-failed': [
    { type: 'map-failed', via: 'igd', asked: ASKED, error: REFUSED },
    { type: 'map-failed', via: 'igd', asked: { ...ASKED, lease: { seconds: 60 } }, error: UNREACHABLE },
    {
      type: 'map-failed',
      via: 'igd',
      asked: ASKED,
      error: { ...REFUSED, action: 'GetSpecificPortMappingEntry', number: 714, isUnconfirmed: true },
    },
    { type: 'map-failed', via: 'igd', asked: ASKED, error: { code: 'NOT_CONFIRMED', message: 'it leads elsewhere' } },
    { type: 'map-failed', via: 'igd', asked: ASKED, error: { code: 'INVALID_ARGUMENT', message: 'no such port' } },
    ...CAUSES.map((cause) => ({ type: 'map-failed', via: 'igd', asked: ASKED, error: REFUSED, cause }) as const),
    {
      ...{ type: 'map-failed', via: 'igd', asked: ASKED, error: { ...REFUSED, number: 724 } },
      cause: { kind: 'port-taken', mapping: MAPPING },
    },
    { type: 'map-failed', via: 'pcp', asked: ASKED, error: REFUSED_BY_PCP },
    { type: 'map-failed', via: 'pcp', asked: ASKED, error: SILENT },
    { type: 'map-failed', via: 'nat-pmp', asked: ASKED, error: REFUSED_BY_NAT_PMP },
  ],
  searching: [
    { type: 'searching', timeMs: TIME_MS, error: SILENT },
    ...searches().map((searched) => ({ type: 'searching', timeMs: TIME_MS, error: SILENT, searched }) as const),
  ],
  'gateway-lost': [{ type: 'gateway-lost', timeMs: TIME_MS, error: UNREACHABLE }],
  moved: ['203.0.113.5', undefined].map((externalAddress) => {
    return { type: 'moved', timeMs: TIME_MS, gateway: '192.168.1.1', previous: '192.168.1.66', externalAddress }
  }),
  renewed: [
    { type: 'renewed', timeMs: TIME_MS, ...KEPT, leaseSeconds: 7200 },
    { type: 'renewed', timeMs: TIME_MS, ...KEPT, port: { ...KEPT.port, endsWallMs: undefined }, leaseSeconds: 0 },
  ],
  restored: [{ type: 'restored', timeMs: TIME_MS, ...KEPT, leaseSeconds: 60, afterMs: 1234 }],
  lost: (['gateway-restarted', 'gone', 'taken', 'expired'] as const).map((reason) => {
    return { type: 'lost', timeMs: TIME_MS, ...KEPT, reason }
  }),
  'keep-failed': [KEPT, { name: KEPT.name }].map((kept) => {
    const leftBehind = { internalClient: '192.168.1.7', internalPort: 80, endsWallMs: TIME_MS }
    const failed = { timeMs: TIME_MS, ...kept, isPinhole: false, error: REFUSED, againInMs: 15_400 }
    return { type: 'keep-failed', ...failed, ...('port' in kept && { leftBehind }) }
  }),
  'external-port-changed': [
    { type: 'external-port-changed', timeMs: TIME_MS, protocol: 'TCP+UDP', externalPort: 41_002, previous: 41_001 },
  ],
  'external-address-changed': [
    { type: 'external-address-changed', timeMs: TIME_MS, address: '55.66.77.88', previous: '11.22.33.44' },
  ],
  'to-close': [{ type: 'to-close', mapping: MAPPING }],
  'left-alone': (['another-computer', 'kept', 'in-use', 'use-unknown', 'another-router'] as const).map((reason) => ({
    ...{ type: 'left-alone', mapping: MAPPING, reason },
  })),
  'nothing-to-close': [{ type: 'nothing-to-close', left: 2 }],
  asked: [{ type: 'asked', count: 3 }],
  declined: [{ type: 'declined' }],
  'port-appeared': [true, false].map((wasThere) => ({
    ...{ type: 'port-appeared', timeMs: TIME_MS, wasThere, mapping: MAPPING },
  })),
  'port-gone': [{ type: 'port-gone', timeMs: TIME_MS, mapping: MAPPING }],
  'port-renewed': [{ type: 'port-renewed', timeMs: TIME_MS, mapping: MAPPING }],
  'gateway-restarted': [{ type: 'gateway-restarted', timeMs: TIME_MS }],
  'gateway-back': [{ type: 'gateway-back', timeMs: TIME_MS, address: '192.168.1.1', afterMs: 4100 }],
  'hook-succeeded': [1, 7].map((failures) => ({ type: 'hook-succeeded', timeMs: TIME_MS, failures })),
  'lines-dropped': [1, 7].map((count) => ({ type: 'lines-dropped', timeMs: TIME_MS, count })),
  removed: [{ type: 'removed', timeMs: TIME_MS, ...KEPT }],
  'left-open': [{ type: 'left-open', timeMs: TIME_MS, name: KEPT.name, port: KEPT.port, reason: 'was-open' }],
  'ends-with-lease': [{ type: 'ends-with-lease', timeMs: TIME_MS, ...KEPT, endsWallMs: TIME_MS + 60_000 }],
  'not-removed': [{ type: 'not-removed', timeMs: TIME_MS, ...KEPT, error: SILENT }],
  unmapped: (['igd', 'pcp', 'nat-pmp'] as const).map((via) => ({ type: 'unmapped', via, key: KEY })),
  'unmap-failed': [
    { type: 'unmap-failed', via: 'igd', key: KEY, error: { ...REFUSED, action: 'DeletePortMapping', number: 714 } },
    { type: 'unmap-failed', via: 'pcp', key: KEY, error: REFUSED_BY_PCP },
    { type: 'unmap-failed', via: 'nat-pmp', key: KEY, error: REFUSED_BY_NAT_PMP },
    { type: 'unmap-failed', via: 'nat-pmp', key: KEY, error: { code: 'INVALID_ARGUMENT', message: 'not for another' } },
  ],
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
    { type: 'pinhole-added', via: 'igd', asked: PINHOLE, ok: true, id: 4711, leaseSeconds: 3600 },
    { type: 'pinhole-added', timeMs: TIME_MS, via: 'pcp', asked: PINHOLE, ok: true, id: PCP_PINHOLE, leaseSeconds: 0 },
    { type: 'pinhole-added', via: 'igd', asked: PINHOLE, ...failed },
  ],
  'pinhole-working': (['check', 'update'] as const).flatMap((during) => [
    { type: 'pinhole-working', during, id: 1, ok: true, working: true },
    { type: 'pinhole-working', during, id: 1, ...failed },
  ]),
  'pinhole-updated': [
    { type: 'pinhole-updated', id: 1, leaseSeconds: 60, ok: true },
    { type: 'pinhole-updated', id: 1, leaseSeconds: 60, ...failed },
    { type: 'pinhole-updated', id: PCP_PINHOLE, leaseSeconds: 60, ok: false, error: REFUSED_BY_PCP },
  ],
  'pinhole-packets': [
    { type: 'pinhole-packets', id: 1, ok: true, packets: 4294967295 },
    { type: 'pinhole-packets', id: 1, ...failed },
  ],
  'pinhole-deleted': [
    { type: 'pinhole-deleted', id: 1, ok: true },
    { type: 'pinhole-deleted', id: PCP_PINHOLE, ok: true },
    { type: 'pinhole-deleted', id: PCP_PINHOLE, ok: false, error: SILENT },
    { type: 'pinhole-deleted', id: 1, ...failed },
  ],
  'outbound-timeout': [
    { type: 'outbound-timeout', asked: PINHOLE, ok: true, seconds: 120 },
    { type: 'outbound-timeout', asked: PINHOLE, ...failed },
  ],
  'presentation-url': [{ type: 'presentation-url', url: 'http://192.168.1.1/' }],
  emulator: [
    {
      ...EMULATOR,
      searchError: undefined,
      portControl: { address: '127.0.0.1', port: 5351 },
      portControlError: undefined,
    },
    { ...EMULATOR, searchError: UNREACHABLE, portControl: undefined, portControlError: UNREACHABLE },
  ],
  notice: Object.values(NOTICES)
    .flat()
    .map((notice) => ({ type: 'notice', ...notice })),
  error: [
    { type: 'error', error: { code: 'USAGE', message: 'one line' } },
    { type: 'error', error: { code: 'USAGE', message: 'no command was given' }, usageOf: '' },
    { type: 'error', error: { code: 'INTERNAL', message: 'TypeError: x' } },
    { type: 'error', error: { code: 'NO_GATEWAY', message: 'it is not connected' } },
    { type: 'error', error: { code: 'NO_REPLY', message: 'gave up' } },
    { type: 'error', error: { kind: 'no-ipv4-address' } },
    { type: 'error', error: { kind: 'program-not-started', someOpen: false, afterMs: 60_000 } },
    { type: 'error', error: { code: 'TRANSPORT', message: 'description: refused', action: 'description' } },
    ...searches().map((searched): Extract<Report, { type: 'error' }> => {
      return { type: 'error', error: { code: 'NO_GATEWAY', message: 'nothing answered' }, searched }
    }),
  ],
}

function igd(state: CandidateKind) {
  return { type: 'gateway', via: 'igd', state, controlUrl: URL } as const
}

function searches(): SearchSummary[] {
  const refused = { via: 'pcp', gateway: '192.168.1.1', port: 5351, error: REFUSED_BY_PCP } as const
  const silent = { via: 'nat-pmp', gateway: '192.168.1.1', port: 5351, error: SILENT } as const
  return [
    NOTHING_FOUND,
    { ...NOTHING_FOUND, portControl: [refused, silent] },
    { ...NOTHING_FOUND, referral: { from: '192.168.1.3', location: 'http://192.168.1.4:5000/root.xml' } },
    { ...NOTHING_FOUND, via: 'pcp', interfaces: [], portControl: [{ ...silent, error: UNREACHABLE }] },
    { ...NOTHING_FOUND, answered: { via: 'nat-pmp', gateway: '192.168.1.1' } },
  ]
}

function status(connectedSinceMs: number | undefined) {
  return { connectionStatus: 'Connected', lastConnectionError: 'ERROR_NONE', uptimeSeconds: 10, connectedSinceMs }
}

export const ALL_REPORTS: readonly Report[] = Object.values(EXAMPLES).flat()

/** What decides about the shape of a Report, and can be nothing but what its type says. */
const DISCRIMINANTS: ReadonlySet<string> = new Set([
  'type',
  'state',
  'during',
  'code',
  'endedBy',
  'lease',
  'action',
  'via',
  'kind',
  'reason',
  'signal',
])

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
