/**
 * The default gateways of either family, from the system's routing table. On Linux this reads the kernel's own file. On
 * macOS, BSD and Windows it runs the system's own command by absolute path, without a shell, with a time limit. No
 * package does this: the maintained ones start a shell or search PATH, and on Linux reading a file in 20 µs is enough.
 */
import { readFileSync } from 'node:fs'
import { endianness } from 'node:os'
import {
  formatIPv6,
  isLinkLocalIPv6,
  isUnicastIPv4,
  isUnicastIPv6,
  parseIPv6,
  splitZone,
} from '../../domain/address.js'
import { outputOf, system32 } from './system-command.js'

/** Anyone on the link can pose as an IPv6 router; nobody has more real ones than this. */
export const MAX_DEFAULT_GATEWAYS = 8

/** The preferred one first; none if not known. A link-local address has its zone: `fe80::1%eth0`, on Windows `%12`. */
export async function defaultGateways(family: 4 | 6, platform = process.platform): Promise<readonly string[]> {
  const isIPv4 = family === 4
  try {
    if (platform === 'linux' || platform === 'android') {
      const text = readFileSync(isIPv4 ? '/proc/net/route' : '/proc/net/ipv6_route', 'latin1')
      return isIPv4 ? parseProcNetRoute(text) : parseProcNetIPv6Route(text)
    }
    if (platform === 'win32') {
      const text = await outputOf(system32('ROUTE.EXE'), ['print', ...(isIPv4 ? ['-4', '0.0.0.0'] : ['-6', '::/0'])])
      return isIPv4 ? parseRoutePrint(text) : parseRoutePrintIPv6(text)
    }
    const program = platform === 'darwin' ? '/usr/sbin/netstat' : '/usr/bin/netstat'
    const text = await outputOf(program, ['-rn', '-f', isIPv4 ? 'inet' : 'inet6'])
    return isIPv4 ? parseNetstat(text) : parseNetstatIPv6(text)
  } catch {
    return [] // the search works without it, only less well
  }
}

interface Route {
  readonly gateway: string
  readonly metric: number
}

function byMetric(routes: readonly Route[]): string[] {
  const ordered = routes.toSorted((a, b) => a.metric - b.metric)
  return [...new Set(ordered.map((route) => route.gateway))].slice(0, MAX_DEFAULT_GATEWAYS)
}

function routeIPv4(gateway: string, metric: number): Route[] {
  return isUnicastIPv4(gateway) ? [{ gateway, metric }] : []
}

/**
 * No route if the address is no router's: the unspecified address; the rest of ::/80, which is this host or an embedded
 * IPv4 address such as `::192.88.99.1` of 6to4; `fe80::%utun0` of macOS, a tunnel without an interface identifier; a
 * link-local address without a zone.
 */
function routeIPv6(address: string, zone: string, metric: number): Route[] {
  const groups = parseIPv6(address)
  const none = (part: readonly number[]): boolean => part.every((group) => group === 0)
  if (groups === undefined || !isUnicastIPv6(address) || none(groups.slice(0, 5))) return []
  if (!isLinkLocalIPv6(address)) return [{ gateway: formatIPv6(groups), metric }]
  return zone === '' || none(groups.slice(4)) ? [] : [{ gateway: `${formatIPv6(groups)}%${zone}`, metric }]
}

/** The flags of Linux, the same for both families (include/uapi/linux/route.h). */
const RTF_UP = 1
const RTF_GATEWAY = 2
const RTF_REJECT = 0x200

function leadsToGateway(flags: number): boolean {
  return (flags & (RTF_UP | RTF_GATEWAY | RTF_REJECT)) === (RTF_UP | RTF_GATEWAY)
}

/** An address is eight hexadecimal digits in the machine's byte order: little-endian, except on s390x. */
export function parseProcNetRoute(text: string): string[] {
  const routes = text.split('\n').flatMap((line) => {
    const [, destination, gateway, flags, , , metric, mask] = line.trim().split(/\s+/)
    if (destination !== '00000000' || mask !== '00000000' || !/^[0-9A-F]{8}$/i.test(gateway ?? '')) return []
    if (!leadsToGateway(Number.parseInt(flags ?? '', 16))) return []
    const bytes = [...Buffer.from(gateway ?? '', 'hex')]
    return routeIPv4((endianness() === 'LE' ? bytes.reverse() : bytes).join('.'), Number(metric))
  })
  return byMetric(routes)
}

