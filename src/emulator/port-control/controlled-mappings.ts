/**
 * The mappings of PCP and NAT-PMP, which protocol, internal client and internal port identify. They are in the tables
 * of the IGD, where every client sees them: those of the NAT among the port mappings, those of the IPv6 firewall among
 * the pinholes. An IGD knows no nonces, so its actions can overwrite and delete these mappings too.
 */
import { isSameAddress } from '../../domain/address.js'
import type { PinholeTarget } from '../../domain/pinhole.js'
import {
  type GatewayProtocol,
  PROTOCOL_NUMBERS,
  PROTOCOL_TITLES,
  transportProtocolOf,
} from '../../domain/port-mapping.js'
import { FIRST_DYNAMIC_PORT, PORT_CONTROL_ANNOUNCEMENT_PORT, PORT_CONTROL_PORT } from '../../domain/ports.js'
import type { GatewayState } from '../gateway-state.js'
import { portsToTry, type TableEntry, type WantedMapping } from '../tables/mapping-table.js'
import type { PinholeEntry } from '../tables/pinhole-table.js'
import { Refusal } from '../tables/refusal.js'

export type Inside = PinholeTarget

export interface ControlledMapping extends Inside {
  readonly externalPort: number
  /** Empty for any. */
  readonly remoteHost: string
  readonly leaseSeconds: number
  readonly madeBy: Exclude<GatewayProtocol, 'igd'>
  /** The mapping nonce of PCP (RFC 6887 11.1); undefined for NAT-PMP, which has none. */
  readonly nonce: string | undefined
  /** NAT-PMP asked for internal port 0: the gateway has chosen a port, the same inside and outside. */
  readonly isSamePort?: true
}

export interface ControlledMappings {
  /** Every mapping to the internal client that PCP or NAT-PMP made. */
  of(internalClient: string, nowMs: number): ControlledMapping[]
  /** The one with that inside that PCP or NAT-PMP made. */
  findInside(inside: Inside, nowMs: number): ControlledMapping | undefined
  /** Whether an IGD action made a mapping with this inside. PCP and NAT-PMP treat that as a static mapping. */
  isStatic(inside: Inside, nowMs: number): boolean
  /** The suggested port, or else the next free one. `suggested` is 0 if the client suggests none. */
  freePort(inside: Inside, suggested: number, madeBy: GatewayProtocol, nowMs: number): number | undefined
  /** Adds a mapping in place of `present`. @returns false if the table is full */
  put(mapping: ControlledMapping, present: ControlledMapping | undefined, nowMs: number): boolean
  delete(mapping: ControlledMapping, nowMs: number): void
}

/** The ports of PCP and NAT-PMP (RFC 6887 19.1): with a mapping of one, a client could pose as the gateway. */
export function isPortOfPortControl({ protocol }: Pick<Inside, 'protocol'>, port: number): boolean {
  return protocol === 'UDP' && (port === PORT_CONTROL_PORT || port === PORT_CONTROL_ANNOUNCEMENT_PORT)
}

export function natMappings({ table }: GatewayState): ControlledMappings {
  return {
    of: (internalClient, nowMs) =>
      table
        .where((entry) => entry.internalClient === internalClient && entry.madeBy !== undefined, nowMs)
        .map(controlledOf),
    findInside: (inside, nowMs) =>
      table
        .where((entry) => entry.madeBy !== undefined && isSameInside(entry, inside), nowMs)
        .map(controlledOf)
        .at(0),
    isStatic: (inside, nowMs) =>
      table.where((entry) => entry.madeBy === undefined && isSameInside(entry, inside), nowMs).length > 0,
    // A client that suggests no port gets a dynamic one.
    freePort(inside, suggested, madeBy, nowMs) {
      const isTaken = takenPorts(table.list(nowMs), inside, madeBy)
      for (const port of portsToTry(suggested === 0 ? FIRST_DYNAMIC_PORT : suggested)) {
        if (!isTaken(port) && !isPortOfPortControl(inside, port)) return port
      }
      return undefined
    },
    put(mapping, present, nowMs) {
      if (!hasRoom(() => table.add(entryOf(mapping), nowMs))) return false
      // The table keeps both, because the remote host is part of the key. The old one goes last: add() may be refused.
      if (present !== undefined && present.remoteHost !== mapping.remoteHost) table.delete(present, nowMs)
      return true
    },
    delete: (mapping, nowMs) => table.delete(mapping, nowMs),
  }
}

