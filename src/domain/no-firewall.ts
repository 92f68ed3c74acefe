/** Stands in for the IPv6 firewall of a gateway that has none: every request fails with a TransportError. */
import { TransportError } from './errors.js'
import type { PinholeFirewall } from './gateway.js'

function missing(action: string): Promise<never> {
  const message = `${action}: the gateway has no IPv6 firewall that can be asked (WANIPv6FirewallControl)`
  return Promise.reject(new TransportError(message, { action }))
}

export const NO_FIREWALL: PinholeFirewall = {
  status: () => missing('GetFirewallStatus'),
  addPinhole: () => missing('AddPinhole'),
  updatePinhole: () => missing('UpdatePinhole'),
  deletePinhole: () => missing('DeletePinhole'),
  isPinholeWorking: () => missing('CheckPinholeWorking'),
  pinholePackets: () => missing('GetPinholePackets'),
  outboundPinholeTimeout: () => missing('GetOutboundPinholeTimeout'),
}
