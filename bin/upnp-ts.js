#!/usr/bin/env node
// This is CommonJS on purpose (see package.json beside it): an ES module as the entry point starts 4 ms later.
const { writeSync } = require('node:fs')
const { join } = require('node:path')

const BUNDLE = join(__dirname, '../dist/bin/')
const argv = process.argv.slice(2)

async function start() {
  const { exports: program, keep } = require(`${BUNDLE}code-cache.js`).loadCached(`${BUNDLE}upnp-ts.js`, require)
  process.exitCode = await program.main(argv)
  // Compiled code is stored only after success: a command that failed has not run all the code that the next one needs.
  if (process.exitCode === 0) keep()
}

/**
 * Prints without Node's streams, which take 3 ms to open, unless a full pipe makes them necessary. Returns whether it
 * could print; if not, main() tries again and says why.
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

/** The version or the usage text, which the build has made, if the command line asks for nothing else. */
function plainAnswer([word, ...others]) {
  if (others.length > 0 || !/^(?:-V|--version|-h|--help)$/.test(word)) return undefined
  const { version, help } = require(`${BUNDLE}plain-answers.js`)
  return word === '-V' || word === '--version' ? version : help
}

const answer = plainAnswer(argv)
if (answer === undefined || !print(answer)) start()
