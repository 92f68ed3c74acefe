/**
 * The table of a gateway, read by index (WANIPConnection:2 2.4.14 GetGenericPortMappingEntry): as many entries ahead of the
 * reader as the gateway bears, handed on in order. Nobody knows the end before it is asked for, so some are asked for in
 * vain beyond it; what is still under way then is dropped.
 */
import { RefusedError } from '../../domain/errors.js'
import type { ListingEnd } from '../../domain/gateway.js'
import type { PortMapping } from '../../domain/port-mapping.js'
import { UPNP_ERRORS } from '../../domain/upnp-errors.js'
import type { SoapArguments } from '../../wire/soap.js'
import { decodeMapping } from './port-mapping-messages.js'
import type { RequestWindow } from './request-window.js'

/** A table longer than the number of ports in existence is not read to its end. */
export const MAX_PORT_MAPPINGS = 65_536

/** Of routers that do not know the standard's mark of the end of the table (DD-WRT, Linksys WRT1900AC). */
const OTHER_ENDS: ReadonlySet<number> = new Set([
  UPNP_ERRORS.NoSuchEntryInArray,
  UPNP_ERRORS.InvalidArgs,
  UPNP_ERRORS.ActionFailed,
])

export interface Table {
  readonly window: Pick<RequestWindow, 'size'>
  /** Its questions go through that window. */
  readonly entry: (index: number, signal: AbortSignal) => Promise<SoapArguments>
  readonly signal: AbortSignal | undefined
}

/** @throws what asking for an entry throws, after the entries before it */
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
    const asked = entry(index, signal).catch((error: unknown) => endAt(index, error))
    const onAnswer = (answer: SoapArguments | RefusedError): void => {
      isOver ||= answer instanceof RefusedError
    }
    asked.then(onAnswer, () => {
      isOver = true
    })
    return asked
  }
  const asked: Promise<SoapArguments | RefusedError>[] = []
  let previous: string | undefined
  for (let index = 0; index < MAX_PORT_MAPPINGS; index++) {
    while (!isOver && asked.length < window.size && index + asked.length < MAX_PORT_MAPPINGS) {
      asked.push(ask(index + asked.length))
    }
    const reply = await (asked.shift() ?? ask(index))
    if (reply instanceof RefusedError) return { number: reply.number, standardName: reply.standardName }
    const mapping = decodeMapping(reply)
    const identity = JSON.stringify(mapping)
    if (identity === previous) return 'repetition' // some routers repeat the last entry for ever
    previous = identity
    yield mapping
  }
  return 'limit'
}

/** @throws the error where it does not mark the end */
function endAt(index: number, error: unknown): RefusedError {
  if (!(error instanceof RefusedError)) throw error
  const isEnd = error.number === UPNP_ERRORS.SpecifiedArrayIndexInvalid
  if (isEnd || (index > 0 && OTHER_ENDS.has(error.number))) return error
  throw error
}
