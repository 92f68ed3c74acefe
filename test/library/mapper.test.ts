/** What a router refused, and why; and what it made, and why that is doubtful. On an IGD whose answers are scripted. */
import { describe, expect, it } from 'vitest'
import { IgdServiceGateway } from '../../src/client/igd/gateway.ts'
import { SoapCaller } from '../../src/client/igd/soap-caller.ts'
import { NoReplyError } from '../../src/domain/errors.ts'
import type { Gateway } from '../../src/domain/gateway.ts'
import type { MappingRequest } from '../../src/domain/port-mapping.ts'
import { Mapper } from '../../src/library/mapper.ts'
import { LOOK_MS, MAX_ROWS } from '../../src/library/refusal.ts'
import { memoryFiles } from '../../src/net/files/private-files.ts'
import type { HttpRequest } from '../../src/net/http/client.ts'
import type { InterfaceAddress } from '../../src/net/interfaces.ts'
import { decodeEntities, encodeEntities } from '../../src/wire/xml.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { granted } from '../support/fake-port-control.ts'
import { tag, WANIP1 } from '../support/scripted-devices.ts'
import { soapFault, soapResponse } from '../support/scripted-gateway.ts'
import { type ScriptedAnswer, ScriptedHttp } from '../support/scripted-http.ts'

const US = '192.168.1.10'
const OTHER = '192.168.1.66'
const EXTERNAL = '11.22.33.44'
const ETH: InterfaceAddress = { name: 'eth0', address: US, netmask: '255.255.255.0', loopback: false }

const REQUEST: MappingRequest = {
  remoteHost: '',
  externalPort: 8123,
  protocol: 'TCP',
  internalClient: US,
  internalPort: 80,
  description: 'web',
  lease: 'unlimited',
}

interface Row {
  readonly port: number
  readonly protocol: string
  readonly client: string
  readonly inside: number
  readonly remoteHost: string
  readonly description: string
  readonly enabled: number
  readonly lease: number
}

const row = (changes: Partial<Row> = {}): Row => ({
  ...{ port: 8123, protocol: 'TCP', client: US, inside: 80, remoteHost: '', description: 'web', enabled: 1, lease: 0 },
  ...changes,
})

const argument = ({ body = '' }: HttpRequest, name: string): string =>
  decodeEntities(new RegExp(`<${name}>([^<]*)<`).exec(body)?.[1] ?? '')

const target = ({ client, inside, description, enabled, lease }: Row): string =>
  tag('NewInternalPort', inside) +
  tag('NewInternalClient', client) +
  tag('NewEnabled', enabled) +
  tag('NewPortMappingDescription', encodeEntities(description)) +
  tag('NewLeaseDuration', lease)

interface Situation {
  readonly rows?: readonly Row[]
  /** What it says in place of what the table says: an error number, or silence. */
  readonly instead?: (request: HttpRequest) => number | 'silence' | undefined
  readonly interfaces?: readonly InterfaceAddress[]
  readonly defaultGateways?: readonly string[]
  readonly externalAddress?: string
}

/** A router of version 1 with that table, which lets a computer overwrite its own rows only, and its Mapper. */
function scene(situation: Situation = {}) {
  const { instead, interfaces = [ETH], defaultGateways = ['192.168.1.1'], externalAddress = EXTERNAL } = situation
  const rows = [...(situation.rows ?? [])]
  const clock = new FakeClock()
  const asked: string[] = []
  const answer = (request: HttpRequest): ScriptedAnswer => {
    const action = request.action
    const port = Number(argument(request, 'NewExternalPort'))
    asked.push(action.startsWith('Add') ? `${action} ${port}` : action)
    const refused = (code: number): ScriptedAnswer => ({ status: 500, body: soapFault(code) })
    const other = instead?.(request)
    if (other !== undefined) return other === 'silence' ? other : refused(other)
    const done = (content = ''): ScriptedAnswer => ({ body: soapResponse(action, content) })
    const protocol = argument(request, 'NewProtocol')
    const found = rows.find((each) => each.port === port && each.protocol === protocol)
    if (action === 'GetGenericPortMappingEntry') {
      const at = rows[Number(argument(request, 'NewPortMappingIndex'))]
      if (at === undefined) return refused(713)
      const key =
        tag('NewRemoteHost', at.remoteHost) + tag('NewExternalPort', at.port) + tag('NewProtocol', at.protocol)
      return done(key + target(at))
    }
    if (action === 'GetSpecificPortMappingEntry') return found === undefined ? refused(714) : done(target(found))
    if (action !== 'AddPortMapping') return refused(401)
    const client = argument(request, 'NewInternalClient')
    if (found !== undefined && found.client !== client) return refused(718)
    if (found !== undefined) rows.splice(rows.indexOf(found), 1)
    const [inside, description] = [
      Number(argument(request, 'NewInternalPort')),
      argument(request, 'NewPortMappingDescription'),
    ]
    rows.push(row({ port, protocol, client, inside, description }))
    return done()
  }
  const http = new ScriptedHttp(clock, answer)
  const connection = {
    service: 'WANConnection',
    serviceType: WANIP1,
    controlUrls: [new URL('http://192.168.1.1:5000/ctl')],
  } as const
  const services = {
    connections: [connection],
    commonInterfaceConfig: undefined,
    firewallControl: undefined,
    presentationUrl: '',
  }
  const controller = new AbortController()
  const caller = new SoapCaller(http, controller.signal)
  const gateway = new IgdServiceGateway(caller, services, connection, US)
  const net = {
    clock,
    signal: controller.signal,
    interfaces: () => interfaces,
    defaultGateways: async () => defaultGateways,
    files: memoryFiles(),
  }
  const mapper = new Mapper(gateway, net)
  const map = (changes: Partial<MappingRequest> = {}, any = false) =>
    mapper.map({ request: { ...REQUEST, ...changes }, externalAddress }, any)
  return { map, asked, rows, clock, controller, gateway, net }
}

