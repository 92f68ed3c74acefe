import { describe, expect, it } from 'vitest'
import { traceLine } from '../../src/cli/print/printer.ts'
import { type TracedMessage, tracedNet } from '../../src/client/trace.ts'
import { NoReplyError, TransportError } from '../../src/domain/errors.ts'
import type { ConnectedOptions, DatagramOptions, Endpoint } from '../../src/net/datagrams.ts'
import type { HttpReply, HttpRequest } from '../../src/net/http/client.ts'
import type { ClientNet } from '../../src/net/network.ts'
import { encodeNatPmpRequest, encodeNatPmpResponse } from '../../src/wire/natpmp.ts'
import { encodePcpErrorResponse, encodePcpRequest } from '../../src/wire/pcp.ts'
import { encodeSoapFault, encodeSoapResponse } from '../../src/wire/soap.ts'
import { encodeNotify, encodeSearch, encodeSearchReply } from '../../src/wire/ssdp.ts'
import { FakeClock } from '../support/fake-clock.ts'

const GATEWAY = { address: '192.168.1.1', port: 5351 }
const IGD1 = 'urn:schemas-upnp-org:device:InternetGatewayDevice:1'
const WANIP1 = 'urn:schemas-upnp-org:service:WANIPConnection:1'
const MAP = {
  kind: 'MAP-request',
  nonce: '00'.repeat(12),
  protocol: 6,
  internalPort: 22,
  suggestedExternalPort: 22,
  suggestedExternalAddress: '0.0.0.0',
  lifetimeSeconds: 60,
  clientAddress: '192.168.1.5',
  options: [],
} as const

/** A network that hands over what is sent, and what a test lets come in. */
function scene(answer: (request: HttpRequest) => Promise<HttpReply> = () => Promise.reject(new Error('unasked'))) {
  const told: TracedMessage[] = []
  const sent: { readonly bytes: Uint8Array; readonly to: Endpoint | undefined }[] = []
  let opened: DatagramOptions | undefined
  let connected: ConnectedOptions | undefined
  const local = { address: '192.168.1.5', port: 40_000 }
  const net: ClientNet = {
    clock: new FakeClock(),
    datagrams: {
      async open(options) {
        opened = options
        return { local, send: (bytes, to) => sent.push({ bytes, to }), close() {} }
      },
      async connect(options) {
        connected = options
        return { local, send: (bytes) => sent.push({ bytes, to: undefined }), close() {} }
      },
    },
    http: { request: answer },
    interfaces: () => [],
    defaultGateways: async () => [],
  }
  const traced = tracedNet(net, (message) => told.push(message))
  return { traced, told, sent, opened: () => opened, connected: () => connected }
}

const httpRequest = (changes: Partial<HttpRequest> = {}): HttpRequest => ({
  method: 'POST',
  url: new URL('http://192.168.1.1:5000/ctl'),
  headers: [],
  body: 'body',
  action: 'AddPortMapping',
  maxBodyBytes: 1000,
  timeoutMs: 1000,
  isComplete: () => true,
  ...changes,
})

const httpReply = (status: number, text: string): HttpReply => ({
  status,
  headers: new Map(),
  body: new TextEncoder().encode(text),
  localAddress: '192.168.1.5',
  remoteAddress: '192.168.1.1',
})

