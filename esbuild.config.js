/**
 * Bundles the command line into dist/bin, minified CommonJS: reading and compiling source is what start-up costs most,
 * every file some 0.7 ms, an ES module loader 20 ms. All of the program is one file, so no module is there twice; what is
 * imported with import() is evaluated at its first use there. (The library, dist/index.js, is unbundled.)
 */
import { createHash } from 'node:crypto'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { build } from 'esbuild'

const OUT = 'dist/bin'

/** Each of them for bin/upnp-ts.js to load: the program, and what stands apart from it. */
const FILES = {
  'upnp-ts': 'src/cli/main.ts',
  'plain-answers': 'src/cli/print/plain-answers.ts',
  'code-cache': 'src/net/files/code-cache.ts',
}

const { outputFiles } = await build({
  entryPoints: FILES,
  outdir: OUT,
  bundle: true,
  format: 'cjs',
  platform: 'node',
  target: 'node20',
  minify: true,
  logLevel: 'warning',
  write: false,
  supported: { 'dynamic-import': false }, // import() becomes require(), which is in the same file or in Node
})

rmSync(OUT, { recursive: true, force: true })
mkdirSync(OUT, { recursive: true })
writeFileSync(`${OUT}/package.json`, '{ "type": "commonjs" }\n')
for (const { path, text } of outputFiles) {
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 32) // the code cache knows the text by it
  writeFileSync(path, `//${hash}\n${text}`)
}
