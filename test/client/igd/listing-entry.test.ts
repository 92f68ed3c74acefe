import { describe, expect, it } from 'vitest'
import { IgdServiceGateway } from '../../../src/client/igd/gateway.ts'
import type { ControlledService } from '../../../src/client/igd/services.ts'
import { SoapCaller } from '../../../src/client/igd/soap-caller.ts'
import {
  MalformedMessageError,
  NoReplyError,
  type PortMappingError,
  TransportError,
} from '../../../src/domain/errors.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { tag, WANIP1 } from '../../support/scripted-devices.ts'
import { soapFault, soapResponse } from '../../support/scripted-gateway.ts'
import { type ScriptedAnswer, ScriptedHttp } from '../../support/scripted-http.ts'

const CONNECTION: ControlledService = {
  service: 'WANConnection',
  serviceType: WANIP1,
  controlUrls: [new URL('http://192.168.1.1:5000/ctl')],
}
const KEY = { remoteHost: '', externalPort: 2222, protocol: 'TCP' } as const

const refusal = (code: number): ScriptedAnswer => ({ status: 500, body: soapFault(code) })
const reply = (action: string, content: string): ScriptedAnswer => ({ body: soapResponse(action, content) })

const target = (client: string, enabled = 1): string =>
  tag('NewInternalPort', 22) + tag('NewInternalClient', client) + tag('NewEnabled', enabled)

const specific = (content: string): ScriptedAnswer => reply('GetSpecificPortMappingEntry', content)
const generic = (port: number, protocol = 'TCP'): ScriptedAnswer =>
  reply(
    'GetGenericPortMappingEntry',
    tag('NewExternalPort', port) + tag('NewProtocol', protocol) + target('192.168.1.10'),
  )

/** A gateway that gives these answers, the last one again and again, and what it was asked. */
function answering(...answers: readonly ScriptedAnswer[]) {
  const asked: string[] = []
  const clock = new FakeClock()
  const http = new ScriptedHttp(clock, ({ action }) => {
    asked.push(action)
    return answers[asked.length - 1] ?? answers.at(-1) ?? 'silence'
  })
  const services = {
    connections: [CONNECTION],
    commonInterfaceConfig: undefined,
    firewallControl: undefined,
    presentationUrl: '',
  }
  const gateway = new IgdServiceGateway(new SoapCaller(http, undefined), services, CONNECTION, '192.168.1.10')
  return { gateway, asked, clock }
}

/** What it comes to, or the code of what it fails with. */
async function outcome<T>(clock: FakeClock, asked: Promise<T>): Promise<T | { code: string }> {
  const settled = asked.catch((error: PortMappingError) => ({ code: error.code }))
  await clock.advance(60_000)
  return settled
}

