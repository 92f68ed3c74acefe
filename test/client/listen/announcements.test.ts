import { beforeEach, describe, expect, it } from 'vitest'
import {
  type AnnouncementsOptions,
  listenToAnnouncements,
  MAX_ANNOUNCED_DEVICES,
  MAX_ANNOUNCEMENTS_PER_SECOND,
} from '../../../src/client/listen/announcements.ts'
import { nodeDatagrams } from '../../../src/net/datagrams.ts'
import type { InterfaceAddress, IPv6InterfaceAddress } from '../../../src/net/interfaces.ts'
import { encodeNatPmpRequest, encodeNatPmpResponse } from '../../../src/wire/natpmp.ts'
import { encodePcpRequest, encodePcpResponse } from '../../../src/wire/pcp.ts'
import { encodeNotify, encodeSearch, type Notify } from '../../../src/wire/ssdp.ts'
import { FakeClock, settle } from '../../support/fake-clock.ts'
import { randomBytes, randomFrom } from '../../support/random.ts'
import { ScriptedDatagrams, type ScriptedSocket, ssdpReply } from '../../support/scripted-datagrams.ts'

const GATEWAY = '192.168.1.1'
const STRANGER = '192.168.1.66'

const IPV4: InterfaceAddress = { name: 'eth0', address: '192.168.1.10', netmask: '255.255.255.0', loopback: false }
const ipv6 = (address: string, name = 'eth0'): IPv6InterfaceAddress => ({
  name,
  address,
  netmask: 'ffff:ffff:ffff:ffff::',
  loopback: false,
  prefixLength: 64,
  zone: name,
})
const INTERFACES = [
  { ...IPV4, name: 'wlan0', address: '10.0.0.2' },
  IPV4,
  ipv6('fe80::2', 'wlan0'),
  ipv6('2001:db8::10'),
  ipv6('fe80::10'),
]

let clock: FakeClock
let datagrams: ScriptedDatagrams
let suspicions: number[]
let stop: () => void

beforeEach(() => {
  clock = new FakeClock()
  datagrams = new ScriptedDatagrams(clock)
  suspicions = []
})

async function listen(about: Partial<AnnouncementsOptions> = {}): Promise<void> {
  stop = listenToAnnouncements(
    { clock, datagrams },
    { gatewayAddresses: [GATEWAY], interfaces: INTERFACES, localAddress: IPV4.address, ...about },
    () => suspicions.push(clock.monotonicMs()),
  )
  await settle()
}

const ssdp = (): ScriptedSocket => datagrams.socket('239.255.255.250')
const portControl = (): ScriptedSocket => datagrams.socket('224.0.0.1')

function notify(changes: Partial<Notify> = {}): Uint8Array {
  return encodeNotify({
    NTS: 'ssdp:alive',
    NT: 'upnp:rootdevice',
    USN: 'uuid:1::upnp:rootdevice',
    LOCATION: 'http://192.168.1.1:5000/rootDesc.xml',
    SERVER: 'scripted',
    maxAge: 1800,
    BOOTID: '7',
    ...changes,
  })
}

/** Whether it is a reason to ask, when nothing else has happened in the last second. */
async function isNews(datagram: string | Uint8Array, socket = ssdp(), from = GATEWAY): Promise<boolean> {
  await clock.advance(1000)
  const before = suspicions.length
  socket.deliver(datagram, from)
  await clock.advance(1000)
  return suspicions.length > before
}

const opened = (): unknown[] =>
  datagrams.sockets.map(({ options: { address, port, shared, multicastInterface, multicastGroup } }) => [
    address,
    port,
    shared,
    multicastInterface,
    multicastGroup,
  ])

