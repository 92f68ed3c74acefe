import { describe, expect, it } from 'vitest'
import { IgdServiceGateway } from '../../../src/client/igd/gateway.ts'
import { MAX_SAME_WITHOUT_CLIENT } from '../../../src/client/igd/listing.ts'
import { MAX_SIDE_BY_SIDE } from '../../../src/client/igd/request-window.ts'
import type { ControlledService } from '../../../src/client/igd/services.ts'
import { SoapCaller } from '../../../src/client/igd/soap-caller.ts'
import {
  InvalidArgumentError,
  MalformedMessageError,
  NoReplyError,
  NotConfirmedError,
  RefusedError,
  TransportError,
} from '../../../src/domain/errors.ts'
import type { ListingEnd } from '../../../src/domain/gateway.ts'
import { otherPorts } from '../../../src/domain/other-ports.ts'
import { MAX_LISTED_PORT_MAPPINGS, type MappingRequest, type PortMapping } from '../../../src/domain/port-mapping.ts'
import type { HttpRequest } from '../../../src/net/http/client.ts'
import { encodePortListing } from '../../../src/wire/port-listing.ts'
import { encodeEntities } from '../../../src/wire/xml.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { COMMON1, FIREWALL1, tag, WANIP1 } from '../../support/scripted-devices.ts'
import { soapFault, soapResponse } from '../../support/scripted-gateway.ts'
import { type ScriptedAnswer, ScriptedHttp } from '../../support/scripted-http.ts'

const CONNECTION: ControlledService = {
  service: 'WANConnection',
  serviceType: WANIP1,
  controlUrls: [new URL('http://192.168.1.1:5000/ctl')],
}
const COMMON: ControlledService = {
  service: 'WANCommonInterfaceConfig',
  serviceType: COMMON1,
  controlUrls: [new URL('http://192.168.1.1:5000/common')],
}

const FIREWALL: ControlledService = {
  service: 'WANIPv6FirewallControl',
  serviceType: FIREWALL1,
  controlUrls: [new URL('http://192.168.1.1:5000/firewall')],
}

const REQUEST: MappingRequest = {
  remoteHost: '',
  externalPort: 2222,
  protocol: 'TCP',
  internalClient: '192.168.1.10',
  internalPort: 22,
  description: 'ssh & co',
  lease: { seconds: 3600 },
}

const argument = (request: HttpRequest, name: string): string =>
  new RegExp(`<${name}>(.*)</${name}>`).exec(request.body ?? '')?.[1] ?? ''

const refusal = (code: number): ScriptedAnswer => ({ status: 500, body: soapFault(code) })
const done = (request: HttpRequest, content = ''): ScriptedAnswer => ({ body: soapResponse(request.action, content) })

const target = (client = '192.168.1.10', lease: string | number = 0): string =>
  tag('NewInternalPort', 22) +
  tag('NewInternalClient', client) +
  tag('NewEnabled', 1) +
  tag('NewPortMappingDescription', 'ssh &amp; co') +
  tag('NewLeaseDuration', lease)

const entry = (port: number, client = '192.168.1.10'): string =>
  tag('NewRemoteHost', '') + tag('NewExternalPort', port) + tag('NewProtocol', 'TCP') + target(client)

type Answering = (request: HttpRequest) => ScriptedAnswer

function gatewayThat(answer: Answering, commonInterfaceConfig: ControlledService | undefined = COMMON) {
  const clock = new FakeClock()
  const http = new ScriptedHttp(clock, answer)
  const connections = [CONNECTION]
  const services = { connections, commonInterfaceConfig, firewallControl: FIREWALL, presentationUrl: '/' }
  const gateway = new IgdServiceGateway(new SoapCaller(http, undefined), services, CONNECTION, '192.168.1.10')
  return { clock, http, gateway }
}

/** Answers AddPortMapping with what `add` says to each lease, and reads back what was asked for. */
function adding(add: (leaseSeconds: string, attempt: number) => ScriptedAnswer | 'ok') {
  const leases: string[] = []
  const scripted = gatewayThat((request) => {
    if (request.action !== 'AddPortMapping') return done(request, target('192.168.1.10', leases.at(-1)))
    const lease = argument(request, 'NewLeaseDuration')
    leases.push(lease)
    const answer = add(lease, leases.length)
    return answer === 'ok' ? done(request) : answer
  })
  return { ...scripted, leases }
}

const failureOf = (asked: Promise<unknown>): Promise<unknown> =>
  asked.then(
    (value: unknown) => ({ succeeded: value }),
    (error: unknown) => error,
  )

async function listed(gateway: IgdServiceGateway): Promise<{ ports: unknown[]; end: ListingEnd }> {
  const ports: unknown[] = []
  const entries = gateway.portMappings()
  for (;;) {
    const next = await entries.next()
    if (next.done === true) return { ports, end: next.value }
    ports.push(next.value.externalPort)
  }
}

