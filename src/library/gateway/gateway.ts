/** The gateway that a program gets: what it can be asked, in the words of the standards, and with defaults. */
import type { AnyPortMappingError } from '../../domain/errors.js'
import type { ConnectionStatus, LinkRates, TrafficCounters } from '../../domain/gateway.js'
import type { FirewallStatus, GrantedPinhole, PinholeId } from '../../domain/pinhole.js'
import type { TransportProtocol } from '../../domain/port-mapping.js'
import type { OpenPort } from '../opening/open-port.js'
import type { PortOptions } from '../opening/port-options.js'
import type { Call, Where } from '../where.js'
import type { PortMapping } from './shown-mapping.js'

/**
 * A gateway; `protocol` tells which kind:
 *
 *     if (gateway.protocol === 'igd') for (const mapping of await gateway.mappings()) console.log(mapping)
 *
 * Every method takes a `signal` and a `timeoutMs` of its own, and throws a PortMappingError: RefusedError if the gateway
 * says no, NoReplyError if it says nothing, TransportError if it cannot be reached, MalformedMessageError if its answer
 * makes no sense, InvalidArgumentError if no gateway could do what is asked. The error says which gateway that was.
 */
export type Gateway = IgdGateway | PortControlGateway

/** What gateways of all protocols can be asked. */
export interface GatewayBase {
  /** The protocol in which it is asked: UPnP's InternetGatewayDevice, PCP (RFC 6887) or NAT-PMP (RFC 6886). */
  readonly protocol: 'igd' | 'pcp' | 'nat-pmp'
  /** Its address, with its zone. If that is not known, the name that was given, or undefined. */
  readonly address: string | undefined
  /** This computer's address on the way to the gateway. */
  readonly localAddress: string
  /**
   * The external address; empty or `0.0.0.0` if the gateway has none. It may be a private one: then there is another NAT
   * in front of the router. (WANIPConnection:2 2.4.20 GetExternalIPAddress, RFC 6886 3.2)
   *
   * @example console.log(await gateway.externalAddress({ timeoutMs: 2000 }))
   */
  externalAddress(call?: Call): Promise<string>
  /**
   * Maps a port once, and reads the mapping back; nothing renews it. (WANIPConnection:2 2.4.16 AddPortMapping and 2.4.17
   * AddAnyPortMapping, RFC 6887 11.2, RFC 6886 3.3) If it is refused, `hint` says what is in the way. A call that was
   * ended may have mapped the port all the same: unmap it, or give it a short lease.
   *
   * @example const { externalPort } = await gateway.map({ internalPort: 8080, externalPort: 'any', lease: 3600 })
   * @throws PortMappingError; RefusedError with `isPortTaken` if somebody else has the port; NotConfirmedError if the
   * gateway says yes and shows another mapping
   */
  map(wanted: PortToMap, call?: Call): Promise<PortMapping>
  /**
   * Opens a port and keeps it open, as `openPort` does, at this gateway: there is a search only when it is lost. What the
   * open port asks later does not end with the call.
   *
   * @example const port = await gateway.openPort(25565, { protocol: 'TCP+UDP' })
   * @throws as openPort
   */
  openPort(port: number, options?: OpenPortOptions): Promise<OpenPort>
  /**
   * Removes a mapping: one of `mappings()`, or what names it. PCP and NAT-PMP go by the inside: as given, or as
   * remembered, or else this computer and the external port. It asks in the protocol of this gateway only, and does not
   * mind whether a running keeper would open the port again. (WANIPConnection:2 2.4.18 DeletePortMapping, RFC 6887 15,
   * RFC 6886 3.4)
   *
   * @example await gateway.unmap({ externalPort: 8080 })
   * @throws PortMappingError; from an IGD RefusedError with number 714 if there is no such mapping
   */
  unmap(mapping: MappingToUnmap, call?: Call): Promise<void>
  /**
   * Removes what this computer has left behind: at an IGD the mappings with that description that lead to this computer,
   * over PCP and NAT-PMP those that this user is remembered to have made with that description. What a running keeper of
   * this user holds stays, and so does what leads elsewhere, or was made with another description. It throws only if the
   * mappings cannot be listed.
   *
   * @example
   * const { removed, left } = await gateway.removeOwn({ description: 'my game' })
   * for (const { mapping, why } of left) console.log(`${mapping.externalPort} stays: ${why}`)
   */
  removeOwn(options?: RemoveOwnOptions, call?: Call): Promise<OwnMappings>
}

