/** What a gateway shows of a mapping, and what it says where a port is taken. */
import { NotConfirmedError, RefusedError } from '../domain/errors.js'
import type { Gateway } from '../domain/gateway.js'
import type { MappingRequest, PortMapping } from '../domain/port-mapping.js'

/** ConflictInMappingEntry, ConflictWithOtherMechanisms. */
const PORT_IS_TAKEN: readonly number[] = [718, 729]

/** Undefined for none, 'untold' where it does not say. */
export type Shown = PortMapping | undefined | 'untold'

export function isMapping(found: Shown): found is PortMapping {
  return typeof found === 'object'
}

export function isAnothers(found: Shown, { internalClient }: MappingRequest): found is PortMapping {
  return isMapping(found) && found.internalClient !== internalClient
}

export function leadsToPort({ internalPort }: PortMapping, wanted: number | undefined): boolean {
  return internalPort === undefined || internalPort === wanted
}

export function takenBy(found: PortMapping, { externalPort, protocol }: MappingRequest): NotConfirmedError {
  const message = `external port ${externalPort} ${protocol} leads to ${found.internalClient}, another computer`
  return new NotConfirmedError(found, message, { action: 'GetSpecificPortMappingEntry', belongsToAnother: true })
}

/** Of an IGD: the others choose a port themselves, and the same one for both. */
export function isPortTaken(error: unknown, { protocol }: Gateway): boolean {
  if (protocol !== 'igd') return false
  if (error instanceof NotConfirmedError) return error.belongsToAnother
  return error instanceof RefusedError && PORT_IS_TAKEN.includes(error.number)
}

/** For what may well not be there any more. */
export function unlessRefused(error: unknown): undefined {
  if (!(error instanceof RefusedError)) throw error
}
