/** An action that the gateway understood and does not carry out; the responder of the protocol makes a reply of it. */
import { upnpErrorName } from '../../wire/upnp-error-codes.js'

export class Refusal extends Error {
  /** UDA 1.1 table 3-3 or WANIPConnection:2 table 2-11, e.g. 718. */
  readonly errorCode: number

  constructor(errorCode: number) {
    super(upnpErrorName(errorCode))
    this.name = 'Refusal'
    this.errorCode = errorCode
  }
}
