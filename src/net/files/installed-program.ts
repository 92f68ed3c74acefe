/** Where this program is installed, and whether another user could run it from there. */
import { realpathSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, sep } from 'node:path'

export interface InstalledProgram {
  /** The program of Node, and the script that it runs: absolute, without links. */
  readonly node: string
  readonly script: string
  /** The package's folder. */
  readonly folder: string
  /** It is in the cache of npx, or in the system's temporary folder: it may be gone tomorrow. */
  readonly isTemporary: boolean
}

/** @throws Error if the script has been removed since it was started */
export function installedProgram(argv = process.argv, node = process.execPath, temporary = tmpdir()): InstalledProgram {
  const script = realpathSync(argv[1] ?? '')
  const folder = dirname(dirname(script))
  const isTemporary = folder.split(sep).includes('_npx') || `${folder}${sep}`.startsWith(join(temporary, sep))
  return { node, script, folder, isTemporary }
}

/** The first part of a path, from the root down, that other users cannot use; undefined if they can, or it is not there. */
export function closedToOthers(path: string): string | undefined {
  const parts = path.split(sep)
  for (let count = 2; count <= parts.length; count++) {
    const part = parts.slice(0, count).join(sep)
    const status = statSync(part, { throwIfNoEntry: false })
    if (status === undefined) return undefined
    if ((status.mode & (status.isDirectory() ? 0o001 : 0o004)) === 0) return part
  }
  return undefined
}
