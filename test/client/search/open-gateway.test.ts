import { describe, expect, it, vi } from 'vitest'
import { mapReply } from '../../support/port-control-replies.ts'
import { begin, chosen, disconnected, type PortControlTimes, ROUTER, type Settings, slow, TV } from './opening.ts'

const answered = { protocol: 'pcp', endpoint: { address: '192.168.1.1', port: 5351 }, epochSeconds: 3600 }

describe('which gateway is opened where all three protocols are asked for', () => {
  it('asks in all three at the same moment', async () => {
    const opening = begin()
    await opening.until(0)
    expect(opening.datagrams.sent.every(({ atMs }) => atMs === 0)).toBe(true)
    expect(opening.datagrams.sent.length).toBeGreaterThan(0)
    expect(opening.datagrams.requests.map(({ atMs, to, bytes }) => [atMs, to, bytes[0]])).toEqual([
      [0, '192.168.1.1:5351', 2],
      [0, '192.168.1.1:5351', 0],
    ])
  })

  it('is an IGD that answers 10 ms after PCP', async () => {
    const opening = begin({ devices: [ROUTER] })
    opening.portControlAnswers({ pcpAtMs: 1 })
    opening.deviceAnswers(ROUTER, 11)
    const opened = await opening.endsAt(11)
    expect(chosen(opened)).toBe('connected')
    expect(opened).toMatchObject({ found: { protocol: 'igd' }, answered, searchedMs: 11 })
  })

  it('is an IGD as soon as over IGD alone, and the IGD is asked no more, although PCP and NAT-PMP answer', async () => {
    const asked = async (via: 'auto' | 'igd') => {
      const opening = begin({ via, devices: [ROUTER] })
      opening.portControlAnswers({ pcpAtMs: 1, natPmpAtMs: 1 })
      opening.deviceAnswers(ROUTER, 50)
      expect(chosen(await opening.endsAt(50))).toBe('connected')
      return {
        searches: opening.datagrams.sent,
        atMs: opening.http.seen.map(({ atMs }) => atMs),
        log: opening.http.log,
      }
    }
    expect(await asked('auto')).toEqual(await asked('igd'))
  })

  it.each([150, 600, 1549])('is an IGD that begins to answer after %i ms', async (atMs) => {
    const opening = begin({ devices: [ROUTER] })
    opening.portControlAnswers({ pcpAtMs: 1, natPmpAtMs: 2 })
    opening.deviceAnswers(ROUTER, atMs)
    const opened = await opening.endsAt(atMs)
    expect([chosen(opened), opened.remarks]).toEqual(['connected', []])
  })

  it('is an IGD that begins to answer in time also if its description then takes 2 s', async () => {
    const router = slow(ROUTER, 2000)
    const opening = begin({ devices: [router] })
    opening.portControlAnswers({ pcpAtMs: 1 })
    opening.deviceAnswers(router, 1500)
    expect(chosen(await opening.endsAt(3500))).toBe('connected')
  })

  it('is PCP if no IGD has begun to answer 1250 ms after the second round, with a remark', async () => {
    const opening = begin({ devices: [ROUTER] })
    opening.portControlAnswers({ pcpAtMs: 1 })
    opening.deviceAnswers(ROUTER, 1552)
    const opened = await opening.endsAt(1550)
    expect([chosen(opened), opened.remarks]).toEqual(['pcp', [{ kind: 'no-upnp', via: 'pcp', waitedMs: 1550 }]])
    expect(opened).toMatchObject({ answered, searchedMs: 1550, devices: [], best: undefined, tried: undefined })
    expect(opening.http.seen).toEqual([])
    const lastSentMs = Math.max(...opening.datagrams.sent.map(({ atMs }) => atMs))
    expect(lastSentMs, 'the router has answered, so the later rounds are not sent').toBe(400)
  })

  it.each(['pcp', 'nat-pmp'] as const)(
    'is %s at once and without a remark, if the mapping was made there',
    async (via) => {
      const opening = begin({ devices: [ROUTER], madeIn: () => Promise.resolve(via) })
      opening.portControlAnswers({ pcpAtMs: 1, natPmpAtMs: 1 })
      const opened = await opening.endsAt(1)
      expect([chosen(opened), opened.remarks]).toEqual([via, []])
    },
  )

  it('sends the later rounds if nothing of the router has answered', async () => {
    const opening = begin()
    await opening.endsAt(4000)
    expect(Math.max(...opening.datagrams.sent.map(({ atMs }) => atMs))).toBe(2100)
  })

  it('is PCP if the IGD that was waited for turns out to be none, when UPnP has had its time', async () => {
    for (const [afterMs, atMs] of [
      [700, 1550],
      [1700, 1800],
    ] as const) {
      const bare = { ...ROUTER, description: { status: 404, body: 'no', afterMs } }
      const opening = begin({ devices: [bare] })
      opening.portControlAnswers({ pcpAtMs: 1 })
      opening.deviceAnswers(bare, 100)
      expect(chosen(await opening.endsAt(atMs))).toBe('pcp')
    }
  })

  it('is PCP if the IGD that was waited for says nothing more', async () => {
    const silent = { ...ROUTER, description: 'silence' } as const
    const opening = begin({ devices: [silent] })
    opening.portControlAnswers({ pcpAtMs: 1 })
    opening.deviceAnswers(silent, 100)
    const opened = await opening.endsAt(10_100) // the router may be silent for 10 s
    expect(chosen(opened)).toBe('pcp')
    expect(opened.unreadable).toMatchObject({ code: 'NO_REPLY' })
  })

  it.each([1, 3990])('is PCP, whoever else calls himself an IGD: PCP answers after %i ms', async (pcpAtMs) => {
    const neighbour = { host: '192.168.1.66:8000' }
    const silent = Array.from({ length: 12 }, (_, at) => ({
      host: `192.168.1.67:${8000 + at}`,
      description: 'silence' as const,
    }))
    const opening = begin({ devices: [neighbour, ...silent] })
    opening.portControlAnswers({ pcpAtMs })
    opening.deviceAnswers(neighbour, 50)
    for (const [at, each] of silent.entries()) opening.deviceAnswers(each, 100 + at * 1000)
    const opened = await opening.endsAt(Math.max(1550, pcpAtMs))
    expect(opened.found?.protocol).toBe('pcp')
  })

  it('does not wait for a TV that is being looked at', async () => {
    const tv = { ...TV, description: { body: '<root/>', afterMs: 2000 } }
    const opening = begin({ devices: [tv] })
    opening.portControlAnswers({ pcpAtMs: 1 })
    opening.deviceAnswers(tv, 50, 'upnp:rootdevice')
    expect(chosen(await opening.endsAt(1550))).toBe('pcp')
    expect(opening.http.seen[0]?.request.signal?.aborted).toBe(true)
  })

  it('waits for the default gateway though it calls itself a root device', async () => {
    const router = slow(ROUTER, 400)
    const opening = begin({ devices: [router] })
    opening.portControlAnswers({ pcpAtMs: 1 })
    opening.deviceAnswers(router, 50, 'upnp:rootdevice')
    expect(chosen(await opening.endsAt(450))).toBe('connected')
  })

  it('is PCP before NAT-PMP also where NAT-PMP answers first, and knows the address that NAT-PMP has told', async () => {
    const opening = begin()
    opening.portControlAnswers({ natPmpAtMs: 1, pcpAtMs: 140 })
    const opened = await opening.endsAt(1550)
    expect(opened).toMatchObject({ answered, found: { protocol: 'pcp', externalAddress: '11.22.33.44' } })
  })

  it('is NAT-PMP where PCP is refused', async () => {
    const opening = begin()
    opening.portControlAnswers({ natPmpAtMs: 3, pcpRefusedAtMs: 1 })
    const opened = await opening.endsAt(1550)
    expect(opened.found).toMatchObject({ protocol: 'nat-pmp', externalAddress: '11.22.33.44' })
    expect(opened.refusals).toMatchObject([{ protocol: 'pcp', error: { code: 'REFUSED', number: 1 } }])
  })

  it('is an IGD alone where PCP and NAT-PMP are refused, however late it is', async () => {
    const opening = begin({ devices: [ROUTER] })
    opening.portControlAnswers({ natPmpRefusedAtMs: 1, pcpRefusedAtMs: 1 })
    opening.deviceAnswers(ROUTER, 2600)
    const opened = await opening.endsAt(2600)
    expect(chosen(opened)).toBe('connected')
    expect([opened.answered, opened.refusals.length]).toEqual([undefined, 2])
  })

  it('is none after 4 s where PCP and NAT-PMP are refused and no IGD answers', async () => {
    const opening = begin()
    opening.portControlAnswers({ natPmpRefusedAtMs: 1, pcpRefusedAtMs: 1 })
    const opened = await opening.endsAt(4000)
    expect(chosen(opened)).toBe('none')
    const interfaces = [{ name: 'eth0', address: '192.168.1.10' }]
    const tried = { interfaces, routesOpened: 1, defaultGateways: ['192.168.1.1'] }
    expect(opened).toMatchObject({ answered: undefined, searchedMs: 4000, tried })
    expect(opened.refusals.map(({ protocol }) => protocol)).toEqual(['pcp', 'nat-pmp'])
  })

  it('is PCP of the router that was used before where there is no default gateway, and that is told', async () => {
    const opening = begin({ gateways: [], routerBefore: '192.168.1.1' })
    opening.portControlAnswers({ pcpAtMs: 1 })
    const opened = await opening.endsAt(1550)
    expect(chosen(opened)).toBe('pcp')
    expect(opened.remarks).toContainEqual({ kind: 'no-router', address: '192.168.1.1' })
  })

  it('is none where that router is silent too, and it is not called a default gateway', async () => {
    const opened = await begin({ gateways: [], routerBefore: '192.168.1.1' }).endsAt(4000)
    expect(opened).toMatchObject({ found: undefined, tried: { defaultGateways: [] } })
  })

  it('is none after 4 s where nobody says anything', async () => {
    const opened = await begin().endsAt(4000)
    expect(chosen(opened)).toBe('none')
    expect(opened.refusals.map(({ error }) => error.code)).toEqual(['NO_REPLY', 'NO_REPLY'])
  })

  it('is PCP where no interface can be searched on for an IGD, in the moment in which it answers', async () => {
    const opening = begin({ interfaces: [] })
    opening.portControlAnswers({ pcpAtMs: 20 })
    expect(chosen(await opening.endsAt(20))).toBe('pcp')
  })
})

