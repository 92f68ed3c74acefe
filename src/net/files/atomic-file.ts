/**
 * Writes a file that others may read at any moment: they see the whole old or the whole new file. Only a file that cannot
 * be replaced is written in place: a container may have that one file mounted, or a directory that it may not write to.
 */
import { closeSync, constants, fstatSync, ftruncateSync, openSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { TransportError } from '../../domain/errors.js'
import { codeOf, reasonOf } from '../system-error.js'
import { followNamedLinks, thisUser } from './followed-links.js'
import { discard } from './private-files.js'

/** What the system says if it makes no file beside this one, or does not let it take the place of this one. */
const REFUSALS: readonly string[] = ['EBUSY', 'EXDEV', 'EACCES', 'EPERM', 'EROFS']

/** Windows has neither flag. */
const IN_PLACE_FLAGS = constants.O_WRONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)

/** Tests replace these. */
interface FileCalls {
  readonly open: typeof openSync
  readonly rename: typeof renameSync
  readonly user: number | undefined
}

/**
 * A new file has mode 0644 less the umask. A link stays a link: its target is written. What exists but is not a regular
 * file is left alone: a rename onto /dev/stdout would replace the device. @throws TransportError
 */
export function writeFileAtomically(
  path: string,
  text: string,
  { open = openSync, rename = renameSync, user = thisUser() }: Partial<FileCalls> = {},
): void {
  try {
    const target = targetOf(path, user)
    try {
      replace(target, text, { open, rename })
    } catch (cause) {
      if (!REFUSALS.includes(codeOf(cause)) || statSync(target, { throwIfNoEntry: false }) === undefined) throw cause
      writeInPlace(target, text, open)
    }
  } catch (cause) {
    if (cause instanceof TransportError) throw cause
    throw new TransportError(`${path} could not be written: ${reasonOf(cause, 'write')}`, { cause })
  }
}

function replace(target: string, text: string, { open, rename }: Pick<FileCalls, 'open' | 'rename'>): void {
  const temporary = join(dirname(target), `.${basename(target)}.${process.pid}`)
  discard(temporary) // a killed process may have left it, and in a container the process ID is always the same
  try {
    const file = open(temporary, 'wx', 0o644) // never through a link that somebody else put there
    try {
      writeFileSync(file, text)
    } finally {
      closeSync(file)
    }
    rename(temporary, target)
  } catch (error) {
    discard(temporary)
    throw error
  }
}

function writeInPlace(target: string, text: string, open: typeof openSync): void {
  const file = open(target, IN_PLACE_FLAGS)
  try {
    const status = fstatSync(file)
    if (!status.isFile()) throw notRegular(target)
    // Somebody else may have given this name to another file of this user. The name can be replaced, the file is not.
    if (status.nlink !== 1) throw new TransportError(`${target} could not be written: it has another name too`)
    ftruncateSync(file)
    writeFileSync(file, text)
  } finally {
    closeSync(file)
  }
}

/** Follows links itself, because somebody else may have made them: in /tmp, or where root writes for another user. */
function targetOf(path: string, user: number | undefined): string {
  if (statSync(path, { throwIfNoEntry: false })?.isFile() === false) throw notRegular(path)
  return followNamedLinks(path, (why) => new TransportError(`${path} could not be written: ${why}`), user)
}

function notRegular(path: string): TransportError {
  return new TransportError(`${path} could not be written: it is not a regular file`)
}
