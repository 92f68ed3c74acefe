/** Reports -> exact text. The texts are those of upnpc 2.3.3; stdout unless a piece says otherwise. */
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { Compatibility } from '../../../src/cli/parse/output-options.ts'
import { briefUsage } from '../../../src/cli/print/help/brief.ts'
import { ctime } from '../../../src/cli/print/pieces.ts'
import { DEVICES_HEADING, renderText } from '../../../src/cli/print/text.ts'
import type { Report, ReportedError } from '../../../src/cli/report.ts'
import type { CandidateKind } from '../../../src/client/search/candidate.ts'
import { nothingFoundHint } from '../../../src/domain/hints.ts'
import {
  ASKED,
  MALFORMED,
  MAPPING,
  NOTHING_FOUND,
  PINHOLE,
  RANGE,
  REFUSED,
  UNREACHABLE,
} from '../../support/reports.ts'

afterEach(() => vi.unstubAllEnvs())

/** All pieces, each behind the name of its stream if that is not stdout. */
function textOf(report: Report, compat: Compatibility = '2.3.3'): string {
  return renderText(report, compat)
    .map(({ stream, text }) => (stream === 'stdout' ? text : `[${stream}] ${text}`))
    .join('')
}

function tonesOf(report: Report): string[] {
  return renderText(report, '2.3.3').map(({ stream, tone }) => `${stream} ${tone}`)
}

const failed = { ok: false, error: REFUSED } as const
const TRY_ANOTHER =
  '[stderr] hint: that external port is taken (-l shows by whom), or the router opens ports only for the computer that asks; try another external port\n'

describe('finding the gateway', () => {
  it('lists the devices as upnpc does, with a blank line after each', () => {
    expect(DEVICES_HEADING).toBe('List of UPNP devices found on the network :\n')
    expect(textOf({ type: 'device', location: 'http://a/', searchTarget: 'upnp:rootdevice', server: 'x' })).toBe(
      ' desc: http://a/\n st: upnp:rootdevice\n\n',
    )
  })

  const gateway = (state: CandidateKind, more = {}): Report => ({
    type: 'gateway',
    via: 'igd',
    state,
    controlUrl: 'http://r/ctl',
    externalAddress: '100.64.0.1',
    used: true,
    forced: false,
    ...more,
  })

  it('names the state of the gateway', () => {
    expect(textOf(gateway('connected'))).toBe('Found valid IGD : http://r/ctl\n')
    expect(textOf(gateway('reserved'))).toBe('Found an IGD with a reserved IP address (100.64.0.1) : http://r/ctl\n')
    expect(textOf(gateway('disconnected'))).toBe('Found a (not connected?) IGD : http://r/ctl\n')
    expect(textOf(gateway('not-an-igd'))).toBe('UPnP device found. Is it an IGD ? : http://r/ctl\n')
  })

  it('leaves the parentheses empty if the external address is not known', () => {
    expect(textOf(gateway('reserved', { externalAddress: undefined }))).toBe(
      'Found an IGD with a reserved IP address () : http://r/ctl\n',
    )
  })

  it('says that it goes on only because of -i', () => {
    expect(textOf(gateway('disconnected', { forced: true }))).toBe(
      'Found a (not connected?) IGD : http://r/ctl\nTrying to continue anyway\n',
    )
    expect(textOf(gateway('not-an-igd', { forced: true }))).toBe(
      'UPnP device found. Is it an IGD ? : http://r/ctl\nTrying to continue anyway\n',
    )
  })

  it('says by which address this computer talks to it', () => {
    expect(textOf({ type: 'local-address', address: '192.168.1.2' })).toBe('Local LAN ip address : 192.168.1.2\n')
  })
})

