/** The options that say how to search: -6 -m -z -t -p. */
import { SSDP_PORT } from '../../domain/ports.js'
import { textOption } from './option-values.js'
import { integerWithin, UsageError } from './words.js'

export interface SearchOptions {
  /** -6: over IPv6, for pinholes. */
  readonly family: 4 | 6
  /** -m: the interface, by its name or one of its addresses. */
  readonly interface: string | undefined
  /** -z: the port to search from; 0 for any. */
  readonly localPort: number
  /** -t: the time to live of searches. */
  readonly ttl: number | undefined
  /** -p: the socket of MiniSSDPd; empty for none, undefined for the usual one. */
  readonly minissdpdPath: string | undefined
}

/** As in upnpc, 1 means port 1900, and other ports below 1024 are not allowed. */
function localPortOf(word: string): number {
  const port = /^\d{1,5}$/.test(word) ? Number(word) : Number.NaN
  if (port === 1) return SSDP_PORT
  if (port === 0 || (port >= 1024 && port <= 65535)) return port
  throw new UsageError(`Invalid localport '${word}': -z takes 0 for any, 1 for 1900, or a number from 1024 to 65535`)
}

/** Options as commander gives them. @throws UsageError */
export function searchOptionsOf(options: Record<string, unknown>): SearchOptions {
  const [multicast, port, ttl] = [options.interface, options.localPort, options.ttl].map(textOption)
  if (multicast === '') throw new UsageError('-m takes the name or an address of an interface of this computer')
  return {
    family: options.ipv6 === true ? 6 : 4,
    interface: multicast,
    localPort: port === undefined ? 0 : localPortOf(port),
    ttl: ttl === undefined ? undefined : integerWithin('-t', 'time to live', ttl, 0, 255),
    // MiniSSDPd listens on every interface, so -m leaves it out.
    minissdpdPath: textOption(options.minissdpd) ?? (multicast === undefined ? undefined : ''),
  }
}
