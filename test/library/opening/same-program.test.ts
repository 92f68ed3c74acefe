/** Several calls of one program open the same port: they know each other. */
import { describe, expect, it } from 'vitest'
import { findGateway } from '../../../src/library/gateway/find-gateway.ts'
import type { OpenPort } from '../../../src/library/opening/open-port.ts'
import type { PortOptions } from '../../../src/library/opening/port-options.ts'
import { memoryFiles } from '../../../src/net/files/private-files.ts'
import { HOUR_MS, Home, MINUTE_MS, SECOND_MS, VIAS } from './home.ts'

/** WANIPConnection:2 2.3.16: no lease is longer. */
const WEEK_SECONDS = 604_800
const SHARED = 'another open port of this program keeps it open'

/** The two are open, and the port stays open until both are closed. */
async function expectShared(home: Home, first: OpenPort, second: OpenPort, doors = ['8080 TCP']): Promise<void> {
  expect([first.isOpen, second.isOpen, home.doors]).toEqual([true, true, doors])
  const early = await home.close(first)
  expect([early.removed, early.left.map(({ why }) => why)]).toEqual([[], doors.map(() => SHARED)])
  await home.pass(10 * MINUTE_MS)
  expect([home.doors, second.isOpen]).toEqual([doors, true])
  const late = await home.close(second)
  expect([late.removed.length, late.left, home.doors]).toEqual([doors.length, [], []])
  await home.expectNothingLeft()
}