/** A UPnP gateway (InternetGatewayDevice:1 or :2), through one of its WAN connection services. */
export interface IgdGateway extends GatewayBase {
  readonly protocol: 'igd'
  /** The control URL of the chosen WAN connection service (UDA 1.1 2.3); a link-local host has its zone. */
  readonly controlUrl: string
  /** The URL to subscribe to the connection's events (UDA 1.1 4.1); undefined if it has none. */
  readonly eventUrl: string | undefined
  /** The URL of the device's own web page, unresolved, as its description gives it; empty if it gives none. */
  readonly presentationUrl: string
  /** The IPv6 firewall; undefined if the gateway has none that can be asked. */
  readonly firewall: Firewall | undefined
  /**
   * All mappings, of all computers, in the order of the gateway's table: a copy, from which it is safe to delete. Entries
   * that name no port and protocol are left out, because nobody can delete them. (WANIPConnection:2 2.4.14
   * GetGenericPortMappingEntry)
   *
   * @example
   * const all = await gateway.mappings()
   * const ours = all.filter(({ internalClient }) => internalClient === gateway.localAddress) // not other computers'
   * for (const mapping of ours) await gateway.unmap(mapping) // removeOwn() is more careful
   */
  mappings(call?: Call): Promise<PortMapping[]>
  /**
   * One mapping: undefined if there is none, 'untold' if the gateway does not say. (WANIPConnection:2 2.4.15
   * GetSpecificPortMappingEntry)
   */
  find(outside: Outside, call?: Call): Promise<PortMapping | undefined | 'untold'>
  /** Whether the connection is up, and since when. (WANIPConnection:2 2.4.5 GetStatusInfo) */
  status(call?: Call): Promise<ConnectionStatus>
  /** `IP_Routed`, for example. (WANIPConnection:2 2.4.2 GetConnectionTypeInfo) */
  connectionType(call?: Call): Promise<string>
  /** The rates of the link to the provider. (WANCommonInterfaceConfig:1 2.4.3 GetCommonLinkProperties) */
  linkRates(call?: Call): Promise<LinkRates>
  /** What has passed since the gateway began to count. (WANCommonInterfaceConfig:1 2.4.4 to 2.4.7) */
  trafficCounters(call?: Call): Promise<TrafficCounters>
  /** Removes all mappings of a range at once. (WANIPConnection:2 2.4.19 DeletePortMappingRange) */
  unmapRange(range: RangeToUnmap, call?: Call): Promise<void>
}

/** A gateway that is asked over UDP: PCP or NAT-PMP. Neither protocol can list mappings. */
export interface PortControlGateway extends GatewayBase {
  readonly protocol: 'pcp' | 'nat-pmp'
  readonly address: string
  /** The UDP port that requests go to: 5351 in the standards (RFC 6887 19.1, RFC 6886 3.1). */
  readonly port: number
  /** Seconds since the gateway lost its state, as it said last (RFC 6886 3.6, RFC 6887 8.5). */
  readonly epochSeconds: number
  /** Opens pinholes in the IPv6 firewall over PCP; undefined if the gateway is asked over IPv4. */
  readonly pinholes: Pinholes | undefined
  /** Whether nobody has that external port. It is mapped for a moment to learn it, because neither protocol can ask. */
  isFree(outside: Outside, call?: Call): Promise<boolean | 'untold'>
}

/** What `openPort` takes, but where to look. */
export type OpenPortOptions = Omit<PortOptions, Exclude<keyof Where, keyof Call>>

/** A lease in seconds, from 1 to 4294967295; 'unlimited' for as long as the gateway gives, which PCP and NAT-PMP bound. */
export type Lease = number | 'unlimited'

/** What names a mapping from outside. */
export interface Outside {
  readonly externalPort: number
  /** Default: TCP. */
  readonly protocol?: TransportProtocol | undefined
  /** The only host that may come in, by its IPv4 address. Default: empty, for everybody. */
  readonly remoteHost?: string | undefined
}

