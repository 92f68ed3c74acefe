/**
 * A link in memory: UDP with multicast, and HTTP, between computers that may be down, asleep, deaf or mute. Its weather
 * loses, doubles, delays and so reorders what passes. Whoever observes it sees everything that is sent.
 */
import { TransportError } from '../../src/domain/errors.ts'
import type {
  ConnectedOptions,
  ConnectedSocket,
  DatagramOptions,
  DatagramSocket,
  Datagrams,
  Endpoint,
} from '../../src/net/datagrams.ts'
import type { Exchange, HttpRequest } from '../../src/net/http/client.ts'
import type { HttpServer, HttpServers, ListenOptions, ServedReply, ServedRequest } from '../../src/net/http/server.ts'
import type { InterfaceAddress } from '../../src/net/interfaces.ts'
import type { ComputerClock, Timeline } from './timeline.ts'

/** What a wire of a home takes. */
const LATENCY_MS = 1
/** How long TCP waits before it sends again what was lost. */
const TCP_AGAIN_MS = 1000
const FIRST_PORT = 32_768
const PORTS = 28_232

export interface Weather {
  /** Of all datagrams, from 0 to 1. */
  loss: number
  doubling: number
  /** The longest delay beyond the usual one. */
  delayMs: number
}

export type Sent =
  | { readonly kind: 'datagram'; readonly from: Endpoint; readonly to: Endpoint; readonly bytes: Uint8Array }
  | { readonly kind: 'http'; readonly from: Endpoint; readonly to: Endpoint; readonly request: ServedRequest }

/** Something is sent or answered. `by` names the program that sent it. */
export type Observer = (sent: Sent, by: string) => void

export class Network {
  readonly timeline: Timeline
  readonly random: () => number
  readonly weather: Weather = { loss: 0, doubling: 0, delayMs: 0 }
  readonly computers: Computer[] = []
  /** When something was delayed for the last time. */
  delayedMs = Number.NEGATIVE_INFINITY
  /** Called when something is sent. */
  onSent: Observer = () => {}
  readonly #clock: ComputerClock

  constructor(timeline: Timeline, random: () => number) {
    this.timeline = timeline
    this.random = random
    this.#clock = timeline.newClock()
  }

  newComputer(address: string): Computer {
    const computer = new Computer(this, address)
    this.computers.push(computer)
    return computer
  }

  at(address: string): Computer | undefined {
    return this.computers.find((each) => each.address === address)
  }

  after(ms: number, task: () => void): void {
    this.#clock.schedule(ms, task)
  }

  delayMs(): number {
    if (this.weather.delayMs === 0) return LATENCY_MS
    this.delayedMs = this.timeline.nowMs
    return LATENCY_MS + Math.floor(this.random() * this.weather.delayMs)
  }

  carry(sender: Computer, by: string, from: Endpoint, to: Endpoint, bytes: Uint8Array, onRefused = (): void => {}) {
    this.onSent({ kind: 'datagram', from, to, bytes }, by)
    if (!sender.canSend || (isMulticast(to.address) && sender.isMuteToAll)) return
    // During an outage most of what is sent is a search: a timer for each would be most of the work.
    if (this.weather.delayMs === 0 && !this.computers.some((each) => each !== sender && each.mayHear(to))) return
    const { loss, doubling } = this.weather
    const copies = loss > 0 && this.random() < loss ? 0 : doubling > 0 && this.random() < doubling ? 2 : 1
    for (let each = 0; each < copies; each++)
      this.after(this.delayMs(), () => this.#deliver(sender, from, to, bytes, onRefused))
  }

  #deliver(sender: Computer, from: Endpoint, to: Endpoint, bytes: Uint8Array, onRefused: () => void): void {
    if (isMulticast(to.address)) {
      for (const computer of this.computers) if (computer !== sender) computer.hear(from, to, bytes)
      return
    }
    const isHeard = this.at(to.address)?.hear(from, to, bytes)
    if (isHeard === false) this.after(LATENCY_MS, onRefused)
  }
}

function isMulticast(address: string): boolean {
  return address.startsWith('224.') || address.startsWith('239.')
}

interface OpenSocket {
  readonly local: Endpoint
  readonly group: string | undefined
  readonly remote: Endpoint | undefined
  readonly onMessage: (datagram: Uint8Array, from: Endpoint) => void
}

/** The router's own answer to a request, in place of its service's: undefined to let the service answer. */
export interface Intercept {
  readonly datagram: (bytes: Uint8Array, to: Endpoint) => Uint8Array | undefined
  readonly http: (request: ServedRequest) => ServedReply | undefined
}

/** A computer on the link, with one address. */
export class Computer {
  readonly network: Network
  readonly clock: ComputerClock
  address: string
  isUp = true
  /** It hears nothing, or nobody hears it. */
  isDeaf = false
  isMute = false
  /** Nobody hears what it sends to all. */
  isMuteToAll = false
  intercept: Intercept | undefined
  readonly #sockets = new Set<OpenSocket>()
  readonly #servers = new Map<number, ListenOptions>()
  #lastPort = 0

  constructor(network: Network, address: string) {
    this.network = network
    this.address = address
    this.clock = network.timeline.newClock()
  }

  get canSend(): boolean {
    return this.isUp && !this.isMute && !this.clock.isAsleep
  }

