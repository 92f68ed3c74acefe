/**
 * A directory that only this user and root decide about: they own it and all directories above it, and nobody else may
 * write there. A sticky directory of theirs, such as /tmp, may be above it: others can make something there, but not remove
 * what is this user's. A link counts if this user or root has made it where nobody else can make one. The mode of what is
 * there is never changed.
 */
import { existsSync, mkdirSync } from 'node:fs'
import { dirname, sep } from 'node:path'
import { TransportError } from '../../domain/errors.js'
import { codeOf } from '../system-error.js'
import { ENTRY_CALLS, type EntryCalls, type EntryStatus, followLinks, isOpenToOthers } from './followed-links.js'

/** How many directories are made at most, one in the other. */
const MOST_MADE = 100

/**
 * Its path without links; undefined if it does not exist. @throws TransportError if others may have a hand in it, so also
 * if a sudo keeps HOME, and root would have its files where another user can change them
 */
export function ownDirectory(
  directory: string,
  user: number | undefined,
  calls: EntryCalls = ENTRY_CALLS,
): string | undefined {
  const { path, missing } = found(directory, user, calls)
  return missing === undefined ? path : undefined
}

/** The same; makes what is missing with mode 0700. */
export function ownDirectoryMade(directory: string, user: number | undefined, calls: EntryCalls = ENTRY_CALLS): string {
  if (user === undefined) makeWithParents(directory)
  for (let made = 0; made < MOST_MADE; made++) {
    const { path, missing } = found(directory, user, calls)
    if (missing === undefined) return path
    make(missing)
  }
  throw new TransportError(`will not use ${directory}: it comes and goes`)
}

function found(directory: string, user: number | undefined, calls: EntryCalls): ReturnType<typeof followLinks> {
  if (user === undefined) return { path: directory }
  const judge = (at: string, status: EntryStatus, above: string): void => {
    const why = flawOf(at, status, user) ?? plantedIn(above, at, status, calls)
    if (why !== undefined) throw new TransportError(`will not use ${directory}: ${why}`)
  }
  const root = calls.look(sep)
  if (root !== undefined) judge(sep, root, sep)
  return followLinks(directory, judge, calls)
}

function flawOf(at: string, status: EntryStatus, user: number): string | undefined {
  const { uid, mode } = status
  if (uid !== user && uid !== 0) return `${at} belongs to user ${uid}; set HOME or XDG_STATE_HOME`
  const isSticky = (mode & 0o1000) !== 0
  if (status.isSymbolicLink() || isSticky || !isOpenToOthers(status)) return undefined
  return `others may write to ${at}; chmod go-w takes that away`
}

/** In a sticky directory somebody else can give a second name to a link of this user. */
function plantedIn(above: string, at: string, link: EntryStatus, { look }: EntryCalls): string | undefined {
  if (!link.isSymbolicLink()) return undefined
  const status = look(above)
  return status !== undefined && isOpenToOthers(status)
    ? `${at} is a link, and others may write to ${above}`
    : undefined
}

/** For Windows. `recursive` would loop for ever on Node 20 if the parent exists but accepts nothing. */
function makeWithParents(directory: string): void {
  const parent = dirname(directory)
  if (parent !== directory && !existsSync(parent)) makeWithParents(parent)
  make(directory)
}

function make(directory: string): void {
  try {
    mkdirSync(directory, { mode: 0o700 })
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
  }
}
