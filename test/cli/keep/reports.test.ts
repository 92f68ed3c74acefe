/** The keeper's events as Reports: each event once, and a failure that repeats only the first time. */

import { describe, expect, it } from 'vitest'
import { Renewals, Repetitions, reportsOf } from '../../../src/cli/keep/reports.ts'
import { renderJson } from '../../../src/cli/print/json.ts'
import { NoReplyError, RefusedError } from '../../../src/domain/errors.ts'
import type { KeeperEvent } from '../../../src/keeper/kept.ts'
import { KeptMapping } from '../../../src/keeper/kept-mapping.ts'
import type { HeldEither, KeptEither } from '../../../src/keeper/kept-pinhole.ts'
import { begin, PROTOCOLS, wanted } from '../../keeper/keeping.ts'
import { ASKED, MAPPING } from '../../support/report-parts.ts'

type Event = KeeperEvent<HeldEither>

const { lease: _, ...asked } = ASKED
const TIME_MS = Date.UTC(2026, 10, 24, 12, 0, 1, 500)
const KEPT = { name: 'external port 8080 TCP' } as KeptEither
const HELD: HeldEither = {
  mapping: MAPPING,
  asked: ASKED,
  leaseMs: 7_200_000,
  externalAddress: '11.22.33.44',
  wasThere: false,
}
const PINHOLE: HeldEither = {
  pinhole: {
    remoteHost: '',
    remotePort: 0,
    internalClient: '2001:db8::5',
    internalPort: 22,
    protocol: 6,
    leaseSeconds: 60,
  },
  id: 4711,
  leaseMs: 60_000,
}
const PORT = { protocol: 'TCP', externalPort: 8080, internalPort: 80, internalClient: MAPPING.internalClient }
const SILENCE = new NoReplyError('no answer within 3 s')
const ERROR = { code: 'NO_REPLY', message: 'no answer within 3 s' }
const gateway = {} as never

function json(event: Event): unknown[] {
  const portOf = () => ({ ...PORT, endsWallMs: TIME_MS })
  return reportsOf(event, TIME_MS, portOf).map((report) => JSON.parse(renderJson(report)))
}

const time = '2026-11-24T12:00:01.500Z'
const about = { time, name: KEPT.name, ...PORT }

describe('an event', () => {
  it.each<[Event, object]>([
    [
      { type: 'searching', error: SILENCE },
      { type: 'searching', time, error: ERROR },
    ],
    [
      { type: 'gateway-lost', error: SILENCE },
      { type: 'gateway-lost', time, error: ERROR },
    ],
    [
      { type: 'renewed', kept: KEPT, held: HELD },
      { type: 'renewed', ...about, leaseSeconds: 7200 },
    ],
    [
      { type: 'restored', kept: KEPT, held: { ...HELD, leaseMs: Number.POSITIVE_INFINITY }, afterMs: 1234.5 },
      { type: 'restored', ...about, leaseSeconds: 0, afterSeconds: 1.235 },
    ],
    [
      { type: 'lost', kept: KEPT, reason: 'taken' },
      { type: 'lost', ...about, reason: 'taken' },
    ],
    [
      { type: 'failed', kept: KEPT, error: SILENCE, againInMs: 26_249.99 },
      { type: 'keep-failed', ...about, error: ERROR, againInSeconds: 26.25 },
    ],
    [
      { type: 'removed', kept: KEPT },
      { type: 'removed', ...about },
    ],
    [
      { type: 'not-removed', kept: KEPT, error: SILENCE },
      { type: 'not-removed', ...about, error: ERROR },
    ],
    [
      { type: 'external-address', address: '1.2.3.4', previous: '11.22.33.44' },
      { type: 'external-address-changed', time, address: '1.2.3.4', previous: '11.22.33.44' },
    ],
  ])('is one object with its time: $type', (event, expected) => {
    expect(json(event)).toEqual([expected])
  })

  it('is not what everybody knows: a gateway, and its first address', () => {
    expect(json({ type: 'found', gateway })).toEqual([])
    expect(json({ type: 'external-address', address: '1.2.3.4', previous: undefined })).toEqual([])
  })

  it('has no port if none was ever open', () => {
    const [report] = reportsOf(
      { type: 'failed', kept: KEPT, error: SILENCE, againInMs: 1000 },
      TIME_MS,
      () => undefined,
    )
    expect(report).toBeDefined()
    const fields = report === undefined ? {} : JSON.parse(renderJson(report))
    expect(fields).toEqual({ type: 'keep-failed', time, name: KEPT.name, error: ERROR, againInSeconds: 1 })
  })

  it('of the first mapping is what the command reports without --keep, with its time', () => {
    const event: Event = { type: 'mapped', kept: KEPT, held: HELD, gateway }
    expect(json(event)).toEqual([
      { type: 'external-address', during: 'map', ok: true, address: '11.22.33.44' },
      {
        type: 'mapped',
        time,
        asked: { ...asked, leaseSeconds: 0 },
        mapping: MAPPING,
        externalAddress: '11.22.33.44',
        reachable: true,
      },
    ])
    expect(json({ ...event, held: { ...PINHOLE, leaseMs: 120_000 } })).toEqual([
      { type: 'pinhole-added', time, asked: PINHOLE.pinhole, ok: true, id: 4711, leaseSeconds: 120 },
    ])
  })
})

