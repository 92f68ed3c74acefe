import { describe, expect, it } from 'vitest'
import { IgdPinholeFirewall } from '../../../src/client/igd/pinhole-firewall.ts'
import type { ControlledService } from '../../../src/client/igd/services.ts'
import { SoapCaller } from '../../../src/client/igd/soap-caller.ts'
import { InvalidArgumentError, MalformedMessageError, RefusedError } from '../../../src/domain/errors.ts'
import type { TimedPinholeRequest } from '../../../src/domain/pinhole.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { FIREWALL1, tag } from '../../support/scripted-devices.ts'
import { soapFault, soapResponse } from '../../support/scripted-gateway.ts'
import { ScriptedHttp } from '../../support/scripted-http.ts'

const SERVICE: ControlledService = {
  service: 'WANIPv6FirewallControl',
  serviceType: FIREWALL1,
  controlUrls: [new URL('http://[2001:db8::1]:5000/firewall')],
}

const REQUEST: TimedPinholeRequest = {
  remoteHost: '',
  remotePort: 0,
  internalClient: '2001:db8::5',
  internalPort: 22,
  protocol: 6,
  leaseSeconds: 3600,
}

/** A firewall whose answer has this content, or is a refusal with this number. */
function firewallThat(answer: string | number) {
  const http = new ScriptedHttp(new FakeClock(), (request) =>
    typeof answer === 'number'
      ? { status: 500, body: soapFault(answer) }
      : { body: soapResponse(request.action, answer, FIREWALL1) },
  )
  const asked = (): string[] =>
    http.seen.map(({ request }) => request.body?.replace(/^.*?<s:Body>|<\/s:Body>.*$/gs, '') ?? '')
  return { firewall: new IgdPinholeFirewall(new SoapCaller(http, undefined), SERVICE), http, asked }
}

type Firewall = IgdPinholeFirewall

const call = (action: string, content: string): string =>
  content === ''
    ? `<u:${action} xmlns:u="${FIREWALL1}"></u:${action}>`
    : `<u:${action} xmlns:u="${FIREWALL1}">${content}</u:${action}>`

const ENDS =
  '<RemoteHost></RemoteHost><RemotePort>0</RemotePort><Protocol>6</Protocol><InternalPort>22</InternalPort>' +
  '<InternalClient>2001:db8::5</InternalClient>'

const QUESTIONS: readonly (readonly [string, (firewall: Firewall) => Promise<unknown>, string, string, unknown])[] = [
  [
    'GetFirewallStatus',
    (firewall) => firewall.status(),
    '',
    tag('FirewallEnabled', 1) + tag('InboundPinholeAllowed', 0),
    { firewallEnabled: true, inboundPinholeAllowed: false },
  ],
  [
    'AddPinhole',
    (firewall) => firewall.addPinhole(REQUEST),
    `${ENDS}<LeaseTime>3600</LeaseTime>`,
    tag('UniqueID', 7),
    { id: 7, leaseSeconds: 3600 },
  ],
  [
    'UpdatePinhole',
    (firewall) => firewall.updatePinhole(7, 60),
    '<UniqueID>7</UniqueID><NewLeaseTime>60</NewLeaseTime>',
    '',
    { id: 7, leaseSeconds: 60 },
  ],
  ['DeletePinhole', (firewall) => firewall.deletePinhole(7), '<UniqueID>7</UniqueID>', '', undefined],
  [
    'CheckPinholeWorking',
    (firewall) => firewall.isPinholeWorking(7),
    '<UniqueID>7</UniqueID>',
    tag('IsWorking', 1),
    true,
  ],
  [
    'GetPinholePackets',
    (firewall) => firewall.pinholePackets(7),
    '<UniqueID>7</UniqueID>',
    tag('PinholePackets', 4_294_967_295),
    4_294_967_295,
  ],
  [
    'GetOutboundPinholeTimeout',
    (firewall) => firewall.outboundPinholeTimeout(REQUEST),
    ENDS,
    tag('OutboundPinholeTimeout', 120),
    120,
  ],
]

const failureOf = (asked: Promise<unknown>): Promise<unknown> =>
  asked.then(
    (value: unknown) => ({ succeeded: value }),
    (error: unknown) => error,
  )

describe('an IPv6 firewall', () => {
  it.each(QUESTIONS)('is asked with %s in the order of upnpc, and answers', async (action, ask, sent, reply, value) => {
    const { firewall, asked, http } = firewallThat(reply)
    expect(await ask(firewall)).toEqual(value)
    expect(asked()).toEqual([call(action, sent)])
    expect(http.log).toEqual([`${action} http://[2001:db8::1]:5000/firewall`])
  })

  it.each(QUESTIONS)('is asked with %s once where it refuses', async (action, ask) => {
    const { firewall, http } = firewallThat(704)
    const error = await failureOf(ask(firewall))
    expect(error).toBeInstanceOf(RefusedError)
    expect(error).toMatchObject({ number: 704, standardName: 'NoSuchEntry', action })
    expect(http.seen).toHaveLength(1)
  })

  it.each(QUESTIONS.filter(([, , , reply]) => reply !== ''))(
    'has not answered %s where the reply is empty',
    async (action, ask) => {
      const error = await failureOf(ask(firewallThat('').firewall))
      expect(error).toBeInstanceOf(MalformedMessageError)
      expect(error).toMatchObject({ expected: expect.stringMatching(` in the reply to ${action}$`), action })
    },
  )

  it.each([
    ['1', true],
    ['true', true],
    ['Yes', true],
    [' TRUE ', true],
    ['0', false],
    ['false', false],
    ['no', false],
    ['', false],
    ['2', false],
  ])('means by %j: %s', async (word, meaning) => {
    const { firewall } = firewallThat(tag('IsWorking', word))
    expect(await firewall.isPinholeWorking(1)).toBe(meaning)
  })

  it('is asked for a pinhole from the very address that it is for', async () => {
    const { firewall, http } = firewallThat(tag('UniqueID', 7))
    await firewall.addPinhole(REQUEST)
    expect(http.seen[0]?.request.localAddress).toBe('2001:db8::5')
  })

  it.each(['192.168.1.5', 'fe80::1', '::', 'ff02::1', ''])(
    'is asked from any address where the internal client is %j',
    async (internalClient) => {
      const { firewall, http } = firewallThat(tag('UniqueID', 7))
      await firewall.addPinhole({ ...REQUEST, internalClient })
      expect(http.seen.map(({ request }) => request.localAddress)).toEqual([undefined])
    },
  )

  it('is asked everything else from any address', async () => {
    for (const [action, ask, , reply] of QUESTIONS) {
      const { firewall, http } = firewallThat(reply)
      await ask(firewall)
      if (action !== 'AddPinhole') expect(http.seen.map(({ request }) => request.localAddress)).toEqual([undefined])
    }
  })
})

it.each([0, -1, 0.5, 2 ** 32, 2 ** 32 + 60])(
  'a lease of %d s is refused before anything is sent',
  async (leaseSeconds) => {
    const { firewall, http } = firewallThat('')
    await expect(firewall.addPinhole({ ...REQUEST, leaseSeconds })).rejects.toBeInstanceOf(InvalidArgumentError)
    await expect(firewall.updatePinhole(1, leaseSeconds)).rejects.toBeInstanceOf(InvalidArgumentError)
    expect(http.seen).toEqual([])
  },
)
