/**
 * Where a path leads, with its links followed one by one from the root: whoever made a link, or may replace it, decides
 * where it leads. What is found in the right hands on the way stays there, because nobody else can take it away.
 */
import { lstatSync, readlinkSync, realpathSync } from 'node:fs'
import { isAbsolute, join, sep } from 'node:path'
import { TransportError } from '../../domain/errors.js'

export interface EntryStatus {
  readonly uid: number
  readonly mode: number
  isSymbolicLink(): boolean
}

/** Tests replace them. */
export interface EntryCalls {
  /** Undefined if there is no such entry. */
  readonly look: (path: string) => EntryStatus | undefined
  readonly readLink: (path: string) => string
}

export const ENTRY_CALLS: EntryCalls = {
  look: (path) => lstatSync(path, { throwIfNoEntry: false }),
  readLink: (path) => readlinkSync(path),
}

/** As many as Linux allows. */
const MAX_LINKS = 40

/**
 * Calls `judge` with every entry on the way, before it is passed. The path that is returned has no links, as far as there
 * is something: `missing` is what is not there. Not for Windows. @throws TransportError
 */
export function followLinks(
  path: string,
  judge: (at: string, status: EntryStatus, directory: string) => void,
  { look, readLink }: EntryCalls = ENTRY_CALLS,
): { readonly path: string; readonly missing?: string } {
  const names = path.split(sep).reverse()
  let place = isAbsolute(path) ? sep : '.'
  let links = 0
  while (names.length > 0) {
    const name = names.pop() ?? ''
    if (name === '..') place = join(place, name) // it has no links
    if (['', '.', '..'].includes(name)) continue
    const at = join(place, name)
    const status = look(at)
    if (status === undefined) return { path: [at, ...names.reverse()].join(sep), missing: at }
    judge(at, status, place)
    if (status.isSymbolicLink()) {
      if (++links > MAX_LINKS) throw new TransportError(`${path} leads through more than ${MAX_LINKS} links`)
      const target = readLink(at)
      if (isAbsolute(target)) place = sep
      names.push(...target.split(sep).reverse())
    } else place = at
  }
  return { path: place }
}

/**
 * Where a path leads that the user has named. That may be a place that others can change, if it is what the path says,
 * but a link counts only if it cannot be somebody else's. `refusal` makes the error.
 */
export function followNamedLinks(path: string, refusal: (why: string) => Error, user = thisUser()): string {
  if (user === undefined) return ENTRY_CALLS.look(path)?.isSymbolicLink() === true ? realpathSync.native(path) : path
  const { path: target } = followLinks(path, (at, link, directory) => {
    if (!link.isSymbolicLink()) return
    const isEverybodys = ((ENTRY_CALLS.look(directory)?.mode ?? 0) & 0o002) !== 0
    if (isEverybodys) throw refusal(`${at} is a link and others may write to that directory`)
    if (link.uid !== user && link.uid !== 0) throw refusal(`${at} is a link and belongs to user ${link.uid}`)
  })
  return target
}

/** Whether a group or everybody may write to it. */
export function isOpenToOthers({ mode }: Pick<EntryStatus, 'mode'>): boolean {
  return (mode & 0o022) !== 0
}

/** The user who runs this. Undefined on Windows, where Node sees neither owners nor rights. */
export function thisUser(): number | undefined {
  return process.geteuid?.()
}
