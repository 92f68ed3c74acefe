import '../../../src/client/search/candidate.ts' // loaded late there, which no fake clock knows
import { getEventListeners } from 'node:events'
import { describe, expect, it, vi } from 'vitest'
import { MAX_SENDERS } from '../../../src/client/search/datagram-limit.ts'
import { MAX_DEVICES, MAX_DEVICES_PER_SENDER } from '../../../src/client/search/device-list.ts'
import { MAX_OTHERS_REQUESTS } from '../../../src/client/search/others-budget.ts'
import { rememberedRouters } from '../../../src/client/search/router-memory.ts'
import { type RouterSearchOptions, type Searched, searchRouter } from '../../../src/client/search/router-search.ts'
import type { SearchRoute } from '../../../src/client/search/routes.ts'
import { SEARCH_TARGETS } from '../../../src/client/search/ssdp-search.ts'
import type { PlacesToAsk } from '../../../src/client/search/where-to-ask.ts'
import type { RouterPlace } from '../../../src/client/search/which-router.ts'
import { memoryFiles } from '../../../src/net/files/private-files.ts'
import type { HttpRequest } from '../../../src/net/http/client.ts'
import { FakeClock, settle } from '../../support/fake-clock.ts'
import { ignoredLog } from '../../support/ignored.ts'
import { IGD1, ScriptedDatagrams, ssdpReply } from '../../support/scripted-datagrams.ts'
import {
  answersOf,
  igdDescription,
  locationOf,
  type ScriptedDevice,
  TV_DESCRIPTION,
  WANIP1,
  WANPPP1,
} from '../../support/scripted-devices.ts'
import { type ScriptedAnswer, ScriptedHttp } from '../../support/scripted-http.ts'

const HOME: SearchRoute = { address: '192.168.1.10', netmask: '255.255.255.0', multicast: true, unicastTo: [] }
const WIFI: SearchRoute = { ...HOME, address: '192.168.1.11' }

const ROUTER: ScriptedDevice = { host: '192.168.1.1:5000' }
const OTHER: ScriptedDevice = { host: '192.168.1.2:5000' }
const TV: ScriptedDevice = { host: '192.168.1.66:8080', description: { body: TV_DESCRIPTION } }
/** The default gateway. */
const ROUTER_ADDRESS = '192.168.1.1'
const disconnected = (device: ScriptedDevice): ScriptedDevice => ({
  ...device,
  connections: { '/ctl/0': { status: 'Disconnected' } },
})
const behindNat = (device: ScriptedDevice): ScriptedDevice => ({
  ...device,
  connections: { '/ctl/0': { address: '100.64.3.4' } },
})
const slow = (device: ScriptedDevice, afterMs: number): ScriptedDevice => ({
  ...device,
  description: { body: igdDescription(), afterMs },
})

interface Settings
  extends Pick<RouterSearchOptions, 'searchMs' | 'changes'>,
    Partial<Pick<PlacesToAsk, 'routes' | 'alsoKnown' | 'anyHost'>> {
  /** Default: 192.168.1.1. null: there is none. */
  readonly router?: string | null | Promise<RouterPlace>
  readonly signal?: AbortSignal
  readonly answer?: (request: HttpRequest) => ScriptedAnswer
}

/** A search with those devices on the LAN; they answer when the test says so. */
function begin(devices: readonly ScriptedDevice[], settings: Settings = {}) {
  const {
    router: known = ROUTER_ADDRESS,
    answer = answersOf(...devices),
    signal,
    searchMs,
    changes,
    alsoKnown,
  } = settings
  const { routes = [HOME], anyHost = false } = settings
  const clock = new FakeClock()
  const datagrams = new ScriptedDatagrams(clock)
  const http = new ScriptedHttp(clock, answer)
  const place = (address?: string): RouterPlace => ({ address, isNamed: false, tunnel: undefined })
  const router = known instanceof Promise ? known : Promise.resolve(place(known ?? undefined))
  const places = {
    routes,
    interfaces: [{ ...HOME, name: 'eth0', loopback: false }],
    anyHost,
    alsoKnown,
    router,
    endpoint: Promise.resolve(undefined),
    isBound: false,
    localAddress: undefined,
  }
  const memory = rememberedRouters(memoryFiles(), clock)
  const result = searchRouter({ net: { clock, datagrams, http, signal }, places, memory, searchMs, changes })
  const state = { over: false }
  const over = (): void => {
    state.over = true
  }
  result.then(over, over)
  return {
    clock,
    datagrams,
    http,
    result,
    state,
    /** The device answers the search, as heard by the interface with that address. */
    async reply(device: ScriptedDevice, ST: string = IGD1, via = HOME.address): Promise<void> {
      await settle()
      const [host = ''] = device.host.split(':')
      datagrams.socket(via).deliver(ssdpReply(locationOf(device), ST), host)
      await settle()
    },
    /** Something answers the search from `from`. */
    async replyWith(datagram: string, from: string): Promise<void> {
      await settle()
      datagrams.socket().deliver(datagram, from)
      await settle()
    },
    /** The result, and the proof that nothing is left behind. */
    async finished(): Promise<Searched> {
      const found = await result
      await settle()
      expect(clock.pending, 'timers left').toBe(0)
      expect(datagrams.openCount, 'sockets left').toBe(0)
      expect(http.waiting, 'requests left').toBe(0)
      return found
    },
  }
}

