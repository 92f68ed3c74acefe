/** Opens TCP connections for HTTP. */
import { connect, Socket } from 'node:net'
import { splitZone } from '../../domain/address.js'
import { interfaceAddresses, isIPv6Interface, zoneMeantBy } from '../interfaces.js'
import { type HttpRequest, hostOf } from './client.js'
import { bindingTo } from './local-address.js'

/** The connection is never half open, and what is written leaves at once. */
export function connectTo(request: Pick<HttpRequest, 'url' | 'zone' | 'localAddress' | 'isBackground'>): Socket {
  const { url, localAddress = '', isBackground = false } = request
  const zone = zoneMeantBy(request.zone ?? '')
  const host = hostOf({ url, zone })
  if (splitZone(host).zone !== '' && !isZoneHere(zone)) return refused()
  const port = url.port === '' ? 80 : Number(url.port)
  const socket = connect({ host, port, noDelay: true, ...bindingTo(localAddress, host) })
  return isBackground ? socket.unref() : socket
}

function isZoneHere(zone: string): boolean {
  return interfaceAddresses().some((own) => isIPv6Interface(own) && own.zone === zone)
}

/** Fails as Node 20 does for a zone that does not exist. Later versions drop the zone and ask another interface. */
function refused(): Socket {
  return new Socket().destroy(Object.assign(new Error('no such interface'), { code: 'EINVAL' }))
}
