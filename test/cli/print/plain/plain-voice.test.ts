/** The plain voice, for every Report: no letter of a command, no control character, a line that ends. */
import { describe, expect, it } from 'vitest'
import { type GatewayInvocation, parseInvocation } from '../../../../src/cli/parse/invocation.ts'
import type { Piece } from '../../../../src/cli/print/pieces.ts'
import { plainVoice } from '../../../../src/cli/print/plain/plain-voice.ts'
import type { RefusalCause, Report, ReportOf } from '../../../../src/cli/report.ts'
import { ALL_REPORTS, ASKED, MAPPING, PINHOLE, REFUSED, withTextEverywhere } from '../../../support/reports.ts'

const VERBS = [
  ['open', '8080'],
  ['open', '8080', '--keep'],
  ['open', '8080', '--ipv6'],
  ['open', '8080', '--print', 'endpoint'],
]

function said(argv: readonly string[], reports: readonly Report[], nowMs = 0): string {
  const invocation = parseInvocation(argv)
  if (invocation.kind !== 'gateway') throw new Error(`${argv.join(' ')} asks no gateway`)
  return textOf(invocation, argv, reports, nowMs)
}

function textOf(invocation: GatewayInvocation, argv: readonly string[], reports: readonly Report[], nowMs = 0): string {
  const voice = plainVoice({ invocation, argv, nowMs: () => nowMs, columns: () => 80 })
  const pieces: Piece[] = reports.flatMap((report) => voice.render(report))
  return [...pieces, ...voice.end(0)].map(({ text }) => text).join('')
}

