import { describe, expect, it } from 'vitest'
import {
  type Candidate,
  describeGateway,
  examine,
  MAX_DESCRIPTION_BYTES,
} from '../../../src/client/search/candidate.ts'
import {
  InvalidArgumentError,
  MalformedMessageError,
  NoGatewayError,
  NoReplyError,
  TransportError,
} from '../../../src/domain/errors.ts'
import { USER_AGENT } from '../../../src/domain/version.ts'
import { encodeEntities } from '../../../src/wire/xml.ts'
import { FakeClock, settle } from '../../support/fake-clock.ts'
import {
  answersOf,
  igdDescription,
  PUBLIC_ADDRESS,
  type ScriptedConnection,
  TV_DESCRIPTION,
  WANIP1,
  WANPPP1,
} from '../../support/scripted-devices.ts'
import { type ScriptedAnswer, ScriptedHttp } from '../../support/scripted-http.ts'

const LOCATION = new URL('http://192.168.1.1:5000/root.xml')

function begin(answer: ConstructorParameters<typeof ScriptedHttp>[1], signal?: AbortSignal, times = {}) {
  const clock = new FakeClock()
  const http = new ScriptedHttp(clock, answer)
  const examined = examine(LOCATION, { http, signal, ...times })
  examined.catch(() => {})
  return { clock, http, examined }
}

/** Examines a router with these connections, whose control URLs are their names. */
async function examineConnections(connections: Readonly<Record<string, ScriptedConnection>>) {
  const services = Object.keys(connections).map((path) => [path.includes('ppp') ? WANPPP1 : WANIP1, path] as const)
  const { http, examined, clock } = begin(answersOf({ host: LOCATION.host, services, connections }))
  const candidate: Candidate = await examined
  expect(clock.pending).toBe(0)
  return { candidate, asked: http.log.slice(1).map((line) => line.replace('http://192.168.1.1:5000', '')) }
}

