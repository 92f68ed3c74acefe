/**
 * What a gateway says unasked, to all of its link: SSDP notifications (UDA 1.1 1.2), and that PCP or NAT-PMP begins anew
 * or has another address (RFC 6887 14.1.1, RFC 6886 3.2.1). Anyone on the link can forge it, so it is never more than a
 * reason to ask, and not more than one in a second.
 *
 * Joined is, on the interface that leads to the gateway and on no other, each family of which an address of the gateway
 * is known:
 *   port 1900   239.255.255.250, ff02::c and ff05::c (UDA 1.1 A.3: a device tells the one its link-local address, the
 *               other the rest)
 *   port 5350   224.0.0.1, ff02::1
 * Other programs of this computer may have the same ports, where they let others in as this does. A group that cannot be
 * joined (no IPv6, no such interface any more, a port that somebody keeps to himself) is one reason to ask less, no error.
 */
import { isIPv6Host, isSameAddress, onSameSubnet, splitZone, withZone } from '../../domain/address.js'
import { unlessMalformed } from '../../domain/errors.js'
import { PORT_CONTROL_ANNOUNCEMENT_PORT, SSDP_PORT } from '../../domain/ports.js'
import type { Clock } from '../../net/clock.js'
import type { DatagramOptions, DatagramSocket, Datagrams, Endpoint } from '../../net/datagrams.js'
import { type InterfaceAddress, isIPv6Interface } from '../../net/interfaces.js'
import { limitPerSecond, OncePerSecond } from '../../net/rate-limit.js'
import { decodeNatPmpResponse } from '../../wire/natpmp.js'
import { decodePcpResponse, PCP_ANNOUNCEMENT_GROUPS, PCP_VERSION } from '../../wire/pcp.js'
import { decodeSsdp, type Notify, SSDP_MULTICAST_IPV4, SSDP_MULTICAST_IPV6 } from '../../wire/ssdp.js'

/** What the gateway, or whoever forges its address, can make us look at and keep. */
export const MAX_ANNOUNCEMENTS_PER_SECOND = 100
export const MAX_ANNOUNCED_DEVICES = 64

export interface AnnouncementsOptions {
  /** A link-local one with its zone, or without where the local address tells it. */
  readonly gatewayAddresses: readonly string[]
  readonly interfaces: readonly InterfaceAddress[]
  /** This computer's address on the way to the gateway. */
  readonly localAddress: string
}

const GROUPS = [
  ...[SSDP_MULTICAST_IPV4, ...SSDP_MULTICAST_IPV6].map(
    (group) => ({ port: SSDP_PORT, group, protocol: 'ssdp' }) as const,
  ),
  ...Object.values(PCP_ANNOUNCEMENT_GROUPS).map(
    (group) => ({ port: PORT_CONTROL_ANNOUNCEMENT_PORT, group, protocol: 'port-control' }) as const,
  ),
]

type Protocol = (typeof GROUPS)[number]['protocol']

/** Until the returned function is called. */
export function listenToAnnouncements(
  net: { readonly clock: Clock; readonly datagrams: Pick<Datagrams, 'open'> },
  about: AnnouncementsOptions,
  onSuspicion: () => void,
): () => void {
  const zone = zoneOf(about)
  const gateways = about.gatewayAddresses.map((address) => withZone(address, zone))
  const suspicion = new OncePerSecond(net.clock, onSuspicion)
  const isWithinLimit = limitPerSecond(MAX_ANNOUNCEMENTS_PER_SECOND, net.clock)
  const known = new KnownDevices()
  const sockets: DatagramSocket[] = []
  let stopped = false

  const receive = (protocol: Protocol, datagram: Uint8Array, { address }: Endpoint): void => {
    if (stopped || !gateways.some((gateway) => isSameAddress(gateway, address)) || !isWithinLimit()) return
    const isNews = protocol === 'ssdp' ? isSsdpNews(datagram, address, known) : isPortControlNews(datagram)
    if (isNews) suspicion.tell()
  }
  const open = async ({ port, group, multicastInterface, protocol }: Membership): Promise<void> => {
    const onMessage: DatagramOptions['onMessage'] = (datagram, from) => receive(protocol, datagram, from)
    const options = { port, shared: true, multicastInterface, multicastGroup: group, onMessage }
    const everywhere = isIPv6Host(group) ? '::' : '0.0.0.0'
    const bindTo = (address: string): Promise<DatagramSocket> => net.datagrams.open({ ...options, address })
    // On all addresses it would also get what is meant for this computer's other programs; but Windows binds to no group.
    const socket = await bindTo(group).catch(() => bindTo(everywhere))
    if (stopped) socket.close()
    else sockets.push(socket)
  }
  Promise.allSettled(memberships(about, gateways, zone).map(open))

  return () => {
    stopped = true
    suspicion.cancel()
    for (const socket of sockets.splice(0)) socket.close()
  }
}

