/**
 * The hardware address of a neighbour on the link, from the system's table (ARP). It tells two routers with the same IP
 * address apart. The table knows whom this computer has just sent to.
 */
import { readFileSync } from 'node:fs'
import { parseIPv4 } from '../../domain/address.js'
import { outputOf, system32 } from './system-command.js'

/** Twelve hexadecimal digits in lower case. Undefined if it is not known, and for IPv6. */
export async function hardwareAddress(address: string, platform = process.platform): Promise<string | undefined> {
  if (parseIPv4(address) === undefined) return undefined
  try {
    return hardwareAddressIn(await tableOf(address, platform), address)
  } catch {
    return undefined
  }
}

async function tableOf(address: string, platform: NodeJS.Platform): Promise<string> {
  if (platform === 'linux' || platform === 'android') return readFileSync('/proc/net/arp', 'latin1')
  return platform === 'win32'
    ? outputOf(system32('ARP.EXE'), ['-a', address])
    : outputOf('/usr/sbin/arp', ['-n', address])
}

/**
 * A line of Linux: `192.168.1.1  0x1  0x2  02:00:5e:10:00:01  *  eth0`; of macOS and BSD:
 * `? (192.168.1.1) at 2:0:5e:10:0:1 on en0`; of Windows: `192.168.1.1  02-00-5e-10-00-01  dynamic`.
 */
export function hardwareAddressIn(table: string, address: string): string | undefined {
  for (const line of table.split('\n')) {
    const words = line.split(/[\s()]+/)
    const hardware = words.map(hexDigitsOf).find((digits) => digits !== undefined)
    if (words.includes(address) && hardware !== undefined && !/^0+$/.test(hardware)) return hardware
  }
  return undefined
}

/** The address without separators. macOS leaves out leading zeros. */
function hexDigitsOf(word: string): string | undefined {
  if (!/^[\da-f]{1,2}([:-][\da-f]{1,2}){5}$/i.test(word)) return undefined
  const bytes = word.toLowerCase().split(/[:-]/)
  return bytes.map((byte) => byte.padStart(2, '0')).join('')
}
