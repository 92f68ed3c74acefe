/** How a mapping is closed at a router that speaks up to three protocols. Each of them closes only what it has made. */
import { describe, expect, it } from 'vitest'
import { keptMappings } from '../../src/client/mapping-memory.ts'
import { NoReplyError, type PortMappingError, RefusedError } from '../../src/domain/errors.ts'
import type { Gateway, IgdGateway } from '../../src/domain/gateway.ts'
import type { GatewayProtocol, MappingKey, PortMapping } from '../../src/domain/port-mapping.ts'
import { RunningKeeper } from '../../src/library/keeping/running-keepers.ts'
import { protocolOf, Router } from '../../src/library/router.ts'
import { memoryFiles, type PrivateFiles } from '../../src/net/files/private-files.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { FakePortControl } from '../support/fake-port-control.ts'

const US = '192.168.1.10'
const ROUTER = '192.168.1.1'
const HARDWARE = '02005e100001'
const UDN = 'uuid:1'
const KEY: MappingKey = { externalPort: 8000, protocol: 'TCP', remoteHost: '' }
const ETH0 = { name: 'eth0', address: US, netmask: '255.255.255.0', loopback: false }
const SHOWN: PortMapping = {
  ...KEY,
  internalClient: US,
  internalPort: 8000,
  description: 'upnp-ts',
  enabled: true,
  leaseSeconds: 0,
}
const refused = (number: number): RefusedError => new RefusedError({ action: 'unmap', number, standardName: '' })
const SILENCE = new NoReplyError('no reply', { action: 'unmap' })

interface Made {
  readonly via: GatewayProtocol
  /** Of another router, if it is not the identity of this one. */
  readonly identity?: string
  readonly leaseSeconds?: number
  readonly remoteHost?: string
  readonly internalPort?: number
}

interface Situation {
  /** The first is the gateway that was found. */
  readonly speaks: readonly [GatewayProtocol, ...GatewayProtocol[]]
  readonly made?: readonly Made[]
  /** What the IGD shows of it. */
  readonly shows?: PortMapping | 'untold' | PortMappingError
  readonly refusals?: Partial<Record<GatewayProtocol, PortMappingError>>
  readonly isOnly?: boolean
  readonly key?: MappingKey
  /** Whether PCP and NAT-PMP give the port to somebody else. */
  readonly isFree?: boolean
  /** A running keeper holds it. */
  readonly keeps?: MappingKey
  /** If undefined, nobody knows. */
  readonly hardwareAddress?: string | undefined
}

const identityOf = (via: GatewayProtocol): string => (via === 'igd' ? UDN : HARDWARE)

function memoryAt(files: PrivateFiles, clock: FakeClock, via: GatewayProtocol, identity = identityOf(via)) {
  return keptMappings(files, clock, { address: ROUTER, via, identity: async () => identity })
}

async function remember(files: PrivateFiles, clock: FakeClock, made: readonly Made[], key = KEY): Promise<void> {
  for (const { via, identity, leaseSeconds = 3600, remoteHost = key.remoteHost, internalPort = 8000 } of made)
    await memoryAt(files, clock, via, identity).remember({
      ...key,
      remoteHost,
      internalClient: US,
      internalPort,
      leaseSeconds,
    })
}

