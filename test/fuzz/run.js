/** Runs the fuzzer, see main.ts. */
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { withBundle } from './bundle.js'

await withBundle('main.ts', async (path) => {
  const { main } = await import(pathToFileURL(path).href)
  const corpusDirectory = join(import.meta.dirname, '../fixtures/corpus')
  process.exitCode = main(process.argv.slice(2), corpusDirectory)
})
