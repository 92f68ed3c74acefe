/** Errors -> what is reported of them; and a way to go on after one. */
import { PortMappingError, RefusedError } from '../domain/errors.js'
import { UsageError } from './parse/words.js'
import type { Report, ReportedError } from './report.js'

export function reportedError(error: unknown): ReportedError {
  if (error instanceof UsageError) return { code: 'USAGE', message: error.message }
  if (!(error instanceof PortMappingError)) return { code: 'INTERNAL', message: String(error) }
  const { code, message, action, isUnconfirmed } = error
  const common = {
    code,
    message,
    ...(action === undefined ? {} : { action }),
    ...(isUnconfirmed ? { isUnconfirmed } : {}),
  }
  if (!(error instanceof RefusedError)) return common
  return {
    ...common,
    via: error.protocol,
    number: error.number,
    name: error.standardName,
    description: error.description,
  }
}

export type Attempt<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: PortMappingError }

/** For what may fail while the command goes on. A defect, or the end of the command's time, is not for going on. */
export async function attempt<T>(signal: AbortSignal, work: () => Promise<T>): Promise<Attempt<T>> {
  const result = await attemptWrite(work)
  if (!result.ok) signal.throwIfAborted()
  return result
}

/**
 * For what changes something: that it was under way when the time of the command ran out has to be told, so that is a
 * failure like another. Whoever goes on asks the signal first.
 */
export async function attemptWrite<T>(work: () => Promise<T>): Promise<Attempt<T>> {
  try {
    return { ok: true, value: await work() }
  } catch (error) {
    if (error instanceof PortMappingError) return { ok: false, error }
    throw error
  }
}

/** What runs a command: Reports, and at the end a result. */
export type Reporting<T> = AsyncGenerator<Report, T, undefined>

export function refusal(error: PortMappingError): {
  readonly ok: false
  readonly error: ReturnType<typeof reportedError>
} {
  return { ok: false, error: reportedError(error) }
}
