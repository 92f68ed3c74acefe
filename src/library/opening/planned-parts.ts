/** What a program wants to be open -> the rows of a keeper. */
import { isUnicastIPv6, parseIPv4 } from '../../domain/address.js'
import { InvalidArgumentError } from '../../domain/errors.js'
import {
  DEFAULT_DESCRIPTION,
  flawOf,
  isPort,
  leaseFlawOf,
  PROTOCOL_NUMBERS,
  shownValue,
  type TransportProtocol,
} from '../../domain/port-mapping.js'
import type { WantedPort } from '../keeping/wanted-ports.js'
import type { Where } from '../where.js'
import type { PortOptions } from './port-options.js'

const DEFAULT_LEASE_SECONDS = 7200
/** WANIPv6FirewallControl:1 2.4.3. */
const LONGEST_PINHOLE_SECONDS = 86_400

/** What is wanted in one family: one row, or two for TCP+UDP. */
export interface PlannedPart {
  readonly family: 4 | 6
  readonly isKept: boolean
  readonly where: Where
  readonly wanted: readonly WantedPort[]
}

/** @throws InvalidArgumentError */
export function plannedParts(port: number, options: PortOptions): readonly PlannedPart[] {
  const { family = 4, keep = true, internalClient, remoteHost = '', protocol = 'TCP' } = options
  const { timeoutMs } = options
  if (timeoutMs !== undefined && !(timeoutMs > 0))
    throw new InvalidArgumentError(`timeoutMs: ${timeoutMs} is not a number of milliseconds above 0`)
  if (!isPort(port)) throw new InvalidArgumentError(`port ${shownValue(port)} is not a port from 1 to 65535`)
  if (family === 6 && options.via === 'nat-pmp')
    throw new InvalidArgumentError("via 'nat-pmp' opens no IPv6: leave via out, or take 'igd' or 'pcp'")
  if (family === 'both' && (internalClient !== undefined || remoteHost !== ''))
    throw new InvalidArgumentError(
      "internalClient and remoteHost are IPv4 or IPv6 addresses, so family 'both' takes neither: open each family on its " +
        'own, with family 4 and with family 6',
    )
  const protocols = protocolsOf(protocol)
  const families = family === 'both' ? ([4, 6] as const) : ([family] as const)
  return families.map((each) => {
    const wanted = each === 4 ? mappingsOf(port, protocols, options) : pinholesOf(port, protocols, options)
    return { family: each, isKept: keep, where: options, wanted }
  })
}

function protocolsOf(protocol: TransportProtocol | 'TCP+UDP'): readonly TransportProtocol[] {
  if (protocol === 'TCP+UDP') return ['TCP', 'UDP']
  if (protocol === 'TCP' || protocol === 'UDP') return [protocol]
  throw new InvalidArgumentError(`protocol '${String(protocol)}' is neither TCP, UDP nor TCP+UDP`)
}

function mappingsOf(
  port: number,
  protocols: readonly TransportProtocol[],
  options: PortOptions,
): readonly WantedPort[] {
  const { externalPort = port, internalClient, remoteHost = '', description = DEFAULT_DESCRIPTION } = options
  const { lease: asked = DEFAULT_LEASE_SECONDS } = options
  const any = externalPort === 'any'
  const lease = asked === 'unlimited' ? asked : { seconds: asked }
  return protocols.map((protocol, at) => {
    const external = any ? port : externalPort
    const mapping = { externalPort: external, protocol, remoteHost, internalPort: port, description, lease }
    const client = internalClient === undefined ? {} : { internalClient }
    const flaw = flawOf({ ...mapping, ...client })?.replace(/^external port/, 'externalPort')
    if (flaw !== undefined) throw new InvalidArgumentError(flaw)
    return { kind: 'mapping', mapping: { ...mapping, internalClient, any }, sharesPort: at > 0 }
  })
}

function pinholesOf(
  port: number,
  protocols: readonly TransportProtocol[],
  options: PortOptions,
): readonly WantedPort[] {
  const { externalPort = port, internalClient, remoteHost = '', family, lease = DEFAULT_LEASE_SECONDS } = options
  const seconds = lease === 'unlimited' ? LONGEST_PINHOLE_SECONDS : lease
  const flaw = flawOf({ externalPort: port, protocol: 'TCP', remoteHost: '' }) ?? leaseFlawOf(seconds)
  if (flaw !== undefined) throw new InvalidArgumentError(flaw)
  if (family === 6 && externalPort !== 'any' && externalPort !== port)
    throw new InvalidArgumentError(`a pinhole translates no port: ${port} cannot be ${externalPort} outside`)
  for (const address of [internalClient ?? '', remoteHost])
    if (address !== '' && !isUnicastIPv6(address))
      throw new InvalidArgumentError(
        `'${address}' is not an IPv6 address${parseIPv4(address) === undefined ? '' : ', which a pinhole needs'}`,
      )
  const leaseSeconds = Math.min(seconds, LONGEST_PINHOLE_SECONDS)
  return protocols.map((protocol) => {
    const outside = { remoteHost, remotePort: 0, protocol: PROTOCOL_NUMBERS[protocol] }
    return { kind: 'pinhole', pinhole: { ...outside, internalClient, internalPort: port, leaseSeconds } }
  })
}
