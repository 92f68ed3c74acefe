/** IPv4 and IPv6 addresses. Decisions are made on the bytes, never on the text: 0x7f.1 and 127.0.0.1 are one. */

/** The 32 bits of a dotted quad; undefined for any other text (no leading zeros, no short forms). */
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

/** No host on a link has one of these addresses: unspecified, multicast, broadcast. */
const NEVER_A_HOST = ['0.0.0.0/8', '224.0.0.0/4', '240.0.0.0/4'] as const

/** Special-purpose blocks (RFC 6890 and successors): the internet cannot reach a home gateway at these addresses. */
const RESERVED: readonly string[] = [
  ...NEVER_A_HOST,
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.31.196.0/24',
  '192.52.193.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '192.175.48.0/24',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
]

function inAny(blocks: readonly string[], bits: number | undefined): boolean {
  if (bits === undefined) return false
  return blocks.some((block) => {
    const [prefix = '', length] = block.split('/')
    const size = 2 ** (32 - Number(length))
    return Math.floor(bits / size) === Math.floor((parseIPv4(prefix) ?? 0) / size)
  })
}

/** True for an address that the internet does not route to, and for text that is no address at all. */
export function isReservedIPv4(text: string): boolean {
  const bits = parseIPv4(text)
  return bits === undefined || inAny(RESERVED, bits)
}

/** Where another NAT, or only the link, leads: RFC 1918, RFC 6598, link-local, loopback and 0.0.0.0/8. */
const PRIVATE = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.168.0.0/16',
] as const

/** Whether an address is the internet's. Unlike upnpc's rule, this one takes addresses for documentation for such. */
export function isInternetAddress(text: string): boolean {
  const bits = parseIPv4(text)
  return bits === undefined ? isGlobalIPv6(text) : !inAny(PRIVATE, bits)
}

/** Whether the internet can reach a router that says this of its address; undefined if it has said nothing. */
export function isReachableAt(address: string | undefined): boolean | undefined {
  return address === undefined ? undefined : isInternetAddress(address)
}

/** Routers without an address say nothing, `0.0.0.0` or `::`. */
export function isNoAddress(text: string): boolean {
  return text === '' || parseIPv4(text) === 0 || parseIPv6(text)?.every((group) => group === 0) === true
}

/** Undefined if the router has no address. */
export function knownAddress(text = ''): string | undefined {
  return isNoAddress(text) ? undefined : text
}

/** True for a dotted quad that can belong to one host (loopback included). */
export function isUnicastIPv4(text: string): boolean {
  const bits = parseIPv4(text)
  return bits !== undefined && !inAny(NEVER_A_HOST, bits)
}

export function isLoopbackIPv4(text: string): boolean {
  return inAny(['127.0.0.0/8'], parseIPv4(text))
}

export function isLinkLocalIPv4(text: string): boolean {
  return inAny(['169.254.0.0/16'], parseIPv4(text))
}

/** True if both are in the subnet of `address` and `netmask`; the subnet's broadcast address is not a host. */
export function onSameSubnet(address: string, netmask: string, other: string): boolean {
  const a = parseIPv4(address)
  const mask = parseIPv4(netmask)
  const b = parseIPv4(other)
  if (a === undefined || mask === undefined || b === undefined) return false
  const subnet = (bits: number): number => (bits & mask) >>> 0
  const broadcast = (subnet(a) | ~mask) >>> 0
  return subnet(a) === subnet(b) && (b !== broadcast || mask >>> 1 === 0x7fffffff)
}

/** Splits an address such as `fe80::1%eth0` from its zone, which is empty if there is none. */
export function splitZone(text: string): { address: string; zone: string } {
  const at = text.indexOf('%')
  return at === -1 ? { address: text, zone: '' } : { address: text.slice(0, at), zone: text.slice(at + 1) }
}

/** Adds the zone, unless it is empty, to a link-local IPv6 address without one. Any other address stays as it is. */
export function withZone(address: string, zone: string): string {
  return zone !== '' && isLinkLocalIPv6(address) && !address.includes('%') ? `${address}%${zone}` : address
}

/** The host of a URL as an address: without the brackets around IPv6 (RFC 3986 3.2.2). */
export function withoutBrackets(host: string): string {
  return host.replace(/^\[|\]$/g, '')
}

/** As in a URL: `192.168.1.1:5351`, `[fe80::1%eth0]:5351`. */
export function hostAndPort({ address, port }: { readonly address: string; readonly port: number }): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}

/** The eight groups of an IPv6 address (RFC 4291 2.2, an embedded IPv4 address included), or undefined. No zone. */
export function parseIPv6(text: string): number[] | undefined {
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const [head, tail] = halves.map((half, at) => parseGroups(half, at === halves.length - 1))
  if (head === undefined) return undefined
  if (halves.length === 1) return head.length === 8 ? head : undefined
  if (tail === undefined || head.length + tail.length > 7) return undefined
  return [...head, ...new Array<number>(8 - head.length - tail.length).fill(0), ...tail]
}

