/**
 * Bundles the command line into dist/bin: few minified CommonJS files. upnp-ts.js is what every command needs; what only
 * some need, or need only once the search is on its way, is a file of its own. Reading and compiling source is what
 * start-up costs most, every file some 0.7 ms, an ES module loader 20 ms. (The library, dist/index.js, is unbundled.)
 *
 * A module must not be there twice (`instanceof` would fail), and esbuild splits ES modules only, into many small files.
 * So upnp-ts.js exports the modules that the others share with it, and they take them from there.
 */
import { createHash } from 'node:crypto'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { relative, resolve } from 'node:path'
import { build } from 'esbuild'

const OUT = 'dist/bin'
const common = {
  bundle: true,
  format: 'cjs',
  platform: 'node',
  target: 'node20',
  minify: true,
  logLevel: 'warning',
  outdir: OUT,
  write: false,
  supported: { 'dynamic-import': false }, // import() of another file becomes require()
}

/** What upnp-ts.js loads when it comes to it: the name of the file, and what is imported in its place. */
const LATER = {
  gateway: 'src/client/search/first-answer.ts',
  http: 'src/net/http/lean-exchange.ts',
  commands: 'src/cli/run/dispatch.ts',
  'port-control': 'src/client/port-control/search.ts',
  'answered-gateway': 'src/client/port-control/first-answer.ts',
  keep: 'src/cli/keep/session.ts',
  'keep-surroundings': 'src/cli/keep/index.ts',
  'memory-files': 'src/net/files/memory-files.ts',
  minissdpd: 'src/client/search/minissdpd-search.ts',
  'unix-stream': 'src/net/unix-stream.ts',
  emulator: 'src/emulator.ts',
  'code-cache': 'src/net/files/code-cache.ts',
  chalk: 'chalk',
}

/** What bin/upnp-ts.js loads in place of upnp-ts.js, so it has all that it needs. */
const ALONE = { 'plain-answers': 'src/cli/print/plain-answers.ts' }

const later = {
  name: 'later',
  setup(bundler) {
    bundler.onResolve({ filter: /./ }, ({ kind, path, resolveDir }) => {
      if (kind !== 'dynamic-import') return undefined
      const source = path.startsWith('.') ? relative('.', resolve(resolveDir, path.replace(/\.js$/, '.ts'))) : path
      const found = Object.entries(LATER).find(([, entry]) => entry === source.replaceAll('\\', '/'))
      return found === undefined ? undefined : { path: `./${found[0]}.js`, external: true }
    })
  },
}

/** In the later files: a module that upnp-ts.js has is taken from there. */
const fromMain = (shared) => ({
  name: 'from-main',
  setup(bundler) {
    bundler.onResolve({ filter: /^\.{1,2}\// }, ({ path, resolveDir, kind }) => {
      const source = relative('.', resolve(resolveDir, path.replace(/\.js$/, '.ts'))).replaceAll('\\', '/')
      if (kind === 'entry-point' || !shared.includes(source)) return undefined
      return { path: source, namespace: 'shared' }
    })
    bundler.onLoad({ filter: /./, namespace: 'shared' }, ({ path }) => ({
      contents: `module.exports = require('./upnp-ts.js').shared[${shared.indexOf(path)}]`,
      resolveDir: '.',
    }))
    bundler.onResolve({ filter: /^\.\/upnp-ts\.js$/ }, () => ({ path: './upnp-ts.js', external: true }))
  },
})

const main = { ...common, plugins: [later] }

async function modulesOf(options) {
  const { metafile } = await build({ ...options, metafile: true })
  return Object.keys(metafile.inputs).filter((path) => path.startsWith('src/'))
}

const mainModules = await modulesOf({ ...main, entryPoints: ['src/cli/main.ts'] })
const laterModules = await modulesOf({ ...common, entryPoints: LATER })
const shared = mainModules.filter((path) => laterModules.includes(path))

const entry = [
  `export { main } from './src/cli/main.ts'`,
  ...shared.map((path, at) => `import * as shared${at} from './${path}'`),
  `export const shared = [${shared.map((_, at) => `shared${at}`).join(', ')}]`,
].join('\n')

const built = await Promise.all([
  build({
    ...main,
    stdin: { contents: entry, resolveDir: '.', sourcefile: 'upnp-ts.ts' },
    outfile: `${OUT}/upnp-ts.js`,
    outdir: undefined,
  }),
  build({ ...common, entryPoints: LATER, plugins: [fromMain(shared)] }),
  build({ ...common, entryPoints: ALONE }),
])

rmSync(OUT, { recursive: true, force: true })
mkdirSync(OUT, { recursive: true })
writeFileSync(`${OUT}/package.json`, '{ "type": "commonjs" }\n')
for (const { path, text } of built.flatMap(({ outputFiles }) => outputFiles)) {
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 32) // bin/upnp-ts.js knows the text by it
  writeFileSync(path, `//${hash}\n${text}`)
}
