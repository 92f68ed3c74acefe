/**
 * Which ports of this computer a program waits on, from the system's tables. Nobody is asked by connecting: a program
 * would notice, and one that answers to some hosts only would be missed.
 */
import { closeSync, openSync, readSync } from 'node:fs'
import { endianness, release } from 'node:os'
import {
  addressOfBytes,
  bytesOfAddress,
  isLoopbackIPv4,
  isLoopbackIPv6,
  isSameAddress,
  parseIPv4,
  splitZone,
  withoutBrackets,
} from '../../domain/address.js'
import type { TransportProtocol } from '../../domain/port-mapping.js'
import { codeOf } from '../system-error.js'
import { outputOf, system32 } from './system-command.js'

/** Of one table of Linux: some 7000 sockets. */
export const MAX_TABLE_BYTES = 1024 * 1024

/** A socket that takes what anybody sends to it: it listens (TCP), or it is bound and not connected (UDP). */
export interface Listener {
  readonly protocol: TransportProtocol
  /** `0.0.0.0` and `::` are every address. Undefined if the system does not show it whole. */
  readonly address: string | undefined
  readonly port: number
}

export interface Listeners {
  readonly listeners: readonly Listener[]
  /** If not, a port that is not there may have a listener all the same. */
  readonly areAll: boolean
}

/** Who waits at a port and an address. `elsewhere`: whoever has the port waits at another address of this computer. */
export type Listening =
  | { readonly kind: 'listens' | 'loopback-only' | 'nobody' | 'unknown' }
  | { readonly kind: 'elsewhere'; readonly address: string }

export const NOTHING_KNOWN: Listeners = { listeners: [], areAll: false }

/** Never fails: what cannot be read is not known. */
export async function listenersOfThisComputer(platform = process.platform): Promise<Listeners> {
  try {
    if (platform === 'linux' || platform === 'android') return listenersOfLinux()
    if (platform === 'win32') return parseNetstatOfWindows(await outputOf(system32('NETSTAT.EXE'), ['-an']))
    const program = platform === 'darwin' ? '/usr/sbin/netstat' : '/usr/bin/netstat'
    const texts = await Promise.all(['tcp', 'udp'].map((protocol) => outputOf(program, ['-an', '-p', protocol])))
    return parseNetstatOfBsd(texts.join('\n'))
  } catch {
    return NOTHING_KNOWN
  }
}

/** Whether what is sent to that address of this computer reaches a program. A socket on `::` takes IPv4 too, as a rule. */
export function listeningAt(
  { listeners, areAll }: Listeners,
  { protocol, address, port }: Listener & { readonly address: string },
): Listening {
  const there = listeners.filter((each) => each.port === port && each.protocol === protocol)
  const isIPv4 = parseIPv4(address) !== undefined
  const takesIt = (at: string): boolean => at === '::' || (isIPv4 && at === '0.0.0.0') || isSameAddress(at, address)
  const known = there.flatMap((each) => each.address ?? [])
  if (known.some(takesIt)) return { kind: 'listens' }
  if (!areAll || known.length < there.length) return { kind: 'unknown' }
  const elsewhere = known.find((at) => !isLoopbackIPv4(at) && !isLoopbackIPv6(at))
  if (elsewhere !== undefined) return { kind: 'elsewhere', address: elsewhere }
  return { kind: known.length > 0 ? 'loopback-only' : 'nobody' }
}

/** A kernel without IPv6 has no tables of it. */
const PROC_NET = [
  { name: 'tcp', protocol: 'TCP', mayLack: false },
  { name: 'tcp6', protocol: 'TCP', mayLack: true },
  { name: 'udp', protocol: 'UDP', mayLack: false },
  { name: 'udp6', protocol: 'UDP', mayLack: true },
] as const

function listenersOfLinux(): Listeners {
  const tables = PROC_NET.map((table) => parseProcNet(readTable(table), table.protocol))
  return {
    listeners: tables.flatMap(({ listeners }) => listeners),
    // In WSL, programs of Windows may have the port, and are in none of these tables.
    areAll: tables.every(({ areAll }) => areAll) && !/microsoft/i.test(release()),
  }
}

/** What stands above the rows. */
const HEAD = 'sl  local_address'

/** A row of a connection. All rows of TCP after it are of connections too (the kernel's proc_net_tcp.rst). */
const CONNECTION = /^ *\d+: [0-9A-F]+:[0-9A-F]{4} [0-9A-F]+:[0-9A-F]{4} (?!0A)/im