async function closing(situation: Situation) {
  const { speaks, made = [], shows, refusals = {}, isOnly = false, key = KEY, keeps, isFree } = situation
  const hardwareAddress = 'hardwareAddress' in situation ? situation.hardwareAddress : HARDWARE
  const [files, clock] = [memoryFiles(), new FakeClock()]
  await remember(files, clock, made, key)
  if (keeps !== undefined) new RunningKeeper(files, clock, 'one').hold(ROUTER, [keeps])
  const asked: string[] = []
  const gatewayOf = (via: GatewayProtocol): Gateway => {
    const memory = memoryAt(files, clock, via)
    const remembers = async ({ remoteHost, ...outside }: MappingKey): Promise<boolean> => {
      const known = await memory.recall(outside)
      return known !== undefined && (via !== 'igd' || (known.remoteHost ?? '') === remoteHost)
    }
    if (via !== 'igd') {
      const unmap = () => {
        asked.push(via)
        return refusals[via]
      }
      return Object.assign(new FakePortControl({ protocol: via, unmap, ...(isFree === undefined ? {} : { isFree }) }), {
        remembers,
      })
    }
    const igd: Partial<IgdGateway> = {
      protocol: 'igd',
      address: ROUTER,
      localAddress: US,
      remembers,
      async find() {
        asked.push('look')
        if (shows instanceof Error) throw shows
        return shows
      },
      async unmap() {
        asked.push('igd')
        if (refusals.igd !== undefined) throw refusals.igd
      },
    }
    return igd as IgdGateway
  }
  const [gateway, ...others] = speaks.map(gatewayOf)
  if (gateway === undefined) throw new Error('it speaks something')
  const askOthers = async () => {
    asked.push('others?')
    return others.flatMap((each) =>
      each.protocol === 'igd'
        ? []
        : [{ protocol: each.protocol, gateway: each, externalAddress: undefined, troubles: [] }],
    )
  }
  const net = { files, clock, interfaces: () => [ETH0], hardwareAddress: async () => hardwareAddress }
  const { isClosed, attempts, remark } = await new Router({ gateway, askOthers, isOnly }, net).unmap(key)
  const told = attempts.map(({ via, error }) => (error === undefined ? via : `${via} ${numberOf(error)}`))
  return { isClosed, asked: asked.join(), told: told.join(), remark: remark?.kind, whole: remark }
}

function numberOf(error: PortMappingError): number | string {
  return error instanceof RefusedError ? error.number : error.code
}

const ALL = ['igd', 'pcp', 'nat-pmp'] as const
const NO_UPNP = ['pcp', 'nat-pmp'] as const
const NOT_THERE = refused(714)
const ANOTHERS: PortMapping = { ...SHOWN, internalClient: '192.168.1.66', description: 'game' }
const OF_A_PROGRAM: PortMapping = { ...SHOWN, description: 'game' }
const HOST = { ...KEY, remoteHost: '203.0.113.9' }
const UDP: MappingKey = { ...KEY, protocol: 'UDP' }

/** [name, situation, isClosed, who was asked, what they said, remark] */
type Case = [string, Situation, boolean, string, string, string?]