describe('map', () => {
  it('adds the mapping with the arguments of the standard, reads it back and returns what the router says', async () => {
    const { gateway, http } = gatewayThat((request) =>
      request.action === 'AddPortMapping' ? done(request) : done(request, target('192.168.1.10', 3599)),
    )
    const expected: PortMapping = {
      remoteHost: '',
      externalPort: 2222,
      protocol: 'TCP',
      internalPort: 22,
      internalClient: '192.168.1.10',
      enabled: true,
      description: 'ssh & co',
      leaseSeconds: 3599,
    }
    expect(await gateway.map(REQUEST)).toEqual(expected)
    const [added, read] = http.seen.map(({ request }) => request.body?.replace(/^.*?<s:Body>|<\/s:Body>.*$/gs, ''))
    expect(added).toBe(
      `<u:AddPortMapping xmlns:u="${WANIP1}"><NewRemoteHost></NewRemoteHost><NewExternalPort>2222</NewExternalPort>` +
        '<NewProtocol>TCP</NewProtocol><NewInternalPort>22</NewInternalPort>' +
        '<NewInternalClient>192.168.1.10</NewInternalClient><NewEnabled>1</NewEnabled>' +
        '<NewPortMappingDescription>ssh &amp; co</NewPortMappingDescription>' +
        '<NewLeaseDuration>3600</NewLeaseDuration></u:AddPortMapping>',
    )
    expect(read).toBe(
      `<u:GetSpecificPortMappingEntry xmlns:u="${WANIP1}"><NewRemoteHost></NewRemoteHost>` +
        '<NewExternalPort>2222</NewExternalPort><NewProtocol>TCP</NewProtocol></u:GetSpecificPortMappingEntry>',
    )
  })

  it.each([
    [725, { seconds: 3600 }, ['3600', '0']],
    [402, { seconds: 3600 }, ['3600', '0']],
    [402, 'unlimited', ['0', '3600']],
  ] as const)('after %i to the lease %j asks with the other kind of lease', async (code, lease, expected) => {
    const { gateway, leases } = adding((_, attempt) => (attempt === 1 ? refusal(code) : 'ok'))
    const mapping = await gateway.map({ ...REQUEST, lease })
    expect(leases).toEqual(expected)
    expect(mapping.leaseSeconds).toBe(Number(expected[1]))
  })

  it('asks for an unlimited lease as 0', async () => {
    const { gateway, leases } = adding(() => 'ok')
    await gateway.map({ ...REQUEST, lease: 'unlimited' })
    expect(leases).toEqual(['0'])
  })

  it.each([
    [402, { seconds: 60 }, 718],
    [725, { seconds: 60 }, 402],
    [402, 'unlimited', 725],
    [402, 'unlimited', 402],
  ] as const)('after %i to the lease %j and then %i gives up with the second refusal', async (first, lease, second) => {
    const { gateway, leases, http } = adding((_, attempt) => refusal(attempt === 1 ? first : second))
    expect(await failureOf(gateway.map({ ...REQUEST, lease }))).toMatchObject({ number: second })
    expect(leases).toHaveLength(2)
    expect(http.seen).toHaveLength(2)
  })

  it.each([
    [725, 'unlimited'],
    [718, { seconds: 60 }],
    [501, { seconds: 60 }],
    [606, { seconds: 60 }],
    [718, 'unlimited'],
    [726, 'unlimited'],
    [-1, 'unlimited'],
  ] as const)('does not ask again after %i to the lease %j', async (code, lease) => {
    const { gateway, leases } = adding(() => refusal(code))
    const error = await failureOf(gateway.map({ ...REQUEST, lease }))
    expect(error).toBeInstanceOf(RefusedError)
    expect(error).toMatchObject({ number: code, action: 'AddPortMapping' })
    expect(leases).toHaveLength(1)
  })

  it.each([
    ['TransportError', new TransportError('402'), TransportError],
    ['NoReplyError', 'silence', NoReplyError],
    ['HTTP 404', { status: 404, body: '<html>402</html>' }, TransportError],
  ] as const)('does not ask again after a %s', async (_, answer, kind) => {
    const { gateway, leases, clock } = adding(() => answer)
    const failure = failureOf(gateway.map(REQUEST))
    await clock.advance(20_000)
    expect(await failure).toBeInstanceOf(kind)
    expect(leases).toHaveLength(1)
    expect(clock.pending).toBe(0)
  })

  it.each([
    ['HTTP 503', { status: 503, body: '' }],
    ['a page', { body: '<html>busy</html>' }],
  ])('asks once more after %s, and then tries another lease as ever', async (_, answer) => {
    const { gateway, leases } = adding((_lease, attempt) => [answer, refusal(725)][attempt - 1] ?? 'ok')
    expect(await gateway.map(REQUEST)).toMatchObject({ leaseSeconds: 0 })
    expect(leases).toEqual(['3600', '3600', '0'])
  })

  it.each([
    ['is there', '192.168.1.10', { externalPort: 2222 }],
    ['is of another computer', '192.168.1.11', { code: 'NOT_CONFIRMED', belongsToAnother: true }],
  ])('shows after an empty success and 718 whether the mapping %s', async (_, client, outcome) => {
    const { gateway } = gatewayThat((request) => {
      if (request.action !== 'AddPortMapping') return done(request, target(client, 3600))
      return adds++ === 0 ? { body: '' } : refusal(718)
    })
    let adds = 0
    expect(await gateway.map(REQUEST).catch((error: unknown) => error)).toMatchObject(outcome)
  })

  it('fails where nothing is there when it is read back', async () => {
    const { gateway } = gatewayThat((request) => (request.action === 'AddPortMapping' ? done(request) : refusal(714)))
    expect(await failureOf(gateway.map(REQUEST))).toMatchObject({
      code: 'REFUSED',
      number: 714,
      action: 'GetSpecificPortMappingEntry',
    })
  })

  it('fails where the port leads to another computer, and tells to which', async () => {
    const { gateway } = gatewayThat((request) => done(request, target('192.168.1.77', 9)))
    const error = await failureOf(gateway.map(REQUEST))
    expect(error).toBeInstanceOf(NotConfirmedError)
    expect(error).toMatchObject({
      message: 'external port 2222 TCP: the gateway sends it to 192.168.1.77 and not to 192.168.1.10',
      mapping: { internalClient: '192.168.1.77', externalPort: 2222, leaseSeconds: 9 },
    })
  })

  it('takes the name of a computer in place of its address, which some routers show', async () => {
    const { gateway } = gatewayThat((request) => done(request, target('my-laptop')))
    expect(await gateway.map(REQUEST)).toMatchObject({ internalClient: 'my-laptop' })
  })

  it.each(['', tag('NewInternalPort', 22), target('')])('fails where the read-back is only %j', async (content) => {
    const { gateway } = gatewayThat((request) => done(request, content))
    expect(await failureOf(gateway.map(REQUEST))).toBeInstanceOf(MalformedMessageError)
  })

  it('shows numbers that the router does not send as not known', async () => {
    const content = tag('NewInternalClient', ' 192.168.1.10 ') + tag('NewLeaseDuration', 'none')
    const { gateway } = gatewayThat((request) => done(request, content))
    expect(await gateway.map(REQUEST)).toMatchObject({
      internalClient: '192.168.1.10',
      internalPort: undefined,
      leaseSeconds: undefined,
      enabled: true,
      description: '',
    })
  })

  it.each([
    ['external port 0, which is every port', { externalPort: 0 }],
    ['a port that is too large', { externalPort: 65_536 }],
    ['a port that is not whole', { externalPort: 22.5 }],
    ['internal port 0', { internalPort: 0 }],
    ['a NUL in the description', { description: 'a\0b' }],
    ['an escape sequence in the description', { description: '\x1b[31mred' }],
    ['a description without end', { description: 'x'.repeat(2000) }],
    ['an internal client that is a name', { internalClient: 'my-laptop' }],
    ['an internal client that is a group', { internalClient: '239.1.2.3' }],
    ['a remote host that is none', { remoteHost: '1.2.3' }],
    ['a lease of 0 s', { lease: { seconds: 0 } }],
    ['a lease that is not whole', { lease: { seconds: 0.5 } }],
    ['a lease beyond 32 bits', { lease: { seconds: 2 ** 32 } }],
  ])('refuses %s before anything is sent', async (_, flaw) => {
    const { gateway, http } = gatewayThat(() => new Error('must not be asked'))
    expect(await failureOf(gateway.map({ ...REQUEST, ...flaw }))).toBeInstanceOf(InvalidArgumentError)
    expect(http.seen).toEqual([])
  })
})

