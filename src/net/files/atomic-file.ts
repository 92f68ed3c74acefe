/** A file that others read at any moment: whole, the old or the new. */
import { closeSync, openSync, realpathSync, renameSync, statSync, unlinkSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { TransportError } from '../../domain/errors.js'
import { reasonOf } from '../system-error.js'

/**
 * Mode 0644 less the umask. A link stays a link: what it leads to is written. What is there and no regular file is left
 * alone: a rename onto /dev/stdout would take the place of the device. @throws TransportError
 */
export function writeFileAtomically(path: string, text: string): void {
  let temporary: string | undefined
  try {
    const target = regularTarget(path)
    temporary = join(dirname(target), `.${basename(target)}.${process.pid}`)
    discard(temporary) // one that was killed may have left it behind, and in a container its number is always the same
    const file = openSync(temporary, 'wx', 0o644) // never through a link that somebody else has put there
    try {
      writeFileSync(file, text)
    } finally {
      closeSync(file)
    }
    renameSync(temporary, target)
  } catch (cause) {
    if (temporary !== undefined) discard(temporary)
    if (cause instanceof TransportError) throw cause
    throw new TransportError(`${path} could not be written: ${reasonOf(cause, 'write')}`, { cause })
  }
}

function regularTarget(path: string): string {
  const status = statSync(path, { throwIfNoEntry: false })
  if (status === undefined) return path
  if (!status.isFile()) throw new TransportError(`${path} could not be written: it is no regular file`)
  return realpathSync(path)
}

function discard(path: string): void {
  try {
    unlinkSync(path)
  } catch {} // was never there
}
