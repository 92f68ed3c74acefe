/**
 * A PCP server as a Gateway: MAP for port mappings and for pinholes (RFC 6887 11, 13, 15).
 * A pinhole is a MAP whose outside is the same as its inside (RFC 6887 2.2). PCP gives it no number. Its ID is what it
 * leads to, so nothing has to be remembered.
 */
import { isSameAddress, parseIPv4, splitZone } from '../../domain/address.js'
import { InvalidArgumentError, inWords, MalformedMessageError, RefusedError } from '../../domain/errors.js'
import type { AskOptions, MappingToRemove, PinholeOpener } from '../../domain/gateway.js'
import {
  type PinholeId,
  type PinholeTarget,
  pinholeIdOf,
  pinholeTargetOf,
  refuseFlawedLease,
} from '../../domain/pinhole.js'
import {
  isPort,
  type MappingRequest,
  type PortMapping,
  PROTOCOL_NUMBERS,
  transportProtocolOf,
} from '../../domain/port-mapping.js'
import {
  ANY_ADDRESS,
  decodePcpResponse,
  encodePcpRequest,
  type MapRequestData,
  PCP_OPCODES,
  type PcpResponse,
  type ResponseHead,
} from '../../wire/pcp.js'
import type { PcpOption } from '../../wire/pcp-options.js'
import { PCP_RESULTS, pcpResultName } from '../../wire/pcp-result-codes.js'
import type { RememberedMapping } from '../mapping-memory.js'
import { exchange, ONE_PACKET_MS, pcpWaits, UnprovenAnswer } from './exchange.js'
import {
  EXCHANGE_TIMEOUT_MS,
  type GrantedMapping,
  type KnownOfGateway,
  lifetimeOf,
  PortControlGatewayBase,
  type PortControlOptions,
  passOver,
  refuseFlawedOrAny,
  SHORTEST_LIFETIME_SECONDS,
  unusedPort,
} from './gateway-base.js'
import { probePcp } from './probe.js'

/** The name of the request, for messages. */
const MAP = 'MAP'

interface MapAsked extends Omit<MapRequestData, 'nonce'> {
  readonly internalAddress: string
  /** 0 deletes. */
  readonly lifetimeSeconds: number
  readonly options?: readonly PcpOption[] | undefined
  readonly isRepetition?: boolean | undefined
}

type MapGranted = Extract<PcpResponse, { readonly kind: 'MAP-response' }>

export class PcpGateway extends PortControlGatewayBase {
  readonly protocol = 'pcp'
  readonly pinholes: PinholeOpener | undefined

