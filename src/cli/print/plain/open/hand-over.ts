/** The line that somebody elsewhere types to reach a port that is open: `ssh -p 2222 you@203.0.113.7`. Pure. */
import { hostAndPort } from '../../../../domain/address.js'
import { SERVERS, type Server } from '../../../parse/server-table.js'

export interface OpenPort {
  readonly protocol: string
  readonly internalPort: number
  readonly externalAddress: string
  readonly externalPort: number
}

/** `203.0.113.7:25565`, `[2001:db8::7]:25565` */
export function endpointText({ externalAddress, externalPort }: OpenPort): string {
  return hostAndPort({ address: externalAddress, port: externalPort })
}

/**
 * Undefined if nobody knows what listens there. A server is known by its own port, so by the one inside. `as`: the row
 * that the user chose; it says nothing about a port of the other protocol.
 */
export function handOverLine(open: OpenPort, as?: Server): string | undefined {
  const { externalAddress, externalPort } = open
  const server = as ?? SERVERS.find(({ protocol, ports }) => isOf(open, protocol) && ports.includes(open.internalPort))
  if (server === undefined || !isOf(open, server.protocol)) return undefined
  const isUsual = externalPort === server.ports[0]
  const host = externalAddress.includes(':') ? `[${externalAddress}]` : externalAddress
  const words: Readonly<Record<string, string>> = { HOST: host, ADDRESS: externalAddress, PORT: String(externalPort) }
  return server.line
    .replace(/\(([^()]*)\)/, isUsual ? '' : '$1')
    .replace(/\b(?:HOST|ADDRESS|PORT)\b/g, (word) => words[word] ?? word)
}

/** A port may be open for both, `TCP+UDP`. */
function isOf({ protocol }: OpenPort, wanted: Server['protocol']): boolean {
  return protocol.split('+').includes(wanted)
}