describe('examine', () => {
  it('asks for the description as miniupnpc does, with a bound and a time', async () => {
    const { http, examined } = begin(answersOf({ host: LOCATION.host }), undefined, { descriptionMs: 3000 })
    expect(await examined).toMatchObject({
      kind: 'connected',
      location: LOCATION.href,
      localAddress: '192.168.1.10',
      externalAddress: PUBLIC_ADDRESS,
      status: { connectionStatus: 'Connected', uptimeSeconds: 100 },
    })
    expect(http.seen[0]?.request).toMatchObject({
      method: 'GET',
      headers: [['User-Agent', USER_AGENT]],
      maxBodyBytes: MAX_DESCRIPTION_BYTES,
      timeoutMs: 3000,
    })
  })

  it.each([
    [undefined, 30_000, 10_000],
    [60_000, 60_000, 20_000],
    [10_000, 10_000, 5000],
  ])('gives all requests to a router the same time: %j ms', async (answerMs, timeoutMs, silenceMs) => {
    const { http, examined } = begin(answersOf({ host: LOCATION.host }), undefined, { answerMs })
    await examined
    expect(http.seen).toHaveLength(3)
    for (const { request } of http.seen) expect(request).toMatchObject({ timeoutMs, silenceMs })
  })

  it.each([
    ['HTTP 503', { status: 503, body: '<html>busy</html>' }, 2],
    ['an empty HTTP 500', { status: 500, body: '' }, 2],
    ['nothing', { body: '' }, 2],
    ['a page', { body: '<html>busy</html>' }, 2],
    ['HTTP 404', { status: 404, body: '' }, 1],
  ])('asks for the description once more after %s, if that may pass', async (_, unclear, asked) => {
    const answers = [unclear]
    const { http, examined } = begin(() => answers.pop() ?? { body: TV_DESCRIPTION })
    if (asked === 1) await expect(examined).rejects.toBeInstanceOf(TransportError)
    else expect((await examined).kind).toBe('not-an-igd')
    expect(http.seen).toHaveLength(asked)
  })

  it('asks a connected router once more for an address that it does not tell', async () => {
    const { asked } = await examineConnections({ '/ip': { address: '' } })
    expect(asked).toEqual(['GetStatusInfo /ip', 'GetExternalIPAddress /ip', 'GetExternalIPAddress /ip'])
  })

  it.each(['Connected', 'Up', 'connected', ' UP '])('takes the status %j for connected', async (status) => {
    expect((await examineConnections({ '/ip': { status } })).candidate.kind).toBe('connected')
  })

  it.each(['Disconnected', 'Connecting', 'Unconfigured', 'PendingDisconnect', 'Connected?', 'Upstream', '', '1'])(
    'takes the status %j for disconnected, without asking for an address',
    async (status) => {
      const { candidate, asked } = await examineConnections({ '/ip': { status } })
      expect(candidate).toMatchObject({ kind: 'disconnected', externalAddress: undefined })
      expect(candidate.status?.connectionStatus).toBe(status)
      expect(candidate.gateway?.controlUrl).toBe('http://192.168.1.1:5000/ip')
      expect(asked).toEqual(['GetStatusInfo /ip'])
    },
  )

  it.each(['10.0.0.1', '100.64.0.1', '192.168.0.1', '169.254.1.1', '0.0.0.0', ''])(
    'takes a connection with the external address %j for one behind another NAT',
    async (address) => {
      const { candidate } = await examineConnections({ '/ip': { address } })
      expect(candidate).toMatchObject({ kind: 'reserved', externalAddress: address })
    },
  )

  it.each(['unknown', '1.2.3.4.5', '999.1.1.1', '1.2.3.4:80', '<b>', 'x'.repeat(100_000)])(
    'takes a connection for one behind another NAT, without an address, if it is %.20j',
    async (address) => {
      const { candidate } = await examineConnections({ '/ip': { address: encodeEntities(address) } })
      expect(candidate).toMatchObject({ kind: 'reserved', externalAddress: undefined })
    },
  )

  it('takes a connection whose external address cannot be had for one behind another NAT', async () => {
    const { candidate } = await examineConnections({ '/ip': { address: 501 } })
    expect(candidate).toMatchObject({ kind: 'reserved', externalAddress: undefined })
  })

  it('lets the external address decide where GetStatusInfo is refused', async () => {
    expect((await examineConnections({ '/ip': { status: 401 } })).candidate).toMatchObject({
      kind: 'connected',
      status: undefined,
    })
    const { candidate } = await examineConnections({ '/ip': { status: 401, address: '10.0.0.1' } })
    expect(candidate.kind).toBe('disconnected')
    expect((await examineConnections({ '/ip': { status: 401, address: 401 } })).candidate.kind).toBe('disconnected')
  })

  it('asks the second connection only where the first one is not connected with a public address', async () => {
    const { candidate, asked } = await examineConnections({ '/ip': { status: 'Disconnected' }, '/ppp': {} })
    expect(candidate).toMatchObject({ kind: 'connected', gateway: { controlUrl: 'http://192.168.1.1:5000/ppp' } })
    expect(asked).toEqual(['GetStatusInfo /ip', 'GetStatusInfo /ppp', 'GetExternalIPAddress /ppp'])
    expect((await examineConnections({ '/ip': {}, '/ppp': {} })).asked).toHaveLength(2)
  })

  it.each([
    ['a public one to a private one', { '/a': { address: '10.0.0.1' }, '/b': {} }, 'connected', '/b'],
    ['a private one to none', { '/a': { status: 'Disconnected' }, '/b': { address: '10.0.0.1' } }, 'reserved', '/b'],
    [
      'the first of two private ones',
      { '/a': { address: '10.0.0.1' }, '/b': { address: '10.0.0.2' } },
      'reserved',
      '/a',
    ],
    ['the first of two that are down', { '/a': { status: 'x' }, '/b': { status: 'y' } }, 'disconnected', '/a'],
  ])('prefers %s', async (_, connections, kind, path) => {
    const { candidate } = await examineConnections(connections)
    expect(candidate).toMatchObject({ kind, gateway: { controlUrl: `http://192.168.1.1:5000${path}` } })
  })

  it('takes a device without a WAN connection for what it is, and asks it nothing', async () => {
    const { http, examined } = begin(() => ({ body: TV_DESCRIPTION }))
    expect(await examined).toMatchObject({ kind: 'not-an-igd', gateway: undefined })
    expect(http.seen).toHaveLength(1)
  })

  it('reads a description whatever the HTTP status', async () => {
    const { examined } = begin(() => ({ status: 500, body: TV_DESCRIPTION }))
    expect((await examined).kind).toBe('not-an-igd')
  })

  it.each([
    ['a web page', { body: '<html><body>Hello</body></html>' }, MalformedMessageError],
    ['nothing', { body: '' }, MalformedMessageError],
    ['a DTD', { body: igdDescription().replace('<root', '<!DOCTYPE root><root') }, MalformedMessageError],
    ['HTTP 404', { status: 404, body: 'no' }, TransportError],
    ['no word', 'silence', NoReplyError],
    ['no connection', new TransportError('refused'), TransportError],
  ] as const)('fails where the device answers with %s', async (_, answer, kind) => {
    const { clock, examined } = begin(() => answer)
    await clock.advance(10_000)
    await expect(examined).rejects.toBeInstanceOf(kind)
    expect(clock.pending).toBe(0)
  })

  it('ends with the signal, between questions as in one', async () => {
    const controller = new AbortController()
    const reason = new Error('enough')
    const { clock, examined } = begin(
      ({ method }): ScriptedAnswer => (method === 'GET' ? { body: igdDescription() } : 'silence'),
      controller.signal,
    )
    await settle()
    controller.abort(reason)
    await expect(examined).rejects.toBe(reason)
    expect(clock.pending).toBe(0)
  })
})