describe('mapAny', () => {
  const OTHERS = otherPorts(REQUEST)

  /**
   * A gateway that answers AddAnyPortMapping with `any`, and AddPortMapping for each port with what `add` says; what
   * it was asked to add, and what the caller was told.
   */
  function anyPort(any: ScriptedAnswer | ((request: HttpRequest) => ScriptedAnswer), add = (_port: number) => 0) {
    const asked: string[] = []
    const told: unknown[] = []
    const scripted = gatewayThat((request) => {
      if (request.action === 'GetSpecificPortMappingEntry') return done(request, target())
      asked.push(`${request.action} ${argument(request, 'NewExternalPort')}`)
      if (request.action === 'AddAnyPortMapping') return typeof any === 'function' ? any(request) : any
      const code = add(Number(argument(request, 'NewExternalPort')))
      return code === 0 ? done(request) : refusal(code)
    })
    const mapped = (request = REQUEST) => scripted.gateway.mapAny(request, { onFallback: (error) => told.push(error) })
    return { ...scripted, asked, told, mapped }
  }

  const reserved = (port: string | number) => (request: HttpRequest) => done(request, tag('NewReservedPort', port))

  it('asks once with the arguments of the standard, and reads back the port that the router chose', async () => {
    const { mapped, http, told } = anyPort(reserved(40_000))
    expect(await mapped()).toMatchObject({ externalPort: 40_000, protocol: 'TCP', internalClient: '192.168.1.10' })
    const [added, read] = http.seen.map(({ request }) => request.body?.replace(/^.*?<s:Body>|<\/s:Body>.*$/gs, ''))
    expect(added).toBe(
      `<u:AddAnyPortMapping xmlns:u="${WANIP1}"><NewRemoteHost></NewRemoteHost>` +
        '<NewExternalPort>2222</NewExternalPort><NewProtocol>TCP</NewProtocol><NewInternalPort>22</NewInternalPort>' +
        '<NewInternalClient>192.168.1.10</NewInternalClient><NewEnabled>1</NewEnabled>' +
        '<NewPortMappingDescription>ssh &amp; co</NewPortMappingDescription>' +
        '<NewLeaseDuration>3600</NewLeaseDuration></u:AddAnyPortMapping>',
    )
    expect(read).toContain('<NewExternalPort>40000</NewExternalPort>')
    expect(http.seen).toHaveLength(2)
    expect(told).toEqual([])
  })

  it('asks with the other kind of lease where that one is refused', async () => {
    const { mapped, http } = anyPort((request) =>
      argument(request, 'NewLeaseDuration') === '0' ? reserved(2222)(request) : refusal(725),
    )
    expect(await mapped()).toMatchObject({ externalPort: 2222 })
    expect(http.seen.map(({ request }) => argument(request, 'NewLeaseDuration'))).toEqual(['3600', '0', ''])
  })

  it.each(['', 'x', '0', '65536', '-1'])('does not take %j for a port', async (port) => {
    const { mapped, asked } = anyPort(reserved(port))
    expect(await failureOf(mapped())).toBeInstanceOf(MalformedMessageError)
    expect(asked).toEqual(['AddAnyPortMapping 2222'])
  })

  it.each([
    ['401 Invalid Action, which IGD:1 says', refusal(401), { number: 401 }],
    ['501 Action Failed', refusal(501), { number: 501 }],
    ['602, not implemented', refusal(602), { number: 602 }],
    ['a page that is not there', { status: 404, body: 'no' }, { code: 'TRANSPORT' }],
    ['an error without a number', { status: 500, body: '' }, { code: 'TRANSPORT' }],
    [
      'a reset connection',
      new TransportError('AddAnyPortMapping: connection reset', { action: 'AddAnyPortMapping' }),
      { message: 'AddAnyPortMapping: connection reset' },
    ],
  ] as const)('asks for the port itself after %s, and says why', async (_, answer, why) => {
    const { mapped, asked, told } = anyPort(answer)
    expect(await mapped()).toMatchObject({ externalPort: 2222 })
    expect(asked).toEqual(['AddAnyPortMapping 2222', 'AddPortMapping 2222'])
    expect(told).toEqual([expect.objectContaining({ action: 'AddAnyPortMapping', ...why })])
  })

  it('needs nobody to be told', async () => {
    const { gateway, asked } = anyPort(refusal(401))
    expect(await gateway.mapAny(REQUEST)).toMatchObject({ externalPort: 2222 })
    expect(asked).toHaveLength(2)
  })

  it.each([402, 606, 715, 718, 726, 728, 729, -1])('fails with %i where that is the answer', async (code) => {
    const { mapped, asked, told } = anyPort(refusal(code))
    expect(await failureOf(mapped({ ...REQUEST, lease: 'unlimited' }))).toMatchObject({
      number: code,
      action: 'AddAnyPortMapping',
    })
    expect(asked.filter((each) => !each.startsWith('AddAny'))).toEqual([])
    expect(told).toEqual([])
  })

  it('does not ask again where there is no answer: the router may have done it', async () => {
    const { mapped, asked, told, clock } = anyPort('silence')
    const failure = failureOf(mapped())
    await clock.advance(20_000)
    expect(await failure).toBeInstanceOf(NoReplyError)
    expect([asked, told]).toEqual([['AddAnyPortMapping 2222'], []])
  })

  it('does not take a failed read-back for a router without the action', async () => {
    const { gateway, http } = gatewayThat((request) =>
      request.action === 'AddAnyPortMapping' ? reserved(2222)(request) : refusal(606),
    )
    expect(await failureOf(gateway.mapAny(REQUEST))).toMatchObject({ action: 'GetSpecificPortMappingEntry' })
    expect(http.seen).toHaveLength(2)
  })

  it.each([718, 729])('tries the other ports in their order while %i says that one is taken', async (code) => {
    const { mapped, asked, told } = anyPort(refusal(401), (port) => (port === OTHERS[2] ? 0 : code))
    expect(await mapped()).toMatchObject({ externalPort: OTHERS[2] })
    expect(asked).toEqual([
      'AddAnyPortMapping 2222',
      ...[2222, ...OTHERS.slice(0, 3)].map((port) => `AddPortMapping ${port}`),
    ])
    expect(told).toHaveLength(1)
  })

  it('tries another port where the one that was asked for leads to another computer', async () => {
    const { gateway, http } = gatewayThat((request) => {
      if (request.action === 'AddAnyPortMapping') return refusal(401)
      if (request.action === 'AddPortMapping') return done(request)
      return done(request, target(argument(request, 'NewExternalPort') === '2222' ? '192.168.1.77' : '192.168.1.10'))
    })
    expect(await gateway.mapAny(REQUEST)).toMatchObject({ externalPort: OTHERS[0] })
    expect(http.seen).toHaveLength(5)
  })

  it.each([
    ['AddAnyPortMapping', refusal(724)],
    ['AddPortMapping', refusal(401)],
  ])('asks for the same port outside and inside if %s says that they have to be the same', async (_, any) => {
    const { mapped, asked } = anyPort(any, (port) => (port === 22 ? 0 : 724))
    expect(await mapped()).toMatchObject({ externalPort: 22, internalPort: 22 })
    expect(asked.at(-1)).toBe('AddPortMapping 22')
  })

  it.each([
    [718, 724],
    [501, 501],
    [724, 724],
  ])('fails with what says more if that port is refused with %i', async (code, told) => {
    const { mapped, asked } = anyPort(refusal(724), () => code)
    expect(await failureOf(mapped())).toMatchObject({ number: told })
    expect(asked).toEqual(['AddAnyPortMapping 2222', 'AddPortMapping 22'])
    const same = anyPort(refusal(724))
    expect(await failureOf(same.mapped({ ...REQUEST, externalPort: 22 }))).toMatchObject({ number: 724 })
    expect(same.asked).toEqual(['AddAnyPortMapping 22'])
  })

  it('tries no other port once it is told that none will help', async () => {
    const { gateway, asked } = anyPort(refusal(401), () => 718)
    const refused: unknown[] = []
    const mayHelp = async (error: unknown) => refused.push(error) < 2
    expect(await failureOf(gateway.mapAny(REQUEST, { mayHelp }))).toBe(refused[0])
    expect(asked.slice(1)).toEqual([2222, OTHERS[0]].map((port) => `AddPortMapping ${port}`))
  })

  it.each([501, 606, 728])('stops at %i, which another port would not change', async (code) => {
    const { mapped, asked } = anyPort(refusal(401), (port) => (port === 2222 ? 718 : code))
    expect(await failureOf(mapped())).toMatchObject({ number: code, action: 'AddPortMapping' })
    expect(asked).toHaveLength(3)
  })

  it('gives up after all of them, with what was said about the port that was asked for', async () => {
    const { mapped, asked } = anyPort(refusal(401), (port) => (port === 2222 ? 729 : 718))
    expect(await failureOf(mapped())).toMatchObject({ number: 729, action: 'AddPortMapping' })
    expect(asked).toEqual(['AddAnyPortMapping 2222', ...[2222, ...OTHERS].map((port) => `AddPortMapping ${port}`)])
  })

  it('refuses what no gateway could do before anything is sent', async () => {
    const { mapped, http } = anyPort(refusal(401))
    expect(await failureOf(mapped({ ...REQUEST, externalPort: 0 }))).toBeInstanceOf(InvalidArgumentError)
    expect(http.seen).toEqual([])
  })
})