type Search = ReturnType<typeof begin>

const hostsOf = (found: Searched): string[] => found.examined.map((each) => new URL(each.location).host)
const kindsOf = (found: Searched): string[] => found.examined.map((each) => each.kind)

/** Advances until the search is over; fails where that takes more than a simulated minute. */
async function untilOver({ clock, state }: Search): Promise<number> {
  await settle()
  for (let step = 0; step < 60_000 && !state.over; step += 5) await clock.advance(5)
  expect(state.over).toBe(true)
  return clock.monotonicMs()
}

describe('how long a search takes', () => {
  it('ends in the moment in which a connected IGD is known', async () => {
    const search = begin([slow(ROUTER, 37)])
    await search.clock.advance(50)
    await search.reply(ROUTER)
    await search.clock.advance(36)
    expect(search.state.over).toBe(false)
    await search.clock.advance(1)
    const found = await search.finished()
    expect(found.searchedMs).toBe(87)
    expect(kindsOf(found)).toEqual(['connected'])
    expect(search.http.log).toEqual([
      'GET http://192.168.1.1:5000/root.xml',
      'GetStatusInfo http://192.168.1.1:5000/ctl/0',
      'GetExternalIPAddress http://192.168.1.1:5000/ctl/0',
    ])
  })

  it('finds a router that answers only after 2.5 s', async () => {
    const search = begin([ROUTER])
    await search.clock.advance(2600)
    await search.reply(ROUTER)
    expect((await search.finished()).searchedMs).toBe(2600)
  })

  it('still looks at a router that answers after 3.9 s and is slow', async () => {
    const search = begin([slow(ROUTER, 900)])
    await search.clock.advance(3900)
    await search.reply(ROUTER)
    await search.clock.advance(200)
    expect(search.state.over).toBe(false)
    await search.clock.advance(700)
    const found = await search.finished()
    expect(found.searchedMs).toBe(4800)
    expect(kindsOf(found)).toEqual(['connected'])
  })

  it('gives up 1.5 s after its window on a stranger that does not answer for its description', async () => {
    const search = begin([{ ...OTHER, description: 'silence' }])
    await search.clock.advance(3900)
    await search.reply(OTHER)
    expect(await untilOver(search)).toBe(5500)
    const found = await search.finished()
    expect([found.examined, found.devices.length, found.choice]).toEqual([[], 1, 'nobody'])
  })

  it('gives up on a router that does not answer for its description when that has had its time', async () => {
    const search = begin([{ ...ROUTER, description: 'silence' }, OTHER])
    await search.clock.advance(3900)
    await search.reply(ROUTER)
    await search.reply(OTHER)
    expect(await untilOver(search)).toBe(13_900) // it may be silent for 10 s, as anybody may who is the router
    const found = await search.finished()
    expect([found.choice, hostsOf(found)]).toEqual(['nobody', [OTHER.host]])
  })

  it('cannot be held by more and more locations at the router: what comes after the search is not looked at', async () => {
    const locations = [5000, 5001, 5002].map(
      (port) => ({ host: `192.168.1.1:${port}`, description: 'silence' }) as const,
    )
    const search = begin(locations)
    for (const location of locations) {
      await search.clock.advance(3500)
      await search.replyWith(ssdpReply(locationOf(location)), '192.168.1.66')
    }
    expect(await untilOver(search)).toBe(13_500)
    await search.finished()
  })

  it('still looks at an IGD that was heard as a root device first', async () => {
    const other = slow(OTHER, 1000)
    const search = begin([other])
    await search.clock.advance(3900)
    await search.reply(other, 'upnp:rootdevice')
    await search.reply(other)
    expect(await untilOver(search)).toBe(4900)
    expect(hostsOf(await search.finished())).toEqual([other.host])
  })

  it('waits the whole 4 s for a connected IGD when it knows only a disconnected one, and then offers that', async () => {
    const router = disconnected(ROUTER)
    const search = begin([router])
    await search.reply(router)
    expect(await untilOver(search)).toBe(4000)
    const found = await search.finished()
    expect(kindsOf(found)).toEqual(['disconnected'])
    expect(found.examined[0]?.status?.connectionStatus).toBe('Disconnected')
    expect(found.examined[0]?.gateway?.controlUrl).toBe('http://192.168.1.1:5000/ctl/0')
  })

  it('takes 4 s where nobody answers', async () => {
    const search = begin([])
    expect(await untilOver(search)).toBe(4000)
    expect(await search.finished()).toMatchObject({ devices: [], examined: [], routesOpened: 1, searchedMs: 4000 })
  })

  it('ends at once where it can search on no interface', async () => {
    const search = begin([], { routes: [] })
    expect(await search.finished()).toMatchObject({ routesOpened: 0, searchedMs: 0 })
  })

  it('does not end at a TV that answers first', async () => {
    const search = begin([TV, slow(ROUTER, 10)])
    await search.reply(TV, 'upnp:rootdevice')
    await search.clock.advance(80)
    expect(search.state.over).toBe(false)
    await search.reply(ROUTER)
    await search.clock.advance(10)
    const found = await search.finished()
    expect(found.searchedMs).toBe(90)
    expect(hostsOf(found)).toEqual([ROUTER.host, TV.host])
    expect(kindsOf(found)).toEqual(['connected', 'not-an-igd'])
  })

  it('is not delayed by a device whose description never comes', async () => {
    const silent: ScriptedDevice = { ...TV, description: 'silence' }
    const search = begin([silent, slow(ROUTER, 10)])
    await search.reply(silent)
    await search.reply(ROUTER)
    await search.clock.advance(10)
    const found = await search.finished()
    expect(found.searchedMs).toBe(10)
    expect(hostsOf(found)).toEqual([ROUTER.host])
    expect(found.devices.map(({ location }) => location)).toEqual([locationOf(silent), locationOf(ROUTER)])
  })

  it('finds a router that heard none of the first round of searches', async () => {
    const search = begin([ROUTER])
    search.datagrams.onSend = ({ atMs, ST }, socket) => {
      if (atMs > 100 && ST === WANIP1) socket.deliver(ssdpReply(locationOf(ROUTER), ST), '192.168.1.1')
    }
    expect(await untilOver(search)).toBe(340)
    expect(kindsOf(await search.finished())).toEqual(['connected'])
  })

  it('reads replies whose lines end in LF', async () => {
    const search = begin([ROUTER])
    await search.replyWith(ssdpReply(locationOf(ROUTER), IGD1, 'x', '\n'), '192.168.1.1')
    expect(kindsOf(await search.finished())).toEqual(['connected'])
  })
})

