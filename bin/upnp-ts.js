#!/usr/bin/env node
// CommonJS on purpose (see package.json beside this file): an ES module as entry point starts 4 ms later.
require('node:module').enableCompileCache?.()
require('../dist/bin/upnp-ts.cjs')
  .main(process.argv.slice(2))
  .then((exitCode) => {
    process.exitCode = exitCode
  })
