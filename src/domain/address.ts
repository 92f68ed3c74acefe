/**
 * IPv4 addresses: text, bytes, subnets, and the ranges that are not on the public internet.
 * Decisions are taken on the bytes, never on the text (0x7f.1 and 127.0.0.1 are one address).
 */

/** The 32 bits of a dotted quad, or undefined where the text is not exactly one (no leading zeros, no short forms). */
export function parseIPv4(text: string): number | undefined {
  const parts = text.split('.')
  if (parts.length !== 4) return undefined
  let bits = 0
  for (const part of parts) {
    if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return undefined
    bits = bits * 256 + Number(part)
  }
  return bits
}

function inPrefix(bits: number, prefix: number, length: number): boolean {
  const size = 2 ** (32 - length)
  return Math.floor(bits / size) === Math.floor(prefix / size)
}

type Range = readonly [string, number]

/** Special-purpose blocks (RFC 6890 and successors) that a home gateway cannot be reached at from the internet. */
const RESERVED: readonly Range[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.31.196.0', 24],
  ['192.52.193.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['192.175.48.0', 24],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
]

/** Not a host that can be talked to across a link: unspecified, multicast, broadcast. */
const NEVER_A_HOST: readonly Range[] = [
  ['0.0.0.0', 8],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
]

function inAny(ranges: readonly Range[], bits: number): boolean {
  return ranges.some(([prefix, length]) => inPrefix(bits, parseIPv4(prefix) ?? 0, length))
}

/** True for an address that the internet does not route to, and for text that is no address at all. */
export function isReservedIPv4(text: string): boolean {
  const bits = parseIPv4(text)
  return bits === undefined || inAny(RESERVED, bits)
}

/** True for a dotted quad that can belong to one host (loopback included). */
export function isUnicastIPv4(text: string): boolean {
  const bits = parseIPv4(text)
  return bits !== undefined && !inAny(NEVER_A_HOST, bits)
}

export function isLoopbackIPv4(text: string): boolean {
  const bits = parseIPv4(text)
  return bits !== undefined && inPrefix(bits, 0x7f000000, 8)
}

export function isLinkLocalIPv4(text: string): boolean {
  const bits = parseIPv4(text)
  return bits !== undefined && inPrefix(bits, 0xa9fe0000, 16)
}

/** True where both are in the subnet that `netmask` makes of the first; the subnet's broadcast address is not a host. */
export function onSameSubnet(address: string, netmask: string, other: string): boolean {
  const a = parseIPv4(address)
  const mask = parseIPv4(netmask)
  const b = parseIPv4(other)
  if (a === undefined || mask === undefined || b === undefined) return false
  const subnet = (bits: number): number => (bits & mask) >>> 0
  const broadcast = (subnet(a) | ~mask) >>> 0
  return subnet(a) === subnet(b) && (b !== broadcast || mask >>> 1 === 0x7fffffff)
}
