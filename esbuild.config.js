/**
 * Bundles the command line: dist/bin/upnp-ts.cjs starts fast because it is one CommonJS file, and what not every
 * command needs is a file of its own, loaded when it is needed: the HTTP client and the emulated gateway.
 * (The library, dist/index.js, is what tsc writes, unbundled.)
 */
import { build } from 'esbuild'

const common = {
  bundle: true,
  format: 'cjs',
  platform: 'node',
  target: 'node20',
  minify: true,
  // import() of a chunk becomes require(): the ES module loader alone costs 20 ms at start-up.
  supported: { 'dynamic-import': false },
  logLevel: 'warning',
}

/** import('undici') and import('…/emulator/index.js') in the start-up bundle lead to their own files. */
const chunks = {
  name: 'chunks',
  setup(bundler) {
    bundler.onResolve({ filter: /^undici$/ }, () => ({ path: './undici.cjs', external: true }))
    bundler.onResolve({ filter: /\/emulator\/index\.js$/ }, () => ({ path: './emulator.cjs', external: true }))
    // commander loads it for subcommands that are programs of their own; there are none.
    bundler.onResolve({ filter: /^node:child_process$/ }, ({ importer }) =>
      /[\\/]commander[\\/]/.test(importer) ? { path: 'nothing', namespace: 'stand-in' } : undefined,
    )
    bundler.onLoad({ filter: /^nothing$/, namespace: 'stand-in' }, () => ({
      contents: 'module.exports = {}',
      loader: 'js',
    }))
  },
}

/**
 * Plain HTTP/1.1 with text bodies is all that a router is asked: undici's HTTP/2, TLS and FormData parts, and node:http
 * (of which it wants one number and one class), would cost 20 ms to load and never run. A stand-in for each; whatever
 * called one would fail at once.
 */
const plainHttpOnly = {
  name: 'plain-http-only',
  setup(bundler) {
    const standIns = {
      '/client-h2.js': 'module.exports = undefined',
      '/web/fetch/body.js': 'module.exports = {}',
      'node:http': 'module.exports = { maxHeaderSize: 16384, IncomingMessage: class {} }',
    }
    for (const [end, contents] of Object.entries(standIns)) {
      const filter = new RegExp(`${end.replaceAll('.', '\\.')}$`)
      bundler.onResolve({ filter }, () => ({ path: end, namespace: 'stand-in' }))
      bundler.onLoad({ filter, namespace: 'stand-in' }, () => ({ contents, loader: 'js' }))
    }
  },
}

await Promise.all([
  build({ ...common, entryPoints: ['src/cli/main.ts'], outfile: 'dist/bin/upnp-ts.cjs', plugins: [chunks] }),
  build({ ...common, entryPoints: ['src/emulator/index.ts'], outfile: 'dist/bin/emulator.cjs', plugins: [chunks] }),
  build({
    ...common,
    outfile: 'dist/bin/undici.cjs',
    plugins: [plainHttpOnly],
    stdin: {
      // undici's Client alone: a third of the loading time of all of undici.
      // Node 20 holds the process after the last reply until V8 has optimised the parser's WebAssembly (66 to 144 ms);
      // told to use its baseline compiler only, it leaves at once. A command line may set such a flag, a library not.
      contents: `
        if (Number(process.versions.node.split('.')[0]) < 22) require('node:v8').setFlagsFromString('--liftoff-only')
        exports.Client = require('undici/lib/dispatcher/client.js')
      `,
      resolveDir: '.',
    },
  }),
])
