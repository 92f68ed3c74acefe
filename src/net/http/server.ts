/**
 * A small HTTP/1.1 server for the emulated gateway, and for the events of a gateway. Everything is bounded:
 * connections, the head (Node's 16 KiB), the body, and the time from the start of a connection to the end of a request.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { hostAndPort } from '../../domain/address.js'
import { TransportError } from '../../domain/errors.js'
import { ignore } from '../../domain/ignored.js'
import type { Endpoint } from '../datagrams.js'
import { reasonOf } from '../system-error.js'

export const MAX_REQUEST_BODY_BYTES = 64 * 1024
const MAX_CONNECTIONS = 64
/** By default Node checks these only every 30 s. */
const TIMEOUTS = {
  headersTimeout: 3000,
  requestTimeout: 10_000,
  connectionsCheckingInterval: 1000,
  keepAlive: false,
} as const

export interface ServedRequest {
  readonly method: string
  /** Path and query as sent. */
  readonly target: string
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>
  readonly body: Uint8Array
  readonly remoteAddress: string
  readonly localAddress: string
}

export interface ServedReply {
  readonly status: number
  readonly headers: readonly (readonly [string, string])[]
  readonly body: string
}

/** Returning undefined closes the connection without an answer. */
export type RequestHandler = (request: ServedRequest) => ServedReply | undefined | Promise<ServedReply | undefined>

export interface HttpServer {
  readonly local: Endpoint
  close(): Promise<void>
}

export interface ListenOptions {
  readonly address: string
  /** 0 for any free port. */
  readonly port: number
  readonly handler: RequestHandler
  /** Other clients are hung up on at once, and take no place. By default everybody is welcome. */
  readonly isWelcome?: (remoteAddress: string) => boolean
  /** It does not keep the process alive. */
  readonly isBackground?: boolean
}

export interface HttpServers {
  /** @throws TransportError */
  listen(options: ListenOptions): Promise<HttpServer>
}

export const nodeHttpServers: HttpServers = { listen }

async function listen(options: ListenOptions): Promise<HttpServer> {
  const { isWelcome = () => true } = options
  const server = createServer(TIMEOUTS, (request, response) => {
    serve(request, response, options.handler).catch(() => response.destroy())
  })
  server.on('connection', (socket) => {
    const { remoteAddress = '' } = socket
    try {
      if (!isWelcome(remoteAddress)) socket.destroy()
    } catch (error) {
      ignore('request', remoteAddress, error)
      socket.destroy()
    }
  })
  server.maxConnections = MAX_CONNECTIONS
  if (options.isBackground) server.unref()
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => {
      const what = `could not listen on ${hostAndPort(options)}`
      reject(new TransportError(`${what}: ${reasonOf(cause, 'listen')}`, { cause }))
    })
    server.listen({ host: options.address, port: options.port }, resolve)
  })
  server.on('error', () => {}) // if a connection cannot be accepted (too many open files), only its client loses
  const { address, port } = server.address() as AddressInfo
  return { local: { address, port }, close: () => closeAll(server) }
}

function closeAll(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}

/** Rejects if the client goes away. A defect of the handler costs this request. */
async function serve(request: IncomingMessage, response: ServerResponse, handler: RequestHandler): Promise<void> {
  const body = await readBody(request)
  try {
    await answer(request, body, response, handler)
  } catch (error) {
    ignore('request', request.socket.remoteAddress ?? '', error)
    response.destroy()
  }
}

async function answer(
  request: IncomingMessage,
  body: Buffer | undefined,
  response: ServerResponse,
  handler: RequestHandler,
): Promise<void> {
  const reply =
    body === undefined
      ? { status: 413, headers: [], body: '' }
      : await handler({
          method: request.method ?? '',
          target: request.url ?? '',
          headers: new Map(Object.entries(request.headers).map(([name, value]) => [name, String(value)])),
          body,
          remoteAddress: request.socket.remoteAddress ?? '',
          localAddress: request.socket.localAddress ?? '',
        })
  if (reply === undefined) {
    response.destroy() // request.destroy() would leave the connection open once the body has been read
    return
  }
  const content = Buffer.from(reply.body)
  const length = ['Content-Length', String(content.length)]
  response.writeHead(reply.status, [...reply.headers.flat(), ...length, 'Connection', 'close'])
  response.end(content)
}

async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const pieces: Buffer[] = []
  let size = 0
  for await (const piece of request as AsyncIterable<Buffer>) {
    size += piece.length
    if (size > MAX_REQUEST_BODY_BYTES) return undefined
    pieces.push(piece)
  }
  return Buffer.concat(pieces)
}