describe('listening to announcements', () => {
  it('joins both groups of IPv4 on the interface that leads to the gateway, and binds to nothing but the groups', async () => {
    await listen()
    expect(opened()).toEqual([
      ['239.255.255.250', 1900, true, '192.168.1.10', '239.255.255.250'],
      ['224.0.0.1', 5350, true, '192.168.1.10', '224.0.0.1'],
    ])
  })

  const IPV6_SOCKETS = [
    ['ff05::c%eth0', 1900, true, '::%eth0', 'ff05::c%eth0'],
    ['ff02::c%eth0', 1900, true, '::%eth0', 'ff02::c%eth0'],
    ['ff02::1%eth0', 5350, true, '::%eth0', 'ff02::1%eth0'],
  ]

  it.each([
    ['link-local with its zone', ['fe80::1%eth0'], 'fe80::10%eth0'],
    ['link-local without, where the local address tells the interface', ['fe80::1'], 'fe80::10'],
    ['global', ['2001:db8::1'], '2001:db8::10'],
  ])('joins those of IPv6 in the zone of a gateway that is %s', async (_name, gatewayAddresses, localAddress) => {
    await listen({ gatewayAddresses, localAddress })
    expect(opened()).toEqual(IPV6_SOCKETS)
  })

  it('joins all of them for a gateway with addresses of both families, whichever the local address is of', async () => {
    const all = ['224.0.0.1', '239.255.255.250', 'ff02::1%eth0', 'ff02::c%eth0', 'ff05::c%eth0']
    for (const localAddress of ['192.168.1.10', '2001:db8::10', 'fe80::10%eth0']) {
      datagrams = new ScriptedDatagrams(clock)
      await listen({ gatewayAddresses: [GATEWAY, '2001:db8::1'], localAddress })
      expect(datagrams.sockets.map(({ options }) => options.address).sort()).toEqual(all)
      expect(datagrams.socket('224.0.0.1').options.multicastInterface).toBe('192.168.1.10')
    }
  })

  it('joins nothing where the way to the gateway is not known', async () => {
    await listen({ gatewayAddresses: [] })
    await listen({ gatewayAddresses: ['2001:db8::1'], localAddress: '2001:db8:5::5' })
    await listen({ gatewayAddresses: ['172.16.0.1'], localAddress: '2001:db8::10' })
    expect(opened()).toEqual([])
  })

  it('binds to all addresses where the system binds to no group', async () => {
    datagrams.refuse('239.255.255.250')
    datagrams.refuse('224.0.0.1')
    await listen()
    expect(opened()).toEqual([
      ['0.0.0.0', 1900, true, '192.168.1.10', '239.255.255.250'],
      ['0.0.0.0', 5350, true, '192.168.1.10', '224.0.0.1'],
    ])
    expect(await isNews(notify(), datagrams.sockets[0])).toBe(true)
  })

  it('goes without a port that is taken, in silence', async () => {
    for (const address of ['224.0.0.1', '0.0.0.0']) datagrams.refuse(address)
    await listen()
    expect(datagrams.openCount).toBe(1)
    expect(await isNews(notify())).toBe(true)
  })

  it('goes without IPv6 where that cannot be had, in silence', async () => {
    for (const group of ['ff02::c', 'ff05::c', 'ff02::1']) datagrams.refuse(`${group}%eth0`)
    datagrams.refuse('::')
    await listen({ gatewayAddresses: [GATEWAY, 'fe80::1%eth0'] })
    expect(datagrams.openCount).toBe(2)
    expect(await isNews(notify())).toBe(true)
  })

  it('goes without the groups that the interface does not lead to, in silence', async () => {
    for (const address of ['239.255.255.250', '224.0.0.1', '0.0.0.0']) datagrams.refuse(address)
    await listen({ gatewayAddresses: [GATEWAY, 'fe80::1%eth0'] })
    expect(datagrams.openCount).toBe(3)
    expect(await isNews(notify(), datagrams.socket('ff02::c%eth0'), 'fe80::1%eth0')).toBe(true)
  })

  it('closes every socket when it is stopped, also one that opens only then', async () => {
    const release = datagrams.hold('224.0.0.1')
    await listen()
    stop()
    release()
    await settle()
    expect(datagrams.sockets).toHaveLength(2)
    expect(datagrams.openCount).toBe(0)
    stop()
    expect(datagrams.sockets.map(({ closedTimes }) => closedTimes)).toEqual([1, 1])
  })

  it('says nothing more once it is stopped, not even what it has put off', async () => {
    await listen()
    ssdp().deliver(notify(), GATEWAY)
    ssdp().deliver(notify({ NTS: 'ssdp:byebye' }), GATEWAY)
    stop()
    ssdp().deliverLate(notify({ NTS: 'ssdp:byebye' }), GATEWAY)
    await clock.advance(10_000)
    expect(suspicions).toEqual([0])
    expect(clock.pending).toBe(0)
  })

  it('joins groups of real sockets', async () => {
    const sockets: { address: string; port: number }[] = []
    const real = {
      ...nodeDatagrams,
      open: async (options: Parameters<typeof nodeDatagrams.open>[0]) => {
        const socket = await nodeDatagrams.open({ ...options, port: 0 })
        sockets.push(socket.local)
        return socket
      },
    }
    const about = { gatewayAddresses: ['127.0.0.1'], interfaces: [], localAddress: '127.0.0.1' }
    const stopReal = listenToAnnouncements({ clock, datagrams: real }, about, () => suspicions.push(0))
    while (sockets.length < 2) await new Promise((resolve) => setImmediate(resolve))
    const sender = await nodeDatagrams.open({
      address: '127.0.0.1',
      port: 0,
      multicastInterface: '127.0.0.1',
      onMessage() {},
    })
    for (const { port } of sockets) sender.send(notify(), { address: '239.255.255.250', port })
    while (suspicions.length === 0) await new Promise((resolve) => setImmediate(resolve))
    sender.close()
    stopReal()
  })
})

