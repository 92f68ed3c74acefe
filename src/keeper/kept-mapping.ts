/**
 * A port mapping that is kept. It looks before it asks: a mapping of another computer is not touched, even if the
 * gateway would allow it. A mapping that was there before the first request stays as it is, with its description and its
 * lease, and is left there at the end. Its lease is extended only if it would end.
 */
import {
  InvalidArgumentError,
  isPortTaken,
  MalformedMessageError,
  NoGatewayError,
  NotConfirmedError,
  PortTakenError,
  RefusedError,
} from '../domain/errors.js'
import type { Gateway } from '../domain/gateway.js'
import {
  type GatewayProtocol,
  leaseToSeconds,
  MAX_LEASE_SECONDS,
  type MappingKey,
  type MappingRequest,
  type PortMapping,
} from '../domain/port-mapping.js'
import type { LeftBehind } from '../domain/refusal-cause.js'
import { causeText } from '../domain/refusal-text.js'
import { LIBRARY } from '../domain/words.js'
import {
  externalAddressOf,
  type Held,
  hasClosed,
  type Kept,
  type LossReason,
  madeAgain,
  type Presence,
  type Removed,
  unlessRefused,
} from './kept.js'

export interface HeldMapping extends Held {
  readonly mapping: PortMapping
  /** What was wanted, even if the gateway gave another port. */
  readonly asked: MappingRequest
  /** It was there before this keeper, so it is left there at the end. */
  readonly wasThere: boolean
}

/** What to ask for. Without an internal client it is for this computer, whatever its address is at the time. */
export interface WantedMapping extends Omit<MappingRequest, 'internalClient'> {
  readonly internalClient?: string | undefined
  /** Another external port will do. */
  readonly any: boolean
  /** For TCP+UDP: the mapping whose external port this one shares. That mapping is made first. */
  readonly samePortAs?: KeptMapping | undefined
  /** Whether this user's keeper made a mapping with that description and left it behind: then it is no stranger's. */
  readonly isOwn?: (request: MappingRequest, description: string) => Promise<boolean>
  /** What this user has left at that external port from an address that this computer does not have any more. */
  readonly leftBehind?: (gateway: Gateway, key: MappingKey) => Promise<LeftBehind | undefined>
  /** Whether another keeper of this user runs and keeps that external port. */
  readonly isKeptByAnother?: (key: MappingKey) => Promise<boolean>
  /** Asked at the end: whether another keeper of this user has the same mapping open, which is left to that one. */
  readonly isKeptElsewhere?: (request: MappingRequest) => Promise<boolean>
  /** Holds it, before it is asked for. Returns the inside for which another keeper of this program holds it. */
  readonly hold?: (request: MappingRequest) => Promise<Inside | undefined> | undefined
}

type Inside = Pick<MappingRequest, 'internalClient' | 'internalPort'>

/** At the first renewal half of the lease is over. If less than this share is left after it, nothing was extended. */
const LEAST_EXTENDED = 0.75
/** How many ports of other computers are passed over in one attempt. */
const MAX_PASSED_OVER = 10
/** How many ports that the gateway refuses to the second of two are tried in one attempt, until one is free for both. */
const MOST_PORTS_TRIED = 5
/** RFC 6886 3.3: what NAT-PMP is asked for if the lease has no end. */
const RECOMMENDED_LEASE_SECONDS = 7200
const FIRST_FREE_PORT = 1024
const LAST_PORT = 65_535

interface Asked {
  readonly request: MappingRequest
  /** The gateway showed exactly this mapping before: somebody else's. */
  readonly wasThere: PortMapping | undefined
}

export class KeptMapping implements Kept<HeldMapping> {
  readonly #wanted: WantedMapping
  /** Once the gateway has given a port, the same one is asked for. If two share a port, the first one's counts. */
  #externalPort: number
  /** What it has made, or may have made: a request without an answer counts. */
  #own: MappingRequest | undefined
  /** The last request had no answer, or what it made could not be closed again. */
  #isUncertain = false
  /** How the gateway shows the computer that the mapping was asked for. */
  #nameOfClient: { readonly shown: string; readonly is: string } | undefined
  /** Gateways that do not extend the lease when a mapping is asked for again. */
  readonly #renewedByRecreation = new WeakSet<Gateway>()
  /** PCP servers that did not extend the lease last time. */
  readonly #doubted = new WeakSet<Gateway>()

