/** Bytes as a standard prints them, in hexadecimal digits; and what tests of binary messages do to them. */
import { expect } from 'vitest'
import { MalformedMessageError } from '../../src/domain/errors.ts'

/** Spaces mean nothing. */
export function bytesOf(hex: string): Uint8Array {
  const digits = hex.replaceAll(' ', '')
  if (!/^([0-9a-f]{2})*$/.test(digits)) throw new Error(`no bytes: ${hex}`)
  return Uint8Array.from(digits.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16))
}

export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

/** The message with one bit changed, once for every bit. */
export function bitFlips(message: Uint8Array): Uint8Array[] {
  return Array.from({ length: message.length * 8 }, (_, bit) => {
    const changed = message.slice()
    changed[bit >> 3] = (message[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    return changed
  })
}

/** The same bytes in the middle of others, as a view and as what a socket gives. */
export function viewsOf(message: Uint8Array): Uint8Array[] {
  const around = new Uint8Array(message.length + 12).fill(0xa5)
  around.set(message, 5)
  return [around.subarray(5, 5 + message.length), Buffer.from(around.buffer, 5, message.length)]
}

/** The kind of what `decode` makes of the bytes, or 'malformed'. Fails for another kind and for another error. */
export function kindOf<Kind extends string>(
  decode: (bytes: Uint8Array) => { readonly kind: Kind },
  bytes: Uint8Array,
  kinds: readonly NoInfer<Kind>[],
): Kind | 'malformed' {
  try {
    const { kind } = decode(bytes)
    if (!kinds.includes(kind)) expect.fail(`of kind ${kind}: ${hexOf(bytes)}`)
    return kind
  } catch (error) {
    if (!(error instanceof MalformedMessageError)) throw error
    return 'malformed'
  }
}