describe('an SSDP notification', () => {
  beforeEach(() => listen())

  it('of ssdp:alive is news the first time, and then where the boot or the location is another', async () => {
    expect(await isNews(notify())).toBe(true)
    expect(await isNews(notify())).toBe(false)
    expect(await isNews(notify({ BOOTID: '8' }))).toBe(true)
    expect(await isNews(notify({ BOOTID: '8' }))).toBe(false)
    expect(await isNews(notify({ BOOTID: '8', LOCATION: 'http://192.168.1.1:5555/rootDesc.xml' }))).toBe(true)
    expect(await isNews(notify({ BOOTID: '7' }))).toBe(true)
    expect(await isNews(notify({ BOOTID: undefined }))).toBe(true)
    expect(await isNews(notify({ BOOTID: undefined }))).toBe(false)
  })

  it('of ssdp:alive is no news for every service of a device, nor for the second device in the same box', async () => {
    expect(await isNews(notify())).toBe(true)
    expect(await isNews(notify({ NT: 'uuid:1', USN: 'uuid:1' }))).toBe(false)
    expect(await isNews(notify({ NT: 'x', USN: 'uuid:1::x' }))).toBe(false)
    const other = { USN: 'uuid:2::upnp:rootdevice', LOCATION: 'http://192.168.1.1:49000/other.xml', BOOTID: '3' }
    expect(await isNews(notify(other))).toBe(true)
    for (let time = 0; time < 3; time++) {
      expect(await isNews(notify())).toBe(false)
      expect(await isNews(notify(other))).toBe(false)
    }
  })

  it('of ssdp:byebye and of ssdp:update is always news', async () => {
    for (const NTS of ['ssdp:byebye', 'ssdp:byebye', 'ssdp:update', 'ssdp:update', 'SSDP:ByeBye']) {
      expect(await isNews(notify({ NTS }))).toBe(true)
    }
  })

  it('of another kind is none', async () => {
    expect(await isNews(notify({ NTS: 'upnp:propchange' }))).toBe(false)
  })

  it('counts from the gateway only', async () => {
    expect(await isNews(notify(), ssdp(), STRANGER)).toBe(false)
    expect(await isNews(notify({ NTS: 'ssdp:byebye' }), ssdp(), STRANGER)).toBe(false)
    expect(await isNews(notify())).toBe(true)
  })

  it.each([
    ['a search', encodeSearch({ ST: 'ssdp:all', MX: 1, HOST: '239.255.255.250:1900' })],
    ['a reply to a search', ssdpReply('http://192.168.1.1:5000/rootDesc.xml')],
    ['an announcement of PCP', pcpAnnouncement()],
    ['nothing', new Uint8Array()],
    ['text', 'hello'],
  ])('is not %s', async (_name, datagram) => {
    expect(await isNews(datagram)).toBe(false)
  })

  it('is remembered of so many devices, the longest ago is forgotten', async () => {
    const alive = (at: number): Uint8Array => notify({ USN: `uuid:${at}::upnp:rootdevice` })
    for (let at = 0; at <= MAX_ANNOUNCED_DEVICES; at++) expect(await isNews(alive(at))).toBe(true)
    expect(await isNews(alive(MAX_ANNOUNCED_DEVICES))).toBe(false)
    expect(await isNews(alive(0))).toBe(true)
  })
})

