/**
 * Pinholes of an IPv6 firewall over PCP: a MAP in which the outside is the inside. (RFC 6887 11, 2.2) A pinhole has no
 * number there; it is known by what it leads to, and that is its ID, so that nothing has to be remembered.
 */
import { InvalidArgumentError } from '../../domain/errors.js'
import type { PinholeOpener } from '../../domain/gateway.js'
import {
  type GrantedPinhole,
  type PinholeId,
  type PinholeTarget,
  pinholeIdOf,
  pinholeTargetOf,
  type TimedPinholeRequest,
} from '../../domain/pinhole.js'
import { isPort, PROTOCOL_NUMBERS, transportProtocolOf } from '../../domain/port-mapping.js'
import { filterFor, type MapAsked, type MapGranted } from './pcp-map.js'

export class PcpPinholes implements PinholeOpener {
  readonly #askMap: (asked: MapAsked) => Promise<MapGranted>

  constructor(askMap: (asked: MapAsked) => Promise<MapGranted>) {
    this.#askMap = askMap
  }

  async addPinhole(request: TimedPinholeRequest): Promise<GrantedPinhole> {
    const { remoteHost, remotePort, internalClient, internalPort, protocol: number, leaseSeconds } = request
    const protocol = transportProtocolOf(number)
    if (protocol === undefined || !isPort(internalPort)) {
      throw new InvalidArgumentError('a pinhole over PCP is for TCP or UDP, and for one port from 1 to 65535')
    }
    if (remoteHost === '' && remotePort !== 0) {
      throw new InvalidArgumentError('a pinhole over PCP for one remote port needs a remote host too')
    }
    const target = { protocol, internalClient, internalPort } as const
    const options = remoteHost === '' ? [] : [filterFor(remoteHost, remotePort)]
    const { lifetimeSeconds } = await this.#askMap({ ...askedFor(target, leaseSeconds), options })
    return { id: pinholeIdOf(target), leaseSeconds: lifetimeSeconds }
  }

  /** The filters of the pinhole stay as they are (RFC 6887 13.3). */
  async updatePinhole(id: PinholeId, leaseSeconds: number): Promise<GrantedPinhole> {
    const { lifetimeSeconds } = await this.#askMap(askedFor(targetOf(id), leaseSeconds))
    return { id, leaseSeconds: lifetimeSeconds }
  }

  async deletePinhole(id: PinholeId): Promise<void> {
    await this.#askMap(askedFor(targetOf(id), 0))
  }
}

function askedFor({ protocol, internalClient, internalPort }: PinholeTarget, lifetimeSeconds: number): MapAsked {
  return {
    protocol: PROTOCOL_NUMBERS[protocol],
    internalAddress: internalClient,
    internalPort,
    suggestedExternalPort: internalPort,
    suggestedExternalAddress: internalClient,
    lifetimeSeconds,
    options: [],
  }
}

function targetOf(id: PinholeId): PinholeTarget {
  const target = pinholeTargetOf(String(id))
  if (target !== undefined) return target
  throw new InvalidArgumentError(`'${id}' is not a pinhole of PCP; those are known as TCP:[2001:db8::5]:8022`)
}
