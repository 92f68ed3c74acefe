/** Writes a file that others may read at any moment: they see the whole old or the whole new file. */
import { closeSync, openSync, realpathSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { TransportError } from '../../domain/errors.js'
import { reasonOf } from '../system-error.js'
import { discard } from './private-files.js'

/**
 * The file has mode 0644 less the umask. A link stays a link: its target is written. What exists but is not a regular
 * file is left alone: a rename onto /dev/stdout would replace the device. @throws TransportError
 */
export function writeFileAtomically(path: string, text: string): void {
  let temporary: string | undefined
  try {
    const target = regularTarget(path)
    temporary = join(dirname(target), `.${basename(target)}.${process.pid}`)
    discard(temporary) // a killed process may have left it, and in a container the process ID is always the same
    const file = openSync(temporary, 'wx', 0o644) // never through a link that somebody else put there
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
  if (!status.isFile()) throw new TransportError(`${path} could not be written: it is not a regular file`)
  return realpathSync(path)
}
