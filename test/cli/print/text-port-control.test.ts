/** What is said of PCP and NAT-PMP, in exact text and as JSON; stdout unless a piece says otherwise. */
import { describe, expect, it } from 'vitest'
import { renderJson } from '../../../src/cli/print/json.ts'
import { ctime } from '../../../src/cli/print/pieces.ts'
import { renderText } from '../../../src/cli/print/text.ts'
import type { Report, ReportedError } from '../../../src/cli/report.ts'
import {
  ASKED,
  MALFORMED,
  MAPPING,
  NOTHING_FOUND,
  PINHOLE,
  REFUSED_BY_NAT_PMP,
  REFUSED_BY_PCP,
  SILENT,
} from '../../support/report-parts.ts'

function textOf(report: Report): string {
  return renderText(report, '2.3.3')
    .map(({ stream, text }) => (stream === 'stdout' ? text : `[${stream}] ${text}`))
    .join('')
}

function tonesOf(report: Report): string[] {
  return renderText(report, '2.3.3').map(({ stream, tone }) => `${stream} ${tone}`)
}

const KEY = { externalPort: 8080, protocol: 'TCP', remoteHost: '' } as const
const ANOTHER_PORT =
  '[stderr] hint: somebody else has that external port, or the rules of the router do not allow it; try another one ' +
  'above 1023, or let the router choose with -n\n'
const NOT_CONNECTED = '[stderr] hint: the router has no internet address now; it may not be connected\n'
const REFUSED_HERE: ReportedError = {
  code: 'TRANSPORT',
  message: 'MAP: UDP port 5351 of 192.168.1.1: nothing listens there',
  action: 'MAP',
}

describe('a gateway of PCP or NAT-PMP', () => {
  const gateway = (via: 'pcp' | 'nat-pmp', address: string): Report => {
    return { type: 'gateway', via, address, port: 5351, epochSeconds: 4711 }
  }

  it('is named in the manner of upnpc, with brackets around IPv6', () => {
    expect(textOf(gateway('pcp', '192.168.1.1'))).toBe('Found valid PCP gateway : 192.168.1.1:5351\n')
    expect(textOf(gateway('nat-pmp', '192.168.1.1'))).toBe('Found valid NAT-PMP gateway : 192.168.1.1:5351\n')
    expect(textOf(gateway('pcp', 'fe80::1%eth0'))).toBe('Found valid PCP gateway : [fe80::1%eth0]:5351\n')
  })

  it('has the time since its epoch for its status', () => {
    const sinceMs = Date.UTC(2026, 10, 23, 22, 25, 19)
    for (const [via, title] of [
      ['pcp', 'PCP'],
      ['nat-pmp', 'NAT-PMP'],
    ] as const) {
      expect(textOf({ type: 'port-control-status', via, epochSeconds: 4711, sinceMs })).toBe(
        `Status : speaks ${title}, uptime=4711s\n  Time started : ${ctime(sinceMs)}\n`,
      )
    }
  })
})