/** What to map. All but the internal port has a default. */
export interface PortToMap {
  /** The port of the internal client, 1 to 65535. */
  readonly internalPort: number
  /** 1 to 65535. 'any': if the gateway cannot give the number of the internal port, another one. Default: the same. */
  readonly externalPort?: number | 'any' | undefined
  /** Default: TCP. */
  readonly protocol?: TransportProtocol | undefined
  /** The IPv4 address that the port leads to. Default: this computer. */
  readonly internalClient?: string | undefined
  /** The only host that may come in, by its IPv4 address. Default: empty, for everybody. */
  readonly remoteHost?: string | undefined
  /** At most 1024 characters. Routers cut it off, and PCP and NAT-PMP have none. Default: `upnp-ts`. */
  readonly description?: string | undefined
  /** Nothing renews it, so the default is 'unlimited', and not the 7200 s of `openPort`. */
  readonly lease?: Lease | undefined
}

/** A mapping to remove. */
export interface MappingToUnmap extends Outside {
  readonly internalClient?: string | undefined
  readonly internalPort?: number | undefined
}

/** Which mappings are one's own. */
export interface RemoveOwnOptions {
  /** The description with which they were made. Default: `upnp-ts`. */
  readonly description?: string | undefined
  /** Only those that lead to this address of this computer, which may be an earlier one. Default: to any of them. */
  readonly internalClient?: string | undefined
}

/** What became of the mappings that are one's own, or may seem so. */
export interface OwnMappings {
  readonly removed: readonly PortMapping[]
  /** In the order of the table. */
  readonly left: readonly LeftMapping[]
}

/** A mapping that stays. */
export interface LeftMapping {
  readonly mapping: PortMapping
  /** Why, as a sentence without its end. */
  readonly why: string
  /** If it was to be removed, and that failed. */
  readonly error?: AnyPortMappingError
}

/** Both ends are included. */
export interface RangeToUnmap {
  readonly startPort: number
  readonly endPort: number
  /** Default: TCP. */
  readonly protocol?: TransportProtocol | undefined
  /** Also those of other computers, if the gateway allows that. Default: false. */
  readonly manage?: boolean | undefined
}

/** What a pinhole lets in. (WANIPv6FirewallControl:1 2.4.2, RFC 6887 13.3) */
export interface PinholeTraffic {
  /** 1 to 65535. */
  readonly internalPort: number
  /** Default: TCP. */
  readonly protocol?: TransportProtocol | undefined
  /** The IPv6 address that it leads to. Default: one of this computer that the internet can reach. */
  readonly internalClient?: string | undefined
  /** Default: empty, for everybody. */
  readonly remoteHost?: string | undefined
  /** Default: 0, for any. */
  readonly remotePort?: number | undefined
}

/** What opens and closes pinholes in the IPv6 firewall. */
export interface Pinholes {
  /**
   * Opens a pinhole for `leaseSeconds`, 1 to 86400 (WANIPv6FirewallControl:1 2.4.3 AddPinhole); the default is 3600.
   *
   * @example const { id } = await pinholes.addPinhole({ internalPort: 8080, leaseSeconds: 86_400 })
   */
  addPinhole(
    wanted: PinholeTraffic & { readonly leaseSeconds?: number | undefined },
    call?: Call,
  ): Promise<GrantedPinhole>
  /** Gives it another lease, from now on. (WANIPv6FirewallControl:1 2.4.4 UpdatePinhole) */
  updatePinhole(id: PinholeId, leaseSeconds: number, call?: Call): Promise<GrantedPinhole>
  /** Closes it. (WANIPv6FirewallControl:1 2.4.5 DeletePinhole) */
  deletePinhole(id: PinholeId, call?: Call): Promise<void>
}

/** The IPv6 firewall of an IGD: WANIPv6FirewallControl:1. */
export interface Firewall extends Pinholes {
  /** Whether it is on, and lets computers open pinholes. (2.4.1 GetFirewallStatus) */
  status(call?: Call): Promise<FirewallStatus>
  /** Whether a packet has come through it. (2.4.7 CheckPinholeWorking) */
  isPinholeWorking(id: PinholeId, call?: Call): Promise<boolean>
  /** How many packets have come through it. (2.4.6 GetPinholePackets) */
  pinholePackets(id: PinholeId, call?: Call): Promise<number>
  /** Seconds after which the firewall forgets an idle connection that began inside. (2.4.2 GetOutboundPinholeTimeout) */
  outboundPinholeTimeout(traffic: PinholeTraffic, call?: Call): Promise<number>
}
