import { afterEach, describe, expect, it } from 'vitest'
import type { ControlledService } from '../../../src/client/igd/services.ts'
import { SoapCaller } from '../../../src/client/igd/soap-caller.ts'
import { MalformedMessageError, NoReplyError, RefusedError, TransportError } from '../../../src/domain/errors.ts'
import { USER_AGENT } from '../../../src/domain/version.ts'
import type { HttpRequest } from '../../../src/net/http/client.ts'
import { nodeNet } from '../../../src/net/network.ts'
import type { IgdActionName } from '../../../src/wire/igd-actions.ts'
import { FakeClock, settle } from '../../support/fake-clock.ts'
import { addressReply, tag, WANIP1 } from '../../support/scripted-devices.ts'
import { http, type ScriptedGateway, scriptedGateway, soapFault, soapResponse } from '../../support/scripted-gateway.ts'
import { type ScriptedAnswer, ScriptedHttp } from '../../support/scripted-http.ts'

const FIRST = new URL('http://192.168.1.1:80/ctl')
const SECOND = new URL('http://192.168.1.1:5000/ctl')
const SERVICE: ControlledService = { service: 'WANConnection', serviceType: WANIP1, controlUrls: [FIRST] }
const TWO_URLS: ControlledService = { ...SERVICE, controlUrls: [FIRST, SECOND] }

const KEY = { NewRemoteHost: '', NewExternalPort: '2222', NewProtocol: 'TCP' }
const MAPPING = {
  ...KEY,
  NewInternalPort: '22',
  NewInternalClient: '192.168.1.10',
  NewEnabled: '1',
  NewPortMappingDescription: 'a <b> & "c"',
  NewLeaseDuration: '0',
}

function callerOf(answer: (request: HttpRequest) => ScriptedAnswer, signal?: AbortSignal) {
  const clock = new FakeClock()
  const http = new ScriptedHttp(clock, answer)
  return { clock, http, caller: new SoapCaller(http, signal) }
}

const failureOf = (asked: Promise<unknown>): Promise<unknown> =>
  asked.then(
    () => 'it succeeded',
    (error: unknown) => error,
  )

