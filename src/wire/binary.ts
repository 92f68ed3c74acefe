/** What the codecs of binary messages share: a view of just these bytes, and the complaint about them. */
import { MalformedMessageError } from '../domain/errors.js'

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** With the beginning of what came, in hexadecimal digits. */
export function malformed(expected: string, bytes: Uint8Array): MalformedMessageError {
  return new MalformedMessageError(expected, Buffer.from(bytes.subarray(0, 32)).toString('hex'))
}
