/** What the codecs of binary messages share: a view of the bytes, and the error about malformed ones. */
import { MalformedMessageError } from '../domain/errors.js'

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** The error shows the first 32 bytes in hexadecimal digits. */
export function malformed(expected: string, bytes: Uint8Array): MalformedMessageError {
  return new MalformedMessageError(expected, Buffer.from(bytes.subarray(0, 32)).toString('hex'))
}
