import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { TransportError } from '../../../src/domain/errors.ts'
import {
  type HttpServer,
  MAX_REQUEST_BODY_BYTES,
  nodeHttpServers,
  type RequestHandler,
  type ServedRequest,
} from '../../../src/net/http/server.ts'
import { NAMES_OF_OBJECTS } from '../../fuzz/xml-differential.ts'
import { ignoredLog } from '../../support/ignored.ts'

const servers: HttpServer[] = []

afterEach(async () => {
  for (const server of servers.splice(0)) await server.close()
})

async function listen(handler: RequestHandler, isWelcome?: (address: string) => boolean): Promise<HttpServer> {
  const whom = isWelcome === undefined ? {} : { isWelcome }
  const server = await nodeHttpServers.listen({ address: '127.0.0.1', port: 0, handler, ...whom })
  servers.push(server)
  return server
}

async function dial(server: HttpServer): Promise<Socket> {
  const socket = connect({ host: server.local.address, port: server.local.port, noDelay: true })
  await once(socket, 'connect')
  return socket
}

/** Everything that the server says until it closes the connection. */
function drain(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    const pieces: Buffer[] = []
    socket.on('data', (piece) => pieces.push(piece))
    socket.on('error', () => {})
    socket.on('close', () => resolve(Buffer.concat(pieces).toString('latin1')))
  })
}

async function say(server: HttpServer, text: string): Promise<string> {
  const socket = await dial(server)
  const heard = drain(socket)
  socket.write(text, 'latin1')
  return heard
}

const fine: RequestHandler = () => ({ status: 200, headers: [['Content-Type', 'text/xml']], body: '<a>ü</a>' })

function post(body: string, declared = body.length): string {
  return `POST /ctl?x=1 HTTP/1.1\r\nHost: h\r\nSOAPAction: "a#b"\r\nContent-Length: ${declared}\r\n\r\n${body}`
}

