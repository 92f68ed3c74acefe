/** How others learn what is open: from the environment, the state file and the service manager. */
import { describe, expect, it } from 'vitest'
import { environmentOf, KeptPorts, openPortOf } from '../../../src/cli/keep/open-ports.ts'
import { ServiceStatus, StateFile, stateText } from '../../../src/cli/keep/state.ts'
import type { OpenPort } from '../../../src/cli/report.ts'
import { NoReplyError, TransportError } from '../../../src/domain/errors.ts'
import type { HeldEither, KeptEither } from '../../../src/keeper/kept-pinhole.ts'
import { FakeClock, settle } from '../../support/fake-clock.ts'
import { ASKED, MAPPING } from '../../support/report-parts.ts'

const NOW_MS = Date.UTC(2026, 10, 24, 12)
const HOUR_MS = 3_600_000

function port(externalPort: number, protocol = 'TCP'): OpenPort {
  return {
    protocol,
    externalPort,
    internalPort: externalPort - 1000,
    internalClient: '192.168.1.5',
    endsWallMs: NOW_MS,
  }
}

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
    expect(openPortOf(held(), NOW_MS)).toEqual(expected)
    expect(openPortOf(held(8080, Number.POSITIVE_INFINITY), NOW_MS).endsWallMs).toBeUndefined()
  })

  it('of a pinhole is the same outside and inside', () => {
    expect(openPortOf(PINHOLE, NOW_MS)).toMatchObject({ protocol: 'UDP', externalPort: 22, internalPort: 22 })
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

describe('the environment', () => {
  const externalAddress = '11.22.33.44'
  const ADDRESS = { UPNP_EXTERNAL_ADDRESS: externalAddress }

  it('has the port', () => {
    expect(environmentOf({ externalAddress, ports: [port(2022)] })).toEqual({
      ...ADDRESS,
      UPNP_EXTERNAL_PORT: '2022',
      UPNP_INTERNAL_PORT: '1022',
      UPNP_PROTOCOL: 'TCP',
    })
  })

  it('has each of several by its number, and the first one as the only one would be', () => {
    expect(environmentOf({ externalAddress, ports: [port(2022, 'UDP'), port(2023)] })).toEqual({
      ...ADDRESS,
      UPNP_EXTERNAL_PORT: '2022',
      UPNP_INTERNAL_PORT: '1022',
      UPNP_PROTOCOL: 'UDP',
      UPNP_EXTERNAL_PORT_1: '2022',
      UPNP_INTERNAL_PORT_1: '1022',
      UPNP_PROTOCOL_1: 'UDP',
      UPNP_EXTERNAL_PORT_2: '2023',
      UPNP_INTERNAL_PORT_2: '1023',
      UPNP_PROTOCOL_2: 'TCP',
    })
  })

  it('does not give a port the number of another that is not open', () => {
    const variables = environmentOf({ externalAddress, ports: [undefined, port(2023)] })
    expect(Object.keys(variables)).toEqual([
      'UPNP_EXTERNAL_ADDRESS',
      'UPNP_EXTERNAL_PORT_2',
      'UPNP_INTERNAL_PORT_2',
      'UPNP_PROTOCOL_2',
    ])
  })

  it('has nothing if nothing is open, and no address if none is known', () => {
    expect(environmentOf({ externalAddress, ports: [undefined] })).toEqual({})
    expect(environmentOf({ externalAddress: undefined, ports: [port(2022)] })).not.toHaveProperty(
      'UPNP_EXTERNAL_ADDRESS',
    )
  })
})

describe('the state', () => {
  it('is one JSON object on one line', () => {
    const ports = [undefined, port(2022), { ...port(2023), endsWallMs: undefined }]
    const text = stateText({ externalAddress: '11.22.33.44', ports }, NOW_MS)
    expect(text.indexOf('\n')).toBe(text.length - 1)
    const common = { protocol: 'TCP', internalClient: '192.168.1.5' }
    expect(JSON.parse(text)).toEqual({
      version: 1,
      updated: '2026-11-24T12:00:00.000Z',
      externalAddress: '11.22.33.44',
      ports: [
        { ...common, externalPort: 2022, internalPort: 1022, ends: '2026-11-24T12:00:00.000Z' },
        { ...common, externalPort: 2023, internalPort: 1023, ends: null },
      ],
    })
  })

  it('has the same fields if nothing is known', () => {
    expect(JSON.parse(stateText({ externalAddress: undefined, ports: [undefined] }, NOW_MS))).toEqual({
      version: 1,
      updated: '2026-11-24T12:00:00.000Z',
      externalAddress: null,
      ports: [],
    })
  })
})

function kept(name: string): KeptEither {
  return { name } as KeptEither
}

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

describe('the state file', () => {
  const FACTS = { externalAddress: undefined, ports: [] }
  const failure = new TransportError('no space')

  function file(path: string | undefined, write: (text: string) => void) {
    const clock = new FakeClock()
    const troubles: unknown[] = []
    const onTrouble = (error: TransportError, willTryAgain: boolean): void => void troubles.push([error, willTryAgain])
    const state = new StateFile({ path, clock, write: (_, text) => write(text), onTrouble })
    return { clock, state, troubles }
  }

  it('is written when there is something new', () => {
    const written: string[] = []
    const { state } = file('x', (text) => written.push(text))
    state.show(FACTS)
    state.show({ ...FACTS })
    expect(written).toHaveLength(1)
    state.show({ ...FACTS, externalAddress: '11.22.33.44' })
    expect(written.map((text) => JSON.parse(text).externalAddress)).toEqual([null, '11.22.33.44'])
  })

  it('does not exist if none is named', () => {
    const { state } = file(undefined, () => expect.unreachable())
    state.show(FACTS)
  })

  it('that cannot be written is reported once, until it can; then the newest content is written', () => {
    const written: string[] = []
    let isFull = true
    const { state, troubles } = file('x', (text) => {
      if (isFull) throw failure
      written.push(text)
    })
    state.show(FACTS)
    state.show(FACTS)
    state.show({ ...FACTS, externalAddress: '11.22.33.44' })
    expect(troubles).toEqual([[failure, true]])
    isFull = false
    state.show({ ...FACTS, externalAddress: '11.22.33.55' })
    expect(written).toHaveLength(1)
    isFull = true
    state.show(FACTS)
    expect(troubles).toEqual([
      [failure, true],
      [failure, true],
    ])
  })

  it('that cannot be written is tried again after growing pauses, with the newest content', async () => {
    const written: string[] = []
    let [tries, isFull] = [0, true]
    const { clock, state, troubles } = file('x', (text) => {
      tries++
      if (isFull) throw failure
      written.push(text)
    })
    state.show(FACTS)
    for (const pauseMs of [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]) {
      await clock.advance(pauseMs - 1)
      const before = tries
      await clock.advance(1)
      expect(tries).toBe(before + 1)
    }
    state.show({ ...FACTS, externalAddress: '11.22.33.44' })
    isFull = false
    await clock.advance(1000) // the pauses have begun anew
    expect(written.map((text) => JSON.parse(text).externalAddress)).toEqual(['11.22.33.44'])
    expect([troubles.length, clock.pending]).toEqual([1, 0])
  })

  it('that could not be written is written again although its last content is wanted again: it may be half written', () => {
    const written: string[] = []
    const { state } = file('x', (text) => {
      written.push(text)
      if (written.length === 2) throw failure
    })
    state.show(FACTS)
    state.show({ ...FACTS, externalAddress: '11.22.33.44' })
    state.show(FACTS)
    expect(written).toHaveLength(3)
  })

  it('is not tried again after the end', async () => {
    const { clock, state, troubles } = file('x', () => {
      throw failure
    })
    state.end(FACTS)
    expect([troubles, clock.pending]).toEqual([[[failure, false]], 0])
    state.show(FACTS)
    state.end(FACTS)
    expect(clock.pending).toBe(0)
  })
})

describe('the service manager', () => {
  const facts = (...ports: OpenPort[]) => ({ externalAddress: '11.22.33.44', ports })

  it('hears once that all is ready, what is open when that changes, and once about the end', async () => {
    const told: string[] = []
    const service = new ServiceStatus(async (message) => void told.push(message), new FakeClock())
    service.show(facts())
    await settle()
    service.show(facts(port(22)))
    await settle()
    service.ready()
    service.show(facts(port(22)))
    service.ready()
    service.show(facts(port(22), port(23), port(24, 'UDP'), port(25)))
    service.stopping()
    service.show(facts())
    service.ready()
    service.stopping()
    await settle()
    expect(told).toEqual([
      'STATUS=no port is open',
      'STATUS=11.22.33.44:22 TCP is open',
      'READY=1',
      'STATUS=11.22.33.44:22 TCP, 11.22.33.44:23 TCP, 11.22.33.44:24 UDP and 1 more are open',
      'STOPPING=1',
    ])
  })

  it('hears one message after the other, even if one cannot be sent', async () => {
    const told: string[] = []
    let fail = (): void => {}
    const service = new ServiceStatus((message) => {
      told.push(message)
      return new Promise((_, reject) => (fail = () => reject(new TransportError('no'))))
    }, new FakeClock())
    service.ready()
    service.stopping()
    await settle()
    expect(told).toEqual(['READY=1'])
    fail()
    await settle()
    expect(told).toEqual(['READY=1', 'STOPPING=1'])
  })

  it.each([true, false])(
    'hears that all is ready until it has heard it, four times at most: %j',
    async (isHeardAtLast) => {
      const clock = new FakeClock()
      const told: string[] = []
      const service = new ServiceStatus(async (message) => {
        told.push(`${clock.monotonicMs()} ${message}`)
        if (message === 'READY=1' && !(isHeardAtLast && told.length > 3)) throw new TransportError('no')
      }, clock)
      service.ready()
      await clock.advance(1000)
      service.show(facts(port(22)))
      service.ready()
      await clock.advance(600_000)
      const before = ['0 READY=1', '1000 READY=1', '1000 STATUS=11.22.33.44:22 TCP is open']
      expect(told).toEqual([...before, ...(isHeardAtLast ? ['6000 READY=1'] : ['6000 READY=1', '36000 READY=1'])])
      service.stopping()
      await settle()
      expect([told.at(-1), clock.pending]).toEqual(['601000 STOPPING=1', 0])
    },
  )

  it('hears nothing more of it after the end', async () => {
    const clock = new FakeClock()
    const told: string[] = []
    const service = new ServiceStatus(async (message) => {
      told.push(message)
      throw new TransportError('no')
    }, clock)
    service.ready()
    await settle()
    service.stopping()
    await clock.advance(60_000)
    expect([told, clock.pending]).toEqual([['READY=1', 'STOPPING=1'], 0])
  })

  it('is not told what is out of date by the time that it can be told', async () => {
    const told: string[] = []
    const service = new ServiceStatus(async (message) => void told.push(message), new FakeClock())
    for (const count of [1, 2, 3]) service.show(facts(...Array.from({ length: count }, (_, at) => port(22 + at))))
    await settle()
    expect(told).toEqual(['STATUS=11.22.33.44:22 TCP, 11.22.33.44:23 TCP, 11.22.33.44:24 TCP are open'])
  })

  it('sees where an IPv6 address ends', async () => {
    const told: string[] = []
    const service = new ServiceStatus(async (message) => void told.push(message), new FakeClock())
    service.show({ externalAddress: '2001:db8::5', ports: [port(22)] })
    await settle()
    expect(told).toEqual(['STATUS=[2001:db8::5]:22 TCP is open'])
  })
})