describe('unmapRange', () => {
  const RANGE = { startPort: 1, endPort: 100, protocol: 'UDP', manage: false } as const

  it.each([
    [false, '0'],
    [true, '1'],
  ])('asks with the arguments of the standard, manage: %s', async (manage, value) => {
    const { gateway, http } = gatewayThat((request) => done(request))
    await gateway.unmapRange({ ...RANGE, manage })
    expect(http.seen.map(({ request }) => request.body)).toEqual([
      expect.stringContaining(
        `<u:DeletePortMappingRange xmlns:u="${WANIP1}"><NewStartPort>1</NewStartPort><NewEndPort>100</NewEndPort>` +
          `<NewProtocol>UDP</NewProtocol><NewManage>${value}</NewManage></u:DeletePortMappingRange>`,
      ),
    ])
  })

  it('is refused without another try', async () => {
    const { gateway, http } = gatewayThat(() => refusal(730))
    expect(await failureOf(gateway.unmapRange(RANGE))).toMatchObject({ number: 730, action: 'DeletePortMappingRange' })
    expect(http.seen).toHaveLength(1)
  })

  it.each([
    [0, 100],
    [1, 65_536],
    [100, 99],
    [1.5, 2],
    [Number.NaN, 5],
  ])('refuses %d to %d before anything is sent', async (startPort, endPort) => {
    const { gateway, http } = gatewayThat(() => new Error('must not be asked'))
    expect(await failureOf(gateway.unmapRange({ ...RANGE, startPort, endPort }))).toBeInstanceOf(InvalidArgumentError)
    expect(http.seen).toEqual([])
  })
})

