import { describe, expect, it } from 'vitest'
import {
  InvalidArgumentError,
  MalformedMessageError,
  NoGatewayError,
  NoReplyError,
  TransportError,
} from '../../../src/domain/errors.ts'
import { LIBRARY } from '../../../src/domain/words.ts'
import { findGateway } from '../../../src/library/gateway/find-gateway.ts'
import { FakeClock, settle } from '../../support/fake-clock.ts'
import { ScriptedDatagrams, ssdpReply } from '../../support/scripted-datagrams.ts'
import {
  answersOf,
  igdDescription,
  locationOf,
  type ScriptedDevice,
  TV_DESCRIPTION,
} from '../../support/scripted-devices.ts'
import { type ScriptedAnswer, ScriptedHttp } from '../../support/scripted-http.ts'

const LOOPBACK = { name: 'lo', address: '127.0.0.1', netmask: '255.0.0.0', loopback: true }
const WIRED = { name: 'eth0', address: '192.168.1.10', netmask: '255.255.255.0', loopback: false }
const COMPUTER = { interfaces: () => [LOOPBACK, WIRED], defaultGateways: () => Promise.resolve(['192.168.1.1']) }

const ROUTER: ScriptedDevice = { host: '192.168.1.1:5000' }

/** A LAN where these devices answer each search that reaches the multicast group. */
function lanWith(...devices: readonly ScriptedDevice[]) {
  const clock = new FakeClock()
  const datagrams = new ScriptedDatagrams(clock)
  const http = new ScriptedHttp(clock, answersOf(...devices))
  datagrams.onSend = ({ to, ST }, socket) => {
    if (!to.startsWith('239.')) return
    for (const device of devices) socket.deliver(ssdpReply(locationOf(device), ST), device.host.split(':')[0] ?? '')
  }
  return { clock, datagrams, http, ...COMPUTER }
}

const namedBy = (answer: ScriptedAnswer) => {
  const clock = new FakeClock()
  return { clock, datagrams: new ScriptedDatagrams(clock), http: new ScriptedHttp(clock, () => answer), ...COMPUTER }
}

