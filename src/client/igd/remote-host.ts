/**
 * A mapping for one remote host is read back. GetSpecificPortMappingEntry does not tell the remote host, but the table
 * does (WANIPConnection:2 2.4.14). Some routers ignore it, and open the port to everybody: then it is closed again.
 */
import { isSameAddress } from '../../domain/address.js'
import { NotConfirmedError, PortMappingError } from '../../domain/errors.js'
import { ANY_REMOTE_HOST_ONLY } from '../../domain/hints.js'
import type { MappingKey, MappingRequest, PortMapping } from '../../domain/port-mapping.js'
import { LIBRARY, said } from '../../domain/words.js'
import { rowsOf } from './listing.js'

interface AskedRouter {
  readonly table: () => AsyncIterable<PortMapping>
  readonly unmap: (key: MappingKey) => Promise<void>
}

/** `shown` is what the router shows of the mapping. @throws NotConfirmedError */
export async function checkRemoteHost(
  request: MappingRequest,
  shown: PortMapping,
  router: AskedRouter,
): Promise<PortMapping> {
  const { remoteHost, externalPort, protocol, internalClient } = request
  if (remoteHost === '') return shown
  const rows = await rowsOf(router.table(), request).catch(unlessPortMappingError)
  if (rows?.some((row) => isSameAddress(row.remoteHost, remoteHost))) return shown
  const open = rows?.find((row) => isEverybody(row.remoteHost) && row.internalClient === internalClient)
  if (open === undefined) return { ...shown, isRemoteHostUnchecked: true }
  const shows = `external port ${externalPort} ${protocol}: the router shows it open to everybody, not to ${remoteHost} only`
  const failure = await router.unmap({ ...request, remoteHost: '' }).then(() => undefined, asPortMappingError)
  const isClosedAgain = failure === undefined
  const end = isClosedAgain
    ? 'it was closed again, and may have been open to everybody for that moment'
    : `closing it failed: ${failure.message}`
  const error = new NotConfirmedError(open, `${shows}; ${end}`, { action: 'GetGenericPortMappingEntry', isClosedAgain })
  error.hint = said(ANY_REMOTE_HOST_ONLY, LIBRARY)
  throw error
}

function asPortMappingError(error: unknown): PortMappingError {
  if (error instanceof PortMappingError) return error
  throw error
}

function unlessPortMappingError(error: unknown): undefined {
  asPortMappingError(error)
}

/** How routers write that a mapping is for all remote hosts. */
function isEverybody(remoteHost: string): boolean {
  return ['', '*', '0.0.0.0', '255.255.255.255'].includes(remoteHost)
}