/** Of TCP only as far as the first connections: a busy computer has thousands, and the kernel takes 4 µs for each. */
function readTable({ name, protocol, mayLack }: (typeof PROC_NET)[number]): string {
  let file: number
  try {
    file = openSync(`/proc/net/${name}`, 'r')
  } catch (error) {
    if (mayLack && codeOf(error) === 'ENOENT') return HEAD
    throw error
  }
  try {
    const chunk = Buffer.alloc(64 * 1024)
    let text = ''
    while (text.length < MAX_TABLE_BYTES) {
      const length = readSync(file, chunk)
      if (length === 0) break
      const part = chunk.toString('latin1', 0, length)
      text += part
      if (protocol === 'TCP' && CONNECTION.test(part)) break
    }
    return text
  } finally {
    closeSync(file)
  }
}

/**
 * A line: `0: 0100007F:1F90 00000000:0000 0A …`, for the local end, the remote end and the state. Listening is 0A; a
 * socket of UDP that is not connected is 07. An address is one or four words in the machine's byte order.
 */
export function parseProcNet(text: string, protocol: TransportProtocol, byteOrder = endianness()): Listeners {
  const ROW = /^ *\d+: ([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4}) (?:0{8}|0{32}):0000 (0A|07) /gim
  const wanted = protocol === 'TCP' ? '0A' : '07'
  const listeners = [...text.matchAll(ROW)].flatMap(([, words = '', port = '', state]) => {
    if (state?.toUpperCase() !== wanted) return []
    return { protocol, address: addressOfWords(words, byteOrder), port: Number.parseInt(port, 16) }
  })
  return { listeners, areAll: text.trimStart().startsWith(HEAD) && text.length < MAX_TABLE_BYTES }
}

function addressOfWords(words: string, byteOrder: 'BE' | 'LE'): string {
  const bytes = Buffer.from(words, 'hex')
  if (byteOrder === 'LE') bytes.swap32()
  return bytes.length === 4 ? bytes.join('.') : addressOfBytes(bytes)
}

/**
 * macOS and BSD. A line: `tcp4  0  0  127.0.0.1.631  *.*  LISTEN`, of UDP without a state. `tcp46` takes both families. A
 * long address is cut off.
 */
export function parseNetstatOfBsd(text: string): Listeners {
  return listenersIn(text, ([name = '', , , local = '', remote, state]) => {
    const [, title, family = ''] = /^(tcp|udp)(4|6|46)?$/.exec(name) ?? []
    if (title === undefined) return undefined
    const protocol = title === 'tcp' ? 'TCP' : 'UDP'
    if (remote !== '*.*' || (protocol === 'TCP' && state !== 'LISTEN')) return undefined
    const at = local.lastIndexOf('.')
    return listenerAt(protocol, local.slice(0, at), local.slice(at + 1), family.endsWith('6') ? '::' : '0.0.0.0')
  })
}

/** A line: `TCP  [::]:445  [::]:0  LISTENING`, of UDP `UDP  0.0.0.0:500  *:*`. The state is in the user's language. */
export function parseNetstatOfWindows(text: string): Listeners {
  return listenersIn(text, ([protocol, local = '', remote = '']) => {
    if (protocol !== 'TCP' && protocol !== 'UDP') return undefined
    const nobody = protocol === 'TCP' ? ['0.0.0.0:0', '[::]:0'] : ['*:*']
    if (!nobody.includes(remote)) return undefined
    const at = local.lastIndexOf(':')
    return listenerAt(protocol, withoutBrackets(local.slice(0, at)), local.slice(at + 1))
  })
}

/** Text without one listener is of another form than is known here: every system has some. */
function listenersIn(text: string, read: (words: readonly string[]) => Listener | undefined): Listeners {
  const listeners = text.split(/\r?\n/).flatMap((line) => read(line.trim().split(/\s+/)) ?? [])
  return { listeners, areAll: listeners.length > 0 }
}

/** `every`: the address that `*` means. */
function listenerAt(protocol: TransportProtocol, host: string, port: string, every = '*'): Listener | undefined {
  if (!/^\d{1,5}$/.test(port)) return undefined
  const bytes = bytesOfAddress(splitZone(host === '*' ? every : host).address)
  return { protocol, address: bytes && addressOfBytes(bytes), port: Number(port) }
}
