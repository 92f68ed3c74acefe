/**
 * Notices changes of this computer's addresses. It has no timer: a program that keeps something open looks at the
 * addresses anyway, and each look that finds a change calls the listeners.
 */
import type { InterfaceAddress } from './interfaces.js'

export class InterfaceWatch {
  readonly #read: () => readonly InterfaceAddress[]
  readonly #listeners = new Set<() => void>()
  #last: string

  constructor(read: () => readonly InterfaceAddress[]) {
    this.#read = read
    this.#last = textOf(read())
  }

  look(): readonly InterfaceAddress[] {
    const now = this.#read()
    const text = textOf(now)
    if (text === this.#last) return now
    this.#last = text
    for (const listener of [...this.#listeners]) listener()
    return now
  }

  /** Listens until the returned function is called. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}

/** Sorted, because the system lists them in no particular order. */
function textOf(addresses: readonly InterfaceAddress[]): string {
  return addresses
    .map(({ name, address }) => `${name} ${address}`)
    .toSorted()
    .join()
}
