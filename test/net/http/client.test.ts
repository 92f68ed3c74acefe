import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { NoReplyError, TransportError } from '../../../src/domain/errors.ts'
import { createHttpClient, type Exchange, type HttpReply, type HttpRequest } from '../../../src/net/http/client.ts'
import { MAX_HEAD_BYTES } from '../../../src/net/http/head.ts'
import { leanExchange } from '../../../src/net/http/lean-exchange.ts'
import { undiciExchange } from '../../../src/net/http/undici-exchange.ts'
import { NAMES_OF_OBJECTS } from '../../fuzz/xml-differential.ts'
import { FakeClock, settle } from '../../support/fake-clock.ts'
import { ignoredLog } from '../../support/ignored.ts'
import { type Peer, type RawServer, type Script, startRawServer } from '../../support/raw-server.ts'

const XML = '<?xml version="1.0"?>\n<root><a>1</a></root>\n'
const TIMEOUT_MS = 5000

let clock: FakeClock
let exchange: Exchange
const servers: RawServer[] = []
const strays: unknown[] = []
const noteStray = (reason: unknown): void => void strays.push(reason)

beforeEach(() => {
  clock = new FakeClock()
  strays.length = 0
  process.on('unhandledRejection', noteStray)
  process.on('uncaughtException', noteStray)
  process.on('warning', noteStray)
})

/** Nothing is left: no connection that the client did not close, no timer, no error that nobody waited for, no warning. */
afterEach(async () => {
  for (const server of servers) await server.idle()
  for (const server of servers.splice(0)) await server.close()
  await settle()
  process.off('unhandledRejection', noteStray)
  process.off('uncaughtException', noteStray)
  process.off('warning', noteStray)
  expect(clock.pending).toBe(0)
  expect(strays).toEqual([])
})

async function serve(script: Script): Promise<RawServer> {
  const server = await startRawServer(script)
  servers.push(server)
  return server
}

/** Answers the request with those bytes and keeps the connection open. */
const answering =
  (...parts: readonly (string | Uint8Array)[]): Script =>
  async (peer) => {
    await peer.request()
    for (const part of parts) await peer.send(part)
  }

/** The same, and closes. */
const closingAfter =
  (...parts: readonly (string | Uint8Array)[]): Script =>
  async (peer) => {
    await answering(...parts)(peer)
    peer.end()
  }

/** Counts the questions whether the body is complete, and lets a test wait for them. */
class Watch {
  asked = 0
  size = 0
  readonly #waiting = new Set<() => void>()

  readonly isComplete = (body: Uint8Array): boolean => {
    this.asked++
    this.size = body.length
    for (const wake of [...this.#waiting]) wake()
    return /<\/root>\s*$/.test(Buffer.from(body.subarray(-20)).toString('latin1'))
  }

  async received(size: number): Promise<void> {
    while (this.size < size) {
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.#waiting.delete(wake)
          resolve()
        }
        this.#waiting.add(wake)
      })
    }
  }
}

function ask(server: RawServer, changes: Partial<HttpRequest> = {}): Promise<HttpReply> {
  return createHttpClient(clock, exchange).request({
    method: 'GET',
    url: server.url('/desc.xml'),
    headers: [],
    action: 'GetDescription',
    maxBodyBytes: 512 * 1024,
    timeoutMs: TIMEOUT_MS,
    isComplete: new Watch().isComplete,
    ...changes,
  })
}

const text = (reply: HttpReply): string => Buffer.from(reply.body).toString('latin1')

async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  )
}

const ok = (headers: string, body = XML): string => `HTTP/1.1 200 OK\r\n${headers}\r\n${body}`

it('gives a host 3.5 s to accept a connection, whatever time an answer has', async () => {
  let dropped = 0
  exchange = () => () => dropped++
  const outcome = failure(
    createHttpClient(clock, exchange).request({
      method: 'GET',
      url: new URL('http://192.168.1.1:5000/'),
      headers: [],
      action: 'description',
      maxBodyBytes: 1000,
      timeoutMs: 60_000,
      silenceMs: 20_000,
      isComplete: () => true,
    }),
  )
  await clock.advance(3499)
  expect(dropped).toBe(0)
  await clock.advance(1)
  expect(await outcome).toMatchObject({
    code: 'NO_REPLY',
    message: 'description: http://192.168.1.1:5000 did not accept a connection within 3.5 s',
  })
  expect(dropped).toBe(1)
})