describe('the state of the gateway', () => {
  it('names the connection type, or says that it failed', () => {
    expect(textOf({ type: 'connection-type', ok: true, connectionType: 'IP_Routed' })).toBe(
      'Connection Type : IP_Routed\n',
    )
    expect(textOf({ type: 'connection-type', ...failed })).toBe('GetConnectionTypeInfo failed.\n')
  })

  const status = (connectedSinceMs: number | undefined, uptimeSeconds: number): Report => ({
    type: 'status',
    ok: true,
    connectionStatus: 'Connected',
    lastConnectionError: 'ERROR_NONE',
    uptimeSeconds,
    connectedSinceMs,
  })

  it('names the status, and its beginning if that is known', () => {
    const since = new Date(2026, 10, 23, 23, 25, 19, 999).getTime()
    expect(textOf(status(since, 10))).toBe(
      'Status : Connected, uptime=10s, LastConnectionError : ERROR_NONE\n  Time started : Mon Nov 23 23:25:19 2026\n',
    )
    expect(textOf(status(undefined, 0))).toBe('Status : Connected, uptime=0s, LastConnectionError : ERROR_NONE\n')
    expect(textOf({ type: 'status', ...failed })).toBe('GetStatusInfo failed.\n')
  })

  it.each([
    [0, '0 bps'],
    [999, '999 bps'],
    [1000, '1000 bps (1 Kbps)'],
    [1999, '1999 bps (1 Kbps)'],
    [999_999, '999999 bps (999 Kbps)'],
    [1_000_000, '1000000 bps (1.0 Mbps)'],
    [16_999_999, '16999999 bps (16.9 Mbps)'],
    [4_294_967_295, '4294967295 bps (4294.9 Mbps)'],
    [10_000_000_000, '10000000000 bps (10000.0 Mbps)'],
  ])('cuts a link rate of %d instead of rounding it: %s', (bitsPerSecond, shown) => {
    const both = { upstreamBitsPerSecond: bitsPerSecond, downstreamBitsPerSecond: bitsPerSecond }
    expect(textOf({ type: 'link-rates', ok: true, ...both })).toBe(
      `MaxBitRateDown : ${shown}   MaxBitRateUp ${shown}\n`,
    )
  })

  it('says down before up, and that neither could be had', () => {
    const rates = { upstreamBitsPerSecond: 1, downstreamBitsPerSecond: 2 }
    expect(textOf({ type: 'link-rates', ok: true, ...rates })).toBe('MaxBitRateDown : 2 bps   MaxBitRateUp 1 bps\n')
    expect(textOf({ type: 'link-rates', ...failed })).toBe('GetLinkLayerMaxBitRates failed.\n')
  })

  it('names the external address, or how asking for it failed', () => {
    const address = (during: 'status' | 'map', text: string): Report => ({
      type: 'external-address',
      during,
      ok: true,
      address: text,
    })
    expect(textOf(address('status', '11.22.33.44'))).toBe('ExternalIPAddress = 11.22.33.44\n')
    expect(textOf(address('map', '11.22.33.44'))).toBe('ExternalIPAddress = 11.22.33.44\n')
    expect(textOf(address('status', ''))).toBe('GetExternalIPAddress failed. (empty string)\n')
    expect(textOf(address('map', ''))).toBe('ExternalIPAddress = \n')
    const failure = (during: 'status' | 'map', error: ReportedError): Report => ({
      type: 'external-address',
      during,
      ok: false,
      error,
    })
    expect(textOf(failure('status', { ...REFUSED, number: 501 }))).toBe(
      'GetExternalIPAddress failed. (errorcode=501)\n',
    )
    expect(textOf(failure('status', UNREACHABLE))).toBe('GetExternalIPAddress failed. (errorcode=-3)\n')
    expect(textOf(failure('status', MALFORMED))).toBe('GetExternalIPAddress failed. (errorcode=-4)\n')
    expect(textOf(failure('map', REFUSED))).toBe('GetExternalIPAddress failed.\n')
  })

  it('pads the counters to eight, shows which could not be had, and cuts none', () => {
    const traffic = { bytesSent: 1, bytesReceived: 4294967295, packetsSent: undefined, packetsReceived: 12345678 }
    expect(textOf({ type: 'traffic', ...traffic })).toBe(
      'Bytes:   Sent:        1\tRecv: 4294967295\nPackets: Sent:  unknown\tRecv: 12345678\n',
    )
  })

  it('names the web page of the router', () => {
    expect(textOf({ type: 'presentation-url', url: 'http://r/' })).toBe(
      'Presentation URL found:\n            http://r/\n',
    )
    expect(textOf({ type: 'presentation-url', url: '' })).toBe('Presentation URL found:\n            \n')
  })
})

