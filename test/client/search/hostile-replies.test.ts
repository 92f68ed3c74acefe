/**
 * What a hostile host on the LAN can do to a search, with any sender: the router is found all the same, and the others
 * together cost a bounded number of requests and bytes. Guaranteed is: whatever is sent in the router's name to the port
 * of the multicast search, the router is found, if it answers a search that is sent to it alone.
 */
import '../../../src/client/search/candidate.ts' // loaded late there, which no fake clock knows
import { describe, expect, it } from 'vitest'
import { MAX_REPLIES_OF_ROUTER } from '../../../src/client/search/datagram-limit.ts'
import { MAX_LOOKS_AT_ROUTER } from '../../../src/client/search/discovery.ts'
import { MAX_OTHERS_BYTES, MAX_OTHERS_REQUESTS } from '../../../src/client/search/others-budget.ts'
import { rememberedRouters } from '../../../src/client/search/router-memory.ts'
import { searchRouter } from '../../../src/client/search/router-search.ts'
import { memoryFiles } from '../../../src/net/files/private-files.ts'
import type { HttpRequest } from '../../../src/net/http/client.ts'
import { FakeClock, settle } from '../../support/fake-clock.ts'
import { ScriptedDatagrams, ssdpReply } from '../../support/scripted-datagrams.ts'
import { answersOf, igdDescription, locationOf, TV_DESCRIPTION, WANIP1 } from '../../support/scripted-devices.ts'
import { type ScriptedAnswer, ScriptedHttp } from '../../support/scripted-http.ts'

const HOME = { address: '192.168.1.10', netmask: '255.255.255.0', multicast: true, unicastTo: [] }
const ROUTER = { host: '192.168.1.1:5000' }
const ROUTER_ADDRESS = '192.168.1.1'
const ROOT = 'upnp:rootdevice'

const trueRouter = answersOf(ROUTER)
const isRouters = ({ url }: HttpRequest): boolean =>
  url.host === ROUTER.host && (url.pathname === '/root.xml' || url.pathname.startsWith('/ctl'))

/** A search beside a hostile host; `others` is what everything but the true description and its services answers. */
async function begin(others: (request: HttpRequest) => ScriptedAnswer) {
  const clock = new FakeClock()
  const datagrams = new ScriptedDatagrams(clock)
  const http = new ScriptedHttp(clock, (request) => (isRouters(request) ? trueRouter(request) : others(request)))
  const places = {
    routes: [HOME],
    interfaces: [{ ...HOME, name: 'eth0', loopback: false }],
    anyHost: false,
    alsoKnown: undefined,
    router: Promise.resolve({ address: ROUTER_ADDRESS, isNamed: false, tunnel: undefined }),
    endpoint: Promise.resolve(undefined),
    isBound: false,
    localAddress: undefined,
  }
  const memory = rememberedRouters(memoryFiles(), clock)
  const result = searchRouter({ net: { clock, datagrams, http }, places, memory })
  const state = { over: false }
  result.finally(() => (state.over = true)).catch(() => {})
  await settle()
  const common = datagrams.socket()
  return {
    clock,
    datagrams,
    http,
    state,
    async flood(count: number, senderOf: (at: number) => string, datagramOf: (at: number) => string): Promise<void> {
      for (let at = 0; at < count; at++) common.deliver(datagramOf(at), senderOf(at))
      await settle()
    },
    /** The router answers the multicast search. */
    answer: () => common.deliver(ssdpReply(locationOf(ROUTER)), ROUTER_ADDRESS),
    /** From now on the router answers every search that is sent to it alone. */
    answersAlone(): void {
      datagrams.onSend = ({ to }, socket) => {
        if (socket !== common && to === `${ROUTER_ADDRESS}:1900`)
          socket.deliver(ssdpReply(locationOf(ROUTER)), ROUTER_ADDRESS)
      }
    },
    async found() {
      for (let step = 0; step < 6000 && !state.over; step += 5) await clock.advance(5)
      expect(state.over).toBe(true)
      const { choice, examined, devices, searchedMs } = await result
      await settle()
      expect([clock.pending, datagrams.openCount, http.waiting], 'timers, sockets, requests left').toEqual([0, 0, 0])
      const used = choice !== 'nobody' && 'igd' in choice ? new URL(choice.igd.location).host : choice
      return { used, examined, devices, searchedMs }
    },
  }
}

