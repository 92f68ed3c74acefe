/**
 * The link between the emulated gateway and the program under test: a ClientNet in which the gateway is the default
 * gateway, at its usual ports, and in which there is nothing else. The sockets are real, so the program runs as it does
 * on a real network. Only the ports are translated, multicast goes straight to its listeners, and what is meant for any
 * other host is lost.
 */
import { isIPv6Host, isLoopbackIPv4, isSameAddress, splitZone, withoutBrackets } from '../domain/address.js'
import { TransportError } from '../domain/errors.js'
import { orIgnore } from '../domain/ignored.js'
import { PORT_CONTROL_PORT, SSDP_PORT } from '../domain/ports.js'
import type { Clock } from '../net/clock.js'
import type { ConnectedOptions, DatagramOptions, Datagrams, Endpoint } from '../net/datagrams.js'
import { memoryFiles, type PrivateFiles } from '../net/files/private-files.js'
import type { HttpClient } from '../net/http/client.js'
import type { InterfaceAddress, IPv6InterfaceAddress } from '../net/interfaces.js'
import type { ClientNet } from '../net/network.js'
import { SSDP_MULTICAST_IPV4 } from '../wire/ssdp.js'

/** Where the gateway really is. */
export interface GatewayPlaces {
  readonly ssdp: Endpoint | undefined
  readonly portControl: Endpoint | undefined
  readonly portControlIPv6: Endpoint | undefined
}

export interface LinkOptions {
  /** Of the gateway, and of the computer on the link. */
  readonly address: string
  readonly ipv6Address: string | undefined
  readonly clock: Clock
  readonly datagrams: Datagrams
  readonly http: HttpClient
  readonly interfaces: () => readonly InterfaceAddress[]
}

/** Somebody who has joined a group. */
interface Member {
  readonly port: number
  readonly isIPv6: boolean
  readonly onMessage: DatagramOptions['onMessage']
}

const NAME = 'emulated'
/** The computer's global address, for pinholes: one for documentation (RFC 3849). */
const GLOBAL_ADDRESS = '2001:db8::2'
/** A locally administered one. */
const HARDWARE_ADDRESS = '02:00:00:00:00:01'

/** A network of its own, with files that are only in memory. */
export interface EmulatedNet extends ClientNet {
  readonly files: PrivateFiles
}

export class EmulatedLink {
  readonly net: EmulatedNet
  readonly #options: LinkOptions
  readonly #members = new Set<Member>()
  #isUsed = false
  #places: GatewayPlaces = { ssdp: undefined, portControl: undefined, portControlIPv6: undefined }

  constructor(options: LinkOptions) {
    const { address, ipv6Address, clock, http, interfaces } = options
    this.#options = options
    const own = [ipv4Interface(address, interfaces()), ipv6Interface(ipv6Address ?? GLOBAL_ADDRESS)]
    const gateways = { 4: [address], 6: ipv6Address === undefined ? [] : [ipv6Address] }
    this.net = {
      clock,
      datagrams: { open: (options) => this.#open(options), connect: (options) => this.#connect(options) },
      http: {
        async request(request) {
          if (withoutBrackets(request.url.hostname) !== address) throw nobodyAt(request.url.host)
          return http.request(request)
        },
      },
      interfaces: () => own,
      defaultGateways: (family) => Promise.resolve(gateways[family]),
      hardwareAddress: () => Promise.resolve(HARDWARE_ADDRESS),
      files: memoryFiles(),
    }
  }

  /** Called once the gateway has its sockets. */
  leadTo(places: GatewayPlaces): void {
    this.#places = places
  }

  /** Whether a program is on the link. */
  get isUsed(): boolean {
    return this.#isUsed
  }

  /** The gateway has sent this from one of its addresses, to a group at that port. It arrives in a later turn. */
  tell(port: number, datagram: Uint8Array, from: Endpoint): void {
    const listeners = [...this.#members].filter(
      (each) => each.port === port && each.isIPv6 === isIPv6Host(from.address),
    )
    for (const { onMessage } of listeners)
      queueMicrotask(() => orIgnore('datagram', from.address, () => onMessage(datagram, from)))
  }

  async #open(options: DatagramOptions) {
    this.#isUsed = true
    const { address, port, multicastGroup, onMessage } = options
    if (multicastGroup !== undefined) {
      const member = { port, isIPv6: isIPv6Host(multicastGroup), onMessage }
      this.#members.add(member)
      return { local: { address, port }, send: () => {}, close: () => void this.#members.delete(member) }
    }
    if (isIPv6Host(address)) throw nobodyAt('an IPv6 address that speaks UPnP')
    const socket = await this.#options.datagrams.open({
      ...options,
      onMessage: (datagram, from) => {
        if (this.#isSsdp(from)) onMessage(datagram, from)
      },
    })
    return {
      ...socket,
      send: (datagram: Uint8Array, to: Endpoint) => {
        const { ssdp } = this.#places
        const isGroup = to.address === SSDP_MULTICAST_IPV4 || to.address === this.#options.address
        if (ssdp !== undefined && ((isGroup && to.port === SSDP_PORT) || this.#isSsdp(to))) socket.send(datagram, ssdp)
      },
    }
  }

  #isSsdp({ address, port }: Endpoint): boolean {
    const { ssdp } = this.#places
    return ssdp !== undefined && ssdp.port === port && ssdp.address === address
  }

  async #connect(options: ConnectedOptions) {
    const { address, port } = options.remote
    const { portControl, portControlIPv6 } = this.#places
    const place = [portControl, portControlIPv6].find(
      (each) =>
        each !== undefined &&
        isSameAddress(splitZone(each.address).address, splitZone(address).address) &&
        (port === PORT_CONTROL_PORT || port === each.port),
    )
    if (place === undefined) throw nobodyAt(`${address}, UDP port ${port}`)
    return this.#options.datagrams.connect({ ...options, remote: { address, port: place.port } })
  }
}

function nobodyAt(place: string): TransportError {
  return new TransportError(`there is only the emulated gateway here, and nobody at ${place}`)
}

/** Not loopback, even if it is: a search goes out by every other interface. */
function ipv4Interface(address: string, interfaces: readonly InterfaceAddress[]): InterfaceAddress {
  const real = isLoopbackIPv4(address) ? '255.0.0.0' : interfaces.find((each) => each.address === address)?.netmask
  return { name: NAME, address, netmask: real ?? '255.255.255.0', loopback: false }
}

function ipv6Interface(text: string): IPv6InterfaceAddress {
  const { address } = splitZone(text)
  const netmask = 'ffff:ffff:ffff:ffff::'
  return { name: NAME, address, netmask, loopback: false, prefixLength: 64, zone: NAME }
}
