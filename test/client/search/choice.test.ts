/** Which of those who have answered is used: a table of what is known at one moment, and what follows from it. */
import { describe, expect, it } from 'vitest'
import type { PortControlAnswer } from '../../../src/client/port-control/probe.ts'
import { choose, ranked, type Standing, type Times } from '../../../src/client/search/choice.ts'
import type { Examined, Place } from '../../../src/client/search/discovery.ts'
import type { IgdGateway } from '../../../src/domain/gateway.ts'

const PUBLIC = '203.0.113.5'
const PRIVATE = '10.0.0.5'
const SHARED = '100.64.0.5'

const igd = (
  place: Place,
  kind: Examined['kind'] = 'connected',
  externalAddress = kind === 'connected' ? PUBLIC : '',
) => {
  const gateway = kind === 'not-an-igd' ? undefined : ({ protocol: 'igd' } as IgdGateway)
  const location = `http://${place}/${kind}/${externalAddress}`
  return { place, kind, gateway, location, zone: '', localAddress: '', status: undefined, externalAddress } as Examined
}
const ROUTERS = igd('router')
const ROUTERS_PRIVATE = igd('router', 'reserved', PRIVATE)
const ROUTERS_OFF = igd('router', 'disconnected')
const BESIDE = igd('beside')
const ELSEWHERE = igd('elsewhere')

const answer = (protocol: 'pcp' | 'nat-pmp', externalAddress?: string): PortControlAnswer =>
  ({ protocol, externalAddress, endpoint: { address: '192.168.1.1', port: 5351 } }) as PortControlAnswer
const PCP = answer('pcp')
const PCP_PUBLIC = answer('pcp', PUBLIC)
const PCP_PRIVATE = answer('pcp', PRIVATE)
const NAT_PMP_PUBLIC = answer('nat-pmp', PUBLIC)

const TIMES: Times = { answer: false, igd: false, rivals: false, search: false, lastLook: false }
/** After so long these are over. */
const AFTER: Record<'500 ms' | '1550 ms' | '4 s' | '5.5 s', Times> = {
  '500 ms': { ...TIMES, answer: true },
  '1550 ms': { ...TIMES, answer: true, igd: true },
  '4 s': { ...TIMES, answer: true, igd: true, search: true },
  '5.5 s': { ...TIMES, answer: true, igd: true, search: true, lastLook: true },
}

interface Known extends Omit<Partial<Standing>, 'isExamining'> {
  readonly examining?: readonly Place[]
}

const NOTHING: Standing = {
  isRouterKnown: true,
  examined: [],
  isExamining: () => false,
  hasHeardRouter: false,
  answered: undefined,
  isAnswerAwaited: false,
  isAddressAwaited: false,
  madeIn: undefined,
  hasNoUpnp: false,
  need: undefined,
  ignoreState: false,
  changes: true,
  time: TIMES,
}

function chosen({ examining = [], ...known }: Known): Examined | PortControlAnswer | 'nobody' | 'wait' {
  const isExamining = (...places: readonly Place[]): boolean => places.some((place) => examining.includes(place))
  const choice = choose({ ...NOTHING, ...known, isExamining })
  if (choice === undefined) return 'wait'
  if (choice === 'nobody') return choice
  return 'igd' in choice ? choice.igd : choice.answer
}

type Case = [string, Known, ReturnType<typeof chosen>]

it('waits until it is known which device is the router', () => {
  const known = { isRouterKnown: undefined, examined: [ROUTERS, BESIDE], answered: PCP_PUBLIC }
  for (const time of [TIMES, AFTER['500 ms']]) expect(chosen({ ...known, time })).toBe('wait')
})