/** A letter for a command or an option: verbs have words. */
const LETTER = /(?:^|[\s(,;'])-[a-zA-Z6]\b/

/** Only a letter closes what leads to another computer. */
const REPORTS = ALL_REPORTS.filter((report) => !(report.type === 'notice' && report.kind === 'another-computers'))

describe.each(VERBS)('the voice of %s %s %s %s', (...argv) => {
  it.each(REPORTS.map((report) => [JSON.stringify(report), report] as const))('names no letter in %s', (_, report) => {
    const text = said(argv, [report])
    expect(text).not.toMatch(LETTER)
    expect(text).toMatch(/^$|\n$/)
    expect(text).not.toMatch(/undefined|NaN|\[object/)
  })

  it('shows no control character', () => {
    const text = said(
      argv,
      ALL_REPORTS.map((report) => withTextEverywhere(report, 'a\x1b[31m\u202eb')),
    )
    expect(text.split('\n').filter((line) => /[\p{Cc}\p{Cf}]/u.test(line))).toEqual([])
  })
})

describe('a pinhole', () => {
  const until = (leaseSeconds: number): string => {
    const nowMs = new Date(2026, 10, 29, 10, 14).getTime()
    const added: Report = { type: 'pinhole-added', via: 'pcp', asked: PINHOLE, ok: true, id: 7, leaseSeconds }
    const text = said(['open', '22', '--ipv6'], [added], nowMs)
    return /Until +(.*)/.exec(text)?.[1] ?? ''
  }

  it('is open until the lease ends that the router granted, not the one that was asked for', () => {
    expect(until(600)).toMatch(/^29 November, 10:24/)
    expect(until(7200)).toMatch(/^29 November, 12:14/)
  })
})

describe('a port that is not open', () => {
  const failing = (facts: Partial<ReportOf<'map-failed'>>): string =>
    said(['open', '8080'], [{ type: 'map-failed', via: 'igd', asked: ASKED, error: REFUSED, ...facts }])
  const mapping = {
    ...MAPPING,
    externalPort: 8080,
    internalClient: '192.168.1.2',
    internalPort: 81,
    description: 'game',
  }

  it.each<[RefusalCause, string]>([
    [
      { kind: 'port-differs', mapping, isForThisComputer: true },
      "Port 8080 TCP is open already: it leads to port 81 of this computer ('game').\n" +
        '  upnp-ts close 8080                                closes that; then open it again\n',
    ],
    [
      { kind: 'open-elsewhere', mapping: { ...mapping, externalPort: 9000 }, isForThisComputer: true },
      'Port 8080 TCP was refused: port 81 of this computer is open already, as port 9000 TCP outside ' +
        "('game'), and your router opens it only once.\n  upnp-ts close 9000   closes that; then open it again\n",
    ],
    [
      { kind: 'nobody-shown', isForThisComputer: true },
      'Port 8080 TCP was refused, and your router shows nobody who has it: it may keep it for itself, or for your ' +
        'provider.\n',
    ],
    [
      { kind: 'left-behind', internalClient: '192.168.1.7', internalPort: 80, endsWallMs: Number.POSITIVE_INFINITY },
      'Port 8080 TCP is taken: it still leads to 192.168.1.7, an earlier address of this computer, without an end, and ' +
        'nobody else can close it.\n',
    ],
  ])('says why: %j', (cause, text) => {
    expect(failing({ cause })).toContain(text)
  })

  it('is not told of as open if the router made something else', () => {
    const made: Report = { type: 'mapped', asked: ASKED, mapping, externalAddress: '203.0.113.7', isOtherwise: true }
    const error = { code: 'NOT_CONFIRMED', message: 'it leads elsewhere' } as const
    const failed: Report = { type: 'map-failed', via: 'igd', asked: ASKED, error }
    expect(said(['open', '8080'], [made, failed])).toMatch(/^Port 8080 TCP was not opened: it leads elsewhere\.\n/)
  })

  it('is one sentence for all of the same reason, which names each, and the remedy stands there once', () => {
    const reports = [1, 2, 3, 4].map((port): Report => {
      const asked = { ...ASKED, externalPort: port, internalPort: port }
      return { type: 'map-failed', via: 'pcp', asked, error: REFUSED, isTaken: true }
    })
    const text = said(['open', '1-4'], reports)
    expect(text).toMatch(/^Not opened: 1 TCP, 2 TCP, 3 TCP and 4 TCP\. Each is taken: somebody else has it \(.*\)\.\n/)
    expect(text.match(/--external any/g)).toHaveLength(1)
  })
})

describe('what is said once', () => {
  const noUpnp: Report = { type: 'notice', kind: 'no-upnp', via: 'pcp', waitedMs: 1600 }

  it('is that the router does not answer over UPnP', () => {
    expect(said(['close', '80'], [noUpnp, noUpnp]).match(/over UPnP/g)).toHaveLength(1)
  })

  it('is that no router answers: nothing is said of IPv6 then, if that is still asked for', () => {
    const error = { code: 'NO_GATEWAY', message: 'nobody answers' } as const
    const lacking = ALL_REPORTS.filter((report) => report.type === 'error' && report.searched !== undefined).slice(0, 1)
    expect(lacking).toHaveLength(1)
    const late: Report = { type: 'notice', kind: 'not-over-ipv6', error, late: true }
    expect(said(['open', '80'], [...lacking, late])).not.toContain('IPv6')
    expect(said(['open', '80'], [late])).toContain('Over IPv6: not known')
  })
})

describe('closing', () => {
  const key = { externalPort: 80, protocol: 'TCP', remoteHost: '' } as const

  it('that is refused names the number, not the message', () => {
    const error = {
      code: 'REFUSED',
      message: 'MAP was refused with 8',
      number: 8,
      name: 'NO_RESOURCES',
      via: 'pcp',
    } as const
    expect(said(['close', '80'], [{ type: 'unmap-failed', via: 'pcp', key, error }])).toBe(
      'Port 80 TCP could not be closed: your router refused it (error 8, NO_RESOURCES), as some do if it is not open.\n',
    )
  })

  it('of a range is of many ports', () => {
    const closed = [81, 80].map(
      (port): Report => ({ type: 'unmapped', via: 'igd', key: { ...key, externalPort: port } }),
    )
    expect(said(['close', '80-81'], closed)).toBe('Ports 80-81 TCP are closed.\n')
  })
})
