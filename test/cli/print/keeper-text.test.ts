/** What happens while ports are kept open, as a line for people who have never heard of leases and SOAP. */
import { describe, expect, it } from 'vitest'
import { renderKeeper } from '../../../src/cli/print/keeper-text.ts'
import type { KeeperReport } from '../../../src/cli/report.ts'

const timeMs = Date.UTC(2026, 10, 24, 12, 0, 1, 500)
const name = 'external port 22 TCP'
const endsWallMs = timeMs + 7_200_000
const port = { protocol: 'TCP', externalPort: 22, internalPort: 22, internalClient: '192.168.1.2', endsWallMs }
const error = { code: 'NO_REPLY', message: 'the router did not answer within 3 s' } as const

describe('a line', () => {
  it.each<[KeeperReport, string, string]>([
    [{ type: 'searching', timeMs, error }, 'bad', `no router: ${error.message}; looking until one is found`],
    [{ type: 'gateway-lost', timeMs, error }, 'bad', `the router is gone: ${error.message}; looking for it`],
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
    [{ type: 'hook-succeeded', timeMs, failures: 1 }, 'good', '--on-change: the command succeeded after a failure'],
    [{ type: 'hook-succeeded', timeMs, failures: 3 }, 'good', '--on-change: the command succeeded after 3 failures'],
    [{ type: 'removed', timeMs, name }, 'plain', `${name}: closed`],
    [{ type: 'left-open', timeMs, name, port: undefined }, 'plain', `${name}: left open, because it was open before`],
    [{ type: 'not-removed', timeMs, name, error }, 'bad', `${name}: could not be closed: ${error.message}`],
  ])('has its time and goes to stderr: $type', (report, tone, text) => {
    expect(renderKeeper(report)).toEqual([{ stream: 'stderr', tone, text: `2026-11-24T12:00:01.500Z ${text}\n` }])
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
      ['stderr', true],
      ['stderr', true],
    ])
  })

  it('shows what a router sends without obeying it', () => {
    const [piece] = renderKeeper({ type: 'gateway-lost', timeMs, error: { ...error, message: 'a\x1b[2J\nb' } })
    expect(piece?.text).toBe('2026-11-24T12:00:01.500Z the router is gone: a\\x1b[2J\\x0ab; looking for it\n')
  })
})