const byRouter = (): string => ROUTER_ADDRESS
const byNeighbours = (at: number): string => `192.168.1.${20 + (at % 200)}`
const forged = (at: number): string => ssdpReply(`http://192.168.1.1:5000/forged/${at}`)
const NOT_THERE = (): ScriptedAnswer => ({ status: 404, body: '' })
const SILENCE = (): ScriptedAnswer => 'silence'
/** From then on, no more is read. */
const WITHOUT_END = MAX_REPLIES_OF_ROUTER + 100
const CONNECTED = { used: ROUTER.host, searchedMs: 0 }

describe('what is sent in the name of the router', () => {
  it.each([
    ['130 garbage datagrams', 130, () => 'HTTP/1.1 200 OK\r\nST: \r\n\r\n'],
    ['17 replies', 17, forged],
    ['17 replies that no URL parser reads', 17, () => ssdpReply('http://[')],
    ['5,000 replies', 5000, forged],
    ['8,000 locations that no URL parser reads', 8000, () => ssdpReply('http://[')],
  ])('does not hide it: %s come before its own reply', async (_, count, datagramOf) => {
    const search = await begin(NOT_THERE)
    await search.flood(count, byRouter, datagramOf)
    search.answer()
    expect(await search.found()).toMatchObject(CONNECTED)
  })

  it('does not hide it if 5,000 replies come in its name from others, who tell of it', async () => {
    const search = await begin(NOT_THERE)
    await search.flood(5000, byNeighbours, forged)
    search.answer()
    expect(await search.found()).toMatchObject(CONNECTED)
  })

  it.each([
    ['that are not there', NOT_THERE],
    ['that never answer', SILENCE],
  ])('does not hide it in a flood without end of locations %s: it is asked alone', async (_, others) => {
    const search = await begin(others)
    search.answersAlone()
    await search.flood(WITHOUT_END, byRouter, forged)
    search.answer() // is not read any more
    expect(await search.found()).toMatchObject(CONNECTED)
  })

  it('does not hide it for longer than to the next round if the first one is lost', async () => {
    const search = await begin(SILENCE)
    await search.flood(WITHOUT_END, byRouter, forged)
    await search.clock.advance(250)
    search.answersAlone()
    expect(await search.found()).toMatchObject({ used: ROUTER.host, searchedMs: 300 })
  })

  it('does not hide it if its own reply comes a while after those', async () => {
    for (const others of [NOT_THERE, SILENCE]) {
      const search = await begin(others)
      if (others === SILENCE) search.answersAlone()
      await search.flood(16, byRouter, forged)
      await search.clock.advance(100)
      search.answer()
      await settle()
      expect(await search.found()).toMatchObject({ used: ROUTER.host, searchedMs: 100 })
    }
  })

  it('takes no place twice with what was looked at in vain', async () => {
    const search = await begin(NOT_THERE)
    for (let round = 0; round < 3; round++) await search.flood(40, byRouter, forged)
    search.answer()
    expect(await search.found()).toMatchObject(CONNECTED)
  })

  it('makes it answer a bounded number of requests', async () => {
    const search = await begin(NOT_THERE)
    for (let round = 0; round < 60; round++) {
      await search.flood(100, byRouter, (at) => forged(round * 100 + at))
      await search.clock.advance(10)
    }
    expect(search.http.seen).toHaveLength(MAX_LOOKS_AT_ROUTER)
    search.answersAlone()
    expect(await search.found()).toMatchObject({ used: ROUTER.host })
  })
})

