/** watch: when the router is looked at, and what is reported, with a scripted gateway and a clock that stands still. */
import { describe, expect, it } from 'vitest'
import type { ChosenGateway } from '../../../src/cli/context.ts'
import { follow, LEAST_PAUSE_MS, PAUSE_WITH_EVENTS_MS, type RouterNews } from '../../../src/cli/run/watch.ts'
import { commandLineNet } from '../../../src/cli/surroundings.ts'
import { NoReplyError, RefusedError } from '../../../src/domain/errors.ts'
import type { ConnectionStatus, IgdGateway, PortControlGateway } from '../../../src/domain/gateway.ts'
import type { PortMapping } from '../../../src/domain/port-mapping.ts'
import type { Opened } from '../../../src/library/search-gateway.ts'
import { sleep } from '../../../src/net/clock.ts'
import { memoryFiles } from '../../../src/net/files/private-files.ts'
import { FakeClock, settle } from '../../support/fake-clock.ts'

const row = (externalPort: number, more: Partial<PortMapping> = {}): PortMapping => ({
  ...{ remoteHost: '', externalPort, protocol: 'TCP', internalPort: externalPort, internalClient: '192.168.1.20' },
  ...{ enabled: true, description: 'upnp-ts', leaseSeconds: 3600, ...more },
})

/** A gateway that answers from `state`. */
function start(isPortControl = false) {
  const clock = new FakeClock()
  const state = {
    ...{ rows: [row(80)] as readonly PortMapping[], address: '203.0.113.7', connectionStatus: 'Connected' },
    ...{ takesMs: 0, isGone: false, refuses: false, hidden: false, epochSeconds: 100, looks: [] as number[] },
  }
  const answered = async <T>(value: () => T): Promise<T> => {
    if (state.takesMs > 0) await sleep(clock, state.takesMs)
    if (state.isGone) throw new NoReplyError('no reply within 8 s')
    return value()
  }
  const igd: Partial<IgdGateway> = {
    ...{ protocol: 'igd', address: '192.168.1.1', localAddress: '192.168.1.20' },
    externalAddress: () => answered(() => state.address),
    status: () =>
      answered((): ConnectionStatus => {
        return { connectionStatus: state.connectionStatus, lastConnectionError: '', uptimeSeconds: 60 }
      }),
    find: async ({ externalPort }) => state.rows.find((each) => each.externalPort === externalPort),
    async *portMappings() {
      state.looks.push(clock.monotonicMs())
      const rows = await answered(() => state.rows)
      if (state.refuses)
        throw new RefusedError({
          action: 'GetGenericPortMappingEntry',
          number: 606,
          standardName: 'ActionNotAuthorized',
        })
      for (const each of rows) if (!(state.hidden && each.externalPort === 80)) yield each
      return { number: 713, standardName: 'SpecifiedArrayIndexInvalid' }
    },
  }
  const pcp: Partial<PortControlGateway> = {
    ...{ protocol: 'pcp', address: '192.168.1.1', localAddress: '192.168.1.20' },
    get epochSeconds() {
      return state.epochSeconds
    },
    pulse: () => {
      state.looks.push(clock.monotonicMs())
      return answered(() => ({ externalAddress: undefined }))
    },
    externalAddress: () => answered(() => state.address),
  }
  const chosen = { gateway: isPortControl ? pcp : igd, externalAddress: undefined } as unknown as ChosenGateway
  const searches: number[] = []
  const searchAgain = async () => {
    searches.push(clock.monotonicMs())
    return { found: state.isGone ? undefined : chosen } as unknown as Opened
  }
  const abort = new AbortController()
  let tell = (_: RouterNews): void => {}
  let listening = 0
  const reports = follow(chosen, searchAgain, {
    ...commandLineNet(),
    ...{ clock, files: memoryFiles(), signal: abort.signal },
    listen: (_, onNews) => {
      listening++
      tell = onNews
      return () => {
        listening--
      }
    },
  })
  const told: string[] = []
  const ended = (async () => {
    for await (const report of reports) {
      const mapping = 'mapping' in report ? ` ${report.mapping.externalPort}` : ''
      const address = 'address' in report ? ` ${report.address}` : ''
      told.push(`${clock.monotonicMs()} ${report.type}${mapping}${address}`)
    }
  })()
  ended.catch(() => {})
  return {
    ...{ clock, state, searches, abort, ended },
    tell: (kind: RouterNews) => tell(kind),
    listening: () => listening,
    /** What was reported since the last call. */
    heard: async (ms: number) => {
      await clock.advance(ms)
      return told.splice(0)
    },
  }
}

