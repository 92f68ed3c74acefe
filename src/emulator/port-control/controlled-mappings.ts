/**
 * The mappings of PCP and NAT-PMP, which know a mapping by its inside: protocol, internal client and internal port. They
 * stand in the tables of the IGD, where everybody sees them: those of the NAT among the port mappings, those of the IPv6
 * firewall, which translates nothing, among the pinholes. An IGD, which knows no nonce, overwrites and deletes them as its own.
 */
import { isSameAddress } from '../../domain/address.js'
import {
  type GatewayProtocol,
  PROTOCOL_NUMBERS,
  PROTOCOL_TITLES,
  type TransportProtocol,
  transportProtocolOf,
} from '../../domain/port-mapping.js'
import { FIRST_DYNAMIC_PORT, PORT_CONTROL_ANNOUNCEMENT_PORT, PORT_CONTROL_PORT } from '../../domain/ports.js'
import type { GatewayState } from '../gateway-state.js'
import { portsToTry, type TableEntry, type WantedMapping } from '../tables/mapping-table.js'
import type { PinholeEntry } from '../tables/pinhole-table.js'

export interface Inside {
  readonly protocol: TransportProtocol
  readonly internalClient: string
  readonly internalPort: number
}

export interface ControlledMapping extends Inside {
  readonly externalPort: number
  /** Empty for any. */
  readonly remoteHost: string
  readonly leaseSeconds: number
  readonly madeBy: Exclude<GatewayProtocol, 'igd'>
  /** PCP's. */
  readonly nonce: string | undefined
}

export interface ControlledMappings {
  /** Every mapping of the internal client that PCP or NAT-PMP made. */
  of(internalClient: string, nowMs: number): ControlledMapping[]
  /** Whether an IGD's mapping leads there: to PCP and NAT-PMP a static one. */
  isStatic(inside: Inside, nowMs: number): boolean
  /** The suggested port, or the next one that can be had; 0 suggests none. */
  freePort(inside: Inside, suggested: number, madeBy: GatewayProtocol, nowMs: number): number | undefined
  /** In place of the one that was there. @throws Refusal where there is no room */
  put(mapping: ControlledMapping, present: ControlledMapping | undefined, nowMs: number): void
  delete(mapping: ControlledMapping, nowMs: number): void
}

export function findInside(mappings: ControlledMappings, inside: Inside, nowMs: number): ControlledMapping | undefined {
  return mappings.of(inside.internalClient, nowMs).find((mapping) => isSameInside(mapping, inside))
}

/** The ports of PCP and NAT-PMP themselves (RFC 6887 19.1): who had them could pose as the gateway. */
export function isPortOfPortControl({ protocol }: Pick<Inside, 'protocol'>, port: number): boolean {
  return protocol === 'UDP' && (port === PORT_CONTROL_PORT || port === PORT_CONTROL_ANNOUNCEMENT_PORT)
}

export function natMappings({ table }: GatewayState): ControlledMappings {
  return {
    of: (internalClient, nowMs) =>
      table
        .where((entry) => entry.internalClient === internalClient && entry.madeBy !== undefined, nowMs)
        .map(controlledOf),
    isStatic: (inside, nowMs) =>
      table.where((entry) => entry.madeBy === undefined && isSameInside(entry, inside), nowMs).length > 0,
    // Whoever suggests no port gets a dynamic one.
    freePort(inside, suggested, madeBy, nowMs) {
      const isTaken = takenPorts(table.list(nowMs), inside, madeBy)
      for (const port of portsToTry(suggested === 0 ? FIRST_DYNAMIC_PORT : suggested)) {
        if (!isTaken(port) && !isPortOfPortControl(inside, port)) return port
      }
      return undefined
    },
    put(mapping, present, nowMs) {
      table.add(entryOf(mapping), nowMs)
      // The remote host is a part of the key. The old one goes last, so that nothing is lost where there is no room.
      if (present !== undefined && present.remoteHost !== mapping.remoteHost) table.delete(present, nowMs)
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
    isStatic: (inside, nowMs) =>
      where((each) => each.nonce === undefined && isSameInside(controlledPinhole(each), inside), nowMs).length > 0,
    freePort: ({ internalPort }) => internalPort,
    put({ nonce = '', protocol, externalPort: _, madeBy: __, ...mapping }, present, nowMs) {
      pinholes.add({ ...mapping, nonce, remotePort: 0, protocol: PROTOCOL_NUMBERS[protocol] }, nowMs)
      if (present !== undefined && present.remoteHost !== mapping.remoteHost) remove(present, nowMs)
    },
    delete: remove,
  }
}

function isSameInside(one: Inside, other: Inside): boolean {
  return (
    one.protocol === other.protocol &&
    one.internalPort === other.internalPort &&
    isSameAddress(one.internalClient, other.internalClient)
  )
}

/**
 * A port is taken as soon as somebody has it for any remote host. NAT-PMP keeps the companion port, the same one of the
 * other protocol, for the same client (RFC 6886 3.3).
 */
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

/** The description is for whoever lists the mappings over the IGD. */
function entryOf({ nonce, ...mapping }: ControlledMapping): WantedMapping {
  const description = `${PROTOCOL_TITLES[mapping.madeBy]} ${mapping.internalPort} ${mapping.protocol}`
  return { ...mapping, enabled: true, description, ...(nonce === undefined ? {} : { nonce }) }
}

function controlledPinhole({ internalClient, internalPort, remoteHost, ...pinhole }: PinholeEntry): ControlledMapping {
  const protocol = transportProtocolOf(pinhole.protocol) ?? 'UDP' // the table has no others
  const { leaseSeconds, nonce } = pinhole
  return {
    protocol,
    internalClient,
    internalPort,
    externalPort: internalPort,
    remoteHost,
    leaseSeconds,
    madeBy: 'pcp',
    nonce,
  }
}
