/**
 * Standard output and standard error without Node's streams, which take 6 ms to load: what is written is with the system
 * when `write` returns, as it is with Node's own on a pipe or a file. A terminal gets Node's (and its colours).
 */
import { fstatSync, writeSync } from 'node:fs'
import type { OutputStream } from './printer.js'

/** How often a full pipe that does not wait is looked at again. */
const FULL_PIPE_MS = 2

/** `put` writes to a descriptor; tests bring their own. */
export class DirectOutput implements OutputStream {
  readonly #descriptor: number
  readonly #put: typeof writeSync
  #tell: (error: Error) => void = () => {}

  constructor(descriptor: number, put: typeof writeSync = writeSync) {
    this.#descriptor = descriptor
    this.#put = put
  }

  write(text: string): void {
    try {
      writeAll(this.#descriptor, text, this.#put)
    } catch (error) {
      this.#tell(error as Error)
    }
  }

  on(_event: 'error', listener: (error: Error) => void): void {
    this.#tell = listener
  }
}

/** @throws Error of node:fs */
export function writeAll(descriptor: number, text: string, put: typeof writeSync = writeSync): void {
  let rest: Uint8Array = Buffer.from(text)
  while (rest.length > 0) {
    try {
      rest = rest.subarray(put(descriptor, rest))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, FULL_PIPE_MS)
    }
  }
}

/** Undefined where it takes Node's stream: a terminal, any other device, Windows. */
export function directOutput(descriptor: number): DirectOutput | undefined {
  if (process.platform === 'win32') return undefined
  try {
    const status = fstatSync(descriptor)
    return status.isFIFO() || status.isSocket() || status.isFile() ? new DirectOutput(descriptor) : undefined
  } catch {
    return undefined // closed
  }
}