const added = (asked: readonly string[]): string[] => asked.filter((each) => each.startsWith('Add'))
/** Refuses every AddPortMapping with that number. */
const always =
  (code: number) =>
  ({ action }: Pick<HttpRequest, 'action'>): number | undefined =>
    action === 'AddPortMapping' ? code : undefined

describe('after 718', () => {
  it.each<[string, Partial<Row>, object]>([
    [
      'another computer',
      { client: OTHER },
      { kind: 'port-taken', mapping: { internalClient: OTHER, internalPort: 80 } },
    ],
    ['the name of a computer', { client: 'mypc' }, { kind: 'port-taken', mapping: { internalClient: 'mypc' } }],
    ['another port of this one', { inside: 81 }, { kind: 'port-differs', isForThisComputer: true }],
    ['this one, but switched off', { enabled: 0 }, { kind: 'port-differs', mapping: { enabled: false } }],
  ])('names who has the port, with one question: %s', async (_, holder, cause) => {
    const { map, asked } = scene({ rows: [row(holder)], instead: always(718) })
    expect(await map()).toMatchObject({ ok: false, error: { number: 718 }, cause })
    expect(asked).toEqual(['AddPortMapping 8123', 'GetSpecificPortMappingEntry'])
  })

  it.each(['TCP', 'UDP'] as const)('looks for that protocol: %s', async (protocol) => {
    const { map } = scene({ rows: [row({ client: OTHER }), row({ client: OTHER, protocol: 'UDP', inside: 9 })] })
    expect(await map({ protocol })).toMatchObject({ cause: { mapping: { internalPort: protocol === 'TCP' ? 80 : 9 } } })
  })

  it('knows another address of this computer, and the computer that was asked for', async () => {
    const wlan = { ...ETH, name: 'wlan0', address: OTHER }
    const ours = scene({ rows: [row({ client: OTHER })], interfaces: [ETH, wlan] })
    expect(await ours.map()).toMatchObject({ cause: { kind: 'port-differs', isForThisComputer: true } })
    const theirs = scene({ rows: [row({ client: OTHER, inside: 81 })], instead: always(718) })
    const cause = { kind: 'port-differs', isForThisComputer: false }
    expect(await theirs.map({ internalClient: OTHER })).toMatchObject({ cause })
  })

  it('finds the external port at which the same computer and port are open already', async () => {
    const rows = [row({ port: 1 }), row({ port: 2, protocol: 'UDP' }), row({ port: 54_000, inside: 22 })]
    const { map } = scene({ rows, instead: always(718) })
    const cause = { kind: 'open-elsewhere', mapping: { externalPort: 54_000 }, isForThisComputer: true }
    expect(await map({ internalPort: 22 })).toMatchObject({ cause })
    expect(await map({ internalPort: 22, protocol: 'UDP' })).toMatchObject({ cause: { kind: 'nobody-shown' } })
  })

  it('says that the router shows nobody only if it has shown everything', async () => {
    const nobody = { kind: 'nobody-shown', isForThisComputer: true }
    expect(await scene({ instead: always(718) }).map()).toMatchObject({ cause: nobody })
    const forAnother = await scene({ instead: always(718) }).map({ internalClient: OTHER })
    expect(forAnother).toMatchObject({ cause: { ...nobody, isForThisComputer: false } })
    for (const deaf of ['GetSpecificPortMappingEntry', 'GetGenericPortMappingEntry']) {
      for (const code of [401, 501, 602, 606]) {
        const { map } = scene({
          instead: ({ action }) => (action === deaf ? code : always(718)({ action })),
        })
        expect(await map()).toMatchObject({ ok: false, error: { number: 718 }, cause: undefined })
      }
    }
  })

  it.each([401, 602, 606])('reads the table if one entry cannot be asked for: %i', async (code) => {
    const { map } = scene({
      rows: [row({ port: 1 }), row({ client: OTHER })],
      instead: ({ action }) => (action === 'GetSpecificPortMappingEntry' ? code : undefined),
    })
    expect(await map()).toMatchObject({ cause: { kind: 'port-taken', mapping: { internalClient: OTHER } } })
  })

  it('takes an empty entry for none', async () => {
    const { map } = scene({ rows: [row({ client: '' })], instead: always(718) })
    expect(await map()).toMatchObject({ cause: { kind: 'nobody-shown' } })
  })

  it('counts what is there exactly as asked as done, with a word if the lease goes on as it was', async () => {
    const { map, asked } = scene({ rows: [row()], instead: always(718) })
    expect(await map()).toMatchObject({ ok: true, wasThere: true, mapping: { internalClient: US }, notes: [] })
    expect(asked).toHaveLength(2)
    const leased = scene({ rows: [row({ lease: 100 })], instead: always(718) })
    expect(await leased.map()).toMatchObject({ ok: true, notes: [{ kind: 'lease-not-renewed', leaseSeconds: 100 }] })
    const any = scene({ rows: [row()], instead: always(718) })
    expect(await any.map({}, true)).toMatchObject({ ok: true, wasThere: true })
    expect(added(any.asked)).toEqual(['AddAnyPortMapping 8123', 'AddPortMapping 8123'])
  })

  it('does not take a port that is open to everybody for one of a remote host', async () => {
    const remoteHost = '203.0.113.99'
    const open = scene({ rows: [row()], instead: always(718) })
    expect(await open.map({ remoteHost })).toMatchObject({
      ok: false,
      cause: { kind: 'port-differs', mapping: { remoteHost: '' } },
    })
    const limited = scene({ rows: [row({ remoteHost })], instead: always(718) })
    expect(await limited.map({ remoteHost })).toMatchObject({ ok: true, wasThere: true })
    const unlisted = scene({
      rows: [row({ remoteHost })],
      instead: ({ action }) => (action.startsWith('GetGeneric') ? 401 : always(718)({ action })),
    })
    expect(await unlisted.map({ remoteHost })).toMatchObject({ ok: false, cause: { kind: 'port-differs' } })
  })

  it('does not explain what was said to another question', async () => {
    const { map } = scene({ instead: ({ action }) => (action === 'GetSpecificPortMappingEntry' ? 402 : undefined) })
    expect(await map()).toMatchObject({ ok: false, error: { number: 402, isUnconfirmed: true }, cause: undefined })
  })
})

