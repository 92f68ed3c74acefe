/** Checks the values of options: of the search, --keep, PCP and NAT-PMP, the time and --quirk. */
import { isUnicastIPv4 } from '../../domain/address.js'
import {
  GATEWAY_PROTOCOLS,
  type GatewayProtocol,
  MAX_LEASE_SECONDS,
  PROTOCOL_TITLES,
  type Via,
} from '../../domain/port-mapping.js'
import { PORT_CONTROL_PORT, SSDP_PORT } from '../../domain/ports.js'
import type { Quirk } from '../../domain/quirk.js'
import { parseRouterWords } from '../../domain/router-words.js'
import type { Endpoint } from '../../net/datagrams.js'
import { zoneMeantBy } from '../../net/interfaces.js'
import type { CommandFacts, CommandRow } from './command-table.js'
import { labelOf } from './option-table.js'
import { serverNamed } from './server-table.js'
import { integerWithin, UsageError } from './words.js'

/** Options as commander gives them. */
export type Options = Readonly<Record<string, unknown>>

const MAX_TIMEOUT_MS = 24 * 3600 * 1000

export function textOption(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

export function listOption(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : []
}

function millisecondsOption(option: string, value: unknown): number | undefined {
  const text = textOption(value)
  return text === undefined ? undefined : integerWithin(option, 'time in milliseconds', text, 1, MAX_TIMEOUT_MS)
}

/** The search time is a part of the command's time. A longer search makes the default of --timeout longer. */
/** `defaultMs`: the time limit if none is given. */
export function timesOf(
  options: Options,
  defaultMs: number,
): { discoveryTimeMs: number | undefined; timeoutMs: number } {
  const discoveryTimeMs = millisecondsOption('--discovery-time', options.discoveryTime)
  const timeoutMs = millisecondsOption('--timeout', options.timeout)
  if (discoveryTimeMs !== undefined && timeoutMs !== undefined && discoveryTimeMs >= timeoutMs) {
    throw new UsageError('--discovery-time has to be shorter than --timeout, which is for the whole command')
  }
  return { discoveryTimeMs, timeoutMs: timeoutMs ?? defaultMs + (discoveryTimeMs ?? 0) }
}

/** As in upnpc, 1 means port 1900, and other ports below 1024 are not allowed. */
function localPortOf(word: string): number {
  const port = /^\d{1,5}$/.test(word) ? Number(word) : Number.NaN
  if (port === 1) return SSDP_PORT
  if (port === 0 || (port >= 1024 && port <= 65535)) return port
  throw new UsageError(`Invalid localport '${word}': -z takes 0 for any, 1 for 1900, or a number from 1024 to 65535`)
}

export type SearchOptions = ReturnType<typeof searchOptionsOf>

/** The options that say how to search. @throws UsageError */
export function searchOptionsOf(options: Options) {
  const [multicast, port, ttl] = [options.interface, options.localPort, options.ttl].map(textOption)
  if (multicast === '') throw new UsageError('-m takes the name or an address of an interface of this computer')
  return {
    family: options.ipv6 === true ? 6 : 4, // IPv6 is for pinholes
    anyHost: options.anyHost === true, // a device that answers may name another host of its subnet as the IGD
    interface: multicast, // its name, or one of its addresses
    localPort: port === undefined ? 0 : localPortOf(port), // 0 for any
    ttl: ttl === undefined ? undefined : integerWithin('-t', 'time to live', ttl, 0, 255),
    // Empty for none, undefined for the usual one. MiniSSDPd listens on every interface, so -m leaves it out.
    minissdpdPath: textOption(options.minissdpd) ?? (multicast === undefined ? undefined : ''),
  } as const
}

const SECONDS_IN = { '': 1, s: 1, m: 60, h: 3600, d: 86_400 } as const

/** `30s`, `30m`, `2h`, `7d`, or a number of seconds. @throws UsageError */
export function secondsOf(option: string, word: string): number {
  const [, digits = '', unit = ''] = /^(\d{1,10})([smhd]?)$/.exec(word) ?? []
  const seconds = Number(digits) * (isUnit(unit) ? SECONDS_IN[unit] : 0)
  if (seconds >= 1 && seconds <= MAX_LEASE_SECONDS) return seconds
  throw new UsageError(`${option}: '${word}' is not a time: give one such as 30m, 2h or 7d`)
}

function isUnit(text: string): text is keyof typeof SECONDS_IN {
  return text in SECONDS_IN
}

/** --for: the lease, or with --keep how long the ports are kept open. @throws UsageError */
export function timeOf(options: Options): number | undefined {
  const word = textOption(options.for)
  if (word === undefined) return undefined
  if (options.lease !== undefined && options.keep !== true)
    throw new UsageError('--for and --lease say the same: leave one out')
  return secondsOf('--for', word)
}

const MAX_CHECK_SECONDS = 86_400

export type KeepOptions = NonNullable<ReturnType<typeof keepOptionsOf>>

/** --keep and the options that go with it. @throws UsageError */
export function keepOptionsOf(options: Options, program: readonly string[] | undefined) {
  if (options.keep !== true) {
    if (program !== undefined)
      throw new UsageError('a program after -- runs only with --keep, while the ports are open: add --keep', {
        fix: ['--', '--keep --'],
      })
    return undefined
  }
  if (program?.length === 0)
    throw new UsageError('nothing follows --; it takes a program and its arguments', { next: WITH_PROGRAM })
  if (options.timeout !== undefined && program === undefined && options.onChange === undefined)
    throw new UsageError(
      '--timeout with --keep needs a program after --, or --on-change: --keep itself never gives up',
      { next: '-r 22 TCP --keep --timeout 10000 -- ./server' },
    )
  if (options.require === true && program === undefined)
    throw new UsageError('--require goes with a program after --', { next: '-r 22 TCP --keep --require -- ./server' })
  const [onChange, stateFile, seconds] = [options.onChange, options.state, options.check].map(textOption)
  const forSeconds = timeOf(options)
  if (onChange === '' || stateFile === '') throw new UsageError('--on-change takes a command, and --state a file')
  return {
    program: program ?? [], // runs while the ports are open
    onChange, // a shell command
    require: options.require === true, // the program does not start unless the ports are open
    stateFile,
    forMs: forSeconds === undefined ? undefined : forSeconds * 1000, // then it ends
    checkMs:
      seconds === undefined
        ? undefined
        : integerWithin('--check', 'number of seconds', seconds, 1, MAX_CHECK_SECONDS) * 1000,
  } as const
}

export type HandOverOptions = NonNullable<ReturnType<typeof handOverOptionsOf>>

/** How an open port is handed over to whoever is to use it. @throws UsageError */
export function handOverOptionsOf(options: Options) {
  const [as, print] = [options.as, options.print].map(textOption)
  if (print !== undefined && print !== 'endpoint')
    throw new UsageError(`--print: '${print}' cannot be printed alone: give endpoint`)
  const hasQr = options.qr === true
  if (as === undefined && print === undefined && !hasQr) return undefined
  if (print !== undefined && (hasQr || as !== undefined))
    throw new UsageError(`--print endpoint prints nothing else: leave out ${hasQr ? '--qr' : '--as'}`)
  return { server: as === undefined ? undefined : serverNamed('--as', as), endpointOnly: print !== undefined, hasQr }
}

const WITH_PROGRAM = '-r 22 TCP --keep -- ./server'
const WITH_NONCE = '-r 22 TCP --via pcp --nonce @nonce.txt'

const VIAS: readonly string[] = ['auto', ...GATEWAY_PROTOCOLS] satisfies readonly Via[]

function isVia(word: string): word is Via {
  return VIAS.includes(word)
}

/** The value of --via, which also decides how other words are read. @throws UsageError */
export function viaOf(value: unknown): Via {
  const word = textOption(value) ?? 'auto'
  if (isVia(word)) return word
  throw new UsageError(
    `--via: '${word}' is not a protocol that upnp-ts speaks with routers: give auto, igd, pcp or nat-pmp`,
  )
}

export type PortControlAsked = ReturnType<typeof portControlOf>

/** The options about PCP and NAT-PMP. @throws UsageError */
export function portControlOf(
  options: Options,
  row: Pick<CommandRow, 'flag' | 'letter' | 'isVerb' | 'example' | 'limit'>,
  facts: CommandFacts,
) {
  const [word, nonceWord, url] = [options.gateway, options.nonce, options.url].map(textOption)
  const { protocols } = facts
  const given = viaOf(options.via)
  if (given !== 'auto' && !protocols.includes(given)) throw cannotDo(row, given, facts)
  const via = protocols.length === 1 && protocols[0] === 'pcp' ? 'pcp' : given
  const isOverUdp = via === 'pcp' || via === 'nat-pmp'
  if (url !== undefined && (isOverUdp || word !== undefined)) {
    throw new UsageError(
      isOverUdp
        ? `-u names a router for UPnP, not for ${PROTOCOL_TITLES[via]}: leave one out`
        : '-u and --gateway both name a router: leave one out',
    )
  }
  const nonceFrom = nonceWord !== undefined && /^(?:-|@.+)$/s.test(nonceWord) ? nonceWord : undefined
  const nonce = nonceFrom === undefined ? nonceWord : undefined
  if (nonce !== undefined && !isNonce(nonce))
    throw new UsageError(`--nonce: '${nonce}' is not a nonce: give @ and a file that has 24 hexadecimal digits`, {
      next: WITH_NONCE,
    })
  if (nonceWord !== undefined && via !== 'pcp')
    throw new UsageError('--nonce is for PCP: add --via pcp', { next: WITH_NONCE })
  if (via === 'nat-pmp' && options.ipv6 === true)
    throw new UsageError('-6: NAT-PMP is spoken over IPv4 only', { next: '-s --via nat-pmp' })
  const gateway = word === undefined ? undefined : endpointOf(word)
  if (gateway !== undefined) refuseOtherFamily(gateway, via, facts)
  return {
    via,
    gateway,
    nonce, // from the command line
    nonceFrom, // `@FILE`, or `-` for standard input
  } as const
}

export function isNonce(text: string): boolean {
  return /^[\da-f]{24}$/i.test(text)
}

function refuseOtherFamily({ address }: Endpoint, via: Via, { family }: CommandFacts): void {
  const isIPv4 = isUnicastIPv4(address)
  if (via === 'nat-pmp' && !isIPv4)
    throw new UsageError("--gateway: NAT-PMP is spoken over IPv4 only: give the router's IPv4 address")
  if (via === 'pcp' && isIPv4 && family === 6)
    throw new UsageError("--gateway: PCP opens pinholes over IPv6: give the router's IPv6 address", {
      next: '-A "" 0 @ 8333 TCP 3600 --via pcp --gateway fe80::1',
    })
  if (via === 'pcp' && !isIPv4 && family === 4)
    throw new UsageError(
      "--gateway: PCP maps ports over IPv4: give the router's IPv4 address, or open a pinhole with -A",
    )
}

function cannotDo(
  row: Pick<CommandRow, 'flag' | 'letter' | 'isVerb' | 'example' | 'limit'>,
  via: GatewayProtocol,
  { protocols, pinholeId }: CommandFacts,
): UsageError {
  const titles = protocols.map((each) => PROTOCOL_TITLES[each]).join(' and ')
  const label = labelOf(row)
  if (pinholeId !== undefined)
    return new UsageError(
      `${label}: '${pinholeId}' is a pinhole of ${titles}, but --via ${via} asks over ${PROTOCOL_TITLES[via]}: ` +
        'leave out --via',
      { next: `${label} ${pinholeId}${row.flag === 'update-pinhole' ? ' 3600' : ''}` },
    )
  const what = row.limit === undefined ? label : `${label} ${row.limit}`
  const options = protocols.map((each) => `--via ${each}`).join(', ')
  const command = row.example === undefined ? label : `${label} ${row.example}`
  return new UsageError(`${what} cannot be done over ${PROTOCOL_TITLES[via]}: ${titles} can (${options})`, {
    next: `${command} --via ${protocols[0]}`,
  })
}

/** @throws UsageError */
function endpointOf(word: string): Endpoint {
  const words = parseRouterWords(word)
  if (typeof words === 'string') {
    const instead = word.startsWith('http://') ? `; -u ${word} takes the URL of a description` : ''
    throw new UsageError(`--gateway: ${words}${instead}`)
  }
  const { address, zone, port } = words
  const known = port === undefined ? PORT_CONTROL_PORT : integerWithin('--gateway', 'port', port, 1, 65535)
  return { address: zone === '' ? address : `${address}%${zoneMeantBy(zone)}`, port: known }
}

const QUIRKS = 'igd1, late-search=MS and refuse=ACTION:CODE[:TIMES]'

/** The emulated gateway checks actions and codes, because only it knows them. @throws UsageError */
export function quirkOf(text: string): Quirk {
  if (text === 'igd1') return { name: 'igd1' }
  const [, delay] = /^late-search=(\d{1,9})$/.exec(text) ?? []
  if (delay !== undefined) return { name: 'late-search', delayMs: Number(delay) }
  const [, operation, code, times] = /^refuse=([\w-]+):(\d{1,9})(?::(\d{1,9}))?$/.exec(text) ?? []
  if (operation === undefined) throw new UsageError(`--quirk: '${text}' is not a quirk: there are ${QUIRKS}`)
  return { name: 'refuse', operation, code: Number(code), ...(times === undefined ? {} : { times: Number(times) }) }
}
