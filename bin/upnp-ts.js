#!/usr/bin/env node
// CommonJS on purpose (see package.json beside this file): an ES module as entry point starts 4 ms later.
const { writeSync } = require('node:fs')
const { join } = require('node:path')

const BUNDLE = join(__dirname, '../dist/bin/')
const argv = process.argv.slice(2)

async function start() {
  const { exports: program, keep } = require(`${BUNDLE}code-cache.js`).loadCached(`${BUNDLE}upnp-ts.js`, require)
  process.exitCode = await program.main(argv)
  if (process.exitCode === 0) keep() // a command that failed has not run what the next one needs
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

/** The version or the usage text, if that is all that is asked for; the build has made them. */
function plainAnswer([word, ...others]) {
  if (others.length > 0 || !/^(?:-V|--version|-h|--help)$/.test(word)) return undefined
  const { version, help } = require(`${BUNDLE}plain-answers.js`)
  return word === '-V' || word === '--version' ? version : help
}

const answer = plainAnswer(argv)
if (answer === undefined || !print(answer)) start()