describe('what is sent', () => {
  it('posts one line of XML with the arguments in the order of the standard, escaped', async () => {
    const { caller, http } = callerOf(() => ({ body: soapResponse('AddPortMapping', '') }))
    await caller.call(SERVICE, 'AddPortMapping', MAPPING)
    expect(http.seen[0]?.request).toMatchObject({ method: 'POST', url: FIRST, action: 'AddPortMapping' })
    expect(http.seen[0]?.request.body).toBe(
      '<?xml version="1.0"?>\r\n<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" ' +
        's:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><s:Body>' +
        `<u:AddPortMapping xmlns:u="${WANIP1}">` +
        '<NewRemoteHost></NewRemoteHost><NewExternalPort>2222</NewExternalPort><NewProtocol>TCP</NewProtocol>' +
        '<NewInternalPort>22</NewInternalPort><NewInternalClient>192.168.1.10</NewInternalClient>' +
        '<NewEnabled>1</NewEnabled><NewPortMappingDescription>a &lt;b&gt; &amp; "c"</NewPortMappingDescription>' +
        '<NewLeaseDuration>0</NewLeaseDuration></u:AddPortMapping></s:Body></s:Envelope>\r\n',
    )
  })

  it('takes a reply of 128 KiB, and of 1 MiB if it is a list', async () => {
    const { caller, http } = callerOf(({ action }) => ({ body: soapResponse(action, '') }))
    await caller.call(SERVICE, 'GetExternalIPAddress', {})
    const all = { NewStartPort: '1', NewEndPort: '65535', NewProtocol: 'TCP', NewManage: '1', NewNumberOfPorts: '1000' }
    await caller.call(SERVICE, 'GetListOfPortMappings', all)
    expect(http.seen.map(({ request }) => request.maxBodyBytes)).toEqual([128 * 1024, 1024 * 1024])
  })

  it('names its headers as miniupnpc spells and orders them', async () => {
    const { caller, http } = callerOf(() => ({ body: soapResponse('DeletePortMapping', '') }))
    await caller.call(SERVICE, 'DeletePortMapping', KEY)
    expect(http.seen[0]?.request.headers).toEqual([
      ['User-Agent', USER_AGENT],
      ['Content-Type', 'text/xml; charset="utf-8"'],
      ['SOAPAction', `"${WANIP1}#DeletePortMapping"`],
    ])
  })

  it('has a User-Agent with neither of the two words that make miniupnpd play IGD:1', () => {
    expect(USER_AGENT).toMatch(/^Node\.js UPnP\/1\.1 upnp-ts\/\d+\.\d+\.\d+$/)
    expect(USER_AGENT).not.toMatch(/Microsoft|FDSSDP/i)
  })

  it('goes out from the address that the call names, and by the interface that leads to the gateway', async () => {
    const http = new ScriptedHttp(new FakeClock(), () => ({ body: soapResponse('GetStatusInfo', '') }))
    const caller = new SoapCaller(http, undefined, { zone: 'eth0' })
    const service = { ...SERVICE, controlUrls: [new URL('http://[fe80::1]:5000/ctl')] }
    await caller.call(service, 'GetStatusInfo', {}, { localAddress: '2001:db8::10' })
    await caller.call(service, 'GetStatusInfo', {})
    expect(http.seen.map(({ request: { zone, localAddress } }) => [zone, localAddress])).toEqual([
      ['eth0', '2001:db8::10'],
      ['eth0', undefined],
    ])
    expect(caller.controlUrl(service)).toBe('http://[fe80::1%25eth0]:5000/ctl')
    expect(caller.controlUrl(SERVICE)).toBe('http://192.168.1.1/ctl')
  })

  it.each([
    ['GetStatusInfo', {}, undefined, 10_000, 30_000],
    ['AddPortMapping', MAPPING, undefined, 20_000, 30_000],
    ['GetGenericPortMappingEntry', { NewPortMappingIndex: '0' }, 60_000, 20_000, 60_000],
    ['DeletePortMapping', KEY, 60_000, 40_000, 60_000],
    ['GetSpecificPortMappingEntry', KEY, 10_000, 5000, 10_000],
    ['AddPortMapping', MAPPING, 10_000, 10_000, 10_000],
  ] as const)('gives %s %j its part of %j ms', async (action, values, answerMs, silenceMs, timeoutMs) => {
    const { clock, http } = callerOf(() => 'silence')
    const caller = new SoapCaller(http, undefined, { answerMs })
    const failure = failureOf(caller.call(SERVICE, action, values as never))
    await clock.advance(silenceMs - 1)
    expect(http.seen[0]?.request).toMatchObject({ silenceMs, timeoutMs })
    expect(http.waiting).toBe(1)
    await clock.advance(1)
    expect(await failure).toBeInstanceOf(NoReplyError)
    expect([http.waiting, clock.pending]).toEqual([0, 0])
  })

  it('ends with the signal', async () => {
    const controller = new AbortController()
    const { caller, clock } = callerOf(() => 'silence', controller.signal)
    const failure = failureOf(caller.call(SERVICE, 'GetStatusInfo', {}))
    await settle()
    const reason = new Error('enough')
    controller.abort(reason)
    expect(await failure).toBe(reason)
    expect(clock.pending).toBe(0)
  })
})

describe('what is made of the answer', () => {
  it('is the arguments, by their names in lower case, entities decoded', async () => {
    const body = soapResponse('GetStatusInfo', tag('NEWUptime', '5') + tag('NewConnectionStatus', 'a &amp;lt; b'))
    const { caller } = callerOf(() => ({ body }))
    expect(await caller.call(SERVICE, 'GetStatusInfo', {})).toEqual(
      new Map([
        ['newuptime', '5'],
        ['newconnectionstatus', 'a &lt; b'],
      ]),
    )
  })

  it.each([200, 204, 400, 401, 404, 500, 501, 503])('is a refusal where HTTP %i has a fault', async (status) => {
    const { caller } = callerOf(() => ({ status, body: soapFault(718) }))
    const error = await failureOf(caller.call(SERVICE, 'AddPortMapping', MAPPING))
    expect(error).toBeInstanceOf(RefusedError)
    expect(error).toMatchObject({
      number: 718,
      standardName: 'ConflictInMappingEntry',
      action: 'AddPortMapping',
      description: 'scripted',
      message: 'AddPortMapping was refused with 718 (ConflictInMappingEntry)',
    })
  })

  it('is a refusal where the fault has binary garbage around its number', async () => {
    const body = Buffer.from(soapFault(725).replace('scripted', '<\xff\x01&&<<'), 'latin1')
    const { caller } = callerOf(() => ({ status: 500, body }))
    expect(await failureOf(caller.call(SERVICE, 'AddPortMapping', MAPPING))).toMatchObject({ number: 725 })
  })

  it.each([
    [404, '<html>no</html>'],
    [500, ''],
    [302, ''],
    [401, soapResponse('AddPortMapping', '')],
    [100, soapResponse('AddPortMapping', '')],
  ])('is a TransportError where HTTP %i has no fault', async (status, body) => {
    const { caller } = callerOf(() => ({ status, body }))
    const error = await failureOf(caller.call(SERVICE, 'AddPortMapping', MAPPING))
    expect(error).toBeInstanceOf(TransportError)
    expect(error).toMatchObject({ message: `AddPortMapping: http://192.168.1.1 answered HTTP ${status}` })
  })

  it.each(['<html>login</html>', 'OK', soapResponse('AddPortMapping', '').slice(0, -20)])(
    'is a MalformedMessageError where HTTP 200 has %j',
    async (body) => {
      const { caller } = callerOf(() => ({ body }))
      expect(await failureOf(caller.call(SERVICE, 'AddPortMapping', MAPPING))).toBeInstanceOf(MalformedMessageError)
    },
  )

  it.each(['', '\r\n\0'])('is an answer without arguments where HTTP 200 has %j', async (body) => {
    const { caller } = callerOf(() => ({ body }))
    expect(await caller.call(SERVICE, 'DeletePortMapping', KEY)).toEqual(new Map())
  })
})

