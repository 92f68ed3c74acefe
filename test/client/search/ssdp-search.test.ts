import { describe, expect, it } from 'vitest'
import {
  MAX_REPLIES_OF_OTHERS,
  MAX_REPLIES_OF_ROUTER,
  MAX_REPLIES_PER_SENDER,
  MAX_REPLY_BYTES,
  MAX_SENDERS,
} from '../../../src/client/search/datagram-limit.ts'
import { type IPv6SearchRoute, isIPv6Route, type SearchRoute } from '../../../src/client/search/routes.ts'
import { type HeardReply, SEARCH_TARGETS, startSsdpSearch } from '../../../src/client/search/ssdp-search.ts'
import { encodeNotify, encodeSearch } from '../../../src/wire/ssdp.ts'
import { FakeClock, settle } from '../../support/fake-clock.ts'
import { IGD1, ScriptedDatagrams, ssdpReply } from '../../support/scripted-datagrams.ts'

const MULTICAST = '239.255.255.250:1900'
const HOME: SearchRoute = { address: '192.168.1.10', netmask: '255.255.255.0', multicast: true, unicastTo: [] }
const OFFICE: SearchRoute = { address: '10.0.0.10', netmask: '255.0.0.0', multicast: true, unicastTo: [] }
const [IGD_1, IGD_2, WANIP_1, WANIP_2, WANPPP_1, ROOT] = SEARCH_TARGETS

function start(...routes: SearchRoute[]) {
  const clock = new FakeClock()
  const datagrams = new ScriptedDatagrams(clock)
  const heard: HeardReply[] = []
  const ready: number[] = []
  const listener = { onReply: (each: HeardReply) => heard.push(each), onReady: (opened: number) => ready.push(opened) }
  const begin = () => startSsdpSearch({ clock, datagrams }, routes, listener)
  return { clock, datagrams, heard, ready, begin }
}

