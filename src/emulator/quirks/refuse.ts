/** The quirk `refuse`: the gateway refuses one action or opcode, always or a given number of times. */
import { InvalidArgumentError } from '../../domain/errors.js'
import type { Quirk } from '../../domain/quirk.js'
import { IGD_ACTIONS, isIgdActionName } from '../../wire/igd-actions.js'
import type { NatPmpOperation } from '../port-control/natpmp-responder.js'
import type { PcpOperation } from '../port-control/pcp-responder.js'
import type { Hooks } from './hooks.js'

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

/** @throws InvalidArgumentError */
export function refuse({ operation, code, times }: Extract<Quirk, { name: 'refuse' }>): Hooks {
  const largest = largestCodeOf(operation)
  if (largest === undefined) {
    const known = [...Object.keys(IGD_ACTIONS), ...Object.keys(LARGEST_CODES)].join(', ')
    throw new InvalidArgumentError(`refuse: unknown operation '${operation}'; the known ones are ${known}`)
  }
  if (!Number.isInteger(code) || code < 1 || code > largest)
    throw new InvalidArgumentError(`refuse: a code for ${operation} must be 1 to ${largest}: ${code}`)
  let left = times ?? Number.POSITIVE_INFINITY
  if (!(left >= 1)) throw new InvalidArgumentError(`refuse: the number of times must be 1 or more: ${times}`)
  return {
    refusalOf(asked) {
      if (asked !== operation || left < 1) return undefined
      left--
      return code
    },
  }
}

function largestCodeOf(operation: string): number | undefined {
  if (isIgdActionName(operation)) return LARGEST_UPNP_ERROR
  return new Map(Object.entries(LARGEST_CODES)).get(operation)
}
