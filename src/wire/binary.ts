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

/** @throws RangeError for what does not fit, a defect of the caller: DataView would write something else */
export function writeUint32(view: DataView, at: number, value: number): void {
  if (!Number.isInteger(value) || value < 0 || value > 0xffffffff) throw new RangeError(`${value} in 32 bits`)
  view.setUint32(at, value)
}

/** The error shows the first 32 bytes in hexadecimal digits. */
export function malformed(expected: string, bytes: Uint8Array): MalformedMessageError {
  return new MalformedMessageError(expected, Buffer.from(bytes.subarray(0, 32)).toString('hex'))
}
