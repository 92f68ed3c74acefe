/**
 * The MAP opcode of the emulated gateway (RFC 6887 11, 15), and how the gateway reads its options (RFC 6887 7.3, 13).
 * For IPv4 the gateway is a NAT. For IPv6 it is a firewall, so external address and port are the same as the internal
 * ones. The gateway is stricter than miniupnpd 2.3.1, which renews and deletes an IPv4 mapping whatever the nonce is,
 * and grants another port despite PREFER_FAILURE. A mapping has one filter at most, and the filter is one remote host
 * with all its ports. An IGD can show no other filter.
 */
import { isLoopbackIPv6, isSameAddress, isUnicastIPv4, isUnicastIPv6 } from '../../domain/address.js'
import { transportProtocolOf } from '../../domain/port-mapping.js'
import { ANY_ADDRESS, type PcpRequest, type PcpResponse } from '../../wire/pcp.js'
import { FIRST_OPTIONAL_CODE, type PcpOption } from '../../wire/pcp-options.js'
import { PCP_RESULTS, pcpResultName } from '../../wire/pcp-result-codes.js'
import type { GatewayState } from '../gateway-state.js'
import {
  type ControlledMapping,
  type ControlledMappings,
  firewallMappings,
  type Inside,
  isPortOfPortControl,
  natMappings,
} from './controlled-mappings.js'

/** RFC 6887 15: a lifetime outside these bounds is changed to the nearer one. */
const SHORTEST_PCP_LIFETIME_SECONDS = 120
const LONGEST_PCP_LIFETIME_SECONDS = 86_400

/** RFC 6887 7.4: 30 seconds for an error that may soon be over, 30 minutes for the others. */
const SHORT_ERROR_SECONDS = 30
const LONG_ERROR_SECONDS = 1800

const SHORT_ERRORS: ReadonlySet<number> = new Set([
  PCP_RESULTS.NETWORK_FAILURE,
  PCP_RESULTS.NO_RESOURCES,
  PCP_RESULTS.USER_EX_QUOTA,
  PCP_RESULTS.CANNOT_PROVIDE_EXTERNAL, // the port may become free
])

/** The gateway refuses a PCP request. The responder turns this error into an error response. */
export class PcpRefusal extends Error {
  /** RFC 6887 7.4, such as 2 for NOT_AUTHORIZED. */
  readonly resultCode: number
  /** For how long the client must expect the same answer (RFC 6887 7.2). */
  readonly lifetimeSeconds: number

  constructor(resultCode: number, lifetimeSeconds?: number) {
    super(pcpResultName(resultCode))
    this.name = 'PcpRefusal'
    this.resultCode = resultCode
    this.lifetimeSeconds = lifetimeSeconds ?? (SHORT_ERRORS.has(resultCode) ? SHORT_ERROR_SECONDS : LONG_ERROR_SECONDS)
  }
}

type MapRequest = Extract<PcpRequest, { kind: 'MAP-request' }>
type MapResponse = Extract<PcpResponse, { kind: 'MAP-response' }>
type MapOutcome = Omit<MapResponse, 'kind' | 'resultCode' | 'epochSeconds'>

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
  const present = mappings.findInside(inside, nowMs)
  checkNonce(present, request.nonce)
  const remoteHost = remoteHostOf(options, context.internalClient, present?.remoteHost ?? '')
  const suggested = request.suggestedExternalPort
  const externalPort = present?.externalPort ?? mappings.freePort(inside, suggested, 'pcp', nowMs)
  if (externalPort === undefined) throw new PcpRefusal(PCP_RESULTS.NO_RESOURCES)
  if (options.preferFailure) checkSuggestion(request, externalPort, externalAddress)
  const atLeast = Math.max(request.lifetimeSeconds, SHORTEST_PCP_LIFETIME_SECONDS)
  const lifetimeSeconds = Math.min(atLeast, LONGEST_PCP_LIFETIME_SECONDS)
  const common = { ...inside, externalPort, remoteHost, leaseSeconds: lifetimeSeconds }
  if (!mappings.put({ ...common, madeBy: 'pcp', nonce: request.nonce }, present, nowMs))
    throw new PcpRefusal(PCP_RESULTS.NO_RESOURCES)
  return { lifetimeSeconds, assignedExternalPort: externalPort, assignedExternalAddress: externalAddress }
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

/** RFC 6887 11.3. Any request takes over a mapping of NAT-PMP, which has no nonce. @throws PcpRefusal for its lease */
function checkNonce(present: ControlledMapping | undefined, nonce: string): void {
  if (present?.nonce === undefined || present.nonce === nonce) return
  throw new PcpRefusal(PCP_RESULTS.NOT_AUTHORIZED, present.leaseSeconds)
}

/** RFC 6887 13.2. If a client suggests no port or no address, it gets any. @throws PcpRefusal */
function checkSuggestion(request: MapRequest, externalPort: number, externalAddress: string): void {
  const { suggestedExternalPort: port, suggestedExternalAddress: address } = request
  const isAnyAddress = address === ANY_ADDRESS.ipv4 || address === ANY_ADDRESS.ipv6
  const isGranted = (port === 0 || port === externalPort) && (isAnyAddress || isSameAddress(address, externalAddress))
  if (!isGranted) throw new PcpRefusal(PCP_RESULTS.CANNOT_PROVIDE_EXTERNAL)
}

