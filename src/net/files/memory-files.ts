/** Private files that vanish with the process: for an emulated gateway, and for tests. */
import type { PrivateFiles } from './private-files.js'

export function memoryFiles(): PrivateFiles {
  const texts = new Map<string, string>()
  return {
    directory: 'memory',
    read: (name) => Promise.resolve(texts.get(name)),
    async write(name, text) {
      texts.set(name, text)
    },
    async createOnce(name, text) {
      const known = texts.get(name) ?? text
      texts.set(name, known)
      return known
    },
    async remove(name) {
      texts.delete(name)
    },
    list: (prefix) => Promise.resolve([...texts.keys()].filter((name) => name.startsWith(prefix)).toSorted()),
  }
}