describe('startSsdpSearch', () => {
  it('sends each target to the multicast group at 0, 300, 900 and 2000 ms, 20 ms apart, and then is silent', async () => {
    const { clock, datagrams, begin } = start(HOME)
    const search = begin()
    await clock.advance(60_000)
    const targets = [IGD_1, IGD_2, WANIP_1, WANIP_2, WANPPP_1, ROOT]
    const expected = [0, 300, 900, 2000].flatMap((round) => targets.map((ST, at) => [round + 20 * at, ST, MULTICAST]))
    expect(datagrams.sent.map(({ atMs, ST, to }) => [atMs, ST, to])).toEqual(expected)
    search.stop()
    expect(clock.pending).toBe(0)
  })

  it('searches for the six targets that gateways answer to', () => {
    expect(SEARCH_TARGETS).toEqual([
      'urn:schemas-upnp-org:device:InternetGatewayDevice:1',
      'urn:schemas-upnp-org:device:InternetGatewayDevice:2',
      'urn:schemas-upnp-org:service:WANIPConnection:1',
      'urn:schemas-upnp-org:service:WANIPConnection:2',
      'urn:schemas-upnp-org:service:WANPPPConnection:1',
      'upnp:rootdevice',
    ])
  })

  it('sends an M-SEARCH as the standard has it, with the address that it goes to as HOST', async () => {
    const { datagrams, begin } = start({ ...HOME, unicastTo: [{ address: '192.168.1.1', port: 1900 }] })
    const search = begin()
    await settle()
    const [unicast, multicast] = datagrams.sent
    expect(multicast?.text).toBe(
      `M-SEARCH * HTTP/1.1\r\nHOST: ${MULTICAST}\r\nMAN: "ssdp:discover"\r\nMX: 1\r\nST: ${IGD_1}\r\n\r\n`,
    )
    expect(unicast?.text).toContain('\r\nHOST: 192.168.1.1:1900\r\n')
    search.stop()
  })

  it('opens one socket for each interface, which multicast leaves by', async () => {
    const { datagrams, begin, ready } = start(HOME, OFFICE)
    const search = begin()
    await settle()
    expect(datagrams.sockets.map(({ options }) => [options.address, options.port, options.multicastInterface])).toEqual(
      [
        ['192.168.1.10', 0, '192.168.1.10'],
        ['10.0.0.10', 0, '10.0.0.10'],
      ],
    )
    expect(datagrams.sockets.map(({ options }) => options.multicastTtl)).toEqual([2, 2])
    expect(datagrams.sockets.some(({ options }) => options.multicastGroup !== undefined || options.shared)).toBe(false)
    expect(datagrams.sent.map(({ via }) => via)).toEqual(['192.168.1.10', '10.0.0.10'])
    expect(ready).toEqual([2])
    search.stop()
  })

  it('asks the default gateway first, before the group, when it is known before the socket is open', async () => {
    const { clock, datagrams, begin } = start(HOME)
    const search = begin()
    search.askDirectly('192.168.1.1')
    await clock.advance(20)
    expect(datagrams.sent.map(({ atMs, to, ST }) => [atMs, to, ST])).toEqual([
      [0, '192.168.1.1:1900', IGD_1],
      [0, MULTICAST, IGD_1],
      [20, '192.168.1.1:1900', IGD_2],
      [20, MULTICAST, IGD_2],
    ])
    search.stop()
  })

  it('asks the default gateway at once when it becomes known later, and in every search after that', async () => {
    const { clock, datagrams, begin } = start(HOME)
    const search = begin()
    await clock.advance(30)
    search.askDirectly('192.168.1.1')
    await clock.advance(3000)
    const direct = datagrams.sent.filter(({ to }) => to === '192.168.1.1:1900')
    const later = datagrams.sent.filter(({ to, atMs }) => to === MULTICAST && atMs > 30)
    expect(direct.map(({ atMs, ST }) => [atMs, ST])).toEqual([[30, IGD_1], ...later.map(({ atMs, ST }) => [atMs, ST])])
    search.stop()
  })

  it('asks the default gateway only through the interface on whose subnet it is', async () => {
    const { clock, datagrams, begin } = start(HOME, OFFICE)
    const search = begin()
    search.askDirectly('192.168.1.1')
    await settle()
    search.askDirectly('10.9.9.9')
    search.askDirectly('172.16.0.1')
    await clock.advance(3000)
    const direct = new Set(datagrams.sent.filter(({ to }) => to !== MULTICAST).map(({ via, to }) => `${via} ${to}`))
    expect(direct).toEqual(new Set(['192.168.1.10 192.168.1.1:1900', '10.0.0.10 10.9.9.9:1900']))
    search.stop()
  })

  it('sends nothing to the multicast group on a route without multicast', async () => {
    const route = { ...HOME, multicast: false, unicastTo: [{ address: '127.0.0.1', port: 41_900 }] }
    const { clock, datagrams, begin } = start(route)
    const search = begin()
    search.askDirectly('192.168.1.1')
    await clock.advance(3000)
    expect(new Set(datagrams.sent.map(({ to }) => to))).toEqual(new Set(['127.0.0.1:41900']))
    expect(datagrams.sockets[0]?.options.multicastInterface).toBeUndefined()
    search.stop()
  })

  it('goes on with the other interfaces when a socket cannot be opened on one', async () => {
    const { clock, datagrams, ready, begin } = start(HOME, OFFICE)
    datagrams.refuse(HOME.address)
    const search = begin()
    await clock.advance(3000)
    expect(new Set(datagrams.sent.map(({ via }) => via))).toEqual(new Set([OFFICE.address]))
    expect(datagrams.sent).toHaveLength(24)
    expect(ready).toEqual([1])
    search.stop()
    expect([clock.pending, datagrams.openCount]).toEqual([0, 0])
  })

  it('searches on one interface while the socket of another is still being opened', async () => {
    const { clock, datagrams, ready, begin } = start(HOME, OFFICE)
    const release = datagrams.hold(HOME.address)
    const search = begin()
    await clock.advance(100)
    expect(datagrams.sent.every(({ via }) => via === OFFICE.address)).toBe(true)
    expect(ready).toEqual([])
    release()
    await settle()
    expect(datagrams.sent.at(-1)).toMatchObject({ atMs: 100, via: HOME.address, ST: IGD_1 })
    expect(ready).toEqual([2])
    search.stop()
  })

  it('says that it could search on none when every socket fails, and where there is no interface at all', async () => {
    const failing = start(HOME, OFFICE)
    failing.datagrams.refuse(HOME.address)
    failing.datagrams.refuse(OFFICE.address)
    const none = start()
    for (const { begin, ready, clock } of [failing, none]) {
      begin()
      await settle()
      expect(ready).toEqual([0])
      expect(clock.pending).toBe(0)
    }
  })

  it('hands over replies with their sender and the route that they came in by, whatever port they come from', async () => {
    const { datagrams, heard, begin } = start(HOME, OFFICE)
    const search = begin()
    await settle()
    datagrams.socket(OFFICE.address).deliver(ssdpReply('http://10.0.0.1/root.xml', WANIP_1), '10.0.0.1', 49_152)
    expect(heard).toMatchObject([
      {
        reply: { ST: WANIP_1, LOCATION: 'http://10.0.0.1/root.xml' },
        from: { address: '10.0.0.1', port: 49_152 },
        route: { address: OFFICE.address },
      },
    ])
    search.stop()
  })

  it('drops garbage, searches and announcements of others, and keeps listening', async () => {
    const { datagrams, heard, begin } = start(HOME)
    const search = begin()
    await settle()
    const socket = datagrams.socket()
    const announcement = { NTS: 'ssdp:alive', NT: IGD1, USN: 'u', LOCATION: 'http://192.168.1.1/', SERVER: '' }
    socket.deliver(Uint8Array.of(0, 255, 10, 13), '192.168.1.66')
    socket.deliver('', '192.168.1.66')
    socket.deliver('HTTP/1.1 200 OK\r\nST: x\r\n\r\n', '192.168.1.66')
    socket.deliver(new Uint8Array(60_000).fill(65), '192.168.1.66')
    socket.deliver(encodeSearch({ ST: 'ssdp:all', MX: 1, HOST: MULTICAST }), '192.168.1.66')
    socket.deliver(encodeNotify({ ...announcement, maxAge: 1800, BOOTID: undefined }), '192.168.1.66')
    expect(heard).toEqual([])
    socket.deliver(ssdpReply('http://192.168.1.1/root.xml'), '192.168.1.1')
    expect(heard).toHaveLength(1)
    search.stop()
  })

  it('does not read a flood of datagrams to its end', async () => {
    const { datagrams, heard, begin } = start(HOME, OFFICE)
    const search = begin()
    await settle()
    for (let count = 0; count < 2 * MAX_REPLIES_PER_SENDER; count++) {
      const { address } = count % 2 === 0 ? HOME : OFFICE
      datagrams.socket(address).deliver(count < 10 ? 'HTTP' : ssdpReply('http://192.168.1.66/x'), '192.168.1.66')
    }
    expect(heard).toHaveLength(MAX_REPLIES_PER_SENDER - 10)
    datagrams.socket(HOME.address).deliver(ssdpReply('http://192.168.1.1/x'), '192.168.1.1')
    expect(heard).toHaveLength(MAX_REPLIES_PER_SENDER - 9)
    search.stop()
  })

  it('hears a bounded number of senders, and the default gateway beyond it', async () => {
    const { datagrams, heard, begin } = start(HOME)
    const search = begin()
    await settle()
    search.learnRouter('192.168.1.1')
    for (let count = 0; count < 2 * MAX_SENDERS; count++) {
      datagrams.socket(HOME.address).deliver(ssdpReply('http://10.0.0.1/x'), `10.0.${count >> 8}.${count & 255}`)
    }
    expect(heard).toHaveLength(MAX_SENDERS)
    datagrams.socket(HOME.address).deliver(ssdpReply('http://192.168.1.1/x'), '192.168.1.1')
    expect(heard).toHaveLength(MAX_SENDERS + 1)
    search.stop()
  })

  it('looks at what begins as a reply only, however much else comes: 80,000 announcements count nothing', async () => {
    const { datagrams, heard, begin } = start(HOME)
    const search = begin()
    await settle()
    search.learnRouter('192.168.1.1')
    const announcement = new TextEncoder().encode('NOTIFY * HTTP/1.1\r\nNT: upnp:rootdevice\r\n\r\n')
    for (let count = 0; count < 80_000; count++) datagrams.socket().deliver(announcement, '192.168.1.1')
    datagrams.socket().deliver(ssdpReply('http://192.168.1.1/x'), '192.168.1.1')
    expect(heard).toHaveLength(1)
    expect(datagrams.sockets).toHaveLength(1)
    search.stop()
  })
  it('closes every socket and takes back every timer when it is stopped', async () => {
    const { clock, datagrams, heard, begin } = start(HOME, OFFICE)
    const search = begin()
    await clock.advance(310)
    const sentBefore = datagrams.sent.length
    search.stop()
    expect(datagrams.sockets.map(({ closedTimes }) => closedTimes)).toEqual([1, 1])
    expect(clock.pending).toBe(0)
    datagrams.socket(HOME.address).deliverLate(ssdpReply('http://192.168.1.1/x'), '192.168.1.1')
    search.askDirectly('192.168.1.1')
    await clock.advance(5000)
    expect(heard).toEqual([])
    expect(datagrams.sent).toHaveLength(sentBefore)
  })

  it('closes a socket that opens after it was stopped, and sends nothing through it', async () => {
    const { clock, datagrams, ready, begin } = start(HOME)
    const release = datagrams.hold(HOME.address)
    const search = begin()
    await settle()
    search.stop()
    release()
    await clock.advance(5000)
    expect(datagrams.sockets.map(({ isOpen }) => isOpen)).toEqual([false])
    expect([datagrams.sent, ready, clock.pending]).toEqual([[], [], 0])
  })
})

