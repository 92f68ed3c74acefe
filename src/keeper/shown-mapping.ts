/** What a gateway shows of a mapping. */
import { NotConfirmedError, RefusedError } from '../domain/errors.js'
import { leaseToSeconds, MAX_LEASE_SECONDS, type MappingRequest, type PortMapping } from '../domain/port-mapping.js'

/** Undefined for none, 'untold' where it does not say. */
export type Shown = PortMapping | undefined | 'untold'

export function isMapping(found: Shown): found is PortMapping {
  return typeof found === 'object'
}

export function isAnothers(found: Shown, { internalClient }: MappingRequest): found is PortMapping {
  return isMapping(found) && found.internalClient !== internalClient
}

/** Some do not show the port, or show 0 (miniupnpd 2.3.0 for any). */
export function leadsToPort({ internalPort = 0 }: PortMapping, wanted: number | undefined): boolean {
  return internalPort === 0 || internalPort === wanted
}

export function takenBy(found: PortMapping, { externalPort, protocol }: MappingRequest): NotConfirmedError {
  const message = `external port ${externalPort} ${protocol} leads to ${found.internalClient}, another computer`
  return new NotConfirmedError(found, message, { action: 'GetSpecificPortMappingEntry', belongsToAnother: true })
}

/** For what may well not be there any more. */
export function unlessRefused(error: unknown): undefined {
  if (!(error instanceof RefusedError)) throw error
}

/**
 * Some show 0 for every lease (miniupnpd on nftables, miniupnp#466): what was asked for may be over then. More than
 * there can be (WANIPConnection:2 2.2.21, ui4) would have an end that is no date.
 */
export function leaseMsOf({ leaseSeconds = 0 }: PortMapping, wanted: Pick<MappingRequest, 'lease'>): number {
  const seconds = leaseSeconds === 0 ? leaseToSeconds(wanted.lease) : leaseSeconds
  return seconds === 0 ? Number.POSITIVE_INFINITY : Math.min(seconds, MAX_LEASE_SECONDS) * 1000
}
