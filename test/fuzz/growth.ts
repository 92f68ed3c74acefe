/** Whether a decoder takes more than its share of time for a message that grows by repetition. */
import { unlessMalformed } from '../../src/domain/errors.ts'
import type { Decoder } from './decoders.ts'
import { type Chance, sliceOf } from './mutate.ts'

/** Below this the clock, the compiler and the garbage collector count for more than the decoder. */
const FROM_MS = 10
/** Five times what the slowest decoder takes. Below it a slope is the garbage collector's, which has more to do for more. */
const FROM_MS_PER_BYTE = 0.0004
const MOST_PER_DOUBLING = 3
const FIRST_BYTES = 256
/** What looks slow is measured again so often, because the machine may have been busy. */
const TRIES = 5

interface Slow {
  readonly bytes: Uint8Array
  readonly fault: string
}

/** The message with one part of it repeated until it has about that size. */
function grown(bytes: Uint8Array, [from, to]: readonly [number, number], size: number): Uint8Array {
  const part = Buffer.from(bytes.subarray(from, to))
  const times = Math.floor(Math.max(0, size - bytes.length) / Math.max(1, part.length))
  const repeated = Buffer.alloc(times * part.length, part)
  return Buffer.concat([bytes.subarray(0, to), repeated, bytes.subarray(to)])
}

/**
 * The message for which the time grew more than three times with twice the size, or that did something worse. Twice in a
 * row: where the garbage collector comes in there is a step, but no slope.
 */
export function growsTooFast(decoder: Decoder, bytes: Uint8Array, chance: Chance): Slow | undefined {
  const part = sliceOf(bytes, chance, 32)
  // With one repetition more too, because quotes, for example, come in pairs.
  const messagesOf = (size: number): readonly Uint8Array[] =>
    [0, part[1] - part[0]].map((more) => grown(bytes, part, size + more))
  const measure = (size: number): number => cpuMs(decoder, messagesOf(size))
  const lowest = (size: number): number => Math.min(...Array.from({ length: TRIES }, () => measure(size)))
  const slow = (size: number, fault: string): Slow => ({ bytes: grown(bytes, part, size), fault })
  let halfMs = Number.POSITIVE_INFINITY
  for (let size = FIRST_BYTES; size <= decoder.maxBytes; size *= 2) {
    try {
      const ms = measure(size)
      const fromMs = Math.max(FROM_MS, size * FROM_MS_PER_BYTE)
      if (ms > fromMs && ms > MOST_PER_DOUBLING * halfMs) {
        const [whole, half, quarter] = [lowest(size), lowest(size / 2), lowest(size / 4)]
        const isSlope = whole > MOST_PER_DOUBLING * half && half > MOST_PER_DOUBLING * quarter
        if (isSlope && whole > fromMs)
          return slow(size, `takes ${whole} ms, half of it ${half} ms, a quarter ${quarter} ms`)
      }
      halfMs = ms
    } catch (error) {
      return slow(size, String(error))
    }
  }
  return undefined
}

/** Of the message that takes longest. */
function cpuMs(decoder: Decoder, messages: readonly Uint8Array[]): number {
  const times = messages.map((message) => {
    const before = process.cpuUsage()
    unlessMalformed(() => decoder.decode(message))
    const { user, system } = process.cpuUsage(before)
    return (user + system) / 1000
  })
  return Math.max(...times)
}
