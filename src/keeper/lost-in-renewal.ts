/** Some things are renewed by closing them and making them again. If that fails in between, nothing is left. */
import { NoReplyError, PortMappingError, RefusedError } from '../domain/errors.js'

/** What was there is gone, or may be, and could not be made again. */
export class LostInRenewal extends Error {
  override readonly cause: PortMappingError

  constructor(cause: PortMappingError) {
    super(cause.message)
    this.cause = cause
  }
}

/** Returns whether it was closed: false if the gateway refused. @throws LostInRenewal if nobody knows */
export async function hasClosed(closing: Promise<unknown>): Promise<boolean> {
  try {
    await closing
    return true
  } catch (error) {
    if (error instanceof RefusedError) return false
    throw error instanceof NoReplyError ? new LostInRenewal(error) : error
  }
}

/** Waits until it is made again, after it was closed. @throws LostInRenewal */
export async function madeAgain<T>(making: Promise<T>): Promise<T> {
  try {
    return await making
  } catch (error) {
    throw error instanceof PortMappingError ? new LostInRenewal(error) : error
  }
}
