/** A file that others read at any moment: whole, the old or the new. */
import { closeSync, openSync, renameSync, unlinkSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { TransportError } from '../domain/errors.js'

/** Mode 0644 less the umask. @throws TransportError */
export function writeFileAtomically(path: string, text: string): void {
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}`)
  try {
    const file = openSync(temporary, 'w', 0o644)
    try {
      writeFileSync(file, text)
    } finally {
      closeSync(file)
    }
    renameSync(temporary, path)
  } catch (cause) {
    try {
      unlinkSync(temporary)
    } catch {}
    throw new TransportError(`${path} could not be written`, { cause })
  }
}