describe('a mapping that is remembered is closed in the protocol in which it was made', () => {
  it.each<Case>([
    ['the IGD', { speaks: ALL, made: [{ via: 'igd' }] }, true, 'igd', 'igd'],
    ['PCP', { speaks: ALL, made: [{ via: 'pcp' }] }, true, 'others?,pcp', 'pcp'],
    ['NAT-PMP', { speaks: ALL, made: [{ via: 'nat-pmp' }] }, true, 'others?,nat-pmp', 'nat-pmp'],
    ['PCP without UPnP', { speaks: NO_UPNP, made: [{ via: 'pcp' }] }, true, 'pcp', 'pcp'],
    ['NAT-PMP beside PCP', { speaks: NO_UPNP, made: [{ via: 'nat-pmp' }] }, true, 'others?,nat-pmp', 'nat-pmp'],
    ['NAT-PMP alone', { speaks: ['nat-pmp'], made: [{ via: 'nat-pmp' }] }, true, 'nat-pmp', 'nat-pmp'],
    ['for UDP', { speaks: ALL, made: [{ via: 'pcp' }], key: UDP }, true, 'others?,pcp', 'pcp'],
    ['for one host', { speaks: ALL, made: [{ via: 'igd' }], key: HOST }, true, 'igd', 'igd'],
    [
      'PCP, to which one for one host is the same as one for all',
      { speaks: ALL, made: [{ via: 'pcp', remoteHost: '203.0.113.9' }] },
      true,
      'others?,pcp',
      'pcp',
    ],
    ['without an end', { speaks: ALL, made: [{ via: 'igd', leaseSeconds: 0 }] }, true, 'igd', 'igd'],
    [
      'whoever knew the hardware address of neither',
      { speaks: NO_UPNP, made: [{ via: 'nat-pmp', identity: HARDWARE }], hardwareAddress: undefined },
      true,
      'others?,nat-pmp',
      'nat-pmp',
    ],
    [
      'all in which it was made',
      { speaks: ALL, made: [{ via: 'nat-pmp' }, { via: 'igd' }, { via: 'pcp' }] },
      true,
      'others?,igd,nat-pmp,pcp',
      'igd,nat-pmp,pcp',
    ],
    [
      'all, although it is gone from one of them',
      { speaks: ALL, made: [{ via: 'igd' }, { via: 'pcp' }], refusals: { igd: NOT_THERE } },
      true,
      'others?,igd,pcp',
      'pcp',
    ],
    [
      'all, and is not closed if one of them refuses',
      { speaks: ALL, made: [{ via: 'igd' }, { via: 'pcp' }], refusals: { igd: refused(606) } },
      false,
      'others?,igd,pcp',
      'igd 606,pcp',
    ],
    [
      'all, and is not closed if one of them is silent',
      { speaks: ALL, made: [{ via: 'igd' }, { via: 'pcp' }], refusals: { pcp: SILENCE } },
      false,
      'others?,igd,pcp',
      'igd,pcp NO_REPLY',
    ],
    [
      'the IGD, which lost it',
      { speaks: ALL, made: [{ via: 'igd' }], refusals: { igd: NOT_THERE } },
      false,
      'igd',
      'igd 714',
    ],
    [
      'PCP, which refuses',
      { speaks: ALL, made: [{ via: 'pcp' }], refusals: { pcp: refused(2) } },
      false,
      'others?,pcp',
      'pcp 2',
    ],
  ])('%s', async (_name, situation, isClosed, asked, told, remark) => {
    expect(await closing(situation)).toMatchObject({ isClosed, asked, told, remark })
  })
})

describe('a mapping whose protocol is not spoken any more', () => {
  const endsWallMs = new FakeClock().wallMs() + 3_600_000

  it.each<[string, Situation, object]>([
    ['UPnP', { speaks: NO_UPNP, made: [{ via: 'igd' }] }, { via: 'igd', endsWallMs }],
    ['PCP', { speaks: ['igd'], made: [{ via: 'pcp' }] }, { via: 'pcp', endsWallMs }],
    ['NAT-PMP', { speaks: ['pcp'], made: [{ via: 'nat-pmp' }] }, { via: 'nat-pmp', endsWallMs }],
    [
      'UPnP, without an end',
      { speaks: NO_UPNP, made: [{ via: 'igd', leaseSeconds: 0 }] },
      { via: 'igd', endsWallMs: Number.POSITIVE_INFINITY },
    ],
    [
      'PCP, at a router of which nobody knows which one it is',
      { speaks: ['igd'], made: [{ via: 'pcp', identity: '' }], hardwareAddress: undefined },
      { via: 'pcp', endsWallMs },
    ],
  ])('is not closed, and its end is told: %s', async (_name, situation, remark) => {
    const { isClosed, told, whole } = await closing(situation)
    expect([isClosed, told, whole]).toEqual([false, '', { kind: 'protocol-gone', ...remark }])
  })

  it('is not closed, although it is closed in another one', async () => {
    const made = [{ via: 'igd' }, { via: 'pcp' }] as const
    const closed = await closing({ speaks: ['pcp'], made })
    expect(closed).toMatchObject({ isClosed: false, told: 'pcp', remark: 'protocol-gone' })
  })

  it('may have been made at another router with the same address, and then the IGD is asked', async () => {
    const made = [{ via: 'pcp', identity: '02005e100002' }] as const
    const closed = await closing({ speaks: ['igd'], made, shows: SHOWN })
    expect(closed).toMatchObject({ isClosed: true, told: 'igd', remark: 'made-by-another' })
  })
})

