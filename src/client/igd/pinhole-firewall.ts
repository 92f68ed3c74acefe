/** The service WANIPv6FirewallControl:1 of a gateway as a PinholeFirewall. (WANIPv6FirewallControl:1 2.4) */
import { isGlobalIPv6, isLinkLocalIPv6, isUnicastIPv6 } from '../../domain/address.js'
import { PortMappingError, upnpErrorOf } from '../../domain/errors.js'
import type { PinholeFirewall } from '../../domain/gateway.js'
import {
  type FirewallStatus,
  type GrantedPinhole,
  type PinholeId,
  type PinholeRequest,
  refuseFlawedLease,
  type TimedPinholeRequest,
} from '../../domain/pinhole.js'
import { UPNP_ERRORS } from '../../domain/upnp-errors.js'
import { interfaceAddresses } from '../../net/interfaces.js'
import type { IgdActionName, InArguments } from '../../wire/igd-actions.js'
import type { SoapArguments } from '../../wire/soap.js'
import type { ControlledService } from './services.js'
import { boolean, number, type SoapCaller } from './soap-caller.js'

export class IgdPinholeFirewall implements PinholeFirewall {
  readonly #caller: SoapCaller
  readonly #service: ControlledService
  readonly #ownAddresses: () => readonly string[]

  constructor(caller: SoapCaller, service: ControlledService, ownAddresses = globalAddresses) {
    this.#caller = caller
    this.#service = service
    this.#ownAddresses = ownAddresses
  }

  async status(): Promise<FirewallStatus> {
    const action = 'GetFirewallStatus'
    const reply = await this.#call(action, {})
    return {
      firewallEnabled: boolean(reply, action, 'FirewallEnabled'),
      inboundPinholeAllowed: boolean(reply, action, 'InboundPinholeAllowed'),
    }
  }

  /** Asks from the address that the pinhole is for, because gateways refuse others (606). */
  async addPinhole(request: TimedPinholeRequest): Promise<GrantedPinhole> {
    const { leaseSeconds, internalClient } = request
    refuseFlawedLease(leaseSeconds)
    const values = { ...pinholeArguments(request), LeaseTime: String(leaseSeconds) }
    const isOurs = isUnicastIPv6(internalClient) && !isLinkLocalIPv6(internalClient)
    const reply = await this.#call('AddPinhole', values, isOurs ? internalClient : undefined)
    return { id: number(reply, 'AddPinhole', 'UniqueID'), leaseSeconds }
  }

  async updatePinhole(id: PinholeId, leaseSeconds: number): Promise<GrantedPinhole> {
    refuseFlawedLease(leaseSeconds)
    await this.#callAsOwner('UpdatePinhole', { UniqueID: String(id), NewLeaseTime: String(leaseSeconds) })
    return { id, leaseSeconds }
  }

  async deletePinhole(id: PinholeId): Promise<void> {
    await this.#callAsOwner('DeletePinhole', { UniqueID: String(id) })
  }

  async isPinholeWorking(id: PinholeId): Promise<boolean> {
    const action = 'CheckPinholeWorking'
    return boolean(await this.#callAsOwner(action, { UniqueID: String(id) }), action, 'IsWorking')
  }

  async pinholePackets(id: PinholeId): Promise<number> {
    const action = 'GetPinholePackets'
    return number(await this.#callAsOwner(action, { UniqueID: String(id) }), action, 'PinholePackets')
  }

  async outboundPinholeTimeout(request: PinholeRequest): Promise<number> {
    const action = 'GetOutboundPinholeTimeout'
    return number(await this.#call(action, pinholeArguments(request)), action, 'OutboundPinholeTimeout')
  }

  /** miniupnpd obeys only the address that the pinhole is for (606 to others). We do not know which of ours it is. */
  async #callAsOwner<A extends IgdActionName>(action: A, values: InArguments<A>): Promise<SoapArguments> {
    try {
      return await this.#call(action, values)
    } catch (error) {
      // Only over IPv6 can we ask from another IPv6 address.
      const isAskedOverIPv6 = this.#caller.controlUrl(this.#service).startsWith('http://[')
      if (upnpErrorOf(error) !== UPNP_ERRORS.ActionNotAuthorized || !isAskedOverIPv6) throw error
      for (const address of this.#ownAddresses()) {
        const reply = await this.#call(action, values, address).catch((again: unknown) => {
          if (!(again instanceof PortMappingError)) throw again // this address is not the one
        })
        if (reply !== undefined) return reply
      }
      throw error
    }
  }

  #call<A extends IgdActionName>(action: A, values: InArguments<A>, localAddress?: string): Promise<SoapArguments> {
    return this.#caller.call(this.#service, action, values, { localAddress })
  }
}

/** If this computer has more addresses, the first ones are tried. */
const MAX_OWN_ADDRESSES = 8

function globalAddresses(): string[] {
  const addresses = interfaceAddresses().map(({ address }) => address)
  return addresses.filter(isGlobalIPv6).slice(0, MAX_OWN_ADDRESSES)
}

function pinholeArguments(request: PinholeRequest): InArguments<'GetOutboundPinholeTimeout'> {
  return {
    RemoteHost: request.remoteHost,
    RemotePort: String(request.remotePort),
    Protocol: String(request.protocol),
    InternalPort: String(request.internalPort),
    InternalClient: request.internalClient,
  }
}