export function firewallMappings({ pinholes }: GatewayState): ControlledMappings {
  const where = (test: (pinhole: PinholeEntry) => boolean, nowMs: number): PinholeEntry[] =>
    pinholes.list(nowMs).filter(test)
  const remove = (mapping: ControlledMapping, nowMs: number): void => {
    const isIt = (each: PinholeEntry): boolean =>
      each.nonce !== undefined &&
      each.remoteHost === mapping.remoteHost &&
      isSameInside(controlledPinhole(each), mapping)
    for (const { id } of where(isIt, nowMs)) pinholes.delete(id, nowMs)
  }
  return {
    of: (internalClient, nowMs) =>
      where((each) => each.nonce !== undefined && each.internalClient === internalClient, nowMs).map(controlledPinhole),
    findInside: (inside, nowMs) =>
      where((each) => each.nonce !== undefined, nowMs)
        .map(controlledPinhole)
        .find((each) => isSameInside(each, inside)),
    isStatic: (inside, nowMs) =>
      where((each) => each.nonce === undefined && isSameInside(controlledPinhole(each), inside), nowMs).length > 0,
    freePort: ({ internalPort }) => internalPort,
    put({ nonce = '', protocol, externalPort: _, madeBy: __, ...mapping }, present, nowMs) {
      const pinhole = { ...mapping, nonce, remotePort: 0, protocol: PROTOCOL_NUMBERS[protocol] }
      if (!hasRoom(() => pinholes.add(pinhole, nowMs))) return false
      if (present !== undefined && present.remoteHost !== mapping.remoteHost) remove(present, nowMs)
      return true
    },
    delete: remove,
  }
}

function hasRoom(add: () => void): boolean {
  try {
    add()
    return true
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return false
  }
}

function isSameInside(one: Inside, other: Inside): boolean {
  return (
    one.protocol === other.protocol &&
    one.internalPort === other.internalPort &&
    isSameAddress(one.internalClient, other.internalClient)
  )
}

/** With NAT-PMP the same port of the other protocol is reserved for the same client (RFC 6886 3.3). */
function takenPorts(entries: readonly TableEntry[], { protocol, internalClient }: Inside, madeBy: GatewayProtocol) {
  const taken = new Set<number>()
  for (const entry of entries) {
    const isCompanion = entry.protocol !== protocol
    const withNatPmp = madeBy === 'nat-pmp' || entry.madeBy === 'nat-pmp'
    if (!isCompanion || (withNatPmp && entry.internalClient !== internalClient)) taken.add(entry.externalPort)
  }
  return (port: number): boolean => taken.has(port)
}

function controlledOf({ madeBy, nonce, ...entry }: TableEntry): ControlledMapping {
  return { ...entry, madeBy: madeBy === 'nat-pmp' ? 'nat-pmp' : 'pcp', nonce }
}

/** A listing over UPnP shows the description. */
function entryOf({ nonce, ...mapping }: ControlledMapping): WantedMapping {
  const description = `${PROTOCOL_TITLES[mapping.madeBy]} ${mapping.internalPort} ${mapping.protocol}`
  return { ...mapping, enabled: true, description, ...(nonce === undefined ? {} : { nonce }) }
}

function controlledPinhole(pinhole: PinholeEntry): ControlledMapping {
  const { internalClient, internalPort, remoteHost, leaseSeconds, nonce } = pinhole
  const protocol = transportProtocolOf(pinhole.protocol) ?? 'UDP' // the table has no others
  const inside = { protocol, internalClient, internalPort }
  return { ...inside, externalPort: internalPort, remoteHost, leaseSeconds, madeBy: 'pcp', nonce }
}
