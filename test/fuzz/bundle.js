/** A bundle in a directory of its own: V8 names blocks by script and place, so all that is counted is one script. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'

/**
 * @template T
 * @param {string} entry The name of a file beside this one.
 * @param {(path: string) => T | Promise<T>} use
 * @returns {Promise<T>}
 */
export async function withBundle(entry, use) {
  const directory = mkdtempSync(join(tmpdir(), 'upnp-ts-fuzz-'))
  const outfile = join(directory, 'fuzz.mjs')
  try {
    await build({
      entryPoints: [join(import.meta.dirname, entry)],
      outfile,
      bundle: true,
      platform: 'node',
      format: 'esm',
      logLevel: 'warning',
    })
    return await use(outfile)
  } finally {
    rmSync(directory, { recursive: true })
  }
}
