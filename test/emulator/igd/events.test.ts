/** The events of the gateway, as the client's own subscription hears them, and by hand. */
import { afterEach, describe, expect, it, vi } from 'vitest'
import { EventSubscription } from '../../../src/client/listen/event-subscription.ts'
import { EVENT_PATH } from '../../../src/emulator/igd/descriptions.ts'
import { EventPublisher, MAX_SUBSCRIPTIONS } from '../../../src/emulator/igd/events.ts'
import { type Emulator, startEmulator } from '../../../src/emulator.ts'
import type { HttpClient, HttpRequest } from '../../../src/net/http/client.ts'
import { nodeHttpServers } from '../../../src/net/http/server.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { makeState } from '../asking.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

async function start(): Promise<Emulator> {
  const emulator = await startEmulator()
  closing.push(() => emulator.close())
  return emulator
}

/** How often the subscriber has been told to look. */
function subscribe({ net, httpPort }: Emulator) {
  let told = 0
  const subscription = new EventSubscription({
    ...net,
    httpServers: nodeHttpServers,
    secret: () => 'secret',
    eventUrl: new URL(`http://127.0.0.1:${httpPort}${EVENT_PATH}`),
    localAddress: '127.0.0.1',
    gatewayAddress: '127.0.0.1',
    onSuspicion: () => told++,
  })
  closing.push(() => subscription.stop())
  return { told: () => told }
}

describe('a subscriber to the events of the gateway', () => {
  it('is told of another external address', async () => {
    const emulator = await start()
    const { told } = subscribe(emulator)
    await vi.waitUntil(() => emulator.counters.requests === 1)
    await new Promise((resolve) => setTimeout(resolve, 50)) // the first event, which is no news
    expect(told()).toBe(0)
    emulator.setExternalAddress('8.8.4.4')
    await vi.waitUntil(() => told() === 1)
  })

  it('is forgotten when the gateway restarts', async () => {
    const emulator = await start()
    const { told } = subscribe(emulator)
    await vi.waitUntil(() => emulator.counters.requests === 1)
    emulator.forget()
    emulator.setExternalAddress('8.8.4.4')
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(told()).toBe(0)
  })
})

describe('a subscription', () => {
  function publisher() {
    const sent: HttpRequest[] = []
    const http: HttpClient = {
      request: (request) => {
        sent.push(request)
        return Promise.reject(new Error('nobody answers'))
      },
    }
    const clock = new FakeClock()
    const events = new EventPublisher({ http, clock, state: makeState(), address: '127.0.0.1' })
    const ask = (method: string, headers: Readonly<Record<string, string>>, remoteAddress = '127.0.0.1') => {
      const body = new Uint8Array()
      const about = { method, target: EVENT_PATH, body, remoteAddress, localAddress: '127.0.0.1' }
      return events.answer({ ...about, headers: new Map(Object.entries(headers)) })
    }
    return { sent, clock, events, ask }
  }
  const NEW = { callback: '<http://127.0.0.1:9/x>', nt: 'upnp:event' }

  it('begins with an event, is renewed by its SID, ends with its time, and can be given back', async () => {
    const { sent, clock, events, ask } = publisher()
    const { status, headers } = ask('SUBSCRIBE', NEW)
    const sid = new Map(headers).get('SID') ?? ''
    expect([status, new Map(headers).get('TIMEOUT')]).toEqual([200, 'Second-1800'])
    expect(sent[0]?.headers).toContainEqual(['SEQ', '0'])
    await clock.advance(1_700_000)
    expect(ask('SUBSCRIBE', { sid }).status).toBe(200)
    await clock.advance(1_700_000)
    events.tell()
    expect(sent[1]?.headers).toContainEqual(['SEQ', '1'])
    expect(ask('UNSUBSCRIBE', { sid }).status).toBe(200)
    expect(ask('UNSUBSCRIBE', { sid }).status).toBe(412)
    expect(ask('SUBSCRIBE', { sid }).status).toBe(412)
    ask('SUBSCRIBE', NEW)
    await clock.advance(1_800_000)
    events.tell()
    expect(sent).toHaveLength(3)
  })

  it('is refused if events would go to somebody else, or if it names nobody', () => {
    const { sent, ask } = publisher()
    expect(ask('SUBSCRIBE', NEW, '127.0.0.2').status).toBe(412)
    expect(ask('SUBSCRIBE', { ...NEW, callback: '<http://victim.example/>' }).status).toBe(412)
    expect(ask('SUBSCRIBE', {}).status).toBe(412)
    expect(sent).toEqual([])
  })

  it('is refused if there are too many', () => {
    const { ask } = publisher()
    const statuses = Array.from({ length: MAX_SUBSCRIPTIONS + 1 }, () => ask('SUBSCRIBE', NEW).status)
    expect(statuses.slice(-2)).toEqual([200, 503])
  })
})