describe('portMappingsOf', () => {
  const entryNamed = (port: number, description: string) => ({
    NewRemoteHost: '',
    NewExternalPort: String(port),
    NewProtocol: 'TCP',
    NewInternalPort: ' 80 ',
    NewInternalClient: ' 192.168.1.5 ',
    NewEnabled: '1',
    NewDescription: description,
    NewLeaseTime: '60',
  })
  const LISTING = encodePortListing([entryNamed(8080, 'web & <co>'), entryNamed(22, '')])
  const answering = (listing: string) =>
    gatewayThat((request) => done(request, `<NewPortListing>${listing}</NewPortListing>`))

  it('asks for all ports of a protocol, 1000 entries at the most', async () => {
    const { gateway, http } = answering('')
    await gateway.portMappingsOf('UDP')
    expect(MAX_LISTED_PORT_MAPPINGS).toBe(1000)
    expect(http.seen.map(({ request }) => request.body)).toEqual([
      expect.stringContaining(
        `<u:GetListOfPortMappings xmlns:u="${WANIP1}"><NewStartPort>1</NewStartPort><NewEndPort>65535</NewEndPort>` +
          '<NewProtocol>UDP</NewProtocol><NewManage>1</NewManage><NewNumberOfPorts>1000</NewNumberOfPorts>' +
          '</u:GetListOfPortMappings>',
      ),
    ])
  })

  it.each([
    ['as CDATA', `<![CDATA[${LISTING}]]>`],
    ['as CDATA on a line of its own', `\n<![CDATA[${LISTING}]]>\n`],
    ['as escaped text', encodeEntities(LISTING)],
    ['as XML within the XML', LISTING],
    ['as XML without a prefix', `\n  ${LISTING.replaceAll('p:', '')}\n`],
  ])('reads the listing %s, in the order of the router', async (_, listing) => {
    const { gateway } = answering(listing)
    const common = { remoteHost: '', protocol: 'TCP', internalPort: 80, internalClient: '192.168.1.5', enabled: true }
    expect(await gateway.portMappingsOf('TCP')).toEqual([
      { ...common, externalPort: 8080, description: 'web & <co>', leaseSeconds: 60 },
      { ...common, externalPort: 22, description: '', leaseSeconds: 60 },
    ])
  })

  it('shows what an entry does not say as not known', async () => {
    const { gateway } = answering('<PortMappingList><PortMappingEntry/></PortMappingList>')
    expect(await gateway.portMappingsOf('TCP')).toEqual([
      {
        remoteHost: '',
        externalPort: undefined,
        protocol: '',
        internalPort: undefined,
        internalClient: '',
        enabled: true,
        description: '',
        leaseSeconds: undefined,
      },
    ])
  })

  it.each([
    '',
    '<![CDATA[]]>',
    `<![CDATA[${encodePortListing([])}]]>`,
    encodeEntities(encodePortListing([])),
    encodePortListing([]),
    '<![CDATA[<PortMappingList/>]]>',
    '<PortMappingList/>',
  ])('is empty where the listing is %j', async (listing) => {
    expect(await answering(listing).gateway.portMappingsOf('TCP')).toEqual([])
  })

  it.each([
    ['cut off', `<![CDATA[${LISTING.slice(0, -10)}]]>`],
    ['no XML', 'none'],
    ['with a DTD', `<![CDATA[<!DOCTYPE p>${LISTING}]]>`],
  ])('fails where the listing is %s', async (_, listing) => {
    expect(await failureOf(answering(listing).gateway.portMappingsOf('TCP'))).toBeInstanceOf(MalformedMessageError)
  })

  it('fails where there is no listing in the reply, and where it is refused', async () => {
    expect(await failureOf(gatewayThat((request) => done(request)).gateway.portMappingsOf('TCP'))).toMatchObject({
      expected: 'NewPortListing in the reply to GetListOfPortMappings',
    })
    expect(await failureOf(gatewayThat(() => refusal(730)).gateway.portMappingsOf('TCP'))).toMatchObject({
      number: 730,
      action: 'GetListOfPortMappings',
    })
  })
})

