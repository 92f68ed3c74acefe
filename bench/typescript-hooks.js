/** Module hooks that strip the types of the bench and of what it takes from test/lab, by esbuild. */
import { readFile } from 'node:fs/promises'
import { transform } from 'esbuild'

export async function load(url, context, nextLoad) {
  if (!url.endsWith('.ts')) return nextLoad(url, context)
  const { code } = await transform(await readFile(new URL(url)), { loader: 'ts', target: 'node20' })
  return { format: 'module', source: code, shortCircuit: true }
}
