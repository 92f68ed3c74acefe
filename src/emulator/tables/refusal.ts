/** An action that the gateway understood and does not carry out; the responder of the protocol makes a reply of it. */
import { UPNP_ERRORS, type UpnpErrorName, upnpErrorName } from '../../domain/upnp-errors.js'

export class Refusal extends Error {
  /** UDA 1.1 table 3-3 or WANIPConnection:2 table 2-11, e.g. 718. */
  readonly errorCode: number

  /** By its number if the standards need not know it: a quirk refuses with any. */
  constructor(error: UpnpErrorName | number) {
    const errorCode = typeof error === 'number' ? error : UPNP_ERRORS[error]
    super(upnpErrorName(errorCode))
    this.name = 'Refusal'
    this.errorCode = errorCode
  }
}
