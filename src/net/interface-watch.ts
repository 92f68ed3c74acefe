/**
 * Notices that this computer's addresses are others than before. It has no timer: a program that keeps something open
 * looks at them anyway, and whoever wants to know is told in passing.
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

  /** Until the returned function is called. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}

/** They are listed in no order. */
function textOf(addresses: readonly InterfaceAddress[]): string {
  return addresses
    .map(({ name, address }) => `${name} ${address}`)
    .toSorted()
    .join()
}