describe('a mapping that is not remembered', () => {
  it.each<Case>([
    [
      'is closed by the IGD that shows it, and that this user opened it is doubted',
      { speaks: ALL, shows: SHOWN },
      true,
      'look,igd',
      'igd',
      'made-by-another',
    ],
    [
      'for UDP',
      { speaks: ALL, shows: { ...SHOWN, protocol: 'UDP' }, key: UDP },
      true,
      'look,igd',
      'igd',
      'made-by-another',
    ],
    ['is closed if it is of another computer, as in upnpc', { speaks: ALL, shows: ANOTHERS }, true, 'look,igd', 'igd'],
    [
      'is closed if it is of another program, and that is said',
      { speaks: ALL, shows: OF_A_PROGRAM },
      true,
      'look,igd',
      'igd',
      'made-by-another',
    ],
    [
      'is not said to be of another program if it could not be closed',
      { speaks: ALL, shows: OF_A_PROGRAM, refusals: { igd: refused(606) } },
      false,
      'look,igd',
      'igd 606',
    ],
    [
      'and that the IGD does not show is asked for over PCP, whose nonce protects what is of others',
      { speaks: ALL },
      false,
      'look,others?,pcp',
      'igd 714',
    ],
    [
      'is somebody else\u2019s over PCP',
      { speaks: ALL, refusals: { pcp: refused(2) } },
      false,
      'look,others?,pcp',
      'igd 714,pcp 2',
    ],
    ['is left alone over NAT-PMP', { speaks: ['igd', 'nat-pmp'] }, false, 'look,others?', 'igd 714', 'not-remembered'],
    [
      'is asked for over the IGD if there is nobody else, whatever it shows',
      { speaks: ['igd'], refusals: { igd: NOT_THERE } },
      false,
      'look,others?,igd',
      'igd 714',
    ],
    ['is closed by an IGD that does not tell', { speaks: ALL, shows: 'untold' }, true, 'look,igd', 'igd'],
    ['is closed by an IGD that refuses to tell', { speaks: ALL, shows: refused(401) }, true, 'look,igd', 'igd'],
    ['is closed by an IGD that does not answer the look', { speaks: ALL, shows: SILENCE }, true, 'look,igd', 'igd'],
    [
      'is nowhere if an IGD does not tell, and has it not',
      { speaks: ALL, shows: 'untold', refusals: { igd: NOT_THERE } },
      false,
      'look,igd,others?,pcp',
      'igd 714',
    ],
    [
      'stays if the IGD refuses for another reason, and nobody else is asked',
      { speaks: ALL, shows: 'untold', refusals: { igd: refused(501) } },
      false,
      'look,igd',
      'igd 501',
    ],
    [
      'is nowhere if it ended after the look',
      { speaks: ALL, shows: SHOWN, refusals: { igd: NOT_THERE } },
      false,
      'look,igd,others?,pcp',
      'igd 714',
    ],
    ['is closed over PCP, which always says yes', { speaks: NO_UPNP }, true, 'pcp', 'pcp', 'deleted-unknown'],
    ['is closed if the port is free then', { speaks: NO_UPNP, isFree: true }, true, 'pcp', 'pcp', 'deleted-unknown'],
    ['is not closed if somebody has the port', { speaks: NO_UPNP, isFree: false }, false, 'pcp', 'pcp', 'still-taken'],
    ['is not closed if PCP refuses', { speaks: NO_UPNP, refusals: { pcp: refused(2) } }, false, 'pcp', 'pcp 2'],
    ['is left alone over NAT-PMP alone', { speaks: ['nat-pmp'] }, false, '', '', 'not-remembered'],
    [
      'because it was made at another router',
      {
        speaks: ALL,
        made: [
          { via: 'pcp', identity: '02005e100002' },
          { via: 'igd', identity: 'uuid:2' },
        ],
      },
      false,
      'others?,look,pcp',
      'igd 714',
    ],
    [
      'because it was made for another host',
      { speaks: ALL, made: [{ via: 'igd', remoteHost: '203.0.113.9' }], shows: SHOWN },
      true,
      'look,igd',
      'igd',
      'made-by-another',
    ],
  ])('%s', async (_name, situation, isClosed, asked, told, remark) => {
    expect(await closing(situation)).toMatchObject({ isClosed, asked, told, remark })
  })

  it('carries what the router showed, if it seems to be of another program', async () => {
    const { whole } = await closing({ speaks: ALL, shows: OF_A_PROGRAM })
    expect(whole).toEqual({ kind: 'made-by-another', mapping: OF_A_PROGRAM })
  })
})

