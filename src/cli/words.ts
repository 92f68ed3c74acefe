/** Single words of the command line -> values; each is checked here and named in the message if it is bad. */
import { isUnicastIPv4, parseIPv4 } from '../domain/address.js'
import type { TransportProtocol } from '../domain/port-mapping.js'

/** What the user typed cannot be done. One line, exit 1, and nothing has been sent. */
export class UsageError extends Error {
  /** Whether the usage text is to follow: only where there was no command to be more precise about. */
  readonly withUsage: boolean

  constructor(message: string, options: { withUsage?: boolean } = {}) {
    super(message)
    this.name = 'UsageError'
    this.withUsage = options.withUsage === true
  }
}

export function wordsOf(option: string, form: string, words: readonly string[], least: number, most: number): void {
  if (words.length >= least && words.length <= most) return
  throw new UsageError(
    `${option} takes ${form}; ${words.length} ${words.length === 1 ? 'word was' : 'words were'} given`,
  )
}

export function integerWithin(option: string, what: string, word: string, least: number, most: number): number {
  const value = /^\d{1,12}$/.test(word) ? Number(word) : Number.NaN
  if (value >= least && value <= most) return value
  throw new UsageError(`${option}: '${word}' is not a ${what}: give a number from ${least} to ${most}`)
}

export function protocolOf(option: string, word: string): TransportProtocol {
  const upper = word.toUpperCase()
  if (upper === 'TCP' || upper === 'UDP') return upper
  throw new UsageError(`${option}: '${word}' is not a protocol: give TCP or UDP`)
}

/** `@` is the address of this computer on the way to the gateway, known once the gateway is. */
export function internalClientOf(option: string, word: string): string | 'local' {
  return word === '@' ? 'local' : addressOf(option, word, ", or @ for this computer's own")
}

export function addressOf(option: string, word: string, otherwise = ''): string {
  if (isUnicastIPv4(word)) return word
  throw new UsageError(`${option}: '${word}' is not the IPv4 address of a computer${otherwise}`)
}

/** Empty means any. */
export function remoteHostOf(option: string, word: string): string {
  if (word === '' || parseIPv4(word) !== undefined) return word
  throw new UsageError(`${option}: '${word}' is not the IPv4 address of a remote host ("" for any)`)
}
