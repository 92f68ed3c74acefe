/**
 * The MAP opcode of the emulated gateway (RFC 6887 11, 15). For IPv4 the gateway is a NAT. For IPv6 it is a firewall,
 * so external address and port are the same as the internal ones. The gateway is stricter than miniupnpd 2.3.1, which
 * renews and deletes an IPv4 mapping whatever the nonce is, and grants another port despite PREFER_FAILURE.
 */
import { isLoopbackIPv6, isSameAddress, isUnicastIPv6 } from '../../domain/address.js'
import { transportProtocolOf } from '../../domain/port-mapping.js'
import { ANY_ADDRESS, type PcpRequest, type PcpResponse } from '../../wire/pcp.js'
import { PCP_RESULTS } from '../../wire/pcp-result-codes.js'
import type { GatewayState } from '../gateway-state.js'
import { Refusal } from '../tables/refusal.js'
import {
  type ControlledMapping,
  type ControlledMappings,
  findInside,
  firewallMappings,
  type Inside,
  isPortOfPortControl,
  natMappings,
} from './controlled-mappings.js'
import { type MapOptions, readMapOptions, remoteHostOf } from './pcp-map-options.js'
import { PcpRefusal } from './pcp-refusal.js'

/** RFC 6887 15: a lifetime outside these bounds is changed to the nearer one. */
export const SHORTEST_PCP_LIFETIME_SECONDS = 120
export const LONGEST_PCP_LIFETIME_SECONDS = 86_400

export type MapRequest = Extract<PcpRequest, { kind: 'MAP-request' }>
type MapResponse = Extract<PcpResponse, { kind: 'MAP-response' }>
export type MapOutcome = Omit<MapResponse, 'kind' | 'resultCode' | 'epochSeconds'>

interface MapContext {
  readonly request: MapRequest
  readonly options: MapOptions
  readonly internalClient: string
  readonly mappings: ControlledMappings
  readonly state: GatewayState
  readonly nowMs: number
}

/** The caller has checked that the client address is the source address. @throws PcpRefusal */
export function performMap(request: MapRequest, state: GatewayState, nowMs: number): MapOutcome {
  const { nonce, protocol, internalPort, clientAddress } = request
  // RFC 6887 11.1: a request for all protocols must be for all ports.
  if (protocol === 0 && internalPort !== 0) throw new PcpRefusal(PCP_RESULTS.MALFORMED_REQUEST)
  const options = readMapOptions(request, mayBeForOthers(clientAddress, state))
  const internalClient = options.thirdParty ?? clientAddress
  const mappings = isUnicastIPv6(internalClient) ? firewallMappings(state) : natMappings(state)
  const context = { request, options, internalClient, mappings, state, nowMs }
  const made = request.lifetimeSeconds === 0 ? remove(context) : map(context)
  return { nonce, protocol, internalPort, options: options.processed, ...made }
}

/** The same rules as for an IGD: secureMode, and for IPv6 pinholesOnlyForAsking, which exempts loopback addresses. */
function mayBeForOthers(clientAddress: string, { facts }: GatewayState): boolean {
  const isOwnOnly = facts.pinholesOnlyForAsking && isUnicastIPv6(clientAddress) && !isLoopbackIPv6(clientAddress)
  return !facts.secureMode && !isOwnOnly
}

type Assigned = Pick<MapOutcome, 'lifetimeSeconds' | 'assignedExternalPort' | 'assignedExternalAddress'>

/** @throws PcpRefusal */
function map(context: MapContext): Assigned {
  const { request, options, mappings, nowMs } = context
  const inside = insideOf(context)
  const externalAddress = externalAddressFor(context)
  const present = findInside(mappings, inside, nowMs)
  checkNonce(present, request.nonce)
  const remoteHost = remoteHostOf(options, context.internalClient, present?.remoteHost ?? '')
  const externalPort = present?.externalPort ?? freePort(context, inside)
  if (options.preferFailure) checkSuggestion(request, externalPort, externalAddress)
  const lifetimeSeconds = clamp(request.lifetimeSeconds)
  const common = { ...inside, externalPort, remoteHost, leaseSeconds: lifetimeSeconds }
  put(context, { ...common, madeBy: 'pcp', nonce: request.nonce }, present)
  return { lifetimeSeconds, assignedExternalPort: externalPort, assignedExternalAddress: externalAddress }
}

function clamp(seconds: number): number {
  return Math.min(Math.max(seconds, SHORTEST_PCP_LIFETIME_SECONDS), LONGEST_PCP_LIFETIME_SECONDS)
}

