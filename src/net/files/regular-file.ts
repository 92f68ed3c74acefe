/** Reads a small file, if what was opened is the file that is meant: the name alone says nothing about that. */
import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs'
import { TransportError } from '../../domain/errors.js'
import { codeOf } from '../system-error.js'

/** The limit for one file. */
export const MAX_FILE_BYTES = 64 * 1024

/** Follows no symbolic link, and does not wait for a pipe. Windows has neither flag. */
const READ_FLAGS = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)

/** `judge` gets the status of the open file, and throws if it does not count. Undefined if there is no such file. */
export function readRegularFile(path: string, judge: (status: Stats, file: number) => void): string | undefined {
  const file = openIfThere(path)
  if (file === undefined) return undefined
  try {
    const status = fstatSync(file)
    if (!status.isFile()) throw new TransportError(`cannot read ${path}: it is not a regular file`)
    judge(status, file)
    return readBounded(path, file)
  } finally {
    closeSync(file)
  }
}

function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, READ_FLAGS)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

/** For one reading after the other: a new one each time would be 64 KiB of garbage. */
let bytes: Buffer | undefined

/** Does not trust the size that the file had a moment ago. */
function readBounded(path: string, file: number): string {
  bytes ??= Buffer.alloc(MAX_FILE_BYTES + 1)
  let length = 0
  for (;;) {
    const more = readSync(file, bytes, length, bytes.length - length, null)
    length += more
    if (length > MAX_FILE_BYTES)
      throw new TransportError(`cannot read ${path}: it is larger than ${MAX_FILE_BYTES} bytes`)
    if (more === 0) return bytes.toString('utf8', 0, length)
  }
}
