/** What a gateway shows of a mapping, and what it says where a port is taken. */
import { NotConfirmedError, RefusedError } from '../domain/errors.js'
import type { Gateway } from '../domain/gateway.js'
import type { GatewayProtocol, MappingRequest, PortMapping } from '../domain/port-mapping.js'

/** ConflictInMappingEntry, ConflictWithOtherMechanisms; CANNOT_PROVIDE_EXTERNAL. NAT-PMP gives another port without a word. */
const PORT_IS_TAKEN: Readonly<Record<GatewayProtocol, readonly number[]>> = {
  igd: [718, 729],
  pcp: [11],
  'nat-pmp': [],
}

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

export function isPortTaken(error: unknown, { protocol }: Gateway): boolean {
  if (error instanceof NotConfirmedError) return error.belongsToAnother
  return error instanceof RefusedError && PORT_IS_TAKEN[protocol].includes(error.number)
}

/** For what may well not be there any more. */
export function unlessRefused(error: unknown): undefined {
  if (!(error instanceof RefusedError)) throw error
}