describe.each(VIAS)('two open ports of one program over %s', (via) => {
  const ways: readonly (readonly [string, PortOptions])[] = [
    ['as usual', {}],
    ['that store nothing', { state: false }],
    ['of TCP and UDP', { protocol: 'TCP+UDP' }],
    ['of any number', { externalPort: 'any' }],
    ['with a lease of 10 minutes', { lease: 600 }],
  ]
  it.each(ways)('share it, %s, and the one that is closed last closes it', async (_, options) => {
    for (const order of ['first', 'second']) {
      const home = await Home.begin()
      const one = await home.open(8080, { via, ...options })
      const other = await home.open(8080, { via, ...options })
      const doors = options.protocol === undefined ? ['8080 TCP'] : ['8080 TCP', '8080 UDP']
      await (order === 'first' ? expectShared(home, one, other, doors) : expectShared(home, other, one, doors))
    }
  })

  it('share it if they are opened at one moment, and are closed at one moment', async () => {
    const home = await Home.begin()
    const opening = Promise.all([home.open(8080, { via }), home.open(8080, { via })])
    const [one, other] = (await home.during(opening, 20_000)).value
    expect([one.isOpen, other.isOpen, home.doors]).toEqual([true, true, ['8080 TCP']])
    const closing = Promise.all([one.close(), other.close()])
    const closed = (await home.during(closing, 4000)).value
    expect(closed.flatMap(({ left }) => left)).toEqual([])
    expect(home.doors).toEqual([])
    await home.expectNothingLeft()
  })

  it('share it through two gateways that were found', async () => {
    const home = await Home.begin()
    const found = [1, 2].map(() => home.during(findGateway({ via, net: home.net, state: false }), 20_000))
    const [one, other] = (await Promise.all(found)).map(({ value }) => value)
    if (one === undefined || other === undefined) throw new Error('both are found')
    const first = (await home.during(one.openPort(8080), 20_000)).value
    const second = (await home.during(other.openPort(8080), 20_000)).value
    await expectShared(home, second, first)
  })

  it('share it after a restart of the router too', async () => {
    const home = await Home.begin()
    const one = await home.open(8080, { via })
    const other = await home.open(8080, { via })
    home.router.restart({ downMs: 5 * SECOND_MS, isAnnounced: true })
    await home.pass(2 * MINUTE_MS)
    await expectShared(home, other, one)
  })

  it('share it if one is left alone, and the other one is kept', async () => {
    const home = await Home.begin()
    const once = await home.open(8080, { via, keep: false, lease: 36_000 })
    const kept = await home.open(8080, { via })
    const { left } = await home.close(kept)
    expect(left).toMatchObject([{ why: SHARED }])
    expect(home.doors).toEqual(['8080 TCP'])
    expect((await home.close(once)).removed).toHaveLength(1)
    expect(home.doors).toEqual([])
    await home.expectNothingLeft()
  })

  it('forget one that was left alone, once its lease is over', async () => {
    const home = await Home.begin()
    await home.open(8080, { via, keep: false, lease: 600 })
    await home.pass(11 * MINUTE_MS)
    const other = await home.open(9090, { via, externalPort: 8080 })
    expect((await home.close(other)).removed).toHaveLength(1)
  })

  it('of different insides are not in each other’s place', async () => {
    const home = await Home.begin()
    const one = await home.open(8080, { via })
    const refused = home.open(9090, { via, externalPort: 8080 })
    await expect(refused).rejects.toMatchObject({
      code: 'REFUSED',
      isPortTaken: true,
      message: 'external port 8080 TCP leads to port 8080 of 192.168.1.10, for another open port of this program',
      holder: { externalPort: 8080, internalClient: '192.168.1.10', internalPort: 8080 },
      gateway: { protocol: via },
      action: undefined,
      hint: "take another externalPort, or externalPort: 'any', or close that open port first",
    })
    const moved = await home.open(9090, { via, externalPort: 'any' })
    expect([moved.externalPort, one.isOpen, home.doors]).toEqual([9090, true, ['8080 TCP', '9090 TCP']])
    expect((await home.close(moved)).removed).toHaveLength(1)
    expect(home.router.mappings).toMatchObject([{ externalPort: 8080, internalPort: 8080 }])
    await home.close(one)
    await home.expectNothingLeft()
  })

  it('of different insides that are asked for at one moment are not in each other’s place', async () => {
    const home = await Home.begin()
    const asked = [home.open(8080, { via, externalPort: 80 }), home.open(9090, { via, externalPort: 80 })]
    const outcomes = (await home.during(Promise.allSettled(asked), 20_000)).value
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
    const [open] = outcomes.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))
    expect(home.router.mappings).toMatchObject([{ internalPort: open?.endpoints[0]?.internalPort }])
    const free = outcomes[0]?.status === 'fulfilled' ? 9090 : 8080
    if (open !== undefined) await home.close(open)
    const again = await home.open(free, { via, externalPort: 80 })
    expect((await home.close(again)).removed).toHaveLength(1)
    await home.expectNothingLeft()
  })

  it('are not taken by map()', async () => {
    const home = await Home.begin()
    const gateway = (await home.during(findGateway({ via, net: home.net }), 20_000)).value
    const port = (await home.during(gateway.openPort(8080), 20_000)).value
    const mapping = home.during(gateway.map({ internalPort: 9090, externalPort: 8080 }), 20_000)
    await expect(mapping).rejects.toMatchObject({
      code: 'REFUSED',
      isPortTaken: true,
      message: expect.stringContaining('for another open port of this program'),
      holder: { internalPort: 8080 },
      hint: expect.stringContaining('close that open port first'),
    })
    expect(home.router.mappings).toMatchObject([{ externalPort: 8080, internalPort: 8080 }])
    const moved = (await home.during(gateway.openPort(7070, { externalPort: 9090 }), 20_000)).value
    const other = (await home.during(gateway.map({ internalPort: 9090, externalPort: 'any' }), 20_000)).value
    for (const each of [port, moved]) expect((await home.close(each)).removed).toHaveLength(1)
    expect(home.doors).toEqual([`${other.externalPort} TCP`])
    expect(other.externalPort).not.toBe(9090)
  })

  it('wait for what is being closed, and open it anew', async () => {
    const home = await Home.begin()
    const one = await home.open(8080, { via })
    const closing = one.close()
    const next = await home.open(8080, { via })
    await closing
    await home.pass(MINUTE_MS)
    expect([home.doors, next.isOpen]).toEqual([['8080 TCP'], true])
    expect((await home.close(next)).removed).toHaveLength(1)
    await home.expectNothingLeft()
  })

  it('hold it for removeOwn(), which says so', async () => {
    const home = await Home.begin()
    const gateway = (await home.during(findGateway({ via, net: home.net, state: false }), 20_000)).value
    for (const keep of [true, false]) {
      const port = (await home.during(gateway.openPort(8080, { keep }), 20_000)).value
      const { removed, left } = (await home.during(gateway.removeOwn(), 20_000)).value
      expect([removed, left]).toMatchObject([[], [{ why: 'an open port of this program holds it' }]])
      expect(home.doors).toEqual(['8080 TCP'])
      await home.close(port)
    }
    expect((await home.during(gateway.removeOwn(), 20_000)).value).toEqual({ removed: [], left: [] })
  })
})