describe('unmap', () => {
  it('deletes by the key, remote host included', async () => {
    const { gateway, http } = gatewayThat((request) => done(request))
    await gateway.unmap({ externalPort: 2222, protocol: 'UDP', remoteHost: '11.22.33.44' })
    expect(http.seen[0]?.request.body).toContain(
      `<u:DeletePortMapping xmlns:u="${WANIP1}"><NewRemoteHost>11.22.33.44</NewRemoteHost>` +
        '<NewExternalPort>2222</NewExternalPort><NewProtocol>UDP</NewProtocol></u:DeletePortMapping>',
    )
  })

  it('refuses external port 0 before anything is sent, and is refused without another try', async () => {
    const { gateway, http } = gatewayThat(() => refusal(714))
    expect(await failureOf(gateway.unmap({ ...REQUEST, externalPort: 0 }))).toBeInstanceOf(InvalidArgumentError)
    expect(http.seen).toHaveLength(0)
    expect(await failureOf(gateway.unmap(REQUEST))).toMatchObject({ number: 714, action: 'DeletePortMapping' })
    expect(http.seen).toHaveLength(1)
  })
})

describe('portMappings', () => {
  /** The table, and what comes after its end. */
  const table = (length: number, end: ScriptedAnswer) => (request: HttpRequest) => {
    const index = Number(argument(request, 'NewPortMappingIndex'))
    return index < length ? done(request, entry(1000 + index)) : end
  }

  it.each([713, 714, 402, 501])('ends without an error at %i after an entry', async (code) => {
    const { gateway, http } = gatewayThat(table(2, refusal(code)))
    const { ports, end } = await listed(gateway)
    expect(ports).toEqual([1000, 1001])
    expect(end).toMatchObject({ number: code })
    const again = code === 501 ? ['2'] : [] // it may have been said under load
    expect(http.seen.map(({ request }) => argument(request, 'NewPortMappingIndex'))).toEqual(['0', '1', '2', ...again])
  })

  it('ends without an error at 713 in an empty table', async () => {
    const { gateway } = gatewayThat(table(0, refusal(713)))
    expect(await listed(gateway)).toEqual({
      ports: [],
      end: { number: 713, standardName: 'SpecifiedArrayIndexInvalid' },
    })
  })

  it.each([714, 402, 501, 401, 606])('fails at %i before the first entry', async (code) => {
    const { gateway } = gatewayThat(table(0, refusal(code)))
    expect(await failureOf(listed(gateway))).toMatchObject({ code: 'REFUSED', number: code })
  })

  /** As `table`, but with what it says at 0 before it. */
  const tableFromOne = (length: number, atZero: ScriptedAnswer, end: ScriptedAnswer) => (request: HttpRequest) => {
    const index = Number(argument(request, 'NewPortMappingIndex'))
    return index === 0 ? atZero : index <= length ? done(request, entry(1000 + index)) : end
  }

  it.each([713, 714, 402])('begins at 1 if the router says %i at 0 and has an entry there', async (code) => {
    for (const length of [1, 2, 40]) {
      const { gateway } = gatewayThat(tableFromOne(length, refusal(code), refusal(713)))
      const { ports, end } = await listed(gateway)
      expect(ports).toEqual(Array.from({ length }, (_, at) => 1001 + at))
      expect(end).toMatchObject({ number: 713 })
    }
  })

  it.each([
    ['an HTTP error', { status: 500, body: '' }],
    ['another refusal', refusal(606)],
    ['an entry that is none', { body: '<a/>' }],
  ] as const)('is empty if the router says 713 at 0 and %s at 1', async (_, atOne) => {
    const { gateway } = gatewayThat(tableFromOne(0, refusal(713), atOne))
    expect(await listed(gateway)).toMatchObject({ ports: [], end: { number: 713 } })
  })

  it.each([606, 401, 501])(
    'asks nothing at 1 if the router says %i at 0, which is not about the index',
    async (code) => {
      const { gateway, http } = gatewayThat(tableFromOne(2, refusal(code), refusal(713)))
      expect(await failureOf(listed(gateway))).toMatchObject({ number: code })
      expect(new Set(http.seen.map(({ request }) => argument(request, 'NewPortMappingIndex')))).toEqual(new Set(['0']))
    },
  )

  it('shows entries without protocol, ports or client, and those after them', async () => {
    const contents = [
      tag('NewInternalClient', '192.168.1.5') + tag('NewPortMappingDescription', 'a'),
      tag('NewPortMappingDescription', 'b'),
      ['NewRemoteHost', 'NewExternalPort', 'NewProtocol', 'NewInternalClient'].map((name) => tag(name, '')).join(''),
      ...Array.from({ length: 3 }, () => tag('NewExternalPort', 0) + tag('NewInternalClient', '')),
      entry(80),
    ]
    const { gateway } = gatewayThat((request) => {
      const content = contents[Number(argument(request, 'NewPortMappingIndex'))]
      return content === undefined ? refusal(713) : done(request, content)
    })
    const { ports, end } = await listed(gateway)
    expect(ports).toEqual([undefined, undefined, undefined, 0, 0, 0, 80])
    expect(end).toMatchObject({ number: 713 })
  })

  it('ends where the router repeats an entry without a client for ever', async () => {
    const { gateway } = gatewayThat((request) => done(request, tag('NewExternalPort', '')))
    const { ports, end } = await listed(gateway)
    expect([ports.length, end]).toEqual([1 + MAX_SAME_WITHOUT_CLIENT, 'repetition'])
  })

  it.each([
    ['another refusal', refusal(606), RefusedError],
    ['an HTTP error', { status: 500, body: '' }, TransportError],
    ['an entry that is none', { body: soapResponse('GetGenericPortMappingEntry', '') }, MalformedMessageError],
  ] as const)('fails at %s after entries, having given those', async (_, end, kind) => {
    const { gateway } = gatewayThat(table(1, end))
    const entries = gateway.portMappings()
    expect((await entries.next()).done).toBe(false)
    await expect(entries.next()).rejects.toBeInstanceOf(kind)
    expect(await entries.next()).toEqual({ done: true, value: undefined })
  })

  it('ends where the router repeats its last entry for ever', async () => {
    const { gateway, http } = gatewayThat((request) =>
      done(request, entry(Math.min(1002, 1000 + Number(argument(request, 'NewPortMappingIndex'))))),
    )
    expect(await listed(gateway)).toEqual({ ports: [1000, 1001, 1002], end: 'repetition' })
    expect(http.seen.length).toBeLessThanOrEqual(4 + MAX_SIDE_BY_SIDE)
  })

  it('does not take two mappings of one port to two computers for a repetition', async () => {
    const clients = ['192.168.1.10', '192.168.1.11']
    const { gateway } = gatewayThat((request) => {
      const client = clients[Number(argument(request, 'NewPortMappingIndex'))]
      return client === undefined ? refusal(713) : done(request, entry(1000, client))
    })
    expect((await listed(gateway)).ports).toEqual([1000, 1000])
  })

  it('asks for nothing more when its reader stops', async () => {
    const { gateway, http } = gatewayThat(table(100, refusal(713)))
    for await (const _ of gateway.portMappings()) break
    expect(http.seen).toHaveLength(1)
  })

  it('takes an entry with a port or a client alone, and shows what it does not say as not known', async () => {
    const contents = [tag('NewExternalPort', ' 80x'), tag('NewInternalClient', 'a') + tag('NewExternalPort', 'x')]
    const { gateway } = gatewayThat((request) => {
      const content = contents[Number(argument(request, 'NewPortMappingIndex'))]
      return content === undefined ? refusal(713) : done(request, content)
    })
    expect((await listed(gateway)).ports).toEqual([80, undefined])
  })
})

