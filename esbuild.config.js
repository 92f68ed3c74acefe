/**
 * Bundles all code into dist/bin, minified CommonJS: reading and compiling source is what start-up costs most, every file
 * some 0.7 ms, an ES module loader 20 ms. All of the program is one file, so no module is there twice; what is imported
 * with import() or required is evaluated at its first use there. The doors of the library, dist/index.js and the others,
 * are ES modules that give out names of this file. tsc has written the types beside them; those that no door reaches go.
 */
import { createHash } from 'node:crypto'
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { build } from 'esbuild'

const OUT = 'dist/bin'
const DOORS = ['index', 'emulator', 'wire']

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

/**
 * The XML parser asks this whether the text of an entity is harmful, in nine languages, 18 kB of patterns. No entity of a DTD
 * is ever read (src/wire/xml.ts), so nobody asks; and if somebody did, everything is harmful.
 */
const withoutEntities = {
  name: 'without-entities',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^is-unsafe$/ }, ({ path }) => ({ path, namespace: 'harmful' }))
    onLoad({ filter: /./, namespace: 'harmful' }, () => ({
      contents: 'export const isUnsafe = () => true, HTML = [], XML = []',
    }))
  },
}

const { outputFiles } = await build({
  entryPoints: { 'upnp-ts': 'src/bundle.ts' },
  outdir: OUT,
  bundle: true,
  format: 'cjs',
  platform: 'node',
  target: 'node20',
  minify: true,
  logLevel: 'warning',
  write: false,
  external: ['undici'],
  plugins: [withoutChildProcess, withoutEntities],
  supported: { 'dynamic-import': false }, // import() becomes require(), which is in the same file or in Node
})

/** What the source exports, for the texts that the build makes. */
async function evaluated(contents) {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: 'src/cli/print', loader: 'ts' },
    bundle: true,
    format: 'esm',
    platform: 'node',
    write: false,
  })
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`)
}

/** What bin/upnp-ts.js prints without the bundle, and the man page. */
const { plainAnswers, manPage } = await evaluated(`
  export { plainAnswers } from './help/plain-answers.js'
  export { manPage } from './help/man-page.js'
`)
const answers = `module.exports=${JSON.stringify(plainAnswers())}\n`

rmSync(OUT, { recursive: true, force: true })
mkdirSync(OUT, { recursive: true })
writeFileSync(`${OUT}/package.json`, '{ "type": "commonjs" }\n')
writeFileSync(`${OUT}/plain-answers.js`, answers)
mkdirSync('dist/man', { recursive: true })
writeFileSync('dist/man/upnp-ts.1', manPage())
copyFileSync('node_modules/lean-qr/LICENSE', `${OUT}/lean-qr.LICENSE`) // the bundle has it, and npm does not install it
for (const { path, text } of outputFiles) {
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 32) // the code cache knows the text by it
  writeFileSync(path, `//${hash}\n${text}`)
}

const { doors } = createRequire(import.meta.url)(`./${OUT}/upnp-ts.js`)
const types = new Set()
for (const door of DOORS) {
  const names = Object.keys(doors[door]()).sort().join(', ')
  const text = `import bundle from './bin/upnp-ts.js'\n\nexport const { ${names} } = bundle.doors.${door}()\n`
  writeFileSync(`dist/${door}.js`, text)
  reach(`dist/${door}.d.ts`)
}
for (const name of readdirSync('dist', { recursive: true })) {
  const path = join('dist', name)
  if (/\.d\.ts(\.map)?$/.test(name) && !types.has(resolve(path.replace(/\.map$/, '')))) rmSync(path)
}

/** Adds a file of types, and those that it names. */
function reach(file) {
  const path = resolve(file)
  if (types.has(path)) return
  types.add(path)
  for (const [, name] of readFileSync(path, 'utf8').matchAll(/(?:from |import\()['"](\.[^'"]+)\.js['"]/g)) {
    reach(join(dirname(path), `${name}.d.ts`))
  }
}
