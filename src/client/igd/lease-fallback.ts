/** What to do where a router does not take the lease that it was asked for. */
import { upnpErrorOf } from '../../domain/errors.js'
import { leaseToSeconds, type MappingRequest } from '../../domain/port-mapping.js'
import { UPNP_ERRORS } from '../../domain/upnp-errors.js'

/** For routers that refuse lease 0: most take an hour. */
const FALLBACK_LEASE_SECONDS = 3600

/**
 * A lease that the router does not take is not worth failing for: 725, and 402 to a finite lease (ARRIS), mean
 * permanent ones only; 402 to a permanent one (routers with a maximum) means a finite one.
 */
export async function withLeaseThatIsTaken<T>(
  request: MappingRequest,
  add: (leaseSeconds: number) => Promise<T>,
): Promise<T> {
  const asked = leaseToSeconds(request.lease)
  try {
    return await add(asked)
  } catch (error) {
    const refusedWith = upnpErrorOf(error)
    const isInvalid = refusedWith === UPNP_ERRORS.InvalidArgs
    if (asked > 0 && (isInvalid || refusedWith === UPNP_ERRORS.OnlyPermanentLeasesSupported)) return add(0)
    if (asked === 0 && isInvalid) return add(FALLBACK_LEASE_SECONDS)
    throw error
  }
}
