#!/usr/bin/env node
// @ts-check
/**
 * Runs the bundle with the code that V8 compiled the last time, which saves a quarter of a short command. (Node's own
 * cache, module.enableCompileCache since Node 22, keeps less than half as much and does not check permissions.)
 *
 * Code is loaded from the cache, so only this user and root may be able to write to its directory, or to any directory
 * above it. Nothing depends on the cache: if it cannot be read or written, the bundle is compiled. Windows has none.
 *
 * This is CommonJS (see package.json beside it), because an ES module as entry point starts 4 ms later, and one file,
 * because a second one takes 0.4 ms to load on Node 20 and 1.8 ms on Node 24.
 */

// Nobody asks with these for an end: Node would open its debugger at the first, and the second would end the program.
if (require.main === module) for (const name of ['SIGUSR1', 'SIGUSR2']) process.on(name, () => {})

const {
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readlinkSync,
  readSync,
  renameSync,
  unlinkSync,
  writeSync,
} = require('node:fs')
const { basename, dirname, isAbsolute, join } = require('node:path')

const BUNDLE = join(__dirname, '../dist/bin/')

/** @param {readonly string[]} argv */
async function start(argv) {
  const { exports: program, keep } = loadCached(`${BUNDLE}upnp-ts.js`, require)
  process.exitCode = await program.main(argv)
  // While Node clears up, a signal that was heard already would end the program with another status.
  process.once('exit', (code) => process.exit(code))
  // Compiled code is stored only after success: a command that failed has not run all the code that the next one needs.
  if (process.exitCode === 0) keep()
}

/**
 * Prints without Node's streams, which take 3 ms to open, unless a full pipe makes them necessary. Returns whether it
 * could print; if not, main() tries again and says why.
 * @param {string} answer
 */
function print(answer) {
  const bytes = Buffer.from(answer)
  let written = 0
  try {
    while (written < bytes.length) written += writeSync(1, bytes, written)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) return false
    process.stdout.write(bytes.subarray(written))
  }
  return true
}

/**
 * The version, the first screen of help or a script for a shell, which the build has made, if the command line asks for
 * nothing else, and the terminal is as wide as they were made for.
 * @param {readonly string[]} argv
 */
function plainAnswer(argv) {
  const [word = ''] = argv
  if (argv.length > 2 || !/^(?:-V|--version|-h|--help|help|completion)$/.test(word)) return undefined
  const { answers, columns } = require(`${BUNDLE}plain-answers.js`)
  const answer = Object.hasOwn(answers, argv.join(' ')) ? answers[argv.join(' ')] : undefined
  const isHelp = /^(?:-h|--help|help)$/.test(word) && answer !== undefined
  return isHelp && ![undefined, columns].includes(columnsOfTerminal()) ? undefined : answer
}

/** Undefined if stdout is no terminal. To load node:tty takes a millisecond, and most of what is no terminal is no device. */
function columnsOfTerminal() {
  if (!fstatSync(1).isCharacterDevice() || !require('node:tty').isatty(1)) return undefined
  return process.stdout.columns || undefined
}

/** How many commands add to the stored code: each of them runs other parts of the bundle. */
const COMMANDS_KEPT = 3

/**
 * Runs a CommonJS file. `keep` stores what V8 has compiled so far, for the next start; it does nothing once enough
 * commands have added to it. `load` is the file's `require`.
 *
 * @type {(path: string, load: (path: string) => unknown, env?: NodeJS.ProcessEnv, user?: number) => { exports: any, keep: () => void }}
 */
function loadCached(path, load, env = process.env, user = process.geteuid?.()) {
  const directory = directoryOf(env)
  if (user === undefined || directory === undefined) return { exports: load(path), keep() {} }
  const code = readWrapped(path)
  const name = `upnp-ts-${process.version}-${process.arch}`
  // V8 compares its version and the length of the code; the first line of the file is the hash of the rest.
  const key = Buffer.from(`${code.slice(HEAD.length, code.indexOf('\n'))} ${encodeURI(process.execPath)}`)
  const kept = readKept(directory, name, key, user)
  const { Script } = require('node:vm')
  const script = new Script(code, { filename: path, ...(kept && { cachedData: kept.compiled }) })
  const module = { exports: {} }
  Reflect.apply(script.runInThisContext(), module.exports, [module.exports, load, module])
  const commands = kept === undefined || script.cachedDataRejected === true ? 0 : kept.commands
  const end = Buffer.concat([Buffer.of(commands + 1), key])
  const keep = () => keepCompiled(directory, name, () => script.createCachedData(), end, user)
  return { exports: module.exports, keep: commands < COMMANDS_KEPT ? keep : () => {} }
}

/**
 * Never the system's temporary directory, which Node's own cache would use.
 * @param {NodeJS.ProcessEnv} env
 */
function directoryOf({ XDG_CACHE_HOME = '', HOME = '', NODE_DISABLE_COMPILE_CACHE }) {
  const parent = [XDG_CACHE_HOME, join(HOME, '.cache')].find(isAbsolute)
  return parent === undefined || NODE_DISABLE_COMPILE_CACHE === '1' ? undefined : join(parent, 'upnp-ts')
}

const HEAD = '(function(exports,require,module){'
const TAIL = '\n})'

/**
 * Wraps the file in a function while it is still bytes: joining strings of this size makes V8 collect garbage.
 * @param {string} path
 */