describe('a notification over IPv6', () => {
  it('counts from the gateway, in its zone, and tells of the same boot as that over IPv4', async () => {
    await listen({ gatewayAddresses: [GATEWAY, 'fe80::1%eth0'], localAddress: '192.168.1.10' })
    const socket = datagrams.socket('ff02::c%eth0')
    const overIPv6 = { LOCATION: 'http://[fe80::1]:5000/rootDesc.xml' }
    expect(await isNews(notify(overIPv6), socket, 'fe80::1%wlan0')).toBe(false)
    expect(await isNews(notify(overIPv6), socket, 'fe80::1%eth0')).toBe(true)
    expect(await isNews(notify())).toBe(false)
    expect(await isNews(notify({ BOOTID: '8' }))).toBe(true)
    expect(await isNews(notify({ ...overIPv6, BOOTID: '8' }), socket, 'fe80::1%eth0')).toBe(false)
  })

  it('is one of its own where no boot is told', async () => {
    await listen({ gatewayAddresses: [GATEWAY, 'fe80::1%eth0'], localAddress: '192.168.1.10' })
    const told = { BOOTID: undefined }
    const overIPv6 = { ...told, LOCATION: 'http://[fe80::1]:5000/rootDesc.xml' }
    expect(await isNews(notify(overIPv6), datagrams.socket('ff02::c%eth0'), 'fe80::1%eth0')).toBe(true)
    expect(await isNews(notify(told))).toBe(true)
    expect(await isNews(notify(told))).toBe(false)
  })

  it('counts also where it goes to the whole site, from an address that is not link-local', async () => {
    await listen({ gatewayAddresses: ['2001:db8::1'], localAddress: '2001:db8::10' })
    expect(await isNews(notify(), datagrams.socket('ff05::c%eth0'), '2001:db8::1')).toBe(true)
    expect(await isNews(notify({ BOOTID: '8' }), datagrams.socket('ff05::c%eth0'), '2001:db8::2')).toBe(false)
  })

  it('counts also where the gateway was named without its zone', async () => {
    await listen({ gatewayAddresses: ['fe80::1'], localAddress: 'fe80::10' })
    expect(await isNews(notify(), datagrams.socket('ff02::c%eth0'), 'fe80::1%eth0')).toBe(true)
  })
})

function pcpAnnouncement(resultCode = 0): Uint8Array {
  return encodePcpResponse({ kind: 'ANNOUNCE-response', resultCode, lifetimeSeconds: 0, epochSeconds: 1 })
}

const addressAnnouncement = (): Uint8Array =>
  encodeNatPmpResponse({ kind: 'external-address-response', externalAddress: '11.22.33.44', epochSeconds: 1 })