describe('a look', () => {
  it('reads so many rows of the table, once in a command', async () => {
    const rows = Array.from({ length: MAX_ROWS + 50 }, (_, at) => row({ port: 10_000 + at, inside: 10_000 + at }))
    const { map, asked } = scene({ rows, instead: always(718) })
    for (const externalPort of [1, 2, 3])
      expect(await map({ externalPort })).toMatchObject({ ok: false, cause: undefined })
    const read = asked.filter((each) => each === 'GetGenericPortMappingEntry')
    expect(read.length).toBeLessThan(MAX_ROWS + 20)
    expect(asked.filter((each) => each === 'GetSpecificPortMappingEntry')).toHaveLength(3)
  })

  it.each(['GetSpecificPortMappingEntry', 'GetGenericPortMappingEntry'])(
    'takes so long and no longer: %s',
    async (slow) => {
      const { map, clock } = scene({
        instead: ({ action }) => (action === slow ? 'silence' : always(718)({ action })),
      })
      const mapped = map()
      let failed: unknown
      mapped.then((outcome) => {
        failed = outcome
      })
      await clock.advance(LOOK_MS)
      expect(failed).toMatchObject({ ok: false, error: { number: 718 }, cause: undefined })
      expect(await map({ externalPort: 1 })).toMatchObject({ ok: false, cause: undefined })
      expect(clock.pending).toBe(0)
    },
  )

  it('ends with the command, and the refusal is told', async () => {
    const { map, controller, clock } = scene({ instead: ({ action }) => (action.startsWith('Add') ? 718 : 'silence') })
    const mapped = map()
    await clock.advance(100)
    controller.abort(new NoReplyError('gave up after 1 s'))
    expect(await mapped).toMatchObject({ ok: false, error: { number: 718 }, cause: undefined })
    expect(clock.pending).toBe(0)
  })
})

