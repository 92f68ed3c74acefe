/** UDP over IPv4 and IPv6: an interface that tests replace, and its implementation on node:dgram. */
import { createSocket, type Socket, type SocketOptions } from 'node:dgram'
import { hostAndPort, isIPv6Host, isNoAddress, isSameAddress, parseIPv4, splitZone } from '../domain/address.js'
import { TransportError } from '../domain/errors.js'
import { ignore, orIgnore } from '../domain/ignored.js'
import { isPort } from '../domain/port-mapping.js'
import { ownAddressTowards } from './own-address.js'
import { reasonOf } from './system-error.js'

export interface Endpoint {
  /** A link-local IPv6 address has its zone, as in `fe80::1%eth0`. */
  readonly address: string
  readonly port: number
}

export interface DatagramOptions {
  /** The local address; '0.0.0.0' for all of IPv4, '::' for all of IPv6. It decides the family. */
  readonly address: string
  /** 0 for any free port. */
  readonly port: number
  /** Other programs may bind the same port: needed for 1900, where several programs listen. */
  readonly shared?: boolean
  /** The interface that multicast leaves through: its IPv4 address, or `::%eth0` for IPv6. */
  readonly multicastInterface?: string
  /** One more than the routers that multicast may pass: the TTL of IPv4, the hop limit of IPv6. */
  readonly multicastTtl?: number
  /** A group to join on `multicastInterface`. */
  readonly multicastGroup?: string
  /** It does not keep the process alive. */
  readonly isBackground?: boolean
  /** If it throws, only that datagram is lost. */
  readonly onMessage: (datagram: Uint8Array, from: Endpoint) => void
  /** The open socket has failed and is closed; nothing is called after this. */
  readonly onError?: (error: TransportError) => void
}

export interface DatagramSocket {
  readonly local: Endpoint
  /** Never throws: a datagram that cannot be sent counts as lost on the way. */
  send(datagram: Uint8Array, to: Endpoint): void
  close(): void
}

/** A socket for one peer: the system drops what strangers send, and reports a port that nobody listens on. */
export interface ConnectedOptions {
  readonly remote: Endpoint
  /** The local address; by default the one on the way to the peer. */
  readonly localAddress?: string | undefined
  /** It does not keep the process alive. */
  readonly isBackground?: boolean
  /** If it throws, only that datagram is lost. */
  readonly onMessage: (datagram: Uint8Array) => void
  /** The port was refused, or the socket failed. The socket is closed; nothing is called after this. */
  readonly onError: (error: TransportError) => void
}

export interface ConnectedSocket {
  readonly local: Endpoint
  /** Never throws, like DatagramSocket.send. */
  send(datagram: Uint8Array): void
  close(): void
}

export interface Datagrams {
  /** @throws TransportError */
  open(options: DatagramOptions): Promise<DatagramSocket>
  /** @throws TransportError if there is no route to the peer */
  connect(options: ConnectedOptions): Promise<ConnectedSocket>
}

export const nodeDatagrams: Datagrams = { open, connect: connectKnowingWhence }

/** Deno's sockets call their local address 0.0.0.0, even connected ones: the address is found, and bound by a second. */
async function connectKnowingWhence(options: ConnectedOptions): Promise<ConnectedSocket> {
  const socket = await connect(options)
  if (!isNoAddress(socket.local.address)) return socket
  socket.close()
  const localAddress = await ownAddressTowards(options.remote.address)
  if (localAddress === undefined) throw new TransportError(`there is no way to ${hostAndPort(options.remote)} over UDP`)
  return connect({ ...options, localAddress })
}