describe('the trace of datagrams', () => {
  it('tells of a search and of its reply, and lets both pass', async () => {
    const { traced, told, sent, opened } = scene()
    const heard: Uint8Array[] = []
    const socket = await traced.datagrams.open({ address: '0.0.0.0', port: 0, onMessage: (bytes) => heard.push(bytes) })
    const search = encodeSearch({ ST: IGD1, MX: 1, HOST: '239.255.255.250:1900' })
    socket.send(search, { address: '239.255.255.250', port: 1900 })
    const reply = encodeSearchReply({
      ST: IGD1,
      USN: 'uuid:1',
      LOCATION: 'http://192.168.1.1:5000/desc.xml',
      SERVER: 'x',
      maxAge: 60,
      BOOTID: undefined,
    })
    opened()?.onMessage(reply, { address: '192.168.1.1', port: 1900 })
    expect(sent).toEqual([{ bytes: search, to: { address: '239.255.255.250', port: 1900 } }])
    expect(heard).toEqual([reply])
    const common = { timeMs: traced.clock.wallMs(), protocol: 'SSDP' }
    expect(told).toEqual([
      {
        ...common,
        direction: 'sent',
        peer: '239.255.255.250:1900',
        action: `M-SEARCH ${IGD1}`,
        result: undefined,
        bytes: search.length,
      },
      {
        ...common,
        direction: 'received',
        peer: '192.168.1.1:1900',
        action: IGD1,
        result: 'http://192.168.1.1:5000/desc.xml',
        bytes: reply.length,
      },
    ])
  })

  it.each([
    [
      'a NOTIFY',
      encodeNotify({
        NTS: 'ssdp:alive',
        NT: IGD1,
        USN: 'uuid:1',
        LOCATION: 'http://192.168.1.1/',
        SERVER: 'x',
        maxAge: 60,
        BOOTID: undefined,
      }),
      { protocol: 'SSDP', action: `NOTIFY ${IGD1}`, result: 'ssdp:alive' },
    ],
    [
      'a PCP refusal',
      encodePcpErrorResponse(encodePcpRequest(MAP), { resultCode: 2, lifetimeSeconds: 30, epochSeconds: 5 }),
      { protocol: 'PCP', action: 'MAP', result: 'NOT_AUTHORIZED' },
    ],
    [
      'a NAT-PMP address',
      encodeNatPmpResponse({ kind: 'external-address-response', externalAddress: '11.22.33.44', epochSeconds: 5 }),
      { protocol: 'NAT-PMP', action: 'external-address', result: 'SUCCESS' },
    ],
    ['what cannot be read', new Uint8Array([1, 2, 3]), { protocol: 'SSDP', action: '', result: 'unreadable' }],
    ['a PCP reply cut short', new Uint8Array([2, 129]), { protocol: 'PCP', action: '', result: 'unreadable' }],
    ['nothing at all', new Uint8Array(), { protocol: 'SSDP', action: '', result: 'unreadable' }],
  ] as const)('reads %s', async (_, datagram, expected) => {
    const { traced, told, connected } = scene()
    const heard: Uint8Array[] = []
    await traced.datagrams.connect({ remote: GATEWAY, onMessage: (bytes) => heard.push(bytes), onError() {} })
    connected()?.onMessage(datagram)
    expect(told).toEqual([expect.objectContaining({ direction: 'received', peer: '192.168.1.1:5351', ...expected })])
    expect(heard).toEqual([datagram])
  })

  it('tells of requests in PCP and NAT-PMP, and of a port that nobody listens on', async () => {
    const { traced, told, sent, connected } = scene()
    const errors: TransportError[] = []
    const onError = (error: TransportError): void => void errors.push(error)
    const socket = await traced.datagrams.connect({ remote: GATEWAY, onMessage() {}, onError })
    socket.send(encodePcpRequest(MAP))
    const map = { kind: 'map-request', protocol: 'UDP', internalPort: 1, suggestedExternalPort: 0 } as const
    socket.send(encodeNatPmpRequest({ ...map, lifetimeSeconds: 60 }))
    const refused = new TransportError('nothing listens')
    connected()?.onError(refused)
    expect(sent).toHaveLength(2)
    expect(errors).toEqual([refused])
    expect(told.map(({ direction, protocol, action }) => [direction, protocol, action])).toEqual([
      ['sent', 'PCP', 'MAP'],
      ['sent', 'NAT-PMP', 'UDP map'],
      ['failed', 'UDP', ''],
    ])
  })
})

describe('the trace of HTTP', () => {
  it.each([
    [
      'a response',
      httpReply(200, encodeSoapResponse({ serviceType: WANIP1, action: 'AddPortMapping', arguments: [] })),
      '200',
    ],
    ['a UPnP error', httpReply(500, encodeSoapFault(718, 'taken')), '500 718 ConflictInMappingEntry'],
    ['a page of HTML', httpReply(404, '<html>not here</p>'), '404'],
    ['nothing', httpReply(503, ''), '503'],
  ])('tells of a request and of %s', async (_, reply, result) => {
    const { traced, told } = scene(async () => reply)
    expect(await traced.http.request(httpRequest())).toBe(reply)
    const common = {
      timeMs: traced.clock.wallMs(),
      protocol: 'HTTP',
      peer: '192.168.1.1:5000/ctl',
      action: 'AddPortMapping',
    }
    expect(told).toEqual([
      { ...common, direction: 'sent', result: undefined, bytes: 4 },
      { ...common, direction: 'received', result, bytes: reply.body.length },
    ])
  })

  it('tells of a request without an answer, and throws what it threw', async () => {
    const error = new NoReplyError('http://192.168.1.1:5000/ctl did not answer within 1 s')
    const { traced, told } = scene(() => Promise.reject(error))
    await expect(traced.http.request(httpRequest({ method: 'GET', action: 'description' }))).rejects.toBe(error)
    expect(told[1]).toMatchObject({ direction: 'failed', action: 'description', result: error.message, bytes: 0 })
  })
})

describe('a line of the trace', () => {
  const MESSAGE: TracedMessage = {
    timeMs: Date.UTC(2026, 10, 24, 9, 14, 3, 118),
    direction: 'sent',
    protocol: 'HTTP',
    peer: '192.168.1.1:5000/ctl',
    action: 'AddPortMapping',
    result: undefined,
    bytes: 612,
  }

  it.each([
    [{}, '2026-11-24T09:14:03.118Z > HTTP 192.168.1.1:5000/ctl AddPortMapping (612 bytes)\n'],
    [
      { direction: 'received', result: '500 718 ConflictInMappingEntry', bytes: 1 },
      '2026-11-24T09:14:03.118Z < HTTP 192.168.1.1:5000/ctl AddPortMapping: 500 718 ConflictInMappingEntry (1 byte)\n',
    ],
    [
      { direction: 'failed', protocol: 'UDP', action: '', result: 'nothing listens' },
      '2026-11-24T09:14:03.118Z ! UDP 192.168.1.1:5000/ctl: nothing listens\n',
    ],
    [
      { direction: 'received', action: 'x\x1b[31m', result: 'a\nb' },
      '2026-11-24T09:14:03.118Z < HTTP 192.168.1.1:5000/ctl x\\x1b[31m: a\\x0ab (612 bytes)\n',
    ],
  ] as const)('%j', (changes, line) => {
    expect(traceLine({ ...MESSAGE, ...changes })).toBe(line)
  })
})
