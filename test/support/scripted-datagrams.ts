/** UDP that goes nowhere: sockets remember what was sent and when, and a test delivers to them what it wants. */
import { TransportError } from '../../src/domain/errors.ts'
import type { Clock } from '../../src/net/clock.ts'
import type {
  ConnectedOptions,
  ConnectedSocket,
  DatagramOptions,
  DatagramSocket,
  Datagrams,
  Endpoint,
} from '../../src/net/datagrams.ts'
import { decodeSsdp } from '../../src/wire/ssdp.ts'

export interface SentDatagram {
  readonly atMs: number
  /** The address that the socket is bound to. */
  readonly via: string
  /** `address:port` */
  readonly to: string
  readonly text: string
  /** The search target, or '' where it is no M-SEARCH. */
  readonly ST: string
}

/** What left by a connected socket. */
export interface SentRequest {
  readonly atMs: number
  /** The local address. */
  readonly from: string
  /** `address:port` */
  readonly to: string
  readonly bytes: Uint8Array
}

export class ScriptedDatagrams implements Datagrams {
  readonly sockets: ScriptedSocket[] = []
  readonly sent: SentDatagram[] = []
  readonly connections: ScriptedPeer[] = []
  readonly requests: SentRequest[] = []
  /** Called after every datagram: a device that answers does so from here. */
  onSend: (sent: SentDatagram, socket: ScriptedSocket) => void = () => {}
  /** The same of connected sockets. */
  onRequest: (request: SentRequest, peer: ScriptedPeer) => void = () => {}
  /** What a connected socket is bound to where it is not told. */
  localAddress = '192.168.1.10'
  readonly #clock: Clock
  readonly #refused = new Set<string>()
  readonly #held = new Map<string, Promise<void>>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Sockets on that address, or to it, cannot be opened. */
  refuse(address: string): void {
    this.#refused.add(address)
  }

  /** Sockets on that address, or to it, open only when the returned function is called. */
  hold(address: string): () => void {
    let release = (): void => {}
    this.#held.set(address, new Promise((resolve) => (release = resolve)))
    return release
  }

  async open(options: DatagramOptions): Promise<DatagramSocket> {
    await this.#held.get(options.address)
    if (this.#refused.has(options.address)) throw new TransportError(`no socket on ${options.address}`)
    const socket = new ScriptedSocket(options, 50_000 + this.sockets.length, (datagram, to) => {
      const text = new TextDecoder('latin1').decode(datagram)
      const message = decodeSsdp(datagram)
      const ST = message.kind === 'search' ? message.ST : ''
      const sent = { atMs: this.#clock.monotonicMs(), via: options.address, to: `${to.address}:${to.port}`, text, ST }
      this.sent.push(sent)
      this.onSend(sent, socket)
    })
    this.sockets.push(socket)
    return socket
  }

  async connect(options: ConnectedOptions): Promise<ConnectedSocket> {
    const { address, port } = options.remote
    await this.#held.get(address)
    if (this.#refused.has(address)) throw new TransportError(`there is no way to ${address}`)
    const local = { address: options.localAddress ?? this.localAddress, port: 60_000 + this.connections.length }
    const peer = new ScriptedPeer(options, local, (bytes) => {
      const request = { atMs: this.#clock.monotonicMs(), from: local.address, to: `${address}:${port}`, bytes }
      this.requests.push(request)
      this.onRequest(request, peer)
    })
    this.connections.push(peer)
    return peer
  }

  get openCount(): number {
    return [...this.sockets, ...this.connections].filter((socket) => socket.isOpen).length
  }

  /** The socket that was connected to that address last, or the last one. */
  connection(address?: string): ScriptedPeer {
    const found = this.connections.findLast((each) => address === undefined || each.options.remote.address === address)
    if (found === undefined) throw new Error(`nobody has asked ${address}`)
    return found
  }

  /** The socket on that address, or the only one. */
  socket(address?: string): ScriptedSocket {
    const found = this.sockets.find((socket) => address === undefined || socket.options.address === address)
    if (found === undefined) throw new Error(`no socket on ${address}`)
    return found
  }
}

export class ScriptedSocket implements DatagramSocket {
  readonly options: DatagramOptions
  readonly local: Endpoint
  isOpen = true
  closedTimes = 0
  readonly #onSend: (datagram: Uint8Array, to: Endpoint) => void

  constructor(options: DatagramOptions, port: number, onSend: (datagram: Uint8Array, to: Endpoint) => void) {
    this.options = options
    this.local = { address: options.address, port }
    this.#onSend = onSend
  }

  send(datagram: Uint8Array, to: Endpoint): void {
    if (this.isOpen) this.#onSend(datagram, to)
  }

  close(): void {
    this.isOpen = false
    this.closedTimes++
  }

  /** As the network would: nothing arrives at a closed socket. */
  deliver(datagram: string | Uint8Array, from: string, port = 1900): void {
    if (this.isOpen) this.deliverLate(datagram, from, port)
  }

  /** Even where the socket is closed: what was already on its way up. */
  deliverLate(datagram: string | Uint8Array, from: string, port = 1900): void {
    const bytes = typeof datagram === 'string' ? new TextEncoder().encode(datagram) : datagram
    this.options.onMessage(bytes, { address: from, port })
  }
}

/** A connected socket, and what its peer does to it. */
export class ScriptedPeer implements ConnectedSocket {
  readonly options: ConnectedOptions
  readonly local: Endpoint
  isOpen = true
  closedTimes = 0
  readonly #onSend: (datagram: Uint8Array) => void

  constructor(options: ConnectedOptions, local: Endpoint, onSend: (datagram: Uint8Array) => void) {
    this.options = options
    this.local = local
    this.#onSend = onSend
  }

  send(datagram: Uint8Array): void {
    if (this.isOpen) this.#onSend(Uint8Array.from(datagram))
  }

  close(): void {
    this.isOpen = false
    this.closedTimes++
  }

  deliver(datagram: Uint8Array): void {
    if (this.isOpen) this.deliverLate(datagram)
  }

  /** Even where the socket is closed. */
  deliverLate(datagram: Uint8Array): void {
    this.options.onMessage(datagram)
  }

  /** The system says so, and closes the socket. */
  fail(code = 'ECONNREFUSED'): void {
    if (!this.isOpen) return
    this.close()
    const cause = Object.assign(new Error(code), { code })
    this.options.onError(new TransportError(`${this.options.remote.address} cannot be asked over UDP`, { cause }))
  }
}

export const IGD1 = 'urn:schemas-upnp-org:device:InternetGatewayDevice:1'

/** A reply to a search, lines ending in `newline`. */
export function ssdpReply(location: string, ST = IGD1, server = 'scripted/1.0 UPnP/1.1', newline = '\r\n'): string {
  const headers = [`LOCATION: ${location}`, `SERVER: ${server}`, `ST: ${ST}`, `USN: uuid:1::${ST}`, 'EXT:']
  return ['HTTP/1.1 200 OK', 'CACHE-CONTROL: max-age=1800', ...headers, '', ''].join(newline)
}
