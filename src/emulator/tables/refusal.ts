/** The gateway understood an action and refuses it. The responder of the protocol turns this error into a reply. */
import { UPNP_ERRORS, type UpnpErrorName, upnpErrorName } from '../../domain/upnp-errors.js'

export class Refusal extends Error {
  /** The UPnP error number (UDA 1.1 table 3-3, WANIPConnection:2 table 2-11), such as 718. */
  readonly errorCode: number

  /** `error` is a number if a quirk refuses, because a quirk may use numbers that no standard has. */
  constructor(error: UpnpErrorName | number) {
    const errorCode = typeof error === 'number' ? error : UPNP_ERRORS[error]
    super(upnpErrorName(errorCode))
    this.name = 'Refusal'
    this.errorCode = errorCode
  }
}
