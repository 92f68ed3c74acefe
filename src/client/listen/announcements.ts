/**
 * What a gateway announces to its link without being asked: SSDP notifications (UDA 1.1 1.2), and that PCP or NAT-PMP
 * has restarted or has another external address (RFC 6887 14.1.1, RFC 6886 3.2.1). Anyone on the link can forge them,
 * so they are only a reason to ask, and at most one in a second.
 *
 * The groups are joined on the interface that leads to the gateway, in each family in which its address is known. Other
 * programs may use the same ports, if they share them too. It is no error if a group cannot be joined (no IPv6, the
 * interface is gone, a program does not share the port): there is just one source less.
 */
import { isIPv6Host, isSameAddress, onSameSubnet, splitZone, withZone } from '../../domain/address.js'
import { unlessMalformed } from '../../domain/errors.js'
import { PORT_CONTROL_ANNOUNCEMENT_PORT, SSDP_PORT } from '../../domain/ports.js'
import { type Clock, limitPerSecond, OncePer, SECOND_MS } from '../../net/clock.js'
import type { DatagramOptions, DatagramSocket, Datagrams, Endpoint } from '../../net/datagrams.js'
import { type InterfaceAddress, isIPv6Interface } from '../../net/interfaces.js'
import { decodeNatPmpResponse } from '../../wire/natpmp.js'
import { decodePcpResponse, PCP_ANNOUNCEMENT_GROUPS, PCP_VERSION } from '../../wire/pcp.js'
import { decodeSsdp, type Notify, SSDP_MULTICAST_IPV4, SSDP_MULTICAST_IPV6 } from '../../wire/ssdp.js'

/** What the gateway, or somebody who forges its address, can make us read and keep. */
export const MAX_ANNOUNCEMENTS_PER_SECOND = 100
export const MAX_ANNOUNCED_DEVICES = 64

export interface AnnouncementsOptions {
  /** A link-local one may leave out its zone if the local address has it. */
  readonly gatewayAddresses: readonly string[]
  readonly interfaces: readonly InterfaceAddress[]
  /** This computer's address on the way to the gateway. */
  readonly localAddress: string
}

/** UDA 1.1 A.3: a device announces its link-local address to ff02::c, and the others to ff05::c. */
const GROUPS = [
  ...[SSDP_MULTICAST_IPV4, ...SSDP_MULTICAST_IPV6].map((group) => ({ port: SSDP_PORT, group })),
  ...Object.values(PCP_ANNOUNCEMENT_GROUPS).map((group) => ({ port: PORT_CONTROL_ANNOUNCEMENT_PORT, group })),
]

/** Listens until the returned function is called. */
export function listenToAnnouncements(
  net: { readonly clock: Clock; readonly datagrams: Pick<Datagrams, 'open'> },
  about: AnnouncementsOptions,
  onSuspicion: () => void,
): () => void {
  const zone = zoneOf(about)
  const gateways = about.gatewayAddresses.map((address) => withZone(address, zone))
  const suspicion = new OncePer(net.clock, SECOND_MS, onSuspicion)
  const isWithinLimit = limitPerSecond(MAX_ANNOUNCEMENTS_PER_SECOND, net.clock)
  const known = new KnownDevices()
  const sockets: DatagramSocket[] = []
  let stopped = false

  const receive = (port: number, datagram: Uint8Array, { address }: Endpoint): void => {
    if (stopped || !gateways.some((gateway) => isSameAddress(gateway, address)) || !isWithinLimit()) return
    const isNews = port === SSDP_PORT ? isSsdpNews(datagram, address, known) : isPortControlNews(datagram)
    if (isNews) suspicion.tell()
  }
  const open = async ({ port, group, multicastInterface }: Membership): Promise<void> => {
    const onMessage: DatagramOptions['onMessage'] = (datagram, from) => receive(port, datagram, from)
    const options = { port, shared: true, multicastInterface, multicastGroup: group, onMessage }
    const everywhere = isIPv6Host(group) ? '::' : '0.0.0.0'
    const bindTo = (address: string): Promise<DatagramSocket> => net.datagrams.open({ ...options, address })
    // On all addresses the socket would also get other programs' datagrams. But Windows cannot bind to a group.
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

type Membership = ReturnType<typeof memberships>[number]

function memberships(about: AnnouncementsOptions, gateways: readonly string[], zone: string) {
  const localIPv4 = localIPv4Of(about)
  const hasIPv6 = zone !== '' && gateways.some(isIPv6Host)
  return GROUPS.flatMap(({ port, group }) => {
    if (!isIPv6Host(group)) return localIPv4 === undefined ? [] : [{ port, group, multicastInterface: localIPv4 }]
    const onLink = { group: `${group.toLowerCase()}%${zone}`, multicastInterface: `::%${zone}` }
    return hasIPv6 ? [{ port, ...onLink }] : []
  })
}

/** Undefined if the gateway has no IPv4 address. */
function localIPv4Of({ gatewayAddresses, interfaces, localAddress }: AnnouncementsOptions): string | undefined {
  const gateways = gatewayAddresses.filter((address) => !isIPv6Host(address))
  if (gateways.length === 0) return undefined
  if (!isIPv6Host(localAddress)) return localAddress
  return interfaces.find((own) => gateways.some((gateway) => onSameSubnet(own.address, own.netmask, gateway)))?.address
}

/** The zone of the interface that leads to the gateway: the gateway's own, or else that of the local address. */
function zoneOf({ gatewayAddresses, interfaces, localAddress }: AnnouncementsOptions): string {
  const told = [...gatewayAddresses, localAddress].map((address) => splitZone(address).zone).find((zone) => zone !== '')
  if (told !== undefined) return told
  const own = interfaces.find(({ address }) => isSameAddress(address, splitZone(localAddress).address))
  // An IPv4 or global address has no zone, but another address of the interface has it.
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
 * The location and the boot of each device. One box may be several devices (a FRITZ!Box is five), each with its own
 * location, and it announces each from several addresses. So a location is compared with the last one that the same
 * device announced from the same address. If its boot is known, an announcement from one more address is no news.
 */
class KnownDevices {
  /** The location that a device last announced, for each address and device. */
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

/** The oldest entry makes room for a new one. */
function remember(known: Map<string, string>, name: string, value: string): void {
  const [oldest = ''] = known.keys()
  if (!known.has(name) && known.size >= MAX_ANNOUNCED_DEVICES) known.delete(oldest)
  known.set(name, value)
}
