/** Single words of the command line -> checked values. An error message names the bad word. */
import { isGlobalIPv6, isUnicastIPv4, isUnicastIPv6, splitZone } from '../../domain/address.js'
import { flawOf, MAX_DESCRIPTION_LENGTH, type TransportProtocol } from '../../domain/port-mapping.js'
import { parseZonedUrl } from '../../domain/url.js'

/** The user's command line cannot be carried out. The message is one line, the exit code is 1, and nothing was sent. */
export class UsageError extends Error {
  /** Whether the usage text follows: only if there is no command to be more precise about. */
  readonly withUsage: boolean
  /** The label of the command whose form is shown before the message; empty for all commands. */
  readonly usageOf: string | undefined
  /** A word of the command line, or several in a row, and what should stand there. */
  readonly fix: readonly [word: string, by: string] | undefined
  /** What to try next, as it is typed after `upnp-ts`. The message may name it already. */
  readonly next: string | undefined

  constructor(message: string, { withUsage = false, usageOf, fix, next }: UsageErrorOptions = {}) {
    super(message)
    this.name = 'UsageError'
    this.withUsage = withUsage
    this.usageOf = usageOf
    this.fix = fix
    this.next = next
  }

  /** The message, and what to try next, in one line. */
  get line(): string {
    const { message, next } = this
    if (next === undefined) return message
    return message.endsWith('?') ? `${message} Try: upnp-ts ${next}` : `${message}, as in: upnp-ts ${next}`
  }
}

export interface UsageErrorOptions {
  readonly withUsage?: boolean
  readonly usageOf?: string | undefined
  readonly fix?: readonly [word: string, by: string] | undefined
  readonly next?: string | undefined
}

/** Counts the words after a command. @throws UsageError */
export function wordsOf(
  option: string,
  form: string,
  words: readonly string[],
  [least, most]: readonly [number, number],
  ifFewer?: string,
): void {
  if (words.length >= least && words.length <= most) return
  const advice = words.length > most ? `for more, run it once for each` : ifFewer
  throw new UsageError(
    `${option} takes ${form}; ${words.length} ${words.length === 1 ? 'word was' : 'words were'} given` +
      (advice === undefined ? '' : `; ${advice}`),
  )
}

export function integerWithin(option: string, what: string, word: string, least: number, most: number): number {
  const value = /^\d{1,12}$/.test(word) ? Number(word) : Number.NaN
  if (value >= least && value <= most) return value
  if (/^-{1,2}[a-z]/i.test(word)) {
    throw new UsageError(`${option}: '${word}' stands where a number should be: put it before ${option} or at the end`)
  }
  const article = /^[aeiou]/.test(what) ? 'an' : 'a'
  throw new UsageError(`${option}: '${word}' is not ${article} ${what}: give a number from ${least} to ${most}`)
}

/** TCP+UDP is both, UDP first: on some routers (WRT54G, Zyxel) the second mapping of a port replaces the first. */
export function protocolsOf(option: string, word: string): TransportProtocol[] {
  const upper = word.toUpperCase()
  if (upper === 'TCP' || upper === 'UDP') return [upper]
  if (upper === 'TCP+UDP' || upper === 'UDP+TCP') return ['UDP', 'TCP']
  const meant = /^(?:both|any|all|tcp[/,&]udp|udp[/,&]tcp)$/i.test(word) ? 'TCP+UDP' : 'TCP'
  throw new UsageError(`${option}: '${word}' is not a protocol: give TCP, UDP or TCP+UDP`, { fix: [word, meant] })
}

/**
 * `@` is this computer's address on the way to the gateway. It is known once the gateway has been found. `overIPv6` is
 * the command for an IPv6 address.
 */
export function internalClientOf(option: string, word: string, overIPv6: string): string {
  if (isGlobalIPv6(word))
    throw new UsageError(
      `${option}: '${word}' is an IPv6 address, and ports are IPv4's: over IPv6 it is: upnp-ts ${overIPv6}`,
    )
  return word === '@' ? 'local' : addressOf(option, word, ', or @ for this computer')
}

export function addressOf(option: string, word: string, otherwise = ''): string {
  if (isUnicastIPv4(word)) return word
  throw new UsageError(
    `${option}: '${word}' is not the IPv4 address of a computer: give one such as 192.168.1.5${otherwise}`,
  )
}

/** An empty remote host means any. */
export function remoteHostOf(option: string, word: string): string {
  if (word === '' || isUnicastIPv4(word)) return word
  if (/^(tcp|udp)$/i.test(word)) throw new UsageError(`${option}: '${word}' is a second protocol: TCP+UDP is both`)
  throw new UsageError(
    `${option}: '${word}' is not the IPv4 address of a remote host: leave it out, or give "", for any`,
  )
}

export function descriptionOf(option: string, text: string): string {
  if (text.length > MAX_DESCRIPTION_LENGTH) {
    throw new UsageError(`${option}: the description is longer than ${MAX_DESCRIPTION_LENGTH} characters`)
  }
  const flaw = flawOf({ externalPort: 1, protocol: 'TCP', remoteHost: '', description: text })
  if (flaw !== undefined) throw new UsageError(`${option}: ${flaw}`)
  return text
}

/** The URL of a router's description, which -u names. */
export function descriptionUrlOf(option: string, word: string): string {
  const url = parseZonedUrl(word)?.url
  if (url !== undefined && (url.username !== '' || url.password !== '')) {
    throw new UsageError(`${option}: leave the user name and the password out of the URL`) // and out of the terminal
  }
  if (url?.protocol === 'https:') throw new UsageError(`${option}: '${word}' has to begin with http://, not https://`)
  if (url?.protocol === 'http:' && url.port !== '0') return word
  const isAddress = isUnicastIPv4(word) || isUnicastIPv6(splitZone(word).address)
  throw new UsageError(
    `${option}: '${word}' is not the http:// URL of a router's description, such as ` +
      `http://192.168.1.1:5000/rootDesc.xml${isAddress ? `; --gateway ${word} asks the router with that address` : ''}`,
    isAddress ? { next: `-l --gateway ${word}` } : {},
  )
}