describe('a change whose reply is unclear', () => {
  const PAGE = '<html>busy</html>'
  const done: ScriptedAnswer = { body: soapResponse('AddPortMapping', '') }
  const fault = (code: number): ScriptedAnswer => ({ status: 500, body: soapFault(code) })

  async function outcomeOf(action: IgdActionName, ...answers: ScriptedAnswer[]) {
    const { caller, http } = callerOf(() => answers[http.seen.length - 1] ?? new Error('asked too often'))
    const values = action === 'DeletePortMapping' ? KEY : MAPPING
    const outcome = await caller.call(SERVICE, action, values as never).catch((error: unknown) => error)
    return { outcome, asked: http.seen.length }
  }

  it.each([
    ['HTTP 400', { status: 400, body: PAGE }],
    ['HTTP 503', { status: 503, body: PAGE }],
    ['an empty HTTP 500', { status: 500, body: '' }],
    ['an empty HTTP 200', { body: '' }],
    ['a page', { body: PAGE }],
  ])('is asked for once more, and no more, after %s', async (_, unclear) => {
    for (const action of ['AddPortMapping', 'DeletePortMapping'] as const) {
      const answer = { body: soapResponse(action, '') }
      expect(await outcomeOf(action, unclear, answer)).toEqual({ outcome: new Map(), asked: 2 })
      expect(await outcomeOf(action, unclear, fault(606))).toMatchObject({ outcome: { number: 606 }, asked: 2 })
      expect((await outcomeOf(action, unclear, unclear)).asked).toBe(2)
    }
    expect(await outcomeOf('DeletePortMapping', unclear, fault(714))).toEqual({ outcome: new Map(), asked: 2 })
  })

  it('is taken for done after an empty success, unless the second answer is against it', async () => {
    for (const second of [{ body: '' }, { body: PAGE }, { status: 500, body: '' }, fault(718)])
      expect(await outcomeOf('AddPortMapping', { body: '' }, second)).toEqual({ outcome: new Map(), asked: 2 })
    expect(await outcomeOf('AddPortMapping', { body: '' }, fault(725))).toMatchObject({ outcome: { number: 725 } })
    expect(await outcomeOf('AddPortMapping', { body: PAGE }, fault(718))).toMatchObject({ outcome: { number: 718 } })
  })

  it.each([301, 401, 403, 404, 405])('is not asked for again after HTTP %i, which is about the URL', async (status) => {
    expect((await outcomeOf('AddPortMapping', { status, body: PAGE }, done)).asked).toBe(1)
  })

  it('is not asked for again where a second one could open a second port', async () => {
    for (const unclear of [{ status: 503, body: PAGE }, { body: '' }])
      expect((await outcomeOf('AddAnyPortMapping', unclear, done)).asked).toBe(1)
  })
})