describe('a flood of replies', () => {
  const ROUTER = '192.168.1.1'
  const reply = (at: number): string => ssdpReply(`http://192.168.1.1/${at}`)
  /** The socket that only the router is told of. */
  const own = ({ sockets }: ScriptedDatagrams) =>
    sockets.find(({ options }) => options.multicastInterface === undefined)

  async function flooded(count: number, senderOf: (at: number) => string, datagramOf: (at: number) => string = reply) {
    const search = start(HOME)
    const running = search.begin()
    await settle()
    running.learnRouter(ROUTER)
    for (let at = 0; at < count; at++) search.datagrams.socket(HOME.address).deliver(datagramOf(at), senderOf(at))
    await settle()
    return { ...search, running }
  }

  const neighbour = (at: number): string => `192.168.1.${2 + (at % 250)}`

  it('of 250 neighbours is read up to a bound for all of them together', async () => {
    const { heard, running } = await flooded(50_000, neighbour)
    expect(heard).toHaveLength(MAX_REPLIES_OF_OTHERS)
    running.stop()
  })

  it('is read up to a bound of bytes', async () => {
    const long = ssdpReply(`http://192.168.1.66/${'x'.repeat(900)}`).padEnd(8000, '\n')
    const { heard, running } = await flooded(1000, neighbour, () => long)
    expect(heard).toHaveLength(Math.floor(MAX_REPLY_BYTES / long.length))
    running.stop()
  })

  it('of others uses up nothing of what is for the router, and that in its name has a bound too', async () => {
    const { heard, datagrams, running } = await flooded(50_000, neighbour)
    for (let at = 0; at < 10_000; at++) datagrams.socket(HOME.address).deliver(reply(at), ROUTER)
    expect(heard).toHaveLength(MAX_REPLIES_OF_OTHERS + MAX_REPLIES_OF_ROUTER)
    running.stop()
  })

  it.each([
    ['in the name of the router', () => ROUTER],
    ['of one host', () => '192.168.1.66'],
  ])('%s makes the search ask the router alone, from another port, in all rounds', async (_, senderOf) => {
    const { clock, datagrams, running } = await flooded(MAX_REPLIES_OF_ROUTER + 1, senderOf)
    running.sendNoMore() // what is said in its name is no reason to ask less
    await clock.advance(60_000)
    const alone = datagrams.sent.filter(({ to }) => to === `${ROUTER}:1900`)
    expect(alone.map(({ atMs, ST }) => [atMs, ST])).toEqual(
      [0, 300, 900, 2000].flatMap((round) => SEARCH_TARGETS.map((ST, at) => [round + 20 * at, ST])),
    )
    expect(own(datagrams)?.options).toMatchObject({ address: HOME.address, port: 0 })
    running.stop()
    expect([clock.pending, datagrams.openCount]).toEqual([0, 0])
  })

  it('leaves what the router says at that port unharmed, and others are not heard there', async () => {
    const { heard, datagrams, running } = await flooded(50_000, () => ROUTER)
    expect(heard.some(({ isRoutersOwn }) => isRoutersOwn)).toBe(false)
    for (let at = 0; at < 50_000; at++) own(datagrams)?.deliver(reply(at), '192.168.1.66')
    own(datagrams)?.deliver(ssdpReply('http://192.168.1.1:5000/true'), ROUTER)
    expect(heard.filter(({ isRoutersOwn }) => isRoutersOwn)).toMatchObject([
      { reply: { LOCATION: 'http://192.168.1.1:5000/true' } },
    ])
    running.stop()
  })

  it('before the router is known makes the search ask it alone when it is known', async () => {
    const { clock, datagrams, begin } = start(HOME)
    const running = begin()
    await settle()
    for (let at = 0; at < 200; at++) datagrams.socket().deliver(reply(at), ROUTER)
    await clock.advance(50)
    expect(datagrams.sockets).toHaveLength(1)
    running.learnRouter(ROUTER)
    await settle()
    expect(datagrams.sent.at(-1)).toMatchObject({ atMs: 50, to: `${ROUTER}:1900` })
    running.stop()
  })
})

