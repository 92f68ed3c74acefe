/** What to do where a router does not take the lease that it was asked for. */
import { RefusedError } from '../../domain/errors.js'
import { leaseToSeconds, type MappingRequest } from '../../domain/port-mapping.js'

const INVALID_ARGS = 402
const ONLY_PERMANENT_LEASES_SUPPORTED = 725
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
    const refusedWith = error instanceof RefusedError ? error.number : undefined
    const permanentOnly = refusedWith === ONLY_PERMANENT_LEASES_SUPPORTED || refusedWith === INVALID_ARGS
    if (asked > 0 && permanentOnly) return add(0)
    if (asked === 0 && refusedWith === INVALID_ARGS) return add(FALLBACK_LEASE_SECONDS)
    throw error
  }
}
