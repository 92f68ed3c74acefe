/** Reports -> JSON: the fields that docs/json.md promises, one object on one line each. */
import { describe, expect, it } from 'vitest'
import { renderJson } from '../../../src/cli/print/json.ts'
import type { Report } from '../../../src/cli/report.ts'
import { ALL_REPORTS, ASKED, MAPPING, PINHOLE, RANGE, REFUSED, UNREACHABLE } from '../../support/reports.ts'

const RANGE_FIELDS = { startPort: 1, endPort: 100, protocol: 'TCP', manage: false } as const
const TRAFFIC_FIELDS = {
  remoteHost: '',
  remotePort: 0,
  internalClient: '2001:db8::5',
  internalPort: 22,
  protocol: 6,
}
const PINHOLE_FIELDS = { ...TRAFFIC_FIELDS, leaseSeconds: 3600 }

function parsed(report: Report): unknown {
  return JSON.parse(renderJson(report))
}

const failed = { ok: false, error: REFUSED } as const
const REFUSED_FIELDS = {
  code: 'REFUSED',
  message: 'AddPortMapping was refused with 718 (ConflictInMappingEntry)',
  action: 'AddPortMapping',
  number: 718,
  name: 'ConflictInMappingEntry',
  description: 'taken',
}
const MAPPING_FIELDS = {
  remoteHost: '',
  externalPort: 8080,
  protocol: 'TCP',
  internalPort: 80,
  internalClient: '192.168.1.5',
  enabled: true,
  description: 'web & co',
  leaseSeconds: 0,
}
const ASKED_FIELDS = {
  remoteHost: '',
  externalPort: 8080,
  protocol: 'TCP',
  internalPort: 80,
  internalClient: '192.168.1.5',
  description: 'upnp-ts',
  leaseSeconds: 0,
}