describe('describeGateway', () => {
  const context = (answer: ScriptedAnswer) => {
    const clock = new FakeClock()
    const http = new ScriptedHttp(clock, () => answer)
    return { http, signal: undefined }
  }

  it('takes the first connection without asking whether it is connected', async () => {
    const settings = context({
      body: igdDescription({
        services: [
          [WANIP1, '/a'],
          [WANPPP1, '/b'],
        ],
      }),
    })
    const described = await describeGateway(LOCATION, settings)
    expect(described).toMatchObject({ location: LOCATION.href, localAddress: '192.168.1.10' })
    expect(described.gateway?.controlUrl).toBe('http://192.168.1.1:5000/a')
    expect(settings.http.seen).toHaveLength(1)
  })

  it('has no gateway where the device is not an IGD', async () => {
    expect((await describeGateway(LOCATION, context({ body: TV_DESCRIPTION }))).gateway).toBeUndefined()
  })

  it('goes to the host that the user named and to the address that answered for it, and nowhere else', async () => {
    const clock = new FakeClock()
    const body = igdDescription({
      services: [
        [WANIP1, 'http://192.168.1.9/x'],
        [WANIP1, 'http://127.0.0.1/x'],
        [WANPPP1, 'http://192.168.1.1:7/y'],
        [WANPPP1, '/z'],
      ],
    })
    const http = new ScriptedHttp(clock, () => ({ body }))
    const request = http.request.bind(http)
    http.request = async (asked) => ({ ...(await request(asked)), remoteAddress: '192.168.1.1' })
    const settings = { http, signal: undefined }
    const { gateway } = await describeGateway(new URL('http://router.lan/root.xml'), settings)
    expect(gateway?.controlUrl).toBe('http://192.168.1.1:7/y')
  })

  it.each(['http://127.0.0.1:22/', 'http://192.168.1.10:8080/x', 'http://192.168.1.2/ctl', 'http://[::1]/'])(
    'is refused, and asked nothing, in one line if its description leads only to %s',
    async (controlURL) => {
      const settings = context({ body: igdDescription({ services: [[WANIP1, controlURL]] }) })
      const message = `the description ${LOCATION.href} leads to another host, ${controlURL}: that is never asked`
      for (const asked of [describeGateway(LOCATION, settings), examine(LOCATION, settings)]) {
        await expect(asked).rejects.toThrow(new NoGatewayError(message))
      }
      expect(settings.http.log).toEqual([`GET ${LOCATION.href}`, `GET ${LOCATION.href}`])
    },
  )

  it('shows 200 characters of a URL that leads elsewhere', async () => {
    const settings = context({ body: igdDescription({ services: [[WANIP1, `http://10.0.0.1/${'x'.repeat(9999)}`]] }) })
    await expect(describeGateway(LOCATION, settings)).rejects.toThrow(
      /, http:\/\/10\.0\.0\.1\/x{184}: that is never asked$/,
    )
  })

  it('is known by its address, also if the user gave a name', async () => {
    const http = new ScriptedHttp(new FakeClock(), () => ({ body: igdDescription({ services: [[WANIP1, '/z']] }) }))
    const request = http.request.bind(http)
    http.request = async (asked) => ({ ...(await request(asked)), remoteAddress: '192.168.1.1' })
    const { gateway } = await describeGateway(new URL('http://router.lan/root.xml'), { http, signal: undefined })
    expect([gateway?.address, gateway?.controlUrl]).toEqual(['192.168.1.1', 'http://router.lan/z'])
  })

  it('asks a link-local host by the interface that the user named, throughout', async () => {
    const settings = context({ body: igdDescription({ services: [[WANIP1, '/a']] }) })
    const described = await describeGateway(new URL('http://[fe80::1]:5000/root.xml'), settings, 'eth0')
    expect(described).toMatchObject({ location: 'http://[fe80::1]:5000/root.xml', zone: 'eth0' })
    expect(described.gateway?.controlUrl).toBe('http://[fe80::1%25eth0]:5000/a')
    await described.gateway?.externalAddress().catch(() => {})
    expect(new Set(settings.http.seen.map(({ request }) => request.zone))).toEqual(new Set(['eth0']))
  })

  it('sends nothing to a link-local host without an interface, and says how to name one', async () => {
    const settings = context({ body: '' })
    const asked = describeGateway(new URL('http://[fe80::1]:5000/'), settings)
    await expect(asked).rejects.toThrow(InvalidArgumentError)
    await expect(asked).rejects.toThrow('as in http://[fe80::1%25eth0]:5000/')
    expect(settings.http.seen).toEqual([])
  })

  it('learns the interface from the connection where the user named a name', async () => {
    const http = new ScriptedHttp(new FakeClock(), () => ({
      body: igdDescription({ services: [[WANIP1, 'http://[fe80::1]:5000/a']] }),
    }))
    const request = http.request.bind(http)
    http.request = async (asked) => ({ ...(await request(asked)), remoteAddress: 'fe80::1%eth0' })
    const settings = { http, signal: undefined }
    const { gateway, zone } = await describeGateway(new URL('http://router.local/root.xml'), settings)
    expect([gateway?.controlUrl, zone]).toEqual(['http://[fe80::1%25eth0]:5000/a', 'eth0'])
  })
})