/**
 * Columns: destination and its prefix length, source and its prefix length, next hop, metric, two counts, flags,
 * interface. Numbers are hexadecimal, addresses in network byte order. If metrics are equal, the router that announces
 * the higher preference comes first.
 */
export function parseProcNetIPv6Route(text: string): string[] {
  const DEFAULT = /^0{32} 00 [0-9a-f]{32} [0-9a-f]{2} ([0-9a-f]{32}) ([0-9a-f]{8}) \S+ \S+ ([0-9a-f]{8}) +(\S+)$/gim
  const routes = [...text.matchAll(DEFAULT)].flatMap(([, nextHop = '', metric = '', flagDigits = '', zone = '']) => {
    const flags = Number.parseInt(flagDigits, 16)
    if (!leadsToGateway(flags)) return []
    const address = nextHop.match(/.{4}/g)?.join(':') ?? ''
    return routeIPv6(address, zone, Number.parseInt(metric, 16) + preferenceRank(flags) / 4)
  })
  return byMetric(routes)
}

/** RFC 4191 2.1: 01 is high, 00 medium, 11 low, and 10 counts as medium. Linux has the two bits at RTF_PREF. */
function preferenceRank(flags: number): number {
  return [1, 0, 1, 2][(flags >>> 27) & 3] ?? 1
}

/** A line: `default  192.168.1.1  UGScg  en0`. The order of the table is the order of preference. */
export function parseNetstat(text: string): string[] {
  return byMetric(netstatDefaults(text, '0.0.0.0').flatMap(({ gateway, metric }) => routeIPv4(gateway, metric)))
}

/** A line: `default  fe80::1%en0  UGcg  en0`. */
export function parseNetstatIPv6(text: string): string[] {
  const routes = netstatDefaults(text, '::/0').flatMap(({ gateway, metric }) => {
    const { address, zone } = splitZone(gateway)
    return routeIPv6(address, zone, metric)
  })
  return byMetric(routes)
}

/** Flags: U is up, R rejects packets, B discards them silently. */
function netstatDefaults(text: string, otherName: string): Route[] {
  return text.split('\n').flatMap((line, metric) => {
    const [destination, gateway = '', flags = ''] = line.trim().split(/\s+/)
    const inUse = flags.includes('U') && !/[RB]/.test(flags)
    return inUse && (destination === 'default' || destination === otherName) ? [{ gateway, metric }] : []
  })
}

/**
 * A line: `0.0.0.0  0.0.0.0  192.168.1.1  192.168.1.5  25`. The last number is the metric. Headings are in the user's
 * language. The persistent routes further down have no interface column; those in use also appear above.
 */
export function parseRoutePrint(text: string): string[] {
  const routes = text.split(/\r?\n/).flatMap((line) => {
    const [destination, mask, gateway = '', via = '', metric = ''] = line.trim().split(/\s+/)
    if (destination !== '0.0.0.0' || mask !== '0.0.0.0' || !isUnicastIPv4(via) || !/^\d+$/.test(metric)) return []
    return routeIPv4(gateway, Number(metric))
  })
  return byMetric(routes)
}

/**
 * A line: `12  281  ::/0  fe80::1`, for interface, metric, destination and gateway. A long gateway is on the next line.
 * A line of = separates the routes in use from the persistent ones below, which have the same columns, mostly with
 * interface 0.
 */
export function parseRoutePrintIPv6(text: string): string[] {
  const DEFAULT = /^[ \t]*(\d+)[ \t]+(\d+)[ \t]+::\/0\s+(\S+)[ \t]*$/gm
  for (const part of text.split(/^={3,}\s*$/m)) {
    const found = [...part.matchAll(DEFAULT)]
    const inUse = found.filter(([, zone]) => Number(zone) !== 0)
    const routes = inUse.flatMap(([, zone = '', metric, address = '']) => routeIPv6(address, zone, Number(metric)))
    if (found.length > 0) return byMetric(routes)
  }
  return []
}