describe('a report as JSON', () => {
  it.each(ALL_REPORTS.map((report, at) => [`${at} ${report.type}`, report] as const))(
    'is one object on one line that begins with its type: %s',
    (_, report) => {
      const line = renderJson(report)
      expect(line.indexOf('\n')).toBe(line.length - 1)
      expect(line.startsWith(`{"type":"${report.type}"`)).toBe(true)
      expect(parsed(report)).toMatchObject({ type: report.type })
    },
  )

  it.each<[string, Report, object]>([
    [
      'a device',
      { type: 'device', location: 'http://a/', searchTarget: 'upnp:rootdevice', server: 's' },
      { type: 'device', location: 'http://a/', searchTarget: 'upnp:rootdevice', server: 's' },
    ],
    [
      'a gateway',
      {
        type: 'gateway',
        via: 'igd',
        state: 'reserved',
        controlUrl: 'http://a/',
        externalAddress: '10.0.0.1',
        used: true,
        forced: false,
      },
      {
        type: 'gateway',
        via: 'igd',
        state: 'reserved',
        controlUrl: 'http://a/',
        externalAddress: '10.0.0.1',
        used: true,
        forced: false,
      },
    ],
    [
      'a gateway whose external address is not known',
      {
        type: 'gateway',
        via: 'igd',
        state: 'connected',
        controlUrl: 'http://a/',
        externalAddress: undefined,
        used: true,
        forced: false,
      },
      {
        type: 'gateway',
        via: 'igd',
        state: 'connected',
        controlUrl: 'http://a/',
        externalAddress: null,
        used: true,
        forced: false,
      },
    ],
    ['the local address', { type: 'local-address', address: '1.2.3.4' }, { type: 'local-address', address: '1.2.3.4' }],
    [
      'a connection type',
      { type: 'connection-type', ok: true, connectionType: 'IP_Routed' },
      { type: 'connection-type', ok: true, connectionType: 'IP_Routed' },
    ],
    [
      'an answer that was refused',
      { type: 'connection-type', ...failed },
      { type: 'connection-type', ok: false, error: REFUSED_FIELDS },
    ],
    [
      'a status with the time since when, in whole seconds of UTC',
      { type: 'status', ok: true, ...status(Date.UTC(2026, 10, 23, 22, 25, 19, 999)) },
      { type: 'status', ok: true, ...statusFields('2026-11-23T22:25:19Z') },
    ],
    [
      'a status without that time',
      { type: 'status', ok: true, ...status(undefined) },
      { type: 'status', ok: true, ...statusFields(null) },
    ],
    ['a status that failed', { type: 'status', ...failed }, { type: 'status', ok: false, error: REFUSED_FIELDS }],
    [
      'link rates',
      { type: 'link-rates', ok: true, upstreamBitsPerSecond: 1, downstreamBitsPerSecond: 2 },
      { type: 'link-rates', ok: true, upstreamBitsPerSecond: 1, downstreamBitsPerSecond: 2 },
    ],
    [
      'an external address',
      { type: 'external-address', during: 'map', ok: true, address: '1.2.3.4' },
      { type: 'external-address', during: 'map', ok: true, address: '1.2.3.4' },
    ],
    [
      'counters, and null for one that could not be had',
      { type: 'traffic', bytesSent: 0, bytesReceived: 1, packetsSent: undefined, packetsReceived: 3 },
      { type: 'traffic', bytesSent: 0, bytesReceived: 1, packetsSent: null, packetsReceived: 3 },
    ],
    ['the beginning of a listing', { type: 'listing' }, { type: 'listing' }],
    [
      'a mapping, flat',
      { type: 'mapping', index: 3, mapping: MAPPING },
      { type: 'mapping', index: 3, ...MAPPING_FIELDS },
    ],
    [
      'a mapping with numbers that the router did not send',
      { type: 'mapping', index: 3, mapping: { ...MAPPING, externalPort: undefined, leaseSeconds: undefined } },
      { type: 'mapping', index: 3, ...MAPPING_FIELDS, externalPort: null, leaseSeconds: null },
    ],
    [
      'the end of a listing',
      { type: 'listing-end', count: 1, endedBy: { number: 713, standardName: 'x' } },
      { type: 'listing-end', count: 1, endedBy: { number: 713, standardName: 'x' } },
    ],
    [
      'the end of a listing that repeated itself',
      { type: 'listing-end', count: 1, endedBy: 'repetition' },
      { type: 'listing-end', count: 1, endedBy: 'repetition' },
    ],
    [
      'a listing that broke off',
      { type: 'listing-failed', count: 1, error: UNREACHABLE },
      {
        type: 'listing-failed',
        count: 1,
        error: {
          code: 'TRANSPORT',
          message: 'AddPortMapping: http://192.168.1.1:5000: connection refused',
          action: 'AddPortMapping',
        },
      },
    ],
    [
      'what was asked and what the router made of it',
      { type: 'mapped', asked: ASKED, mapping: MAPPING, externalAddress: '11.22.33.44', reachable: true },
      { type: 'mapped', asked: ASKED_FIELDS, mapping: MAPPING_FIELDS, externalAddress: '11.22.33.44', reachable: true },
    ],
    [
      'a mapping that failed, with its lease in seconds',
      { type: 'map-failed', via: 'igd', asked: { ...ASKED, lease: { seconds: 60 } }, error: REFUSED },
      { type: 'map-failed', via: 'igd', asked: { ...ASKED_FIELDS, leaseSeconds: 60 }, error: REFUSED_FIELDS },
    ],
    [
      'a mapping that is gone',
      { type: 'unmapped', via: 'igd', key: key() },
      { type: 'unmapped', via: 'igd', key: key() },
    ],
    [
      'a mapping that would not go',
      { type: 'unmap-failed', via: 'igd', key: key(), error: REFUSED },
      { type: 'unmap-failed', via: 'igd', key: key(), error: REFUSED_FIELDS },
    ],
    ['half of TCP+UDP that is closed again', { type: 'taken-back', key: key() }, { type: 'taken-back', key: key() }],
    [
      'a listing that cannot be had at once',
      { type: 'list-at-once-failed', error: REFUSED },
      { type: 'list-at-once-failed', error: REFUSED_FIELDS },
    ],
    ['a range that is gone', { type: 'range-unmapped', range: RANGE }, { type: 'range-unmapped', range: RANGE_FIELDS }],
    [
      'a range that would not go',
      { type: 'range-unmap-failed', range: RANGE, error: REFUSED },
      { type: 'range-unmap-failed', range: RANGE_FIELDS, error: REFUSED_FIELDS },
    ],
    ['the advice to use IPv6', { type: 'pinhole-advice' }, { type: 'pinhole-advice' }],
    [
      'the state of the firewall',
      { type: 'firewall-status', ok: true, firewallEnabled: true, inboundPinholeAllowed: false },
      { type: 'firewall-status', ok: true, firewallEnabled: true, inboundPinholeAllowed: false },
    ],
    [
      'a pinhole, without how its remote host was typed',
      { type: 'pinhole-added', via: 'igd', asked: PINHOLE, ok: true, id: 7, leaseSeconds: 120 },
      { type: 'pinhole-added', asked: PINHOLE_FIELDS, ok: true, id: 7, leaseSeconds: 120 },
    ],
    [
      'a pinhole that was refused',
      { type: 'pinhole-added', via: 'igd', asked: PINHOLE, ...failed },
      { type: 'pinhole-added', asked: PINHOLE_FIELDS, ok: false, error: REFUSED_FIELDS },
    ],
    [
      'whether a pinhole works',
      { type: 'pinhole-working', during: 'check', id: 7, ok: true, working: false },
      { type: 'pinhole-working', during: 'check', id: 7, ok: true, working: false },
    ],
    [
      'the new lease of a pinhole',
      { type: 'pinhole-updated', id: 7, leaseSeconds: 60, ok: true },
      { type: 'pinhole-updated', id: 7, leaseSeconds: 60, ok: true },
    ],
    [
      'the packets of a pinhole',
      { type: 'pinhole-packets', id: 7, ok: true, packets: 0 },
      { type: 'pinhole-packets', id: 7, ok: true, packets: 0 },
    ],
    [
      'a pinhole that would not go',
      { type: 'pinhole-deleted', id: 7, ...failed },
      { type: 'pinhole-deleted', id: 7, ok: false, error: REFUSED_FIELDS },
    ],
    [
      'a timeout',
      { type: 'outbound-timeout', asked: PINHOLE, ok: true, seconds: 120 },
      { type: 'outbound-timeout', asked: TRAFFIC_FIELDS, ok: true, seconds: 120 },
    ],
    ['the web page', { type: 'presentation-url', url: '' }, { type: 'presentation-url', url: '' }],
    [
      'the emulated gateway',
      {
        type: 'emulator',
        descriptionUrl: 'http://127.0.0.1/',
        address: '127.0.0.1',
        searchError: undefined,
        portControl: undefined,
        portControlError: undefined,
      },
      {
        type: 'emulator',
        descriptionUrl: 'http://127.0.0.1/',
        portControl: null,
        search: 'It does not speak PCP or NAT-PMP. It answers searches on 127.0.0.1; stop it with Ctrl-C.',
      },
    ],
    [
      'a notice with its facts, and the sentence that is made of them',
      { type: 'notice', kind: 'listing-full', count: 1000 },
      {
        type: 'notice',
        kind: 'listing-full',
        message: 'the router was asked for 1000 entries and may have more; -l lists them all',
        count: 1000,
      },
    ],
    [
      'what keeps a command from being done, as an error',
      { type: 'error', error: { kind: 'program-not-started', someOpen: true, afterMs: 1500 } },
      {
        type: 'error',
        error: {
          code: 'NO_GATEWAY',
          message: 'not every port was open within 1.5 s, and --require was given: the program does not start',
        },
      },
    ],
    [
      'an error, without how it is printed for people',
      { type: 'error', error: { code: 'USAGE', message: 'x' }, usageOf: '' },
      { type: 'error', error: { code: 'USAGE', message: 'x' } },
    ],
  ])('has these fields and no others: %s', (_, report, fields) => {
    expect(parsed(report)).toEqual(fields)
  })
})

function status(connectedSinceMs: number | undefined) {
  return { connectionStatus: 'Up', lastConnectionError: '', uptimeSeconds: 10, connectedSinceMs }
}

function statusFields(connectedSince: string | null) {
  return { connectionStatus: 'Up', lastConnectionError: '', uptimeSeconds: 10, connectedSince }
}

function key() {
  return { externalPort: 1, protocol: 'TCP', remoteHost: '' } as const
}
