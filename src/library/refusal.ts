/**
 * Why an IGD refused a mapping: found out with one look at what it shows, in place of a guess from the number. A look
 * fails nothing, and all looks of one command are bounded together.
 */
import { isReservedIPv4, onSameSubnet, parseIPv4 } from '../domain/address.js'
import { PortMappingError } from '../domain/errors.js'
import type { Gateway, IgdGateway } from '../domain/gateway.js'
import type { MappingRequest, PortMapping } from '../domain/port-mapping.js'
import type { MappingDoubt, RefusalCause } from '../domain/refusal-cause.js'
import { UPNP_ERRORS, upnpErrorName } from '../domain/upnp-errors.js'
import { deadlineAfter } from '../net/clock.js'
import type { PrivateFiles } from '../net/files/private-files.js'
import type { ClientNet } from '../net/network.js'

export interface RefusalNet extends Pick<ClientNet, 'clock' | 'interfaces' | 'defaultGateways' | 'computerName'> {
  readonly files: PrivateFiles
  readonly signal?: AbortSignal | undefined
}

/** For all looks of one command together. */
export const LOOK_MS = 5000
/** How many rows of the table are read, once. */
export const MAX_ROWS = 256

/** These say that the port is taken, and some routers mean that by 402. */
const CONFLICTS: ReadonlySet<number> = new Set([
  UPNP_ERRORS.ConflictInMappingEntry,
  UPNP_ERRORS.ConflictWithOtherMechanisms,
])

/** These say that something about the request is wrong, but not what. */
const VAGUE: ReadonlySet<number> = new Set([
  UPNP_ERRORS.InvalidArgs,
  UPNP_ERRORS.ActionFailed,
  UPNP_ERRORS.ArgumentValueInvalid,
  UPNP_ERRORS.ArgumentValueOutOfRange,
  UPNP_ERRORS.StringArgumentTooLong,
  UPNP_ERRORS.ActionNotAuthorized,
])

/** Whether a refusal with that number may mean anything about the request, and so also its description. */
export function isVague(number: number): boolean {
  return VAGUE.has(number) || upnpErrorName(number) === 'UnknownError'
}

/** What is asked for. An external address that is not known is empty. */
export interface Subject {
  readonly request: MappingRequest
  readonly externalAddress: string
}

/** Doubts that the request itself raises, whether the gateway makes the mapping or refuses it. */
export async function doubtOf(
  { protocol, address, localAddress }: Gateway,
  net: RefusalNet,
  { request: { internalClient }, externalAddress }: Subject,
): Promise<MappingDoubt | undefined> {
  const interfaces = net.interfaces()
  const isOurs = internalClient === localAddress || interfaces.some((each) => each.address === internalClient)
  const isNear = (other: string): boolean => interfaces.some((each) => onSameSubnet(each.address, each.netmask, other))
  if (!isOurs) {
    const isRouter = internalClient === externalAddress || internalClient === address
    if (isRouter) return { kind: 'client-is-router', address: internalClient }
    const isPublic = !isReservedIPv4(internalClient) && !isNear(internalClient)
    return isPublic ? { kind: 'client-is-public', address: internalClient } : undefined
  }
  // PCP finds out itself (RFC 6887 8.1 ADDRESS_MISMATCH). Nobody knows what network a computer with a /32 is on: a VPN.
  const own = interfaces.find((each) => each.address === localAddress)
  const isKnown = protocol !== 'pcp' && own !== undefined && own.netmask !== '255.255.255.255'
  if (!isKnown || address === undefined || parseIPv4(address) === undefined || isNear(address)) return undefined
  const defaultGateways = await net.defaultGateways(4).catch((): readonly string[] => [])
  return defaultGateways.includes(address) ? undefined : { kind: 'another-nat', gatewayAddress: address, localAddress }
}

/** `as-asked`: the gateway refused what it has already. Undefined: nothing that can be told is in the way. */
export type Finding = RefusalCause | { readonly kind: 'as-asked'; readonly mapping: PortMapping } | undefined

interface Table {
  readonly rows: readonly PortMapping[]
  readonly isWhole: boolean
}

export class RefusalLook {
  readonly #gateway: IgdGateway
  readonly #net: RefusalNet
  #leftMs = LOOK_MS
  #table: Table | undefined

