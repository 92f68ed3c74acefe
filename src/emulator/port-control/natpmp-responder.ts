/**
 * The NAT-PMP side of the emulated gateway (RFC 6886 3), without sockets and clock. NAT-PMP has no nonces, so a request
 * for a mapping of PCP, which a nonce protects, gets result 2. Internal port 0 is what gateways of VPNs understand by it:
 * one port that they choose, the same inside and outside.
 */
import {
  decodeNatPmpRequest,
  encodeNatPmpResponse,
  NAT_PMP_RESULTS,
  type NatPmpRequest,
  type NatPmpResponse,
  natPmpOpcode,
} from '../../wire/natpmp.js'
import type { GatewayState, NatPmpRequestName } from '../gateway-state.js'
import { FIRST_PORT_TO_GIVE } from '../tables/mapping-table.js'
import { type ControlledMappings, type Inside, isPortOfPortControl, natMappings } from './controlled-mappings.js'
import { epochSeconds, type PortControlResponder, type ResponderOptions } from './responder.js'

/** The longest lifetime, the same as in PCP. A client that asks for less gets less (RFC 6886 3.3). */
export const LONGEST_NAT_PMP_LIFETIME_SECONDS = 86_400

/** The opcodes that the gateway carries out (RFC 6886 3.2, 3.3). */
export type NatPmpOperation = 'external-address' | 'map-udp' | 'map-tcp'

export type NatPmpResponderOptions = ResponderOptions<NatPmpOperation, NatPmpRequestName>

type MapRequest = Extract<NatPmpRequest, { kind: 'map-request' }>

/** The result code of a refusal, or a response that still lacks the epoch. */
type Outcome = number | WithoutEpoch<NatPmpResponse>
type WithoutEpoch<R> = R extends unknown ? Omit<R, 'epochSeconds'> : never

const ADDRESS_REQUEST = { kind: 'external-address-request' } as const

const NAMES = {
  'external-address-request': 'externalAddress',
  'map-request': 'map',
  'unsupported-request': 'other',
} as const

export function createNatPmpResponder(options: NatPmpResponderOptions): PortControlResponder {
  const { state, refusalOf, onRequest } = options
  const encode = (response: WithoutEpoch<NatPmpResponse>, nowMs: number): Uint8Array =>
    encodeNatPmpResponse({ ...response, epochSeconds: epochSeconds(state, nowMs) })
  const refuse = (resultCode: number, opcode: number, nowMs: number, internalPort?: number): Uint8Array =>
    encode({ kind: 'error-response', opcode, resultCode, internalPort }, nowMs)
  const respond = (request: NatPmpRequest, outcome: Outcome, nowMs: number): Uint8Array => {
    if (typeof outcome !== 'number') return encode(outcome, nowMs)
    const internalPort = request.kind === 'map-request' ? request.internalPort : undefined
    return refuse(outcome, natPmpOpcode(request), nowMs, internalPort)
  }
  return {
    answer(datagram, fromAddress, nowMs) {
      const request = decodeNatPmpRequest(datagram)
      onRequest?.(NAMES[request.kind])
      if (request.kind === 'unsupported-request')
        return refuse(NAT_PMP_RESULTS.unsupportedOpcode, request.opcode, nowMs)
      const outcome = refusalOf?.(operationOf(request)) ?? perform(request, state, fromAddress, nowMs)
      return respond(request, outcome, nowMs)
    },
    refuseVersion: ([, opcode = 0], nowMs) => refuse(NAT_PMP_RESULTS.unsupportedVersion, opcode, nowMs),
    announcement: (nowMs) => respond(ADDRESS_REQUEST, perform(ADDRESS_REQUEST, state, '', nowMs), nowMs),
    repetition: { times: 10, firstWaitMs: 250 }, // RFC 6886 3.2.1
  }
}

function operationOf(request: NatPmpRequest): NatPmpOperation {
  if (request.kind === 'external-address-request') return 'external-address'
  return request.protocol === 'UDP' ? 'map-udp' : 'map-tcp'
}

function perform(request: NatPmpRequest, state: GatewayState, fromAddress: string, nowMs: number): Outcome {
  const { externalAddress, connectionStatus } = state.facts
  const isConnected = connectionStatus === 'Connected'
  if (request.kind === 'external-address-request') {
    return isConnected ? { kind: 'external-address-response', externalAddress } : NAT_PMP_RESULTS.networkFailure
  }
  const { protocol, internalPort } = request
  const inside = { protocol, internalPort, internalClient: fromAddress }
  const mappings = natMappings(state)
  if (request.lifetimeSeconds === 0) return remove(inside, mappings, nowMs)
  return isConnected ? map(request, inside, mappings, nowMs) : NAT_PMP_RESULTS.networkFailure
}

function map(request: MapRequest, inside: Inside, mappings: ControlledMappings, nowMs: number): Outcome {
  const { protocol, internalPort, suggestedExternalPort: suggested } = request
  if (isPortOfPortControl(inside, internalPort)) return NAT_PMP_RESULTS.notAuthorized
  const isSamePort = internalPort === 0
  const present = isSamePort ? samePortOf(inside, mappings, nowMs) : mappings.findInside(inside, nowMs)
  if (present?.madeBy === 'pcp') return NAT_PMP_RESULTS.notAuthorized
  // RFC 6886 3.3: a mapping that exists keeps its external port, whatever the client suggests.
  const wanted = isSamePort && suggested < FIRST_PORT_TO_GIVE ? 0 : suggested
  const externalPort = present?.externalPort ?? mappings.freePort(inside, wanted, 'nat-pmp', nowMs)
  if (externalPort === undefined) return NAT_PMP_RESULTS.outOfResources
  const lifetimeSeconds = Math.min(request.lifetimeSeconds, LONGEST_NAT_PMP_LIFETIME_SECONDS)
  const inPlace = isSamePort ? { internalPort: externalPort, isSamePort } : {}
  const common = { ...inside, ...inPlace, externalPort, remoteHost: '', leaseSeconds: lifetimeSeconds }
  if (!mappings.put({ ...common, madeBy: 'nat-pmp', nonce: undefined }, present, nowMs))
    return NAT_PMP_RESULTS.outOfResources
  return { kind: 'map-response', protocol, internalPort, mappedExternalPort: externalPort, lifetimeSeconds }
}

/** What the client has for internal port 0, of which there is one for each protocol. */
function samePortOf({ internalClient, protocol }: Inside, mappings: ControlledMappings, nowMs: number) {
  return mappings.of(internalClient, nowMs).find((each) => each.isSamePort === true && each.protocol === protocol)
}

/** RFC 6886 3.4. Internal port 0 means all mappings to the client of that protocol. Those of PCP and of an IGD stay. */
function remove(inside: Inside, mappings: ControlledMappings, nowMs: number): Outcome {
  const { protocol, internalClient, internalPort } = inside
  const asked = mappings
    .of(internalClient, nowMs)
    .filter((each) => each.protocol === protocol && (internalPort === 0 || each.internalPort === internalPort))
  const gone = asked.filter((each) => each.madeBy === 'nat-pmp')
  for (const mapping of gone) mappings.delete(mapping, nowMs)
  const stays = asked.length > gone.length || (gone.length === 0 && mappings.isStatic(inside, nowMs))
  if (internalPort !== 0 && stays) return NAT_PMP_RESULTS.notAuthorized
  return { kind: 'map-response', protocol, internalPort, mappedExternalPort: 0, lifetimeSeconds: 0 }
}
