/**
 * Small private files of this user that outlive the process, in one directory of their own. A file appears whole or not
 * at all; nobody else can read it (where the file system has modes), and what somebody else has put there is not read.
 * There is no fsync: after a power cut a file may be empty, and whoever reads one must be ready for that.
 *
 * All calls are synchronous inside: the files are small, and node:fs is the one module that costs nothing to load.
 */
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  linkSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { homedir } from 'node:os'
import { join, posix, win32 } from 'node:path'
import { TransportError } from '../../domain/errors.js'
import { codeOf } from '../system-error.js'
import { isForeignToRoot, makeDirectory, strangerOf, tighten } from './private-directory.js'

/** Of one file. */
export const MAX_FILE_BYTES = 64 * 1024

/** A name never begins with a dot, so that temporary files can. Two that differ in case only may be one file. */
const NAME = /^[A-Za-z0-9_%-][A-Za-z0-9._%-]{0,199}$/

/** How often a file may vanish just after it was there, before createOnce gives up. */
const MAX_CREATE_ATTEMPTS = 8

/**
 * Small private files of this user that outlive the process. An interface that tests keep in memory.
 * Every method throws RangeError for a name that is not of letters, digits and `._%-`: a defect of the caller.
 */
export interface PrivateFiles {
  /** Undefined where there is no such file. @throws TransportError where it cannot be read, or is larger than MAX_FILE_BYTES */
  read(name: string): Promise<string | undefined>
  /** The whole file or nothing of it, mode 0600, in a directory of mode 0700. @throws TransportError */
  write(name: string, text: string): Promise<void>
  /** As write, but whoever comes first wins: what is in the file afterwards is returned. @throws TransportError */
  createOnce(name: string, text: string): Promise<string>
  /** No error where there is none. @throws TransportError */
  remove(name: string): Promise<void>
  /** The names that begin with it, sorted. @throws TransportError */
  list(prefix: string): Promise<string[]>
  /** For messages. */
  readonly directory: string
}

/**
 * XDG_STATE_HOME goes first everywhere, where it is absolute (XDG Base Directory Specification: otherwise it is to be
 * ignored). macOS has no place of its own here: one that is the same wherever there is a shell is simpler to find.
 * @throws TransportError if the user has no home directory either, or the user is root and it is another user's
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

/** `link` makes a hard link; tests take it away. */
export function privateFiles(directory: string, link: typeof linkSync = linkSync): PrivateFiles {
  const at = <T>(verb: string, name: string, action: (path: string) => T): T => {
    if (!NAME.test(name)) throw new RangeError(`${JSON.stringify(name)} cannot be the name of a private file`)
    const path = join(directory, name)
    return attempt(verb, path, () => {
      mustBeOurs(directory)
      return action(path)
    })
  }
  return {
    directory,
    read: async (name) => at('read', name, readPrivate),
    write: async (name, text) =>
      at('write', name, (path) => throughTemporary(directory, text, (temporary) => renameSync(temporary, path))),
    createOnce: async (name, text) => at('create', name, (path) => createOrRead(directory, path, text, link)),
    remove: async (name) => at('remove', name, (path) => unlessCode('ENOENT', () => unlinkSync(path))),
    async list(prefix) {
      const found = attempt('list', directory, () => {
        mustBeOurs(directory)
        return unlessCode('ENOENT', () => readdirSync(directory, { withFileTypes: true }))
      })
      const names = (found ?? []).filter((each) => each.isFile()).map(({ name }) => name)
      return names.filter((name) => name.startsWith(prefix) && NAME.test(name)).sort()
    },
  }
}

let own: PrivateFiles | undefined

function ownFiles(): PrivateFiles {
  own ??= privateFiles(stateDirectoryOf(process.env, process.platform, homeOrNone()))
  return own
}

function homeOrNone(): string {
  try {
    return homedir()
  } catch {
    return '' // neither HOME nor an entry for this user, as in some containers
  }
}

/** The user's own, decided at first use. */
export const userPrivateFiles: PrivateFiles = {
  read: async (name) => ownFiles().read(name),
  write: async (name, text) => ownFiles().write(name, text),
  createOnce: async (name, text) => ownFiles().createOnce(name, text),
  remove: async (name) => ownFiles().remove(name),
  list: async (prefix) => ownFiles().list(prefix),
  get directory() {
    return ownFiles().directory
  },
}

function mustBeOurs(directory: string): void {
  const stranger = strangerOf(directory)
  if (stranger !== undefined) throw new TransportError(`will not use ${directory}: it is of another user, ${stranger}`)
}

function attempt<T>(verb: string, path: string, action: () => T): T {
  try {
    return action()
  } catch (cause) {
    if (cause instanceof TransportError) throw cause
    throw new TransportError(`cannot ${verb} ${path}: ${codeOf(cause) || String(cause)}`, { cause })
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

/** Neither follows a symbolic link nor waits at a pipe; Windows has neither flag. */
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
  if (!status.isFile()) throw new TransportError(`cannot read ${path}: it is no regular file`)
  const user = process.getuid?.()
  if (user === undefined) return
  if (status.uid !== user) throw new TransportError(`will not read ${path}: it is of another user, ${status.uid}`)
  tighten(status.mode, 0o600, (wanted) => fchmodSync(file, wanted))
}

/** Does not trust the size that the file had a moment ago. */
function readBounded(path: string, file: number): string {
  const bytes = Buffer.alloc(MAX_FILE_BYTES + 1)
  let length = 0
  for (;;) {
    const more = readSync(file, bytes, length, bytes.length - length, null)
    length += more
    if (length > MAX_FILE_BYTES)
      throw new TransportError(`cannot read ${path}: it is larger than ${MAX_FILE_BYTES} bytes`)
    if (more === 0) return bytes.toString('utf8', 0, length)
  }
}

/** What `put` leaves of the temporary file is removed. Its name need not be secret, and node:crypto takes 5 ms to load. */
function throughTemporary<T>(directory: string, text: string, put: (temporary: string) => T): T {
  if (Buffer.byteLength(text) > MAX_FILE_BYTES)
    throw new TransportError(`more than ${MAX_FILE_BYTES} bytes for a file in ${directory}`)
  makeDirectory(directory)
  const temporary = join(directory, `.${process.pid}-${Math.random().toString(36).slice(2)}`)
  try {
    writeFileSync(temporary, text, { flag: 'wx', mode: 0o600 })
    return put(temporary)
  } finally {
    discard(temporary)
  }
}

function discard(path: string): void {
  try {
    unlinkSync(path)
  } catch {} // was renamed; or was never made
}

function createOrRead(directory: string, path: string, text: string, link: typeof linkSync): string {
  for (let attempts = 0; attempts < MAX_CREATE_ATTEMPTS; attempts++) {
    const present = readPrivate(path)
    if (present !== undefined) return present
    if (throughTemporary(directory, text, (temporary) => linkInto(temporary, path, text, link))) return text
  }
  throw new TransportError(`cannot create ${path}: it comes and goes`)
}

/** A hard link has its content from the start, and never takes the place of a file. False where there is one. */
function linkInto(temporary: string, path: string, text: string, link: typeof linkSync): boolean {
  try {
    link(temporary, path)
    return true
  } catch (error) {
    return codeOf(error) !== 'EEXIST' && createDirectly(path, text)
  }
}

/** FAT, Android and some network shares have no hard links, each with another code. Here a reader can come too early. */
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