describe('which of several connected IGDs', () => {
  it('is the router, however late it is: another one waits for it to the end of the search', async () => {
    const search = begin([slow(ROUTER, 1000), OTHER])
    await search.reply(OTHER)
    await search.clock.advance(3500)
    expect(search.state.over).toBe(false)
    await search.reply(ROUTER)
    expect(await untilOver(search)).toBe(4500)
    const found = await search.finished()
    expect([hostsOf(found), found.remarks]).toEqual([[ROUTER.host, OTHER.host], []])
  })

  it('is another one after 4 s in which nothing of the router has answered, with a remark', async () => {
    const search = begin([OTHER])
    await search.reply(OTHER)
    expect(await untilOver(search)).toBe(4000)
    const found = await search.finished()
    const remark = { kind: 'not-the-router', address: '192.168.1.2', router: ROUTER_ADDRESS }
    expect([hostsOf(found), found.remarks]).toEqual([[OTHER.host], [remark]])
  })

  it('is not one on another interface, if something is to be changed', async () => {
    const DOCKER: SearchRoute = { ...HOME, address: '172.17.0.1', netmask: '255.255.0.0' }
    const container: ScriptedDevice = { host: '172.17.0.2:5000' }
    for (const changes of [true, false]) {
      const search = begin([container], { routes: [DOCKER, HOME], changes })
      await search.reply(container, IGD1, DOCKER.address)
      expect(await untilOver(search)).toBe(4000)
      expect((await search.finished()).choice === 'nobody').toBe(changes)
    }
  })

  it('is the router in the moment in which it is known, and the other one is not looked at any more', async () => {
    const search = begin([ROUTER, slow(OTHER, 5)])
    await search.reply(OTHER)
    await search.reply(ROUTER)
    const found = await search.finished()
    expect(found.searchedMs).toBe(0)
    expect(hostsOf(found)).toEqual([ROUTER.host])
  })

  it('is none if the router has answered and is not connected: another one leads elsewhere', async () => {
    const router = disconnected(ROUTER)
    const search = begin([router, OTHER])
    await search.reply(OTHER)
    await search.reply(router)
    expect(await untilOver(search)).toBe(4000)
    expect((await search.finished()).choice).toBe('nobody')
  })

  it('waits for the second description of the router when its first one is not an IGD', async () => {
    const wps: ScriptedDevice = { host: '192.168.1.1:49152', description: { body: TV_DESCRIPTION } }
    const search = begin([wps, slow(ROUTER, 100), OTHER])
    await search.reply(wps, 'upnp:rootdevice')
    await search.reply(ROUTER)
    await search.reply(OTHER)
    expect(await untilOver(search)).toBe(100)
    expect(hostsOf(await search.finished())).toEqual([ROUTER.host, OTHER.host, wps.host])
  })

  it('is the best of those that answer within 150 ms of the first, if there is no router, with a remark', async () => {
    const third: ScriptedDevice = { host: '192.168.1.3:5000' }
    const search = begin([behindNat(OTHER), slow(ROUTER, 49), slow(third, 51)], { router: null })
    await search.reply(OTHER)
    await search.clock.advance(100)
    await search.reply(ROUTER)
    await search.reply(third)
    expect(await untilOver(search)).toBe(150)
    const found = await search.finished()
    expect(hostsOf(found)).toEqual([ROUTER.host, OTHER.host])
    expect(found.remarks).toEqual([{ kind: 'no-router', address: '192.168.1.1' }])
  })

  it('is the router that was used before, if there is no default gateway, and no other one is used early', async () => {
    const assumed = Promise.resolve({ address: ROUTER_ADDRESS, isNamed: false, tunnel: undefined, isAssumed: true })
    const search = begin([OTHER, ROUTER], { router: assumed })
    await search.reply(OTHER)
    await search.clock.advance(3000)
    expect(search.state.over).toBe(false)
    await search.reply(ROUTER)
    const found = await search.finished()
    expect([hostsOf(found)[0], found.remarks]).toEqual([ROUTER.host, [{ kind: 'no-router', address: ROUTER_ADDRESS }]])
  })

  it('is a private one, if there is no router, only if no connected one answers as late as a router may', async () => {
    for (const [connectedMs, overMs, chosen] of [
      [1400, 1400, ROUTER],
      [1600, 1550, OTHER],
    ] as const) {
      const search = begin([behindNat(OTHER), slow(ROUTER, connectedMs)], { router: null })
      await search.reply(OTHER)
      await search.reply(ROUTER)
      expect(await untilOver(search)).toBe(overMs)
      expect(hostsOf(await search.finished())[0]).toBe(chosen.host)
    }
  })

  it('is chosen without a router if the routing table is not read before the router would have answered', async () => {
    const search = begin([OTHER], { router: new Promise(() => {}) })
    await search.reply(OTHER)
    expect(await untilOver(search)).toBe(1700)
    expect(hostsOf(await search.finished())).toEqual([OTHER.host])
  })

  it('ranks a private external address after a public one', async () => {
    const first = behindNat(OTHER)
    const search = begin([first, ROUTER], { searchMs: 500 })
    await search.reply(first)
    await search.reply(ROUTER)
    expect(await untilOver(search)).toBe(500)
    const found = await search.finished()
    expect(hostsOf(found)).toEqual([ROUTER.host, OTHER.host])
    expect(kindsOf(found)).toEqual(['connected', 'reserved'])
  })

  it('prefers the default gateway even with a private external address', async () => {
    const router = behindNat(slow(ROUTER, 20))
    const search = begin([router, OTHER])
    await search.reply(OTHER)
    await search.reply(router)
    expect(await untilOver(search)).toBe(20)
    const found = await search.finished()
    expect(hostsOf(found)).toEqual([ROUTER.host, OTHER.host])
    expect(found.examined[0]).toMatchObject({ kind: 'reserved', externalAddress: '100.64.3.4' })
  })

  it('is the router even if its address is private and that of the other one is not', async () => {
    const search = begin([behindNat(ROUTER), OTHER], { searchMs: 300 })
    await search.reply(OTHER)
    await search.reply(ROUTER)
    await untilOver(search)
    expect(hostsOf(await search.finished())).toEqual([ROUTER.host, OTHER.host])
  })

  it('takes an address of documentation for one of the internet', async () => {
    const documented: ScriptedDevice = { ...ROUTER, connections: { '/ctl/0': { address: '203.0.113.7' } } }
    const search = begin([documented])
    await search.reply(documented)
    expect(kindsOf(await search.finished())).toEqual(['reserved'])
  })
})