describe('the listing', () => {
  const line = (index: number, changes: Partial<typeof MAPPING>): string =>
    textOf({ type: 'mapping', index, mapping: { ...MAPPING, ...changes } })

  it('has a heading', () => {
    expect(textOf({ type: 'listing' })).toBe(' i protocol exPort->inAddr:inPort description remoteHost leaseTime\n')
  })

  it('pads the index to two, the external port to five on the left, the internal one to five on the right', () => {
    expect(line(0, {})).toBe(" 0 TCP  8080->192.168.1.5:80    'web & co' '' 0\n")
    const dns = { protocol: 'UDP', externalPort: 53, internalPort: 5353, internalClient: '192.168.100.200' }
    expect(line(1, { ...dns, description: 'dns', remoteHost: '1.2.3.4', leaseSeconds: 3600 })).toBe(
      " 1 UDP    53->192.168.100.200:5353  'dns' '1.2.3.4' 3600\n",
    )
    expect(line(65535, { externalPort: 65535, internalPort: 65535 })).toBe(
      "65535 TCP 65535->192.168.1.5:65535 'web & co' '' 0\n",
    )
  })

  it('cuts nothing, be it an IPv6 client or a long text', () => {
    const long = 'x'.repeat(500)
    const internalClient = '2001:db8:1234:5678:9abc:def0:1234:5678'
    expect(
      line(0, { internalClient, description: long, remoteHost: 'a.very.long.name.example', protocol: 'UDPLITE' }),
    ).toBe(` 0 UDPLITE  8080->${internalClient}:80    '${long}' 'a.very.long.name.example' 0\n`)
  })

  it('shows a number that the router did not send as nothing', () => {
    const nothing = { externalPort: undefined, internalPort: undefined, leaseSeconds: undefined }
    expect(line(3, { ...nothing, protocol: '', internalClient: '' })).toBe(" 3       ->:      'web & co' '' \n")
  })

  const end = (endedBy: Extract<Report, { type: 'listing-end' }>['endedBy']): Report => ({
    type: 'listing-end',
    count: 2,
    endedBy,
  })

  it('ends in silence, except that version 2.1 shows what ended it', () => {
    expect(textOf(end({ number: 713, standardName: 'SpecifiedArrayIndexInvalid' }))).toBe('')
    expect(textOf(end({ number: 713, standardName: 'SpecifiedArrayIndexInvalid' }), '2.1')).toBe(
      'GetGenericPortMappingEntry() returned 713 (SpecifiedArrayIndexInvalid)\n',
    )
    expect(textOf(end({ number: 402, standardName: 'Invalid Args' }), '2.1')).toBe(
      'GetGenericPortMappingEntry() returned 402 (Invalid Args)\n',
    )
  })

  it.each(['2.1', '2.3.3'] as const)('says on stderr that it did not end by itself (as %s)', (compat) => {
    expect(textOf(end('repetition'), compat)).toBe(
      '[stderr] hint: the router repeats its last entry instead of ending the table; stopped there\n',
    )
    expect(textOf(end('limit'), compat)).toBe('[stderr] hint: the table is longer than this; the rest was not read\n')
  })

  it('shows what broke it off', () => {
    const broken = (error: ReportedError): string => textOf({ type: 'listing-failed', count: 1, error })
    expect(broken({ ...REFUSED, number: 606, name: 'Action not authorized' })).toMatch(
      /^GetGenericPortMappingEntry\(\) returned 606 \(Action not authorized\)\n\[stderr] hint: the router does not let .*\n$/,
    )
    expect(broken(UNREACHABLE)).toBe(
      `GetGenericPortMappingEntry() returned -3 (Miniupnpc HTTP error)\n[stderr] hint: ${UNREACHABLE.message}\n`,
    )
    expect(broken(MALFORMED)).toBe(
      'GetGenericPortMappingEntry() returned -4 (Miniupnpc Invalid response)\n' +
        '[stderr] hint: the answer from the router makes no sense: expected NewUptime in the reply to GetStatusInfo\n',
    )
  })
})