describe('-n', () => {
  it('stops after one more port if the same computer and port are open elsewhere', async () => {
    const { map, asked } = scene({ rows: [row({ port: 54_000 })], instead: always(718) })
    expect(await map({}, true)).toMatchObject({
      ok: false,
      cause: { kind: 'open-elsewhere', mapping: { externalPort: 54_000 } },
    })
    expect(added(asked)).toHaveLength(3)
  })

  it('goes on to a free port if only that one is taken', async () => {
    const { map, asked } = scene({ rows: [row({ client: OTHER })] })
    expect(await map({}, true)).toMatchObject({ ok: true, wasThere: false })
    expect(added(asked)).toHaveLength(3)
  })

  it('names who has the only port that will do', async () => {
    const { map } = scene({
      rows: [row({ port: 80, client: OTHER })],
      instead: (request) =>
        argument(request, 'NewExternalPort') === '8123' && request.action === 'AddPortMapping' ? 724 : undefined,
    })
    const cause = { kind: 'port-taken', mapping: { externalPort: 80, internalClient: OTHER } }
    expect(await map({}, true)).toMatchObject({ ok: false, error: { number: 724 }, cause })
  })
})

describe('a description', () => {
  const picky =
    (code: number, plain = /^[\w .-]{1,32}$/): NonNullable<Situation['instead']> =>
    (request) =>
      request.action === 'AddPortMapping' && !plain.test(argument(request, 'NewPortMappingDescription'))
        ? code
        : undefined

  it.each([402, 501, 600, 605, 606, 820, 899])(
    'that the router refuses with %i becomes a plain one, and that is told',
    async (code) => {
      const { map, rows } = scene({ instead: picky(code) })
      const notes = [{ kind: 'description-changed', description: 'Lets Encrypt' }]
      expect(await map({ description: "Let's Encrypt" })).toMatchObject({ ok: true, notes })
      expect(rows.map(({ description }) => description)).toEqual(['Lets Encrypt'])
    },
  )

  it.each([
    ['Für Büro <1>', 'Fur Buro 1'],
    ['', 'upnp-ts'],
    ['домашний', 'upnp-ts'],
    ['x'.repeat(300), 'x'.repeat(32)],
  ])('%j becomes %j', async (description, plain) => {
    const { map } = scene({ instead: picky(501) })
    expect(await map({ description })).toMatchObject({ ok: true, asked: { description: plain } })
  })

  it('is plain from then on, and that is told once', async () => {
    const { map, asked } = scene({ instead: picky(402) })
    await map({ description: 'a & b', lease: { seconds: 60 } })
    asked.length = 0
    expect(await map({ description: 'a & b', externalPort: 1 })).toMatchObject({ ok: true, notes: [] })
    expect(added(asked)).toEqual(['AddPortMapping 1'])
  })

  it('that is plain is not asked for again', async () => {
    const { map, asked } = scene({ instead: always(501) })
    expect(await map()).toMatchObject({ ok: false, error: { number: 501 }, cause: undefined })
    expect(asked).toEqual(['AddPortMapping 8123'])
  })

  it.each([718, 725, 728, 729])('is not the matter of %i', async (code) => {
    const { map, asked } = scene({ instead: picky(code) })
    expect(await map({ description: "Let's Encrypt" })).toMatchObject({ ok: false, error: { number: code } })
    expect(added(asked)).toHaveLength(1)
  })

  it('is not the matter if a plain one is refused too: the first refusal is told', async () => {
    const instead: Situation['instead'] = (request) =>
      request.action !== 'AddPortMapping'
        ? undefined
        : argument(request, 'NewPortMappingDescription') === 'a  b'
          ? 501
          : 820
    const { map } = scene({ instead })
    expect(await map({ description: 'a & b' })).toMatchObject({ ok: false, error: { number: 820 } })
  })

  it('that was perhaps taken is told as that', async () => {
    const { map, clock } = scene({
      instead: (request) =>
        request.action !== 'AddPortMapping'
          ? undefined
          : argument(request, 'NewPortMappingDescription') === 'a & b'
            ? 820
            : 'silence',
    })
    const mapped = map({ description: 'a & b' })
    await clock.advance(30_000)
    expect(await mapped).toMatchObject({ ok: false, error: { code: 'NO_REPLY' } })
  })

  it('that is refused does not hide who has the port', async () => {
    const { map, asked } = scene({ rows: [row({ client: OTHER })], instead: picky(402) })
    expect(await map({ description: 'a & b', lease: { seconds: 60 } })).toMatchObject({ cause: { kind: 'port-taken' } })
    expect(added(asked)).toHaveLength(2)
  })
})

