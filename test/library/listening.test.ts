import { beforeEach, describe, expect, it } from 'vitest'
import { LEAST_ANNOUNCED_RENEWAL_MS } from '../../src/client/listen/event-subscription.ts'
import type { Gateway } from '../../src/domain/gateway.ts'
import { type ListeningNet, listenToGateway } from '../../src/library/listening.ts'
import type { HttpReply, HttpRequest } from '../../src/net/http/client.ts'
import type { ListenOptions } from '../../src/net/http/server.ts'
import type { InterfaceAddress, IPv6InterfaceAddress } from '../../src/net/interfaces.ts'
import { InterfaceWatch } from '../../src/net/interfaces.ts'
import { encodeNotify } from '../../src/wire/ssdp.ts'
import { FakeClock, settle } from '../support/fake-clock.ts'
import { ignoredLog } from '../support/ignored.ts'
import { ScriptedDatagrams } from '../support/scripted-datagrams.ts'

const GATEWAY = '192.168.1.1'
const IPV4: InterfaceAddress = { name: 'eth0', address: '192.168.1.10', netmask: '255.255.255.0', loopback: false }
const IPV6: IPv6InterfaceAddress = { ...IPV4, address: 'fe80::10', netmask: 'ffff::', prefixLength: 64, zone: 'eth0' }
const IPV4_GROUPS = ['224.0.0.1', '239.255.255.250']
const IPV6_GROUPS = ['ff02::1%eth0', 'ff02::c%eth0', 'ff05::c%eth0']

const BYEBYE = encodeNotify({
  NTS: 'ssdp:byebye',
  NT: 'upnp:rootdevice',
  USN: 'uuid:1::upnp:rootdevice',
  LOCATION: '',
  SERVER: '',
  maxAge: undefined,
  BOOTID: undefined,
})

let clock: FakeClock
let datagrams: ScriptedDatagrams
let interfaces: readonly InterfaceAddress[]
let defaultGateways: ListeningNet['defaultGateways']
let watch: InterfaceWatch
let asked: HttpRequest[]
let servers: (ListenOptions & { isClosed: boolean })[]
let suspicions: number
let stop: () => void

beforeEach(() => {
  clock = new FakeClock()
  datagrams = new ScriptedDatagrams(clock)
  interfaces = [IPV4, IPV6]
  defaultGateways = async (family) => (family === 4 ? [GATEWAY] : ['fe80::1%eth0'])
  watch = new InterfaceWatch(() => interfaces)
  asked = []
  servers = []
  suspicions = 0
})

async function request(request: HttpRequest): Promise<HttpReply> {
  asked.push(request)
  const headers = new Map(Object.entries({ sid: 'uuid:1', timeout: 'Second-1800' }))
  return { status: 200, headers, body: new Uint8Array(), localAddress: '', remoteAddress: GATEWAY }
}

async function listen(options: ListenOptions) {
  const server = { ...options, isClosed: false }
  servers.push(server)
  const close = async (): Promise<void> => {
    server.isClosed = true
  }
  return { local: { address: options.address, port: 40_000 }, close }
}

async function begin(facts: object, isOnlyRoute = false): Promise<void> {
  const gateway = { localAddress: IPV4.address, ...facts } as Gateway
  const net: ListeningNet = {
    clock,
    datagrams,
    defaultGateways,
    watch,
    isOnlyRoute,
    http: { request },
    httpServers: { listen },
  }
  stop = listenToGateway(net, gateway, () => suspicions++)
  await settle()
}

const joined = (): string[] => datagrams.sockets.flatMap((each) => (each.isOpen ? each.options.address : [])).sort()
const byebye = (from = GATEWAY): void =>
  datagrams.sockets
    .findLast(
      ({ isOpen, options }) => isOpen && options.port === 1900 && options.address.includes(':') === from.includes(':'),
    )
    ?.deliver(BYEBYE, from)

const IGD = { protocol: 'igd', address: GATEWAY, eventUrl: 'http://192.168.1.1:5000/evt' }

