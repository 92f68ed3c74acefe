/** UDP, over IPv4 and IPv6. An interface that tests script, and its implementation on node:dgram. */
import { createSocket, type Socket, type SocketOptions } from 'node:dgram'
import { isIPv6, parseIPv4, splitZone } from '../domain/address.js'
import { TransportError } from '../domain/errors.js'
import { isPort } from '../domain/port-mapping.js'

export interface Endpoint {
  /** A link-local IPv6 address has its zone, as in `fe80::1%eth0`. */
  readonly address: string
  readonly port: number
}

export interface DatagramOptions {
  /** The local address; '0.0.0.0' for all of IPv4, '::' for all of IPv6. It decides on the family. */
  readonly address: string
  /** 0 for any free port. */
  readonly port: number
  /** Others may be bound to the same port: wanted for 1900, where several programs listen. */
  readonly shared?: boolean
  /** The interface that multicast leaves by: its address, or for IPv6 `::%eth0`. */
  readonly multicastInterface?: string
  /** Routers that multicast may pass, plus one: the TTL of IPv4, the hop limit of IPv6. */
  readonly multicastTtl?: number
  /** A group to join on `multicastInterface`. */
  readonly multicastGroup?: string
  readonly onMessage: (datagram: Uint8Array, from: Endpoint) => void
  /** A socket that failed after it was open is closed; this is its last word. */
  readonly onError?: (error: TransportError) => void
}

export interface DatagramSocket {
  readonly local: Endpoint
  /** Never throws; a datagram that could not be sent is as good as lost on the way. */
  send(datagram: Uint8Array, to: Endpoint): void
  close(): void
}

export interface Datagrams {
  /** @throws TransportError */
  open(options: DatagramOptions): Promise<DatagramSocket>
}

export const nodeDatagrams: Datagrams = { open }

async function open(options: DatagramOptions): Promise<DatagramSocket> {
  const type = isIPv6Text(options.address) ? 'udp6' : 'udp4'
  const reuseAddr = options.shared === true
  const socket = createSocket({ type, ipv6Only: type === 'udp6', reuseAddr, lookup: addressesOnly(type) })
  try {
    await bind(socket, options)
    if (options.multicastInterface !== undefined) socket.setMulticastInterface(options.multicastInterface)
    if (options.multicastTtl !== undefined) socket.setMulticastTTL(options.multicastTtl)
    if (options.multicastGroup !== undefined) socket.addMembership(options.multicastGroup, options.multicastInterface)
  } catch (cause) {
    socket.close()
    const host = type === 'udp6' ? `[${options.address}]` : options.address
    throw new TransportError(`could not open a UDP socket on ${host}:${options.port}`, { cause })
  }
  return wrap(socket, options)
}

function isIPv6Text(address: string): boolean {
  return isIPv6(splitZone(address).address)
}

/** Names are never resolved; and Node's resolver is not even loaded. */
function addressesOnly(type: 'udp4' | 'udp6'): SocketOptions['lookup'] {
  return (address, _options, done) => {
    const fits = type === 'udp6' ? isIPv6Text(address) : parseIPv4(address) !== undefined
    const family = type === 'udp6' ? 6 : 4
    done(fits ? null : new Error(`'${address}' is not an IPv${family} address`), address, family)
  }
}

function bind(socket: Socket, options: DatagramOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.bind({ address: options.address, port: options.port, exclusive: options.shared !== true }, () => {
      socket.off('error', reject)
      resolve()
    })
  })
}

function wrap(socket: Socket, options: DatagramOptions): DatagramSocket {
  let open = true
  const close = (): void => {
    if (!open) return
    open = false
    socket.close()
  }
  socket.on('message', (datagram, from) => {
    if (open) options.onMessage(datagram, { address: from.address, port: from.port })
  })
  socket.on('error', (cause) => {
    close()
    options.onError?.(new TransportError(`the UDP socket on ${options.address} failed`, { cause }))
  })
  const { address, port } = socket.address()
  return {
    local: { address, port },
    send(datagram, to) {
      // Port 0 can be the sender of a forged datagram, and node:dgram throws where one answers it.
      if (open && isPort(to.port)) socket.send(datagram, to.port, to.address, () => {})
    },
    close,
  }
}
