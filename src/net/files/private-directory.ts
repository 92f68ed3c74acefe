/**
 * A directory that is this user's alone: made where it is missing, with its parents, mode 0700. A link to a directory is
 * the user's own choice of a place: it is used, and the mode of what it leads to is left alone.
 */
import {
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  type Stats,
  statSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { codeOf } from '../system-error.js'

/** Windows has none of these flags, and no modes. */
const DIRECTORY_FLAGS = constants.O_RDONLY | (constants.O_DIRECTORY ?? 0) | (constants.O_NOFOLLOW ?? 0)

export function makeDirectory(directory: string): void {
  if (makeMissing(directory) || process.getuid === undefined || lstatSync(directory).isSymbolicLink()) return
  const opened = openSync(directory, DIRECTORY_FLAGS) // a link that has taken its place since then is not opened
  try {
    const { uid, mode } = fstatSync(opened)
    if (uid === process.getuid()) tighten(mode, 0o700, (wanted) => fchmodSync(opened, wanted))
  } finally {
    closeSync(opened)
  }
}

/** Another user than root, whose it may be: undefined if there is none, or nothing is there, and on Windows. */
export function strangerOf(path: string, user = process.getuid?.()): number | undefined {
  if (user === undefined) return undefined
  const found: (Stats | undefined)[] = [lstatSync, statSync].map((look) => look(path, { throwIfNoEntry: false }))
  return found.find((status) => status !== undefined && status.uid !== user && status.uid !== 0)?.uid
}

/**
 * Whether root would keep files in what is another user's, who decides on what is found there: a sudo that keeps HOME.
 * What is not there yet is of whoever its parent is of.
 */
export function isForeignToRoot(directory: string, user = process.getuid?.(), stranger = strangerOf): boolean {
  if (user !== 0) return false
  if (stranger(directory, user) !== undefined) return true
  const parent = dirname(directory)
  return parent !== directory && !existsSync(directory) && isForeignToRoot(parent, user, stranger)
}

/** Whether it was made. Not with `recursive`: Node 20 goes round for ever where the parent is there and takes none. */
function makeMissing(directory: string): boolean {
  const parent = dirname(directory)
  try {
    mkdirSync(directory, { mode: 0o700 })
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    if (codeOf(error) !== 'ENOENT' || existsSync(parent)) throw error
  }
  makeMissing(parent)
  return makeMissing(directory)
}

/** A file system without modes refuses, and there is nothing to be done about it. */
export function tighten(mode: number, wanted: number, change: (mode: number) => void): void {
  if ((mode & 0o077) === 0) return
  try {
    change(wanted)
  } catch {}
}