/**
 * RFC 6887 15: the deletion of a mapping that does not exist succeeds; one of an IGD is refused. Internal port 0 means
 * all mappings with this nonce, of the one protocol or of any. @throws PcpRefusal
 */
function remove({ request, internalClient, mappings, nowMs }: MapContext): Assigned {
  const { internalPort, nonce } = request
  const protocol = transportProtocolOf(request.protocol)
  if (protocol === undefined && request.protocol !== 0) throw new PcpRefusal(PCP_RESULTS.UNSUPP_PROTOCOL)
  if (protocol === undefined || internalPort === 0) {
    for (const mapping of mappings.of(internalClient, nowMs)) {
      const isAsked = protocol === undefined || mapping.protocol === protocol
      if (isAsked && mapping.nonce === nonce) mappings.delete(mapping, nowMs)
    }
  } else {
    const inside = { protocol, internalClient, internalPort }
    const present = mappings.findInside(inside, nowMs)
    checkNonce(present, nonce)
    if (present !== undefined) mappings.delete(present, nowMs)
    else if (mappings.isStatic(inside, nowMs)) throw new PcpRefusal(PCP_RESULTS.NOT_AUTHORIZED)
  }
  const { suggestedExternalPort: assignedExternalPort, suggestedExternalAddress: assignedExternalAddress } = request
  return { lifetimeSeconds: 0, assignedExternalPort, assignedExternalAddress }
}

interface MapOptions {
  /** The internal client, if the client that asks names another one. */
  readonly thirdParty: string | undefined
  readonly preferFailure: boolean
  readonly filters: readonly Extract<PcpOption, { kind: 'FILTER' }>[]
  /** The options that were understood, in their order. The response repeats them (RFC 6887 7.3). */
  readonly processed: readonly PcpOption[]
}

/** The prefix length of a single host. IPv4 has the same, because its addresses are IPv4-mapped (RFC 6887 13.3). */
const ONE_HOST = 128

/** @throws PcpRefusal UNSUPP_OPTION, MALFORMED_OPTION, MALFORMED_REQUEST */
function readMapOptions(request: MapRequest, mayBeForOthers: boolean): MapOptions {
  const processed = request.options.filter(isKnown)
  const thirdParties = processed.filter((option) => option.kind === 'THIRD_PARTY')
  const preferences = processed.filter((option) => option.kind === 'PREFER_FAILURE')
  const filters = processed.filter((option) => option.kind === 'FILTER')
  // RFC 6887 13.1, 13.2: at most one of each.
  if (thirdParties.length > 1 || preferences.length > 1) throw new PcpRefusal(PCP_RESULTS.MALFORMED_OPTION)
  // RFC 6887 13.2, 13.3: a deletion can have neither.
  if (request.lifetimeSeconds === 0 && preferences.length + filters.length > 0) {
    throw new PcpRefusal(PCP_RESULTS.MALFORMED_OPTION)
  }
  const thirdParty = thirdParties[0]?.internalAddress
  if (thirdParty !== undefined) checkThirdParty(thirdParty, request.clientAddress, mayBeForOthers)
  return { thirdParty, preferFailure: preferences.length > 0, filters, processed }
}

/** RFC 6887 7.3: an unknown option is ignored if its code says that it is optional. @throws PcpRefusal UNSUPP_OPTION */
function isKnown(option: PcpOption): option is Exclude<PcpOption, { kind: 'unknown' }> {
  if (option.kind !== 'unknown') return true
  if (option.code < FIRST_OPTIONAL_CODE) throw new PcpRefusal(PCP_RESULTS.UNSUPP_OPTION)
  return false
}

/** RFC 6887 13.1: a prohibited option counts as unsupported. A client is not its own third party. @throws PcpRefusal */
function checkThirdParty(address: string, clientAddress: string, mayBeForOthers: boolean): void {
  if (!mayBeForOthers) throw new PcpRefusal(PCP_RESULTS.UNSUPP_OPTION)
  if (isSameAddress(address, clientAddress)) throw new PcpRefusal(PCP_RESULTS.MALFORMED_REQUEST)
  if (!isHostLike(clientAddress, address)) throw new PcpRefusal(PCP_RESULTS.MALFORMED_OPTION)
}

/** Whether this is the address of a single host, of the same family as the model. */
function isHostLike(model: string, address: string): boolean {
  return isUnicastIPv6(model) ? isUnicastIPv6(address) : isUnicastIPv4(address)
}

/** RFC 6887 13.3: a filter is added; prefix length 0 removes all. @throws PcpRefusal */
function remoteHostOf({ filters }: MapOptions, internalClient: string, present: string): string {
  let remoteHost = present
  for (const { prefixLength, remotePort, remoteAddress } of filters) {
    const isAdded = remoteHost === '' || isSameAddress(remoteHost, remoteAddress)
    if (prefixLength === 0) remoteHost = ''
    else if (!isHostLike(internalClient, remoteAddress)) throw new PcpRefusal(PCP_RESULTS.MALFORMED_OPTION)
    else if (prefixLength === ONE_HOST && remotePort === 0 && isAdded) remoteHost = remoteAddress
    else throw new PcpRefusal(PCP_RESULTS.EXCESSIVE_REMOTE_PEERS)
  }
  return remoteHost
}