function readWrapped(path) {
  const file = openSync(path, 'r')
  const { size } = fstatSync(file)
  const bytes = Buffer.allocUnsafe(HEAD.length + size + TAIL.length)
  bytes.write(HEAD, 'latin1')
  const isWhole = readSync(file, bytes, HEAD.length, size, 0) === size
  closeSync(file)
  if (!isWhole) throw new Error(`${path} cannot be read`)
  bytes.write(TAIL, HEAD.length + size, 'latin1')
  return bytes.toString('latin1') // esbuild writes ASCII
}

/**
 * The compiled code, and how many commands have added to it. The file holds the code twice: V8 does not look for
 * damage, and would run damaged code.
 * @type {(directory: string, name: string, key: Buffer, user: number) => { compiled: Buffer, commands: number } | undefined}
 */
function readKept(directory, name, key, user) {
  try {
    return within(directory, user, (place) => {
      const kept = readOwn(join(place, name), user)
      const end = kept.length - key.length - 1
      const [compiled, again] = [kept.subarray(0, end / 2), kept.subarray(end / 2, end)]
      const isWhole = end > 0 && kept.subarray(end + 1).equals(key) && compiled.equals(again)
      return isWhole ? { compiled, commands: kept.readUInt8(end) } : undefined
    })
  } catch {
    return undefined
  }
}

/** @type {(path: string, user: number) => Buffer} @throws Error unless only this user can have written the file */
function readOwn(path, user) {
  const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    const status = fstatSync(file)
    if (!status.isFile() || status.nlink !== 1 || status.uid !== user || isOpenToOthers(status))
      throw new Error(`${path} may be somebody else's work`)
    return readFileSync(file)
  } finally {
    closeSync(file)
  }
}

/** @type {(directory: string, name: string, compile: () => Buffer, end: Buffer, user: number) => void} */
function keepCompiled(directory, name, compile, end, user) {
  try {
    for (const each of [dirname(directory), directory]) {
      const place = join(safePath(dirname(each), user), basename(each))
      if (!existsSync(place)) mkdirSync(place, { mode: 0o700 })
    }
    within(directory, user, (place) => {
      const compiled = compile()
      writeAtOnce(place, name, Buffer.concat([compiled, compiled, end]))
    })
  } catch {}
}

/**
 * The file appears whole, even after a power cut.
 * @type {(place: string, name: string, bytes: Uint8Array) => void}
 */
function writeAtOnce(place, name, bytes) {
  const temporary = join(place, `.${name}-${process.pid}`)
  const file = openSync(temporary, 'wx', 0o600)
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at)
    fsyncSync(file)
    renameSync(temporary, join(place, name))
  } catch (error) {
    unlinkSync(temporary)
    throw error
  } finally {
    closeSync(file)
  }
}

const DIRECTORY_FLAGS = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW

/**
 * Calls `use` with a path that nobody can redirect to another directory; without /proc, it is the plain path. Returns
 * undefined if others may write to the directory: it is closed to them, and not used this time.
 * @template T
 * @param {string} directory @param {number} user @param {(place: string) => T} use
 * @returns {T | undefined}
 * @throws Error if the directory is not this user's alone, and from node:fs
 */
function within(directory, user, use) {
  const path = join(safePath(dirname(directory), user), basename(directory))
  const opened = openSync(path, DIRECTORY_FLAGS) // fails if it is a link
  try {
    const status = fstatSync(opened)
    if (status.uid !== user) throw new Error(`${path} is another user's`)
    if (!isOpenToOthers(status)) return use(process.platform === 'linux' ? `/proc/self/fd/${opened}` : path)
    fchmodSync(opened, 0o700)
    return undefined
  } finally {
    closeSync(opened)
  }
}

const MAX_LINKS = 40

/**
 * The path without links, if only that user and root decide what is found there, and in the directories above it: they
 * own them, and nobody else may write to them. A sticky directory of theirs, such as /tmp, passes: everybody can create a
 * file there, but not remove another user's. A link counts if one of the two has made it where nobody else can make one.
 * From the root down, so what has passed cannot be replaced. (src/net/files/own-directory.ts has the same rules.)
 * @param {string} path @param {number} user
 * @param {(path: string) => import('node:fs').Stats} look @param {(path: string) => string} readLink
 * @throws Error
 */
function safePath(path, user, look = (at) => lstatSync(at), readLink = (at) => readlinkSync(at)) {
  const names = ['/', ...path.split('/')].reverse()
  let [place, links] = ['', 0]
  while (names.length > 0) {
    const name = names.pop() ?? ''
    if (name === '..') place = dirname(place)
    if (['', '.', '..'].includes(name)) continue
    const at = join(place, name)
    const status = look(at)
    const isLink = status.isSymbolicLink()
    const isSticky = (status.mode & 0o1000) !== 0
    const isSafe = isLink ? !isOpenToOthers(look(place)) && ++links <= MAX_LINKS : isSticky || !isOpenToOthers(status)
    if (!isSafe || (status.uid !== user && status.uid !== 0)) throw new Error(`others decide about ${at}`)
    if (isLink) {
      const target = readLink(at)
      if (isAbsolute(target)) place = '/'
      names.push(...target.split('/').reverse())
    } else place = at
  }
  return place
}

/** @param {{ mode: number }} status */
function isOpenToOthers({ mode }) {
  return (mode & 0o022) !== 0
}

/** For tests. */
module.exports = { COMMANDS_KEPT, loadCached, safePath }

if (require.main === module) {
  const argv = process.argv.slice(2)
  const answer = plainAnswer(argv)
  if (answer === undefined || !print(answer)) start(argv)
}
