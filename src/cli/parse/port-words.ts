/**
 * Ports on the command line: `22`, or a range such as `27015-27030`, whose ports are a mapping each. What people write
 * in place of these is refused in a line that has the spelling or the command that they mean.
 */
import { isUnicastIPv4, isUnicastIPv6, splitZone } from '../../domain/address.js'
import { pinholeTargetOf } from '../../domain/pinhole.js'
import { integerWithin, UsageError } from './words.js'

/** The ports that the ranges of one command have in all: each is a request to the router, or several. */
export const MAX_PORTS_IN_RANGES = 1024

/** One mapping's ports. External port 0 means any. Internal port 0 means the external one, whichever that will be. */
export interface PortPair {
  readonly internalPort: number
  readonly externalPort: number
}

/** The internal and the external ports that two words name. Two ranges are equally long. @throws UsageError */
export function portPairsOf(option: string, internal: string, external: string, anyExternal = false): PortPair[] {
  const internalPorts = portsOf(option, 'port', internal)
  if (external === '0' && anyExternal) return internalPorts.map((internalPort) => ({ internalPort, externalPort: 0 }))
  if (external === '0')
    throw new UsageError(`${option}: external port 0 (any port) works only with --via pcp or --via nat-pmp`)
  const externalPorts = external === internal ? internalPorts : portsOf(option, 'external port', external, anyExternal)
  const pairs = externalPorts.flatMap((externalPort, at) => {
    const internalPort = internalPorts[at]
    return internalPort === undefined ? [] : [{ internalPort, externalPort }]
  })
  if (pairs.length === internalPorts.length && pairs.length === externalPorts.length) return pairs
  const sizes = `${internal} has ${countOf(internalPorts)} and ${external} has ${countOf(externalPorts)}`
  throw new UsageError(`${option}: two ranges have to be equally long, but ${sizes}`)
}

/** `-r 0 EXTERNAL`: the external port is what the gateway is to choose if it can. @throws UsageError */
export function samePortOf(option: string, external: string | undefined, isNatPmp: boolean): PortPair {
  const what = 'internal port 0 is for a VPN that gives one port, the same inside and outside'
  if (!isNatPmp) throw new UsageError(`${option}: ${what}: it works only with --via nat-pmp`)
  if (external === undefined || external === '0')
    throw new UsageError(
      `${option}: ${what}: give an external port to suggest: upnp-ts ${option} 0 1 TCP+UDP --via nat-pmp`,
    )
  return { internalPort: 0, externalPort: integerWithin(option, 'external port', external, 1, 65535) }
}

/** A port, or the ports of a range. @throws UsageError */
export function portsOf(option: string, what: string, word: string, anyAllowed = false): number[] {
  const [, low, high] = /^(\d{1,12})-(\d{1,12})$/.exec(word) ?? []
  if (low === undefined || high === undefined) {
    const instead = insteadOf(option, word)
    if (instead !== undefined)
      throw new UsageError(`${option}: '${word}' is not ${articled(what)}: ${instead}`, { fix: [word, meantBy(word)] })
    return [integerWithin(option, what, word, anyAllowed ? 0 : 1, 65535)]
  }
  const [first, last] = [low, high].map((each) => integerWithin(option, what, each, 1, 65535))
  if (first === undefined || last === undefined) return []
  if (first === last)
    throw new UsageError(`${option}: '${word}' is a range of one port: write ${first}`, { fix: [word, `${first}`] })
  if (first > last)
    throw new UsageError(`${option}: '${word}' is a range from back to front: write ${last}-${first}`, {
      fix: [word, `${last}-${first}`],
    })
  refuseTooMany(option, last - first + 1)
  return Array.from({ length: last - first + 1 }, (_, at) => first + at)
}

/** Adds up the ports of the ranges of a command; a single port is no range. @throws UsageError */
export function addToRanges(option: string, before: number, count: number): number {
  const total = count === 1 ? before : before + count
  refuseTooMany(option, total)
  return total
}

function refuseTooMany(option: string, count: number): void {
  if (count <= MAX_PORTS_IN_RANGES) return
  const closing = closes(option) ? '; -N FIRST_PORT LAST_PORT PROTOCOL closes more at once (IGD:2)' : ''
  throw new UsageError(`${option}: ranges of ${count} ports are too long: ${MAX_PORTS_IN_RANGES} at most${closing}`)
}

function closes(option: string): boolean {
  return option === '-d' || option === '-f'
}

/** What to write in place of a word that is no port, if that can be told. */
function insteadOf(option: string, word: string): string | undefined {
  const [, first, sign = '', last] = /^ *(\d{1,5}) *(:|-|\.{2,3}|\u2013|\u2014) *(\d{1,5}) *$/.exec(word) ?? []
  if (first !== undefined && last !== undefined) {
    const range = Number(first) < Number(last) ? `write ${first}-${last} for a range` : undefined
    if (sign !== ':' || closes(option)) return range
    const pair = `PORT EXTERNAL_PORT for one port, here ${last} ${first}` // to docker the first one is outside
    return range === undefined ? `write ${pair}` : `${range}, or ${pair}`
  }
  if (/^(-|\u2013|\d{1,5}-)$/.test(word)) return 'a range is one word with both ends, such as 27015-27030'
  if (/^\d{1,5}(,\d{1,5})+$/.test(word)) return 'give each port with its protocol'
  const [, port, protocol = ''] = /^(\d{1,5})[/:]?(tcp|udp)$/i.exec(word) ?? []
  if (port !== undefined) return `write ${port} ${protocol.toUpperCase()}`
  if (/^(tcp|udp)(\+(tcp|udp))?$/i.test(word))
    return 'the port comes before its protocol, and TCP+UDP is both: 22 TCP, 53 TCP+UDP'
  return aboutAddress(option, word)
}

/** The same, put right. */
function meantBy(word: string): string {
  const [, first, sign, last] = /^ *(\d{1,5}) *(:|-|\.{2,3}|\u2013|\u2014) *(\d{1,5}) *$/.exec(word) ?? []
  if (first !== undefined && last !== undefined)
    return sign === ':' && Number(first) >= Number(last) ? `${last} ${first}` : `${first}-${last}`
  const [, port, protocol = ''] = /^(\d{1,5})[/:]?(tcp|udp)$/i.exec(word) ?? []
  if (port !== undefined) return `${port} ${protocol.toUpperCase()}`
  return word.split(',').join(' TCP ')
}

function aboutAddress(option: string, word: string): string | undefined {
  if (closes(option)) {
    if (pinholeTargetOf(word) !== undefined) return `a pinhole is closed by: upnp-ts -D ${word}`
    return isUnicastIPv4(word) ? `leave the address out` : undefined
  }
  if (option !== '-r') return undefined
  if (isUnicastIPv4(word)) return `for another computer it is: upnp-ts -a ${word} 22 22 TCP`
  return isUnicastIPv6(splitZone(word).address) ? `over IPv6 it is: upnp-ts ${pinholeCommand(word)}` : undefined
}

/** The command that lets the IPv6 internet reach a computer. */
export function pinholeCommand(address: string, port = '', protocol = 'TCP'): string {
  return `-6 -A "" 0 ${address} ${/^\d+$/.test(port) ? port : '22'} ${protocol} 3600`
}

function countOf(ports: readonly number[]): string {
  return ports.length === 1 ? 'one port' : `${ports.length}`
}

function articled(what: string): string {
  return `${/^[aeiou]/.test(what) ? 'an' : 'a'} ${what}`
}