  get #canHear(): boolean {
    return this.isUp && !this.isDeaf && !this.clock.isAsleep
  }

  /** What is open. */
  get openSockets(): readonly string[] {
    const sockets = [...this.#sockets].map(({ local }) => `udp ${local.address}:${local.port}`)
    return [...sockets, ...[...this.#servers.keys()].map((port) => `http ${port}`)]
  }

  readonly interfaces = (): readonly InterfaceAddress[] => [
    { name: 'eth0', address: this.address, netmask: '255.255.255.0', loopback: false },
  ]

  /** UDP for a program on this computer. */
  datagramsOf(by: string): Datagrams {
    return {
      open: async (options) => this.#open(by, options),
      connect: async (options) => this.#connect(by, options),
    }
  }

  #freePort(): number {
    this.#lastPort = (this.#lastPort + 1) % PORTS
    return FIRST_PORT + this.#lastPort
  }

  #open(by: string, { address, port, multicastGroup, onMessage }: DatagramOptions): DatagramSocket {
    const local = { address: address === '0.0.0.0' ? this.address : address, port: port || this.#freePort() }
    const socket: OpenSocket = { local, group: multicastGroup, remote: undefined, onMessage }
    this.#sockets.add(socket)
    const from = { address: isMulticast(address) ? this.address : local.address, port: local.port }
    return {
      local,
      send: (datagram, to) => {
        if (this.#sockets.has(socket)) this.network.carry(this, by, from, to, datagram.slice())
      },
      close: () => void this.#sockets.delete(socket),
    }
  }

  #connect(by: string, { remote, localAddress = this.address, onMessage, onError }: ConnectedOptions): ConnectedSocket {
    if (localAddress !== this.address) throw new TransportError(`this computer does not have ${localAddress}`)
    const local = { address: localAddress, port: this.#freePort() }
    const socket: OpenSocket = { local, group: undefined, remote, onMessage }
    this.#sockets.add(socket)
    const onRefused = (): void => {
      if (!this.#sockets.delete(socket)) return
      const cause = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
      onError(new TransportError(`${remote.address} cannot be asked over UDP`, { cause }))
    }
    return {
      local,
      send: (datagram) => {
        if (this.#sockets.has(socket)) this.network.carry(this, by, local, remote, datagram.slice(), onRefused)
      },
      close: () => void this.#sockets.delete(socket),
    }
  }

  /** Whether it may have to do with what is sent there. */
  mayHear({ address }: Endpoint): boolean {
    if (!this.#canHear) return false
    return isMulticast(address) ? [...this.#sockets].some(({ group }) => group === address) : address === this.address
  }

  /** Undefined if it cannot be heard here at all; false if nobody listens there. */
  hear(from: Endpoint, to: Endpoint, bytes: Uint8Array): boolean | undefined {
    if (!this.#canHear) return undefined
    const own = this.intercept?.datagram(bytes, to)
    if (own !== undefined) {
      this.network.carry(this, 'router', to, from, own)
      return true
    }
    const listening = [...this.#sockets].filter((socket) => hears(socket, from, to))
    for (const { onMessage } of listening) {
      try {
        onMessage(bytes, from)
      } catch {} // as in net/datagrams.ts: only that datagram is lost
    }
    return listening.length > 0
  }

  /** The answer of the service on that port, without a wire. */
  async serve(port: number, request: ServedRequest): Promise<ServedReply | undefined> {
    return this.#servers.get(port)?.handler(request)
  }

  readonly httpServers: HttpServers = {
    listen: async (options): Promise<HttpServer> => {
      const port = options.port || this.#freePort()
      this.#servers.set(port, options)
      const close = async (): Promise<void> => {
        if (this.#servers.get(port) === options) this.#servers.delete(port)
      }
      return { local: { address: options.address, port }, close }
    },
  }

  /** HTTP for a program on this computer. */
  exchangeOf(by: string): Exchange {
    return (request, sink) => {
      const { network } = this
      const to = { address: request.url.hostname, port: Number(request.url.port || 80) }
      const from = { address: this.address, port: this.#freePort() }
      let isStopped = false
      const later = (task: () => void): void => {
        const again = network.random() < network.weather.loss ? TCP_AGAIN_MS : 0
        network.after(network.delayMs() + again, () => isStopped || task())
      }
      const served = servedRequest(request, from, to)
      network.onSent({ kind: 'http', from, to, request: served }, by)
      if (this.canSend)
        later(() => {
          const peer = network.at(to.address)
          if (peer === undefined || !peer.#canHear) return
          const listening = peer.#servers.get(to.port)
          if (listening === undefined || listening.isWelcome?.(from.address) === false) {
            later(() => sink.fail(Object.assign(new Error('ECONNREFUSED'), { code: 'ECONNREFUSED' }), 0))
            return
          }
          sink.connected(from.address, to.address)
          const own = peer.intercept?.http(served)
          const answer = (reply: ServedReply | undefined): void => {
            if (!peer.canSend) return
            later(() => {
              if (!this.#canHear) return
              if (reply === undefined) return sink.fail(Object.assign(new Error('reset'), { code: 'ECONNRESET' }), 0)
              const body = Buffer.from(reply.body)
              sink.head(reply.status, body.length, reply.headers)
              sink.data(body)
              sink.end()
            })
          }
          Promise.resolve(own ?? listening.handler(served)).then(answer)
        })
      return () => {
        isStopped = true
      }
    }
  }
}

function hears({ local, group, remote }: OpenSocket, from: Endpoint, to: Endpoint): boolean {
  if (local.port !== to.port) return false
  if (isMulticast(to.address)) return group === to.address
  if (remote !== undefined && (remote.address !== from.address || remote.port !== from.port)) return false
  return local.address === to.address
}

function servedRequest({ method, url, headers, body = '' }: HttpRequest, from: Endpoint, to: Endpoint): ServedRequest {
  const named = headers.map(([name, value]): [string, string] => [name.toLowerCase(), value])
  return {
    method,
    target: url.pathname + url.search,
    headers: new Map([['host', `${to.address}:${to.port}`], ...named]),
    body: Buffer.from(body),
    remoteAddress: from.address,
    localAddress: to.address,
  }
}