interface Membership {
  readonly port: number
  readonly group: string
  readonly multicastInterface: string
  readonly protocol: Protocol
}

function memberships(about: AnnouncementsOptions, gateways: readonly string[], zone: string): Membership[] {
  const localIPv4 = localIPv4Of(about)
  const hasIPv6 = zone !== '' && gateways.some(isIPv6Host)
  return GROUPS.flatMap(({ port, group, protocol }) => {
    if (!isIPv6Host(group))
      return localIPv4 === undefined ? [] : [{ port, group, multicastInterface: localIPv4, protocol }]
    const onLink = { group: `${group.toLowerCase()}%${zone}`, multicastInterface: `::%${zone}` }
    return hasIPv6 ? [{ port, ...onLink, protocol }] : []
  })
}

/** Undefined where no gateway address is one of IPv4. */
function localIPv4Of({ gatewayAddresses, interfaces, localAddress }: AnnouncementsOptions): string | undefined {
  const gateways = gatewayAddresses.filter((address) => !isIPv6Host(address))
  if (gateways.length === 0) return undefined
  if (!isIPv6Host(localAddress)) return localAddress
  return interfaces.find((own) => gateways.some((gateway) => onSameSubnet(own.address, own.netmask, gateway)))?.address
}

/** Of the interface that leads to the gateway: its own if it has one, or else that of the local address. */
function zoneOf({ gatewayAddresses, interfaces, localAddress }: AnnouncementsOptions): string {
  const told = [...gatewayAddresses, localAddress].map((address) => splitZone(address).zone).find((zone) => zone !== '')
  if (told !== undefined) return told
  const own = interfaces.find(({ address }) => isSameAddress(address, splitZone(localAddress).address))
  // An address of IPv4 or a global one has no zone, but the interface's other addresses tell it.
  return interfaces.filter(isIPv6Interface).find(({ name }) => name === own?.name)?.zone ?? ''
}

function isSsdpNews(datagram: Uint8Array, from: string, known: KnownDevices): boolean {
  const message = unlessMalformed(() => decodeSsdp(datagram))
  if (message?.kind !== 'notify') return false
  const NTS = message.NTS.toLowerCase()
  return NTS === 'ssdp:byebye' || NTS === 'ssdp:update' || (NTS === 'ssdp:alive' && known.isNews(message, from))
}

function isPortControlNews(datagram: Uint8Array): boolean {
  return datagram[0] === PCP_VERSION
    ? unlessMalformed(() => decodePcpResponse(datagram))?.kind === 'ANNOUNCE-response'
    : unlessMalformed(() => decodeNatPmpResponse(datagram))?.kind === 'external-address-response'
}

/**
 * Where each device is, and since which boot. One box may be several devices (a FRITZ!Box is five), each with a location
 * of its own, and say so by each of its addresses: what counts is what the same device said last in the same way. What it
 * says by one more of its addresses is nothing new where its boot is known.
 */
class KnownDevices {
  /** The location that each address of a device said last. */
  readonly #last = new Map<string, string>()
  readonly #boots = new Map<string, string>()

  isNews({ USN, BOOTID, LOCATION }: Notify, from: string): boolean {
    const device = USN.split('::', 1)[0] ?? ''
    const before = this.#last.get(`${from} ${device}`)
    const isOtherBoot = this.#boots.get(device) !== (BOOTID ?? '')
    remember(this.#last, `${from} ${device}`, LOCATION)
    remember(this.#boots, device, BOOTID ?? '')
    return isOtherBoot || (before === undefined ? BOOTID === undefined : before !== LOCATION)
  }
}

/** The oldest one makes room. */
function remember(known: Map<string, string>, name: string, value: string): void {
  const [oldest = ''] = known.keys()
  if (!known.has(name) && known.size >= MAX_ANNOUNCED_DEVICES) known.delete(oldest)
  known.set(name, value)
}
