/**
 * Small private files of this user that outlive the process, in a directory of their own. A file appears whole or not
 * at all. Nobody else can read it (if the file system has modes), and a file that somebody else put there is not read.
 * There is no fsync: after a power cut a file may be empty, and whoever reads it must be ready for that.
 *
 * All calls are synchronous inside: the files are small, and node:fs is the one module that costs nothing to load.
 */
import {
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fstatSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join, posix, win32 } from 'node:path'
import { TransportError } from '../../domain/errors.js'
import { codeOf } from '../system-error.js'

/** The limit for one file. */
export const MAX_FILE_BYTES = 64 * 1024

/** Only temporary files begin with a dot. Two names that differ only in case may be one file. */
const NAME = /^[A-Za-z0-9_%-][A-Za-z0-9._%-]{0,199}$/

/** How often a file may vanish right after it was seen, before createOnce gives up. */
const MAX_CREATE_ATTEMPTS = 8

/** A name with anything but letters, digits and `._%-` is a defect of the caller: every method throws RangeError. */
export interface PrivateFiles {
  /** Undefined if there is no such file. @throws TransportError if it cannot be read, or exceeds MAX_FILE_BYTES */
  read(name: string): Promise<string | undefined>
  /** Writes the whole file or nothing, with mode 0600, in a directory of mode 0700. @throws TransportError */
  write(name: string, text: string): Promise<void>
  /** Like write, but the first writer wins. Returns what is in the file afterwards. @throws TransportError */
  createOnce(name: string, text: string): Promise<string>
  /** Does nothing if there is no such file. @throws TransportError */
  remove(name: string): Promise<void>
  /** The names that begin with `prefix`, sorted. @throws TransportError */
  list(prefix: string): Promise<string[]>
  /** For messages. */
  readonly directory: string
}

/**
 * XDG_STATE_HOME comes first on every system, if it is absolute (the XDG Base Directory Specification says to ignore
 * any other). macOS uses the same place as the other systems with a shell, which is easier to find.
 * @throws TransportError if there is no home directory either, or if the user is root and the directory another user's
 */
export function stateDirectoryOf(
  env: Readonly<Record<string, string | undefined>>,
  platform: NodeJS.Platform,
  homeDirectory: string,
  isForeign: (directory: string) => boolean = isForeignToRoot,
): string {
  const { isAbsolute, join: joined } = platform === 'win32' ? win32 : posix
  const fallback = platform === 'win32' ? env.LOCALAPPDATA : undefined
  const given = [env.XDG_STATE_HOME, fallback].find((each) => each !== undefined && isAbsolute(each))
  const base = given ?? homeDirectory
  if (!isAbsolute(base)) throw new TransportError('there is no home directory to keep files in: set XDG_STATE_HOME')
  if (isForeign(base))
    throw new TransportError(`root keeps no files in ${base}, which is another user's: set HOME or XDG_STATE_HOME`)
  if (given !== undefined) return joined(given, 'upnp-ts')
  return joined(homeDirectory, ...(platform === 'win32' ? ['AppData', 'Local'] : ['.local', 'state']), 'upnp-ts')
}

/** `link` makes a hard link; tests replace it. */
export function privateFiles(place: string | (() => string), link: typeof linkSync = linkSync): PrivateFiles {
  let known: string | undefined
  const directoryNow = (): string => {
    known ??= typeof place === 'string' ? place : place()
    return known
  }
  const attempt = <T>(verb: string, name: string, action: (path: string, directory: string) => T): T => {
    let path = name
    try {
      const directory = directoryNow()
      path = join(directory, name)
      const stranger = strangerOf(directory)
      if (stranger !== undefined) throw new TransportError(`will not use ${directory}: it belongs to user ${stranger}`)
      return action(path, directory)
    } catch (cause) {
      if (cause instanceof TransportError) throw cause
      throw new TransportError(`cannot ${verb} ${path}: ${codeOf(cause) || String(cause)}`, { cause })
    }
  }
  const at: typeof attempt = (verb, name, action) => {
    if (!NAME.test(name)) throw new RangeError(`${JSON.stringify(name)} cannot be the name of a private file`)
    return attempt(verb, name, action)
  }
  return {
    get directory() {
      return directoryNow()
    },
    read: async (name) => at('read', name, readPrivate),
    write: async (name, text) =>
      at('write', name, (path, directory) => throughTemporary(directory, text, (made) => renameSync(made, path))),
    createOnce: async (name, text) =>
      at('create', name, (path, directory) => createOrRead(directory, path, text, link)),
    remove: async (name) => at('remove', name, (path) => unlessCode('ENOENT', () => unlinkSync(path))),
    async list(prefix) {
      const found = attempt('list', '', (directory) =>
        unlessCode('ENOENT', () => readdirSync(directory, { withFileTypes: true })),
      )
      const names = (found ?? []).filter((each) => each.isFile()).map(({ name }) => name)
      return names.filter((name) => name.startsWith(prefix) && NAME.test(name)).sort()
    },
  }
}

/** The files of the user who runs this. Their directory is determined at first use. */
export const userPrivateFiles = privateFiles(() => stateDirectoryOf(process.env, process.platform, homeOrNone()))