describe('-u, --via', () => {
  it.each<Case>([
    ['the IGD, without a look', { speaks: ['igd'], made: [{ via: 'pcp' }] }, true, 'igd', 'igd'],
    ['the IGD, which has it not', { speaks: ['igd'], refusals: { igd: NOT_THERE } }, false, 'igd', 'igd 714'],
    ['PCP, which always says yes', { speaks: ['pcp'] }, true, 'pcp', 'pcp', 'deleted-unknown'],
    ['PCP, over which it was made', { speaks: ['pcp'], made: [{ via: 'pcp' }] }, true, 'pcp', 'pcp'],
    ['PCP, but somebody has the port', { speaks: ['pcp'], isFree: false }, false, 'pcp', 'pcp', 'still-taken'],
    ['NAT-PMP, all the same', { speaks: ['nat-pmp'] }, true, 'nat-pmp', 'nat-pmp', 'deleted-unknown'],
    [
      'NAT-PMP, over which it was made',
      { speaks: ['nat-pmp'], made: [{ via: 'nat-pmp' }] },
      true,
      'nat-pmp',
      'nat-pmp',
    ],
    ['PCP, which refuses', { speaks: ['pcp'], refusals: { pcp: refused(2) } }, false, 'pcp', 'pcp 2'],
  ])('asks only %s', async (_name, situation, isClosed, asked, told, remark) => {
    expect(await closing({ ...situation, isOnly: true })).toMatchObject({ isClosed, asked, told, remark })
  })
})

describe('a mapping that a running keeper of this user holds', () => {
  it.each<[string, Situation]>([
    ['over UPnP', { speaks: ALL, made: [{ via: 'igd' }] }],
    ['over PCP', { speaks: NO_UPNP, made: [{ via: 'pcp' }] }],
    ['over NAT-PMP', { speaks: ['nat-pmp'], made: [{ via: 'nat-pmp' }] }],
    ['unseen', { speaks: ALL }],
    ['with -u', { speaks: ['igd'], isOnly: true }],
    ['with --via', { speaks: ['pcp'], isOnly: true }],
    ['for UDP', { speaks: ALL, key: UDP }],
    ['for one host', { speaks: ALL, key: HOST }],
    ['for one host, which to PCP is the same', { speaks: NO_UPNP, made: [{ via: 'pcp' }], keeps: HOST }],
  ])('is not closed, and nobody is asked: %s', async (_name, situation) => {
    const closed = await closing({ keeps: situation.key ?? KEY, ...situation })
    expect(closed).toMatchObject({ isClosed: false, asked: '', told: '', remark: 'kept' })
  })

  it('does not stand in the way of another one', async () => {
    expect(await closing({ speaks: ALL, made: [{ via: 'igd' }], keeps: UDP })).toMatchObject({ isClosed: true })
    expect(await closing({ speaks: ALL, made: [{ via: 'igd' }], keeps: HOST })).toMatchObject({ isClosed: true })
  })
})

describe('a port that was opened for internal port 0', () => {
  const SAME_PORT: Made = { via: 'nat-pmp', internalPort: 0, leaseSeconds: 60 }

  it.each<[string, Situation]>([
    ['with --via nat-pmp', { speaks: ['nat-pmp'], isOnly: true, made: [SAME_PORT] }],
    ['without', { speaks: ALL, made: [SAME_PORT] }],
    ['over PCP', { speaks: NO_UPNP, made: [SAME_PORT] }],
    ['by whoever knew the hardware address', { speaks: ['nat-pmp'], made: [SAME_PORT], key: UDP }],
  ])('ends with its lease, and nobody is asked: %s', async (_name, situation) => {
    const closed = await closing(situation)
    expect(closed).toMatchObject({ isClosed: false, asked: '', told: '', remark: 'ends-with-lease' })
    expect(closed.whole).toMatchObject({ endsWallMs: new FakeClock().wallMs() + 60_000 })
  })

  it('is one of another router, or of another protocol than is asked in', async () => {
    const elsewhere = { ...SAME_PORT, identity: '02005e999999' }
    expect(await closing({ speaks: ['nat-pmp'], isOnly: true, made: [elsewhere] })).toMatchObject({ asked: 'nat-pmp' })
    expect(await closing({ speaks: ['pcp'], isOnly: true, made: [SAME_PORT] })).toMatchObject({ asked: 'pcp' })
  })
})

