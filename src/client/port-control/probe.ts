/**
 * Finds out which of several gateways speak PCP or NAT-PMP. All are asked side by side, and whoever waits goes on with
 * the first answer, or with the best one so far.
 * PCP is asked with ANNOUNCE (RFC 6887 14.1), NAT-PMP for the external address (RFC 6886 3.2), which is then known too.
 * A gateway of one protocol answers the other one with its own version (RFC 6887 9). That is a no to the other
 * protocol.
 */
import { parseIPv4, splitZone } from '../../domain/address.js'
import { PortMappingError, RefusedError } from '../../domain/errors.js'
import type { Endpoint } from '../../net/datagrams.js'
import { decodeNatPmpResponse, encodeNatPmpRequest, NAT_PMP_RESULTS, natPmpResultName } from '../../wire/natpmp.js'
import { decodePcpResponse, encodePcpRequest, PCP_OPCODES, PCP_VERSION, type PcpResponse } from '../../wire/pcp.js'
import { PCP_RESULTS, pcpResultName } from '../../wire/pcp-result-codes.js'
import { type ExchangeNet, exchange, natPmpWaits, pcpWaits } from './exchange.js'

export type PortControlProtocol = 'pcp' | 'nat-pmp'

/** A gateway that speaks the protocol. */
export interface PortControlAnswer {
  readonly protocol: PortControlProtocol
  readonly endpoint: Endpoint
  /** This computer's address on the way to the gateway. */
  readonly localAddress: string
  readonly epochSeconds: number
  /** Only NAT-PMP reports it. */
  readonly externalAddress: string | undefined
}

export interface PortControlRefusal extends Pick<PortControlAnswer, 'protocol' | 'endpoint'> {
  /** Why not: refused, another version, nothing there, no answer. */
  readonly error: PortMappingError
}

export interface ProbeOptions {
  readonly net: ExchangeNet
  readonly endpoint: Endpoint
  readonly localAddress?: string | undefined
  readonly timeoutMs: number
  readonly random?: () => number
  readonly onSent?: (() => void) | undefined
}

/** If there are more default gateways than this, the first ones are asked. */
export const MAX_PROBED_GATEWAYS = 4

export interface SearchPortControlOptions extends Omit<ProbeOptions, 'endpoint'> {
  readonly endpoints: Promise<readonly Endpoint[]>
  /** In the order of preference. */
  readonly protocols: readonly PortControlProtocol[]
  /** Called once, when everybody has been sent the first request, or cannot be. */
  readonly onSent?: (() => void) | undefined
  /** Called after every answer. */
  readonly onAnswer?: (() => void) | undefined
}

export type PortControlSearch = ReturnType<typeof searchPortControl>

/** Asks several gateways side by side, over several protocols. */
export function searchPortControl(search: SearchPortControlOptions) {
  const { endpoints, protocols, onSent, onAnswer, ...options } = search
  const answers: PortControlAnswer[] = []
  const refusals: PortControlRefusal[] = []
  const stop = new AbortController()
  const { signal } = options.net
  const onAbort = (): void => stop.abort(signal?.reason)
  signal?.addEventListener('abort', onAbort, { once: true })
  if (signal?.aborted) onAbort()
  let known: readonly Endpoint[] = []
  let answerFirst: (answer: PortControlAnswer | undefined) => void = () => {}
  const first = new Promise<PortControlAnswer | undefined>((resolve) => {
    answerFirst = resolve
  })
  let isSent = false
  const tellSent = (): void => {
    if (!isSent && !stop.signal.aborted) onSent?.()
    isSent = true
  }
  let unsent = Number.POSITIVE_INFINITY
  const ask = async (endpoint: Endpoint, protocol: PortControlProtocol): Promise<void> => {
    let isCounted = false
    const countSent = (): void => {
      if (!isCounted && --unsent === 0) tellSent()
      isCounted = true
    }
    const probe = protocol === 'pcp' ? probePcp : probeNatPmp
    try {
      const net = { ...options.net, signal: stop.signal }
      const answer = await probe({ ...options, endpoint, net, onSent: countSent })
      answers.push(answer)
      answerFirst(answer)
      onAnswer?.()
    } catch (error) {
      if (error instanceof PortMappingError) refusals.push({ protocol, endpoint, error })
      else if (!stop.signal.aborted) throw error
    } finally {
      countSent()
    }
  }
  const askAll = async (): Promise<void> => {
    known = (await endpoints).slice(0, MAX_PROBED_GATEWAYS)
    const questions = known.flatMap((endpoint) =>
      protocols
        .filter((protocol) => protocol === 'pcp' || parseIPv4(endpoint.address) !== undefined) // NAT-PMP has no IPv6
        .map((protocol) => ({ endpoint, protocol })),
    )
    unsent = questions.length
    await Promise.all(questions.map(({ endpoint, protocol }) => ask(endpoint, protocol)))
  }
  const finished = askAll().finally(() => {
    tellSent()
    answerFirst(undefined)
    signal?.removeEventListener('abort', onAbort)
  })
  finished.catch(() => {}) // whoever awaits it learns of a defect
  return {
    /** The first answer. Undefined if nobody is left to answer, or the time is over. */
    first,
    /** Resolves when everybody has answered, or cannot any more. */
    finished,
    /** The best answer so far: by the order of the protocols, and the preferred gateway first. */
    best: (order = protocols) => bestOf(answers, known, order),
    refusals,
    stop: () => stop.abort(),
  }
}