describe('an IGD that is not connected, beside PCP', () => {
  it.each([
    ['gives way to PCP', false, 'pcp'],
    ['goes first if its state does not count', true, 'disconnected'],
  ])('%s', async (_name, ignoreState, kind) => {
    const router = disconnected(ROUTER)
    const opening = begin({ devices: [router], ignoreState })
    opening.portControlAnswers({ pcpAtMs: 1 })
    opening.deviceAnswers(router, 10)
    const opened = await opening.endsAt(10)
    expect(chosen(opened)).toBe(kind)
    expect(opened).toMatchObject({ answered, best: { kind: 'disconnected' } })
  })

  it('is waited for to the end where neither of them answers', async () => {
    const router = disconnected(ROUTER)
    const opening = begin({ devices: [router] })
    opening.portControlAnswers({ natPmpRefusedAtMs: 1, pcpRefusedAtMs: 1 })
    opening.deviceAnswers(router, 10)
    expect(await opening.endsAt(4000)).toMatchObject({ found: undefined, best: { kind: 'disconnected' } })
  })

  it('does not keep from PCP that answers after it', async () => {
    const router = disconnected(ROUTER)
    const opening = begin({ devices: [router] })
    opening.portControlAnswers({ pcpAtMs: 700 })
    opening.deviceAnswers(router, 10)
    expect(chosen(await opening.endsAt(700))).toBe('pcp')
  })
})