describe('an announcement of PCP or NAT-PMP', () => {
  beforeEach(() => listen())

  it.each([
    ['that PCP begins anew', pcpAnnouncement()],
    ['of the external address', addressAnnouncement()],
  ])('%s is news, every time, from the gateway only', async (_name, datagram) => {
    expect(await isNews(datagram, portControl())).toBe(true)
    expect(await isNews(datagram, portControl())).toBe(true)
    expect(await isNews(datagram, portControl(), STRANGER)).toBe(false)
  })

  const NAT_PMP_MAP = { protocol: 'TCP', internalPort: 1, lifetimeSeconds: 1 } as const

  it.each([
    [
      'a question of PCP',
      encodePcpRequest({ kind: 'ANNOUNCE-request', lifetimeSeconds: 0, clientAddress: '::', options: [] }),
    ],
    ['a question of NAT-PMP', encodeNatPmpRequest({ kind: 'external-address-request' })],
    [
      'a mapping',
      encodeNatPmpResponse({ kind: 'map-response', ...NAT_PMP_MAP, mappedExternalPort: 1, epochSeconds: 1 }),
    ],
    [
      'an error',
      encodeNatPmpResponse({
        kind: 'error-response',
        opcode: 0,
        resultCode: 3,
        internalPort: undefined,
        epochSeconds: 1,
      }),
    ],
    ['a notification of SSDP', notify()],
    ['half of one', pcpAnnouncement().subarray(0, 20)],
    ['half of the other', addressAnnouncement().subarray(0, 11)],
    ['nothing', new Uint8Array()],
  ])('is not %s', async (_name, datagram) => {
    expect(await isNews(datagram, portControl())).toBe(false)
  })

  it('may be any bytes without harm', async () => {
    const random = randomFrom(5350)
    for (let round = 0; round < 2000; round++) {
      if (round % MAX_ANNOUNCEMENTS_PER_SECOND === 0) await clock.advance(1000)
      const bytes = randomBytes(random, Math.floor(random() * 80))
      bytes[0] = round % 3
      portControl().deliver(bytes, GATEWAY)
      ssdp().deliver(bytes, GATEWAY)
    }
    expect(portControl().isOpen).toBe(true)
  })
})

describe('the bounds of listening', () => {
  beforeEach(() => listen())

  it('are one suspicion in a second: the first at once, the others at its end', async () => {
    const say = (NTS: string): void => ssdp().deliver(notify({ NTS }), GATEWAY)
    say('ssdp:byebye')
    say('ssdp:byebye')
    portControl().deliver(pcpAnnouncement(), GATEWAY)
    expect(suspicions).toEqual([0])
    await clock.advance(999)
    say('ssdp:byebye')
    expect(suspicions).toEqual([0])
    await clock.advance(1)
    expect(suspicions).toEqual([0, 1000])
    await clock.advance(500)
    say('ssdp:byebye')
    await clock.advance(10_000)
    expect(suspicions).toEqual([0, 1000, 2000])
    say('ssdp:byebye')
    expect(suspicions).toEqual([0, 1000, 2000, 11_500])
  })

  it('leave no timer armed when all is quiet', async () => {
    expect(clock.pending).toBe(0)
    ssdp().deliver(notify(), GATEWAY)
    expect(clock.pending).toBe(1)
    await clock.advance(1000)
    expect(clock.pending).toBe(0)
  })

  it('are so many datagrams in a second; strangers use up none of them', async () => {
    for (let sent = 0; sent < 10_000; sent++) ssdp().deliver(notify(), STRANGER)
    for (let sent = 0; sent < MAX_ANNOUNCEMENTS_PER_SECOND; sent++) ssdp().deliver('hello', GATEWAY)
    ssdp().deliver(notify(), GATEWAY)
    expect(suspicions).toEqual([])
    await clock.advance(1000)
    ssdp().deliver(notify(), GATEWAY)
    expect(suspicions).toEqual([1000])
  })
})