  constructor(options: PortControlOptions, known?: KnownOfGateway) {
    super(options, known)
    const isIPv4 = parseIPv4(options.endpoint.address) !== undefined
    this.pinholes = isIPv4 ? undefined : pinholesBy((asked) => this.#askMap(asked))
  }

  until(signal: AbortSignal | undefined): PcpGateway {
    return new PcpGateway(this.optionsUntil(signal), this.known)
  }

  /** The first mapping tells it. Until then a port is mapped for a moment to learn it (RFC 6887 11.6). */
  async externalAddress(): Promise<string> {
    if (this.known.externalAddress !== undefined) return this.known.externalAddress
    const asked: MapAsked = {
      protocol: PROTOCOL_NUMBERS.UDP,
      internalAddress: this.localAddress,
      internalPort: unusedPort(this.options.random),
      suggestedExternalPort: 0,
      suggestedExternalAddress: this.#anyAddress(),
      lifetimeSeconds: SHORTEST_LIFETIME_SECONDS,
    }
    const { assignedExternalAddress, assignedExternalPort } = await this.#askMap(asked)
    await this.#askMap({ ...asked, suggestedExternalPort: assignedExternalPort, lifetimeSeconds: 0 }).catch(passOver)
    return assignedExternalAddress
  }

  /** ANNOUNCE reports the epoch and nothing else (RFC 6887 14.1). */
  async pulse(): Promise<{ readonly externalAddress: string | undefined }> {
    const { net, endpoint, localAddress, random } = this.options
    const { epochSeconds } = await probePcp({ net, endpoint, localAddress, random, timeoutMs: EXCHANGE_TIMEOUT_MS })
    this.learnEpoch(epochSeconds)
    return { externalAddress: this.known.externalAddress }
  }

  async map(request: MappingRequest, options?: AskOptions): Promise<PortMapping> {
    if (request.externalPort === 0) return this.mapAny(request, options)
    return this.onlyThat(request, await this.grantNoOther(request, options), MAP, options)
  }

  protected async grantNoOther(request: MappingRequest, options?: AskOptions): Promise<GrantedMapping> {
    if (this.known.lacksPreferFailure) return this.grant(request, options)
    try {
      return await this.grant(request, options, [{ kind: 'PREFER_FAILURE' }])
    } catch (error) {
      // A server without that option ignores it or says so (RFC 6887 13.2). Either way its grant is checked.
      const isUnsupported = error instanceof RefusedError && error.number === PCP_RESULTS.UNSUPP_OPTION
      if (!isUnsupported) throw error
      this.known.lacksPreferFailure = true
      return this.grant(request, options)
    }
  }

  protected async grant(
    request: MappingRequest,
    { isRepetition }: AskOptions = {},
    options: readonly PcpOption[] = [],
  ): Promise<GrantedMapping> {
    refuseFlawedOrAny(request)
    this.#refuseIPv6()
    const { remoteHost, protocol, internalPort, internalClient } = request
    const asked = { ...request, leaseSeconds: lifetimeOf(request.lease) }
    const { assignedExternalPort, lifetimeSeconds } = await this.#askMap({
      ...this.#asked(asked, options),
      isRepetition,
    })
    const inside = { internalPort, internalClient, enabled: true, description: '', leaseSeconds: lifetimeSeconds }
    const unchecked = remoteHost === '' ? {} : ({ isRemoteHostUnchecked: true } as const)
    return { remoteHost, externalPort: assignedExternalPort, protocol, ...inside, ...unchecked }
  }

  /** To the gateway a mapping for one remote host is the same as one for all. */
  protected async refuseToRemove({ externalPort, protocol, remoteHost }: Required<MappingToRemove>): Promise<void> {
    this.#refuseIPv6()
    if (remoteHost === '') return
    const known = await this.options.memory.recall({ externalPort, protocol })
    if (known?.remoteHost === remoteHost) return
    const what = `external port ${externalPort} ${protocol} is not known to be open for ${remoteHost} only`
    throw new InvalidArgumentError(`${what}; without the remote host it is closed for everybody`)
  }

  protected ask(mapping: RememberedMapping): Promise<unknown> {
    return this.#askMap(this.#asked(mapping))
  }

  /** A removal has no FILTER: it would be malformed (RFC 6887 15). */
  #asked(mapping: RememberedMapping, options: readonly PcpOption[] = []): MapAsked {
    const { protocol, internalClient, internalPort, externalPort, leaseSeconds, remoteHost = '' } = mapping
    return {
      protocol: PROTOCOL_NUMBERS[protocol],
      internalAddress: internalClient,
      internalPort,
      suggestedExternalPort: externalPort,
      suggestedExternalAddress: this.#anyAddress(),
      lifetimeSeconds: leaseSeconds,
      options: remoteHost === '' || leaseSeconds === 0 ? options : [...options, filterFor(remoteHost, 0)],
    }
  }

  #refuseIPv6(): void {
    if (this.pinholes === undefined) return
    throw inWords(
      ({ pinholes }) =>
        `${this.address}: over IPv6 PCP opens pinholes (${pinholes}) and maps no ports: name the router's IPv4 address`,
      (text) => new InvalidArgumentError(text),
    )
  }

  #anyAddress(): string {
    return parseIPv4(this.address) === undefined ? ANY_ADDRESS.ipv6 : ANY_ADDRESS.ipv4
  }

  /** One exchange (RFC 6887 11). @throws RefusedError, NoReplyError, TransportError */
  async #askMap(asked: MapAsked): Promise<MapGranted> {
    const { net, endpoint, nonces, random, ownAddresses, localAddress } = this.options
    const { internalAddress: inside, options = [], isRepetition = false, ...data } = asked
    const { protocol, internalPort } = data
    const { address: internalAddress } = splitZone(inside)
    const nonce = await nonces({ gateway: endpoint.address, internalAddress, protocol, internalPort })
    // If the inside is our own address, it is asked from there: the server checks the source (RFC 6887 8.1).
    const isInside = (each: string): boolean => isSameAddress(splitZone(each).address, internalAddress)
    const own = isInside(localAddress) ? localAddress : ownAddresses().find(isInside)
    const thirdParty: PcpOption[] = own === undefined ? [{ kind: 'THIRD_PARTY', internalAddress }] : []
    const request = { kind: 'MAP-request', ...data, nonce, options: [...thirdParty, ...options] } as const
    const granted = await exchange(net, {
      remote: endpoint,
      localAddress: own ?? localAddress,
      action: MAP,
      encode: (local) => encodePcpRequest({ ...request, clientAddress: splitZone(local).address }),
      accept: (datagram) => {
        const response = decodePcpResponse(datagram)
        try {
          return mapResponseTo(request, response)
        } catch (refusal) {
          // RFC 6887 8.5: every response has the epoch. That of an answer that may be forged does not count.
          if (refusal instanceof RefusedError && 'epochSeconds' in response) this.learnEpoch(response.epochSeconds)
          throw refusal
        }
      },
      waits: this.unlessRemoved(asked, isRepetition ? [ONE_PACKET_MS] : pcpWaits(random)),
      timeoutMs: isRepetition ? ONE_PACKET_MS : EXCHANGE_TIMEOUT_MS,
    })
    this.learnEpoch(granted.epochSeconds)
    if (asked.lifetimeSeconds > 0) this.#checkGranted(granted)
    return granted
  }

  #checkGranted(granted: MapGranted): void {
    const { assignedExternalPort, lifetimeSeconds, assignedExternalAddress } = granted
    if (!isPort(assignedExternalPort) || lifetimeSeconds === 0) {
      const received = `port ${assignedExternalPort}, lifetime ${lifetimeSeconds} s`
      throw new MalformedMessageError('a MAP response with a port and a lifetime', received, { action: MAP })
    }
    this.known.externalAddress = assignedExternalAddress
  }
}

