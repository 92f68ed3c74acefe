/**
 * A pinhole in an IPv6 firewall that is kept: WANIPv6FirewallControl:1 of an IGD, or PCP. To ask for the same again gives
 * it a new lease under the same ID (WANIPv6FirewallControl:1 2.4.3); after a restart the ID may be another one's.
 */
import { NoGatewayError, PortMappingError, RefusedError } from '../domain/errors.js'
import type { Gateway, IgdGateway, PinholeFirewall, PinholeOpener, PortControlGateway } from '../domain/gateway.js'
import type { PinholeId, TimedPinholeRequest } from '../domain/pinhole.js'
import type { Held, Kept, Presence } from './kept.js'

export interface HeldPinhole extends Held {
  readonly pinhole: TimedPinholeRequest
  readonly id: PinholeId
}

/** What is asked for; without an internal client it is for this computer, whatever its address is at the time. */
export interface WantedPinhole extends Omit<TimedPinholeRequest, 'internalClient'> {
  readonly internalClient?: string | undefined
}

const NO_SUCH_ENTRY = 704
/** miniupnpd 2.3.1 says that of an ID that it does not have. */
const INVALID_ARGS = 402
const PROTOCOL_NAMES: ReadonlyMap<number, string> = new Map([
  [6, 'TCP'],
  [17, 'UDP'],
])

export class KeptPinhole implements Kept<HeldPinhole> {
  readonly name: string
  readonly #wanted: WantedPinhole
  readonly #localAddress: (gateway: Gateway) => string
  /** What it has made, or may have made: a request without an answer counts. */
  #own: TimedPinholeRequest | undefined

  /** `localAddress`: the address of this computer that the internet can reach. */
  constructor(wanted: WantedPinhole, localAddress: (gateway: Gateway) => string) {
    this.#wanted = wanted
    this.#localAddress = localAddress
    const { protocol, internalPort, internalClient } = wanted
    const client = internalClient === undefined ? '' : ` of ${internalClient}`
    this.name = `pinhole for port ${internalPort || '(any)'} ${PROTOCOL_NAMES.get(protocol) ?? protocol}${client}`
  }

  async make(gateway: Gateway): Promise<HeldPinhole> {
    const opener = openerOf(gateway)
    const pinhole = this.#request(gateway)
    await this.#closeOther(opener, pinhole)
    const before = this.#own
    this.#own = pinhole
    try {
      const id = await opener.addPinhole(pinhole)
      return { pinhole, id, leaseMs: pinhole.leaseSeconds * 1000 }
    } catch (error) {
      if (error instanceof RefusedError) this.#own = before
      throw error
    }
  }

  renew(gateway: Gateway): Promise<HeldPinhole> {
    return this.make(gateway)
  }

  isCurrent(gateway: Gateway, { pinhole }: HeldPinhole): boolean {
    return pinhole.internalClient === this.#request(gateway).internalClient
  }

  async find(gateway: Gateway, { id }: HeldPinhole): Promise<Presence> {
    const firewall = firewallOf(gateway)
    if (firewall === undefined) return 'untold'
    try {
      await firewall.isPinholeWorking(id)
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error
      if (error.number === NO_SUCH_ENTRY || error.number === INVALID_ARGS) return 'gone'
    }
    return 'there' // without traffic (709) too
  }

  async remove(gateway: Gateway, held: HeldPinhole | undefined): Promise<boolean> {
    if (this.#own === undefined) return false
    // The ID of PCP is the pinhole itself: it can be no other's.
    if (held !== undefined && gateway.protocol !== 'igd') await openerOf(gateway).deletePinhole(held.id)
    else await close(openerOf(gateway), this.#own)
    this.#own = undefined
    return true
  }

  #request(gateway: Gateway): TimedPinholeRequest {
    const { internalClient = this.#localAddress(gateway), ...rest } = this.#wanted
    return { ...rest, internalClient }
  }

  /** The one for the address that this computer had before. */
  async #closeOther(opener: PinholeOpener, pinhole: TimedPinholeRequest): Promise<void> {
    if (this.#own === undefined || this.#own.internalClient === pinhole.internalClient) return
    await close(opener, this.#own).catch((error: unknown) => {
      if (!(error instanceof PortMappingError)) throw error // it can be asked for from that address only
    })
    this.#own = undefined
  }
}

/** Whatever is known by its ID now: asked for again, it tells the ID under which it can be removed. */
async function close(opener: PinholeOpener, pinhole: TimedPinholeRequest): Promise<void> {
  await opener.deletePinhole(await opener.addPinhole(pinhole))
}

function openerOf(gateway: Gateway): PinholeOpener {
  const opener = firewallOf(gateway) ?? (isPortControl(gateway) ? gateway.pinholes : undefined)
  if (opener !== undefined) return opener
  throw new NoGatewayError(
    'the gateway has no IPv6 firewall that can be asked (WANIPv6FirewallControl, or PCP over IPv6)',
  )
}

function firewallOf(gateway: Gateway): PinholeFirewall | undefined {
  return isIgd(gateway) ? gateway.firewall : undefined
}

function isIgd(gateway: Gateway): gateway is IgdGateway {
  return gateway.protocol === 'igd' && 'firewall' in gateway
}

function isPortControl(gateway: Gateway): gateway is PortControlGateway {
  return gateway.protocol !== 'igd' && 'pinholes' in gateway
}
