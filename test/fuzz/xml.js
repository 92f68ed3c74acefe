/**
 * `npm run fuzz:xml -- --documents 10000000 --seed 1` compares the two readers of SOAP for as long as you like. Node 20
 * does not know TypeScript, so esbuild makes one module of it all.
 */
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { build } from 'esbuild'

const entry = fileURLToPath(new URL('./xml-differential.ts', import.meta.url))
const bundle = { entryPoints: [entry], bundle: true, format: 'esm', platform: 'node', write: false }
const [{ contents }] = (await build(bundle)).outputFiles
const { comparedReaders } = await import(`data:text/javascript;base64,${Buffer.from(contents).toString('base64')}`)

const { values } = parseArgs({ options: { documents: { type: 'string' }, seed: { type: 'string' } } })
const documents = Number(values.documents ?? 1_000_000)
const seed = Number(values.seed ?? Date.now() % 2 ** 32)
const startMs = performance.now()
const { read, differences } = comparedReaders(documents, seed)
const seconds = ((performance.now() - startMs) / 1000).toFixed(1)
const found = `${differences.length} of them read differently`
console.log(`${documents} documents with seed ${seed} in ${seconds} s; the plain reader took ${read}, ${found}`)
for (const text of differences) console.log(JSON.stringify(text))
process.exitCode = differences.length === 0 ? 0 : 1
