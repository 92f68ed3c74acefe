/** How others learn what is open: from the environment, the state file and the service manager. */
import { describe, expect, it } from 'vitest'
import { environmentOf } from '../../../src/cli/keep/environment.ts'
import { ServiceStatus, StateFile, stateText } from '../../../src/cli/keep/state.ts'
import { TransportError } from '../../../src/domain/errors.ts'
import type { PortState } from '../../../src/library/keeping/kept-ports.ts'
import { FakeClock, settle } from '../../support/fake-clock.ts'

const NOW_MS = Date.UTC(2026, 10, 24, 12)

function port(externalPort: number, protocol = 'TCP'): PortState {
  return {
    protocol,
    externalPort,
    internalPort: externalPort - 1000,
    internalClient: '192.168.1.5',
    endsWallMs: NOW_MS,
  }
}

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
  const facts = (...ports: PortState[]) => ({ externalAddress: '11.22.33.44', ports })

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