describe('what all others together can use up', () => {
  const HALF_A_MEBIBYTE = TV_DESCRIPTION.replace('<device>', `<device>${`<a>${'x'.repeat(60_000)}</a>`.repeat(8)}`)

  it('are 32 requests, and the router is asked beyond them', async () => {
    const search = await begin(SILENCE)
    await search.flood(5000, byNeighbours, (at) => ssdpReply(`http://${byNeighbours(at)}/${at}`))
    expect(search.http.seen).toHaveLength(MAX_OTHERS_REQUESTS)
    search.answer()
    expect(await search.found()).toMatchObject(CONNECTED)
  })

  it('counts every request: of an IGD also those to its services, and those that are made twice', async () => {
    const igd = igdDescription({ services: [[WANIP1, '/x']] })
    for (const others of [
      ({ method }: HttpRequest): ScriptedAnswer => (method === 'GET' ? { body: igd } : { status: 500, body: '' }),
      (): ScriptedAnswer => ({ status: 500, body: '' }),
    ]) {
      const search = await begin(others)
      await search.flood(60, byNeighbours, (at) => ssdpReply(`http://${byNeighbours(at)}/${at}`))
      await settle()
      await search.clock.advance(1000)
      expect(search.http.seen.length).toBeLessThanOrEqual(MAX_OTHERS_REQUESTS)
      search.answer()
      const { used, examined } = await search.found()
      expect(used).toBe(ROUTER.host)
      expect(examined.map(({ location }) => new URL(location).host)).toEqual([ROUTER.host]) // half the truth is none
    }
  })

  it('leaves half of the requests to those that call themselves an IGD', async () => {
    const search = await begin(SILENCE)
    await search.flood(60, byNeighbours, (at) => ssdpReply(`http://${byNeighbours(at)}/`, ROOT))
    expect(search.http.seen).toHaveLength(MAX_OTHERS_REQUESTS / 2)
    await search.flood(
      1,
      () => byNeighbours(59),
      (at) => ssdpReply(`http://${byNeighbours(at + 59)}/`),
    )
    expect(search.http.seen.at(-1)?.request.url.hostname).toBe(byNeighbours(59))
    search.answer()
    await search.found()
  })

  it('is 1 MiB: of 64 descriptions of 512 KiB from four senders the third is not read to its end', async () => {
    const whole = HALF_A_MEBIBYTE
    const read: number[] = []
    const search = await begin(() => ({ body: whole, afterMs: 1 }))
    const request = search.http.request.bind(search.http)
    search.http.request = async (asked) => {
      const reply = await request(asked)
      if (isRouters(asked)) return reply
      let length = 0
      while (length < reply.body.length && !asked.signal?.aborted) {
        length = Math.min(reply.body.length, length + 64 * 1024)
        asked.isComplete(reply.body.subarray(0, length))
      }
      read.push(length)
      asked.signal?.throwIfAborted()
      return reply
    }
    await search.flood(
      64,
      (at) => `192.168.1.${20 + (at % 4)}`,
      (at) => ssdpReply(`http://192.168.1.${20 + (at % 4)}/${at}`),
    )
    await search.clock.advance(500)
    expect(read.reduce((sum, each) => sum + each, 0)).toBeLessThanOrEqual(MAX_OTHERS_BYTES + 32 * 64 * 1024)
    expect(read.filter((each) => each >= whole.length)).toHaveLength(2)
    search.answer()
    expect(await search.found()).toMatchObject({ used: ROUTER.host })
  })

  it('is no bound for a gateway that is used in the end, though it is not the router', async () => {
    const other = answersOf({ host: '192.168.1.2:5000' })
    const search = await begin((request) => (request.url.host === '192.168.1.2:5000' ? other(request) : 'silence'))
    await search.flood(
      1,
      () => '192.168.1.2',
      () => ssdpReply('http://192.168.1.2:5000/root.xml'),
    )
    await settle()
    await search.flood(60, byNeighbours, (at) => ssdpReply(`http://${byNeighbours(at)}/`))
    const { used, examined } = await search.found()
    expect(used).toBe('192.168.1.2:5000')
    await expect(examined[0]?.gateway?.externalAddress()).resolves.toBe('11.22.33.44')
  })
})