describe('the internal client', () => {
  it.each([402, 501, 600, 606, 718, 729, 820])('is named if it is an address of the router: %i', async (code) => {
    for (const address of [EXTERNAL, '192.168.1.1']) {
      const { map, asked } = scene({ instead: always(code) })
      const cause = { kind: 'client-is-router', address }
      expect(await map({ internalClient: address, lease: { seconds: 60 } })).toMatchObject({ ok: false, cause })
      expect(asked.filter((each) => each.startsWith('Get'))).toEqual([])
    }
  })

  it('is named if it is on the internet, also if the router agrees', async () => {
    const client = { internalClient: '55.66.77.88' }
    const doubt = { kind: 'client-is-public', address: '55.66.77.88' }
    expect(await scene({ instead: always(402) }).map(client)).toMatchObject({ ok: false, cause: doubt })
    const lenient = scene()
    expect(await lenient.map(client)).toMatchObject({ ok: true, notes: [doubt] })
    expect(await lenient.map({ ...client, externalPort: 1 })).toMatchObject({ ok: true, notes: [] })
  })

  it('may be public if that is what the network at home is, or this computer', async () => {
    const eth = { ...ETH, address: '55.66.77.1' }
    const near = scene({ interfaces: [ETH, eth] })
    expect(await near.map({ internalClient: '55.66.77.88' })).toMatchObject({ ok: true, notes: [] })
    const own = scene({ interfaces: [ETH, eth], externalAddress: '55.66.77.1' })
    expect(await own.map({ internalClient: '55.66.77.1' })).toMatchObject({ ok: true, notes: [] })
  })
})

describe('a router that is on none of the networks of this computer', () => {
  const FAR: InterfaceAddress = { ...ETH, netmask: '255.255.255.252' }
  const doubt = { kind: 'another-nat', gatewayAddress: '192.168.1.1', localAddress: US }
  const behind = { interfaces: [FAR], defaultGateways: ['192.168.1.9'] }

  it('is doubted if it agrees, once', async () => {
    const { map } = scene(behind)
    expect(await map()).toMatchObject({ ok: true, notes: [doubt] })
    expect(await map({ externalPort: 1 })).toMatchObject({ ok: true, notes: [] })
  })

  it.each([402, 501, 606, 718, 820])(
    'is what a refusal is explained with, if nobody has the port: %i',
    async (code) => {
      expect(await scene({ ...behind, instead: always(code) }).map()).toMatchObject({ ok: false, cause: doubt })
      const taken = scene({ ...behind, rows: [row({ client: OTHER })], instead: always(718) })
      expect(await taken.map()).toMatchObject({ cause: { kind: 'port-taken' } })
    },
  )

  it('is not doubted for another computer, or where it is the next hop or the network is not known', async () => {
    const notes: readonly unknown[] = []
    expect(await scene(behind).map({ internalClient: OTHER })).toMatchObject({ ok: true, notes })
    expect(await scene({ ...behind, defaultGateways: ['192.168.1.1'] }).map()).toMatchObject({ ok: true, notes })
    const vpn = { ...FAR, netmask: '255.255.255.255' }
    expect(await scene({ ...behind, interfaces: [vpn] }).map()).toMatchObject({ ok: true, notes })
    expect(await scene({ ...behind, interfaces: [] }).map()).toMatchObject({ ok: true, notes })
  })

  it.each([
    ['nat-pmp', [doubt]],
    ['pcp', []],
  ] as const)('is doubted with %s only if that does not find out itself', async (protocol, notes) => {
    const { gateway, net } = scene(behind)
    const answering = {
      protocol,
      localAddress: US,
      address: gateway.address,
      map: async (each: MappingRequest) => granted(each),
    }
    const mapper = new Mapper(answering as unknown as Gateway, net)
    expect(await mapper.map({ request: REQUEST, externalAddress: '' }, false)).toMatchObject({ ok: true, notes })
  })
})