describe('mapping a port', () => {
  it('shows where it leads and how long, in the words of the router', () => {
    const mapped: Report = { type: 'mapped', asked: ASKED, mapping: MAPPING, externalAddress: '11.22.33.44' }
    expect(textOf(mapped)).toBe(
      'InternalIP:Port = 192.168.1.5:80\n' +
        'external 11.22.33.44:8080 TCP is redirected to internal 192.168.1.5:80 (duration=0)\n',
    )
    expect(tonesOf(mapped)).toEqual(['stdout plain', 'stdout good'])
  })

  it('shows nothing for a number or an address that is not known', () => {
    const mapping = { ...MAPPING, internalPort: undefined, leaseSeconds: undefined }
    expect(textOf({ type: 'mapped', asked: ASKED, mapping, externalAddress: '' })).toBe(
      'InternalIP:Port = 192.168.1.5:\n' + 'external :8080 TCP is redirected to internal 192.168.1.5: (duration=)\n',
    )
  })

  const failure = (error: ReportedError): Report => ({ type: 'map-failed', via: 'igd', asked: ASKED, error })

  it('shows why it failed, and what to do about it', () => {
    expect(textOf(failure(REFUSED))).toBe(
      `AddPortMapping(8080, 80, 192.168.1.5) failed with code 718 (ConflictInMappingEntry)\n${TRY_ANOTHER}`,
    )
    expect(tonesOf(failure(REFUSED))).toEqual(['stdout bad', 'stderr hint'])
  })

  it('gives what is no error of UPnP the numbers of upnpc, and says it in words beside that', () => {
    expect(textOf(failure(UNREACHABLE))).toBe(
      `AddPortMapping(8080, 80, 192.168.1.5) failed with code -3 (Miniupnpc HTTP error)\n` +
        `[stderr] hint: AddPortMapping: http://192.168.1.1:5000: connection refused\n`,
    )
    expect(textOf(failure({ ...MALFORMED, action: 'AddPortMapping' }))).toMatch(
      /^AddPortMapping\(8080, 80, 192\.168\.1\.5\) failed with code -4 \(Miniupnpc Invalid response\)\n\[stderr] hint: /,
    )
  })

  it('names the read-back if that failed', () => {
    const error = { ...REFUSED, isUnconfirmed: true as const, number: 714, name: 'NoSuchEntryInArray' }
    expect(textOf(failure(error))).toBe(
      'GetSpecificPortMappingEntry() failed with code 714 (NoSuchEntryInArray)\n' +
        '[stderr] hint: there is no such entry; -l shows what there is\n',
    )
  })

  it('names the action that was refused: AddAnyPortMapping, or AddPortMapping if that was the fallback', () => {
    expect(textOf(failure({ ...REFUSED, action: 'AddAnyPortMapping', number: 728, name: 'NoPortMapsAvailable' }))).toBe(
      'AddAnyPortMapping(8080, 80, 192.168.1.5) failed with code 728 (NoPortMapsAvailable)\n' +
        '[stderr] hint: the router has no port for this computer: its table has no room (-l shows it, -d removes an ' +
        'entry), or its rules do not let this computer have one; look in its settings, or try a port above 1023\n',
    )
  })

  it('says that half of TCP+UDP is closed again', () => {
    const key = { externalPort: 8080, protocol: 'UDP', remoteHost: '' } as const
    expect(textOf({ type: 'taken-back', key })).toBe(
      'external 8080 UDP is closed again: TCP+UDP means both or neither\n',
    )
  })

  it.each(['NOT_CONFIRMED', 'INVALID_ARGUMENT'] as const)('says in words what has no number: %s', (code) => {
    expect(textOf(failure({ code, message: 'it leads elsewhere' }))).toBe('[stderr] it leads elsewhere\n')
  })

  it('gives no hint if it knows none', () => {
    expect(textOf(failure({ ...REFUSED, number: 899, name: 'UnknownError' }))).toBe(
      'AddPortMapping(8080, 80, 192.168.1.5) failed with code 899 (UnknownError)\n',
    )
  })
})

