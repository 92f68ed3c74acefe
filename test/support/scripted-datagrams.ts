/** UDP that goes nowhere: sockets remember what was sent and when, and a test delivers to them what it wants. */
import { TransportError } from '../../src/domain/errors.ts'
import type { Clock } from '../../src/net/clock.ts'
import type { DatagramOptions, DatagramSocket, Datagrams, Endpoint } from '../../src/net/datagrams.ts'
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

export class ScriptedDatagrams implements Datagrams {
  readonly sockets: ScriptedSocket[] = []
  readonly sent: SentDatagram[] = []
  /** Called after every datagram: a device that answers does so from here. */
  onSend: (sent: SentDatagram, socket: ScriptedSocket) => void = () => {}
  readonly #clock: Clock
  readonly #refused = new Set<string>()
  readonly #held = new Map<string, Promise<void>>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Sockets on that address cannot be opened. */
  refuse(address: string): void {
    this.#refused.add(address)
  }

  /** Sockets on that address open only when the returned function is called. */
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

  get openCount(): number {
    return this.sockets.filter((socket) => socket.isOpen).length
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

export const IGD1 = 'urn:schemas-upnp-org:device:InternetGatewayDevice:1'

/** A reply to a search, lines ending in `newline`. */
export function ssdpReply(location: string, ST = IGD1, server = 'scripted/1.0 UPnP/1.1', newline = '\r\n'): string {
  const headers = [`LOCATION: ${location}`, `SERVER: ${server}`, `ST: ${ST}`, `USN: uuid:1::${ST}`, 'EXT:']
  return ['HTTP/1.1 200 OK', 'CACHE-CONTROL: max-age=1800', ...headers, '', ''].join(newline)
}
