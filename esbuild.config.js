/**
 * Bundles the command line into dist/bin, minified CommonJS: reading and compiling source is what start-up costs most,
 * every file some 0.7 ms, an ES module loader 20 ms. All of the program is one file, so no module is there twice; what is
 * imported with import() is evaluated at its first use there. (The library, dist/index.js, is unbundled.)
 */
import { createHash } from 'node:crypto'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { build } from 'esbuild'
import { helpText, VERSION_TEXT } from './dist/cli/print/usage.js' // tsc goes first

const OUT = 'dist/bin'

/** Commander loads this for subcommands that are programs of their own. There are none, and it takes 0.6 ms to load. */
const withoutChildProcess = {
  name: 'without-child-process',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:child_process$/ }, ({ importer }) =>
      /[\\/]commander[\\/]/.test(importer) ? { path: 'child_process', namespace: 'empty' } : undefined,
    )
    onLoad({ filter: /./, namespace: 'empty' }, () => ({ contents: '' }))
  },
}

const { outputFiles } = await build({
  entryPoints: { 'upnp-ts': 'src/cli/main.ts' },
  outdir: OUT,
  bundle: true,
  format: 'cjs',
  platform: 'node',
  target: 'node20',
  minify: true,
  logLevel: 'warning',
  write: false,
  plugins: [withoutChildProcess],
  supported: { 'dynamic-import': false }, // import() becomes require(), which is in the same file or in Node
})

/** What it loads in their place. */
const answers = `exports.version=${JSON.stringify(VERSION_TEXT)};exports.help=${JSON.stringify(helpText())}\n`

rmSync(OUT, { recursive: true, force: true })
mkdirSync(OUT, { recursive: true })
writeFileSync(`${OUT}/package.json`, '{ "type": "commonjs" }\n')
writeFileSync(`${OUT}/plain-answers.js`, answers)
for (const { path, text } of outputFiles) {
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 32) // the code cache knows the text by it
  writeFileSync(path, `//${hash}\n${text}`)
}