describe('deleting a mapping', () => {
  const key = { externalPort: 22, protocol: 'TCP', remoteHost: '' } as const

  it('shows 0, or the number alone', () => {
    expect(textOf({ type: 'unmapped', via: 'igd', key })).toBe('UPNP_DeletePortMapping() returned : 0\n')
    expect(textOf({ type: 'unmap-failed', via: 'igd', key, error: { ...REFUSED, number: 899 } })).toBe(
      'UPNP_DeletePortMapping() failed with code : 899\n',
    )
    expect(textOf({ type: 'unmap-failed', via: 'igd', key, error: { ...REFUSED, number: 714 } })).toBe(
      'UPNP_DeletePortMapping() failed with code : 714\n[stderr] hint: there is no such entry; -l shows what there is\n',
    )
    expect(textOf({ type: 'unmap-failed', via: 'igd', key, error: UNREACHABLE })).toMatch(
      /^UPNP_DeletePortMapping\(\) failed with code : -3\n/,
    )
  })
})

describe('a listing all at once', () => {
  it('names what it failed with, and leaves it at that: the next line says what is done instead', () => {
    const error = { ...REFUSED, number: 401, name: 'Invalid Action' }
    expect(textOf({ type: 'list-at-once-failed', error })).toBe(
      'GetListOfPortMappings() returned 401 (Invalid Action)\n',
    )
    expect(textOf({ type: 'list-at-once-failed', error: UNREACHABLE })).toBe(
      'GetListOfPortMappings() returned -3 (Miniupnpc HTTP error)\n',
    )
    expect(textOf({ type: 'list-at-once-failed', error: MALFORMED })).toBe(
      'GetListOfPortMappings() returned -4 (Miniupnpc Invalid response)\n',
    )
  })
})

describe('deleting a range', () => {
  it('shows 0, or the number alone', () => {
    expect(textOf({ type: 'range-unmapped', range: RANGE })).toBe('UPNP_DeletePortMappingRange() returned : 0\n')
    expect(textOf({ type: 'range-unmap-failed', range: RANGE, error: { ...REFUSED, number: 730 } })).toBe(
      'UPNP_DeletePortMappingRange() failed with code : 730\n' +
        '[stderr] hint: there is no such entry; -l shows what there is\n',
    )
    expect(textOf({ type: 'range-unmap-failed', range: RANGE, error: UNREACHABLE })).toMatch(
      /^UPNP_DeletePortMappingRange\(\) failed with code : -3\n\[stderr] hint: /,
    )
  })
})

