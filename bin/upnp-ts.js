#!/usr/bin/env node
// CommonJS on purpose (see package.json beside this file): an ES module as entry point starts 4 ms later.
// Node 20 has no compile cache, and node:module costs it 2 ms to load.
if (!process.version.startsWith('v20.')) require('node:module').enableCompileCache?.()
require('../dist/bin/upnp-ts.js')
  .main(process.argv.slice(2))
  .then((exitCode) => {
    process.exitCode = exitCode
  })
