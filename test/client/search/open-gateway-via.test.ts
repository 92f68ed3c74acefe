import { describe, expect, it } from 'vitest'
import { settle } from '../../support/fake-clock.ts'
import { begin, chosen, ROUTER } from './opening.ts'

describe('a gateway that only an IGD can be', () => {
  it('is searched for to the end although PCP has answered, which is told', async () => {
    const opening = begin({ need: 'only' })
    opening.portControlAnswers({ pcpAtMs: 1, natPmpAtMs: 2 })
    const opened = await opening.endsAt(4000)
    expect(opened).toMatchObject({ found: undefined, answered: { protocol: 'pcp' }, searchedMs: 4000 })
  })

  it('ends the search in the moment in which it is known', async () => {
    const opening = begin({ need: 'only', devices: [ROUTER] })
    opening.portControlAnswers({ pcpAtMs: 1 })
    opening.deviceAnswers(ROUTER, 2600)
    expect(chosen(await opening.endsAt(2600))).toBe('connected')
  })

  it('is not waited for after the end of the search, whoever has not answered yet', async () => {
    const opened = await begin({ need: 'only' }).endsAt(4000)
    expect([opened.answered, opened.found]).toEqual([undefined, undefined])
  })
})

describe('a search for a time that is told', () => {
  it('is not ended before that by PCP, which is taken then', async () => {
    const opening = begin({ searchMs: 500 })
    opening.portControlAnswers({ pcpAtMs: 1 })
    expect(chosen(await opening.endsAt(500))).toBe('pcp')
  })

  it('has everybody answer within that time', async () => {
    const opening = begin({ searchMs: 500 })
    const opened = await opening.endsAt(500)
    expect(opened.refusals.map(({ error }) => error.message)).toEqual([
      'ANNOUNCE: 192.168.1.1:5351 did not answer within 0.5 s',
      'external address request: 192.168.1.1:5351 did not answer within 0.5 s',
    ])
  })
})

describe('a gateway of one protocol', () => {
  it.each([
    ['pcp', { pcpAtMs: 30 }, 2],
    ['nat-pmp', { natPmpAtMs: 30 }, 0],
  ] as const)('over %s is asked in that and nothing else: no search goes out', async (via, times, version) => {
    const opening = begin({ via, devices: [ROUTER] })
    opening.portControlAnswers(times)
    const opened = await opening.endsAt(30)
    expect(opened).toMatchObject({ answered: { protocol: via }, devices: [], best: undefined, searchedMs: 30 })
    const gateway = { address: '192.168.1.1', port: 5351, localAddress: '192.168.1.10', epochSeconds: 3600 }
    expect(opened.found).toMatchObject({ protocol: via, gateway: { protocol: via, ...gateway, pinholes: undefined } })
    expect([opening.datagrams.sockets, opening.http.seen]).toEqual([[], []])
    expect(opening.datagrams.requests.map(({ bytes }) => bytes[0])).toEqual([version])
  })

  it.each([
    ['pcp', { pcpRefusedAtMs: 30 }],
    ['nat-pmp', { natPmpRefusedAtMs: 30 }],
  ] as const)('over %s is none as soon as it has refused', async (via, times) => {
    const opening = begin({ via })
    opening.portControlAnswers(times)
    const opened = await opening.endsAt(30)
    expect([opened.found, opened.answered]).toEqual([undefined, undefined])
    expect(opened.refusals).toMatchObject([{ protocol: via, error: { code: 'REFUSED', number: 1 } }])
  })

  it.each(['pcp', 'nat-pmp'] as const)('over %s is none after 4 s of silence', async (via) => {
    const opened = await begin({ via }).endsAt(4000)
    const tried = { interfaces: [], routesOpened: 0, defaultGateways: ['192.168.1.1'] }
    expect(opened).toMatchObject({ found: undefined, searchedMs: 4000, tried })
    expect(opened.refusals).toMatchObject([{ protocol: via, error: { code: 'NO_REPLY' } }])
  })

  it('over IGD is never asked on port 5351', async () => {
    const opening = begin({ via: 'igd', devices: [ROUTER] })
    opening.deviceAnswers(ROUTER, 2600)
    const opened = await opening.endsAt(2600)
    expect(opened).toMatchObject({ found: { protocol: 'igd' }, answered: undefined, refusals: [], searchedMs: 2600 })
    expect(opening.datagrams.connections).toEqual([])
    expect(opening.datagrams.sent.filter(({ to }) => to.endsWith(':5351'))).toEqual([])
  })

  it('is asked where it is told, and from there', async () => {
    const gateway = { address: '10.0.0.1', port: 15351 }
    const opening = begin({ via: 'pcp', gateway, interface: '192.168.1.10' })
    opening.portControlAnswers({ pcpAtMs: 1 })
    expect(await opening.endsAt(1)).toMatchObject({ found: { gateway: { ...gateway, localAddress: '192.168.1.10' } } })
    expect(opening.datagrams.requests[0]).toMatchObject({ from: '192.168.1.10', to: '10.0.0.1:15351' })
  })
})

describe('an opening with a signal', () => {
  it.each(['auto', 'igd', 'pcp', 'nat-pmp'] as const)('over %s ends with its reason, at every stage', async (via) => {
    for (const atMs of [undefined, 0, 1, 1000, 3999]) {
      const controller = new AbortController()
      if (atMs === undefined) controller.abort(new Error('enough'))
      const opening = begin({ via, signal: controller.signal })
      const failure = opening.result.catch((error: unknown) => error)
      await opening.until(atMs ?? 0)
      controller.abort(new Error('enough'))
      await settle()
      expect(opening.isOver).toBe(false)
      expect(await failure).toMatchObject({ message: 'enough' })
      await settle()
      expect([opening.clock.pending, opening.datagrams.openCount], `at ${atMs} ms`).toEqual([0, 0])
    }
  })

  it('ends also after PCP has answered, while an IGD is waited for', async () => {
    const controller = new AbortController()
    const opening = begin({ signal: controller.signal })
    opening.portControlAnswers({ pcpAtMs: 1 })
    await opening.until(100)
    controller.abort(new Error('enough'))
    await expect(opening.result).rejects.toThrow('enough')
    await settle()
    expect([opening.clock.pending, opening.datagrams.openCount]).toEqual([0, 0])
  })
})
