/** What the codecs of binary messages share: a view of the bytes, and the error about malformed ones. */
import { MalformedMessageError } from '../domain/errors.js'

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** An empty message of NAT-PMP or PCP, which begins with version and opcode. */
export function message(version: number, opcode: number, length: number): { bytes: Uint8Array; view: DataView } {
  const bytes = new Uint8Array(length)
  bytes.set([version, opcode])
  return { bytes, view: viewOf(bytes) }
}

/** The error shows the first 32 bytes in hexadecimal digits. */
export function malformed(expected: string, bytes: Uint8Array): MalformedMessageError {
  return new MalformedMessageError(expected, Buffer.from(bytes.subarray(0, 32)).toString('hex'))
}
