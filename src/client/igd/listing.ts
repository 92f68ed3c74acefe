/**
 * The port mappings that an IGD shows: its whole table, read by index (WANIPConnection:2 2.4.14
 * GetGenericPortMappingEntry), or a single one (2.4.15 GetSpecificPortMappingEntry).
 */
import { MalformedMessageError, RefusedError, TransportError } from '../../domain/errors.js'
import type { ListingEnd } from '../../domain/gateway.js'
import type { MappingKey, PortMapping } from '../../domain/port-mapping.js'
import { UPNP_ERRORS } from '../../domain/upnp-errors.js'
import type { SoapArguments } from '../../wire/soap.js'
import { decodeMapping, decodeTarget } from './port-mapping-messages.js'
import type { RequestWindow } from './request-window.js'

/** A table with more entries than there are ports is not read to its end. */
export const MAX_PORT_MAPPINGS = 65_536
/** Nor one with more text in it. */
export const MAX_TABLE_CHARACTERS = 30_000_000
/** Sagemcom routers have entries without a client in their tables: a few that are the same do not mean the end. */
export const MAX_SAME_WITHOUT_CLIENT = 16

/** Ends of the table: the standard's one, and those from routers that do not know it (DD-WRT, Linksys WRT1900AC). */
const ENDS: ReadonlySet<number> = new Set([
  UPNP_ERRORS.SpecifiedArrayIndexInvalid,
  UPNP_ERRORS.NoSuchEntryInArray,
  UPNP_ERRORS.InvalidArgs,
  UPNP_ERRORS.ActionFailed,
])

export const UNKNOWN_ACTION: ReadonlySet<number> = new Set([
  UPNP_ERRORS.InvalidAction,
  UPNP_ERRORS.ActionFailed,
  UPNP_ERRORS.OptionalActionNotImplemented,
])

/** The router has not that action. Any other refusal says nothing about the mapping. */
const LACKS_ACTION: ReadonlySet<number> = new Set([UPNP_ERRORS.InvalidAction, UPNP_ERRORS.OptionalActionNotImplemented])

/** The second is about a place in a table. Some routers mix up the two. */
const NO_SUCH_ENTRY: ReadonlySet<number> = new Set([
  UPNP_ERRORS.NoSuchEntryInArray,
  UPNP_ERRORS.SpecifiedArrayIndexInvalid,
])

export interface Table {
  readonly window: Pick<RequestWindow, 'size'>
  /** Asks for one entry, through that window. */
  readonly entry: (index: number, signal: AbortSignal) => Promise<SoapArguments>
  readonly signal: AbortSignal | undefined
}

/**
 * Asks ahead for as many entries as the gateway can take, and yields them in order. Nobody knows where the table ends,
 * so some requests go beyond its end. Those that are still under way then are dropped.
 * @throws what `entry` throws, after the entries before it
 */
export async function* listPortMappings(table: Table): AsyncGenerator<PortMapping, ListingEnd> {
  const stop = new AbortController()
  const onAbort = (): void => stop.abort(table.signal?.reason)
  if (table.signal?.aborted) onAbort()
  table.signal?.addEventListener('abort', onAbort, { once: true })
  try {
    return yield* walk(table, stop.signal)
  } finally {
    table.signal?.removeEventListener('abort', onAbort)
    stop.abort(new Error('the listing is over'))
  }
}

async function* walk({ window, entry }: Table, signal: AbortSignal): AsyncGenerator<PortMapping, ListingEnd> {
  let isOver = false
  const ask = (index: number): Promise<SoapArguments | RefusedError> => {
    const asked = entry(index, signal).catch((error: unknown) => {
      isOver ||= index > 0 // the table may begin at 1
      return endAt(index, error)
    })
    asked.catch(() => {}) // beyond the end nobody waits for it
    return asked
  }
  const asked: Promise<SoapArguments | RefusedError>[] = []
  let previous: string | undefined
  let repetitions = 0
  let characters = 0
  for (let index = 0; index < MAX_PORT_MAPPINGS; index++) {
    while (!isOver && asked.length < window.size && index + asked.length < MAX_PORT_MAPPINGS) {
      asked.push(ask(index + asked.length))
    }
    let reply = await (asked.shift() ?? ask(index))
    if (index === 0 && reply instanceof RefusedError) {
      // The tables of some routers begin at 1, with an error at 0.
      const second = await (asked.shift() ?? ask(1)).catch(() => signal.throwIfAborted())
      if (second !== undefined && !(second instanceof RefusedError)) [reply, index] = [second, 1]
      else if (reply.number !== UPNP_ERRORS.SpecifiedArrayIndexInvalid) throw reply
    }
    if (reply instanceof RefusedError) return { number: reply.number, standardName: reply.standardName }
    const mapping = decodeMapping(reply)
    const identity = JSON.stringify(mapping)
    repetitions = identity === previous ? repetitions + 1 : 0
    // Some routers repeat the last entry for ever.
    if (repetitions > (mapping.internalClient === '' ? MAX_SAME_WITHOUT_CLIENT : 0)) return 'repetition'
    characters += identity.length
    if (characters > MAX_TABLE_CHARACTERS) return 'limit'
    previous = identity
    yield mapping
  }
  return 'limit'
}

/** @throws the error if it does not mark the end */
function endAt(index: number, error: unknown): RefusedError {
  if (!(error instanceof RefusedError) || !ENDS.has(error.number)) throw error
  if (index === 0 && error.number === UPNP_ERRORS.ActionFailed) throw error // it says nothing about the index
  return error
}

export interface ShownBy {
  /** Asks for that mapping. */
  readonly specific: (key: MappingKey) => Promise<SoapArguments>
  /** Undefined if the table is not to be read. */
  readonly table: (() => AsyncIterable<PortMapping>) | undefined
}

/** A mapping that must be there. @throws RefusedError, TransportError, NoReplyError, MalformedMessageError */
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

/** Undefined if there is no such mapping, 'untold' if the gateway does not say. @throws as showEntry */
export async function findEntry(
  by: ShownBy,
  key: MappingKey,
  surely = false,
): Promise<PortMapping | undefined | 'untold'> {
  try {
    const mapping = await specificEntry(by, key)
    return mapping.internalClient === '' ? undefined : mapping // an empty entry is none
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error
    if (NO_SUCH_ENTRY.has(error.number)) return undefined
    // If this computer may not see the entry, the table may leave it out too.
    if (error.number === UPNP_ERRORS.ActionNotAuthorized) return 'untold'
    const found = await findInTable(by, key)
    return found === undefined && surely && !LACKS_ACTION.has(error.number) ? 'untold' : found
  }
}

/** The rows of the table with that external port and protocol. @throws as showEntry */
export async function rowsOf(
  table: AsyncIterable<PortMapping>,
  { externalPort, protocol }: MappingKey,
): Promise<PortMapping[]> {
  const rows: PortMapping[] = []
  for await (const each of table)
    if (each.externalPort === externalPort && each.protocol.toUpperCase() === protocol) rows.push(each)
  return rows
}

async function specificEntry({ specific }: ShownBy, key: MappingKey): Promise<PortMapping> {
  const { remoteHost, externalPort, protocol } = key
  return { remoteHost, externalPort, protocol, ...decodeTarget(await specific(key)) }
}

/** 'untold' if the table is not read, or cannot be: the gateway may not know that action either. @throws NoReplyError */
async function findInTable(
  { table }: ShownBy,
  { externalPort, protocol }: MappingKey,
): Promise<PortMapping | undefined | 'untold'> {
  if (table === undefined) return 'untold'
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