  constructor(gateway: IgdGateway, net: RefusalNet) {
    this.#gateway = gateway
    this.#net = net
  }

  /** What is in the way, after a refusal with that number; undefined if that cannot be told. */
  async find(number: number, subject: Subject): Promise<Finding> {
    const isConflict = CONFLICTS.has(number)
    if (!isConflict && !isVague(number)) return undefined
    const doubt = await doubtOf(this.#gateway, this.#net, subject)
    if (doubt !== undefined && doubt.kind !== 'another-nat') return doubt
    if (!isConflict && number !== UPNP_ERRORS.InvalidArgs) return doubt
    const shown = await this.#look(subject.request)
    if (shown?.kind === 'as-asked') return isConflict ? shown : doubt
    if (shown?.kind === 'nobody-shown') return doubt ?? (isConflict ? shown : undefined)
    return shown ?? doubt
  }

  async #look(request: MappingRequest): Promise<Finding> {
    const { externalPort, protocol, remoteHost, internalClient, internalPort } = request
    const key = { externalPort, protocol, remoteHost }
    const found = await this.#within((signal) => this.#gateway.find(key, { signal, specificOnly: true }))
    // A router may show its entry for any remote host if it is asked for one with a remote host.
    if (typeof found === 'object' && remoteHost === '') return this.#heldBy(found, request)
    const { rows, isWhole } = await this.#rows()
    const sameProtocol = rows.filter((each) => each.protocol.toUpperCase() === protocol && each.internalClient !== '')
    const outside = sameProtocol.filter((each) => each.externalPort === externalPort)
    const holder = outside.find((each) => each.remoteHost === remoteHost) ?? outside[0]
    if (holder !== undefined) return this.#heldBy(holder, request)
    if (typeof found === 'object') return this.#differs(found, request)
    const inside = sameProtocol.find((each) => {
      return each.internalClient === internalClient && each.internalPort === internalPort
    })
    const isForThisComputer = this.#isOurs(internalClient)
    if (inside !== undefined) return { kind: 'open-elsewhere', mapping: inside, isForThisComputer }
    return found === undefined && isWhole ? { kind: 'nobody-shown', isForThisComputer } : undefined
  }

  #heldBy(mapping: PortMapping, request: MappingRequest): Finding {
    const isAsAsked =
      mapping.internalClient === request.internalClient &&
      mapping.internalPort === request.internalPort &&
      mapping.remoteHost === request.remoteHost &&
      mapping.enabled
    return isAsAsked ? { kind: 'as-asked', mapping } : this.#differs(mapping, request)
  }

  #differs(mapping: PortMapping, { internalClient }: MappingRequest): RefusalCause {
    const isForThisComputer = this.#isOurs(mapping.internalClient)
    if (!isForThisComputer && mapping.internalClient !== internalClient) return { kind: 'port-taken', mapping }
    return { kind: 'port-differs', mapping, isForThisComputer }
  }

  #isOurs(client: string): boolean {
    return client === this.#gateway.localAddress || this.#net.interfaces().some(({ address }) => address === client)
  }

  /** The first rows of the table. It is read once, and a part of it is better than nothing. */
  async #rows(): Promise<Table> {
    if (this.#table !== undefined) return this.#table
    const rows: PortMapping[] = []
    const isWhole = await this.#within(async (signal) => {
      for await (const each of this.#gateway.portMappings(signal)) if (rows.push(each) >= MAX_ROWS) return false
      return true
    })
    this.#table = { rows, isWhole: isWhole === true }
    return this.#table
  }

  /** 'untold' if the gateway does not answer, or not in time. */
  async #within<T>(ask: (signal: AbortSignal) => Promise<T>): Promise<T | 'untold'> {
    const { clock, signal } = this.#net
    if (this.#leftMs <= 0 || signal?.aborted) return 'untold'
    const startedMs = clock.monotonicMs()
    const deadline = deadlineAfter(clock, this.#leftMs, () => new Error('the look is over'), signal)
    try {
      return await ask(deadline.signal)
    } catch (error) {
      if (error instanceof PortMappingError || deadline.signal.aborted) return 'untold'
      throw error
    } finally {
      deadline.dispose()
      this.#leftMs -= clock.monotonicMs() - startedMs
    }
  }
}