describe('mapping a port over PCP or NAT-PMP', () => {
  const failure = (via: 'pcp' | 'nat-pmp', error: ReportedError): Report => {
    return { type: 'map-failed', via, asked: ASKED, error }
  }

  it('is reported as over UPnP if it is done', () => {
    const mapping = { ...MAPPING, description: '', leaseSeconds: 7200 }
    expect(textOf({ type: 'mapped', asked: ASKED, mapping, externalAddress: '11.22.33.44' })).toBe(
      'InternalIP:Port = 192.168.1.5:80\n' +
        'external 11.22.33.44:8080 TCP is redirected to internal 192.168.1.5:80 (duration=7200)\n',
    )
  })

  it('shows the result code with its name, and what to do about it', () => {
    expect(textOf(failure('pcp', REFUSED_BY_PCP))).toBe(
      `PCP MAP(8080, 80, 192.168.1.5) failed with code 11 (CANNOT_PROVIDE_EXTERNAL)\n${ANOTHER_PORT}`,
    )
    expect(textOf(failure('nat-pmp', REFUSED_BY_NAT_PMP))).toBe(
      `NAT-PMP mapping request(8080, 80, 192.168.1.5) failed with code 3 (Network Failure)\n${NOT_CONNECTED}`,
    )
    expect(tonesOf(failure('pcp', REFUSED_BY_PCP))).toEqual(['stdout bad', 'stderr hint'])
  })

  it('does not speak of HTTP if there was no answer', () => {
    expect(textOf(failure('pcp', SILENT))).toBe(
      `PCP MAP(8080, 80, 192.168.1.5) failed with code -3 (no answer)\n[stderr] hint: ${SILENT.message}; it may have worked anyway: ask again\n`,
    )
    expect(textOf(failure('pcp', REFUSED_HERE))).toBe(
      `PCP MAP(8080, 80, 192.168.1.5) failed with code -3 (cannot be asked)\n[stderr] hint: ${REFUSED_HERE.message}\n`,
    )
    for (const action of ['mapping request', 'external address request']) {
      expect(textOf(failure('nat-pmp', { ...SILENT, action }))).toContain('failed with code -3 (no answer)\n')
    }
    expect(textOf(failure('pcp', { ...MALFORMED, action: 'MAP' }))).toMatch(
      /^PCP MAP\(8080, 80, 192\.168\.1\.5\) failed with code -4 \(Miniupnpc Invalid response\)\n/,
    )
  })

  it.each(['NOT_CONFIRMED', 'INVALID_ARGUMENT'] as const)('says in words what has no number: %s', (code) => {
    expect(textOf(failure('pcp', { code, message: 'another port' }))).toBe('[stderr] another port\n')
  })
})

describe('deleting a mapping over PCP or NAT-PMP', () => {
  it('is not called a thing of UPnP, and scripts find the rest of the name', () => {
    expect(textOf({ type: 'unmapped', via: 'pcp', key: KEY })).toBe('PCP_DeletePortMapping() returned : 0\n')
    expect(textOf({ type: 'unmapped', via: 'nat-pmp', key: KEY })).toBe('NATPMP_DeletePortMapping() returned : 0\n')
    expect(tonesOf({ type: 'unmapped', via: 'pcp', key: KEY })).toEqual(['stdout good'])
  })

  it('shows the number alone if it failed', () => {
    expect(textOf({ type: 'unmap-failed', via: 'pcp', key: KEY, error: REFUSED_BY_PCP })).toBe(
      `PCP_DeletePortMapping() failed with code : 11\n${ANOTHER_PORT}`,
    )
    expect(textOf({ type: 'unmap-failed', via: 'nat-pmp', key: KEY, error: REFUSED_BY_NAT_PMP })).toBe(
      `NATPMP_DeletePortMapping() failed with code : 3\n${NOT_CONNECTED}`,
    )
    expect(textOf({ type: 'unmap-failed', via: 'pcp', key: KEY, error: SILENT })).toBe(
      `PCP_DeletePortMapping() failed with code : -3\n[stderr] hint: ${SILENT.message}; it may have worked anyway: ask again\n`,
    )
  })

  it('says in words what was never asked', () => {
    const error = { code: 'INVALID_ARGUMENT', message: 'for the computer that asks only' } as const
    expect(textOf({ type: 'unmap-failed', via: 'nat-pmp', key: KEY, error })).toBe(
      '[stderr] for the computer that asks only\n',
    )
  })
})

describe('a pinhole over PCP', () => {
  const id = 'TCP:[2001:db8::5]:22'

  it('has for its ID what it leads to', () => {
    expect(textOf({ type: 'pinhole-added', via: 'pcp', asked: PINHOLE, ok: true, id, leaseSeconds: 60 })).toBe(
      `AddPinhole: ([::]:0 -> [2001:db8::5]:22) / Pinhole ID = ${id}\n`,
    )
    expect(textOf({ type: 'pinhole-updated', id, leaseSeconds: 60, ok: true })).toBe(
      `UpdatePinhole: Pinhole ID = ${id} with Lease Time: 60\n`,
    )
    expect(textOf({ type: 'pinhole-updated', id, leaseSeconds: 60, ok: false, error: REFUSED_BY_PCP })).toBe(
      `UpdatePinhole: Pinhole ID = ${id} with Lease Time: 60\n` +
        `UpdatePinhole: ID (${id}) failed with code 11 (CANNOT_PROVIDE_EXTERNAL)\n${ANOTHER_PORT}`,
    )
  })

  it('is not closed by UPnP', () => {
    expect(textOf({ type: 'pinhole-deleted', id, ok: true })).toBe('PCP_DeletePinhole() returned : 0\n')
    expect(textOf({ type: 'pinhole-deleted', id, ok: false, error: SILENT })).toBe(
      `PCP_DeletePinhole() returned : -3\n[stderr] hint: ${SILENT.message}; it may have worked anyway: ask again\n`,
    )
  })

  it('is refused with the result code of PCP', () => {
    const answer = { ok: false, error: { ...REFUSED_BY_PCP, number: 2, name: 'NOT_AUTHORIZED' } } as const
    expect(textOf({ type: 'pinhole-added', via: 'pcp', asked: PINHOLE, ...answer })).toMatch(
      /^AddPinhole\(\[::]:0 -> \[2001:db8::5]:22\) failed with code 2 \(NOT_AUTHORIZED\)\n\[stderr] hint: the router does not let this computer open ports/,
    )
  })
})

