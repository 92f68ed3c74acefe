/** A router that takes its time over every answer: one after another, or as many at once as it is asked. */
import { describe, expect, it } from 'vitest'
import { IgdServiceGateway } from '../../../src/client/igd/gateway.ts'
import type { ControlledService } from '../../../src/client/igd/services.ts'
import { SoapCaller } from '../../../src/client/igd/soap-caller.ts'
import { createHttpClient, type Exchange, type HttpRequest } from '../../../src/net/http/client.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { addressReply, COMMON1, statusReply, tag, WANIP1 } from '../../support/scripted-devices.ts'
import { soapFault, soapResponse } from '../../support/scripted-gateway.ts'

const CONNECTION: ControlledService = {
  service: 'WANConnection',
  serviceType: WANIP1,
  controlUrls: [new URL('http://192.168.1.1:5000/ctl')],
}
const COMMON: ControlledService = { ...CONNECTION, service: 'WANCommonInterfaceConfig', serviceType: COMMON1 }
const ROWS = 21

function row(index: number): string {
  return soapResponse(
    'GetGenericPortMappingEntry',
    tag('NewRemoteHost', '') +
      tag('NewExternalPort', 8000 + index) +
      tag('NewProtocol', 'TCP') +
      tag('NewInternalPort', 80) +
      tag('NewInternalClient', '192.168.1.6') +
      tag('NewEnabled', 1) +
      tag('NewPortMappingDescription', 'web') +
      tag('NewLeaseDuration', 0),
  )
}

function answerTo({ action, body = '' }: HttpRequest): string {
  if (action === 'GetStatusInfo') return statusReply('Connected')
  if (action === 'GetExternalIPAddress') return addressReply('11.22.33.44')
  if (action === 'GetConnectionTypeInfo') return soapResponse(action, tag('NewConnectionType', 'IP_Routed'))
  if (action.startsWith('GetTotal')) return soapResponse(action, tag(action.replace('Get', 'New'), 7))
  const index = Number(/Index>(\d+)/.exec(body)?.[1])
  return index < ROWS ? row(index) : soapFault(713)
}

interface Router {
  /** How long each answer takes. */
  readonly takesMs: (request: HttpRequest) => number
  /** Works on one question at a time, also on one that nobody waits for any more. */
  readonly serial: boolean
}

function begin({ takesMs, serial }: Router, answerMs?: number) {
  const clock = new FakeClock()
  const work = { freeAtMs: 0, underWay: 0, most: 0 }
  const exchange: Exchange = (request, sink) => {
    work.most = Math.max(work.most, ++work.underWay)
    const nowMs = clock.monotonicMs()
    const endMs = (serial ? Math.max(nowMs, work.freeAtMs) : nowMs) + takesMs(request)
    work.freeAtMs = endMs
    sink.connected('192.168.1.10', '192.168.1.1')
    const cancel = clock.schedule(endMs - nowMs, () => {
      sink.head(200, undefined, [])
      sink.data(Buffer.from(answerTo(request)))
    })
    return () => {
      work.underWay--
      cancel()
    }
  }
  const caller = new SoapCaller(createHttpClient(clock, exchange), undefined, { answerMs })
  const services = {
    connections: [CONNECTION],
    commonInterfaceConfig: COMMON,
    firewallControl: undefined,
    presentationUrl: '',
  }
  const gateway = new IgdServiceGateway(caller, services, CONNECTION, '192.168.1.10')
  return { clock, work, gateway }
}

/** What the first part of a listing asks at once, and then the table: how many rows, and after how long. */
async function list({ clock, gateway }: ReturnType<typeof begin>): Promise<{ rows: number; tookMs: number }> {
  const listing = (async () => {
    await Promise.all([gateway.connectionType(), gateway.status(), gateway.externalAddress()])
    let rows = 0
    for await (const _ of gateway.portMappings()) rows++
    return { rows, tookMs: clock.monotonicMs() }
  })()
  const state = { over: false }
  const over = (): void => {
    state.over = true
  }
  listing.then(over, over)
  for (let step = 0; step < 4000 && !state.over; step++) await clock.advance(50)
  return listing
}

const always = (ms: number) => (): number => ms

describe.each([
  ['for itself', undefined],
  ['for a command', 60_000],
  ['for a keeper', 10_000],
])('a slow router that is asked %s', (_, answerMs) => {
  it.each([0.9, 1, 1.3, 1.57, 1.6, 2, 2.6, 3, 4.9])(
    'for one thing at a time, %d s each, lists all',
    async (seconds) => {
      const begun = begin({ takesMs: always(seconds * 1000), serial: true }, answerMs)
      expect((await list(begun)).rows).toBe(ROWS)
      expect(begun.work.most).toBe(2)
      expect(begun.clock.pending).toBe(0)
    },
  )

  it.each([1, 1.57, 3, 4.9])('for several things at once, %d s each, lists all, several at a time', async (seconds) => {
    const begun = begin({ takesMs: always(seconds * 1000), serial: false }, answerMs)
    const { rows, tookMs } = await list(begun)
    expect(rows).toBe(ROWS)
    expect(tookMs).toBeLessThan(11 * seconds * 1000)
  })

  it('that is slow only over its table, and does one thing at a time, lists all', async () => {
    const takesMs = ({ action }: HttpRequest): number => (action.startsWith('GetGeneric') ? 1570 : 5)
    const begun = begin({ takesMs, serial: true }, answerMs)
    expect((await list(begun)).rows).toBe(ROWS)
  })

  it('tells all its counters', async () => {
    const { clock, gateway } = begin({ takesMs: always(2500), serial: true }, answerMs)
    const counters = gateway.trafficCounters()
    await clock.advance(60_000)
    expect(await counters).toEqual({ bytesSent: 7, bytesReceived: 7, packetsSent: 7, packetsReceived: 7 })
  })
})

it('a router that takes less than half a second over each answer is asked for several things at once', async () => {
  for (const serial of [true, false]) {
    const begun = begin({ takesMs: always(100), serial })
    expect((await list(begun)).rows).toBe(ROWS)
    expect(begun.work.most).toBeGreaterThanOrEqual(6)
  }
})

it('a router that is silent about one thing is asked for it again alone, and so it is for good', async () => {
  const { clock, gateway, work } = begin({ takesMs: ({ action }) => (/Sent/.test(action) ? 1e9 : 5), serial: false })
  const counters = gateway.trafficCounters()
  await clock.advance(60_000)
  expect(await counters).toMatchObject({ bytesSent: undefined, bytesReceived: 7, packetsReceived: 7 })
  expect(work.underWay).toBe(0)
})
