/** A directory that is this user's alone: made where it is missing, with its parents, mode 0700. */
import { chmodSync, existsSync, mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

export function makeDirectory(directory: string): void {
  if (makeMissing(directory)) return
  const { uid, mode } = statSync(directory)
  if (uid === process.getuid?.()) tighten(mode, 0o700, (wanted) => chmodSync(directory, wanted))
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

export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error)
}
