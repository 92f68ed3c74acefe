import { describe, expect, it } from 'vitest'
import {
  InvalidArgumentError,
  MalformedMessageError,
  NoGatewayError,
  NoReplyError,
  TransportError,
} from '../../src/domain/errors.ts'
import { findGateway } from '../../src/library/find-gateway.ts'
import { FakeClock, settle } from '../support/fake-clock.ts'
import { ScriptedDatagrams, ssdpReply } from '../support/scripted-datagrams.ts'
import {
  answersOf,
  igdDescription,
  locationOf,
  type ScriptedDevice,
  TV_DESCRIPTION,
} from '../support/scripted-devices.ts'
import { type ScriptedAnswer, ScriptedHttp } from '../support/scripted-http.ts'

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
    const gateway = await findGateway({}, net)
    expect(gateway).toMatchObject({ controlUrl: 'http://192.168.1.1:5000/ctl/0', localAddress: '192.168.1.10' })
    expect(await gateway.externalAddress()).toBe('11.22.33.44')
    expect([net.clock.monotonicMs(), net.clock.pending, net.datagrams.openCount]).toEqual([0, 0, 0])
  })

  it('uses an IGD of which another host of its subnet tells only with anyHost, and says so', async () => {
    const other: ScriptedDevice = { host: '192.168.1.4:5000' }
    const find = async (anyHost: boolean) => {
      const net = lanWith(other)
      net.datagrams.onSend = (_, socket) => socket.deliver(ssdpReply(locationOf(other)), '192.168.1.3')
      const finding = findGateway({ anyHost }, net)
      finding.catch(() => {})
      await net.clock.advance(4000)
      return finding
    }
    expect((await find(true)).controlUrl).toBe('http://192.168.1.4:5000/ctl/0')
    const told = '192.168.1.3 tells of an IGD on another host, http://192.168.1.4:5000/root.xml: anyHost uses it'
    await expect(find(false)).rejects.toThrow(told)
  })

  it('searches on the interfaces that lead somewhere, and asks the default gateway directly', async () => {
    const net = lanWith(ROUTER)
    await findGateway({}, net)
    expect(net.datagrams.sent.map(({ via, to }) => `${via} ${to}`)).toEqual([
      '192.168.1.10 239.255.255.250:1900',
      '192.168.1.10 192.168.1.1:1900',
    ])
  })

  it('says on how many interfaces and how long it has searched where nothing answers', async () => {
    const net = lanWith()
    const failure = findGateway({}, net).catch((error: unknown) => error)
    await net.clock.advance(4000)
    expect(await failure).toBeInstanceOf(NoGatewayError)
    expect(await failure).toMatchObject({ message: 'no IGD answered within 4000 ms on 1 interfaces' })
    expect([net.clock.pending, net.datagrams.openCount]).toEqual([0, 0])
  })

  it('does not wait where there is no interface to search on', async () => {
    const net = { ...lanWith(ROUTER), interfaces: () => [] }
    await expect(findGateway({}, net)).rejects.toThrow('no IGD answered within 0 ms on 0 interfaces')
  })

  it.each([
    ['only a TV', { host: '192.168.1.66', description: { body: TV_DESCRIPTION } }, 'no IGD answered'],
    [
      'only an IGD that is not connected',
      { ...ROUTER, connections: { '/ctl/0': { status: 'Disconnected' } } },
      'the IGD at http://192.168.1.1:5000/root.xml is not connected',
    ],
  ])('finds none where there is %s', async (_, device, message) => {
    const net = lanWith(device)
    const failure = findGateway({}, net).catch((error: unknown) => error)
    await net.clock.advance(4000)
    expect(await failure).toBeInstanceOf(NoGatewayError)
    expect(String(await failure)).toContain(message)
    expect(net.clock.pending).toBe(0)
  })

  it('ends with the signal, and so does what the gateway is asked later', async () => {
    const searching = new AbortController()
    const net = lanWith()
    const failure = findGateway({ signal: searching.signal }, net).catch((error: unknown) => error)
    await settle()
    searching.abort(new Error('enough'))
    expect(await failure).toMatchObject({ message: 'enough' })
    expect([net.clock.pending, net.datagrams.openCount]).toEqual([0, 0])

    const using = new AbortController()
    const gateway = await findGateway({ signal: using.signal }, lanWith(ROUTER))
    using.abort(new Error('no more'))
    await expect(gateway.externalAddress()).rejects.toThrow('no more')
  })

  it('makes no search where the description is named', async () => {
    const net = lanWith(ROUTER)
    const gateway = await findGateway({ url: locationOf(ROUTER) }, net)
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
    const failure = findGateway({ url: locationOf(ROUTER) }, net).catch((error: unknown) => error)
    await net.clock.advance(10_000)
    expect(await failure).toBeInstanceOf(kind)
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
    const failure = await findGateway({ url }, net).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(InvalidArgumentError)
    expect(String(failure)).not.toContain('secret')
    expect(net.http.seen).toEqual([])
  })
})

describe('findGateway by the URL of a link-local host', () => {
  it('takes the zone out of the URL and beside it', async () => {
    const net = namedBy({ body: igdDescription() })
    const gateway = await findGateway({ url: 'http://[fe80::1%eth0]:5000/root.xml' }, net)
    expect(gateway).toMatchObject({ controlUrl: 'http://[fe80::1%25eth0]:5000/ctl/0', address: 'fe80::1%eth0' })
    expect(net.http.seen.map(({ request }) => [request.url.href, request.zone])).toEqual([
      ['http://[fe80::1]:5000/root.xml', 'eth0'],
    ])
  })
})
