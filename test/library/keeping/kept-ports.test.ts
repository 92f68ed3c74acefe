/** What is open, by the keeper's events. */
import { describe, expect, it } from 'vitest'
import { NoReplyError } from '../../../src/domain/errors.ts'
import type { HeldEither, KeptEither } from '../../../src/keeper/kept-pinhole.ts'
import { KeptPorts, portStateOf } from '../../../src/library/keeping/kept-ports.ts'
import { ASKED, MAPPING } from '../../support/report-parts.ts'

const NOW_MS = Date.UTC(2026, 10, 24, 12)
const HOUR_MS = 3_600_000

function held(externalPort = 8080, leaseMs = HOUR_MS): HeldEither {
  return { mapping: { ...MAPPING, externalPort }, asked: ASKED, leaseMs, wasThere: false }
}

const PINHOLE: HeldEither = {
  pinhole: {
    remoteHost: '',
    remotePort: 0,
    internalClient: '2001:db8::5',
    internalPort: 22,
    protocol: 17,
    leaseSeconds: 60,
  },
  id: 1,
  leaseMs: 60_000,
}

function kept(name: string): KeptEither {
  return { name } as KeptEither
}

describe('an open port', () => {
  it('is what was granted, until its lease is over', () => {
    const { internalClient } = MAPPING
    const expected = {
      protocol: 'TCP',
      externalPort: 8080,
      internalPort: 80,
      internalClient,
      endsWallMs: NOW_MS + HOUR_MS,
    }
    expect(portStateOf(held(), NOW_MS)).toEqual(expected)
    expect(portStateOf(held(8080, Number.POSITIVE_INFINITY), NOW_MS).endsWallMs).toBeUndefined()
  })

  it('of a pinhole is the same outside and inside', () => {
    expect(portStateOf(PINHOLE, NOW_MS)).toMatchObject({ protocol: 'UDP', externalPort: 22, internalPort: 22 })
  })
})

describe('two that share a port', () => {
  const udp = kept('UDP')
  const tcp = { ...kept('TCP'), samePortAs: udp }
  const gateway = {} as never

  function opened(): KeptPorts {
    const ports = new KeptPorts([udp, tcp])
    for (const each of [udp, tcp]) ports.hear({ type: 'mapped', kept: each, held: held(), gateway }, NOW_MS)
    return ports
  }

  it.each([
    [udp, tcp],
    [tcp, udp],
  ])('are never told of with two numbers, whichever is on another port first', (first, second) => {
    const ports = opened()
    ports.hear({ type: 'renewed', kept: first, held: held(8081) }, NOW_MS)
    expect([ports.isClear, ports.areAllOpen]).toEqual([false, false])
    for (const facts of [ports.facts, ports.lastKnown])
      expect(facts.ports.flatMap((each) => each?.externalPort ?? [])).toEqual([8081])
    ports.hear({ type: 'renewed', kept: second, held: held(8081) }, NOW_MS)
    expect([ports.isClear, ports.areAllOpen]).toEqual([true, true])
    expect(ports.lastKnown.ports.map((each) => each?.externalPort)).toEqual([8081, 8081])
  })

  it('are told of apart from others', () => {
    const other = kept('other')
    const ports = new KeptPorts([udp, tcp, other])
    for (const each of [udp, tcp, other]) ports.hear({ type: 'mapped', kept: each, held: held(), gateway }, NOW_MS)
    ports.hear({ type: 'renewed', kept: other, held: held(9000) }, NOW_MS)
    expect(ports.isClear).toBe(true)
  })
})

