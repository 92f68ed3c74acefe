import { once } from 'node:events'
import { connect } from 'node:net'
import { beforeEach, describe, expect, it } from 'vitest'
import {
  ASKED_TIMEOUT_SECONDS,
  EventSubscription,
  type EventSubscriptionOptions,
  FIRST_RETRY_MS,
  LAST_RETRY_MS,
  LEAST_ANNOUNCED_RENEWAL_MS,
  LEAST_RENEWAL_MS,
  MAX_REFUSALS,
  UNSUBSCRIBE_TIMEOUT_MS,
} from '../../../src/client/listen/event-subscription.ts'
import { NoReplyError, TransportError } from '../../../src/domain/errors.ts'
import { systemClock } from '../../../src/net/clock.ts'
import { createHttpClient, type HttpClient, type HttpReply, type HttpRequest } from '../../../src/net/http/client.ts'
import { leanExchange } from '../../../src/net/http/lean-exchange.ts'
import {
  type HttpServers,
  type ListenOptions,
  nodeHttpServers,
  type ServedReply,
  type ServedRequest,
} from '../../../src/net/http/server.ts'
import { FakeClock, settle } from '../../support/fake-clock.ts'
import { ignoredLog } from '../../support/ignored.ts'

const EVENT_URL = new URL('http://192.168.1.1:5000/evt/IPConn')
const GATEWAY = '192.168.1.1'

type Answer = { readonly status?: number; readonly headers?: Record<string, string> } | Error | 'silence'

interface Asked {
  readonly atMs: number
  readonly request: HttpRequest
}

/** A gateway that answers as it is told, and the servers that it could call back. */
class Scripted implements HttpClient, HttpServers {
  readonly asked: Asked[] = []
  readonly listening: (ListenOptions & { closed: boolean })[] = []
  readonly #clock: FakeClock
  answer: (request: HttpRequest, nth: number) => Answer | Promise<Answer> = (_request, nth) => granted(nth)
  canListen = true
  remoteAddress = GATEWAY

  constructor(clock: FakeClock) {
    this.#clock = clock
  }