function bestOf(
  answers: readonly PortControlAnswer[],
  endpoints: readonly Endpoint[],
  protocols: readonly PortControlProtocol[],
): PortControlAnswer | undefined {
  const rank = (each: PortControlAnswer): number =>
    protocols.indexOf(each.protocol) * MAX_PROBED_GATEWAYS + endpoints.indexOf(each.endpoint)
  const fitting = answers.filter(({ protocol }) => protocols.includes(protocol))
  const best = fitting.toSorted((a, b) => rank(a) - rank(b))[0]
  if (best === undefined) return undefined
  const address = answers.find((each) => each.endpoint === best.endpoint && each.externalAddress !== undefined)
  return { ...best, externalAddress: address?.externalAddress }
}

/** @throws PortMappingError if PCP is not spoken there, or this computer may not use it */
export function probePcp({ net, endpoint, random, ...limits }: ProbeOptions): Promise<PortControlAnswer> {
  const action = 'ANNOUNCE'
  return exchange(net, {
    ...limits,
    remote: endpoint,
    action,
    encode(local) {
      const clientAddress = splitZone(local).address
      return encodePcpRequest({ kind: 'ANNOUNCE-request', lifetimeSeconds: 0, clientAddress, options: [] })
    },
    accept(datagram, local) {
      const epochSeconds = epochOf(decodePcpResponse(datagram), action)
      if (epochSeconds === undefined) return undefined
      return { protocol: 'pcp', endpoint, localAddress: local, epochSeconds, externalAddress: undefined }
    },
    waits: pcpWaits(random),
  })
}

/** A server that does not know ANNOUNCE may know MAP all the same. */
const SPEAKS_PCP: ReadonlySet<number> = new Set([
  PCP_RESULTS.SUCCESS,
  PCP_RESULTS.UNSUPP_OPCODE,
  PCP_RESULTS.MALFORMED_REQUEST,
])

/** Undefined if it is not the response to ANNOUNCE. @throws RefusedError */
function epochOf(response: PcpResponse, action: string): number | undefined {
  const isFitting =
    response.kind === 'ANNOUNCE-response' || ('opcode' in response && response.opcode === PCP_OPCODES.ANNOUNCE)
  if (!isFitting) return undefined
  const isOtherVersion = response.kind === 'other-version-response'
  if (!isOtherVersion && SPEAKS_PCP.has(response.resultCode)) return response.epochSeconds
  const number = isOtherVersion ? PCP_RESULTS.UNSUPP_VERSION : response.resultCode
  const versions = isOtherVersion ? `: it speaks version 0, not ${PCP_VERSION}` : ''
  throw new RefusedError({ protocol: 'pcp', action, number, standardName: pcpResultName(number) + versions })
}

/** @throws PortMappingError if NAT-PMP is not spoken there, or this computer may not use it */
export function probeNatPmp({ net, endpoint, random: _, ...limits }: ProbeOptions): Promise<PortControlAnswer> {
  return exchange(net, {
    ...limits,
    remote: endpoint,
    action: EXTERNAL_ADDRESS_REQUEST,
    encode: () => encodeNatPmpRequest({ kind: 'external-address-request' }),
    accept(datagram, localAddress) {
      if (isOfPcp(datagram)) throw refusedNatPmp(NAT_PMP_RESULTS.unsupportedVersion)
      const response = decodeNatPmpResponse(datagram)
      const common = { protocol: 'nat-pmp', endpoint, localAddress, epochSeconds: response.epochSeconds } as const
      if (response.kind === 'external-address-response') return { ...common, externalAddress: response.externalAddress }
      if (response.kind !== 'error-response' || response.opcode !== 0) return undefined
      if (SPEAKS_NO_NAT_PMP.has(response.resultCode)) throw refusedNatPmp(response.resultCode)
      return { ...common, externalAddress: undefined }
    },
    waits: natPmpWaits(),
  })
}

const EXTERNAL_ADDRESS_REQUEST = 'external address request'

/** A gateway that does not know its address now, or does not know that opcode, may map ports all the same. */
const SPEAKS_NO_NAT_PMP: ReadonlySet<number> = new Set([
  NAT_PMP_RESULTS.unsupportedVersion,
  NAT_PMP_RESULTS.notAuthorized,
])

/** A PCP server answers other versions like this (RFC 6887 9). */
function isOfPcp([version, opcode = 0, , resultCode]: Uint8Array): boolean {
  return version === PCP_VERSION && opcode >= 0x80 && resultCode === PCP_RESULTS.UNSUPP_VERSION
}

function refusedNatPmp(number: number): RefusedError {
  const standardName = natPmpResultName(number)
  return new RefusedError({ protocol: 'nat-pmp', action: EXTERNAL_ADDRESS_REQUEST, number, standardName })
}