describe('what is looked at', () => {
  it('takes the second WAN service where the first one is not connected', async () => {
    const services = [
      [WANIP1, '/ctl/ip'],
      [WANPPP1, '/ctl/ppp'],
    ] as const
    const connections = { '/ctl/ip': { status: 'Disconnected' }, '/ctl/ppp': {} }
    const router: ScriptedDevice = { ...ROUTER, services, connections }
    const search = begin([router])
    await search.reply(router)
    const found = await search.finished()
    expect(found.examined[0]).toMatchObject({ kind: 'connected', externalAddress: '11.22.33.44' })
    expect(found.examined[0]?.gateway?.controlUrl).toBe('http://192.168.1.1:5000/ctl/ppp')
  })

  it('finds a router that has only WANPPPConnection and answers only to that', async () => {
    const router: ScriptedDevice = { ...ROUTER, services: [[WANPPP1, '/ctl/0']] }
    const search = begin([router])
    search.datagrams.onSend = ({ ST }, socket) => {
      if (ST === WANPPP1) socket.deliver(ssdpReply(locationOf(router), ST), '192.168.1.1')
    }
    expect(await untilOver(search)).toBe(80)
    expect(kindsOf(await search.finished())).toEqual(['connected'])
  })

  it('takes a public address for connected where GetStatusInfo is refused', async () => {
    const router: ScriptedDevice = { ...ROUTER, connections: { '/ctl/0': { status: 401 } } }
    const search = begin([router])
    await search.reply(router)
    expect(kindsOf(await search.finished())).toEqual(['connected'])
  })

  it('fetches one description of a device that answers to several targets on two interfaces', async () => {
    const search = begin([slow(ROUTER, 30)], { routes: [HOME, WIFI] })
    for (const ST of [...SEARCH_TARGETS].reverse()) {
      await search.reply(ROUTER, ST, HOME.address)
      await search.reply(ROUTER, ST, WIFI.address)
    }
    await search.clock.advance(30)
    const found = await search.finished()
    expect(search.http.log.filter((line) => line.startsWith('GET '))).toHaveLength(1)
    expect(found.devices).toEqual([
      { location: locationOf(ROUTER), searchTarget: SEARCH_TARGETS[0], server: 'scripted/1.0 UPnP/1.1' },
    ])
    expect(found.routesOpened).toBe(2)
  })

  it('takes spellings of one location for one device', async () => {
    const search = begin([slow(ROUTER, 30)])
    for (const location of ['http://192.168.1.1:5000/root.xml', 'HTTP://192.168.1.1:05000/a/../root.xml']) {
      await search.replyWith(ssdpReply(location), '192.168.1.1')
    }
    await search.clock.advance(30)
    expect((await search.finished()).devices).toHaveLength(1)
  })

  it('with a search time runs exactly that long and lists all that answered', async () => {
    const search = begin([ROUTER, OTHER, TV], { searchMs: 700 })
    await search.reply(ROUTER)
    await search.clock.advance(650)
    await search.reply(TV, 'upnp:rootdevice')
    await search.reply(OTHER)
    expect(await untilOver(search)).toBe(700)
    const found = await search.finished()
    expect(found.devices.map(({ location }) => location)).toEqual([ROUTER, TV, OTHER].map(locationOf))
    expect(hostsOf(found)).toEqual([ROUTER.host, OTHER.host, TV.host])
    expect(found.searchedMs).toBe(700)
  })

  it('with a search time longer than 4 s goes on listening', async () => {
    const search = begin([ROUTER], { searchMs: 10_000 })
    await search.clock.advance(9000)
    await search.reply(ROUTER)
    expect(await untilOver(search)).toBe(10_000)
    expect(kindsOf(await search.finished())).toEqual(['connected'])
  })

  it('keeps a bounded number of devices of one sender', async () => {
    const search = begin([], { answer: () => 'silence' })
    for (let count = 0; count < 100; count++) {
      await search.replyWith(ssdpReply(`http://192.168.1.66/${count}`), '192.168.1.66')
    }
    expect(search.http.seen).toHaveLength(MAX_DEVICES_PER_SENDER)
    await untilOver(search)
    expect((await search.finished()).devices).toHaveLength(MAX_DEVICES_PER_SENDER)
  })

  it('keeps a bounded number of devices in all, however many senders there are', async () => {
    const search = begin([], { answer: () => 'silence' })
    await settle()
    for (let count = 0; count < MAX_SENDERS * 4; count++) {
      const from = `192.168.1.${20 + (count % 200)}`
      search.datagrams.socket().deliver(ssdpReply(`http://${from}/${count}`), from)
    }
    await settle()
    expect(search.http.seen).toHaveLength(MAX_OTHERS_REQUESTS)
    await untilOver(search)
    expect((await search.finished()).devices).toHaveLength(MAX_DEVICES)
  })

  it('still looks at the default gateway when neighbours that do not exist have filled the list', async () => {
    const router = answersOf(ROUTER)
    const answer = (request: HttpRequest): ScriptedAnswer =>
      request.url.host === ROUTER.host ? router(request) : 'silence'
    const search = begin([ROUTER], { answer })
    await settle()
    for (let count = 0; count < MAX_DEVICES; count++) {
      const from = `192.168.1.${100 + count}`
      search.datagrams.socket().deliver(ssdpReply(`http://${from}/${count}`), from)
    }
    await search.reply(ROUTER)
    expect(hostsOf(await search.finished())).toEqual([ROUTER.host])
  })

  it('has one listener on the signal of the caller, however many devices answer', async () => {
    const controller = new AbortController()
    const added = vi.spyOn(controller.signal, 'addEventListener')
    const search = begin([], { answer: () => 'silence', signal: controller.signal })
    for (let count = 0; count < 12; count++) {
      await search.replyWith(ssdpReply(`http://192.168.1.66/${count}`), '192.168.1.66')
    }
    await untilOver(search)
    await search.finished()
    expect(added).toHaveBeenCalledTimes(1)
  })

  it('lets nobody change what another one said of itself', async () => {
    const search = begin([], { answer: () => 'silence' })
    await search.replyWith(ssdpReply('http://192.168.1.1/x', 'upnp:rootdevice'), '192.168.1.66')
    await search.replyWith(ssdpReply('http://192.168.1.1/x', WANIP1), '192.168.1.67')
    await untilOver(search)
    expect((await search.finished()).devices.map(({ searchTarget }) => searchTarget)).toEqual(['upnp:rootdevice'])
  })

  it('knows the search target of a device beyond the bound that was already known', async () => {
    const search = begin([], { answer: () => 'silence' })
    for (let count = 0; count < 20; count++) {
      await search.replyWith(ssdpReply(`http://192.168.1.66/${count}`, 'upnp:rootdevice'), '192.168.1.66')
    }
    await search.replyWith(ssdpReply('http://192.168.1.66/0', WANIP1), '192.168.1.66')
    await untilOver(search)
    expect((await search.finished()).devices[0]?.searchTarget).toBe(WANIP1)
  })
})

