/** Module hooks that strip the types from the bench, and from what it imports of test/lab, with esbuild. */
import { readFile } from 'node:fs/promises'
import { transform } from 'esbuild'

export async function load(url, context, nextLoad) {
  if (!url.endsWith('.ts')) return nextLoad(url, context)
  const { code } = await transform(await readFile(new URL(url)), { loader: 'ts', target: 'node20' })
  return { format: 'module', source: code, shortCircuit: true }
}
