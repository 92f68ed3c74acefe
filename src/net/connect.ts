/** TCP connections for HTTP. */
import { connect, type Socket } from 'node:net'
import { isIPv6, parseIPv4, samePrefixIPv6, splitZone } from '../domain/address.js'
import { type HttpRequest, hostOf } from './http-client.js'
import { interfaceAddresses, zoneMeantBy } from './interfaces.js'

/** No half-open state, no delay: what is written leaves at once. */
export function connectTo(request: Pick<HttpRequest, 'url' | 'zone' | 'localAddress'>): Socket {
  const { url, zone = '', localAddress = '' } = request
  const host = hostOf({ url, zone: zoneMeantBy(zone) })
  const port = url.port === '' ? 80 : Number(url.port)
  const from = canLeadTo(host, localAddress) ? { localAddress } : {}
  return connect({ host, port, noDelay: true, ...from })
}

/** Only an address of this computer can be bound to, and it leads to its own family; of a name that is not known yet. */
function canLeadTo(host: string, localAddress: string): boolean {
  if (parseIPv4(localAddress) !== undefined) return parseIPv4(host) !== undefined && isOwn(localAddress)
  return isIPv6(splitZone(localAddress).address) && isIPv6(splitZone(host).address) && isOwn(localAddress)
}

function isOwn(address: string): boolean {
  return interfaceAddresses().some((own) => own.address === address || samePrefixIPv6(own.address, address, 128))
}