function parseGroups(text: string, atEnd: boolean): number[] | undefined {
  if (text === '') return []
  const groups: number[] = []
  const parts = text.split(':')
  for (const [at, part] of parts.entries()) {
    const embedded = atEnd && at === parts.length - 1 && part.includes('.') ? parseIPv4(part) : undefined
    if (embedded !== undefined) groups.push(Math.floor(embedded / 65536), embedded % 65536)
    else if (/^[0-9a-f]{1,4}$/i.test(part)) groups.push(Number.parseInt(part, 16))
    else return undefined
  }
  return groups.length > 8 ? undefined : groups
}

export function isIPv6(text: string): boolean {
  return parseIPv6(text) !== undefined
}

/** True for an IPv6 address with or without a zone. */
export function isIPv6Host(text: string): boolean {
  return isIPv6(splitZone(text).address)
}

/** fe80::/10: such an address means nothing without a zone. */
export function isLinkLocalIPv6(text: string): boolean {
  const first = parseIPv6(splitZone(text).address)?.[0]
  return first !== undefined && (first & 0xffc0) === 0xfe80
}

export function isLoopbackIPv6(text: string): boolean {
  return parseIPv6(text)?.join(':') === '0:0:0:0:0:0:0:1'
}

/** True for the address of one host: neither unspecified nor multicast. */
export function isUnicastIPv6(text: string): boolean {
  const groups = parseIPv6(text)
  return groups?.some((group) => group !== 0) === true && ((groups[0] ?? 0) & 0xff00) !== 0xff00
}

/** 2000::/3, what the internet routes to (RFC 4291 2.5.4). */
export function isGlobalIPv6(text: string): boolean {
  const first = parseIPv6(text)?.[0]
  return first !== undefined && (first & 0xe000) === 0x2000
}

/** Whether two IPv6 addresses agree in their first `prefixLength` bits; zones are ignored. */
export function samePrefixIPv6(a: string, b: string, prefixLength: number): boolean {
  const [groupsA, groupsB] = [parseIPv6(splitZone(a).address), parseIPv6(splitZone(b).address)]
  if (groupsA === undefined || groupsB === undefined) return false
  return groupsA.every((group, at) => {
    const bits = Math.min(16, Math.max(0, prefixLength - at * 16))
    const mask = (0xffff << (16 - bits)) & 0xffff
    return (group & mask) === ((groupsB[at] ?? 0) & mask)
  })
}

/** RFC 5952 4: lower case, no leading zeros, the longest run of two or more zero groups (or the first such) as `::`. */
export function formatIPv6(groups: readonly number[]): string {
  let [start, length] = [-1, 1]
  for (let at = 0; at < groups.length; at++) {
    const rest = groups.slice(at)
    const zeros = rest.findIndex((group) => group !== 0)
    const run = zeros === -1 ? rest.length : zeros
    if (run > length) [start, length] = [at, run]
  }
  const text = (part: readonly number[]): string => part.map((group) => group.toString(16)).join(':')
  return start === -1 ? text(groups) : `${text(groups.slice(0, start))}::${text(groups.slice(start + length))}`
}

/** ::ffff:0:0/96 (RFC 4291 2.5.5.2): carries an IPv4 address in a field for an IPv6 address. */
const IPV4_MAPPED = [0, 0, 0, 0, 0, 0xffff] as const

/** Text: a dotted quad if it is IPv4-mapped. @throws RangeError unless there are 16 bytes, a defect of the caller */
export function addressOfBytes(bytes: Uint8Array): string {
  if (bytes.length !== 16) throw new RangeError(`an address of ${bytes.length} bytes`)
  const groups = Array.from({ length: 8 }, (_, at) => (bytes[at * 2] ?? 0) * 256 + (bytes[at * 2 + 1] ?? 0))
  if (IPV4_MAPPED.every((group, at) => groups[at] === group)) return bytes.subarray(12).join('.')
  return formatIPv6(groups)
}

/** The sixteen bytes of an address; IPv4 becomes IPv4-mapped. Undefined for other text, and with a zone. */
export function bytesOfAddress(text: string): Uint8Array | undefined {
  const bits = parseIPv4(text)
  const mapped = bits === undefined ? undefined : [...IPV4_MAPPED, Math.floor(bits / 65536), bits % 65536]
  const groups = mapped ?? parseIPv6(text)
  if (groups === undefined) return undefined
  const bytes = new DataView(new ArrayBuffer(16))
  for (const [at, group] of groups.entries()) bytes.setUint16(2 * at, group)
  return new Uint8Array(bytes.buffer)
}

/** Whether both are the same address, however they are written; zones count. False if either is no address. */
export function isSameAddress(a: string, b: string): boolean {
  const [one, other] = [splitZone(a), splitZone(b)]
  const [bytesOne, bytesOther] = [bytesOfAddress(one.address), bytesOfAddress(other.address)]
  if (bytesOne === undefined || bytesOther === undefined || one.zone !== other.zone) return false
  return bytesOne.every((byte, at) => byte === bytesOther[at])
}