describe('a pinhole', () => {
  const refused = (number: number, name: string, action: string) =>
    ({ ok: false, error: { ...REFUSED, number, name, action } }) as const

  it('is advised to be asked for over IPv6', () => {
    expect(textOf({ type: 'pinhole-advice' })).toBe(
      'Use IPv6 (option -6) GUA address to ensure UPnP IGDv2 pinholes are allowed\n\n',
    )
  })

  it('is shown with its ID, or with why it could not be had, the remote host as it was typed', () => {
    expect(textOf({ type: 'pinhole-added', via: 'igd', asked: PINHOLE, ok: true, id: 4711, leaseSeconds: 60 })).toBe(
      'AddPinhole: ([::]:0 -> [2001:db8::5]:22) / Pinhole ID = 4711\n',
    )
    const answer = refused(606, 'Action not authorized', 'AddPinhole')
    expect(textOf({ type: 'pinhole-added', via: 'igd', asked: PINHOLE, ...answer })).toBe(
      'AddPinhole([::]:0 -> [2001:db8::5]:22) failed with code 606 (Action not authorized)\n' +
        '[stderr] hint: the router opens its IPv6 firewall only for the computer that asks; use -6, and @ for this computer\n',
    )
  })

  it('works or does not, and the ID is in the text of a failure only for an update', () => {
    const working = (answer: { ok: true; working: boolean } | ReturnType<typeof refused>, during: 'check' | 'update') =>
      textOf({ type: 'pinhole-working', during, id: 7, ...answer })
    for (const during of ['check', 'update'] as const) {
      expect(working({ ok: true, working: true }, during)).toBe(
        'CheckPinholeWorking: Pinhole ID = 7 / IsWorking = Yes\n',
      )
      expect(working({ ok: true, working: false }, during)).toBe(
        'CheckPinholeWorking: Pinhole ID = 7 / IsWorking = No\n',
      )
    }
    const silent = refused(709, 'NoTrafficReceived', 'CheckPinholeWorking')
    const because = 'failed with code 709 (NoTrafficReceived)\n[stderr] hint: no packet has come through it yet\n'
    expect(working(silent, 'check')).toBe(`CheckPinholeWorking() ${because}`)
    expect(working(silent, 'update')).toBe(`CheckPinholeWorking(7) ${because}`)
  })

  it('shows the new lease even if it was refused, as upnpc does', () => {
    const line = 'UpdatePinhole: Pinhole ID = 7 with Lease Time: 60\n'
    expect(textOf({ type: 'pinhole-updated', id: 7, leaseSeconds: 60, ok: true })).toBe(line)
    const answer = refused(704, 'NoSuchEntry', 'UpdatePinhole')
    expect(textOf({ type: 'pinhole-updated', id: 7, leaseSeconds: 60, ...answer })).toBe(
      `${line}UpdatePinhole: ID (7) failed with code 704 (NoSuchEntry)\n` +
        '[stderr] hint: there is no pinhole with that number; its lease may have ended\n',
    )
  })

  it('shows how many packets came', () => {
    expect(textOf({ type: 'pinhole-packets', id: 7, ok: true, packets: 4_294_967_295 })).toBe(
      'GetPinholePackets: Pinhole ID = 7 / PinholePackets = 4294967295\n',
    )
    expect(textOf({ type: 'pinhole-packets', id: 7, ...refused(899, 'UnknownError', 'GetPinholePackets') })).toBe(
      'GetPinholePackets() failed with code 899 (UnknownError)\n',
    )
  })

  it('is gone, or the number alone says why not', () => {
    expect(textOf({ type: 'pinhole-deleted', id: 7, ok: true })).toBe('UPNP_DeletePinhole() returned : 0\n')
    expect(textOf({ type: 'pinhole-deleted', id: 7, ...refused(704, 'NoSuchEntry', 'DeletePinhole') })).toBe(
      'UPNP_DeletePinhole() returned : 704\n' +
        '[stderr] hint: there is no pinhole with that number; its lease may have ended. ' +
        '-D closes pinholes; -d EXTERNAL_PORT PROTOCOL closes a port of -l\n',
    )
    expect(textOf({ type: 'pinhole-deleted', id: 7, ok: false, error: UNREACHABLE })).toMatch(
      /^UPNP_DeletePinhole\(\) returned : -3\n\[stderr] hint: /,
    )
  })

  it('is asked for its timeout from the inside out', () => {
    expect(textOf({ type: 'outbound-timeout', asked: PINHOLE, ok: true, seconds: 120 })).toBe(
      'GetOutboundPinholeTimeout: ([2001:db8::5]:22 -> [::]:0) / Timeout = 120\n',
    )
    const answer = refused(705, 'ProtocolNotSupported', 'GetOutboundPinholeTimeout')
    expect(textOf({ type: 'outbound-timeout', asked: PINHOLE, ...answer })).toBe(
      'GetOutboundPinholeTimeout([2001:db8::5]:22 -> [::]:0) failed with code 705 (ProtocolNotSupported)\n' +
        '[stderr] hint: the router opens pinholes for TCP and UDP only\n',
    )
  })

  it('needs a firewall, which is shown as unknown if it could not be asked', () => {
    const status = { firewallEnabled: true, inboundPinholeAllowed: false }
    expect(textOf({ type: 'firewall-status', ok: true, ...status })).toBe(
      'FirewallEnabled: 1 & Inbound Pinhole Allowed: 0\n' +
        'GetFirewallStatus:\n   Firewall Enabled: Yes\n   Inbound Pinhole Allowed: No\n',
    )
    expect(textOf({ type: 'firewall-status', ok: false, error: UNREACHABLE })).toBe(
      'FirewallEnabled: unknown & Inbound Pinhole Allowed: unknown\n' +
        'GetFirewallStatus:\n   Firewall Enabled: unknown\n   Inbound Pinhole Allowed: unknown\n' +
        `[stderr] hint: ${UNREACHABLE.message}\n`,
    )
  })
})

