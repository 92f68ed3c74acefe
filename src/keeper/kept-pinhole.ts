/**
 * A pinhole in an IPv6 firewall that is kept, over WANIPv6FirewallControl:1 of an IGD or over PCP. An IGD that is asked
 * for the same pinhole again extends the lease under the same ID (WANIPv6FirewallControl:1 2.4.3). After a restart the
 * ID may belong to another pinhole. Over PCP a pinhole is closed before it is asked for again: miniupnpd 2.3.1 loses
 * the nonce of a pinhole that is renewed, and then nobody can close it.
 */
import { InvalidArgumentError, NoGatewayError, PortMappingError, RefusedError } from '../domain/errors.js'
import type { Gateway, PinholeOpener } from '../domain/gateway.js'
import { type PinholeId, pinholeIdOf, type TimedPinholeRequest } from '../domain/pinhole.js'
import { transportProtocolOf } from '../domain/port-mapping.js'
import { UPNP_ERRORS } from '../domain/upnp-errors.js'
import { type Held, hasClosed, type Kept, type LossReason, LostInRenewal, type Presence, type Removed } from './kept.js'
import type { HeldMapping } from './kept-mapping.js'

export interface HeldPinhole extends Held {
  readonly pinhole: TimedPinholeRequest
  readonly id: PinholeId
}

/** What to ask for. Without an internal client it is for this computer, whatever its address is at the time. */
export interface WantedPinhole extends Omit<TimedPinholeRequest, 'internalClient'> {
  readonly internalClient?: string | undefined
}

/** What other keepers of this program do. */
export interface OtherPinholes {
  readonly hold?: (pinhole: TimedPinholeRequest) => Promise<unknown> | undefined
  /** Asked at the end: whether another one has the same open, which is left to that one. */
  readonly isKeptElsewhere?: (pinhole: TimedPinholeRequest) => Promise<boolean>
}

/** miniupnpd 2.3.1 answers InvalidArgs for an ID that it does not have. */
const GONE: ReadonlySet<number> = new Set([UPNP_ERRORS.NoSuchEntry, UPNP_ERRORS.InvalidArgs])

export class KeptPinhole implements Kept<HeldPinhole> {
  readonly name: string
  readonly #wanted: WantedPinhole
  readonly #localAddress: (gateway: Gateway) => string
  readonly #others: OtherPinholes
  /** What it has made, or may have made: a request without an answer counts. */
  #own: TimedPinholeRequest | undefined

  /** `localAddress` returns the address of this computer that the internet can reach. */
  constructor(wanted: WantedPinhole, localAddress: (gateway: Gateway) => string, others: OtherPinholes = {}) {
    this.#wanted = wanted
    this.#others = others
    this.#localAddress = localAddress
    const { protocol, internalPort, internalClient } = wanted
    const client = internalClient === undefined ? '' : ` of ${internalClient}`
    this.name = `pinhole for port ${internalPort || '(any)'} ${transportProtocolOf(protocol) ?? protocol}${client}`
  }

  get hasMade(): boolean {
    return this.#own !== undefined
  }

  async make(gateway: Gateway, isRepetition: boolean): Promise<HeldPinhole> {
    const opener = openerOf(gateway)
    const pinhole = this.#request(gateway)
    await this.#others.hold?.(pinhole)
    const isClosed = await this.#closeOld(gateway, pinhole)
    const before = isClosed ? undefined : this.#own
    this.#own = pinhole
    try {
      const { id, leaseSeconds } = await opener.addPinhole(pinhole, { isRepetition })
      return { pinhole, id, leaseMs: leaseSeconds * 1000 }
    } catch (error) {
      if (error instanceof RefusedError || error instanceof InvalidArgumentError) this.#own = before
      throw isClosed && error instanceof PortMappingError ? new LostInRenewal(error) : error
    }
  }

  /** An IGD that is asked for a pinhole does not tell whether it had it, so that is asked before. */
  async renew(gateway: Gateway, held: HeldPinhole, onLost: (reason: LossReason) => void): Promise<HeldPinhole> {
    const presence = await this.find(gateway, held).catch((error: unknown) => {
      if (!(error instanceof PortMappingError)) throw error // the request that follows meets the same
    })
    if (presence === 'gone') onLost('gone')
    return this.make(gateway, true)
  }

  isCurrent(gateway: Gateway, { pinhole }: HeldPinhole): boolean {
    return pinhole.internalClient === this.#request(gateway).internalClient
  }

  async find(gateway: Gateway, { id }: HeldPinhole): Promise<Presence> {
    if (gateway.protocol !== 'igd' || gateway.firewall === undefined) return 'untold'
    try {
      await gateway.firewall.isPinholeWorking(id)
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error
      if (GONE.has(error.number)) return 'gone'
    }
    // A pinhole has that ID, even if there was no traffic (709); after a restart it may be another's.
    return 'untold'
  }

  async remove(gateway: Gateway, _held: HeldPinhole | undefined, onAnswer: () => void): Promise<Removed> {
    const own = this.#own
    if (own === undefined) return 'not-own'
    const isLeft = (await this.#others.isKeptElsewhere?.(own)) === true
    if (!isLeft) await close(gateway, own, onAnswer)
    this.#own = undefined
    return isLeft ? 'not-own' : 'removed'
  }

  #request(gateway: Gateway): TimedPinholeRequest {
    const { internalClient = this.#localAddress(gateway), ...rest } = this.#wanted
    return { ...rest, internalClient }
  }

  /** Closes what was there: over PCP always, otherwise if the address changed. Says whether. @throws LostInRenewal */
  async #closeOld(gateway: Gateway, pinhole: TimedPinholeRequest): Promise<boolean> {
    const isOther = this.#own !== undefined && this.#own.internalClient !== pinhole.internalClient
    if (isOther) await this.#closeOther(gateway)
    // Even before the first request: a killed keeper may have left one behind.
    const isClosed = gateway.protocol !== 'igd' && (await hasClosed(close(gateway, pinhole)))
    return isClosed || isOther
  }

  /** Closes the pinhole for the address that this computer had before. */
  async #closeOther(gateway: Gateway): Promise<void> {
    if (this.#own === undefined) return
    await close(gateway, this.#own).catch((error: unknown) => {
      if (!(error instanceof PortMappingError)) throw error // it can be closed from that address only
    })
    this.#own = undefined
  }
}

async function close(gateway: Gateway, pinhole: TimedPinholeRequest, onAnswer = (): void => {}): Promise<void> {
  const opener = openerOf(gateway)
  if (gateway.protocol === 'igd') {
    // Its ID may have changed. Asking for the pinhole again returns the ID under which it can be removed.
    const { id } = await opener.addPinhole(pinhole)
    onAnswer()
    await opener.deletePinhole(id)
    return
  }
  // A PCP ID says what the pinhole leads to, so it cannot belong to another one.
  const { internalClient, internalPort } = pinhole
  const protocol = transportProtocolOf(pinhole.protocol)
  if (protocol === undefined || internalPort === 0) return // PCP has no such pinhole; asking for one reports why
  await opener.deletePinhole(pinholeIdOf({ protocol, internalClient, internalPort }))
}

function openerOf(gateway: Gateway): PinholeOpener {
  const opener = gateway.protocol === 'igd' ? gateway.firewall : gateway.pinholes
  if (opener !== undefined) return opener
  throw new NoGatewayError(
    'the gateway has no IPv6 firewall that can be asked (WANIPv6FirewallControl, or PCP over IPv6)',
  )
}

/** What is kept: a port mapping or a pinhole. */
export type HeldEither = HeldMapping | HeldPinhole
export type KeptEither = Kept<HeldEither>