describe('findGateway', () => {
  it('finds the gateway with no time lost, and leaves nothing behind', async () => {
    const net = lanWith(ROUTER)
    const gateway = await findGateway({ via: 'igd', net })
    expect(gateway).toMatchObject({ controlUrl: 'http://192.168.1.1:5000/ctl/0', localAddress: '192.168.1.10' })
    expect(await gateway.externalAddress()).toBe('11.22.33.44')
    expect([net.clock.monotonicMs(), net.clock.pending, net.datagrams.openCount]).toEqual([0, 0, 0])
  })

  it('uses an IGD of which another host of its subnet tells only with anyHost, and says so', async () => {
    const other: ScriptedDevice = { host: '192.168.1.4:5000' }
    const find = async (anyHost: boolean) => {
      const net = lanWith(other)
      net.datagrams.onSend = (_, socket) => socket.deliver(ssdpReply(locationOf(other)), '192.168.1.3')
      const finding = findGateway({ via: 'igd', anyHost, net })
      finding.catch(() => {})
      await net.clock.advance(4000)
      return finding
    }
    expect((await find(true)).controlUrl).toBe('http://192.168.1.4:5000/ctl/0')
    const told =
      '192.168.1.3 tells of an IGD on another host, http://192.168.1.4:5000/root.xml: anyHost: true of findGateway uses it'
    await expect(find(false)).rejects.toMatchObject({ hint: expect.stringContaining(told) })
  })

  it('searches on the interfaces that lead somewhere, and asks the default gateway directly', async () => {
    const net = lanWith(ROUTER)
    await findGateway({ via: 'igd', net })
    expect(net.datagrams.sent.map(({ via, to }) => `${via} ${to}`)).toEqual([
      '192.168.1.10 239.255.255.250:1900',
      '192.168.1.10 192.168.1.1:1900',
    ])
  })

  it('says where and how long it has searched if nothing answers, as facts and in words', async () => {
    const net = lanWith()
    const failure = findGateway({ via: 'igd', net }).catch((error: unknown) => error)
    await net.clock.advance(4000)
    expect(await failure).toBeInstanceOf(NoGatewayError)
    expect(await failure).toMatchObject({
      code: 'NO_GATEWAY',
      message:
        'no UPnP device answered the search: searched 4.0 s on eth0 (192.168.1.10); the router at 192.168.1.1 did not answer',
      hint: 'Switch on UPnP in the settings of the router, and let UDP port 1900 through the firewall of this computer.',
      searched: {
        via: 'igd',
        searchedMs: 4000,
        interfaces: [{ name: 'eth0', address: '192.168.1.10' }],
        defaultGateways: ['192.168.1.1'],
      },
      gateway: undefined,
    })
    expect([net.clock.pending, net.datagrams.openCount]).toEqual([0, 0])
  })

  it('does not wait where there is no interface to search on', async () => {
    const net = { ...lanWith(ROUTER), interfaces: () => [] }
    await expect(findGateway({ via: 'igd', net })).rejects.toThrow(
      'this computer has no network address to search from',
    )
  })

  it.each([
    [
      'only a TV',
      { host: '192.168.1.66', description: { body: TV_DESCRIPTION } },
      'the device at http://192.168.1.66/root.xml has no WAN',
    ],
    [
      'only an IGD that is not connected',
      { ...ROUTER, connections: { '/ctl/0': { status: 'Disconnected' } } },
      'the IGD at http://192.168.1.1:5000/root.xml is not connected',
    ],
  ])('finds none where there is %s', async (_, device, message) => {
    const net = lanWith(device)
    const failure = findGateway({ via: 'igd', net }).catch((error: unknown) => error)
    await net.clock.advance(4000)
    expect(await failure).toBeInstanceOf(NoGatewayError)
    expect(String(await failure)).toContain(message)
    expect(net.clock.pending).toBe(0)
  })

  it('takes an IGD that is not connected with ignoreState', async () => {
    const net = lanWith({ ...ROUTER, connections: { '/ctl/0': { status: 'Disconnected' } } })
    const finding = findGateway({ via: 'igd', ignoreState: true, net })
    await net.clock.advance(4000)
    expect((await finding).controlUrl).toBe('http://192.168.1.1:5000/ctl/0')
  })

  it('ends with the signal, and what the gateway is asked later does not', async () => {
    const searching = new AbortController()
    const net = lanWith()
    const failure = findGateway({ via: 'igd', signal: searching.signal, net }).catch((error: unknown) => error)
    await settle()
    searching.abort(new Error('enough'))
    expect(await failure).toMatchObject({ message: 'enough' })
    await settle()
    expect([net.clock.pending, net.datagrams.openCount]).toEqual([0, 0])

    const over = new AbortController()
    const gateway = await findGateway({ via: 'igd', signal: over.signal, net: lanWith(ROUTER) })
    over.abort(new Error('no more'))
    expect(await gateway.externalAddress()).toBe('11.22.33.44')
  })

  it('ends after its time, and what the gateway is asked later does not', async () => {
    const net = lanWith()
    const failure = findGateway({ via: 'igd', timeoutMs: 300, net }).catch((error: unknown) => error)
    await net.clock.advance(300)
    expect(await failure).toBeInstanceOf(NoReplyError)
    expect(await failure).toMatchObject({ code: 'NO_REPLY', message: 'no gateway was found within 300 ms' })
    expect([net.clock.pending, net.datagrams.openCount]).toEqual([0, 0])

    const lan = lanWith(ROUTER)
    const gateway = await findGateway({ via: 'igd', timeoutMs: 300, net: lan })
    await lan.clock.advance(1000)
    expect(await gateway.externalAddress()).toBe('11.22.33.44')
    expect(lan.clock.pending).toBe(0)
  })

  it.each([
    ['a router that is none', { router: 'http://192.168.1.1' }, /^router: .* is not the address of a router/],
    ['a port that is none', { router: '192.168.1.1:0' }, /^router: 0 is not a port/],
    ['two routers', { router: '192.168.1.1', url: 'http://192.168.1.1/' }, /leave one out$/],
    ['a URL over PCP', { via: 'pcp', url: 'http://192.168.1.1/' }, /leave one out$/],
    ['no time', { timeoutMs: 0 }, /^timeoutMs: 0 is not a number of milliseconds above 0$/],
    ['an interface that is not there', { networkInterface: 'eth7' }, /'eth7'/],
    ['what is no network', { net: { clock: new FakeClock() } }, /^net is not the net of an emulated gateway$/],
  ] as const)('refuses %s, without asking anybody', async (_, where, message) => {
    const net = lanWith(ROUTER)
    const failure = await findGateway({ net, ...where }).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(InvalidArgumentError)
    expect(failure).toMatchObject({ message: expect.stringMatching(message) })
    expect([net.http.seen, net.datagrams.sent]).toEqual([[], []])
  })

  it('makes no search where the description is named', async () => {
    const net = lanWith(ROUTER)
    const gateway = await findGateway({ url: locationOf(ROUTER), net })
    expect(gateway).toMatchObject({ controlUrl: 'http://192.168.1.1:5000/ctl/0', address: '192.168.1.1' })
    expect(net.datagrams.sockets).toEqual([])
    expect(net.http.log).toEqual(['GET http://192.168.1.1:5000/root.xml'])
  })

  it.each([
    ['is no IGD', { body: TV_DESCRIPTION }, NoGatewayError],
    ['is no description', { body: '<html></html>' }, MalformedMessageError],
    ['is not there', { status: 404, body: '' }, TransportError],
    ['does not come', 'silence', NoReplyError],
  ] as const)('fails where what is named %s', async (_, answer, kind) => {
    const net = namedBy(answer)
    const failure = findGateway({ url: locationOf(ROUTER), net }).catch((error: unknown) => error)
    await net.clock.advance(10_000)
    expect(await failure).toBeInstanceOf(kind)
    expect(await failure).toMatchObject({ hint: LIBRARY.descriptionUrl })
    expect(net.clock.pending).toBe(0)
  })

  it.each([
    '',
    'router',
    '192.168.1.1:5000/root.xml',
    'https://192.168.1.1/root.xml',
    'file:///etc/passwd',
    'http://192.168.1.1:0/',
    'http://admin:secret@192.168.1.1/',
  ])('refuses to be named %j, without asking anybody and without repeating a password', async (url) => {
    const net = namedBy(new Error('must not be asked'))
    const failure = await findGateway({ url, net }).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(InvalidArgumentError)
    expect(String(failure)).not.toContain('secret')
    expect(net.http.seen).toEqual([])
  })
})

describe('findGateway by the URL of a link-local host', () => {
  it('takes the zone out of the URL and beside it', async () => {
    const net = namedBy({ body: igdDescription() })
    const gateway = await findGateway({ url: 'http://[fe80::1%eth0]:5000/root.xml', net })
    expect(gateway).toMatchObject({ controlUrl: 'http://[fe80::1%25eth0]:5000/ctl/0', address: 'fe80::1%eth0' })
    expect(net.http.seen.map(({ request }) => [request.url.href, request.zone])).toEqual([
      ['http://[fe80::1]:5000/root.xml', 'eth0'],
    ])
  })
})
