/**
 * The private files for a program that lists them again and again, for each of thousands of mappings: the directory is
 * read every ten seconds at most. What this program writes and removes is in the list at once.
 */
import type { Clock } from '../clock.js'
import type { PrivateFiles } from './private-files.js'

/** So long after it, what others write and remove is in the list. */
const READ_AGAIN_MS = 10_000

export function listedFiles(files: PrivateFiles, clock: Clock): PrivateFiles {
  /** All names, sorted. */
  let names: string[] = []
  let readMs = Number.NEGATIVE_INFINITY
  const note = (name: string, isThere: boolean): void => {
    const at = placeOf(name, names)
    if (isThere && names[at] !== name) names.splice(at, 0, name)
    if (!isThere && names[at] === name) names.splice(at, 1)
  }
  return {
    get directory() {
      return files.directory
    },
    read: (name) => files.read(name),
    async write(name, text) {
      await files.write(name, text)
      note(name, true)
    },
    async createOnce(name, text) {
      const kept = await files.createOnce(name, text)
      note(name, true)
      return kept
    },
    async remove(name) {
      await files.remove(name)
      note(name, false)
    },
    async list(prefix) {
      if (clock.monotonicMs() >= readMs + READ_AGAIN_MS) {
        names = await files.list('')
        readMs = clock.monotonicMs()
      }
      return names.slice(placeOf(prefix, names), placeOf(`${prefix}\uffff`, names))
    },
  }
}

/** Where the name is, or would be. */
function placeOf(name: string, names: readonly string[]): number {
  let [low, high] = [0, names.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((names[middle] ?? '') < name) low = middle + 1
    else high = middle
  }
  return low
}
