/** Errors -> what is reported about them, and a way to continue after one. */
import { errorFacts, PortMappingError } from '../domain/errors.js'
import { UsageError } from './parse/words.js'
import type { Answer, Report, ReportedError } from './report.js'

export function reportedError(error: unknown): ReportedError {
  if (error instanceof UsageError) return { code: 'USAGE', message: error.line }
  if (!(error instanceof PortMappingError)) return { code: 'INTERNAL', message: String(error) }
  return errorFacts(error)
}

export type Attempt<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: PortMappingError }

/** Does work that may fail without ending the command. A defect, or the end of the command's time, is still thrown. */
export async function attempt<T>(signal: AbortSignal, work: () => Promise<T>): Promise<Attempt<T>> {
  const result = await attemptWrite(work)
  if (!result.ok) signal.throwIfAborted()
  return result
}

/**
 * Does work that changes something at the gateway. If the command's time runs out during it, the user has to hear that
 * the change may have been made, so this returns the failure. The caller checks the signal before it continues.
 */
export async function attemptWrite<T>(work: () => Promise<T>): Promise<Attempt<T>> {
  try {
    return { ok: true, value: await work() }
  } catch (error) {
    if (error instanceof PortMappingError) return { ok: false, error }
    throw error
  }
}

/** A running command: it yields Reports, and returns a result at the end. */
export type Reporting<T> = AsyncGenerator<Report, T, undefined>

/** What is reported about an answer, or about a failure to get one. */
export function answerOf<T, U>(asked: Attempt<T>, facts: (value: T) => U): Answer<U> {
  return asked.ok ? { ok: true, ...facts(asked.value) } : { ok: false, error: reportedError(asked.error) }
}