function pinholesBy(askMap: (asked: MapAsked) => Promise<MapGranted>): PinholeOpener {
  const ask = async (
    target: PinholeTarget,
    leaseSeconds: number,
    more: Pick<MapAsked, 'options' | 'isRepetition'> = {},
  ) => {
    const { protocol, internalClient, internalPort } = target
    const { lifetimeSeconds } = await askMap({
      protocol: PROTOCOL_NUMBERS[protocol],
      internalAddress: internalClient,
      internalPort,
      suggestedExternalPort: internalPort,
      suggestedExternalAddress: internalClient,
      lifetimeSeconds: leaseSeconds,
      ...more,
    })
    return { id: pinholeIdOf(target), leaseSeconds: lifetimeSeconds }
  }
  return {
    async addPinhole(request, { isRepetition } = {}) {
      const { remoteHost, remotePort, internalClient, internalPort, protocol: number, leaseSeconds } = request
      const protocol = transportProtocolOf(number)
      refuseFlawedLease(leaseSeconds)
      if (protocol === undefined || !isPort(internalPort)) {
        throw new InvalidArgumentError('a pinhole over PCP is for TCP or UDP, and for one port from 1 to 65535')
      }
      if (remoteHost === '' && remotePort !== 0) {
        throw new InvalidArgumentError('a pinhole over PCP for one remote port needs a remote host too')
      }
      const options = remoteHost === '' ? [] : [filterFor(remoteHost, remotePort)]
      return ask({ protocol, internalClient, internalPort }, leaseSeconds, { options, isRepetition })
    },
    /** The filters of the pinhole stay as they are (RFC 6887 13.3). */
    async updatePinhole(id, leaseSeconds) {
      refuseFlawedLease(leaseSeconds)
      return { ...(await ask(targetOf(id), leaseSeconds)), id }
    },
    async deletePinhole(id) {
      await ask(targetOf(id), 0)
    },
  }
}

function targetOf(id: PinholeId): PinholeTarget {
  const target = pinholeTargetOf(String(id))
  if (target !== undefined) return target
  throw new InvalidArgumentError(`'${id}' is not a pinhole of PCP; those are known as TCP:[2001:db8::5]:8022`)
}

/**
 * Undefined if it is not the response to that request (RFC 6887 8.3, 11.4). Whoever knows the nonce has seen the request.
 * Some servers leave it out of an error, and NAT-PMP has none. @throws RefusedError, UnprovenAnswer
 */
function mapResponseTo(asked: MapRequestData, response: PcpResponse): MapGranted | undefined {
  if (response.kind === 'MAP-response') {
    const { nonce, protocol, internalPort } = asked
    if (response.nonce !== nonce || response.protocol !== protocol || response.internalPort !== internalPort)
      return undefined
    if (response.resultCode === PCP_RESULTS.SUCCESS) return response
    throw refused(response.resultCode, response)
  }
  if (response.kind === 'error-response' && response.opcode === PCP_OPCODES.MAP)
    throw new UnprovenAnswer(refused(response.resultCode))
  // Any opcode: NAT-PMP gateways put 0 there.
  if (response.kind === 'other-version-response') throw new UnprovenAnswer(refused(PCP_RESULTS.UNSUPP_VERSION))
  return undefined
}

function refused(number: number, head?: ResponseHead): RefusedError {
  const facts = { protocol: 'pcp', action: MAP, number, standardName: pcpResultName(number) } as const
  return new RefusedError({ ...facts, lastsSeconds: head?.lifetimeSeconds ?? 0, hasEpoch: head !== undefined })
}

/** RFC 6887 13.3: for that one host. */
function filterFor(remoteAddress: string, remotePort: number): PcpOption {
  return { kind: 'FILTER', prefixLength: 128, remotePort, remoteAddress }
}
