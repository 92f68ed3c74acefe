/** What to do next, only if that is known, in words that need no standard to explain them. */
import { describe, expect, it } from 'vitest'
import type { ReportedError } from '../../src/cli/report.ts'
import { hintFor, libraryHintFor, nothingFound } from '../../src/domain/hints.ts'
import { causeText } from '../../src/domain/refusal-text.ts'
import { LIBRARY } from '../../src/domain/words.ts'

function refused(number: number): ReportedError {
  return { code: 'REFUSED', message: 'refused', number, name: 'x', description: '\x1b[31m' }
}

const HINTED = [
  401, 402, 501, 600, 601, 602, 605, 606, 701, 702, 703, 704, 705, 706, 707, 708, 709, 714, 715, 718, 724, 725, 726,
  728, 729, 730, 733,
]

describe('a hint', () => {
  it('is there for every refusal that has a known remedy, and for no other', () => {
    const numbers = Array.from({ length: 1000 }, (_, number) => number)
    expect(numbers.filter((number) => hintFor(refused(number)) !== undefined)).toEqual(HINTED)
  })

  it.each(HINTED)('is one sentence without the words of the standard: %d', (number) => {
    const hint = hintFor(refused(number)) ?? ''
    for (const each of [hint, hintFor(refused(number), { isPinhole: true })]) {
      expect(each).toMatch(/^[a-z][^\n]{20,200}$/)
      expect(each).not.toMatch(/SOAP|IGD|SSDP|XML|\bNew[A-Z]|PortMapping|wildcard/i)
    }
  })

  it('is another one if the same number answered a question about a pinhole', () => {
    const differing = HINTED.filter(
      (number) => hintFor(refused(number), { isPinhole: true }) !== hintFor(refused(number)),
    )
    expect(differing).toEqual([402, 501, 606])
    expect(hintFor({ code: 'REFUSED', message: '', number: 606 })).toMatch(/its own ports/)
  })

  it('names only options that there are', () => {
    const options = HINTED.flatMap((number) =>
      [false, true].flatMap((isPinhole) => (hintFor(refused(number), { isPinhole }) ?? '').match(/(?<= )-\w+/g) ?? []),
    )
    expect(new Set(options)).toEqual(new Set(['-l', '-s', '-e', '-d', '-6', '-n']))
  })

  it('is what happened if the router could not be reached', () => {
    expect(hintFor({ code: 'TRANSPORT', message: 'connection refused' })).toBe('connection refused')
    expect(hintFor({ code: 'NO_REPLY', message: 'no answer' })).toBe('no answer')
    expect(hintFor({ code: 'MALFORMED_MESSAGE', message: 'expected x' })).toBe(
      'the answer from the router makes no sense: expected x',
    )
  })

  it('says how to see whether a change was made, if one was asked for and nobody answered', () => {
    const toSee = 'look with -l'
    const silent = { code: 'NO_REPLY', message: 'no answer', action: 'x' } as const
    expect(hintFor(silent, { toSee })).toBe('no answer; it may have worked anyway: look with -l')
    expect(hintFor(silent)).toBe('no answer')
    expect(hintFor({ ...silent, code: 'TRANSPORT' }, { toSee })).toBe('no answer')
    // The time of the whole command ran out: that names no request.
    expect(hintFor({ code: 'NO_REPLY', message: 'gave up' }, { toSee })).toBe('gave up')
  })

  it.each(['USAGE', 'INTERNAL', 'NO_GATEWAY', 'INVALID_ARGUMENT', 'NOT_CONFIRMED'] as const)(
    'is not there where the message says it all: %s',
    (code) => {
      expect(hintFor({ code, message: 'x' })).toBeUndefined()
    },
  )
})

describe('a hint for a program', () => {
  const FLAG = /(?<![\w'])-{1,2}[a-zA-Z0-9](?![a-z]*-)|upnp-ts (?!says|does)/

  it.each(['igd', 'pcp', 'nat-pmp'] as const)('names no flag of the command line: %s', (via) => {
    for (let number = 0; number < 1000; number++) {
      for (const isPinhole of [false, true]) {
        const hint = libraryHintFor({ ...refused(number), via }, { isPinhole })
        expect(hint).not.toMatch(FLAG)
        expect(hint.length).toBeGreaterThan(20)
      }
    }
  })

  it('names the options and methods that help', () => {
    const hints = HINTED.map((number) => libraryHintFor(refused(number))).join('\n')
    for (const name of ['gateway.mappings()', 'gateway.unmap()', "externalPort: 'any'", "lease: 'unlimited'"])
      expect(hints).toContain(name)
  })

  const searched = {
    via: 'auto',
    searchedMs: 2000,
    interfaces: [{ name: 'eth0', address: '192.168.1.10' }],
    defaultGateways: [],
    lacksIPv4: false,
    portControl: [],
    answered: undefined,
  } as const
  const answered = { via: 'pcp', gateway: '192.168.1.1' } as const

  it.each([
    searched,
    { ...searched, lacksIPv4: true },
    { ...searched, via: 'nat-pmp' },
    { ...searched, answered },
    { ...searched, answered: { ...answered, gateway: 'fe80::1' } },
    { ...searched, referral: { from: '192.168.1.2', location: 'http://192.168.1.3/' } },
  ] as const)('names no flag after a search without a result: %#', (summary) => {
    const { why, advice } = nothingFound(summary, LIBRARY)
    expect(`${why} ${advice}`).not.toMatch(FLAG)
    expect(nothingFound(summary)).not.toEqual({ why, advice })
  })

  const mapping = {
    remoteHost: '1.2.3.4',
    externalPort: 80,
    protocol: 'tcp',
    internalPort: 80,
    internalClient: '192.168.1.99',
    enabled: true,
    description: 'x',
    leaseSeconds: 0,
  }
  const asked = { ...mapping, protocol: 'TCP', lease: 'unlimited' } as const

  it.each([
    { kind: 'port-taken', mapping },
    { kind: 'port-differs', mapping, isForThisComputer: true },
    { kind: 'open-elsewhere', mapping, isForThisComputer: true },
    { kind: 'left-behind', internalClient: '192.168.1.10', internalPort: 80, endsWallMs: 0 },
    { kind: 'nobody-shown', isForThisComputer: false },
    { kind: 'client-is-router', address: '192.168.1.1' },
    { kind: 'another-nat', gatewayAddress: '192.168.1.1', localAddress: '172.17.0.2' },
  ] as const)('names no flag if something is in the way: $kind', (cause) => {
    expect(causeText(cause, { asked, error: {} }, LIBRARY)).not.toMatch(FLAG)
  })

  it('says how to remove what is in the way', () => {
    expect(causeText({ kind: 'port-taken', mapping }, { asked, error: {} }, LIBRARY)).toContain(
      "gateway.unmap({ externalPort: 80, protocol: 'TCP', remoteHost: '1.2.3.4' }) closes it",
    )
  })
})
