#!/usr/bin/env node
// CommonJS on purpose (see package.json beside this file): an ES module as entry point starts 4 ms later.
const {
  closeSync,
  existsSync,
  fstatSync,
  lstatSync,
  openSync,
  readFileSync,
  readSync,
  statSync,
  writeSync,
} = require('node:fs')
const { dirname, isAbsolute, join } = require('node:path')

const HEAD = '(function(exports,require,module){'
const TAIL = '\n})'
const BUNDLE = join(__dirname, '../dist/bin/')
const argv = process.argv.slice(2)

function start() {
  const directory = cacheDirectory()
  // Node 20 has no compile cache of its own, and node:module costs it 2 ms to load.
  if (!process.version.startsWith('v20.')) {
    if (directory !== undefined) require('node:module').enableCompileCache?.(directory)
    return run(require)
  }
  return directory === undefined ? run(require) : runCached(directory)
}

/** Never the system's temporary directory, which is Node's choice: code is loaded from it, and others may write there. */
function cacheDirectory() {
  const { env } = process
  if (process.getuid === undefined || env.NODE_DISABLE_COMPILE_CACHE === '1') return undefined
  const parent = [env.XDG_CACHE_HOME, env.HOME && join(env.HOME, '.cache')].find((each) => each && isAbsolute(each))
  return parent && !isForeignToRoot(parent) ? join(parent, 'upnp-ts') : undefined
}

/** A sudo that keeps HOME: what is found there is for another user to decide. */
function isForeignToRoot(directory) {
  if (process.getuid() !== 0) return false
  if (lstatSync(directory, { throwIfNoEntry: false })?.uid) return true
  return existsSync(directory) ? statSync(directory).uid !== 0 : isForeignToRoot(dirname(directory))
}

async function run(load, afterwards = () => {}) {
  process.exitCode = await load(`${BUNDLE}upnp-ts.js`).main(argv)
  afterwards()
}

/** Loads the bundle with what V8 made of it the last time, and keeps what it makes of it now if there was nothing. */
function runCached(directory) {
  const { Script } = require('node:vm')
  const path = `${BUNDLE}upnp-ts.js`
  const code = readWrapped(path)
  const name = `upnp-ts-${process.version}-${process.arch}`
  // V8 compares its version and the length of the code; the first line of a file is the hash of the rest.
  const key = `${code.slice(HEAD.length, code.indexOf('\n'))} ${encodeURI(process.execPath)}`
  const cachedData = isPrivate(directory) ? readKept(join(directory, name), key) : undefined
  const script = new Script(code, { filename: path, cachedData })
  const module = { exports: {} }
  const load = () => {
    script.runInThisContext().call(module.exports, module.exports, require, module)
    return module.exports
  }
  return run(load, () => {
    if (cachedData !== undefined && !script.cachedDataRejected) return
    require(`${BUNDLE}code-cache.js`).keepCompiled(directory, [{ name, key, script }])
  })
}

/** A file of the bundle as a function, put together before it is a string: strings of this size make V8 collect garbage. */
function readWrapped(path) {
  const file = openSync(path)
  const { size } = fstatSync(file)
  const bytes = Buffer.allocUnsafe(HEAD.length + size + TAIL.length)
  bytes.latin1Write(HEAD)
  if (readSync(file, bytes, HEAD.length, size, 0) !== size) throw new Error(`${path} cannot be read`)
  bytes.latin1Write(TAIL, HEAD.length + size)
  closeSync(file)
  return bytes.latin1Slice() // esbuild writes ASCII
}

function isPrivate(directory) {
  const status = lstatSync(directory, { throwIfNoEntry: false })
  return status?.isDirectory() && status.uid === process.getuid() && (status.mode & 0o022) === 0
}

/** It is there twice: V8 does not look for damage, and would run it. */
function readKept(path, key) {
  try {
    const kept = readFileSync(path)
    const end = kept.length - key.length
    const [one, other] = [kept.subarray(0, end / 2), kept.subarray(end / 2, end)]
    return kept.latin1Slice(end) === key && one.equals(other) ? one : undefined
  } catch {
    return undefined
  }
}

/**
 * Whether the answer is printed: without Node's streams, which take 3 ms to open. They are for a pipe that is full; what
 * cannot be written is left to main(), which says why.
 */
function print(answer) {
  const bytes = Buffer.from(answer)
  let written = 0
  try {
    while (written < bytes.length) written += writeSync(1, bytes, written)
  } catch (error) {
    if (error.code !== 'EAGAIN') return false
    process.stdout.write(bytes.subarray(written))
  }
  return true
}

const isPlain = argv.length === 1 && /^(-V|-h|--version|--help)$/.test(argv[0])
if (!isPlain || !print(require(`${BUNDLE}plain-answers.js`).plainAnswer(argv))) start()
