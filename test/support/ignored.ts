/** What the boundaries have ignored since a test began to listen. */
import { type Ignored, onIgnored } from '../../src/domain/ignored.ts'

export interface IgnoredLog {
  readonly all: Ignored[]
  /** `kind from: error`, since the last time. */
  told(): string[]
  end(): void
}

export function ignoredLog(): IgnoredLog {
  const all: Ignored[] = []
  const end = onIgnored((ignored) => all.push(ignored))
  const told = (): string[] => all.splice(0).map(({ kind, from, error }) => `${kind} ${from}: ${String(error)}`)
  return { all, told, end }
}