describe('watch', () => {
  it('reports what is there, and then what comes and goes within 2 s', async () => {
    const { state, heard } = start()
    const first = ['0 status', '0 external-address 203.0.113.7', '0 port-appeared 80', '0 listing-end']
    expect(await heard(0)).toEqual(first)
    state.rows = [row(80), row(25565)]
    expect(await heard(2000)).toEqual(['2000 port-appeared 25565'])
    state.rows = [row(80)]
    expect(await heard(2000)).toEqual(['4000 port-gone 25565'])
    expect(await heard(60_000)).toEqual([])
  })

  it('reports another address, another state of the connection, and a lease that begins anew', async () => {
    const { state, heard } = start()
    await heard(0)
    state.address = '203.0.113.8'
    state.connectionStatus = 'Disconnected'
    state.rows = [row(80, { leaseSeconds: 3500 })]
    expect(await heard(2000)).toEqual(['2000 status', '2000 external-address-changed 203.0.113.8'])
    state.rows = [row(80, { leaseSeconds: 3600 })]
    expect(await heard(2000)).toEqual(['4000 port-renewed 80'])
  })

  it('shows a row that leads elsewhere now as one that has gone and one that has come', async () => {
    const { state, heard } = start()
    await heard(0)
    state.rows = [row(80, { internalClient: '192.168.1.31' })]
    expect(await heard(2000)).toEqual(['2000 port-gone 80', '2000 port-appeared 80'])
  })

  it('does not believe that a row has gone because the table moved while it was read', async () => {
    const { state, heard } = start()
    await heard(0)
    state.hidden = true
    expect(await heard(10_000)).toEqual([])
  })

  it('pauses four times as long as a look takes, whatever is announced', async () => {
    const { state, heard, tell, clock } = start()
    state.takesMs = 1000
    await heard(0)
    for (let at = 0; at < 200; at++) {
      tell(at % 2 === 0 ? 'announcement' : 'event')
      await clock.advance(100)
    }
    expect(state.looks).toEqual([0, 2000, 7000, 12_000, 17_000])
  })

  it('looks at once for an event, but never sooner than the least pause after a look', async () => {
    const { state, heard, tell } = start()
    await heard(0)
    tell('event')
    expect(await heard(LEAST_PAUSE_MS - 1)).toEqual([])
    expect(state.looks).toEqual([0])
    await heard(1)
    expect(state.looks).toEqual([0, LEAST_PAUSE_MS])
  })

  it('waits for events of the table once there was one, until they miss three changes in a row', async () => {
    const { state, heard, tell } = start()
    await heard(0)
    tell('table')
    await heard(2000)
    state.rows = [row(81)]
    expect(await heard(5000)).toEqual([])
    tell('table')
    expect(await heard(0)).toEqual(['7000 port-gone 80', '7000 port-appeared 81'])
    for (const port of [82, 83, 84]) {
      state.rows = [row(port)]
      await heard(PAUSE_WITH_EVENTS_MS)
    }
    expect(state.looks).toEqual([0, 2000, 7000, 17_000, 27_000, 37_000])
    state.looks.length = 0
    await heard(4000)
    expect(state.looks).toEqual([39_000, 41_000])
  })

  it('says once that the router has gone, looks for it with growing pauses, and says that it is back', async () => {
    const { state, heard, searches, listening } = start()
    await heard(0)
    state.isGone = true
    expect(await heard(100_000)).toEqual(['2000 gateway-lost'])
    expect(searches).toEqual([3000, 5000, 9000, 17_000, 33_000, 63_000, 93_000])
    expect(listening()).toBe(0)
    state.isGone = false
    state.rows = [row(80), row(81)]
    expect(await heard(30_000)).toEqual(['123000 gateway-back 192.168.1.1', '125000 port-appeared 81'])
    expect(listening()).toBe(1)
  })

  it('says once that the router does not give its table', async () => {
    const { state, heard } = start()
    state.refuses = true
    expect(await heard(10_000)).toEqual(['0 status', '0 external-address 203.0.113.7', '0 listing-failed'])
    state.refuses = false
    expect(await heard(2000)).toEqual(['12000 port-appeared 80', '12000 listing-end'])
  })

  it('watches over PCP the address, what is remembered, and whether the router has restarted', async () => {
    const { state, heard } = start(true)
    expect(await heard(0)).toEqual(['0 external-address 203.0.113.7', '0 listing-end'])
    state.address = '203.0.113.8'
    state.epochSeconds = 102
    expect(await heard(2000)).toEqual([])
    state.epochSeconds = 1
    expect(await heard(2000)).toEqual(['4000 gateway-restarted', '4000 external-address-changed 203.0.113.8'])
  })

  it('ends at every moment, and leaves no timer behind', async () => {
    for (const afterMs of [0, 500, 1999, 2000, 2500, 15_000]) {
      const { state, heard, abort, ended, clock, listening } = start()
      await heard(0)
      state.isGone = afterMs > 2000
      await heard(afterMs)
      abort.abort(new Error('over'))
      await settle()
      await expect(ended).rejects.toThrow('over')
      expect([clock.pending, listening()]).toEqual([0, 0])
    }
  })
})