describe('a search over IPv6', () => {
  const prefixes = [{ address: '2001:db8:86::250', prefixLength: 64 }]
  const ETH0: IPv6SearchRoute = { address: '::', netmask: '', multicast: true, unicastTo: [], zone: 'eth0', prefixes }
  const WLAN0: IPv6SearchRoute = { ...ETH0, zone: 'wlan0', prefixes: [{ address: 'fd00::2', prefixLength: 48 }] }

  it('asks the site-local and then the link-local group, at the same times', async () => {
    const { clock, datagrams, begin } = start(ETH0)
    const search = begin()
    await clock.advance(60_000)
    const expected = [0, 300, 900, 2000].flatMap((round) =>
      SEARCH_TARGETS.flatMap((ST, at) => ['FF05::C:1900', 'FF02::C:1900'].map((to) => [round + 20 * at, ST, to])),
    )
    expect(datagrams.sent.map(({ atMs, ST, to }) => [atMs, ST, to])).toEqual(expected)
    search.stop()
  })

  it('names the group in HOST in brackets and upper case', async () => {
    const { datagrams, begin } = start(ETH0)
    const search = begin()
    await settle()
    expect(datagrams.sent.map(({ text }) => text)).toEqual(
      ['[FF05::C]:1900', '[FF02::C]:1900'].map(
        (host) => `M-SEARCH * HTTP/1.1\r\nHOST: ${host}\r\nMAN: "ssdp:discover"\r\nMX: 1\r\nST: ${IGD_1}\r\n\r\n`,
      ),
    )
    search.stop()
  })

  it('opens one socket for each interface, and asks no default gateway', async () => {
    const { clock, datagrams, begin, ready } = start(ETH0, WLAN0)
    const search = begin()
    search.askDirectly('192.168.1.1')
    await clock.advance(3000)
    const options = datagrams.sockets.map(({ options: each }) => [each.address, each.port, each.multicastInterface])
    expect(options).toEqual([
      ['::', 0, '::%eth0'],
      ['::', 0, '::%wlan0'],
    ])
    expect(datagrams.sockets.map(({ options: { multicastTtl } }) => multicastTtl)).toEqual([2, 2])
    expect(datagrams.sent.every(({ to }) => /^FF0[25]::C:1900$/.test(to))).toBe(true)
    expect(ready).toEqual([2])
    search.stop()
  })

  it.each([
    ['fe80::1%eth0', 'eth0'],
    ['fe80::1%wlan0', 'wlan0'],
    ['2001:db8:86::1', 'eth0'],
    ['fd00:0:0:9::1', 'wlan0'],
    ['2001:db8:99::1', 'eth0'],
  ])('knows by which interface the reply of %s came in, whichever socket heard it: %s', async (from, zone) => {
    const { datagrams, heard, begin } = start({ ...ETH0, localPort: 1900 }, { ...WLAN0, localPort: 1900 })
    const search = begin()
    await settle()
    datagrams.sockets[0]?.deliver(ssdpReply('http://[fe80::1]/'), from)
    expect(heard.map(({ route }) => isIPv6Route(route) && route.zone)).toEqual([zone])
    search.stop()
  })

  it('asks a router alone only by the interface that leads to it', async () => {
    const { datagrams, begin } = start(ETH0, WLAN0)
    const search = begin()
    await settle()
    search.learnRouter('fe80::1%wlan0')
    for (let at = 0; at < 200; at++) datagrams.sockets[0]?.deliver(ssdpReply('http://[fe80::66]/'), 'fe80::66%eth0')
    await settle()
    expect(datagrams.sockets).toHaveLength(3)
    expect(datagrams.sent.at(-1)).toMatchObject({ to: 'fe80::1%wlan0:1900', ST: IGD_1 })
    search.stop()
  })

  it('asks a host directly without its zone in HOST', async () => {
    const route = { ...ETH0, multicast: false, unicastTo: [{ address: 'fe80::1%eth0', port: 1900 }] }
    const { datagrams, begin } = start(route)
    const search = begin()
    await settle()
    expect(datagrams.sent.map(({ to }) => to)).toEqual(['fe80::1%eth0:1900'])
    expect(datagrams.sent[0]?.text).toContain('\r\nHOST: [fe80::1]:1900\r\n')
    expect(datagrams.sockets[0]?.options.multicastInterface).toBeUndefined()
    search.stop()
  })
})

describe('a search by the port and the TTL that it is told', () => {
  it('shares that port, which other programs may have, and another is of its own', async () => {
    const { datagrams, begin } = start({ ...HOME, localPort: 1900, multicastTtl: 0 }, OFFICE)
    const search = begin()
    await settle()
    const [home, office] = datagrams.sockets.map(({ options }) => options)
    expect([home?.port, home?.shared, home?.multicastTtl]).toEqual([1900, true, 0])
    expect([office?.port, office?.shared, office?.multicastTtl]).toEqual([0, undefined, 2])
    search.stop()
  })
})