describe('what is not the output of a command', () => {
  const error = (code: ReportedError['code'], more: Partial<Extract<Report, { type: 'error' }>> = {}): Report => ({
    type: 'error',
    error: { code, message: 'what it is' },
    ...more,
  })

  it('is one line on stderr', () => {
    expect(textOf(error('USAGE'))).toBe('[stderr] what it is\n')
    expect(textOf(error('NO_REPLY'))).toBe('[stderr] what it is\n')
    expect(textOf({ type: 'notice', kind: 'no-presentation-url' })).toBe(
      '[stderr] hint: the router does not give the address of its web page\n',
    )
  })

  it('is the last line, below how the command is written, or which commands there are', () => {
    const form = 'usage: upnp-ts open [EXTERNAL:]PORT[/PROTOCOL] ...\n'
    expect(textOf(error('USAGE', { usageOf: 'open' }))).toBe(`[stderr] ${form}[stderr] what it is\n`)
    expect(textOf(error('USAGE', { usageOf: '' }))).toBe(`[stderr] ${briefUsage('')}[stderr] what it is\n`)
    expect(briefUsage('').split('\n').length).toBeLessThan(12)
  })

  it('admits a defect of its own', () => {
    expect(textOf(error('INTERNAL'))).toBe('[stderr] upnp-ts has a defect: what it is\n')
  })

  it('gives the reason, and ends with the line of upnpc, if there is no gateway to use', () => {
    const line = '[stderr] what it is\n[stderr] No valid UPNP Internet Gateway Device found.\n'
    expect(textOf(error('NO_GATEWAY'))).toBe(line)
    const described = { code: 'TRANSPORT', message: 'what it is', action: 'description' } as const
    expect(textOf({ type: 'error', error: described })).toBe(line)
  })

  it('begins with the line of upnpc if nothing answered, and a hint follows', () => {
    const searched = { ...NOTHING_FOUND, searchedMs: 4000, defaultGateways: ['192.168.1.1'] }
    expect(textOf(error('NO_GATEWAY', { searched }))).toBe(
      `[stderr] No IGD UPnP Device found on the network !\n[stderr] hint: ${nothingFoundHint(searched)}\n`,
    )
  })

  it('says first where the emulated gateway is', () => {
    expect(
      textOf({
        type: 'emulator',
        descriptionUrl: 'http://127.0.0.1:5/rootDesc.xml',
        address: '127.0.0.1',
        searchError: undefined,
        portControl: undefined,
        portControlError: undefined,
      }),
    ).toBe(
      'http://127.0.0.1:5/rootDesc.xml\n' +
        '[stderr] It does not speak PCP or NAT-PMP. It answers searches on 127.0.0.1; stop it with Ctrl-C.\n',
    )
  })
})

describe('a time', () => {
  it.each([
    [new Date(2026, 10, 23, 23, 25, 19), 'Mon Nov 23 23:25:19 2026'],
    [new Date(2026, 0, 1, 0, 0, 0), 'Thu Jan  1 00:00:00 2026'],
    [new Date(2024, 1, 29, 9, 5, 3), 'Thu Feb 29 09:05:03 2024'],
    [new Date(1999, 11, 31, 23, 59, 59, 999), 'Fri Dec 31 23:59:59 1999'],
  ])('is written as ctime() writes it: %s', (date, shown) => {
    expect(ctime(date.getTime())).toBe(shown)
  })

  it('is that of the time zone of this computer', () => {
    vi.stubEnv('TZ', 'America/New_York')
    expect(ctime(Date.UTC(2026, 6, 1, 2, 0, 0))).toBe('Tue Jun 30 22:00:00 2026')
    vi.stubEnv('TZ', 'UTC')
    expect(ctime(Date.UTC(2026, 6, 1, 2, 0, 0))).toBe('Wed Jul  1 02:00:00 2026')
  })

  it('takes the second that has begun', () => {
    expect(ctime(new Date(2026, 0, 1, 0, 0, 1).getTime() - 1)).toBe('Thu Jan  1 00:00:00 2026')
  })
})
