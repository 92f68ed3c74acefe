/**
 * Keeps what V8 made of the bundle, so that the next start need not compile it again: 15 ms of a short command. Node 22
 * does that by itself (module.enableCompileCache); this is for those before. bin/upnp-ts.js reads what is kept here.
 *
 * Code is loaded from there: the directory has to be this user's and nobody else may write to it.
 */
import { closeSync, fsyncSync, lstatSync, openSync, renameSync, unlinkSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { Script } from 'node:vm'
import { makeDirectory } from './private-directory.js'

/** One file of the bundle. */
export interface CompiledFile {
  readonly name: string
  /** What it belongs to: the bundle's text and this Node. It ends the file. */
  readonly key: string
  readonly script: Pick<Script, 'createCachedData'>
}

/** Nothing depends on it: where it cannot be kept, it is not. */
export function keepCompiled(directory: string, files: readonly CompiledFile[]): void {
  try {
    makeDirectory(directory)
    if (!isPrivate(directory)) return
    for (const file of files) keep(directory, file)
  } catch {}
}

function isPrivate(directory: string): boolean {
  const status = lstatSync(directory)
  return status.isDirectory() && status.uid === process.getuid?.() && (status.mode & 0o022) === 0
}

/** The file appears whole, also after a power cut. What it holds is there twice: V8 would run what is damaged. */
function keep(directory: string, { name, key, script }: CompiledFile): void {
  const temporary = join(directory, `.${name}-${process.pid}`)
  const file = openSync(temporary, 'wx', 0o600)
  try {
    const compiled = script.createCachedData()
    writeWhole(file, Buffer.concat([compiled, compiled, Buffer.from(key, 'latin1')]))
    fsyncSync(file)
    renameSync(temporary, join(directory, name))
  } catch (error) {
    unlinkSync(temporary)
    throw error
  } finally {
    closeSync(file)
  }
}

function writeWhole(file: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at)
}
