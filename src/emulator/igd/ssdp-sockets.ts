/**
 * The sockets of the SSDP responder. The first is bound to the gateway's address: it receives unicast searches, and
 * sends everything. A socket like that does not receive multicast, so on port 1900 a second one is bound to the group.
 *
 * Only searches from the subnet of the gateway's address are answered. Another program on this computer may have joined
 * the group on another interface, and then the datagrams from there arrive here too (Linux, IP_MULTICAST_ALL).
 */
import { type TransportError, unlessMalformed } from '../../domain/errors.js'
import { SSDP_PORT } from '../../domain/ports.js'
import type { Clock } from '../../net/clock.js'
import type { DatagramOptions, DatagramSocket, Datagrams, Endpoint } from '../../net/datagrams.js'
import { limitPerSecond } from '../../net/rate-limit.js'
import { decodeSsdp, type SearchRequest, SSDP_MULTICAST_IPV4, SSDP_MULTICAST_TTL } from '../../wire/ssdp.js'
import type { EmulatorCounters } from '../counters.js'
import { MAX_AGE_SECONDS, type SsdpResponder } from './ssdp-responder.js'

/** Bounds what a peer can make the gateway send: it answers this many searches in a second. */
export const MAX_SEARCHES_PER_SECOND = 200

export interface SsdpOptions {
  readonly address: string
  /** 0 for any free port. With 1900 the multicast group is joined too. */
  readonly port: number
  readonly responder: SsdpResponder
  /** How long to wait before each answer. */
  readonly searchDelayMs: number
  readonly isNeighbour: (address: string) => boolean
  readonly counters: EmulatorCounters
  readonly clock: Clock
  readonly datagrams: Datagrams
}

export interface SsdpSockets {
  readonly local: Endpoint
  /** Why a socket stopped, if one did. */
  readonly failure: TransportError | undefined
  close(): Promise<void>
}

/** @throws TransportError */
export async function openSsdp(options: SsdpOptions): Promise<SsdpSockets> {
  let failure: TransportError | undefined
  const onError = (error: TransportError): void => {
    failure ??= error
  }
  const direct = await openDirect(options, (datagram, from) => receive(datagram, from), onError)
  const { receive, forget } = createReceiver(options, direct)
  const group = await openGroup(options, direct, { onMessage: receive, onError })
  const announcements = group === undefined ? undefined : announce(options, direct)
  return {
    local: direct.local,
    get failure() {
      return failure
    },
    async close() {
      forget()
      await announcements?.end()
      group?.close()
      direct.close()
    },
  }
}

type OnMessage = DatagramOptions['onMessage']
type OnError = (error: TransportError) => void

function openDirect(
  { address, port, datagrams }: SsdpOptions,
  onMessage: OnMessage,
  onError: OnError,
): Promise<DatagramSocket> {
  return datagrams.open({
    address,
    port,
    shared: port === SSDP_PORT,
    multicastInterface: address,
    multicastTtl: SSDP_MULTICAST_TTL,
    onMessage,
    onError,
  })
}

async function openGroup(
  { address, port, datagrams }: SsdpOptions,
  direct: DatagramSocket,
  listeners: { onMessage: OnMessage; onError: OnError },
): Promise<DatagramSocket | undefined> {
  if (port !== SSDP_PORT) return undefined
  const open = (boundTo: string): Promise<DatagramSocket> =>
    datagrams.open({
      ...listeners,
      address: boundTo,
      port,
      shared: true,
      multicastInterface: address,
      multicastGroup: SSDP_MULTICAST_IPV4,
    })
  try {
    // Windows cannot bind to a group address. A socket on all addresses receives more, but isNeighbour() filters it.
    return await open(SSDP_MULTICAST_IPV4).catch(() => open('0.0.0.0'))
  } catch (error) {
    direct.close()
    throw error
  }
}

interface Receiver {
  readonly receive: OnMessage
  /** Cancels the answers that still wait. */
  forget(): void
}

function createReceiver(options: SsdpOptions, direct: DatagramSocket): Receiver {
  const { responder, isNeighbour, counters, searchDelayMs, clock } = options
  const isWithinLimit = limitPerSecond(MAX_SEARCHES_PER_SECOND, clock)
  const waiting = new Set<() => void>()
  const answer = (search: SearchRequest, from: Endpoint): void => {
    for (const reply of responder.answer(search)) direct.send(reply, from)
  }
  const answerLater = (search: SearchRequest, from: Endpoint): void => {
    const cancel = clock.schedule(searchDelayMs, () => {
      waiting.delete(cancel)
      answer(search, from)
    })
    waiting.add(cancel)
  }
  const receive: OnMessage = (datagram, from) => {
    if (!isNeighbour(from.address) || from.port === 0) {
      counters.ignoredDatagrams++
      return
    }
    const message = unlessMalformed(() => decodeSsdp(datagram))
    if (message === undefined) counters.malformedDatagrams++
    if (message?.kind !== 'search') return
    if (!isWithinLimit()) {
      counters.ignoredDatagrams++
      return
    }
    counters.searches++
    // At once, not at a random moment within MX seconds (UDA 1.1 1.3.3): a single gateway has nobody to collide with.
    if (searchDelayMs === 0) answer(message, from)
    else answerLater(message, from)
  }
  return {
    receive,
    forget() {
      for (const cancel of waiting) cancel()
    },
  }
}

/** Sends ssdp:alive now and again before it expires (UDA 1.1 1.2.2), and ssdp:byebye at the end (1.2.3). */
function announce({ responder, clock }: SsdpOptions, direct: DatagramSocket): { end(): Promise<void> } {
  const send = (messages: readonly Uint8Array[]): void => {
    for (const message of messages) direct.send(message, { address: SSDP_MULTICAST_IPV4, port: SSDP_PORT })
  }
  let cancel = (): void => {}
  const sayAlive = (): void => {
    send(responder.alive())
    cancel = clock.schedule((MAX_AGE_SECONDS / 2) * 1000, sayAlive)
  }
  sayAlive()
  return {
    end() {
      cancel()
      send(responder.byebye())
      // send() only queues a datagram. The datagram leaves in a later turn of the event loop.
      return new Promise((resolve) => setImmediate(resolve))
    },
  }
}