describe('find', () => {
  it('shows the entry in one request, also one that is switched off or leads elsewhere', async () => {
    for (const [client, enabled] of [
      ['192.168.1.10', 1],
      ['192.168.1.66', 0],
    ] as const) {
      const { gateway, asked } = answering(specific(target(client, enabled)))
      expect(await gateway.find(KEY)).toMatchObject({ ...KEY, internalClient: client, enabled: enabled === 1 })
      expect(asked).toEqual(['GetSpecificPortMappingEntry'])
    }
  })

  it.each([714, 713])('finds none in one request where the gateway says %s', async (code) => {
    const { gateway, asked } = answering(refusal(code))
    expect(await gateway.find(KEY)).toBeUndefined()
    expect(asked).toHaveLength(1)
  })

  it.each([
    ['with nothing in it', ''],
    ['without a client', tag('NewInternalPort', 0) + tag('NewInternalClient', '') + tag('NewEnabled', 0)],
  ])('takes an entry %s for none', async (_name, content) => {
    const { gateway, asked } = answering(specific(content))
    expect(await gateway.find(KEY)).toBeUndefined()
    expect(asked).toHaveLength(1)
  })

  it('is not told where it is not allowed to know: the table may leave it out too', async () => {
    const { gateway, asked } = answering(refusal(606))
    expect(await gateway.find(KEY)).toBe('untold')
    expect(asked).toHaveLength(1)
  })

  describe.each([401, 402, 501, 602, 899])('where the gateway answers %s', (code) => {
    it('reads the table, and shows the entry from there', async () => {
      const { gateway, asked } = answering(refusal(code), generic(80), generic(2222, 'UDP'), generic(2222, 'tcp'))
      expect(await gateway.find(KEY)).toMatchObject({ externalPort: 2222, internalClient: '192.168.1.10' })
      const further = 3 // were under way when it was found
      expect(asked.length).toBeLessThanOrEqual(4 + further)
    })

    it('finds none in a table that can be read to its end', async () => {
      const { gateway } = answering(refusal(code), generic(80), generic(2222, 'UDP'), refusal(713))
      expect(await gateway.find(KEY)).toBeUndefined()
      expect(await answering(refusal(code), refusal(713)).gateway.find(KEY)).toBeUndefined()
    })

    it.each([
      [401, undefined],
      [602, undefined],
      [402, 'untold'],
      [501, 'untold'],
      [714, undefined],
      [606, 'untold'],
    ] as const)('is surely none after %i: %s', async (code, expected) => {
      expect(await answering(refusal(code), refusal(713)).gateway.find(KEY, { surely: true })).toBe(expected)
    })

    it.each([
      ['is refused too', refusal(401)],
      ['is refused for want of rights', refusal(606)],
      ['is no page', { status: 404, body: '' }],
      ['closes the connection', new TransportError('reset')],
      ['cannot be read', { body: '<a/>' }],
    ] satisfies [string, ScriptedAnswer][])('is not told where the table %s', async (_name, answer) => {
      expect(await answering(refusal(code), answer).gateway.find(KEY)).toBe('untold')
    })

    it('fails where the gateway falls silent', async () => {
      const { gateway, clock } = answering(refusal(code), 'silence')
      expect(await outcome(clock, gateway.find(KEY))).toEqual({ code: 'NO_REPLY' })
    })
  })

  it.each([
    ['does not answer', 'silence', NoReplyError],
    ['refuses the connection', new TransportError('refused'), TransportError],
    ['answers with a page', { status: 404, body: '<html/>' }, TransportError],
    ['answers with something else', { body: '<a/>' }, MalformedMessageError],
  ] satisfies [string, ScriptedAnswer, unknown][])('fails where the gateway %s', async (_name, answer, kind) => {
    const { gateway, clock, asked } = answering(answer)
    const failed = expect(gateway.find(KEY)).rejects.toBeInstanceOf(kind)
    await clock.advance(60_000)
    await failed
    expect(new Set(asked)).toEqual(new Set(['GetSpecificPortMappingEntry']))
  })
})

describe('pulse', () => {
  const address = (text: string): ScriptedAnswer => reply('GetExternalIPAddress', tag('NewExternalIPAddress', text))

  it.each([
    ['an address', address('11.22.33.44'), '11.22.33.44'],
    ['one with blanks around it', address(' 11.22.33.44 '), '11.22.33.44'],
    ['one that is not of the internet', address('10.0.0.2'), '10.0.0.2'],
    ['none, while the line is down', address(''), undefined],
    ['0.0.0.0, while the line is down', address('0.0.0.0'), undefined],
    ['words', address('not connected'), undefined],
    ['401', refusal(401), undefined],
    ['501', refusal(501), undefined],
    ['606', refusal(606), undefined],
  ])('is one request, and a sign of life where the answer is %s', async (_name, answer, externalAddress) => {
    const { gateway, asked } = answering(answer)
    expect(await gateway.pulse()).toEqual({ externalAddress })
    expect(asked).toEqual(['GetExternalIPAddress'])
  })

  it.each([
    ['does not answer', 'silence', 'NO_REPLY'],
    ['refuses the connection', new TransportError('refused'), 'TRANSPORT'],
    ['answers with a page', { status: 404, body: '' }, 'TRANSPORT'],
    ['leaves the address out', reply('GetExternalIPAddress', ''), 'MALFORMED_MESSAGE'],
  ] satisfies [string, ScriptedAnswer, string][])('fails where the gateway %s', async (_name, answer, code) => {
    const { gateway, clock, asked } = answering(answer)
    expect(await outcome(clock, gateway.pulse())).toEqual({ code })
    expect(asked).toHaveLength(1)
  })
})

describe('a lease', () => {
  it.each([
    ['0', 0],
    ['4294967295', 2 ** 32 - 1],
    ['4294967296', undefined],
    ['4294967356', undefined],
    ['99999999999999999999', undefined],
    ['-1', undefined],
    ['', undefined],
  ])('shown as %j is %s', async (shown, leaseSeconds) => {
    const { gateway } = answering(specific(target('192.168.1.10') + tag('NewLeaseDuration', shown)))
    expect(await gateway.find(KEY)).toMatchObject({ leaseSeconds })
    const entry = encodeListing(shown)
    const listed = answering(reply('GetListOfPortMappings', `<NewPortListing><![CDATA[${entry}]]></NewPortListing>`))
    expect(await listed.gateway.portMappingsOf('TCP')).toMatchObject([{ leaseSeconds }])
  })
})

const encodeListing = (lease: string): string =>
  `<PortMappingList><PortMappingEntry><NewLeaseTime>${lease}</NewLeaseTime></PortMappingEntry></PortMappingList>`