describe('which locations are ignored', () => {
  it.each([
    ['a host on another subnet', 'http://10.0.0.1/root.xml'],
    ['the internet', 'http://93.184.216.34/root.xml'],
    ['loopback', 'http://127.0.0.1:5000/root.xml'],
    ['loopback in a short form', 'http://0x7f.1/root.xml'],
    ['loopback as one number', 'http://2130706433/root.xml'],
    ['loopback in octal', 'http://0177.0.0.1/root.xml'],
    ['a cloud metadata service', 'http://169.254.169.254/latest/'],
    ['a host name', 'http://router.lan/root.xml'],
    ['localhost', 'http://localhost/root.xml'],
    ['IPv6', 'http://[fe80::1]/root.xml'],
    ['loopback in IPv6', 'http://[::ffff:127.0.0.1]/root.xml'],
    ['https', 'https://192.168.1.1/root.xml'],
    ['a file', 'file:///etc/passwd'],
    ['ftp', 'ftp://192.168.1.1/root.xml'],
    ['user-info', 'http://admin:admin@192.168.1.1/root.xml'],
    ['a user alone', 'http://192.168.1.1@10.0.0.1/root.xml'],
    ['port 0', 'http://192.168.1.1:0/root.xml'],
    ['a port that is none', 'http://192.168.1.1:99999/root.xml'],
    ['the broadcast address', 'http://192.168.1.255/root.xml'],
    ['a multicast address', 'http://239.255.255.250/root.xml'],
    ['no scheme', '192.168.1.1/root.xml'],
    ['an asterisk', '*'],
  ])('ignores a location on %s, without a word and without a request', async (_, location) => {
    const search = begin([ROUTER])
    await search.replyWith(ssdpReply(location), '192.168.1.1')
    expect(search.http.seen).toEqual([])
    await search.reply(ROUTER)
    const found = await search.finished()
    expect(found.devices.map((device) => device.location)).toEqual([locationOf(ROUTER)])
  })

  it('takes the decimal spelling of an address on the subnet for what it is', async () => {
    const search = begin([{ host: '192.168.1.1' }])
    await search.replyWith(ssdpReply('http://3232235777/root.xml'), '192.168.1.1')
    expect(search.http.log[0]).toBe('GET http://192.168.1.1/root.xml')
    await search.finished()
  })

  it('takes a location at the default gateway from another host, as a floating gateway address has it', async () => {
    const search = begin([ROUTER])
    await search.replyWith(ssdpReply(locationOf(ROUTER)), '192.168.1.3')
    expect(kindsOf(await search.finished())).toEqual(['connected'])
  })

  it('takes a location on any other host of the subnet only if the user says so, and else tells of it', async () => {
    for (const anyHost of [false, true]) {
      const search = begin([OTHER], { anyHost })
      await search.replyWith(ssdpReply(locationOf(OTHER)), '192.168.1.3')
      await untilOver(search)
      const found = await search.finished()
      expect(hostsOf(found)).toEqual(anyHost ? [OTHER.host] : [])
      expect(found.referral).toEqual(anyHost ? undefined : { from: '192.168.1.3', location: locationOf(OTHER) })
    }
  })

  it('keeps what was told of the router until it is known which device that is', async () => {
    let tell = (_: RouterPlace): void => {}
    const search = begin([ROUTER], { router: new Promise((resolve) => (tell = resolve)) })
    await search.replyWith(ssdpReply(locationOf(ROUTER)), '192.168.1.3')
    expect(search.http.seen).toEqual([])
    tell({ address: ROUTER_ADDRESS, isNamed: false, tunnel: undefined })
    await settle()
    expect(kindsOf(await search.finished())).toEqual(['connected'])
  })

  it('keeps a bounded number of such replies', async () => {
    let tell = (_: RouterPlace): void => {}
    const search = begin([ROUTER], { router: new Promise((resolve) => (tell = resolve)) })
    for (let at = 0; at < 32; at++) await search.replyWith(ssdpReply(locationOf(OTHER)), '192.168.1.66')
    await search.replyWith(ssdpReply(locationOf(ROUTER)), '192.168.1.3')
    tell({ address: ROUTER_ADDRESS, isNamed: false, tunnel: undefined })
    await settle()
    expect(search.http.seen).toEqual([])
    await search.reply(ROUTER)
    await search.finished()
  })

  it.each(['10.0.0.1', '100.64.0.1', '127.0.0.1'])(
    'does not hear a sender that is on no network of this computer: %s',
    async (sender) => {
      const search = begin([{ host: sender }, ROUTER], { router: null })
      await search.replyWith(ssdpReply(`http://${sender}/root.xml`), sender)
      await search.replyWith(ssdpReply(locationOf(ROUTER)), sender)
      expect(await untilOver(search)).toBe(4000)
      expect([(await search.finished()).devices, search.http.seen]).toEqual([[], []])
    },
  )

  it.each(['http://192.168.1.10:8080/root.xml', 'http://127.0.0.1:8080/root.xml'])(
    'does not ask this computer itself, whoever sends it there: %s',
    async (location) => {
      for (const anyHost of [false, true]) {
        const search = begin([], { anyHost })
        await search.replyWith(ssdpReply(location), '192.168.1.66')
        await search.replyWith(ssdpReply(location), ROUTER_ADDRESS)
        await untilOver(search)
        expect([(await search.finished()).devices, search.http.seen]).toEqual([[], []])
      }
    },
  )

  it('finds an emulated gateway on this computer, which answers from its address', async () => {
    const emulator: ScriptedDevice = { host: '192.168.1.10:5000' }
    const search = begin([emulator], { router: null })
    await search.reply(emulator)
    await search.clock.advance(150)
    expect(hostsOf(await search.finished())).toEqual([emulator.host])
  })

  it('takes of what MiniSSDPd has heard only what is at the default gateway', async () => {
    const known = [TV, OTHER, ROUTER].map((device) => ({ ST: IGD1, USN: '', LOCATION: locationOf(device) }))
    const search = begin([ROUTER], { alsoKnown: async () => known })
    await search.clock.advance(20)
    const found = await search.finished()
    expect([hostsOf(found), found.devices.length]).toEqual([[ROUTER.host], 1])
  })
})