describe('the HTTP server', () => {
  it('hands over whole requests, with the names of headers in lower case', async () => {
    const seen: ServedRequest[] = []
    const server = await listen((request) => {
      seen.push(request)
      return { status: 200, headers: [], body: '' }
    })
    await say(server, post('<b/>'))
    expect(seen).toHaveLength(1)
    expect(seen[0]).toMatchObject({
      method: 'POST',
      target: '/ctl?x=1',
      remoteAddress: '127.0.0.1',
      localAddress: '127.0.0.1',
    })
    expect(seen[0]?.headers.get('soapaction')).toBe('"a#b"')
    expect(Buffer.from(seen[0]?.body ?? []).toString()).toBe('<b/>')
  })

  it('answers with a length in bytes, and closes', async () => {
    const reply = await say(await listen(fine), post(''))
    expect(reply).toMatch(/^HTTP\/1\.1 200 /)
    expect(reply).toContain('\r\nContent-Type: text/xml\r\n')
    expect(reply).toContain('\r\nContent-Length: 9\r\n')
    expect(reply.match(/^connection: close/gim)).toHaveLength(1)
    expect(reply.endsWith(`\r\n\r\n${Buffer.from('<a>ü</a>').toString('latin1')}`)).toBe(true)
  })

  it('waits for a handler', async () => {
    const server = await listen(async (request) => {
      await new Promise((resolve) => setImmediate(resolve))
      return fine(request)
    })
    expect(await say(server, post('x'))).toMatch(/^HTTP\/1\.1 200 /)
  })

  it('hangs up where its handler throws, and serves the next request', async () => {
    let requests = 0
    const server = await listen((request) => {
      requests++
      if (requests === 1) throw new TypeError('x is undefined')
      return fine(request)
    })
    expect(await say(server, post('x'))).toBe('')
    expect(await say(server, post('x'))).toMatch(/^HTTP\/1\.1 200 /)
  })

  it('takes a request in pieces of one byte', async () => {
    const server = await listen(fine)
    const socket = await dial(server)
    const heard = drain(socket)
    for (const char of post('<b/>')) await new Promise<void>((resolve) => socket.write(char, () => resolve()))
    expect(await heard).toMatch(/^HTTP\/1\.1 200 /)
  })

  it.each([
    ['no answer', () => undefined],
    [
      'an error',
      () => {
        throw new Error('broken')
      },
    ],
    ['a failure', () => Promise.reject(new Error('broken'))],
    ['a status that is none', () => ({ status: 99_999, headers: [], body: '' })],
    ['a header that is none', () => ({ status: 200, headers: [['A', 'x\r\nEvil: 1'] as const], body: '' })],
  ] satisfies [string, RequestHandler][])(
    'closes the connection without a word where the handler has %s',
    async (_name, handler) => {
      const server = await listen(handler)
      expect(await say(server, post('x'))).toBe('')
      expect(await say(server, post('x'))).toBe('')
    },
  )

  it('hangs up on the 65th connection at a time, and takes another one when one has ended', async () => {
    const server = await listen(fine)
    const open = await Promise.all(Array.from({ length: 64 }, () => dial(server)))
    expect(await say(server, post('x'))).toBe('')
    const [first] = open
    first?.write(post('x'))
    if (first !== undefined) expect(await drain(first)).toMatch(/^HTTP\/1\.1 200 /)
    expect(await say(server, post('x'))).toMatch(/^HTTP\/1\.1 200 /)
    for (const each of open) each.destroy()
  })

  it('takes a body as large as its bound', async () => {
    let size = 0
    const server = await listen((request) => {
      size = request.body.length
      return { status: 200, headers: [], body: '' }
    })
    expect(await say(server, post('x'.repeat(MAX_REQUEST_BODY_BYTES)))).toMatch(/^HTTP\/1\.1 200 /)
    expect(size).toBe(MAX_REQUEST_BODY_BYTES)
  })

  it('answers 413 to a larger one, without asking the handler', async () => {
    let asked = false
    const server = await listen((request) => {
      asked = true
      return fine(request)
    })
    expect(await say(server, post('x'.repeat(MAX_REQUEST_BODY_BYTES + 1)))).toMatch(/^HTTP\/1\.1 413 /)
    expect(asked).toBe(false)
  })

  it('does not wait for the rest of a body that is too large', async () => {
    const server = await listen(fine)
    expect(await say(server, post('x'.repeat(MAX_REQUEST_BODY_BYTES + 1), 1_000_000_000))).toMatch(/^HTTP\/1\.1 413 /)
  })

  it.each([
    ['a head that is too long', `GET / HTTP/1.1\r\nHost: h\r\nX: ${'y'.repeat(64 * 1024)}\r\n\r\n`, /^HTTP\/1\.1 431 /],
    ['no HTTP', 'hello\r\n\r\n', /^HTTP\/1\.1 400 /],
    [
      'both lengths',
      'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      /^HTTP\/1\.1 400 /,
    ],
    ['no Host', 'GET / HTTP/1.1\r\n\r\n', /^HTTP\/1\.1 400 /],
  ])('refuses %s', async (_name, text, expected) => {
    let asked = false
    const server = await listen((request) => {
      asked = true
      return fine(request)
    })
    expect(await say(server, text)).toMatch(expected)
    expect(asked).toBe(false)
  })

  it('survives clients that leave in the middle, before and while they are answered', async () => {
    const leaving: Socket[] = []
    const server = await listen(async (request) => {
      for (const socket of leaving.splice(0)) {
        socket.resetAndDestroy()
        await once(socket, 'close')
      }
      await new Promise((resolve) => setImmediate(resolve))
      return { status: 200, headers: [], body: 'x'.repeat(1_000_000 + request.body.length) }
    })
    const early = await dial(server)
    early.write(post('half', 100))
    early.resetAndDestroy()
    const late = await dial(server)
    const gone = drain(late)
    leaving.push(late)
    late.write(post(''))
    await gone
    expect(await say(server, post(''))).toMatch(/^HTTP\/1\.1 200 /)
  })

  it('closes the connections of those who say nothing, when it is closed', async () => {
    const server = await listen(fine)
    const silent = await dial(server)
    const heard = drain(silent)
    await server.close()
    expect(await heard).toBe('')
    await server.close()
  })

  it('hangs up on those who are not welcome, without reading what they say', async () => {
    let asked = 0
    const guests = new Set<string>()
    const server = await listen(
      (request) => {
        asked++
        return fine(request)
      },
      (address) => guests.has(address),
    )
    expect(await say(server, post('x'))).toBe('')
    expect(asked).toBe(0)
    guests.add('127.0.0.1')
    expect(await say(server, post('x'))).toMatch(/^HTTP\/1\.1 200 /)
    expect(asked).toBe(1)
  })

  it('hands over every header, whatever its name is', async () => {
    const seen: ServedRequest[] = []
    const server = await listen((request) => {
      seen.push(request)
      return fine(request)
    })
    const names = NAMES_OF_OBJECTS.map((name) => `${name}: 1\r\n${name}: 2\r\n`).join('')
    expect(await say(server, `NOTIFY / HTTP/1.0\r\n${names}SID: x\r\n\r\n`)).toMatch(/^HTTP\/1\.1 200 /)
    expect(seen[0]?.headers.get('sid')).toBe('x')
    expect(seen[0]?.headers.get('constructor')).toBe('1, 2')
  })

  it('loses a request whose handling throws, tells of it, and answers the next one', async () => {
    const log = ignoredLog()
    let asked = 0
    const server = await listen((request) => {
      asked++
      if (asked === 1) throw new TypeError('x is undefined')
      if (asked === 2) return Promise.reject(new TypeError('y is undefined'))
      return asked === 3 ? { status: 200, headers: [['X', 'a\nb']], body: '' } : fine(request)
    })
    for (const _ of 'abc') expect(await say(server, post('x'))).toBe('')
    expect(await say(server, post('x'))).toMatch(/^HTTP\/1\.1 200 /)
    expect(log.told()).toEqual([
      'request 127.0.0.1: TypeError: x is undefined',
      'request 127.0.0.1: TypeError: y is undefined',
      expect.stringMatching(/^request 127\.0\.0\.1: .*Invalid character/),
    ])
    log.end()
  })

  it('loses a connection if nobody can say whether it is welcome, and tells of it', async () => {
    const log = ignoredLog()
    let asked = 0
    const server = await listen(fine, () => {
      if (++asked === 1) throw new TypeError('x is undefined')
      return true
    })
    expect(await say(server, post('x'))).toBe('')
    expect(await say(server, post('x'))).toMatch(/^HTTP\/1\.1 200 /)
    expect(log.told()).toEqual(['request 127.0.0.1: TypeError: x is undefined'])
    log.end()
  })

  it('cannot listen where another one does', async () => {
    const { local } = await listen(fine)
    await expect(nodeHttpServers.listen({ ...local, handler: fine })).rejects.toThrow(TransportError)
  })
})