describe('the same as JSON', () => {
  const error = { ...REFUSED_BY_PCP }
  const asked = { ...ASKED, lease: undefined, leaseSeconds: 0 }
  const tried = { via: 'pcp', gateway: '192.168.1.1', port: 5351, error: REFUSED_BY_PCP } as const
  const answered = { via: 'nat-pmp', gateway: '192.168.1.1' } as const
  const NO_GATEWAY = { code: 'NO_GATEWAY', message: 'x' } as const

  it.each<[string, Report, object]>([
    [
      'a gateway',
      { type: 'gateway', via: 'pcp', address: 'fe80::1%eth0', port: 5351, epochSeconds: 10 },
      { type: 'gateway', via: 'pcp', address: 'fe80::1%eth0', port: 5351, epochSeconds: 10 },
    ],
    [
      'its status, with the time since when in whole seconds of UTC',
      { type: 'port-control-status', via: 'nat-pmp', epochSeconds: 10, sinceMs: Date.UTC(2026, 10, 23, 22, 25, 19, 9) },
      { type: 'port-control-status', via: 'nat-pmp', epochSeconds: 10, since: '2026-11-23T22:25:19Z' },
    ],
    ['a mapping that is gone', { type: 'unmapped', via: 'pcp', key: KEY }, { type: 'unmapped', via: 'pcp', key: KEY }],
    [
      'a mapping that would not go',
      { type: 'unmap-failed', via: 'pcp', key: KEY, error },
      { type: 'unmap-failed', via: 'pcp', key: KEY, error: REFUSED_BY_PCP },
    ],
    [
      'a mapping that failed',
      { type: 'map-failed', via: 'pcp', asked: ASKED, error },
      { type: 'map-failed', via: 'pcp', asked, error: REFUSED_BY_PCP },
    ],
    [
      'where the emulated gateway speaks them',
      {
        type: 'emulator',
        descriptionUrl: 'http://a/',
        address: '127.0.0.1',
        searchError: undefined,
        portControl: { address: '127.0.0.1', port: 5351 },
        portControlError: undefined,
      },
      {
        type: 'emulator',
        descriptionUrl: 'http://a/',
        portControl: { address: '127.0.0.1', port: 5351 },
        search: 'It speaks PCP and NAT-PMP on UDP port 5351. It answers searches on 127.0.0.1; stop it with Ctrl-C.',
      },
    ],
    [
      'what was tried where nothing was found',
      { type: 'error', error: NO_GATEWAY, searched: { ...NOTHING_FOUND, portControl: [tried] } },
      { type: 'error', error: NO_GATEWAY, searched: { ...NOTHING_FOUND, portControl: [tried], answered: null } },
    ],
    [
      'who would have answered',
      { type: 'error', error: NO_GATEWAY, searched: { ...NOTHING_FOUND, answered } },
      { type: 'error', error: NO_GATEWAY, searched: { ...NOTHING_FOUND, answered } },
    ],
    [
      'a pinhole',
      { type: 'pinhole-deleted', id: 'TCP:[::1]:22', ok: true },
      { type: 'pinhole-deleted', id: 'TCP:[::1]:22', ok: true },
    ],
  ])('has these fields and no others: %s', (_, report, fields) => {
    expect(JSON.parse(renderJson(report))).toEqual(fields)
  })
})