function homeOrNone(): string {
  try {
    return homedir()
  } catch {
    return '' // neither HOME nor an entry for this user, as in some containers
  }
}

function unlessCode<T>(code: string, action: () => T): T | undefined {
  try {
    return action()
  } catch (error) {
    if (codeOf(error) === code) return undefined
    throw error
  }
}

/** Follows no symbolic link, and does not wait for a pipe. Windows has neither flag. */
const READ_FLAGS = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)

function readPrivate(path: string): string | undefined {
  const file = unlessCode('ENOENT', () => openSync(path, READ_FLAGS))
  if (file === undefined) return undefined
  try {
    mustBePrivate(path, file)
    return readBounded(path, file)
  } finally {
    closeSync(file)
  }
}

function mustBePrivate(path: string, file: number): void {
  const status = fstatSync(file)
  if (!status.isFile()) throw new TransportError(`cannot read ${path}: it is not a regular file`)
  const user = process.getuid?.()
  if (user === undefined) return
  if (status.uid !== user) throw new TransportError(`will not read ${path}: it belongs to user ${status.uid}`)
  tighten(status.mode, 0o600, (wanted) => fchmodSync(file, wanted))
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

/** Removes the temporary file if `put` fails. Its name need not be secret, and node:crypto takes 5 ms to load. */
function throughTemporary<T>(directory: string, text: string, put: (temporary: string) => T): T {
  if (Buffer.byteLength(text) > MAX_FILE_BYTES)
    throw new TransportError(`will not write more than ${MAX_FILE_BYTES} bytes to a file in ${directory}`)
  makeDirectory(directory)
  const temporary = join(directory, `.${process.pid}-${Math.random().toString(36).slice(2)}`)
  try {
    writeFileSync(temporary, text, { flag: 'wx', mode: 0o600 })
    return put(temporary)
  } catch (error) {
    discard(temporary)
    throw error
  }
}

/** Removes a file that may not be there. */
export function discard(path: string): void {
  try {
    unlinkSync(path)
  } catch {}
}

function createOrRead(directory: string, path: string, text: string, link: typeof linkSync): string {
  for (let attempts = 0; attempts < MAX_CREATE_ATTEMPTS; attempts++) {
    const present = readPrivate(path)
    if (present !== undefined) return present
    if (throughTemporary(directory, text, (temporary) => linkInto(temporary, path, text, link))) return text
  }
  throw new TransportError(`cannot create ${path}: it comes and goes`)
}

/** A hard link has its content from the start, and never replaces a file. Returns false if there is one. */
function linkInto(temporary: string, path: string, text: string, link: typeof linkSync): boolean {
  try {
    link(temporary, path)
    return true
  } catch (error) {
    return codeOf(error) !== 'EEXIST' && createDirectly(path, text)
  } finally {
    discard(temporary)
  }
}

/** For FAT, Android and network shares without hard links; their error codes vary. A reader may come too early here. */
function createDirectly(path: string, text: string): boolean {
  const file = unlessCode('EEXIST', () => openSync(path, 'wx', 0o600))
  if (file === undefined) return false
  try {
    writeFileSync(file, text)
    return true
  } catch (error) {
    discard(path)
    throw error
  } finally {
    closeSync(file)
  }
}

/** For what is only a help: undefined if the files cannot be had. */
export async function unlessItFails<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof TransportError) return undefined
    throw error
  }
}

/** They vanish with the process: for an emulated gateway, and for tests. */
export function memoryFiles(): PrivateFiles {
  const texts = new Map<string, string>()
  return {
    directory: 'memory',
    read: (name) => Promise.resolve(texts.get(name)),
    async write(name, text) {
      texts.set(name, text)
    },
    async createOnce(name, text) {
      const known = texts.get(name) ?? text
      texts.set(name, known)
      return known
    },
    async remove(name) {
      texts.delete(name)
    },
    list: (prefix) => Promise.resolve([...texts.keys()].filter((name) => name.startsWith(prefix)).toSorted()),
  }
}

/** Windows has none of these flags, and no modes. */
const DIRECTORY_FLAGS = constants.O_RDONLY | (constants.O_DIRECTORY ?? 0) | (constants.O_NOFOLLOW ?? 0)

/** Makes it, and its parents, with mode 0700. A link is the user's own choice of a place: its target keeps its mode. */
function makeDirectory(directory: string): void {
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
function strangerOf(path: string, user = process.getuid?.()): number | undefined {
  if (user === undefined) return undefined
  const owners = [lstatSync, statSync].map((look) => look(path, { throwIfNoEntry: false })?.uid)
  return owners.find((owner) => owner !== undefined && owner !== user && owner !== 0)
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
  try {
    return make(directory)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT' || dirname(directory) === directory) throw error
  }
  makeMissing(dirname(directory))
  return make(directory)
}

function make(directory: string): boolean {
  try {
    mkdirSync(directory, { mode: 0o700 })
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  }
}

/** Takes away the rights of others. A file system without modes refuses, and nothing can be done about that. */
function tighten(mode: number, wanted: number, change: (mode: number) => void): void {
  if ((mode & 0o077) === 0) return
  try {
    change(wanted)
  } catch {}
}