describe('what is open', () => {
  const [ONE, TWO] = [kept('one'), kept('two')]
  const error = new NoReplyError('silence')
  const ADDRESS = { type: 'external-address', address: '11.22.33.44', previous: undefined } as const
  const mapped = (each: KeptEither, externalPort: number) =>
    ({ type: 'restored', kept: each, held: held(externalPort), afterMs: 1 }) as const
  const failed = (each: KeptEither) => ({ type: 'failed', kept: each, error, againInMs: 1 }) as const

  function hearing(...events: Parameters<KeptPorts['hear']>[0][]): KeptPorts {
    const ports = new KeptPorts([ONE, TWO])
    for (const event of events) ports.hear(event, NOW_MS)
    return ports
  }
  const openOf = ({ facts }: KeptPorts) => facts.ports.map((each) => each?.externalPort)
  const settledOf = ({ isClear, lastKnown }: KeptPorts) =>
    isClear ? lastKnown.ports.map((each) => each?.externalPort) : undefined

  it('is nothing at first', () => {
    const ports = hearing()
    expect(ports.facts).toEqual({ externalAddress: undefined, ports: [undefined, undefined] })
    expect([ports.areAllOpen, settledOf(ports)]).toEqual([false, undefined])
  })

  it('is in the order of the command line, whatever is made first', () => {
    const ports = hearing(ADDRESS, mapped(TWO, 2), mapped(ONE, 1))
    expect(ports.facts.externalAddress).toBe('11.22.33.44')
    expect([openOf(ports), ports.areAllOpen, settledOf(ports)]).toEqual([[1, 2], true, [1, 2]])
  })

  it('does not include a lost port, and a hook hears about it only once its fate is clear', () => {
    const ports = hearing(mapped(ONE, 1), mapped(TWO, 2), { type: 'lost', kept: ONE, reason: 'gone' })
    expect([openOf(ports), ports.areAllOpen, settledOf(ports)]).toEqual([[undefined, 2], false, undefined])
    ports.hear(mapped(ONE, 11), NOW_MS)
    expect([openOf(ports), settledOf(ports)]).toEqual([
      [11, 2],
      [11, 2],
    ])
  })

  it('tells a hook about the others if one stays lost; the lost one counts as it was', () => {
    const ports = hearing(mapped(ONE, 1), mapped(TWO, 2), { type: 'lost', kept: ONE, reason: 'taken' }, failed(ONE))
    ports.hear(mapped(TWO, 22), NOW_MS)
    expect([openOf(ports), settledOf(ports)]).toEqual([
      [undefined, 22],
      [1, 22],
    ])
  })

  it('tells a hook what could be had once each is open or has failed; one that opens later is a change', () => {
    const ports = hearing(mapped(ONE, 1))
    expect(settledOf(ports)).toBeUndefined()
    ports.hear(failed(TWO), NOW_MS)
    expect(settledOf(ports)).toEqual([1, undefined])
    ports.hear(mapped(TWO, 2), NOW_MS)
    expect(settledOf(ports)).toEqual([1, 2])
  })

  it('does not wait after a restart for what has never been open, but for what was', () => {
    const ports = hearing(mapped(ONE, 1), failed(TWO), { type: 'gateway-lost', error })
    expect(settledOf(ports)).toBeUndefined()
    ports.hear(mapped(ONE, 11), NOW_MS)
    expect(settledOf(ports)).toEqual([11, undefined])
  })

  it('is nothing while the router is gone, but what was open is still known', () => {
    const ports = hearing(mapped(ONE, 1), mapped(TWO, 2), { type: 'gateway-lost', error })
    expect([openOf(ports), settledOf(ports)]).toEqual([[undefined, undefined], undefined])
    expect(ports.portOf(ONE)?.externalPort).toBe(1)
  })

  it('stays open if only its renewal fails', () => {
    const ports = hearing(mapped(ONE, 1), mapped(TWO, 2), failed(ONE))
    expect([openOf(ports), ports.areAllOpen]).toEqual([[1, 2], true])
  })

  it('has no translation for pinholes: the external address is that of this computer', () => {
    const ports = new KeptPorts([ONE])
    ports.hear(ADDRESS, NOW_MS)
    ports.hear({ type: 'restored', kept: ONE, held: PINHOLE, afterMs: 1 }, NOW_MS)
    expect(ports.facts.externalAddress).toBe('2001:db8::5')
  })
})