describe('a failure', () => {
  const refused = new RefusedError({ protocol: 'igd', action: 'map', number: 718, standardName: 'Conflict' })
  const failed = (error = SILENCE as Extract<Event, { type: 'failed' }>['error'], kept = KEPT): Event => {
    return { type: 'failed', kept, error, againInMs: 1000 }
  }

  it('is reported again if it is another failure, of another port, or after a success or a loss', () => {
    const repetitions = new Repetitions()
    const other = { name: 'other' } as KeptEither
    const told = (event: Event): boolean => !repetitions.isOne(event)
    expect([failed(), failed(), failed(refused), failed(refused), failed()].map(told)).toEqual([
      true,
      false,
      true,
      false,
      true,
    ])
    expect([failed(SILENCE, other), failed(SILENCE, other)].map(told)).toEqual([true, false])
    for (const between of [
      { type: 'renewed', kept: KEPT, held: HELD },
      { type: 'lost', kept: KEPT, reason: 'expired' },
    ] as const) {
      expect([failed(), between, failed(), failed()].map(told)).toEqual([false, true, true, false])
    }
    expect(told(failed(SILENCE, other))).toBe(false)
    expect([{ type: 'gateway-lost', error: SILENCE } as const, failed()].map(told)).toEqual([true, false])
  })

  it.each(PROTOCOLS)(
    'is not told as often as it happens: 30 s without a router, and an hour of refusals, %s',
    async (protocol) => {
      const kept = [8080, 8081, 8082].map(
        (externalPort) =>
          new KeptMapping(wanted({ externalPort, internalPort: externalPort, lease: { seconds: 120 } })),
      )
      const repetitions = new Repetitions()
      let told: string[] = []
      const keeping = begin(protocol, {
        kept,
        onEvent: (event) => {
          if (event.type === 'renewed' && event.isForLook === true) return
          if (!repetitions.isOne(event as Event))
            told.push(...reportsOf(event as Event, 0, () => undefined).map(({ type }) => type))
        },
      })
      await keeping.wait(20_000)
      told = []
      keeping.router.reboot(30_000)
      await keeping.wait(60_000)
      expect(told.toSorted()).toEqual(['gateway-lost', 'restored', 'restored', 'restored', 'searching'])
      told = []
      keeping.router.refuse(2, 'map')
      await keeping.wait(3_600_000)
      expect(keeping.router.callsOf('map')).toBeGreaterThan(300)
      // Each could not be renewed, was lost, and could not be opened again.
      expect(told.toSorted()).toEqual([...Array(6).fill('keep-failed'), ...Array(3).fill('lost')])
      await keeping.stop()
    },
  )
})

describe('a renewal', () => {
  const mapped: Event = { type: 'mapped', kept: KEPT, held: HELD, gateway }
  const renewed = (changes: Partial<typeof HELD> = {}): Event => {
    return { type: 'renewed', kept: KEPT, held: { ...HELD, ...changes } as HeldEither }
  }
  const moved = { mapping: { ...MAPPING, externalPort: 8081 } }
  const forever = { leaseMs: Number.POSITIVE_INFINITY }

  it.each<[string, Event[], boolean[]]>([
    ['is no news', [renewed(), renewed()], [true, true]],
    [
      'is no news where the router counts some seconds less',
      [renewed({ leaseMs: 7_190_000 }), renewed()],
      [true, true],
    ],
    [
      'is news once if the lease is another one',
      [renewed({ leaseMs: 60_000 }), renewed({ leaseMs: 60_000 })],
      [false, true],
    ],
    ['is news once if the lease has no end any more', [renewed(forever), renewed(forever)], [false, true]],
    ['is news once if the port is another one', [renewed(moved), renewed(moved)], [false, true]],
    [
      'is news once after a failure, which was told',
      [{ type: 'failed', kept: KEPT, error: SILENCE, againInMs: 1000 }, renewed(), renewed()],
      [false, false, true],
    ],
    [
      'is news once after the router was gone',
      [{ type: 'gateway-lost', error: SILENCE }, renewed(), renewed()],
      [false, false, true],
    ],
    [
      'is no news after it was told that the port is open again',
      [
        { type: 'lost', kept: KEPT, reason: 'gone' },
        { type: 'restored', kept: KEPT, held: HELD, afterMs: 1 },
        renewed(),
      ],
      [false, false, true],
    ],
    [
      'is no news because of another port',
      [{ type: 'failed', kept: { name: 'other' } as KeptEither, error: SILENCE, againInMs: 1 }, renewed()],
      [false, true],
    ],
  ])('%s', (_, events, changesNothing) => {
    const renewals = new Renewals()
    expect(renewals.changesNothing(mapped)).toBe(false)
    expect(events.map((event) => renewals.changesNothing(event))).toEqual(changesNothing)
  })

  it('of a pinhole is no news either', () => {
    const renewals = new Renewals()
    const events: Event[] = [{ ...mapped, held: PINHOLE } as Event, { type: 'renewed', kept: KEPT, held: PINHOLE }]
    expect(events.map((event) => renewals.changesNothing(event))).toEqual([false, true])
  })
})