describe('how a search ends otherwise', () => {
  it('ends with the reason of the signal, whatever it is doing', async () => {
    const controller = new AbortController()
    const search = begin([slow(ROUTER, 1000)], { signal: controller.signal })
    await search.reply(ROUTER)
    controller.abort(new Error('enough'))
    await expect(search.finished()).rejects.toThrow('enough')
    await settle()
    expect([search.clock.pending, search.datagrams.openCount, search.http.waiting]).toEqual([0, 0, 0])
  })

  it('ends at once with a signal that has already been given, and closes the sockets that it was opening', async () => {
    const search = begin([ROUTER], { signal: AbortSignal.abort(new Error('too late')) })
    await expect(search.result).rejects.toThrow('too late')
    await settle()
    expect([search.clock.pending, search.datagrams.openCount, search.datagrams.sent]).toEqual([0, 0, []])
  })

  it('drops what it was asking of others, and lets the gateway go on', async () => {
    const controller = new AbortController()
    const silent: ScriptedDevice = { ...TV, description: 'silence' }
    const search = begin([silent, ROUTER], { signal: controller.signal })
    await search.reply(silent)
    await search.reply(ROUTER)
    const found = await search.finished()
    const dropped = search.http.seen.find(({ request }) => request.url.host === TV.host)
    expect(dropped?.request.signal?.aborted).toBe(true)
    await expect(found.examined[0]?.gateway?.externalAddress()).resolves.toBe('11.22.33.44')
    expect(search.http.seen.at(-1)?.request.signal?.aborted).toBe(false)
    controller.abort()
    expect(search.http.seen.at(-1)?.request.signal?.aborted).toBe(true)
  })

  it('lets go of the signal except for gateways that may still be used', async () => {
    const { signal } = new AbortController()
    const bare: ScriptedDevice = { ...OTHER, description: { status: 404, body: 'no' } }
    const search = begin([TV, bare, ROUTER], { signal })
    await search.reply(TV)
    await search.reply(bare)
    await search.reply(ROUTER)
    expect(hostsOf(await search.finished())).toEqual([ROUTER.host, TV.host])
    expect(getEventListeners(signal, 'abort')).toHaveLength(1)
  })

  it('is not ended by a defect that one device meets: the others are looked at, and it is told of that one', async () => {
    const log = ignoredLog()
    const defect = new TypeError('x is undefined')
    const answer = answersOf(ROUTER)
    const search = begin([], { answer: (request) => (request.url.host === TV.host ? defect : answer(request)) })
    await search.reply(TV)
    await search.reply(ROUTER)
    const found = await search.finished()
    expect(hostsOf(found)).toEqual([ROUTER.host])
    expect(found.unreadable).toEqual([defect])
    expect(log.told()).toEqual([`device ${locationOf(TV)}: TypeError: x is undefined`])
    log.end()
  })

  it('is not ended by a defect that a device of others meets', async () => {
    const unlucky = {
      LOCATION: locationOf(TV),
      USN: '',
      get ST(): string {
        throw new TypeError('x is undefined')
      },
    }
    const router = { ST: IGD1, USN: '', LOCATION: locationOf(ROUTER) }
    const log = ignoredLog()
    const search = begin([ROUTER], { alsoKnown: async () => [unlucky, router] })
    await search.clock.advance(20)
    expect(hostsOf(await search.finished())).toEqual([ROUTER.host])
    expect(log.told()).toEqual([`device ${locationOf(TV)}: TypeError: x is undefined`])
    log.end()
  })

  it('is not ended by a defect in asking others', async () => {
    const log = ignoredLog()
    const search = begin([ROUTER], { alsoKnown: () => Promise.reject(new TypeError('x is undefined')) })
    await search.clock.advance(20)
    await search.reply(ROUTER)
    expect(hostsOf(await search.finished())).toEqual([ROUTER.host])
    expect(log.told()).toEqual(['device MiniSSDPd: TypeError: x is undefined'])
    log.end()
  })

  it('fails with a defect of the choice, which nobody would catch otherwise', async () => {
    const defect = new TypeError('x is undefined')
    const { signal } = new AbortController()
    let isBroken = false
    Object.defineProperty(signal, 'aborted', {
      get() {
        if (isBroken) throw defect
        return false
      },
    })
    const search = begin([ROUTER], { signal })
    await settle()
    isBroken = true
    const failure = search.result.catch((error: unknown) => error)
    await search.reply(ROUTER)
    expect(await failure).toBe(defect)
  })

  it('is not changed by a device that is done with in the very moment of the end', async () => {
    // Both are known in the same millisecond; the second one after the search has ended.
    const search = begin([slow(ROUTER, 10), slow(OTHER, 10)])
    await search.reply(ROUTER)
    await search.reply(OTHER)
    await search.clock.advance(10)
    const found = await search.finished()
    const before = hostsOf(found)
    await search.clock.advance(10_000)
    expect(hostsOf(found)).toEqual(before)
    expect(before[0]).toBe(ROUTER.host)
  })

  it('leaves no timer behind when a connected IGD is judged after the end', async () => {
    // The default gateway never answers; two others are connected, known in the same turn as the abort.
    const controller = new AbortController()
    let release: (answer: ScriptedAnswer) => void = () => {}
    const answer = answersOf(OTHER)
    const search = begin([OTHER], { signal: controller.signal, answer })
    const ask = search.http.request.bind(search.http)
    search.http.request = async (request) => {
      if (request.action === 'GetExternalIPAddress') await new Promise((resolve) => (release = resolve))
      return ask({ ...request, signal: undefined })
    }
    await search.reply(OTHER)
    controller.abort(new Error('enough'))
    await expect(search.result).rejects.toThrow('enough')
    release({ body: '' })
    await settle()
    expect(search.clock.pending).toBe(0)
  })

  it('ends where the window ends while a device is being looked at and a connected one is known', async () => {
    const search = begin([slow(TV, 2000), OTHER])
    await search.clock.advance(3950)
    await search.reply(TV)
    await search.reply(OTHER)
    expect(await untilOver(search)).toBe(4000)
    expect(hostsOf(await search.finished())).toEqual([OTHER.host])
  })
})

