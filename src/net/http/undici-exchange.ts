/**
 * An Exchange that uses undici, for the library. Between undici's parser and the network a socket of ours repairs the
 * head of the reply (repaired-head.ts). undici is loaded at the first request.
 */
import type { Socket } from 'node:net'
import type { Dispatcher } from 'undici'
import { type Exchange, type HttpRequest, hostHeader, type ReplySink } from './client.js'
import { connectTo } from './connect.js'
import { RepairedHead } from './repaired-head.js'

export const undiciExchange: Exchange = (request, sink) => {
  let stopped = false
  let drop: () => void = () => {}
  start(request, sink, () => stopped).then(
    (dropConnection) => {
      drop = dropConnection
      if (stopped) drop()
    },
    (error: Error) => sink.fail(error, 0),
  )
  return () => {
    stopped = true
    drop()
  }
}

async function start(request: HttpRequest, sink: ReplySink, stopped: () => boolean): Promise<() => void> {
  const { Client } = await import('undici')
  if (stopped()) return () => {}
  let socket: RepairedHead | undefined
  const client = new Client(request.url.origin, {
    pipelining: 0, // Connection: close
    headersTimeout: 0, // the caller has an absolute deadline
    bodyTimeout: 0,
    connect(_options, callback) {
      const opening = new RepairedHead(connectTo(request))
      const failed = (error: Error): void => callback(error, null)
      opening.once('error', failed)
      opening.once('connect', () => {
        sink.connected(opening.localAddress, opening.remoteAddress)
        callback(null, opening as unknown as Socket) // from here on undici handles the errors
        opening.off('error', failed)
      })
      socket = opening
    },
  })
  const handler: Dispatcher.DispatchHandler = {
    onRequestStart() {},
    onResponseStart: (_controller, status, headers) => sink.head(status, socket?.declaredLength, pairsOf(headers)),
    onResponseData: (_controller, piece) => sink.data(piece),
    onResponseEnd: () => sink.end(),
    onResponseError: (_controller, error) => sink.fail(error, socket?.receivedBytes ?? 0),
  }
  client.dispatch(
    {
      method: request.method,
      path: request.url.pathname + request.url.search,
      headers: ['Host', hostHeader(request.url), ...request.headers.flat()],
      body: request.body ?? null,
    },
    handler,
  )
  return () => {
    client.destroy().catch(() => {})
    socket?.destroy()
  }
}

function pairsOf(headers: Record<string, string | string[] | undefined>): [string, string][] {
  return Object.entries(headers).map(([name, value = '']) => [name, Array.isArray(value) ? (value[0] ?? '') : value])
}