describe('two open ports of one program', () => {
  it.each(['pcp', 'nat-pmp'] as const)('over %s and igd share the port', async (via) => {
    for (const order of ['first', 'second']) {
      const home = await Home.begin()
      const one = await home.open(8080, { via })
      const other = await home.open(8080, { via: 'igd' })
      expect([one.isOpen, other.isOpen, home.doors]).toEqual([true, true, ['8080 TCP']])
      if (order === 'first') {
        expect((await home.close(one)).removed).toHaveLength(1) // over UPnP nobody could close it
        await home.pass(SECOND_MS)
        expect([home.doors, other.isOpen]).toEqual([['8080 TCP'], true])
        expect((await home.close(other)).removed).toHaveLength(1)
        await home.expectNothingLeft()
      } else await expectShared(home, other, one)
      expect(home.doors).toEqual([])
    }
  })

  it.each(['pcp', 'nat-pmp'] as const)('over igd and %s: the router refuses, and the first one stays', async (via) => {
    const home = await Home.begin()
    const one = await home.open(8080, { via: 'igd' })
    await expect(home.open(8080, { via })).rejects.toMatchObject({ code: 'REFUSED', isPortTaken: true })
    await home.pass(10 * MINUTE_MS)
    expect([home.doors, one.isOpen]).toEqual([['8080 TCP'], true])
    expect((await home.close(one)).removed).toHaveLength(1)
    await home.expectNothingLeft()
  })

  it('with different leases: the longer one is asked for again when the shorter one is closed', async () => {
    const home = await Home.begin()
    const long = await home.open(8080, { via: 'igd', lease: 7200 })
    const short = await home.open(8080, { via: 'igd', lease: 300 })
    await home.close(short)
    await home.pass(SECOND_MS)
    expect(home.router.mappings[0]?.leaseSeconds).toBeGreaterThan(7000)
    await home.close(long)
    expect(home.doors).toEqual([])
  })
})

describe('what another program of this computer has open', () => {
  async function begin(lease: number) {
    const home = await Home.begin()
    const theirs = { ...home.net, files: memoryFiles() }
    const gateway = (await home.during(findGateway({ via: 'igd', net: theirs }), 20_000)).value
    const wanted = { internalPort: 8080, description: 'console', lease }
    await home.during(gateway.map(wanted), 20_000)
    return { home, theirs, map: () => home.during(gateway.map(wanted), 20_000) }
  }

  it('stays as it is, with its description and its lease, and is left open', async () => {
    const { home } = await begin(WEEK_SECONDS)
    const one = await home.open(8080, { via: 'igd', description: 'game' })
    const other = await home.open(8080, { via: 'igd', state: false })
    expect([one.isOpen, other.isOpen]).toEqual([true, true])
    expect(one.endpoints[0]?.endsAt?.getTime()).toBeGreaterThan(home.net.clock.wallMs() + 600_000 * SECOND_MS)
    await home.pass(5 * HOUR_MS)
    for (const port of [other, one])
      expect(await home.close(port)).toMatchObject({ removed: [], left: [{ why: 'it was open before' }] })
    expect(home.router.mappings).toMatchObject([
      { externalPort: 8080, description: 'console', leaseSeconds: WEEK_SECONDS - 18_000 },
    ])
    await home.expectNothingLeft()
  })

  it('is extended only if it would end, and never made shorter', async () => {
    const { home, map } = await begin(3600)
    const port = await home.open(8080, { via: 'igd', lease: 600 })
    await home.pass(20 * MINUTE_MS)
    expect(home.router.mappings).toMatchObject([{ description: 'console', leaseSeconds: 2400 }])
    await map()
    await home.pass(50 * MINUTE_MS)
    await map()
    await home.pass(5 * HOUR_MS)
    expect(home.router.mappings).toMatchObject([{ description: 'console' }])
    expect(port.isOpen).toBe(true)
    expect(await home.close(port)).toMatchObject({ removed: [], left: [{ why: 'it was open before' }] })
    expect(home.doors).toEqual(['8080 TCP'])
  })

  it('is opened by this one when it is gone, and closed at its end', async () => {
    const { home } = await begin(WEEK_SECONDS)
    const port = await home.open(8080, { via: 'igd', description: 'game' })
    home.router.remove(home.computer, 8080, 'TCP')
    await home.pass(5 * MINUTE_MS)
    expect(home.router.mappings).toMatchObject([{ externalPort: 8080, description: 'game' }])
    expect((await home.close(port)).removed).toHaveLength(1)
    expect(home.doors).toEqual([])
  })

  it('and keeps open is left to it', async () => {
    const { home, theirs } = await begin(WEEK_SECONDS)
    const one = await home.open(9090, { via: 'igd', net: theirs })
    const other = await home.open(9090, { via: 'igd' })
    expect((await home.close(other)).left).toMatchObject([{ why: 'it was open before' }])
    expect(home.doors).toEqual(['8080 TCP', '9090 TCP'])
    expect((await home.close(one)).removed).toHaveLength(1)
  })

  it('that was killed, and has the same files, is taken over, and closed at the end', async () => {
    const home = await Home.begin()
    await home.open(8080, {
      via: 'igd',
      net: { ...home.net },
      keep: false,
      description: 'game',
    })
    const port = await home.open(8080, { via: 'igd', description: 'game', lease: 1000 })
    expect(home.router.mappings).toMatchObject([{ description: 'game', leaseSeconds: 1000 }])
    expect((await home.close(port)).removed).toHaveLength(1)
    expect(home.doors).toEqual([])
  })
})