async function open(options: DatagramOptions): Promise<DatagramSocket> {
  const { address, port, shared, multicastInterface, multicastTtl, multicastGroup } = options
  const socket = newSocket(address, shared)
  if (options.isBackground) socket.unref()
  try {
    await bind(socket, address, port, shared)
    if (multicastInterface !== undefined) socket.setMulticastInterface(multicastInterface)
    if (multicastTtl !== undefined) socket.setMulticastTTL(multicastTtl)
    if (multicastGroup !== undefined) socket.addMembership(multicastGroup, multicastInterface)
  } catch (cause) {
    socket.close()
    const what = `could not open a UDP socket on ${hostAndPort(options)}`
    throw new TransportError(`${what}: ${reasonOf(cause, 'listen')}`, { cause })
  }
  const { local, isOpen, close } = listen(socket, options.onMessage, (cause) =>
    options.onError?.(new TransportError(`the UDP socket on ${address} failed`, { cause })),
  )
  return {
    local,
    send(datagram, to) {
      // A forged datagram can come from port 0, and node:dgram throws if it is answered.
      if (isOpen() && isPort(to.port)) socket.send(datagram, to.port, to.address, () => {})
    },
    close,
  }
}

async function connect(options: ConnectedOptions): Promise<ConnectedSocket> {
  const { remote, localAddress, isBackground, onMessage, onError } = options
  const peer = hostAndPort(remote)
  const socket = newSocket(remote.address)
  if (isBackground) socket.unref()
  try {
    if (localAddress !== undefined) await bind(socket, localAddress, 0)
    await new Promise<void>((resolve, reject) => {
      // If the socket is not bound yet, Node binds it first, and reports a failure to bind only as an event.
      socket.once('error', reject)
      socket.connect(remote.port, remote.address, (cause?: Error) => {
        socket.off('error', reject)
        if (cause === undefined) resolve()
        else reject(cause)
      })
    })
  } catch (cause) {
    socket.close()
    throw new TransportError(`there is no way to ${peer} over UDP`, { cause })
  }
  const fromPeer = (datagram: Uint8Array, { address, port }: Endpoint): void => {
    // What arrived between bind and connect may come from a stranger.
    if (port === remote.port && isSameHost(address, remote.address)) onMessage(datagram)
  }
  const { local, isOpen, fail, close } = listen(socket, fromPeer, (cause) =>
    onError(new TransportError(`${peer} cannot be asked over UDP`, { cause })),
  )
  return {
    local,
    send(datagram) {
      if (isOpen()) socket.send(datagram, (cause) => (cause ? fail(cause) : undefined))
    },
    close,
  }
}

function newSocket(address: string, shared = false): Socket {
  const type = isIPv6Host(address) ? 'udp6' : 'udp4'
  return createSocket({ type, ipv6Only: type === 'udp6', reuseAddr: shared, lookup: addressesOnly(type) })
}

/** Names are never resolved, so Node's resolver is not even loaded. */
function addressesOnly(type: 'udp4' | 'udp6'): SocketOptions['lookup'] {
  return (address, _options, done) => {
    const fits = type === 'udp6' ? isIPv6Host(address) : parseIPv4(address) !== undefined
    const family = type === 'udp6' ? 6 : 4
    done(fits ? null : new Error(`'${address}' is not an IPv${family} address`), address, family)
  }
}

function bind(socket: Socket, address: string, port: number, shared = false): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.bind({ address, port, exclusive: !shared }, () => {
      socket.off('error', reject)
      resolve()
    })
  })
}

/** Calls the two functions until the socket is closed; a failure closes it. */
function listen(socket: Socket, onMessage: DatagramOptions['onMessage'], onFailure: (cause: Error) => void) {
  let open = true
  const close = (): void => {
    if (open) socket.close()
    open = false
  }
  const fail = (cause: Error): void => {
    if (!open) return
    close()
    orIgnore('datagram', '', () => onFailure(cause))
  }
  socket.on('error', fail)
  socket.on('message', (datagram, from) => {
    try {
      if (open) onMessage(datagram, { address: from.address, port: from.port })
    } catch (error) {
      ignore('datagram', hostAndPort(from), error) // anybody on the link can send one
    }
  })
  const { address, port } = socket.address()
  return { local: { address, port }, isOpen: () => open, fail, close }
}

/** Zones are ignored: the socket is connected through one interface. */
function isSameHost(a: string, b: string): boolean {
  return a === b || isSameAddress(splitZone(a).address, splitZone(b).address)
}