describe('which of two control URLs', () => {
  const ok: ScriptedAnswer = { body: addressReply('11.22.33.44') }
  const only = (url: URL, other: ScriptedAnswer) => (request: HttpRequest) => (request.url === url ? ok : other)
  const ports = (http: ScriptedHttp): string[] => http.seen.map(({ request }) => request.url.port || '80')

  it('asks the first one, and never the second while that answers', async () => {
    const { caller, http } = callerOf(only(FIRST, new Error('must not be asked')))
    expect(caller.controlUrl(TWO_URLS)).toBe(FIRST.href)
    await caller.call(TWO_URLS, 'GetExternalIPAddress', {})
    await caller.call(TWO_URLS, 'GetExternalIPAddress', {})
    expect(ports(http)).toEqual(['80', '80'])
  })

  it.each([
    ['cannot be reached', new TransportError('connection refused')],
    ['answers HTTP 404', { status: 404, body: '' }],
  ] as const)('asks the second one where the first one %s, and remembers that', async (_, answer) => {
    const { caller, http } = callerOf(only(SECOND, answer))
    await caller.call(TWO_URLS, 'GetExternalIPAddress', {})
    await caller.call(TWO_URLS, 'GetExternalIPAddress', {})
    expect(ports(http)).toEqual(['80', '5000', '5000'])
    expect(caller.controlUrl(TWO_URLS)).toBe(SECOND.href)
  })

  it('throws what the second one failed with where both fail, and asks both again the next time', async () => {
    const { caller, http } = callerOf((request) => new TransportError(`${request.url.port || '80'} is closed`))
    for (let time = 0; time < 2; time++) {
      await expect(caller.call(TWO_URLS, 'GetExternalIPAddress', {})).rejects.toThrow('5000 is closed')
    }
    expect(ports(http)).toEqual(['80', '5000', '80', '5000'])
    expect(caller.controlUrl(TWO_URLS)).toBe(FIRST.href)
  })

  it.each([
    ['refuses', { status: 500, body: soapFault(401) }, RefusedError],
    ['says nothing in time', 'silence', NoReplyError],
  ] as const)('does not ask the second one where the first one %s', async (_, answer, kind) => {
    const { caller, http, clock } = callerOf(only(SECOND, answer))
    const failure = failureOf(caller.call(TWO_URLS, 'GetExternalIPAddress', {}))
    await clock.advance(10_000)
    expect(await failure).toBeInstanceOf(kind)
    expect(ports(http)).toEqual(['80'])
  })

  it('asks the second one where the first one answers with a page of something else', async () => {
    const { caller, http } = callerOf(only(SECOND, { body: '<html>login</html>' }))
    await caller.call(TWO_URLS, 'GetExternalIPAddress', {})
    expect(ports(http)).toEqual(['80', '5000'])
  })

  it('takes a refusal for a sign that the URL is the right one', async () => {
    const { caller, http } = callerOf(({ url }) =>
      url === SECOND ? { status: 500, body: soapFault(401) } : new TransportError('refused'),
    )
    for (let time = 0; time < 2; time++) {
      expect(await failureOf(caller.call(TWO_URLS, 'GetStatusInfo', {}))).toBeInstanceOf(RefusedError)
    }
    expect(ports(http)).toEqual(['80', '5000', '5000'])
  })

  it('lets a defect out and asks nobody else', async () => {
    const defect = new TypeError('x is undefined')
    const { caller, http } = callerOf(() => defect)
    expect(await failureOf(caller.call(TWO_URLS, 'GetStatusInfo', {}))).toBe(defect)
    expect(ports(http)).toEqual(['80'])
  })
})

describe('on the wire', () => {
  const gateways: ScriptedGateway[] = []
  afterEach(async () => {
    for (const gateway of gateways.splice(0)) await gateway.close()
  })

  it('is a request with SOAPAction spelt so, right after Content-Type, and nothing that routers do not expect', async () => {
    const gateway = await scriptedGateway(() => http(200, soapResponse('AddPortMapping', '')))
    gateways.push(gateway)
    const url = new URL(gateway.url('/ctl?1'))
    const caller = new SoapCaller(nodeNet().http, undefined)
    const description = 'caf\u00e9 \u4e2d'
    await caller.call({ ...SERVICE, controlUrls: [url] }, 'AddPortMapping', {
      ...MAPPING,
      NewPortMappingDescription: description,
    })
    const [request] = gateway.requests
    const [start, ...headers] = (request?.head ?? '').split('\r\n')
    const names = headers.map((line) => line.split(':')[0] ?? '')
    expect(start).toBe('POST /ctl?1 HTTP/1.1')
    expect(names.map((name) => name.toLowerCase()).sort()).toEqual([
      'connection',
      'content-length',
      'content-type',
      'host',
      'soapaction',
      'user-agent',
    ])
    expect(names[names.indexOf('Content-Type') + 1]).toBe('SOAPAction')
    expect(request?.body).toContain(`<NewPortMappingDescription>${description}</NewPortMappingDescription>`)
    expect(request?.body.endsWith('</s:Envelope>\r\n')).toBe(true)
  })
})
