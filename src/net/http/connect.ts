/** Opens TCP connections for HTTP. */
import { connect, Socket } from 'node:net'
import { isIPv6Host, parseIPv4, samePrefixIPv6, splitZone } from '../../domain/address.js'
import { interfaceAddresses, isIPv6Interface, zoneMeantBy } from '../interfaces.js'
import { type HttpRequest, hostOf } from './client.js'

/** The connection is never half open, and what is written leaves at once. */
export function connectTo(request: Pick<HttpRequest, 'url' | 'zone' | 'localAddress'>): Socket {
  const { url, localAddress = '' } = request
  const zone = zoneMeantBy(request.zone ?? '')
  const host = hostOf({ url, zone })
  if (splitZone(host).zone !== '' && !isZoneHere(zone)) return refused()
  const port = url.port === '' ? 80 : Number(url.port)
  const from = canLeadTo(host, localAddress) ? { localAddress } : {}
  return connect({ host, port, noDelay: true, ...from })
}

function isZoneHere(zone: string): boolean {
  return interfaceAddresses().some((own) => isIPv6Interface(own) && own.zone === zone)
}

/** Fails as Node 20 does for a zone that does not exist. Later versions drop the zone and ask another interface. */
function refused(): Socket {
  return new Socket().destroy(Object.assign(new Error('no such interface'), { code: 'EINVAL' }))
}

/** Only this computer's own address can be bound, for a host of the same family. A name's family is not known yet. */
function canLeadTo(host: string, localAddress: string): boolean {
  if (parseIPv4(localAddress) !== undefined) return parseIPv4(host) !== undefined && isOwn(localAddress)
  return isIPv6Host(localAddress) && isIPv6Host(host) && isOwn(localAddress)
}

function isOwn(address: string): boolean {
  return interfaceAddresses().some((own) => own.address === address || samePrefixIPv6(own.address, address, 128))
}
