/** A TCP server on loopback that says exactly the bytes that a test wants, and knows what it was sent. */
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'

export interface Peer {
  /** Which connection this is, from 0. */
  readonly index: number
  /** What came, in the pieces in which it came. */
  readonly pieces: readonly string[]
  /** True once the client has closed its half only. */
  readonly halfClosed: boolean
  /** Resolves when the request's head and as much body as it declares are there. */
  request(): Promise<string>
  /** Resolves when the bytes have been handed to the system. */
  send(bytes: string | Uint8Array): Promise<void>
  end(): void
  /** Closes with a TCP reset. */
  reset(): void
  /** Resolves when the connection is gone. */
  readonly closed: Promise<void>
}

export interface RawServer {
  readonly port: number
  readonly peers: readonly Peer[]
  url(path: string): URL
  /** Resolves when the connection of that index has been made. */
  peer(index: number): Promise<Peer>
  /** Resolves when every connection is gone, by the client's or the script's doing. */
  idle(): Promise<void>
  close(): Promise<void>
}

export type Script = (peer: Peer) => void | Promise<void>

export async function startRawServer(script: Script, address = '127.0.0.1'): Promise<RawServer> {
  const peers: Peer[] = []
  const sockets = new Set<Socket>()
  const waiting: (() => void)[] = []
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket)
    const peer = peerOf(socket, peers.length)
    peers.push(peer)
    for (const wake of waiting.splice(0)) wake()
    void Promise.resolve(script(peer)).catch((error) => socket.destroy(error))
  })
  server.listen(0, address)
  await once(server, 'listening')
  const bound = server.address()
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0
  const host = address.includes(':') ? `[${address}]` : address
  return {
    port,
    peers,
    url: (path) => new URL(path, `http://${host}:${port}`),
    async peer(index) {
      for (;;) {
        const peer = peers[index]
        if (peer !== undefined) return peer
        await new Promise<void>((resolve) => waiting.push(resolve))
      }
    },
    async idle() {
      await Promise.all(peers.map((peer) => peer.closed))
    },
    async close() {
      const closed = once(server, 'close')
      server.close()
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

function peerOf(socket: Socket, index: number): Peer {
  const pieces: string[] = []
  let ended = false
  const waiting: (() => void)[] = []
  const wake = (): void => {
    for (const each of waiting.splice(0)) each()
  }
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  socket.on('error', () => {})
  socket.on('data', (piece) => {
    pieces.push(piece.toString('latin1'))
    wake()
  })
  socket.on('end', () => {
    ended = true
    // The client has gone: with allowHalfOpen nobody else closes this side.
    socket.end()
    wake()
  })
  socket.on('close', wake)
  return {
    index,
    pieces,
    get halfClosed() {
      return ended && !socket.destroyed
    },
    async request() {
      while (!isWholeRequest(pieces.join(''))) {
        if (ended || socket.destroyed) throw new Error(`the client left after ${JSON.stringify(pieces.join(''))}`)
        await new Promise<void>((resolve) => waiting.push(resolve))
      }
      return pieces.join('')
    },
    send: (bytes) => new Promise((resolve) => socket.write(bytes, () => resolve())),
    end: () => void socket.end(),
    reset: () => void socket.resetAndDestroy(),
    closed,
  }
}

function isWholeRequest(text: string): boolean {
  const end = text.indexOf('\r\n\r\n')
  if (end === -1) return false
  const length = Number(/\r\ncontent-length: *(\d+)/i.exec(text.slice(0, end))?.[1] ?? 0)
  return text.length >= end + 4 + length
}