describe('a search over IPv6', () => {
  const prefixes = [{ address: '2001:db8:86::250', prefixLength: 64 }]
  const ETH0 = { address: '::', netmask: '', multicast: true, unicastTo: [], zone: 'eth0', prefixes }
  const WLAN0 = { ...ETH0, zone: 'wlan0', prefixes: [] }
  const LINK_LOCAL: ScriptedDevice = { host: '[fe80::1]:5000' }
  const settings = { routes: [ETH0, WLAN0], router: 'fe80::1%eth0' }

  it('uses a link-local gateway through the interface that it answered by', async () => {
    const search = begin([LINK_LOCAL], { ...settings, router: 'fe80::1%wlan0' })
    await search.replyWith(ssdpReply(locationOf(LINK_LOCAL)), 'fe80::1%wlan0')
    const found = await search.finished()
    expect(found.examined).toMatchObject([{ kind: 'connected', zone: 'wlan0', location: locationOf(LINK_LOCAL) }])
    expect(found.examined[0]?.gateway?.controlUrl).toBe('http://[fe80::1%25wlan0]:5000/ctl/0')
    expect(search.http.seen.map(({ request }) => request.zone)).toEqual(['wlan0', 'wlan0', 'wlan0'])
  })

  it('knows the router by its sender and its zone: the same address on another link is somebody else', async () => {
    const search = begin([LINK_LOCAL], settings)
    await search.replyWith(ssdpReply(locationOf(LINK_LOCAL)), 'fe80::1%wlan0')
    await search.clock.advance(100)
    expect(search.state.over).toBe(false)
    await search.replyWith(ssdpReply(locationOf(LINK_LOCAL)), 'fe80::1%eth0')
    const found = await search.finished()
    expect([found.searchedMs, found.examined.map(({ zone }) => zone)]).toEqual([100, ['eth0', 'wlan0']])
  })

  it('knows the router also if another one was faster to tell of it', async () => {
    const search = begin([LINK_LOCAL], settings)
    await search.replyWith(ssdpReply(locationOf(LINK_LOCAL)), 'fe80::66%eth0')
    await search.replyWith(ssdpReply(locationOf(LINK_LOCAL)), 'fe80::1%eth0')
    const found = await search.finished()
    expect([found.searchedMs, found.remarks, found.choice]).toMatchObject([0, [], { igd: { place: 'router' } }])
  })

  it('takes the same address on two links for two devices', async () => {
    const search = begin([disconnected(LINK_LOCAL)], settings)
    for (const zone of ['eth0', 'wlan0', 'eth0']) {
      await search.replyWith(ssdpReply(locationOf(LINK_LOCAL)), `fe80::1%${zone}`)
    }
    await untilOver(search)
    const found = await search.finished()
    expect(found.devices).toHaveLength(2)
    expect(found.examined.map(({ zone }) => zone)).toEqual(['eth0', 'wlan0'])
  })

  it('goes to a wider address that a link-local sender names, and to no host elsewhere', async () => {
    const wide: ScriptedDevice = { host: '[2001:db8:86::1]:5000' }
    const search = begin([wide], settings)
    await search.replyWith(ssdpReply('http://[2001:db8:99::1]:5000/root.xml'), 'fe80::1%eth0')
    await search.replyWith(ssdpReply('http://[::1]:5000/root.xml'), 'fe80::1%eth0')
    await search.replyWith(ssdpReply('http://192.168.1.1:5000/root.xml'), 'fe80::1%eth0')
    expect(search.http.log).toEqual([])
    await search.replyWith(ssdpReply(locationOf(wide)), 'fe80::1%eth0')
    expect(hostsOf(await search.finished())).toEqual(['[2001:db8:86::1]:5000'])
  })
})
