/** What happens while ports are kept open, as a line for people who have never heard of leases and SOAP. */
import { describe, expect, it } from 'vitest'
import { renderKeeper } from '../../../src/cli/print/keeper-text.ts'
import type { KeeperReport, SearchSummary } from '../../../src/cli/report.ts'
import { NOTHING_FOUND } from '../../support/report-parts.ts'

const timeMs = Date.UTC(2026, 10, 24, 12, 0, 1, 500)
const name = 'external port 22 TCP'
const endsWallMs = timeMs + 7_200_000
const port = { protocol: 'TCP', externalPort: 22, internalPort: 22, internalClient: '192.168.1.2', endsWallMs }
const error = { code: 'NO_REPLY', message: 'the router did not answer within 3 s' } as const

function nobodyAt(via: 'pcp' | 'nat-pmp'): SearchSummary['portControl'][number] {
  const message = 'ANNOUNCE: UDP port 5351 of 10.2.0.1: nothing listens there'
  return { via, gateway: '10.2.0.1', port: 5351, error: { code: 'TRANSPORT', message } }
}

describe('a line', () => {
  it.each<[KeeperReport, string, string]>([
    [{ type: 'searching', timeMs, error }, 'bad', `no router: ${error.message}; looking until one is found`],
    [{ type: 'gateway-lost', timeMs, error }, 'bad', `the router is gone: ${error.message}; looking for it`],
    [
      { type: 'moved', timeMs, gateway: '192.168.1.1', previous: '192.168.1.66', externalAddress: '203.0.113.5' },
      'good',
      'the router at 192.168.1.1 answers now, and is used instead of 192.168.1.66; the external address is 203.0.113.5',
    ],
    [
      { type: 'moved', timeMs, gateway: '192.168.1.1', previous: '192.168.1.66', externalAddress: undefined },
      'good',
      'the router at 192.168.1.1 answers now, and is used instead of 192.168.1.66',
    ],
    [{ type: 'renewed', timeMs, name, port, leaseSeconds: 7200 }, 'plain', `${name}: renewed for 7200 s`],
    [
      { type: 'renewed', timeMs, name, port, leaseSeconds: 0 },
      'plain',
      `${name}: renewed for as long as the router runs`,
    ],
    [
      { type: 'restored', timeMs, name, port, leaseSeconds: 60, afterMs: 1234 },
      'good',
      `${name}: open again for 60 s, after 1.2 s`,
    ],
    [
      { type: 'restored', timeMs, name, port, leaseSeconds: 60, afterMs: 30_400 },
      'good',
      `${name}: open again for 60 s, after 30 s`,
    ],
    [
      { type: 'lost', timeMs, name, reason: 'gateway-restarted' },
      'bad',
      `${name}: lost, the router has restarted; opening it again`,
    ],
    [
      { type: 'lost', timeMs, name, reason: 'gone' },
      'bad',
      `${name}: lost, the router does not have it any more; opening it again`,
    ],
    [
      { type: 'lost', timeMs, name, reason: 'taken' },
      'bad',
      `${name}: lost, the router now sends it to another computer; opening it again`,
    ],
    [{ type: 'lost', timeMs, name, reason: 'expired' }, 'bad', `${name}: lost, its lease has ended; opening it again`],
    [
      { type: 'keep-failed', timeMs, name, isPinhole: false, error, againInMs: 15_400 },
      'bad',
      `${name}: ${error.message}; trying again until it works`,
    ],
    [
      {
        type: 'keep-failed',
        timeMs,
        name,
        isPinhole: false,
        error,
        leftBehind: { internalClient: '192.168.1.7', internalPort: 22, endsWallMs: Date.UTC(2026, 5, 1) },
        againInMs: 1000,
      },
      'bad',
      `${name}: ${error.message}; 192.168.1.7, an earlier address of this computer, still has that port, ` +
        'until 2026-06-01T00:00:00.000Z, and nobody else can close it; trying again until it works',
    ],
    [
      {
        type: 'keep-failed',
        timeMs,
        name,
        isPinhole: false,
        error: { ...error, message: `${name} leads elsewhere` },
        againInMs: 1000,
      },
      'bad',
      `${name} leads elsewhere; trying again until it works`,
    ],
    [
      { type: 'external-address-changed', timeMs, address: '11.22.33.55', previous: '11.22.33.44' },
      'bad',
      'the external address is 11.22.33.55 now, not 11.22.33.44',
    ],
    [
      { type: 'external-port-changed', timeMs, protocol: 'TCP+UDP', externalPort: 41_002, previous: 41_001 },
      'bad',
      'the external port of TCP+UDP is 41002 now, not 41001',
    ],
    [{ type: 'hook-succeeded', timeMs, failures: 1 }, 'good', '--on-change: the command succeeded after a failure'],
    [{ type: 'hook-succeeded', timeMs, failures: 3 }, 'good', '--on-change: the command succeeded after 3 failures'],
    [{ type: 'lines-dropped', timeMs, count: 1 }, 'bad', '1 line was dropped, because nobody read it'],
    [{ type: 'lines-dropped', timeMs, count: 3 }, 'bad', '3 lines were dropped, because nobody read them'],
    [{ type: 'removed', timeMs, name }, 'plain', `${name}: closed`],
    [
      { type: 'left-open', timeMs, name, port: undefined, reason: 'was-open' },
      'plain',
      `${name}: left open, because it was open before`,
    ],
    [
      { type: 'ends-with-lease', timeMs, name, port, endsWallMs: timeMs + 60_000 },
      'plain',
      `${name}: ends with its lease, 2026-11-24T12:01:01.500Z at the latest; it cannot be closed alone`,
    ],
    [{ type: 'not-removed', timeMs, name, error }, 'bad', `${name}: could not be closed: ${error.message}`],
  ])('has its time and goes to stdout: $type', (report, tone, text) => {
    expect(renderKeeper(report)).toEqual([{ stream: 'stdout', tone, text: `2026-11-24T12:00:01.500Z ${text}\n` }])
  })

  it('about a refusal comes with the hint that the same command without --keep gives', () => {
    const refusal = { code: 'REFUSED', message: 'no', via: 'igd', number: 718, name: 'ConflictInMappingEntry' } as const
    const pieces = renderKeeper({
      type: 'keep-failed',
      timeMs,
      name,
      isPinhole: false,
      error: refusal,
      againInMs: 1000,
    })
    expect(pieces.map(({ stream, text }) => [stream, /^(hint|\S+Z)/.test(text)])).toEqual([
      ['stdout', true],
      ['stderr', true],
    ])
  })

  it.each<[string, Partial<SearchSummary>, string, RegExp]>([
    [
      'where nothing listens',
      { via: 'nat-pmp', portControl: [nobodyAt('nat-pmp')] },
      'nothing listens on UDP port 5351 of 10.2.0.1 (NAT-PMP)',
      /^hint: .*VPN.*\+pmp.*--gateway/,
    ],
    [
      'where nobody answers',
      { via: 'pcp', portControl: [{ ...nobodyAt('pcp'), error }] },
      '10.2.0.1 does not answer PCP',
      /^hint: Name another router with --gateway/,
    ],
    ['of UPnP', { via: 'auto' }, 'the router at 192.168.1.1 did not answer', /^hint: Switch on UPnP/],
    ['with nobody to ask', { via: 'pcp' }, 'this computer has no default gateway to ask', /^hint: name the router/],
    [
      'without a network',
      { interfaces: [] },
      'this computer has no network address to search from',
      /^hint: is the network up\?/,
    ],
  ])('about no router says why, and what to do: %s', (_, changes, why, advice) => {
    const searched = { ...NOTHING_FOUND, ...changes }
    const [line, next] = renderKeeper({ type: 'searching', timeMs, error, searched })
    expect(line?.text).toBe(`2026-11-24T12:00:01.500Z no router: ${why}; looking until one is found\n`)
    expect(next).toEqual({ stream: 'stderr', tone: 'hint', text: expect.stringMatching(advice) })
  })

  it('shows what a router sends without obeying it', () => {
    const [piece] = renderKeeper({ type: 'gateway-lost', timeMs, error: { ...error, message: 'a\x1b[2J\nb' } })
    expect(piece?.text).toBe('2026-11-24T12:00:01.500Z the router is gone: a\\x1b[2J\\x0ab; looking for it\n')
  })
})
