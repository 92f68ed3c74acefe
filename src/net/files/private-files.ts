/**
 * Small private files of this user that outlive the process, in a directory of their own. A file appears whole or not
 * at all. Nobody else can read it (if the file system has modes), and what somebody else can have had a hand in is not
 * read. There is no fsync: after a power cut a file may be empty, and whoever reads it must be ready for that.
 *
 * All calls are synchronous inside: the files are small, and node:fs is the one module that costs nothing to load.
 */
import {
  closeSync,
  fchmodSync,
  fstatSync,
  linkSync,
  lstatSync,
  openSync,
  readdirSync,
  renameSync,
  type Stats,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { homedir } from 'node:os'
import { join, posix, win32 } from 'node:path'
import { TransportError } from '../../domain/errors.js'
import { codeOf } from '../system-error.js'
import { isOpenToOthers, thisUser } from './followed-links.js'
import { ownDirectory, ownDirectoryMade } from './own-directory.js'
import { MAX_FILE_BYTES, readRegularFile } from './regular-file.js'

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
 * @throws TransportError if there is no home directory either
 */
export function stateDirectoryOf(
  env: Readonly<Record<string, string | undefined>>,
  platform: string,
  homeDirectory: string,
): string {
  const { isAbsolute, join: joined } = platform === 'win32' ? win32 : posix
  const fallback = platform === 'win32' ? env.LOCALAPPDATA : undefined
  const given = [env.XDG_STATE_HOME, fallback].find((each) => each !== undefined && isAbsolute(each))
  if (given !== undefined) return joined(given, 'upnp-ts')
  if (!isAbsolute(homeDirectory))
    throw new TransportError('there is no home directory to keep files in: set XDG_STATE_HOME')
  return joined(homeDirectory, ...(platform === 'win32' ? ['AppData', 'Local'] : ['.local', 'state']), 'upnp-ts')
}

type Link = (existing: string, path: string) => void

/** `link` makes a hard link. Tests replace it, and say who runs this. */
export function privateFiles(place: string | (() => string), link: Link = linkSync, user = thisUser()): PrivateFiles {
  let known: string | undefined
  const directoryNow = (): string => {
    known ??= typeof place === 'string' ? place : place()
    return known
  }
  const attempt = <T>(verb: string, name: string, action: (directory: string) => T): T => {
    let path = name
    try {
      path = join(directoryNow(), name)
      return action(directoryNow())
    } catch (cause) {
      if (cause instanceof TransportError) throw cause
      throw new TransportError(`cannot ${verb} ${path}: ${codeOf(cause) || String(cause)}`, { cause })
    }
  }
  const mustBeName = (name: string): void => {
    if (!NAME.test(name)) throw new RangeError(`${JSON.stringify(name)} cannot be the name of a private file`)
  }
  /** Undefined if there is no directory. */
  const at = <T>(verb: string, name: string, action: (directory: string, path: string) => T): T | undefined => {
    mustBeName(name)
    return attempt(verb, name, (directory) => {
      const own = ownDirectory(directory, user)
      return own === undefined ? undefined : action(own, join(own, name))
    })
  }
  const atMade = <T>(verb: string, name: string, text: string, action: (directory: string, path: string) => T): T => {
    mustBeName(name)
    return attempt(verb, name, (directory) => {
      if (Buffer.byteLength(text) > MAX_FILE_BYTES)
        throw new TransportError(`will not write more than ${MAX_FILE_BYTES} bytes to a file in ${directory}`)
      const own = ownDirectoryMade(directory, user)
      return action(own, join(own, name))
    })
  }
  return {
    get directory() {
      return directoryNow()
    },
    read: async (name) => at('read', name, (directory, path) => readPrivate(directory, path, user)),
    write: async (name, text) =>
      atMade('write', name, text, (directory, path) =>
        throughTemporary(directory, text, (made) => renameSync(made, path)),
      ),
    createOnce: async (name, text) =>
      atMade('create', name, text, (directory, path) => createOrRead(directory, path, text, link, user)),
    remove: async (name) => at('remove', name, (_, path) => unlessCode('ENOENT', () => unlinkSync(path))),
    async list(prefix) {
      const found = attempt('list', '', (directory) => {
        const own = ownDirectory(directory, user)
        return own === undefined ? [] : unlessCode('ENOENT', () => readdirSync(own, { withFileTypes: true }))
      })
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

function readPrivate(directory: string, path: string, user: number | undefined): string | undefined {
  return readRegularFile(path, (status, file) => {
    if (user === undefined) return
    if (status.uid !== user) throw new TransportError(`will not read ${path}: it belongs to user ${status.uid}`)
    if (isOpenToOthers(status)) throw new TransportError(`will not read ${path}: others may write to it`)
    if (status.nlink > 1 && hasOtherNames(directory, file))
      throw new TransportError(`will not read ${path}: it has another name elsewhere`)
    tighten(status, file)
  })
}

/** createOnce makes a file with two names: if it was killed then, the temporary one is still there. */
function hasOtherNames(directory: string, file: number): boolean {
  const { dev, ino } = fstatSync(file)
  const temporary = readdirSync(directory).filter((name) => name.startsWith('.'))
  for (const path of temporary.map((name) => join(directory, name))) {
    const status = lstatSync(path, { throwIfNoEntry: false })
    if (status?.dev === dev && status.ino === ino) discard(path)
  }
  return fstatSync(file).nlink > 1
}

/** Removes the temporary file if `put` fails. Its name need not be secret, and node:crypto takes 5 ms to load. */
function throughTemporary<T>(directory: string, text: string, put: (temporary: string) => T): T {
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

function createOrRead(directory: string, path: string, text: string, link: Link, user: number | undefined): string {
  for (let attempts = 0; attempts < MAX_CREATE_ATTEMPTS; attempts++) {
    const present = readPrivate(directory, path, user)
    if (present !== undefined) return present
    if (throughTemporary(directory, text, (temporary) => linkInto(temporary, path, text, link))) return text
  }
  throw new TransportError(`cannot create ${path}: it comes and goes`)
}

/** A hard link has its content from the start, and never replaces a file. Returns false if there is one. */
function linkInto(temporary: string, path: string, text: string, link: Link): boolean {
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

/** Takes away the rights of others. A file system without modes refuses, and nothing can be done about that. */
function tighten({ mode }: Stats, file: number): void {
  if ((mode & 0o077) === 0) return
  try {
    fchmodSync(file, 0o600)
  } catch {}
}
