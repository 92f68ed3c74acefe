/**
 * The SSDP side of the emulated gateway: replies to searches, and announcements (UPnP Device Architecture 1.1, chapter
 * 1). There is one message for the root device, one for the UDN and one for the type of each device, and one for each
 * service.
 *
 * The first socket is bound to the gateway's address: it receives unicast searches, and sends everything. A socket like
 * that does not receive multicast, so on port 1900 a second one is bound to the group. Only searches from the subnet of
 * the gateway's address are answered. Another program on this computer may have joined the group on another interface,
 * and then the datagrams from there arrive here too (Linux, IP_MULTICAST_ALL).
 */
import { type TransportError, unlessMalformed } from '../../domain/errors.js'
import { SSDP_PORT } from '../../domain/ports.js'
import { type Clock, limitPerSecond } from '../../net/clock.js'
import type { DatagramOptions, DatagramSocket, Datagrams, Endpoint } from '../../net/datagrams.js'
import { allDevices, type Device } from '../../wire/description.js'
import {
  decodeSsdp,
  encodeNotify,
  encodeSearchReply,
  type SearchRequest,
  SSDP_MULTICAST_IPV4,
  SSDP_MULTICAST_TTL,
} from '../../wire/ssdp.js'
import type { EmulatorCounters } from '../gateway-state.js'
import type { EmulatedLink } from '../link.js'

/** CACHE-CONTROL: how long an announcement is valid. */
const MAX_AGE_SECONDS = 1800

export interface SsdpResponderOptions {
  readonly device: Device
  /** The URL of the description. */
  readonly location: string
  readonly server: string
  /** BOOTID.UPNP.ORG: greater than at the last start (UDA 1.1 1.2). */
  readonly bootId: () => number
}

export interface SsdpResponder {
  /** The replies, in the order of the device tree. None if the search is for something else. */
  answer(search: SearchRequest): Uint8Array[]
  alive(): Uint8Array[]
  byebye(): Uint8Array[]
}

interface Offer {
  readonly UDN: string
  readonly NT: string
}

export function createSsdpResponder({ device, location, server, bootId }: SsdpResponderOptions): SsdpResponder {
  const offers = offersOf(device)
  const common = () => ({ LOCATION: location, SERVER: server, maxAge: MAX_AGE_SECONDS, BOOTID: String(bootId()) })
  return {
    answer: ({ ST }) =>
      matching(offers, ST).map((offer) => encodeSearchReply({ ...common(), ST: offer.NT, USN: usnOf(offer) })),
    alive: () =>
      offers.map((offer) => encodeNotify({ ...common(), NTS: 'ssdp:alive', NT: offer.NT, USN: usnOf(offer) })),
    byebye() {
      const bye = { ...common(), NTS: 'ssdp:byebye', LOCATION: '', SERVER: '', maxAge: undefined }
      return offers.map((offer) => encodeNotify({ ...bye, NT: offer.NT, USN: usnOf(offer) }))
    },
  }
}

/** UDA 1.1 tables 1-1 to 1-3. */
function offersOf(root: Device): Offer[] {
  const rootDevice = { UDN: root.UDN, NT: 'upnp:rootdevice' }
  const others = [...allDevices(root)].flatMap(({ UDN, deviceType, serviceList }) =>
    [UDN, deviceType, ...serviceList.map((service) => service.serviceType)].map((NT) => ({ UDN, NT })),
  )
  return [rootDevice, ...others]
}

function usnOf({ UDN, NT }: Offer): string {
  return NT === UDN ? UDN : `${UDN}::${NT}`
}

function matching(offers: readonly Offer[], ST: string): Offer[] {
  if (ST === 'ssdp:all') return [...offers]
  // UDA 1.1 1.3.2: if the search is for an older version, ST and USN of the reply have that version.
  return offers.filter(({ NT }) => isOrSucceeds(NT, ST)).map(({ UDN }) => ({ UDN, NT: ST }))
}

function isOrSucceeds(NT: string, ST: string): boolean {
  if (NT === ST) return true
  const [, offeredType, offeredVersion] = versioned(NT)
  const [, askedType, askedVersion] = versioned(ST)
  return offeredType !== undefined && offeredType === askedType && Number(askedVersion) < Number(offeredVersion)
}

function versioned(urn: string): readonly (string | undefined)[] {
  return /^(urn:.+):([1-9]\d?)$/.exec(urn) ?? []
}

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
  /** Hears what the gateway announces, whatever its port. */
  readonly link?: EmulatedLink
}

export interface SsdpSockets {
  readonly local: Endpoint
  /** Why a socket stopped, if one did. */
  readonly failure: TransportError | undefined
  /** Says that the gateway is there, as after a start. */
  announce(): void
  close(): Promise<void>
}

/** @throws TransportError */
export async function openSsdp(options: SsdpOptions): Promise<SsdpSockets> {
  const { address, port, datagrams } = options
  const withGroup = port === SSDP_PORT
  let failure: TransportError | undefined
  const common: Omit<DatagramOptions, 'address'> = {
    port,
    shared: withGroup,
    ...(withGroup ? { multicastInterface: address } : {}),
    onMessage: (datagram, from) => receive(datagram, from),
    onError(error) {
      failure ??= error
    },
  }
  const direct = await datagrams.open({ ...common, address, multicastTtl: SSDP_MULTICAST_TTL })
  const { receive, forget } = createReceiver(options, direct)
  const group = withGroup
    ? await openGroup(datagrams, common).catch((error) => {
        direct.close()
        throw error
      })
    : undefined
  const announcements = announce(options, direct)
  if (withGroup) announcements.sayAlive()
  return {
    local: direct.local,
    get failure() {
      return failure
    },
    announce: announcements.sayAlive,
    async close() {
      forget()
      await announcements.end()
      group?.close()
      direct.close()
    },
  }
}

/** Windows cannot bind to a group address. A socket on all addresses receives more, but isNeighbour() filters it. */
function openGroup(datagrams: Datagrams, options: Omit<DatagramOptions, 'address'>): Promise<DatagramSocket> {
  const open = (address: string): Promise<DatagramSocket> =>
    datagrams.open({ ...options, address, multicastGroup: SSDP_MULTICAST_IPV4 })
  return open(SSDP_MULTICAST_IPV4).catch(() => open('0.0.0.0'))
}

/** `forget` cancels the answers that still wait. */
function createReceiver(options: SsdpOptions, direct: DatagramSocket) {
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
  const receive: DatagramOptions['onMessage'] = (datagram, from) => {
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

/**
 * Sends ssdp:alive, and again before it expires (UDA 1.1 1.2.2), and ssdp:byebye at the end (1.2.3). Without port 1900
 * nothing is sent to the group.
 */
function announce({ port, responder, clock, link }: SsdpOptions, direct: DatagramSocket) {
  const withGroup = port === SSDP_PORT
  const send = (messages: readonly Uint8Array[]): void => {
    for (const message of messages) {
      if (withGroup) direct.send(message, { address: SSDP_MULTICAST_IPV4, port: SSDP_PORT })
      link?.tell(SSDP_PORT, message, direct.local)
    }
  }
  let cancel = (): void => {}
  const sayAlive = (): void => {
    cancel()
    send(responder.alive())
    if (withGroup) cancel = clock.schedule((MAX_AGE_SECONDS / 2) * 1000, sayAlive)
  }
  return {
    sayAlive,
    end(): Promise<void> {
      cancel()
      send(responder.byebye())
      // send() only queues a datagram. The datagram leaves in a later turn of the event loop.
      return withGroup ? new Promise((resolve) => setImmediate(resolve)) : Promise.resolve()
    },
  }
}