describe('what it tells', () => {
  it('has the four counters, each undefined where it could not be had', async () => {
    const answers: Record<string, ScriptedAnswer> = {
      GetTotalBytesSent: { body: soapResponse('GetTotalBytesSent', tag('NewTotalBytesSent', 4294967295)) },
      GetTotalBytesReceived: refusal(401),
      GetTotalPacketsSent: { status: 404, body: '' },
      GetTotalPacketsReceived: { body: soapResponse('GetTotalPacketsReceived', tag('NewTotalPacketsReceived', 'x')) },
    }
    const { gateway, http } = gatewayThat((request) => answers[request.action] ?? refusal(401))
    expect(await gateway.trafficCounters()).toEqual({
      bytesSent: 4294967295,
      bytesReceived: undefined,
      packetsSent: undefined,
      packetsReceived: undefined,
    })
    // A web page beside others may be an answer under load: asked again alone.
    const asked = [...Object.keys(answers).slice(0, 3), 'GetTotalPacketsSent', 'GetTotalPacketsReceived']
    expect(http.log).toEqual(asked.map((action) => `${action} http://192.168.1.1:5000/common`))
  })

  it('lets a defect out of the counters', async () => {
    const defect = new TypeError('x is undefined')
    const { gateway } = gatewayThat(() => defect)
    expect(await failureOf(gateway.trafficCounters())).toBe(defect)
  })

  it.each([
    ['http://192.168.1.1:5000/ctl', '192.168.1.1'],
    ['http://192.168.1.1:5000/ctl', '192.168.1.1', '192.168.1.2'],
    ['http://router.lan/ctl', 'router.lan'],
    ['http://router.lan/ctl', '192.168.1.2', '192.168.1.2'],
    ['http://router.lan/ctl', 'fe80::1%eth0', 'fe80::1%eth0'],
    ['http://[2001:db8::1]:5000/ctl', '2001:db8::1'],
    ['http://[2001:db8::1]:5000/ctl', '2001:db8::1', '2001:db8::2'],
  ])('has the address of its control URL, %s, or %s if that has a name', (url, address, remoteAddress?: string) => {
    const connection = { ...CONNECTION, controlUrls: [new URL(url)] }
    const services = { connections: [connection], commonInterfaceConfig: undefined, firewallControl: undefined }
    const caller = new SoapCaller(new ScriptedHttp(new FakeClock(), () => 'silence'), undefined)
    const gateway = new IgdServiceGateway(caller, { ...services, presentationUrl: '' }, connection, '', {
      remoteAddress,
    })
    expect(gateway.address).toBe(address)
  })

  it('says so where the description has no common interface', async () => {
    const { gateway, http } = gatewayThat(() => new Error('must not be asked'))
    const bare = new IgdServiceGateway(
      new SoapCaller(http, undefined),
      { connections: [CONNECTION], commonInterfaceConfig: undefined, firewallControl: undefined, presentationUrl: '' },
      CONNECTION,
      '',
    )
    expect(gateway.presentationUrl).toBe('/')
    expect(bare.firewall).toBeUndefined()
    expect(gateway.firewall).toBeDefined()
    await expect(bare.linkRates()).rejects.toThrow('no usable WANCommonInterfaceConfig service')
    expect(await bare.trafficCounters()).toMatchObject({ bytesSent: undefined })
  })

  it('reads link rates longer than 32 bits', async () => {
    const content = tag('NewLayer1UpstreamMaxBitRate', 10_000_000_000) + tag('NewLayer1DownstreamMaxBitRate', ' 5 ')
    const { gateway } = gatewayThat((request) => done(request, content))
    expect(await gateway.linkRates()).toEqual({ upstreamBitsPerSecond: 10_000_000_000, downstreamBitsPerSecond: 5 })
  })

  it.each([
    ['an uptime', tag('NewConnectionStatus', 'Connected')],
    ['an uptime that is a number', tag('NewConnectionStatus', 'Connected') + tag('NewUptime', '-')],
    ['a status', tag('NewUptime', 1)],
  ])('does not take a status without %s for one', async (_, content) => {
    const { gateway } = gatewayThat((request) => done(request, content))
    expect(await failureOf(gateway.status())).toBeInstanceOf(MalformedMessageError)
  })

  it('gives the external address without the blanks around it, even an empty one, but not a missing one', async () => {
    let content = tag('NewExternalIPAddress', '\n11.22.33.44 ')
    const { gateway } = gatewayThat((request) => done(request, content))
    expect(await gateway.externalAddress()).toBe('11.22.33.44')
    content = '<NewExternalIPAddress/>'
    expect(await gateway.externalAddress()).toBe('')
    content = ''
    expect(await failureOf(gateway.externalAddress())).toMatchObject({
      expected: 'NewExternalIPAddress in the reply to GetExternalIPAddress',
    })
  })

  it.each(['11.22.33.44', '2001:db8::1', '0.0.0.0', '::', ''])(
    'gives the external address %j as it is',
    async (told) => {
      const { gateway } = gatewayThat((request) => done(request, tag('NewExternalIPAddress', told)))
      expect(await gateway.externalAddress()).toBe(told)
    },
  )

  it.each(['abc', '999.1.1.1', '1.2.3', '1.2.3.4:80', '01.2.3.4', 'fe80::1%eth0', '\x1b[2J', 'x'.repeat(100_000)])(
    'gives no external address if it is told %.20j',
    async (told) => {
      const { gateway, http } = gatewayThat((request) => done(request, tag('NewExternalIPAddress', told)))
      expect(await failureOf(gateway.externalAddress())).toMatchObject({
        code: 'MALFORMED_MESSAGE',
        message: 'expected an address in NewExternalIPAddress',
        action: 'GetExternalIPAddress',
      })
      expect(http.seen).toHaveLength(2)
      expect(await gateway.pulse()).toEqual({ externalAddress: undefined })
    },
  )

  describe('the external address', () => {
    const told = { body: soapResponse('GetExternalIPAddress', tag('NewExternalIPAddress', '11.22.33.44')) }
    const none = { body: soapResponse('GetExternalIPAddress', tag('NewExternalIPAddress', '')) }
    const status = (text: string) =>
      soapResponse('GetStatusInfo', tag('NewConnectionStatus', text) + tag('NewUptime', 1))

    async function asking(answers: readonly ScriptedAnswer[], statusText?: string) {
      let at = 0
      const { gateway, http, clock } = gatewayThat((request) =>
        request.action === 'GetStatusInfo' ? { body: status(statusText ?? '') } : (answers[at++] ?? 'silence'),
      )
      if (statusText !== undefined) await gateway.status()
      const outcome = gateway.externalAddress().catch((error: unknown) => error)
      await clock.advance(10_000)
      return {
        outcome: await outcome,
        asked: http.seen.filter(({ request }) => request.action !== 'GetStatusInfo').length,
      }
    }

    it.each<[string, ScriptedAnswer]>([
      ['501', refusal(501)],
      ['a fault without a number', refusal(-1)],
      ['an HTTP error', { status: 500, body: '' }],
      ['a page', { body: '<html>busy</html>' }],
      ['nothing', { body: '' }],
      ['an empty address', none],
    ])('is asked for once more after %s', async (_, first) => {
      expect(await asking([first, told])).toEqual({ outcome: '11.22.33.44', asked: 2 })
      expect(await asking([first, told], 'Connected')).toEqual({ outcome: '11.22.33.44', asked: 2 })
      expect(await asking([first, refusal(402)])).toMatchObject({ outcome: { number: 402 }, asked: 2 })
    })

    it('is asked for once where the router is known to be disconnected, and says that it has none', async () => {
      expect(await asking([none], 'Disconnected')).toEqual({ outcome: '', asked: 1 })
    })

    it.each([
      ['the router does not know the action', refusal(401), { number: 401 }],
      ['nobody is there', new TransportError('refused', { cause: 'ECONNREFUSED' }), { code: 'TRANSPORT' }],
      ['there is no answer', 'silence', { code: 'NO_REPLY' }],
    ] as const)('is asked for once where %s', async (_, answer, outcome) => {
      expect(await asking([answer])).toMatchObject({ outcome, asked: 1 })
    })
  })
})