describe('the router', () => {
  it.each<Case>([
    ['is asked over UPnP the moment its IGD answers', { examined: [ROUTERS], isAnswerAwaited: true }, ROUTERS],
    ['whoever came first', { examined: [BESIDE, ROUTERS], answered: PCP_PUBLIC }, ROUTERS],
    ['although its IGD came last', { examined: [ROUTERS], answered: PCP_PUBLIC, time: AFTER['1550 ms'] }, ROUTERS],
    ['has time for UPnP', { answered: PCP_PUBLIC, time: AFTER['500 ms'] }, 'wait'],
    [
      'has time as long as its IGD is being examined',
      { examining: ['router'], answered: PCP, time: AFTER['4 s'] },
      'wait',
    ],
    ['is asked over PCP if UPnP did not come', { answered: PCP, time: AFTER['1550 ms'] }, PCP],
    ['is asked over NAT-PMP if neither came', { answered: NAT_PMP_PUBLIC, time: AFTER['1550 ms'] }, NAT_PMP_PUBLIC],
    [
      'is asked over PCP at once if it is known to have no UPnP',
      { answered: PCP, hasNoUpnp: true, isAnswerAwaited: true },
      PCP,
    ],
    [
      'has time for PCP if it is known to have no UPnP, and NAT-PMP came first',
      { answered: NAT_PMP_PUBLIC, hasNoUpnp: true, isAnswerAwaited: true },
      'wait',
    ],
    [
      'does not get more than that',
      { answered: NAT_PMP_PUBLIC, hasNoUpnp: true, isAnswerAwaited: true, time: AFTER['500 ms'] },
      NAT_PMP_PUBLIC,
    ],
    [
      'is asked over UPnP although it was known to have none',
      { examined: [ROUTERS], answered: PCP, hasNoUpnp: true },
      ROUTERS,
    ],
    ['is waited for if nothing of it has come', { time: AFTER['1550 ms'] }, 'wait'],
    ['is given up', { time: AFTER['4 s'] }, 'nobody'],
    [
      'whose IGD could not be read is asked over PCP in time',
      { hasHeardRouter: true, answered: PCP, time: AFTER['1550 ms'] },
      PCP,
    ],
    [
      'whose IGD could not be read, and that speaks nothing else',
      { hasHeardRouter: true, examined: [BESIDE], time: AFTER['4 s'] },
      'nobody',
    ],
  ])('%s', (_name, known, expected) => {
    expect(chosen(known)).toBe(expected)
  })
})

describe('an IGD of the router with a private address', () => {
  const known = { examined: [ROUTERS_PRIVATE] }
  it.each<Case>([
    ['waits for PCP', { ...known, isAnswerAwaited: true }, 'wait'],
    ['waits for the address that PCP tells', { ...known, answered: PCP, isAddressAwaited: true }, 'wait'],
    [
      'waits for that address also if it answers late itself',
      { ...known, answered: PCP, isAddressAwaited: true, time: AFTER['1550 ms'] },
      'wait',
    ],
    [
      'waits no longer than 500 ms',
      { ...known, answered: PCP, isAnswerAwaited: true, time: AFTER['500 ms'] },
      ROUTERS_PRIVATE,
    ],
    ['is left for PCP with an address of the internet', { ...known, answered: PCP_PUBLIC }, PCP_PUBLIC],
    ['is left for NAT-PMP with an address of the internet', { ...known, answered: NAT_PMP_PUBLIC }, NAT_PMP_PUBLIC],
    ['is used if PCP tells a private one too', { ...known, answered: PCP_PRIVATE }, ROUTERS_PRIVATE],
    ['is used if PCP tells a shared one', { ...known, answered: answer('pcp', SHARED) }, ROUTERS_PRIVATE],
    ['is used if PCP tells none', { ...known, answered: PCP }, ROUTERS_PRIVATE],
    ['is used if there is nobody else', known, ROUTERS_PRIVATE],
    [
      'is used at once if only an IGD will do',
      { ...known, answered: PCP_PUBLIC, isAnswerAwaited: true, need: 'only' },
      ROUTERS_PRIVATE,
    ],
    [
      'is used at once if an IGD is better',
      { ...known, answered: PCP_PUBLIC, isAnswerAwaited: true, need: 'wanted' },
      ROUTERS_PRIVATE,
    ],
    ['waits for another IGD of the router', { ...known, examining: ['router'], answered: PCP_PUBLIC }, 'wait'],
    ['gives way to the other IGD of the router', { examined: [ROUTERS_PRIVATE, ROUTERS] }, ROUTERS],
    ['goes before somebody else’s', { examined: [BESIDE, ROUTERS_PRIVATE], time: AFTER['4 s'] }, ROUTERS_PRIVATE],
    [
      'with an address of documentation has one of the internet',
      { examined: [igd('router', 'reserved', PUBLIC)], answered: PCP_PUBLIC, isAnswerAwaited: true },
      expect.objectContaining({ externalAddress: PUBLIC, kind: 'reserved' }),
    ],
  ])('%s', (_name, each, expected) => {
    expect(chosen(each)).toEqual(expected)
  })
})