it('does not hide a defect', async () => {
  const defect = new TypeError('planted') as unknown as PortMappingError
  await expect(closing({ speaks: ALL, made: [{ via: 'igd' }], refusals: { igd: defect } })).rejects.toBe(defect)
  await expect(closing({ speaks: ALL, shows: defect })).rejects.toBe(defect)
})

it('asks which other protocols there are only once', async () => {
  const [files, clock] = [memoryFiles(), new FakeClock()]
  let times = 0
  const askOthers = async () => {
    times++
    return []
  }
  const igd = { protocol: 'igd', address: ROUTER, find: async () => undefined, unmap: async () => {} }
  const gateway = igd as unknown as IgdGateway
  const router = new Router({ gateway, askOthers, isOnly: false }, { files, clock, interfaces: () => [] })
  for (const externalPort of [1, 2, 3]) await router.unmap({ ...KEY, externalPort })
  expect(times).toBe(1)
})

describe('the protocol in which mappings were made', () => {
  it.each<[string, readonly Made[], string | undefined, GatewayProtocol | undefined]>([
    ['is not known', [], HARDWARE, undefined],
    ['is UPnP', [{ via: 'igd' }], HARDWARE, 'igd'],
    ['is PCP', [{ via: 'pcp' }], HARDWARE, 'pcp'],
    ['is NAT-PMP', [{ via: 'nat-pmp' }], HARDWARE, 'nat-pmp'],
    ['are two', [{ via: 'igd' }, { via: 'pcp' }], HARDWARE, undefined],
    ['is that of this router', [{ via: 'igd' }, { via: 'pcp', identity: '02005e100002' }], HARDWARE, 'igd'],
    ['was at another router', [{ via: 'pcp', identity: '02005e100002' }], HARDWARE, undefined],
    ['was at nobody knows which', [{ via: 'pcp', identity: '' }], undefined, 'pcp'],
  ])('%s', async (_name, made, hardwareAddress, expected) => {
    const [files, clock] = [memoryFiles(), new FakeClock()]
    await remember(files, clock, made)
    const net = { files, clock, hardwareAddress: async () => hardwareAddress }
    expect(await protocolOf([KEY], ROUTER, net)).toBe(expected)
    expect(await protocolOf([UDP], ROUTER, net)).toBeUndefined()
    expect(await protocolOf([KEY], '192.168.1.2', net)).toBeUndefined()
    await clock.advance(3_600_000)
    expect(await protocolOf([KEY], ROUTER, net)).toBeUndefined()
  })

  it('is known of several only if it is the same, and if it is to be known of each', async () => {
    const [files, clock] = [memoryFiles(), new FakeClock()]
    await remember(files, clock, [{ via: 'igd' }])
    await remember(files, clock, [{ via: 'igd' }], UDP)
    expect(await protocolOf([KEY, UDP], ROUTER, { files, clock })).toBe('igd')
    const withUnknown = [KEY, { ...UDP, externalPort: 1 }]
    expect(await protocolOf(withUnknown, ROUTER, { files, clock })).toBe('igd')
    expect(await protocolOf(withUnknown, ROUTER, { files, clock }, true)).toBeUndefined()
    expect(await protocolOf([KEY, UDP], ROUTER, { files, clock }, true)).toBe('igd')
    await remember(files, clock, [{ via: 'pcp', identity: '' }], { ...KEY, externalPort: 1 })
    expect(await protocolOf([KEY, { ...KEY, externalPort: 1 }], ROUTER, { files, clock })).toBeUndefined()
  })
})