  constructor(wanted: WantedMapping) {
    this.#wanted = wanted
    // With internal port 0 the external one is only a suggestion, and none of the two is known until it is given.
    this.#externalPort = wanted.internalPort === 0 ? 0 : wanted.externalPort
  }

  /** To delete internal port 0 would delete every mapping of this computer and protocol (RFC 6886 3.4). */
  get leftForMs(): number | undefined {
    const { internalPort, lease } = this.#wanted
    return internalPort === 0 ? (leaseToSeconds(lease) || RECOMMENDED_LEASE_SECONDS) * 1000 : undefined
  }

  get name(): string {
    return `external port ${this.externalPort || '(any)'} ${this.#wanted.protocol}`
  }

  get externalPort(): number {
    return this.#leader.#externalPort
  }

  get hasMade(): boolean {
    return this.#own !== undefined
  }

  get samePortAs(): KeptMapping | undefined {
    return this.#wanted.samePortAs
  }

  get #leader(): KeptMapping {
    return this.samePortAs === undefined ? this : this.samePortAs.#leader
  }

  async make(gateway: Gateway, isRepetition: boolean): Promise<HeldMapping> {
    if (this.#leader !== this && this.externalPort === 0) {
      throw new InvalidArgumentError(`${this.name} waits for ${this.#leader.name}`)
    }
    for (let tried = 1; ; tried++) {
      try {
        return await this.#make(gateway, isRepetition)
      } catch (error) {
        if (!isPortTaken(error)) throw error
        if (this.#canMoveLeader) this.#passOver()
        if (this.#canMoveLeader && tried < MOST_PORTS_TRIED) continue
        error.leftBehind = await this.#leftBehind(gateway)
        throw error
      }
    }
  }

  /** The first of two can move to another port, and this one with it, unless the gateway chooses the port. */
  get #canMoveLeader(): boolean {
    const { externalPort, internalPort } = this.#leader.#wanted
    return this.#leader !== this && this.#wanted.any && externalPort > 0 && internalPort > 0
  }

  async #make(gateway: Gateway, isRepetition: boolean): Promise<HeldMapping> {
    const { request, wasThere } = await this.#prepare(gateway)
    const any = this.#wanted.any && this.#leader === this
    const mapping = wasThere?.enabled
      ? wasThere
      : await this.#map(gateway, withWordsOf(wasThere, request), any, isRepetition, wasThere === undefined)
    if (mapping === wasThere) this.#own = undefined
    const externalAddress = await externalAddressOf(gateway)
    const externalPort = this.#leader === this ? this.#wanted.externalPort : request.externalPort
    const leaseMs = mapping === wasThere ? leaseMsShown(mapping) : leaseMsOf(mapping, this.#wanted)
    return { mapping, asked: { ...request, externalPort }, leaseMs, externalAddress, wasThere: wasThere !== undefined }
  }

  async renew(gateway: Gateway, held: HeldMapping, onLost: (reason: LossReason) => void): Promise<HeldMapping> {
    if (!this.isCurrent(gateway, held)) {
      await this.#close(gateway).catch(unlessRefused)
      return madeAgain(this.make(gateway, true))
    }
    const request = this.#request(gateway)
    const found = await this.#show(gateway, request)
    const presence = presenceIn(found, held.mapping)
    if (presence === 'gone' || presence === 'taken') {
      onLost(presence)
      return this.make(gateway, true)
    }
    const { asked, wasThere } = held
    const theirs = wasThere && isMapping(found) ? asInside(found, held.mapping) : undefined
    if (theirs !== undefined && !this.#isToBeExtended(theirs, held))
      return { ...held, mapping: theirs, leaseMs: leaseMsShown(theirs), externalAddress: undefined }
    const mapping = await this.#extend(gateway, withWordsOf(theirs, request), held).catch((error: unknown) => {
      if (isPortTaken(error)) onLost('taken')
      throw error
    })
    const externalAddress = gateway.protocol === 'pcp' ? await externalAddressOf(gateway) : undefined
    return { mapping, asked, leaseMs: leaseMsOf(mapping, this.#wanted), externalAddress, wasThere }
  }

  /** Whether somebody else's would end, because nobody has extended it since. Its lease is never made shorter. */
  #isToBeExtended(theirs: PortMapping, { leaseMs }: HeldMapping): boolean {
    const leftMs = leaseMsShown(theirs)
    return leftMs < leaseMs * LEAST_EXTENDED && leftMs < leaseMsOf({ ...theirs, leaseSeconds: 0 }, this.#wanted)
  }

  /** Whether it is on the port of the first of the two. */
  isCurrent(_gateway: Gateway, { mapping }: HeldMapping): boolean {
    return mapping.externalPort === this.externalPort
  }

  async find(gateway: Gateway, { mapping }: HeldMapping): Promise<Presence> {
    const externalPort = mapping.externalPort ?? this.externalPort
    const presence = presenceIn(await this.#ask(gateway, { ...this.#key(), externalPort }), mapping)
    const isHarmless = gateway.protocol !== 'igd' && !this.#renewedByRecreation.has(gateway)
    return presence === 'untold' && isHarmless ? 'ask-again' : presence
  }

  async remove(gateway: Gateway, _held: HeldMapping | undefined, onAnswer: () => void): Promise<Removed> {
    if (this.#own !== undefined && (await this.#wanted.isKeptElsewhere?.(this.#own)) === true) {
      this.#own = undefined
      return 'not-own'
    }
    return this.#close(gateway, onAnswer)
  }

  #key(): MappingKey {
    const { protocol, remoteHost } = this.#wanted
    return { externalPort: this.externalPort, protocol, remoteHost }
  }

  #request(gateway: Gateway): MappingRequest {
    const {
      any: _,
      isOwn: __,
      samePortAs: ___,
      isKeptElsewhere: ____,
      isKeptByAnother: _____,
      leftBehind: ______,
      hold: _______,
      internalClient = gateway.localAddress,
      ...rest
    } = this.#wanted
    return { ...rest, internalClient, externalPort: this.externalPort || this.#wanted.externalPort }
  }

  /** Finds a port that nobody else has. @throws NotConfirmedError if somebody has it, and no other port will do */
  async #prepare(gateway: Gateway): Promise<Asked> {
    for (let passedOver = 0; ; passedOver++) {
      const request = this.#request(gateway)
      const inside = request.externalPort === 0 ? undefined : await this.#wanted.hold?.(request)
      if (inside !== undefined) {
        if (!this.#wanted.any || passedOver === MAX_PASSED_OVER) throw heldBy(inside, request, gateway.protocol)
        this.#passOver()
        continue
      }
      const found = await this.#show(gateway, request)
      await this.#adopt(gateway, found, request)
      if (this.#isLeftBehind(found, request)) {
        const closed = await this.#close(gateway).catch(unlessRefused)
        if (closed === 'removed' || closed === 'gone') return { request, wasThere: undefined }
      }
      if (!isMapping(found) || !(await this.#isSomebodyElses(found, request)))
        return { request, wasThere: await this.#theirs(found, request) }
      if (!this.#wanted.any || passedOver === MAX_PASSED_OVER) throw takenBy(found, request, gateway.protocol)
      this.#passOver()
    }
  }

  #passOver(): void {
    const leader = this.#leader
    leader.#externalPort = leader.#externalPort >= LAST_PORT ? FIRST_FREE_PORT : leader.#externalPort + 1
  }

  /** Whether it is our own, from when this computer had another address. Routers cut off long descriptions. */
  #isLeftBehind(found: Shown, request: MappingRequest): boolean {
    if (!isAnothers(found, request)) return false
    return this.#isOwn(found, request) && request.description.startsWith(found.description)
  }

  /** What an earlier run of this user has left behind becomes its own, to be closed. */
  async #adopt(gateway: Gateway, found: Shown, request: MappingRequest): Promise<void> {
    if (this.#own !== undefined || !isAnothers(found, request)) return
    const left = await this.#leftBehind(gateway)
    if (found.internalClient !== left?.internalClient || !leadsToPort(found, left.internalPort)) return
    if (request.description.startsWith(found.description))
      this.#own = { ...request, internalClient: left.internalClient, internalPort: left.internalPort }
  }

  async #leftBehind(gateway: Gateway): Promise<LeftBehind | undefined> {
    if (this.#wanted.internalClient !== undefined) return undefined
    const left = await this.#wanted.leftBehind?.(gateway, this.#key())
    return left !== undefined && (await this.#wanted.isKeptByAnother?.(this.#key())) !== true ? left : undefined
  }

  #isOwn(found: PortMapping, { externalPort }: MappingRequest): boolean {
    const own = this.#own
    if (own?.externalPort !== externalPort) return false
    return found.internalClient === own.internalClient && leadsToPort(found, own.internalPort)
  }

  /** It may lead to another port of the same computer: an IGD overwrites that without a word. */
  async #isSomebodyElses(found: PortMapping, request: MappingRequest): Promise<boolean> {
    if (found.internalClient !== request.internalClient) return true
    if (leadsToPort(found, request.internalPort)) return false
    const isOwn = (await this.#wanted.isOwn?.(request, found.description)) === true
    return !isOwn || (await this.#wanted.isKeptByAnother?.(this.#key())) === true
  }

  /** Exactly this mapping, if somebody else made it: no keeper of this program, and none of this user that was killed. */
  async #theirs(found: Shown, request: MappingRequest): Promise<PortMapping | undefined> {
    if (!isMapping(found) || !leadsToPort(found, request.internalPort) || this.#isOwn(found, request)) return undefined
    return (await this.#wanted.isOwn?.(request, found.description)) === true ? undefined : asInside(found, request)
  }

  /** Some gateways show the name of a computer instead of its address. */
  async #ask(gateway: Gateway, key: MappingKey): Promise<Shown> {
    const found = await gateway.find(key)
    const name = this.#nameOfClient
    const isNamed = isMapping(found) && found.internalClient === name?.shown
    return isNamed ? { ...found, internalClient: name.is } : found
  }

  async #show(gateway: Gateway, key: MappingKey): Promise<Shown> {
    if (key.externalPort === 0) return undefined
    const { externalPort, protocol, remoteHost } = key
    try {
      return await this.#ask(gateway, { externalPort, protocol, remoteHost })
    } catch (error) {
      if (error instanceof RefusedError || error instanceof MalformedMessageError) return 'untold'
      throw error
    }
  }

  /** `any`: another port will do. */
  async #map(
    gateway: Gateway,
    request: MappingRequest,
    any: boolean,
    isRepetition: boolean,
    isOwn = true,
  ): Promise<PortMapping> {
    const before = this.#own
    this.#own = isOwn ? request : undefined
    try {
      const options = { isRepetition, mayBeMade: this.#isUncertain }
      const shown = await (any ? gateway.mapAny(request, options) : gateway.map(request, options))
      this.#isUncertain = false
      this.#nameOfClient = { shown: shown.internalClient, is: request.internalClient }
      const externalPort = shown.externalPort ?? request.externalPort
      // The gateway confirmed what was asked for, however it shows it.
      const internalPort = request.internalPort || externalPort
      const mapping = { ...shown, internalClient: request.internalClient, internalPort }
      if (this.#leader === this) this.#externalPort = externalPort
      if (isOwn) this.#own = { ...request, externalPort }
      return mapping
    } catch (error) {
      const isNothingMade = error instanceof RefusedError || error instanceof InvalidArgumentError
      const isTaken = isPortTaken(error)
      const isClosedAgain = error instanceof NotConfirmedError && error.isClosedAgain
      if (!isNothingMade) this.#isUncertain = !isClosedAgain
      // If another port was given and taken back, a mapping for an earlier address is still open, and must be reported.
      if (isNothingMade || (before !== undefined && isTaken)) this.#own = before
      // PCP and NAT-PMP know a mapping by its inside, which is on another port then: another keeper may hold it.
      const isElsewhere = isTaken && gateway.protocol !== 'igd' && (isNothingMade || isClosedAgain)
      if (isElsewhere && isSameMapping(this.#own, request)) this.#own = undefined
      throw this.#wanted.any && !any ? unlikeLeader(error, request, gateway.protocol) : error
    }
  }

  /**
   * Asks for the same again. For PCP and NAT-PMP a port is a suggestion; an IGD could take "any" for "one more". The
   * second of two takes another port too: the gateway will give that one to the first, which has to be asked for it.
   */
  async #extend(gateway: Gateway, request: MappingRequest, { leaseMs, wasThere }: HeldMapping): Promise<PortMapping> {
    const any = this.#wanted.any && gateway.protocol !== 'igd'
    const isDoubted = this.#doubted.delete(gateway)
    if (this.#renewedByRecreation.has(gateway) && !wasThere) return this.#recreate(gateway, request, any)
    const isExtended = ({ leaseSeconds = 0 }: PortMapping): boolean =>
      leaseSeconds === 0 || leaseMs === Number.POSITIVE_INFINITY || leaseSeconds * 1000 >= leaseMs * LEAST_EXTENDED
    if (!isDoubted) {
      const mapping = await this.#map(gateway, request, any, true, !wasThere)
      if (isExtended(mapping) || wasThere || this.leftForMs !== undefined) return mapping
      if (gateway.protocol === 'pcp') {
        this.#doubted.add(gateway) // it cannot be asked again within 4 s (RFC 6887 11.2.1)
        return mapping
      }
    }
    const recreated = await this.#recreate(gateway, request, any)
    // If not, the gateway gives shorter leases now.
    if (isExtended(recreated)) this.#renewedByRecreation.add(gateway)
    return recreated
  }

  async #recreate(gateway: Gateway, request: MappingRequest, any: boolean): Promise<PortMapping> {
    const isClosed = await hasClosed(gateway.unmap(request))
    const making = this.#map(gateway, request, any, true)
    return isClosed ? madeAgain(making) : making
  }

  async #close(gateway: Gateway, onAnswer: () => void = () => {}): Promise<Removed> {
    const own = this.#own
    if (own === undefined || this.leftForMs !== undefined) return 'not-own'
    this.#mustBeReachable(gateway, own)
    const found = await this.#show(gateway, own)
    onAnswer()
    // The port belongs to another computer by now, or to another program on this one.
    if (isAnothers(found, own) || (isMapping(found) && !leadsToPort(found, own.internalPort))) return 'not-own'
    const unmapping = gateway.unmap(own).then(() => 'removed' as const)
    const removed = await (found === undefined ? unmapping.catch(unlessRefused) : unmapping)
    this.#own = undefined
    return removed ?? 'gone'
  }

  /** PCP and NAT-PMP close a mapping only from its own address; from another one the answer may still be a yes. */
  #mustBeReachable(gateway: Gateway, { internalClient }: MappingRequest): void {
    const isOfThisComputer = this.#wanted.internalClient === undefined
    if (gateway.protocol === 'igd' || !isOfThisComputer || internalClient === gateway.localAddress) return
    const message = `it was opened for ${internalClient}, an earlier address of this computer; it ends with its lease`
    throw new NoGatewayError(message)
  }
}

/** What a gateway shows about a mapping: undefined if there is none, 'untold' if the gateway does not say. */
type Shown = PortMapping | undefined | 'untold'

function isMapping(found: Shown): found is PortMapping {
  return typeof found === 'object'
}

function isSameMapping(own: MappingRequest | undefined, { externalPort, internalClient }: MappingRequest): boolean {
  return own?.externalPort === externalPort && own.internalClient === internalClient
}

function isAnothers(found: Shown, { internalClient }: MappingRequest): found is PortMapping {
  return isMapping(found) && found.internalClient !== internalClient
}

/** Some gateways do not show the internal port, or show 0 (miniupnpd 2.3.0 for every mapping). */
function leadsToPort({ internalPort = 0 }: PortMapping, wanted: number | undefined): boolean {
  return internalPort === 0 || internalPort === wanted
}

function presenceIn(found: Shown, { internalClient, internalPort }: PortMapping): Presence {
  if (found === undefined) return 'gone'
  if (found === 'untold') return 'untold'
  if (found.internalClient !== internalClient) return 'taken'
  return found.enabled && leadsToPort(found, internalPort) ? 'there' : 'gone'
}

/** Some gateways do not show the inside as it was asked for. */
function asInside(
  found: PortMapping,
  { externalPort, internalClient, internalPort }: Pick<PortMapping, 'externalPort' | 'internalClient' | 'internalPort'>,
): PortMapping {
  return { ...found, externalPort, internalClient, internalPort }
}

/** What somebody else has made is asked for with their description. */
function withWordsOf(theirs: PortMapping | undefined, request: MappingRequest): MappingRequest {
  return theirs === undefined ? request : { ...request, description: theirs.description }
}

/** Another keeper of this program has it. The router, which may let the last one win, is not asked. */
export function heldBy(inside: Inside, request: MappingRequest, via: GatewayProtocol): PortTakenError {
  const { lease: _, description: __, ...rest } = request
  const mapping = { ...rest, ...inside, enabled: true, description: '', leaseSeconds: undefined }
  const { externalPort, protocol } = request
  const whose = `port ${inside.internalPort} of ${inside.internalClient}, for another open port of this program`
  const message = `external port ${externalPort} ${protocol} leads to ${whose}`
  const hint = `take ${LIBRARY.anotherPort}, or close that open port first`
  return new PortTakenError(mapping, message, { protocol: via, isKnown: true, hint })
}

function takenBy(found: PortMapping, request: MappingRequest, via: GatewayProtocol): PortTakenError {
  const { externalPort, protocol } = request
  const { internalClient, internalPort } = found
  const whose =
    internalClient === request.internalClient
      ? `port ${internalPort} of ${internalClient}, for another program`
      : `${internalClient}, another computer`
  const message = `external port ${externalPort} ${protocol} leads to ${whose}`
  const action = 'GetSpecificPortMappingEntry'
  const isForThisComputer = internalClient === request.internalClient
  const cause = isForThisComputer
    ? ({ kind: 'port-differs', mapping: found, isForThisComputer } as const)
    : ({ kind: 'port-taken', mapping: found } as const)
  const hint = causeText(cause, { asked: request, error: {} }, LIBRARY)
  return new PortTakenError(found, message, { action, protocol: via, isKnown: true, hint })
}

/** Any port was asked for, and yet there was only one that would do. */
function unlikeLeader(error: unknown, request: MappingRequest, via: GatewayProtocol): unknown {
  const { externalPort, protocol } = request
  if (!(error instanceof NotConfirmedError) || !error.belongsToAnother || error.action === undefined) return error
  const { mapping, action } = error
  if (mapping.externalPort === externalPort || mapping.externalPort === undefined) return error
  const message =
    `external port ${externalPort} ${protocol} cannot be had: the router gives ${mapping.externalPort} for ${protocol}, ` +
    'and not the same port for TCP and UDP; ask for TCP and UDP apart'
  return new PortTakenError(mapping, message, { action, protocol: via })
}

/** Of a mapping that somebody else has made. */
function leaseMsShown({ leaseSeconds = 0 }: PortMapping): number {
  return leaseSeconds === 0 ? Number.POSITIVE_INFINITY : leaseSeconds * 1000
}

/**
 * Some gateways show 0 for every lease (miniupnpd on nftables, miniupnp#466): then the lease that was asked for counts.
 * A lease above the maximum (WANIPConnection:2 2.2.21, ui4) would end at an impossible date.
 */
function leaseMsOf({ leaseSeconds = 0 }: PortMapping, wanted: Pick<MappingRequest, 'lease'>): number {
  const seconds = leaseSeconds === 0 ? leaseToSeconds(wanted.lease) : leaseSeconds
  return seconds === 0 ? Number.POSITIVE_INFINITY : Math.min(seconds, MAX_LEASE_SECONDS) * 1000
}