describe('an IGD of the router that is of no use', () => {
  it.each<Case>([
    ['because it is not connected: PCP', { examined: [ROUTERS_OFF], answered: PCP }, PCP],
    [
      'and NAT-PMP, once PCP has had its time',
      { examined: [ROUTERS_OFF], answered: NAT_PMP_PUBLIC, isAnswerAwaited: true },
      'wait',
    ],
    ['is not waited for', { examined: [ROUTERS_OFF], answered: NAT_PMP_PUBLIC }, NAT_PMP_PUBLIC],
    ['and nothing else', { examined: [ROUTERS_OFF, BESIDE], time: AFTER['4 s'] }, 'nobody'],
    [
      'is used if its state is to be ignored',
      { examined: [ROUTERS_OFF], answered: PCP_PUBLIC, ignoreState: true },
      ROUTERS_OFF,
    ],
    ['gives way to a connected one of its own', { examined: [ROUTERS_OFF, ROUTERS], ignoreState: true }, ROUTERS],
    [
      'because it is a media player: UPnP is still waited for',
      { examined: [igd('router', 'not-an-igd')], answered: PCP },
      'wait',
    ],
    [
      'because it is a media player: somebody else’s',
      { examined: [igd('router', 'not-an-igd'), BESIDE], time: AFTER['4 s'] },
      BESIDE,
    ],
  ])('%s', (_name, known, expected) => {
    expect(chosen(known)).toBe(expected)
  })
})

describe('what needs an IGD', () => {
  it.each<Case>([
    [
      'waits for it to the end, whatever PCP says',
      { need: 'only', answered: PCP_PUBLIC, time: AFTER['1550 ms'] },
      'wait',
    ],
    ['ends without', { need: 'only', answered: PCP_PUBLIC, time: AFTER['4 s'] }, 'nobody'],
    ['waits for it if it is only better', { need: 'wanted', answered: PCP_PUBLIC, time: AFTER['1550 ms'] }, 'wait'],
    ['goes on without if it is only better', { need: 'wanted', answered: PCP_PUBLIC, time: AFTER['4 s'] }, PCP_PUBLIC],
    [
      'waits although the router is known to have none',
      { need: 'wanted', answered: PCP, hasNoUpnp: true, time: AFTER['1550 ms'] },
      'wait',
    ],
  ])('%s', (_name, known, expected) => {
    expect(chosen(known)).toBe(expected)
  })
})

describe('a mapping that was made', () => {
  it.each<Case>([
    [
      'over PCP is closed over PCP, the moment it answers',
      { madeIn: 'pcp', answered: PCP, examined: [ROUTERS], isAnswerAwaited: true },
      PCP,
    ],
    ['over PCP waits for PCP', { madeIn: 'pcp', examined: [ROUTERS], isAnswerAwaited: true }, 'wait'],
    [
      'over PCP does not wait for ever',
      { madeIn: 'pcp', examined: [ROUTERS], isAnswerAwaited: true, time: AFTER['500 ms'] },
      ROUTERS,
    ],
    [
      'over PCP is asked for over the IGD if PCP is not spoken any more',
      { madeIn: 'pcp', examined: [ROUTERS] },
      ROUTERS,
    ],
    [
      'over NAT-PMP is closed over NAT-PMP',
      { madeIn: 'nat-pmp', answered: NAT_PMP_PUBLIC, examined: [ROUTERS] },
      NAT_PMP_PUBLIC,
    ],
    [
      'over NAT-PMP waits for NAT-PMP, although PCP came first',
      { madeIn: 'nat-pmp', answered: PCP, examined: [ROUTERS], isAnswerAwaited: true },
      'wait',
    ],
    [
      'over UPnP is closed over UPnP',
      { madeIn: 'igd', answered: PCP_PUBLIC, examined: [ROUTERS], isAnswerAwaited: true },
      ROUTERS,
    ],
    [
      'over UPnP waits for UPnP',
      { madeIn: 'igd', need: 'wanted', answered: PCP_PUBLIC, time: AFTER['1550 ms'] },
      'wait',
    ],
  ])('%s', (_name, known, expected) => {
    expect(chosen(known)).toBe(expected)
  })
})

