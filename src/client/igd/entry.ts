/**
 * What an IGD shows of one port mapping (WANIPConnection:2 2.4.15 GetSpecificPortMappingEntry), also one that has to be
 * looked for in its table.
 */
import { MalformedMessageError, RefusedError, TransportError } from '../../domain/errors.js'
import type { MappingKey, PortMapping } from '../../domain/port-mapping.js'
import { UPNP_ERRORS } from '../../domain/upnp-errors.js'
import { decodeTarget, keyArguments } from './port-mapping-messages.js'
import type { Ask } from './status.js'

export const UNKNOWN_ACTION: ReadonlySet<number> = new Set([
  UPNP_ERRORS.InvalidAction,
  UPNP_ERRORS.ActionFailed,
  UPNP_ERRORS.OptionalActionNotImplemented,
])
/** The second is about a place in a table; a router that mixes up the two means the same. */
const NO_SUCH_ENTRY: ReadonlySet<number> = new Set([
  UPNP_ERRORS.NoSuchEntryInArray,
  UPNP_ERRORS.SpecifiedArrayIndexInvalid,
])

export interface ShownBy {
  readonly ask: Ask
  readonly table: () => AsyncIterable<PortMapping>
}

/** One that must be there. @throws RefusedError, TransportError, NoReplyError, MalformedMessageError */
export async function showEntry(by: ShownBy, key: MappingKey): Promise<PortMapping> {
  const action = 'GetSpecificPortMappingEntry'
  try {
    const mapping = await specificEntry(by, key)
    if (mapping.internalClient !== '') return mapping
    throw new MalformedMessageError(`NewInternalClient in the reply to ${action}`, 'none', { action })
  } catch (error) {
    if (!(error instanceof RefusedError) || !UNKNOWN_ACTION.has(error.number)) throw error
    const found = await findInTable(by, key) // a router without that action may have the other one
    if (found === undefined || found === 'untold') throw error
    return found
  }
}

/** Undefined where there is none, 'untold' where it does not tell. @throws as showEntry */
export async function findEntry(by: ShownBy, key: MappingKey): Promise<PortMapping | undefined | 'untold'> {
  try {
    const mapping = await specificEntry(by, key)
    return mapping.internalClient === '' ? undefined : mapping // an empty entry is none
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error
    if (NO_SUCH_ENTRY.has(error.number)) return undefined
    // If this computer may not see the entry, the table may leave it out too.
    return error.number === UPNP_ERRORS.ActionNotAuthorized ? 'untold' : findInTable(by, key)
  }
}

async function specificEntry({ ask }: ShownBy, key: MappingKey): Promise<PortMapping> {
  const { remoteHost, externalPort, protocol } = key
  const reply = await ask('GetSpecificPortMappingEntry', keyArguments(key))
  return { remoteHost, externalPort, protocol, ...decodeTarget(reply) }
}

/** 'untold' where the table cannot be read: it does not know that action either. @throws NoReplyError */
async function findInTable(
  { table }: ShownBy,
  { externalPort, protocol }: MappingKey,
): Promise<PortMapping | undefined | 'untold'> {
  try {
    for await (const each of table()) {
      if (each.externalPort === externalPort && each.protocol.toUpperCase() === protocol) return each
    }
    return undefined
  } catch (error) {
    const isAnswer =
      error instanceof RefusedError || error instanceof TransportError || error instanceof MalformedMessageError
    if (!isAnswer) throw error
    return 'untold'
  }
}