describe('an IGD that another NAT is in front of, beside PCP and NAT-PMP', () => {
  const router = { ...ROUTER, connections: { '/ctl/0': { address: '100.64.3.4' } } }

  it.each<[string, Settings, PortControlTimes, number, string]>([
    ['gives way to PCP, if that tells an address of the internet', {}, { pcpAtMs: 1, natPmpAtMs: 20 }, 20, 'pcp'],
    ['gives way to NAT-PMP alone', {}, { pcpRefusedAtMs: 1, natPmpAtMs: 20 }, 20, 'nat-pmp'],
    ['goes first if both are refused', {}, { pcpRefusedAtMs: 1, natPmpRefusedAtMs: 20 }, 20, 'reserved'],
    ['waits half a second for them', {}, {}, 500, 'reserved'],
    ['waits half a second more for the address, which PCP does not tell', {}, { pcpAtMs: 1 }, 1000, 'reserved'],
    ['goes first if an IGD is wanted', { need: 'wanted' }, { pcpAtMs: 1, natPmpAtMs: 2 }, 10, 'reserved'],
    ['goes first if only an IGD will do', { need: 'only' }, { pcpAtMs: 1, natPmpAtMs: 2 }, 10, 'reserved'],
  ])('%s', async (_name, settings, times, atMs, expected) => {
    const opening = begin({ devices: [router], ...settings })
    opening.portControlAnswers(times)
    opening.deviceAnswers(router, 10)
    expect(chosen(await opening.endsAt(atMs))).toBe(expected)
  })

  it('gives way to PCP that tells such an address when it is asked for a mapping', async () => {
    for (const [address, expected] of [
      ['11.22.33.44', 'pcp'],
      ['10.0.0.7', 'reserved'],
    ] as const) {
      const opening = begin({ devices: [router] })
      opening.portControlAnswers({ pcpAtMs: 1, natPmpRefusedAtMs: 2 })
      opening.datagrams.onRequest = ({ bytes }, peer) => {
        if (bytes[1] === 1)
          peer.deliver(mapReply(bytes, { assignedExternalAddress: address, assignedExternalPort: 50_000 }))
      }
      opening.deviceAnswers(router, 10)
      expect(chosen(await opening.endsAt(10))).toBe(expected)
    }
  })

  it.each([10, 480, 900, 1500])('gives way to such PCP as well if it answers after %i ms', async (atMs) => {
    const opening = begin({ devices: [router] })
    opening.portControlAnswers({ pcpAtMs: 1, natPmpRefusedAtMs: 2 })
    opening.datagrams.onRequest = ({ bytes }, peer) => {
      const reply = (): void =>
        peer.deliver(mapReply(bytes, { assignedExternalAddress: '11.22.33.44', assignedExternalPort: 50_000 }))
      if (bytes[1] === 1) opening.clock.schedule(40, reply)
    }
    opening.deviceAnswers(router, atMs)
    expect(chosen(await opening.endsAt(atMs + 80))).toBe('pcp')
  })

  it('gives way to such PCP although NAT-PMP says nothing', async () => {
    const opening = begin({ devices: [router] })
    opening.portControlAnswers({ pcpAtMs: 1 })
    opening.datagrams.onRequest = ({ bytes }, peer) => {
      if (bytes[1] === 1)
        peer.deliver(mapReply(bytes, { assignedExternalAddress: '11.22.33.44', assignedExternalPort: 50_000 }))
    }
    opening.deviceAnswers(router, 10)
    expect(chosen(await opening.endsAt(500))).toBe('pcp')
  })

  it('waits half a second for the address that PCP was asked for', async () => {
    const opening = begin({ devices: [router] })
    opening.portControlAnswers({ pcpAtMs: 1, natPmpRefusedAtMs: 2 })
    opening.deviceAnswers(router, 900)
    expect(chosen(await opening.endsAt(1400))).toBe('reserved')
  })
})

describe('the moment in which there is nothing to do', () => {
  it.each<[string, Settings, string]>([
    ['an IGD', { via: 'igd' }, '192.168.1.1:1900'],
    ['all three protocols', {}, '192.168.1.1:5351'],
    ['PCP', { via: 'pcp' }, '192.168.1.1:5351'],
  ])('comes once, when %s has been asked for', async (_name, settings, askedLast) => {
    const asked: string[] = []
    const opening: ReturnType<typeof begin> = begin({
      ...settings,
      onIdle: () => asked.push([...opening.datagrams.sent, ...opening.datagrams.requests].at(-1)?.to ?? 'nobody'),
    })
    await opening.until(1)
    expect(asked).toEqual([askedLast])
    await opening.endsAt(4000)
    expect(asked).toHaveLength(1)
  })

  it('does not come once it is over', async () => {
    const controller = new AbortController()
    const onIdle = vi.fn()
    const opening = begin({ onIdle, signal: controller.signal })
    controller.abort(new Error('enough'))
    await expect(opening.result).rejects.toThrow('enough')
    await opening.until(5000)
    expect(onIdle).not.toHaveBeenCalled()
  })
})
