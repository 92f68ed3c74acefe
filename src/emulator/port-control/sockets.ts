/**
 * The UDP socket for PCP and NAT-PMP, one for each address of the gateway. It is bound to that address, because a
 * client expects replies from there. Announcements leave only through the interface with that address.
 */
import { type TransportError, unlessMalformed } from '../../domain/errors.js'
import { PORT_CONTROL_PORT } from '../../domain/ports.js'
import type { Clock } from '../../net/clock.js'
import type { DatagramOptions, Datagrams, Endpoint } from '../../net/datagrams.js'
import { limitPerSecond } from '../../net/rate-limit.js'
import type { EmulatorCounters } from '../counters.js'
import type { IsNeighbour } from '../neighbours.js'
import { type Announcement, announce } from './announcements.js'

/** Bounds what a peer can make the gateway do: it answers this many requests in a second. */
export const MAX_PORT_CONTROL_REQUESTS_PER_SECOND = 200

export interface PortControlSocketOptions {
  readonly address: string
  /** 0 for any free port. With 5351 the gateway announces itself. */
  readonly port: number
  /** The interface that announcements leave through. Without one there are none. */
  readonly multicastInterface: string | undefined
  readonly announceTo: Endpoint
  readonly announcements: readonly Announcement[]
  readonly isNeighbour: IsNeighbour
  /** The response to a request. @throws MalformedMessageError if the datagram must be dropped */
  readonly answer: (datagram: Uint8Array, fromAddress: string, nowMs: number) => Uint8Array
  readonly counters: EmulatorCounters
  readonly clock: Clock
  readonly datagrams: Datagrams
}

export interface PortControlSocket {
  readonly local: Endpoint
  /** Why the socket stopped, if it did. */
  readonly failure: TransportError | undefined
  /** Starts the announcements again from the first, because a new epoch has begun. */
  announce(): void
  close(): void
}

/** @throws TransportError */
export async function openPortControlSocket(options: PortControlSocketOptions): Promise<PortControlSocket> {
  const { address, port, multicastInterface, announceTo, clock } = options
  let failure: TransportError | undefined
  let announcing: (() => void)[] = []
  const endAnnouncing = (): void => {
    for (const end of announcing.splice(0)) end()
  }
  const receive = createReceiver(options, (reply, to) => socket.send(reply, to))
  const socket = await options.datagrams.open({
    address,
    port,
    ...(multicastInterface === undefined ? {} : { multicastInterface }),
    multicastTtl: 1, // announcements stay on the link
    onMessage: receive,
    onError(error) {
      failure ??= error
      endAnnouncing()
    },
  })
  const announcements = port === PORT_CONTROL_PORT && multicastInterface !== undefined ? options.announcements : []
  return {
    local: socket.local,
    get failure() {
      return failure
    },
    announce() {
      endAnnouncing()
      announcing = announcements.map((each) => announce(each, clock, (message) => socket.send(message, announceTo)))
    },
    close() {
      endAnnouncing()
      socket.close()
    },
  }
}

function createReceiver(
  { isNeighbour, answer, counters, clock }: PortControlSocketOptions,
  send: (reply: Uint8Array, to: Endpoint) => void,
): DatagramOptions['onMessage'] {
  const isWithinLimit = limitPerSecond(MAX_PORT_CONTROL_REQUESTS_PER_SECOND, clock)
  return (datagram, from) => {
    if (!isNeighbour(from.address) || from.port === 0 || !isWithinLimit()) {
      counters.ignoredDatagrams++
      return
    }
    const reply = unlessMalformed(() => answer(datagram, from.address, clock.monotonicMs()))
    if (reply === undefined) counters.malformedDatagrams++
    else send(reply, from)
  }
}