describe('listening to a gateway', () => {
  it('joins the groups of both families, and subscribes to the events of an IGD', async () => {
    await begin(IGD)
    expect(joined()).toEqual([...IPV4_GROUPS, ...IPV6_GROUPS])
    expect(asked.map(({ method, url }) => `${method} ${url.href}`)).toEqual(['SUBSCRIBE http://192.168.1.1:5000/evt'])
    byebye()
    byebye('fe80::1%eth0')
    expect(suspicions).toBe(1)
    await clock.advance(1000)
    expect(suspicions).toBe(2)
  })

  it.each([
    ['PCP or NAT-PMP', { ...IGD, protocol: 'pcp' }],
    ['an IGD without events', { ...IGD, eventUrl: undefined }],
  ])('opens no server for %s', async (_name, facts) => {
    await begin(facts)
    expect(joined()).toEqual([...IPV4_GROUPS, ...IPV6_GROUPS])
    expect([asked, servers]).toEqual([[], []])
  })

  it('knows a router that has a name only by what the default gateways are', async () => {
    await begin({ ...IGD, address: 'router.lan' })
    byebye()
    expect(suspicions).toBe(1)
  })

  it('looks for no other address of a gateway that was named', async () => {
    await begin(IGD, true)
    expect(joined()).toEqual(IPV4_GROUPS)
  })

  it('asks for the default gateways by the family and by nothing else', async () => {
    const given: unknown[][] = []
    defaultGateways = async (...all: readonly unknown[]) => {
      given.push([...all])
      return []
    }
    await begin({ ...IGD, address: 'router.lan' })
    expect(given).toEqual([[4], [6]]) // a second argument was once taken for the name of a system
  })

  it('goes on without what the routes cannot tell', async () => {
    defaultGateways = async () => {
      throw new Error('no routes')
    }
    await begin(IGD)
    expect(joined()).toEqual(IPV4_GROUPS)
  })

  it('renews the subscription where the gateway says that it has restarted', async () => {
    await begin(IGD)
    await clock.advance(LEAST_ANNOUNCED_RENEWAL_MS)
    expect(asked).toHaveLength(1)
    byebye()
    await settle()
    expect(asked).toHaveLength(2)
  })

  it('is not hurried by events either: one in a second is a reason to ask, and another what came after it', async () => {
    await begin(IGD)
    const [server] = servers
    const body = new TextEncoder().encode('no property set')
    const headers = new Map([...Object.entries({ sid: 'uuid:1', nt: 'upnp:event', nts: 'upnp:propchange' })])
    const target = new URL(asked[0]?.headers.find(([name]) => name === 'CALLBACK')?.[1].slice(1, -1) ?? '').pathname
    for (let event = 0; event < 50; event++) {
      const from = { remoteAddress: GATEWAY, localAddress: IPV4.address }
      expect(await server?.handler({ method: 'NOTIFY', target, headers, body, ...from })).toMatchObject({ status: 200 })
    }
    expect(suspicions).toBe(1)
    await clock.advance(5000)
    expect(suspicions).toBe(2)
  })

  it('ends with everything closed and given back', async () => {
    await begin(IGD)
    stop()
    await settle()
    expect(joined()).toEqual([])
    expect(asked.map(({ method }) => method)).toEqual(['SUBSCRIBE', 'UNSUBSCRIBE'])
    expect(servers.map(({ isClosed }) => isClosed)).toEqual([true])
    expect(clock.pending).toBe(0)
    interfaces = [IPV4]
    watch.look()
    await settle()
    expect(joined()).toEqual([])
  })

  it('that is ended before the routes are known joins nothing', async () => {
    let tell = (_routes: string[]): void => {}
    defaultGateways = () => new Promise((resolve) => (tell = resolve))
    await begin(IGD)
    stop()
    tell(['fe80::1%eth0'])
    await settle()
    expect(datagrams.sockets).toEqual([])
  })
})

describe('an interface that changes', () => {
  it('is joined in the other family as soon as somebody sees that it has come up', async () => {
    interfaces = [IPV4]
    watch.look()
    let routes: string[] = []
    defaultGateways = async () => routes
    await begin(IGD)
    expect(joined()).toEqual(IPV4_GROUPS)
    interfaces = [IPV4, IPV6]
    routes = ['fe80::1%eth0']
    watch.look()
    await settle()
    expect(joined()).toEqual([...IPV4_GROUPS, ...IPV6_GROUPS])
  })

  it('is joined anew, and what was joined before is closed', async () => {
    interfaces = [IPV4]
    watch.look()
    await begin(IGD)
    const before = datagrams.sockets.length
    interfaces = [IPV4, IPV6]
    watch.look()
    await settle()
    expect(datagrams.sockets.slice(0, before).map(({ isOpen }) => isOpen)).not.toContain(true)
    expect(joined()).toEqual([...IPV4_GROUPS, ...IPV6_GROUPS])
    expect(asked).toHaveLength(1)
  })

  it('is not joined anew where only others have changed', async () => {
    await begin(IGD)
    const before = datagrams.sockets.length
    interfaces = [IPV4, IPV6, { ...IPV4, name: 'veth1', address: '172.17.0.1' }]
    watch.look()
    await settle()
    expect(datagrams.sockets).toHaveLength(before)
  })

  it('twice while the routes are looked up is joined once', async () => {
    const answers: ((routes: string[]) => void)[] = []
    defaultGateways = () => new Promise((resolve) => answers.push(resolve))
    await begin(IGD)
    interfaces = [IPV4]
    watch.look()
    expect(answers).toHaveLength(2)
    for (const answer of answers.toReversed()) answer(['fe80::1%eth0'])
    await settle()
    expect(joined()).toEqual([...IPV4_GROUPS, ...IPV6_GROUPS])
    expect(datagrams.sockets).toHaveLength(5)
  })
})

it('a defect in joining ends nothing, and is told', async () => {
  const log = ignoredLog()
  let isBroken = false
  defaultGateways = () => {
    if (isBroken)
      watch.look = () => {
        throw new TypeError('x is undefined')
      }
    return Promise.resolve([])
  }
  await begin(IGD)
  isBroken = true
  interfaces = [IPV4]
  watch.look()
  await settle()
  expect(log.told()).toEqual([`device ${GATEWAY}: TypeError: x is undefined`])
  log.end()
})