  async request(request: HttpRequest): Promise<HttpReply> {
    this.asked.push({ atMs: this.#clock.monotonicMs(), request })
    request.signal?.throwIfAborted()
    const answer = await this.answer(request, this.asked.length)
    request.signal?.throwIfAborted()
    if (answer === 'silence') return this.#silence(request)
    if (answer instanceof Error) throw answer
    const headers = new Map(Object.entries(answer.headers ?? {}))
    const { remoteAddress } = this
    return { status: answer.status ?? 200, headers, body: new Uint8Array(), localAddress: '', remoteAddress }
  }

  #silence({ timeoutMs, signal }: HttpRequest): Promise<never> {
    return new Promise((_resolve, reject) => {
      const cancel = this.#clock.schedule(timeoutMs, () => reject(new NoReplyError('no answer')))
      signal?.addEventListener('abort', () => {
        cancel()
        reject(signal.reason)
      })
    })
  }

  listen: HttpServers['listen'] = async (options) => {
    if (!this.canListen) throw new TransportError('no server')
    const server = { ...options, closed: false }
    this.listening.push(server)
    return {
      local: { address: options.address, port: 40_000 },
      async close() {
        server.closed = true
      },
    }
  }

  /** `METHOD what at ms`: what was asked, in short. */
  get log(): string[] {
    return this.asked.map(({ atMs, request }) => `${request.method} ${header(request, 'SID') ?? 'new'} at ${atMs}`)
  }

  /** What the subscriber says to a notification. */
  async notify(changes: Partial<ServedRequest> & { sid?: string } = {}): Promise<number | undefined> {
    const { sid = 'uuid:1', ...others } = changes
    const reply = await this.listening.at(-1)?.handler({
      method: 'NOTIFY',
      target: '/secret',
      headers: new Map(Object.entries({ nt: 'upnp:event', nts: 'upnp:propchange', sid, seq: '1' })),
      body: new TextEncoder().encode(BODY),
      remoteAddress: GATEWAY,
      localAddress: '192.168.1.10',
      ...others,
    })
    return (reply as ServedReply | undefined)?.status
  }
}

const BODY =
  '<e:propertyset xmlns:e="urn:schemas-upnp-org:event-1-0"><e:property>' +
  '<ExternalIPAddress>11.22.33.44</ExternalIPAddress></e:property></e:propertyset>'

const granted = (nth: number, seconds = ASKED_TIMEOUT_SECONDS): Answer => ({
  headers: { sid: `uuid:${nth}`, timeout: `Second-${seconds}` },
})

const header = (request: HttpRequest, name: string): string | undefined =>
  request.headers.find(([each]) => each === name)?.[1]

let clock: FakeClock
let scripted: Scripted
let suspicions: number
let running: EventSubscription

const stop = (): Promise<void> => running.stop()

beforeEach(() => {
  clock = new FakeClock()
  scripted = new Scripted(clock)
  suspicions = 0
})

async function subscribe(changes: Partial<EventSubscriptionOptions> = {}): Promise<void> {
  running = new EventSubscription({
    http: scripted,
    httpServers: scripted,
    clock,
    secret: () => 'secret',
    eventUrl: EVENT_URL,
    localAddress: '192.168.1.10',
    gatewayAddress: GATEWAY,
    onSuspicion: () => suspicions++,
    ...changes,
  })
  await settle()
}

const HALF_MS = (ASKED_TIMEOUT_SECONDS * 1000) / 2

describe('a subscription', () => {
  it('is asked for from the local address, with a server there and a path that only the gateway is told', async () => {
    await subscribe()
    expect(scripted.listening.map(({ address }) => address)).toEqual(['192.168.1.10'])
    const [asked] = scripted.asked
    expect(asked?.request).toMatchObject({ method: 'SUBSCRIBE', url: EVENT_URL, localAddress: '192.168.1.10' })
    expect(asked?.request.headers.slice(1)).toEqual([
      ['CALLBACK', '<http://192.168.1.10:40000/secret>'],
      ['NT', 'upnp:event'],
      ['TIMEOUT', 'Second-1800'],
    ])
  })

  it('to a link-local gateway has the zone everywhere but in the URL', async () => {
    await subscribe({ localAddress: 'fe80::10', gatewayAddress: 'fe80::1%eth0', zone: 'eth0' })
    expect(scripted.listening[0]?.address).toBe('fe80::10%eth0')
    const request = scripted.asked[0]?.request
    expect(request).toMatchObject({ zone: 'eth0', localAddress: 'fe80::10%eth0' })
    expect(request && header(request, 'CALLBACK')).toBe('<http://[fe80::10]:40000/secret>')
    expect(await scripted.notify({ remoteAddress: 'fe80::1%eth0' })).toBe(200)
  })

  it('is renewed at half of what was granted, again and again', async () => {
    await subscribe()
    await clock.advance(HALF_MS)
    await clock.advance(HALF_MS)
    expect(scripted.log).toEqual([
      `SUBSCRIBE new at 0`,
      `SUBSCRIBE uuid:1 at ${HALF_MS}`,
      `SUBSCRIBE uuid:2 at ${2 * HALF_MS}`,
    ])
    expect(scripted.asked[1]?.request.headers.map(([name]) => name)).toEqual(['User-Agent', 'SID', 'TIMEOUT'])
    expect(await scripted.notify({ sid: 'uuid:3' })).toBe(200)
  })

  it.each([
    ['300 s', 'Second-300', 150_000],
    ['1 s', 'Second-1', LEAST_RENEWAL_MS],
    ['0 s', 'Second-0', LEAST_RENEWAL_MS],
    ['a day', 'Second-86400', HALF_MS],
    ['for ever', 'Second-infinite', HALF_MS],
    ['it is not said how long', '', HALF_MS],
  ])('that was granted for %s is renewed neither too often nor too seldom', async (_name, timeout, renewalMs) => {
    scripted.answer = () => ({ headers: { sid: 'uuid:1', timeout } })
    await subscribe()
    await clock.advance(renewalMs - 1)
    expect(scripted.asked).toHaveLength(1)
    await clock.advance(1)
    expect(scripted.asked).toHaveLength(2)
  })

  it('keeps its SID where the renewal does not repeat it', async () => {
    scripted.answer = (_request, nth) => (nth === 1 ? granted(1) : { headers: {} })
    await subscribe()
    await clock.advance(2 * HALF_MS)
    expect(scripted.log.map((line) => line.replace(/ at.*/, ''))).toEqual([
      'SUBSCRIBE new',
      'SUBSCRIBE uuid:1',
      'SUBSCRIBE uuid:1',
    ])
  })

  it.each([412, 404, 500])('is asked for anew at once where the gateway has forgotten it: %s', async (status) => {
    scripted.answer = (_request, nth) => (nth === 2 ? { status } : granted(nth))
    await subscribe()
    await clock.advance(HALF_MS)
    expect(scripted.log.slice(1)).toEqual([`SUBSCRIBE uuid:1 at ${HALF_MS}`, `SUBSCRIBE new at ${HALF_MS}`])
    expect(await scripted.notify({ sid: 'uuid:1' })).toBe(412)
    expect(await scripted.notify({ sid: 'uuid:3' })).toBe(200)
  })

  it.each([
    ['does not answer', 'silence', 5000],
    ['refuses the connection', new TransportError('refused'), 0],
    ['answers with no SID that can be read', { headers: { sid: 'uuid: 1' } }, 0],
  ] satisfies [string, Answer, number][])(
    'is asked for anew after a pause, by one request, where the gateway %s; until then it is heard',
    async (_name, trouble, takesMs) => {
      scripted.answer = (_request, nth) => (nth < 2 ? granted(nth) : nth === 4 ? granted(4) : trouble)
      await subscribe()
      await clock.advance(HALF_MS + takesMs)
      expect(await scripted.notify({ sid: 'uuid:1' })).toBe(200)
      await clock.advance(FIRST_RETRY_MS - 1)
      expect(scripted.asked).toHaveLength(2)
      await clock.advance(1 + takesMs)
      expect(await scripted.notify({ sid: 'uuid:1' })).toBe(200)
      await clock.advance(2 * FIRST_RETRY_MS)
      const [second, third] = [HALF_MS + takesMs + FIRST_RETRY_MS, HALF_MS + 2 * takesMs + 3 * FIRST_RETRY_MS]
      expect(scripted.log.slice(1)).toEqual([
        `SUBSCRIBE uuid:1 at ${HALF_MS}`,
        `SUBSCRIBE new at ${second}`,
        `SUBSCRIBE new at ${third}`,
      ])
      expect(await scripted.notify({ sid: 'uuid:1' })).toBe(412)
      expect(await scripted.notify({ sid: 'uuid:4' })).toBe(200)
    },
  )

  it('is renewed sooner where there is a reason to, but not all the time', async () => {
    await subscribe()
    running.renew()
    running.renew()
    await clock.advance(LEAST_ANNOUNCED_RENEWAL_MS - 1)
    expect(scripted.asked).toHaveLength(1)
    await clock.advance(1)
    expect(scripted.log.slice(1)).toEqual([`SUBSCRIBE uuid:1 at ${LEAST_ANNOUNCED_RENEWAL_MS}`])
    await clock.advance(HALF_MS - 1)
    expect(scripted.asked).toHaveLength(2)
    running.renew()
    await settle()
    expect(scripted.asked).toHaveLength(3)
  })

  it('is renewed at once if the gateway has indeed restarted', async () => {
    await subscribe()
    await clock.advance(1000)
    running.renewNow()
    await settle()
    expect(scripted.log.slice(1)).toEqual(['SUBSCRIBE uuid:1 at 1000'])
    running.renew()
    await clock.advance(LEAST_ANNOUNCED_RENEWAL_MS - 1)
    expect(scripted.asked).toHaveLength(2)
  })

  it('is not tried sooner after a failure, whatever reason there is', async () => {
    scripted.answer = () => ({ status: 503 })
    await subscribe()
    running.renew()
    await clock.advance(FIRST_RETRY_MS - 1)
    expect(scripted.asked).toHaveLength(1)
  })

  it('that is granted too late is refused when an event of it comes', async () => {
    scripted.answer = () => 'silence'
    await subscribe()
    await clock.advance(5000)
    expect(await scripted.notify({ sid: 'uuid:1' })).toBe(412)
  })

  it.each([405, 501, 404, 412])('is given up, server and all, where the gateway refuses it with %s', async (status) => {
    scripted.answer = () => ({ status })
    await subscribe()
    await clock.advance(10 * LAST_RETRY_MS)
    expect(scripted.asked).toHaveLength(MAX_REFUSALS)
    expect(scripted.listening.map(({ closed }) => closed)).toEqual([true])
    expect(clock.pending).toBe(0)
    await stop()
    expect(scripted.asked).toHaveLength(MAX_REFUSALS)
  })

  it('is not given up where it was granted between refusals', async () => {
    scripted.answer = (_request, nth) => (nth === MAX_REFUSALS ? granted(nth) : { status: 404 })
    await subscribe()
    await clock.advance(FIRST_RETRY_MS * 3)
    expect(scripted.asked).toHaveLength(MAX_REFUSALS)
    await clock.advance(HALF_MS)
    expect(scripted.listening[0]?.closed).toBe(false)
    await clock.advance(10 * LAST_RETRY_MS)
    expect(scripted.asked).toHaveLength(MAX_REFUSALS + 1 + MAX_REFUSALS)
    expect(scripted.listening[0]?.closed).toBe(true)
  })

  it.each(['', '0.0.0.0', '::', '224.0.0.1', 'computer'])('opens no server on %j', async (localAddress) => {
    await subscribe({ localAddress })
    await clock.advance(LAST_RETRY_MS)
    expect(scripted.listening).toEqual([])
    expect(scripted.asked).toEqual([])
  })

  it.each([
    ['has too many subscribers', { status: 503 }],
    ['is in trouble', { status: 500 }],
    ['grants nothing that can be named', { status: 200, headers: { timeout: 'Second-300' } }],
    ['refuses the connection', new TransportError('refused')],
  ] satisfies [string, Answer][])('is tried again ever more seldom where the gateway %s', async (_name, trouble) => {
    scripted.answer = () => trouble
    await subscribe()
    const pauses: number[] = []
    for (let pauseMs = FIRST_RETRY_MS; pauseMs < LAST_RETRY_MS; pauseMs *= 2) pauses.push(pauseMs)
    for (const pauseMs of [...pauses, LAST_RETRY_MS, LAST_RETRY_MS]) {
      const before = scripted.asked.length
      await clock.advance(pauseMs - 1)
      expect(scripted.asked).toHaveLength(before)
      await clock.advance(1)
      expect(scripted.asked).toHaveLength(before + 1)
    }
    expect(scripted.listening).toHaveLength(1)
  })

  it('begins with short pauses again once it has been granted', async () => {
    scripted.answer = (_request, nth) => (nth === 3 ? granted(3) : new TransportError('refused'))
    await subscribe()
    await clock.advance(FIRST_RETRY_MS * 3)
    expect(scripted.asked).toHaveLength(3)
    await clock.advance(HALF_MS)
    expect(scripted.asked).toHaveLength(4)
    await clock.advance(FIRST_RETRY_MS)
    expect(scripted.asked).toHaveLength(5)
  })

  it('is tried again where there can be no server, without asking for anything', async () => {
    scripted.canListen = false
    await subscribe()
    expect(scripted.asked).toEqual([])
    scripted.canListen = true
    await clock.advance(FIRST_RETRY_MS)
    expect(scripted.asked).toHaveLength(1)
  })
})

describe('the end of a subscription', () => {
  it('is told to the gateway; the server is closed and no timer is left', async () => {
    await subscribe()
    await stop()
    expect(scripted.log).toEqual(['SUBSCRIBE new at 0', 'UNSUBSCRIBE uuid:1 at 0'])
    expect(scripted.listening[0]?.closed).toBe(true)
    expect(clock.pending).toBe(0)
    await stop()
    expect(scripted.asked).toHaveLength(2)
  })

  it('takes a second at most where the gateway is silent', async () => {
    await subscribe()
    scripted.answer = () => 'silence'
    let isOver = false
    stop().then(() => (isOver = true))
    await clock.advance(UNSUBSCRIBE_TIMEOUT_MS - 1)
    expect(isOver).toBe(false)
    await clock.advance(1)
    expect(isOver).toBe(true)
    expect(scripted.listening[0]?.closed).toBe(true)
  })

  it.each([{ status: 412 }, new TransportError('refused')])('may be refused: %s', async (answer) => {
    await subscribe()
    scripted.answer = () => answer
    await stop()
    expect(scripted.listening[0]?.closed).toBe(true)
  })

  it('needs no telling where there is none yet: a question on its way is dropped', async () => {
    scripted.answer = () => 'silence'
    await subscribe()
    await stop()
    expect(scripted.log).toEqual(['SUBSCRIBE new at 0'])
    expect(scripted.listening[0]?.closed).toBe(true)
    expect(clock.pending).toBe(0)
  })

  it('comes at once in the pause after a failure', async () => {
    scripted.answer = () => ({ status: 503 })
    await subscribe()
    await stop()
    expect(clock.pending).toBe(0)
  })

  it('lets no event pass any more', async () => {
    await subscribe()
    scripted.answer = async () => {
      expect(await scripted.notify()).toBe(412)
      return {}
    }
    await stop()
    expect(scripted.asked).toHaveLength(2)
    expect(suspicions).toBe(0)
  })
})

const event = (...variables: readonly (readonly [string, string | number])[]): Uint8Array =>
  new TextEncoder().encode(
    `<e:propertyset xmlns:e="urn:schemas-upnp-org:event-1-0">${variables
      .map(([name, value]) => `<e:property><${name}>${value}</${name}></e:property>`)
      .join('')}</e:propertyset>`,
  )

const numbered = (seq: number): ServedRequest['headers'] =>
  new Map(Object.entries({ nt: 'upnp:event', nts: 'upnp:propchange', sid: 'uuid:1', seq: `${seq}` }))

describe('an event', () => {
  it('from the gateway, with the secret and the SID, is a reason to ask', async () => {
    await subscribe()
    expect(await scripted.notify()).toBe(200)
    expect(suspicions).toBe(1)
  })

  it('that is the first one tells of nothing new; a change after it does', async () => {
    await subscribe()
    const addressIs = (address: string) => event(['ExternalIPAddress', address], ['PortMappingNumberOfEntries', 3])
    expect(await scripted.notify({ headers: numbered(0), body: addressIs('11.22.33.44') })).toBe(200)
    expect(suspicions).toBe(0)
    expect(await scripted.notify({ headers: numbered(1), body: addressIs('11.22.33.55') })).toBe(200)
    expect(suspicions).toBe(1)
  })

  it('is no reason to ask after a mapping of our own: there is only more than before', async () => {
    await subscribe()
    await scripted.notify({ headers: numbered(0), body: event(['PortMappingNumberOfEntries', 3]) })
    await scripted.notify({ headers: numbered(1), body: event(['PortMappingNumberOfEntries', 4]) })
    expect(suspicions).toBe(0)
    await scripted.notify({ headers: numbered(2), body: event(['PortMappingNumberOfEntries', 3]) })
    expect(suspicions).toBe(1)
  })

  it('that is the first one after a restart is compared with what was before it', async () => {
    scripted.answer = (_request, nth) => (nth === 2 ? { status: 412 } : granted(1))
    await subscribe()
    await scripted.notify({ headers: numbered(0), body: event(['PortMappingNumberOfEntries', 1]) })
    await clock.advance(HALF_MS)
    expect(scripted.asked).toHaveLength(3)
    await scripted.notify({ headers: numbered(0), body: event(['PortMappingNumberOfEntries', 0]) })
    expect(suspicions).toBe(1)
  })

  it('that comes before the answer to the question is heard too', async () => {
    scripted.answer = async () => {
      expect(await scripted.notify({ sid: 'uuid:7' })).toBe(200)
      return granted(7)
    }
    await subscribe()
    expect(suspicions).toBe(1)
  })

  it('that cannot be read is a reason to ask all the same', async () => {
    await subscribe()
    expect(await scripted.notify({ body: new TextEncoder().encode('<a>') })).toBe(200)
    expect(suspicions).toBe(1)
  })

  it('comes from whoever has answered, where the gateway has a name only', async () => {
    await subscribe({ gatewayAddress: 'router.lan' })
    expect(scripted.listening[0]?.isWelcome?.(GATEWAY)).toBe(true)
    expect(await scripted.notify()).toBe(200)
    expect(await scripted.notify({ remoteAddress: '192.168.1.66' })).toBe(404)
  })

  it('needs a connection, which nobody but the gateway is granted', async () => {
    await subscribe()
    const { isWelcome } = scripted.listening[0] ?? {}
    expect([GATEWAY, `::ffff:${GATEWAY}`, '192.168.1.66', '::1', ''].map((address) => isWelcome?.(address))).toEqual([
      true,
      true,
      false,
      false,
      false,
    ])
  })

  it.each([
    ['from another host', { remoteAddress: '192.168.1.66' }, 404],
    ['with another path', { target: '/' }, 404],
    ['with a longer path', { target: '/secret/' }, 404],
    ['with a query', { target: '/secret?' }, 404],
    ['by another method', { method: 'POST' }, 404],
    ['by GET', { method: 'GET' }, 404],
    ['with another SID', { sid: 'uuid:2' }, 412],
    ['without a SID', { headers: new Map([['nt', 'upnp:event']]) }, 412],
    [
      'of another kind',
      {
        headers: new Map([
          ['sid', 'uuid:1'],
          ['nt', 'upnp:event'],
          ['nts', 'ssdp:alive'],
        ]),
      },
      412,
    ],
  ])('%s is refused', async (_name, changes, status) => {
    await subscribe()
    expect(await scripted.notify(changes)).toBe(status)
    expect(suspicions).toBe(0)
  })

  it('is refused while there is no subscription', async () => {
    scripted.answer = () => ({ status: 503 })
    await subscribe()
    expect(await scripted.notify()).toBe(412)
    expect(suspicions).toBe(0)
  })
})

describe('a subscription over loopback', () => {
  it('hears a notification by a real server, and is given back', async () => {
    const asked: ServedRequest[] = []
    let callback = ''
    const device = await nodeHttpServers.listen({
      address: '127.0.0.1',
      port: 0,
      handler(request) {
        asked.push(request)
        callback = /<(.*)>/.exec(request.headers.get('callback') ?? '')?.[1] ?? callback
        return {
          status: 200,
          headers: [
            ['SID', 'uuid:1'],
            ['TIMEOUT', 'Second-1800'],
          ],
          body: '',
        }
      },
    })
    let isHeard = (): void => {}
    const heard = new Promise<void>((resolve) => (isHeard = resolve))
    await subscribe({
      http: createHttpClient(systemClock, leanExchange),
      httpServers: nodeHttpServers,
      eventUrl: new URL(`http://127.0.0.1:${device.local.port}/evt`),
      localAddress: '127.0.0.1',
      gatewayAddress: '127.0.0.1',
      onSuspicion: () => isHeard(),
    })
    while (callback === '') await new Promise((resolve) => setImmediate(resolve))
    await settle()
    const { port, pathname } = new URL(callback)
    const socket = connect({ host: '127.0.0.1', port: Number(port) })
    socket.end(
      `NOTIFY ${pathname} HTTP/1.0\r\nNT: upnp:event\r\nNTS: upnp:propchange\r\nSID: uuid:1\r\nSEQ: 1\r\n` +
        `Content-Length: ${BODY.length}\r\n\r\n${BODY}`,
    )
    const [reply] = await once(socket, 'data')
    expect(String(reply)).toMatch(/^HTTP\/1\.1 200 /)
    await heard
    await stop()
    await device.close()
    expect(asked.map(({ method }) => method)).toEqual(['SUBSCRIBE', 'UNSUBSCRIBE'])
    expect(asked[1]?.headers.get('sid')).toBe('uuid:1')
  })
})

it('outlives a defect in subscribing and at its end, tells of both, and tries again', async () => {
  const log = ignoredLog()
  const defect = new TypeError('x is undefined')
  scripted.answer = (request, nth) => (nth === 1 || request.method === 'UNSUBSCRIBE' ? defect : granted(nth))
  await subscribe()
  await clock.advance(FIRST_RETRY_MS)
  expect(scripted.asked).toHaveLength(2)
  await stop()
  const told = `device ${EVENT_URL.host}: TypeError: x is undefined`
  expect(log.told()).toEqual([told, told])
  log.end()
})
