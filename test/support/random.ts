/** Random numbers that are the same in every run (mulberry32), and the ways in which tests spoil a message with them. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

export function randomBytes(random: () => number, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => Math.floor(random() * 256))
}

/** Every beginning of the message, the empty one included and the whole excluded. */
export function truncations(message: Uint8Array): Uint8Array[] {
  return Array.from({ length: message.length }, (_, length) => message.subarray(0, length))
}

/** The message with one byte changed, once for every place. */
export function mutations(message: Uint8Array, random: () => number): Uint8Array[] {
  return Array.from(message, (byte, at) => {
    const changed = message.slice()
    changed[at] = byte ^ (1 + Math.floor(random() * 255))
    return changed
  })
}

/** The error that `decode` throws, or undefined. */
export function thrownBy(decode: () => unknown): unknown {
  try {
    decode()
    return undefined
  } catch (error) {
    return error
  }
}