describe('somebody else’s IGD', () => {
  it.each<Case>([
    ['waits until the router has had all its time', { examined: [BESIDE], time: AFTER['1550 ms'] }, 'wait'],
    ['is used then', { examined: [BESIDE], time: AFTER['4 s'] }, BESIDE],
    [
      'is used with a private address',
      { examined: [igd('beside', 'reserved', PRIVATE)], time: AFTER['4 s'] },
      expect.objectContaining({ place: 'beside' }),
    ],
    ['is not used if the router speaks PCP', { examined: [BESIDE], answered: PCP, time: AFTER['4 s'] }, PCP],
    [
      'is not used if the router speaks PCP and an IGD is needed',
      { examined: [BESIDE], answered: PCP, need: 'only', time: AFTER['4 s'] },
      'nobody',
    ],
    ['on another link is not used for a change', { examined: [ELSEWHERE], time: AFTER['5.5 s'] }, 'nobody'],
    ['on another link may be asked', { examined: [ELSEWHERE], changes: false, time: AFTER['4 s'] }, ELSEWHERE],
    ['on the router’s link goes first', { examined: [ELSEWHERE, BESIDE], changes: false, time: AFTER['4 s'] }, BESIDE],
    ['that is being examined gets one more moment', { examining: ['beside'], time: AFTER['4 s'] }, 'wait'],
    ['and no more', { examining: ['beside'], time: AFTER['5.5 s'] }, 'nobody'],
    ['on another link gets no moment for a change', { examining: ['elsewhere'], time: AFTER['4 s'] }, 'nobody'],
    [
      'on another link gets a moment for a question',
      { examining: ['elsewhere'], changes: false, time: AFTER['4 s'] },
      'wait',
    ],
    [
      'that is not connected is not used',
      { examined: [igd('beside', 'disconnected')], time: AFTER['5.5 s'] },
      'nobody',
    ],
    [
      'that is not connected is used if that is to be ignored',
      { examined: [igd('beside', 'disconnected')], ignoreState: true, time: AFTER['4 s'] },
      expect.objectContaining({ kind: 'disconnected' }),
    ],
  ])('%s', (_name, known, expected) => {
    expect(chosen(known)).toEqual(expected)
  })
})

describe('without a router', () => {
  const nobody = { isRouterKnown: false }
  const rivals = { ...TIMES, rivals: true }
  it.each<Case>([
    ['an IGD waits for a better one', { ...nobody, examined: [BESIDE] }, 'wait'],
    ['and is used', { ...nobody, examined: [BESIDE], time: rivals }, BESIDE],
    ['the best one is', { ...nobody, examined: [igd('beside', 'reserved', PRIVATE), BESIDE], time: rivals }, BESIDE],
    [
      'it is searched to the end',
      { ...nobody, examined: [igd('beside', 'disconnected')], time: AFTER['1550 ms'] },
      'wait',
    ],
    ['and nobody is found', { ...nobody, examined: [igd('beside', 'disconnected')], time: AFTER['4 s'] }, 'nobody'],
    [
      'one that is being examined gets one more moment',
      { ...nobody, examining: ['beside'], time: AFTER['4 s'] },
      'wait',
    ],
    ['and no more', { ...nobody, examining: ['beside'], time: AFTER['5.5 s'] }, 'nobody'],
    ['whoever was named for PCP is used', { ...nobody, answered: PCP, time: AFTER['4 s'] }, PCP],
    ['but not if an IGD is needed', { ...nobody, answered: PCP, need: 'only', time: AFTER['4 s'] }, 'nobody'],
  ])('%s', (_name, known, expected) => {
    expect(chosen(known)).toBe(expected)
  })
})

it('is the same in whatever order they came', () => {
  const examined = [ROUTERS, ROUTERS_PRIVATE, ROUTERS_OFF, BESIDE, ELSEWHERE]
  for (let turn = 0; turn < examined.length; turn++) {
    examined.push(...examined.splice(0, 1))
    for (const time of [TIMES, ...Object.values(AFTER)])
      expect(chosen({ examined: [...examined], answered: PCP_PUBLIC, time })).toBe(ROUTERS)
  }
})

it('ends at the latest 1.5 s after the search, whatever has come', () => {
  const time = AFTER['5.5 s']
  for (const examined of [[], [ROUTERS_OFF], [BESIDE], [ELSEWHERE], [ROUTERS_PRIVATE], [igd('router', 'not-an-igd')]])
    for (const answered of [undefined, PCP, NAT_PMP_PUBLIC])
      for (const need of [undefined, 'wanted', 'only'] as const)
        for (const madeIn of [undefined, 'igd', 'pcp', 'nat-pmp'] as const)
          for (const isRouterKnown of [true, false])
            for (const isAnswerAwaited of [true, false])
              expect(
                chosen({
                  examined,
                  answered,
                  need,
                  madeIn,
                  isRouterKnown,
                  isAnswerAwaited,
                  time,
                  examining: ['beside', 'elsewhere'],
                }),
              ).not.toBe('wait')
})

describe('the ranks', () => {
  it('go by what is usable, by its place, and then by its kind', () => {
    const best = [
      ROUTERS,
      ROUTERS_PRIVATE,
      BESIDE,
      igd('beside', 'reserved', PRIVATE),
      ELSEWHERE,
      ROUTERS_OFF,
      igd('router', 'not-an-igd'),
    ]
    expect(ranked(best.toReversed())).toEqual(best)
    expect(ranked(best)).toEqual(best)
  })
})
