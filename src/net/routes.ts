/**
 * The default gateway, from the system's routing table. Linux: the kernel's own file. macOS, BSD and Windows: the
 * system's own command by absolute path, without a shell, with a time limit. No package is used for this: the kept
 * ones start a shell or a search through PATH, and on Linux a file read of 20 µs is all there is to do.
 */
import { readFileSync } from 'node:fs'
import { isUnicastIPv4 } from '../domain/address.js'

const COMMAND_TIMEOUT_MS = 1000
const MAX_OUTPUT_BYTES = 256 * 1024

/** IPv4 addresses of the default gateways, the preferred one first; empty where there is none or it cannot be known. */
export async function defaultGateways(platform: NodeJS.Platform = process.platform): Promise<string[]> {
  try {
    if (platform === 'linux' || platform === 'android')
      return parseProcNetRoute(readFileSync('/proc/net/route', 'latin1'))
    if (platform === 'win32')
      return parseRoutePrint(await run(`${windowsDirectory()}\\System32\\ROUTE.EXE`, ['print', '-4', '0.0.0.0']))
    return parseNetstat(
      await run(platform === 'darwin' ? '/usr/sbin/netstat' : '/usr/bin/netstat', ['-rn', '-f', 'inet']),
    )
  } catch {
    return [] // knowing the gateway only makes the search better
  }
}

function windowsDirectory(): string {
  return process.env.SystemRoot ?? 'C:\\Windows'
}

async function run(file: string, args: readonly string[]): Promise<string> {
  const { execFile } = await import('node:child_process') // only where there is no file to read: it costs 3 ms
  return new Promise((resolve, reject) => {
    execFile(
      file,
      args,
      { timeout: COMMAND_TIMEOUT_MS, maxBuffer: MAX_OUTPUT_BYTES, windowsHide: true, encoding: 'latin1' },
      (error, stdout) => (error === null ? resolve(stdout) : reject(error)),
    )
  })
}

function byMetric(routes: readonly { gateway: string; metric: number }[]): string[] {
  const ordered = routes.filter((route) => isUnicastIPv4(route.gateway)).sort((a, b) => a.metric - b.metric)
  return [...new Set(ordered.map((route) => route.gateway))]
}

/** Addresses there are eight hexadecimal digits in the byte order of the machine, which is little-endian wherever Node runs but s390x. */
export function parseProcNetRoute(text: string): string[] {
  const RTF_GATEWAY = 2
  const routes = text.split('\n').flatMap((line) => {
    const [, destination, gateway, flags, , , metric, mask] = line.trim().split(/\s+/)
    if (destination !== '00000000' || mask !== '00000000' || !/^[0-9A-F]{8}$/i.test(gateway ?? '')) return []
    if ((Number.parseInt(flags ?? '', 16) & RTF_GATEWAY) === 0) return []
    const bytes = [...Buffer.from(gateway ?? '', 'hex')]
    return [{ gateway: (isLittleEndian() ? bytes.reverse() : bytes).join('.'), metric: Number(metric) }]
  })
  return byMetric(routes)
}

function isLittleEndian(): boolean {
  return new Uint8Array(new Uint16Array([1]).buffer)[0] === 1
}

/** `default  192.168.1.1  UGScg  en0`; the order of the table is the order of preference. */
export function parseNetstat(text: string): string[] {
  const routes = text.split('\n').flatMap((line, metric) => {
    const [destination, gateway] = line.trim().split(/\s+/)
    return destination === 'default' || destination === '0.0.0.0' ? [{ gateway: gateway ?? '', metric }] : []
  })
  return byMetric(routes)
}

/**
 * `0.0.0.0  0.0.0.0  192.168.1.1  192.168.1.5  25`, the last number being the metric; headings are in the user's
 * language. The persistent routes further down have no interface column; those that are in use are also above.
 */
export function parseRoutePrint(text: string): string[] {
  const routes = text.split(/\r?\n/).flatMap((line) => {
    const [destination, mask, gateway = '', via = '', metric = ''] = line.trim().split(/\s+/)
    if (destination !== '0.0.0.0' || mask !== '0.0.0.0' || !isUnicastIPv4(via) || !/^\d+$/.test(metric)) return []
    return [{ gateway, metric: Number(metric) }]
  })
  return byMetric(routes)
}
