/** What has gone wrong -> the error that a program gets: one code for one story, whatever the protocol. */
import { type AnyPortMappingError, errorFacts, PortMappingError, PortTakenError } from '../../domain/errors.js'
import type { Gateway } from '../../domain/gateway.js'
import { type Asked, libraryHintFor } from '../../domain/hints.js'
import { leftBehindText } from '../../domain/refusal-text.js'

/** `gateway` is whom it is about. */
export function toldError(
  error: PortMappingError,
  gateway?: Pick<Gateway, 'protocol' | 'address'>,
  asked?: Pick<Asked, 'isPinhole'>,
): AnyPortMappingError {
  const told = error instanceof PortTakenError ? error.refusal : error
  if (!PortMappingError.is(told)) throw told
  if (gateway !== undefined) told.gateway = { protocol: gateway.protocol, address: gateway.address }
  if (asked?.isPinhole === true) told.hint = libraryHintFor(errorFacts(told), asked)
  if (told.leftBehind !== undefined)
    told.hint = `${leftBehindText(told.leftBehind)}; take another externalPort, or externalPort: 'any', or wait`
  return told
}

/** Why something could not be closed, in plain words. What was asked stands at the end. */
export function whyNotClosed(error: PortMappingError): string {
  const action = error.action === undefined ? '' : ` (${error.action})`
  switch (error.code) {
    case 'NO_REPLY':
      return `the router has not answered${action}`
    case 'TRANSPORT':
      return `the router cannot be reached${action}`
    case 'MALFORMED_MESSAGE':
      return `the router gave an answer that makes no sense${action}`
    case 'REFUSED':
      return `the router does not close it: ${error.message}`
    default:
      return error.message
  }
}
