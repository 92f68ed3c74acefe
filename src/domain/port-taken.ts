/** Whether a port could not be had because it is another one's: then another port may be free. */
import { NotConfirmedError, RefusedError } from './errors.js'
import type { GatewayProtocol } from './port-mapping.js'

/** ConflictInMappingEntry, ConflictWithOtherMechanisms; CANNOT_PROVIDE_EXTERNAL. NAT-PMP gives another port without a word. */
const PORT_IS_TAKEN: Readonly<Record<GatewayProtocol, readonly number[]>> = {
  igd: [718, 729],
  pcp: [11],
  'nat-pmp': [],
}

export function isPortTaken(error: unknown): boolean {
  if (error instanceof NotConfirmedError) return error.belongsToAnother
  return error instanceof RefusedError && PORT_IS_TAKEN[error.protocol].includes(error.number)
}