/** Refuses all ports and other protocols (RFC 6887 11.3), and the ports of PCP itself. @throws PcpRefusal */
function insideOf({ request: { protocol: number, internalPort }, internalClient }: MapContext): Inside {
  const protocol = transportProtocolOf(number)
  if (protocol === undefined || internalPort === 0) throw new PcpRefusal(PCP_RESULTS.UNSUPP_PROTOCOL)
  const inside = { protocol, internalClient, internalPort }
  if (isPortOfPortControl(inside, internalPort)) throw new PcpRefusal(PCP_RESULTS.NOT_AUTHORIZED)
  return inside
}

/** @throws PcpRefusal if there is none, or if the firewall allows no pinholes */
function externalAddressFor({ internalClient, state: { facts } }: MapContext): string {
  if (isUnicastIPv6(internalClient)) {
    if (!facts.firewallEnabled || !facts.inboundPinholeAllowed) throw new PcpRefusal(PCP_RESULTS.NOT_AUTHORIZED)
    return internalClient
  }
  if (facts.connectionStatus !== 'Connected') throw new PcpRefusal(PCP_RESULTS.NETWORK_FAILURE)
  return facts.externalAddress
}

/**
 * RFC 6887 11.3: to change a mapping, a client must know its nonce. The refusal lasts as long as the mapping. A mapping
 * of NAT-PMP has no nonce, so any request takes it over. @throws PcpRefusal
 */
function checkNonce(present: ControlledMapping | undefined, nonce: string): void {
  if (present?.nonce === undefined || present.nonce === nonce) return
  throw new PcpRefusal(PCP_RESULTS.NOT_AUTHORIZED, present.leaseSeconds)
}

/** @throws PcpRefusal */
function freePort({ request, mappings, nowMs }: MapContext, inside: Inside): number {
  const port = mappings.freePort(inside, request.suggestedExternalPort, 'pcp', nowMs)
  if (port === undefined) throw new PcpRefusal(PCP_RESULTS.NO_RESOURCES)
  return port
}

/** RFC 6887 13.2. If a client suggests no port or no address, it gets any. @throws PcpRefusal */
function checkSuggestion(request: MapRequest, externalPort: number, externalAddress: string): void {
  const { suggestedExternalPort: port, suggestedExternalAddress: address } = request
  const isAnyAddress = address === ANY_ADDRESS.ipv4 || address === ANY_ADDRESS.ipv6
  const isGranted = (port === 0 || port === externalPort) && (isAnyAddress || isSameAddress(address, externalAddress))
  if (!isGranted) throw new PcpRefusal(PCP_RESULTS.CANNOT_PROVIDE_EXTERNAL)
}

/** @throws PcpRefusal */
function put({ mappings, nowMs }: MapContext, made: ControlledMapping, present: ControlledMapping | undefined): void {
  try {
    mappings.put(made, present, nowMs)
  } catch (error) {
    throw error instanceof Refusal ? new PcpRefusal(PCP_RESULTS.NO_RESOURCES) : error
  }
}

/**
 * RFC 6887 15: the deletion of a mapping that does not exist succeeds, and that of a mapping that an IGD made is
 * refused. With internal port 0, all mappings with this nonce are deleted, of the one protocol or of any.
 * @throws PcpRefusal
 */
function remove(context: MapContext): Assigned {
  const { request, internalClient, mappings, nowMs } = context
  if (request.internalPort === 0) removeAll(context)
  else {
    const protocol = transportProtocolOf(request.protocol)
    if (protocol === undefined) throw new PcpRefusal(PCP_RESULTS.UNSUPP_PROTOCOL)
    const inside = { protocol, internalClient, internalPort: request.internalPort }
    const present = findInside(mappings, inside, nowMs)
    checkNonce(present, request.nonce)
    if (present !== undefined) mappings.delete(present, nowMs)
    else if (mappings.isStatic(inside, nowMs)) throw new PcpRefusal(PCP_RESULTS.NOT_AUTHORIZED)
  }
  const { suggestedExternalPort: assignedExternalPort, suggestedExternalAddress: assignedExternalAddress } = request
  return { lifetimeSeconds: 0, assignedExternalPort, assignedExternalAddress }
}

/** @throws PcpRefusal */
function removeAll({ request, internalClient, mappings, nowMs }: MapContext): void {
  const protocol = transportProtocolOf(request.protocol)
  if (protocol === undefined && request.protocol !== 0) throw new PcpRefusal(PCP_RESULTS.UNSUPP_PROTOCOL)
  for (const mapping of mappings.of(internalClient, nowMs)) {
    const isAsked = protocol === undefined || mapping.protocol === protocol
    if (isAsked && mapping.nonce === request.nonce) mappings.delete(mapping, nowMs)
  }
}
