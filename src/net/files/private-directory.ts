/**
 * A directory that belongs to this user alone. If it is missing, it is made with mode 0700, and so are its parents. A
 * link to a directory is the user's own choice of a place: it is used, and the mode of its target is left alone.
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
  const opened = openSync(directory, DIRECTORY_FLAGS) // fails if a link has replaced it since then
  try {
    const { uid, mode } = fstatSync(opened)
    if (uid === process.getuid()) tighten(mode, 0o700, (wanted) => fchmodSync(opened, wanted))
  } finally {
    closeSync(opened)
  }
}

/** The owner, if that is neither this user nor root. Undefined also if nothing exists there, and on Windows. */
export function strangerOf(path: string, user = process.getuid?.()): number | undefined {
  if (user === undefined) return undefined
  const found: (Stats | undefined)[] = [lstatSync, statSync].map((look) => look(path, { throwIfNoEntry: false }))
  return found.find((status) => status !== undefined && status.uid !== user && status.uid !== 0)?.uid
}

/**
 * Whether root would keep files in another user's directory, where that user can change them: with a sudo that keeps
 * HOME. A directory that does not exist yet belongs to the owner of its parent.
 */
export function isForeignToRoot(directory: string, user = process.getuid?.(), stranger = strangerOf): boolean {
  if (user !== 0) return false
  if (stranger(directory, user) !== undefined) return true
  const parent = dirname(directory)
  return parent !== directory && !existsSync(directory) && isForeignToRoot(parent, user, stranger)
}

/** Returns whether it was made. `recursive` would loop for ever on Node 20 if the parent exists but accepts nothing. */
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

/** Takes away the rights of others. A file system without modes refuses, and nothing can be done about that. */
export function tighten(mode: number, wanted: number, change: (mode: number) => void): void {
  if ((mode & 0o077) === 0) return
  try {
    change(wanted)
  } catch {}
}