describe.each([
  { name: 'undici', by: undiciExchange },
  { name: 'a bare socket', by: leanExchange },
])('by $name:', ({ by }) => {
  beforeEach(() => {
    exchange = by
  })

  it('a defect in judging a reply costs that reply only, which ends with its connection', async () => {
    const log = ignoredLog()
    const server = await serve(closingAfter(ok('')))
    const isComplete = (): boolean => {
      throw new TypeError('x is undefined')
    }
    expect(text(await ask(server, { isComplete }))).toBe(XML)
    expect(new Set(log.told())).toEqual(new Set([`reply 127.0.0.1:${server.port}: TypeError: x is undefined`]))
    log.end()
  })

  it('a header may have the name of what every object has', async () => {
    const names = NAMES_OF_OBJECTS.map((name) => `${name}: 1\r\n${name}: 2\r\n`).join('')
    const server = await serve(closingAfter(ok(`${names}X: y\r\n`)))
    const { status, headers } = await ask(server)
    expect([status, headers.get('x'), headers.get('constructor'), headers.get('__proto__')]).toEqual([
      ...[200, 'y', '1', '1'],
    ])
  })

  describe('a request', () => {
    it('shares its signal with many others without a word from Node', async () => {
      const server = await serve(closingAfter(ok(XML)))
      const { signal } = new AbortController()
      await Promise.all(Array.from({ length: 20 }, () => ask(server, { signal })))
    })

    it('is sent in one piece, with the port in Host and the spelling and order of its headers', async () => {
      const server = await serve(closingAfter(ok('')))
      await ask(server, {
        method: 'POST',
        url: server.url('/ctl?x=1'),
        headers: [
          ['User-Agent', 'Test/1'],
          ['Content-Type', 'text/xml; charset="utf-8"'],
          ['SOAPAction', '"urn:x#GetStatusInfo"'],
        ],
        body: '<é/>',
      })
      const [peer] = server.peers
      expect(peer?.pieces).toHaveLength(1)
      const [head = '', body] = (peer?.pieces[0] ?? '').split('\r\n\r\n')
      const [requestLine, ...headers] = head.split('\r\n')
      expect(requestLine).toBe('POST /ctl?x=1 HTTP/1.1')
      const framing = /^(connection: close|content-length: 5)$/i // undici has its own places for these
      expect(headers.filter((line) => framing.test(line))).toHaveLength(2)
      expect(headers.filter((line) => !framing.test(line))).toEqual([
        expect.stringMatching(new RegExp(`^host: 127\\.0\\.0\\.1:${server.port}$`, 'i')),
        'User-Agent: Test/1',
        'Content-Type: text/xml; charset="utf-8"',
        'SOAPAction: "urn:x#GetStatusInfo"',
      ])
      expect(body).toBe(Buffer.from('<é/>').toString('latin1'))
    })

    it('of 100 kB is sent whole', async () => {
      const server = await serve(closingAfter(ok('')))
      const body = 'x'.repeat(100_000)
      await ask(server, { method: 'POST', body })
      expect((await server.peers[0]?.request())?.split('\r\n\r\n')[1]).toBe(body)
    })

    it('asks for nothing that would come compressed, and for no other page', async () => {
      const server = await serve(closingAfter(ok('')))
      await ask(server)
      expect(server.peers[0]?.pieces.join('')).not.toMatch(/accept-encoding|cookie|expect|upgrade|keep-alive/i)
    })

    it('does not half close its connection (Q59)', async () => {
      let half: boolean | undefined
      const server = await serve(async (peer) => {
        await peer.request()
        await settle()
        half = peer.halfClosed
        await peer.send(ok(''))
      })
      await ask(server)
      expect(half).toBe(false)
    })

    it('is refused before anything is sent where a header would carry a line end', async () => {
      const server = await serve(closingAfter(ok('')))
      const error = await failure(ask(server, { headers: [['SOAPAction', 'x\r\nEvil: 1']] }))
      expect(error).toBeInstanceOf(TransportError)
      expect(server.peers).toHaveLength(0)
    })

    it('tells which addresses talked', async () => {
      const server = await serve(closingAfter(ok('')))
      expect(await ask(server)).toMatchObject({ localAddress: '127.0.0.1', remoteAddress: '127.0.0.1' })
    })
  })

  describe('a reply', () => {
    const FORMS: readonly (readonly [string, string])[] = [
      ['as it should be', ok(`Content-Length: ${XML.length}\r\nContent-Type: text/xml\r\n`)],
      ['with a head that ends its lines in LF (Q62)', `HTTP/1.1 200 OK\nContent-Type: text/xml\n\n${XML}`],
      ['with a head that mixes line ends', `HTTP/1.1 200 OK\r\nContent-Type: text/xml\n\r\n${XML}`],
      ['in HTTP/1.0 (Q61)', `HTTP/1.0 200 OK\r\n\r\n${XML}`],
      ['without a reason', `HTTP/1.1 200\r\n\r\n${XML}`],
      ['without Content-Length (Q63)', ok('')],
      ['without Content-Type (Q72)', ok(`Content-Length: ${XML.length}\r\n`)],
      ['with a Content-Length that is too large (Q64)', ok('Content-Length: 99999\r\n')],
      ['with a Content-Length that is too small (Q64)', ok('Content-Length: 10\r\n')],
      ['with a Content-Length that is no number', ok('Content-Length: -1\r\n')],
      ['with two Content-Lengths', ok('Content-Length: 3\r\nContent-Length: 7\r\n')],
      ['with a transfer coding that is none', ok('Transfer-Encoding: identity\r\n')],
      [
        'with keep-alive (Q66)',
        ok(`Connection: keep-alive\r\nKeep-Alive: timeout=5\r\nContent-Length: ${XML.length}\r\n`),
      ],
      ['with lines that are no header', ok('nonsense\r\n folded: x\r\nBad Name: x\r\n: x\r\nX-\0: y\r\nX: a\x01b\r\n')],
      ['chunked (Q60)', ok('Transfer-Encoding: chunked\r\n', chunked(XML, 7))],
      ['chunked in HTTP/1.0', `HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunked(XML, 7)}`],
      [
        'chunked, with Content-Length beside it',
        ok('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', chunked(XML, 7)),
      ],
      [
        'chunked, with Content-Length after it',
        ok('Transfer-Encoding: Chunked\r\nContent-Length: 5\r\n', chunked(XML, 7)),
      ],
      [
        'chunked, with extensions and a trailer',
        ok('Transfer-Encoding: chunked\r\n', `${XML.length.toString(16)};x=y\r\n${XML}\r\n0\r\nX: y\r\n\r\n`),
      ],
      ['after 100 Continue (Q75)', `HTTP/1.1 100 Continue\r\n\r\n${ok('')}`],
      [
        'after several interim replies',
        `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\nX: y\r\n\r\n${ok('')}`,
      ],
      ['with a Content-Encoding, which is not decoded', ok('Content-Encoding: gzip\r\n')],
      ['with a thousand Content-Encodings', ok(`Content-Encoding: ${Array(1000).fill('gzip').join(', ')}\r\n`)],
      ['with more headers than are kept', ok(Array.from({ length: 500 }, (_, at) => `X-${at}: y\r\n`).join(''))],
    ]

    it.each(FORMS)('%s ends when it is complete, though the connection stays open', async (_name, bytes) => {
      const reply = await ask(await serve(answering(bytes)))
      expect(reply.status).toBe(200)
      expect(text(reply)).toBe(XML)
    })

    it.each(FORMS)('%s may come in pieces of one byte', async (_name, bytes) => {
      const reply = await ask(await serve(answering(...Buffer.from(bytes, 'latin1').toString('latin1'))))
      expect(text(reply).trimEnd()).toBe(XML.trimEnd())
    })

    it.each(FORMS)('%s may be followed at once by the end', async (_name, bytes) => {
      expect(text(await ask(await serve(closingAfter(bytes))))).toBe(XML)
    })

    it.each([
      ['an end', (peer: Peer) => peer.end()],
      ['a reset', (peer: Peer) => peer.reset()],
    ])('without Content-Length ends with %s of the connection, complete or not', async (_name, leave) => {
      const watch = new Watch()
      const server = await serve(async (peer) => {
        await peer.request()
        await peer.send(ok('', '<root><a>1'))
        await watch.received(10)
        leave(peer)
      })
      expect(text(await ask(server, { isComplete: watch.isComplete }))).toBe('<root><a>1')
      expect(server.peers).toHaveLength(1)
    })

    it('cut short in a chunk is handed over as far as it came', async () => {
      const server = await serve(closingAfter(ok('Transfer-Encoding: chunked\r\n', '40\r\n<root><a>1')))
      expect(text(await ask(server))).toBe('<root><a>1')
    })

    it('with nothing after its head is empty', async () => {
      expect(await ask(await serve(closingAfter('HTTP/1.1 200 OK\r\n\r\n')))).toMatchObject({ status: 200 })
      expect(text(await ask(await serve(answering('HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n'))))).toBe('')
      expect(await ask(await serve(answering('HTTP/1.1 204 No Content\r\n\r\n')))).toMatchObject({ status: 204 })
    })

    it('tells its headers by names in lower case, the first of each, and without blanks around them', async () => {
      const server = await serve(closingAfter(ok('SID:  uuid:1 \r\nX-A: 1\r\nx-a: 2\r\nEmpty:\r\n')))
      const { headers } = await ask(server)
      expect(headers?.get('sid')).toBe('uuid:1')
      expect(headers?.get('x-a')).toBe('1')
      expect(headers?.get('empty')).toBe('')
      expect(headers?.get('constructor')).toBeUndefined()
    })

    it.each([
      ['nothing about its length', ''],
      ['a length that it does not have', 'Content-Length: 100\r\n'],
      ['a body of none', 'Content-Length: 0\r\n'],
      ['chunks', 'Transfer-Encoding: chunked\r\n'],
    ])(
      'to SUBSCRIBE and UNSUBSCRIBE ends with its head, which says %s, though the connection stays open',
      async (_name, length) => {
        for (const method of ['SUBSCRIBE', 'UNSUBSCRIBE'] as const) {
          const server = await serve(answering(`HTTP/1.1 200 OK\r\nSID: uuid:1\r\n${length}\r\n`))
          const reply = await ask(server, { method, maxBodyBytes: 0, headers: [['NT', 'upnp:event']] })
          expect(reply.headers?.get('sid')).toBe('uuid:1')
          expect(reply.body).toHaveLength(0)
          expect(server.peers[0]?.pieces.join('')).toMatch(new RegExp(`^${method} /desc.xml HTTP/1.1\r\n`))
          expect(server.peers[0]?.pieces.join('')).toContain('\r\nNT: upnp:event\r\n')
        }
      },
    )

    it('to SUBSCRIBE may have a body all the same: it is passed over', async () => {
      const server = await serve(answering(`HTTP/1.1 412 No\r\nContent-Length: ${XML.length}\r\n\r\n${XML}`))
      expect(await ask(server, { method: 'SUBSCRIBE', maxBodyBytes: 0 })).toMatchObject({
        status: 412,
        body: { length: 0 },
      })
    })

    it('that is not complete at its declared length is waited for another 200 ms', async () => {
      const page = '<html>501</html>'
      const watch = new Watch()
      const server = await serve(answering(ok(`Content-Length: ${page.length}\r\n`, page)))
      const reply = ask(server, { isComplete: watch.isComplete })
      await watch.received(page.length)
      await settle()
      expect(clock.pending).toBe(2)
      await clock.advance(199)
      expect(clock.pending).toBe(2)
      await clock.advance(1)
      expect(text(await reply)).toBe(page)
    })

    it('that goes on within those 200 ms is read to its real end', async () => {
      const watch = new Watch()
      let more = (): void => {}
      const server = await serve(async (peer) => {
        await answering(ok('Content-Length: 6\r\n', '<root>'))(peer)
        await new Promise<void>((resolve) => (more = resolve))
        await peer.send('<a/>')
        await watch.received(10)
        await settle()
        await clock.advance(150)
        await peer.send('</root>')
      })
      const reply = ask(server, { isComplete: watch.isComplete })
      await watch.received(6)
      await settle()
      await clock.advance(150)
      more()
      expect(text(await reply)).toBe('<root><a/></root>')
    })

    it.each([
      [302, 'Found\r\nLocation: http://169.254.169.254/'],
      [301, 'Moved\r\nLocation: /other.xml'],
    ])('%d is handed over as it is: nobody follows it', async (status, rest) => {
      const server = await serve(closingAfter(`HTTP/1.1 ${status} ${rest}\r\n\r\n`))
      expect((await ask(server)).status).toBe(status)
      expect(server.peers).toHaveLength(1)
    })

    it.each([400, 404, 405, 500, 503])('%d is a reply like any other', async (status) => {
      const reply = await ask(await serve(answering(`HTTP/1.1 ${status} No\r\n\r\n${XML}`)))
      expect(reply.status).toBe(status)
      expect(text(reply)).toBe(XML)
    })

    it.each([
      ['without lengths', (body: string) => ok('', body)],
      ['with its length', (body: string) => ok(`Content-Length: ${body.length}\r\n`, body)],
      ['chunked', (body: string) => ok('Transfer-Encoding: chunked\r\n', chunked(body, 5000))],
    ])('of 500 kB, %s, arrives whole, and so when the connection closes behind it', async (_name, write) => {
      const body = `<root>${'0123456789'.repeat(50_000)}</root>`
      expect(text(await ask(await serve(answering(write(body)))))).toBe(body)
      expect(text(await ask(await serve(closingAfter(write(body)))))).toBe(body)
      expect(text(await ask(await serve(closingAfter(write(body))), { isComplete: () => false }))).toBe(body)
    })

    it.each([
      ['of one length', ok(`Content-Length: ${XML.length}\r\n`).repeat(2)],
      ['chunked', ok('Transfer-Encoding: chunked\r\n', chunked(XML, 50)).repeat(2)],
      ['empty', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'.repeat(2)],
    ])('twice in one go, %s, does no harm', async (_name, bytes) => {
      const server = await serve(closingAfter(bytes))
      expect((await ask(server)).status).toBe(200)
    })

    it('in chunks of one byte is not looked at once for each of them', async () => {
      const watch = new Watch()
      const body = `<root>${'x'.repeat(200_000)}</root>`
      const server = await serve(answering(ok('Transfer-Encoding: chunked\r\n', chunked(body, 1))))
      expect(text(await ask(server, { isComplete: watch.isComplete }))).toBe(body)
      expect(watch.asked).toBeLessThan(body.length / 50)
    })
  })

  function chunked(body: string, size: number): string {
    const chunks: string[] = []
    for (let at = 0; at < body.length; at += size) {
      const chunk = body.slice(at, at + size)
      chunks.push(`${chunk.length.toString(16)}\r\n${chunk}\r\n`)
    }
    return `${chunks.join('')}0\r\n\r\n`
  }

  describe('the bounds of a reply', () => {
    it('are its head', async () => {
      const long = `HTTP/1.1 200 OK\r\n${`X: ${'y'.repeat(1000)}\r\n`.repeat(17)}\r\n${XML}`
      const error = await failure(ask(await serve(answering(long))))
      expect(error).toBeInstanceOf(TransportError)
      expect(String(error)).toContain(`headers are longer than ${MAX_HEAD_BYTES} bytes`)
    })

    it('are its head, also where it never ends', async () => {
      const server = await serve(async (peer) => {
        await peer.request()
        await peer.send('HTTP/1.1 200 OK\r\nX: ')
        for (let count = 0; count < 32; count++) await peer.send('y'.repeat(1024))
      })
      expect(await failure(ask(server))).toBeInstanceOf(TransportError)
      expect(server.peers).toHaveLength(1)
    })

    it('are its body', async () => {
      const body = (length: number): string => `<root>${'x'.repeat(length - 13)}</root>`
      expect(text(await ask(await serve(answering(ok('', body(1000)))), { maxBodyBytes: 1000 }))).toHaveLength(1000)
      const error = await failure(ask(await serve(answering(ok('', body(1001)))), { maxBodyBytes: 1000 }))
      expect(error).toBeInstanceOf(TransportError)
      expect(String(error)).toContain('longer than 1000 bytes')
    })

    it('are its body, also where it never ends', async () => {
      const server = await serve(async (peer) => {
        await peer.request()
        await peer.send(ok('', ''))
        let open = true
        void peer.closed.then(() => (open = false))
        while (open) {
          await Promise.race([peer.send('x'.repeat(65536)), peer.closed])
          await new Promise((resolve) => setImmediate(resolve))
        }
      })
      expect(await failure(ask(server))).toBeInstanceOf(TransportError)
    })

    it.each(['-1', 'ffffffffffffffff', '7fffffff', '0x10', 'g', '', '1 0', '+5'])(
      'are the size of a chunk: %j',
      async (size) => {
        const server = await serve(closingAfter(ok('Transfer-Encoding: chunked\r\n', `${size}\r\n${XML}\r\n0\r\n\r\n`)))
        const outcome = await ask(server).then(text, (error: unknown) => error)
        if (typeof outcome !== 'string') expect(outcome).toBeInstanceOf(TransportError)
      },
    )
  })

  describe('a server that does not answer properly', () => {
    it('is asked exactly once more where it resets the connection before the first byte (Q65)', async () => {
      const server = await serve(async (peer) => {
        await peer.request()
        if (peer.index === 0) peer.reset()
        else await peer.send(ok(''))
      })
      expect(text(await ask(server))).toBe(XML)
      expect(server.peers).toHaveLength(2)
      expect(server.peers[1]?.pieces).toEqual(server.peers[0]?.pieces)
    })

    it.each([
      [true, 2],
      [false, 1],
    ])('is asked once more as its caller says: %s', async (again, connections) => {
      const server = await serve(async (peer) => {
        await peer.request()
        if (peer.index === 0) peer.reset()
        else await peer.send(ok(''))
      })
      let told = 0
      const onReset = (): boolean => {
        told++
        return again
      }
      const outcome = await ask(server, { onReset }).then(text, (error: unknown) => error)
      if (again) expect(outcome).toBe(XML)
      else expect(outcome).toBeInstanceOf(TransportError)
      expect([told, server.peers.length]).toEqual([1, connections])
    })

    it('is asked exactly once more where it closes the connection before the first byte', async () => {
      const server = await serve(async (peer) => {
        await peer.request()
        if (peer.index === 0) peer.end()
        else await peer.send(ok(''))
      })
      expect(text(await ask(server))).toBe(XML)
      expect(server.peers).toHaveLength(2)
    })

    it.each([
      ['a reset', (peer: Peer) => peer.reset()],
      ['an end', (peer: Peer) => peer.end()],
    ])('has failed after %s twice', async (_name, leave) => {
      const server = await serve(async (peer) => {
        await peer.request()
        leave(peer)
      })
      const error = await failure(ask(server))
      expect(error).toBeInstanceOf(TransportError)
      expect(String(error)).toContain('GetDescription')
      expect(String(error)).toContain('connection closed without an answer')
      expect(server.peers).toHaveLength(2)
    })

    it('has failed after closing at once, before it was asked', async () => {
      const server = await serve((peer) => peer.reset())
      expect(await failure(ask(server))).toBeInstanceOf(TransportError)
      expect(server.peers.length).toBeLessThanOrEqual(2)
    })

    it.each([
      ['half a head', 'HTTP/1.1 200 OK\r\nContent-Ty'],
      ['text', 'hello'],
      ['text and a blank line', 'hello\r\n\r\nworld'],
      ['HTML without a head', `<html>\n\n</html>`],
      ['another protocol', 'SSH-2.0-dropbear\r\n\r\n'],
      ['binary', Uint8Array.from({ length: 64 }, (_, at) => at * 7)],
      ['a status that is none', 'HTTP/1.1 abc OK\r\n\r\n'],
      ['another version', 'HTTP/9.9 200 OK\r\n\r\n'],
    ])('is asked only once where it says %s and closes', async (_name, bytes) => {
      const server = await serve(closingAfter(bytes))
      expect(await failure(ask(server))).toBeInstanceOf(TransportError)
      expect(server.peers).toHaveLength(1)
    })

    it('is called no HTTP server where it is none', async () => {
      const error = await failure(ask(await serve(closingAfter('220 ftp ready\r\n\r\n'))))
      expect(String(error)).toContain('not an HTTP reply')
    })

    it('that is not there refuses the connection', async () => {
      const server = await startRawServer(() => {})
      await server.close()
      const error = await failure(ask(server))
      expect(error).toBeInstanceOf(TransportError)
      expect(String(error)).toContain(`http://127.0.0.1:${server.port}: connection refused`)
      expect(error).toMatchObject({ action: 'GetDescription', cause: { code: 'ECONNREFUSED' } })
    })
  })

  describe('the deadline', () => {
    it('ends the waiting for a silent server', async () => {
      const server = await serve(() => {})
      const outcome = failure(ask(server))
      await (await server.peer(0)).request()
      await clock.advance(TIMEOUT_MS - 1)
      expect(clock.pending).toBe(1)
      await clock.advance(1)
      const error = await outcome
      expect(error).toBeInstanceOf(NoReplyError)
      expect(String(error)).toContain('did not answer within 5 s')
      expect(error).toMatchObject({ action: 'GetDescription' })
      expect(server.peers).toHaveLength(1)
    })

    it('is absolute: a byte now and then does not move it', async () => {
      const watch = new Watch()
      const server = await serve(async (peer) => {
        await peer.request()
        await peer.send(ok('', ''))
      })
      const outcome = failure(ask(server, { isComplete: watch.isComplete }))
      const peer = await server.peer(0)
      await peer.request()
      for (let second = 1; second < TIMEOUT_MS / 1000; second++) {
        await peer.send('x')
        await watch.received(second)
        await clock.advance(1000)
      }
      expect(clock.pending).toBe(1)
      await clock.advance(1000)
      expect(await outcome).toBeInstanceOf(NoReplyError)
    })

    it('is absolute also for a body past its declared length', async () => {
      const watch = new Watch()
      const server = await serve(answering(ok('Content-Length: 1\r\n', '')))
      const outcome = failure(ask(server, { isComplete: watch.isComplete, timeoutMs: 1000 }))
      const peer = await server.peer(0)
      await peer.request()
      for (let sent = 1; sent <= 10; sent++) {
        await peer.send('x')
        await watch.received(sent)
        await settle()
        await clock.advance(100)
      }
      expect(await outcome).toBeInstanceOf(NoReplyError)
    })

    it('holds in the middle of a head', async () => {
      const server = await serve(answering('HTTP/1.1 200 OK\r\nX'))
      const outcome = failure(ask(server))
      await (await server.peer(0)).request()
      await clock.advance(TIMEOUT_MS)
      expect(await outcome).toBeInstanceOf(NoReplyError)
    })

    it('holds for both attempts together', async () => {
      const server = await serve(async (peer) => {
        await peer.request()
        if (peer.index > 0) return
        await clock.advance(TIMEOUT_MS - 1000)
        peer.reset()
      })
      const outcome = failure(ask(server))
      await (await server.peer(1)).request()
      await clock.advance(1000)
      expect(await outcome).toBeInstanceOf(NoReplyError)
      expect(server.peers).toHaveLength(2)
    })
  })

  describe('the time for silence', () => {
    it('ends with the head of the reply: after that a byte now and then is waited for', async () => {
      const watch = new Watch()
      const server = await serve(answering('HTTP/1.1 200 OK\r\n'))
      const reply = ask(server, { isComplete: watch.isComplete, silenceMs: 2000 })
      const peer = await server.peer(0)
      await peer.request()
      await clock.advance(1999)
      await peer.send('\r\n<')
      await watch.received(1)
      await clock.advance(2000)
      await peer.send('root></root>')
      expect(text(await reply)).toBe('<root></root>')
    })

    it('is over for a server that says nothing, or not even its head', async () => {
      for (const said of ['', 'HTTP/1.1 200']) {
        const server = await serve(answering(said))
        const outcome = failure(ask(server, { silenceMs: 2000 }))
        await (await server.peer(0)).request()
        await settle()
        await clock.advance(1999)
        expect(clock.pending).toBe(2)
        await clock.advance(1)
        expect(await outcome).toMatchObject({ code: 'NO_REPLY', action: 'GetDescription' })
        expect(String(await outcome)).toContain('did not answer within 2 s')
        expect(server.peers).toHaveLength(1)
      }
    })

    it('begins when the server can begin, but the deadline holds', async () => {
      let freeMs = 0
      const server = await serve(() => {})
      const outcome = failure(ask(server, { silenceMs: 2000, freeSinceMs: () => freeMs }))
      await (await server.peer(0)).request()
      await clock.advance(1500)
      freeMs = 1500
      await clock.advance(1999)
      expect(clock.pending).toBe(2)
      freeMs = 3400
      await clock.advance(1500)
      expect(clock.pending).toBe(2)
      await clock.advance(1) // the deadline of 5 s
      expect(String(await outcome)).toContain('did not answer within 5 s')
    })
  })

  describe('a reply that is no answer to its caller', () => {
    const isAnswer = ({ body }: HttpReply): boolean => Buffer.from(body).toString() === XML

    it.each([
      ['HTTP 400', 'HTTP/1.1 400 Bad\r\n\r\n<html>', 2],
      ['HTTP 503', 'HTTP/1.1 503 Busy\r\n\r\n', 2],
      ['HTTP 200 and nothing', 'HTTP/1.1 200 OK\r\n\r\n', 2],
      ['HTTP 200 and a page', ok('', '<html>'), 2],
      ['HTTP 404', 'HTTP/1.1 404 No\r\n\r\n', 1],
      ['HTTP 302', 'HTTP/1.1 302 Found\r\n\r\n', 1],
    ])('is followed by a second request after %s, if it may pass', async (_name, bytes, connections) => {
      const server = await serve(async (peer) => {
        await peer.request()
        await peer.send(peer.index === 0 ? bytes : ok(''))
        peer.end()
      })
      const seen: boolean[] = []
      const noted = (reply: HttpReply): boolean => {
        seen.push(isAnswer(reply))
        return isAnswer(reply)
      }
      const reply = await ask(server, { isAnswer: noted })
      expect(isAnswer(reply)).toBe(connections === 2)
      expect(seen).toEqual(connections === 2 ? [false, true] : [false])
      expect(server.peers).toHaveLength(connections)
    })

    it('is what there is where the second request is not answered', async () => {
      const server = await serve(async (peer) => {
        await peer.request()
        if (peer.index === 0) await peer.send('HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n')
        else await clock.advance(TIMEOUT_MS)
      })
      expect(await ask(server, { isAnswer })).toMatchObject({ status: 503 })
      expect(server.peers).toHaveLength(2)
    })
  })

  describe('the signal of the caller', () => {
    it('ends a request with its reason', async () => {
      const server = await serve(() => {})
      const controller = new AbortController()
      const outcome = failure(ask(server, { signal: controller.signal }))
      await (await server.peer(0)).request()
      const reason = new Error('enough')
      controller.abort(reason)
      expect(await outcome).toBe(reason)
    })

    it('ends a request in the middle of its reply', async () => {
      const watch = new Watch()
      const server = await serve(answering(ok('', '<root>')))
      const controller = new AbortController()
      const outcome = failure(ask(server, { signal: controller.signal, isComplete: watch.isComplete }))
      await watch.received(6)
      controller.abort('no error')
      expect(await outcome).toBe('no error')
    })

    it('given already lets nothing be sent', async () => {
      const server = await serve(() => {})
      const reason = new Error('enough')
      expect(await failure(ask(server, { signal: AbortSignal.abort(reason) }))).toBe(reason)
      expect(server.peers).toHaveLength(0)
    })

    it('may come in any turn of the connection', async () => {
      const server = await serve(answering(ok('')))
      for (let turns = 0; turns < 12; turns++) {
        const controller = new AbortController()
        const outcome = ask(server, { signal: controller.signal }).then(text, (error: unknown) => error)
        for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve))
        controller.abort(new Error('enough'))
        const result = await outcome
        expect(result === XML || (result instanceof Error && result.message === 'enough')).toBe(true)
      }
    })

    it('has no listener of ours when the request is over', async () => {
      const signal = new AbortController().signal
      const listeners = new Set<unknown>()
      const add = signal.addEventListener.bind(signal)
      const remove = signal.removeEventListener.bind(signal)
      signal.addEventListener = (...args: Parameters<typeof add>) => {
        listeners.add(args[1])
        add(...args)
      }
      signal.removeEventListener = (...args: Parameters<typeof remove>) => {
        listeners.delete(args[1])
        remove(...args)
      }
      await ask(await serve(answering(ok(''))), { signal })
      expect(listeners.size).toBe(0)
    })
  })

  describe('many requests', () => {
    it('at once do not disturb each other', async () => {
      const server = await serve(async (peer) => {
        const path = / (\S+) /.exec(await peer.request())?.[1] ?? ''
        await peer.send(ok('', `<root>${path}</root>`))
      })
      const paths = Array.from({ length: 40 }, (_, at) => `/${at}`)
      const replies = await Promise.all(paths.map((path) => ask(server, { url: server.url(path) })))
      expect(replies.map(text)).toEqual(paths.map((path) => `<root>${path}</root>`))
      expect(server.peers).toHaveLength(40)
    })
  })
})
