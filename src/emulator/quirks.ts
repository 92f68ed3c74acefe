/** Quirks: how the emulated gateway misbehaves, as real routers do. No other file in the emulator knows their names. */
import { InvalidArgumentError } from '../domain/errors.js'
import type { Quirk } from '../domain/quirk.js'
import { IGD_ACTIONS, type IgdActionName, isIgdActionName } from '../wire/igd-actions.js'
import { IGD2, type IgdOffer } from './igd/descriptions.js'
import type { NatPmpOperation } from './port-control/natpmp-responder.js'
import type { PcpOperation } from './port-control/pcp-responder.js'

/** What a quirk can change about the gateway. */
export interface Behaviour {
  readonly offer: IgdOffer
  /** How long the gateway waits before it answers a search. */
  readonly searchDelayMs: number
  /** Called once before each operation. Returns the code to refuse it with, or undefined to carry it out. */
  readonly refusalOf: (operation: IgdActionName | PcpOperation | NatPmpOperation) => number | undefined
}

/** Search delays add up. Refusals of one operation are used up one after the other. @throws InvalidArgumentError */
export function behaviourOf(quirks: readonly Quirk[]): Behaviour {
  return quirks.reduce(withQuirk, { offer: IGD2, searchDelayMs: 0, refusalOf: () => undefined })
}

function withQuirk(behaviour: Behaviour, quirk: Quirk): Behaviour {
  switch (quirk.name) {
    case 'igd1':
      return { ...behaviour, offer: igd1(behaviour.offer) }
    case 'late-search':
      return { ...behaviour, searchDelayMs: behaviour.searchDelayMs + delayOf(quirk) }
    case 'refuse': {
      const refusalOf = refuse(quirk)
      return { ...behaviour, refusalOf: (operation) => behaviour.refusalOf(operation) ?? refusalOf(operation) }
    }
  }
}

const ONLY_IN_VERSION_2: ReadonlySet<IgdActionName> = new Set([
  'AddAnyPortMapping',
  'DeletePortMappingRange',
  'GetListOfPortMappings',
])

/**
 * `igd1`: an InternetGatewayDevice:1 with WANIPConnection:1. It lacks what came with version 2: AddAnyPortMapping,
 * DeletePortMappingRange, GetListOfPortMappings and the IPv6 firewall. A lease of 0 never ends (WANIPConnection:1,
 * PortMappingLeaseDuration). aMule, nat-upnp, Net::UPnP and goupnp's clients for version 1 work with no other gateway.
 */
function igd1({ services }: IgdOffer): IgdOffer {
  return {
    deviceVersion: 1,
    longestLeaseSeconds: Number.POSITIVE_INFINITY,
    services: services
      .filter(({ name }) => name !== 'WANIPv6FirewallControl')
      .map(({ serviceTypes: [newest, ...older], actions, ...service }) => ({
        ...service,
        serviceTypes: [older.at(-1) ?? newest],
        actions: actions.filter((action) => !ONLY_IN_VERSION_2.has(action)),
      })),
  }
}

/** Longer than any client listens. This and the limit of searches per second bound how many answers can wait. */
const MAX_SEARCH_DELAY_MS = 60_000

/** `late-search`: a router may wait as many seconds as the MX header of the search allows (UDA 1.1 1.3.3). */
function delayOf({ delayMs }: Extract<Quirk, { name: 'late-search' }>): number {
  if (!(delayMs >= 0 && delayMs <= MAX_SEARCH_DELAY_MS))
    throw new InvalidArgumentError(`late-search: the delay must be 0 to ${MAX_SEARCH_DELAY_MS} ms: ${delayMs}`)
  return delayMs
}

/** The largest code that fits in the response (RFC 6887 7.2, RFC 6886 3.5). */
const LARGEST_CODES: Readonly<Record<PcpOperation | NatPmpOperation, number>> = {
  MAP: 0xff,
  ANNOUNCE: 0xff,
  'external-address': 0xffff,
  'map-udp': 0xffff,
  'map-tcp': 0xffff,
}
/** The last number of the last range in UDA 1.1 table 3-3. */
const LARGEST_UPNP_ERROR = 899

/** `refuse`: the gateway refuses one action or opcode, always or a given number of times. */
function refuse({ operation, code, times }: Extract<Quirk, { name: 'refuse' }>): Behaviour['refusalOf'] {
  const largest = isIgdActionName(operation)
    ? LARGEST_UPNP_ERROR
    : new Map(Object.entries(LARGEST_CODES)).get(operation)
  if (largest === undefined) {
    const known = [...Object.keys(IGD_ACTIONS), ...Object.keys(LARGEST_CODES)].join(', ')
    throw new InvalidArgumentError(`refuse: unknown operation '${operation}'; the known ones are ${known}`)
  }
  if (!Number.isInteger(code) || code < 1 || code > largest)
    throw new InvalidArgumentError(`refuse: a code for ${operation} must be 1 to ${largest}: ${code}`)
  let left = times ?? Number.POSITIVE_INFINITY
  if (!(left >= 1)) throw new InvalidArgumentError(`refuse: the number of times must be 1 or more: ${times}`)
  return (asked) => {
    if (asked !== operation || left < 1) return undefined
    left--
    return code
  }
}
