/** This computer's own addresses. */
import { networkInterfaces } from 'node:os'

export interface InterfaceAddress {
  readonly name: string
  /** Without a zone. */
  readonly address: string
  readonly netmask: string
  readonly loopback: boolean
}

export interface IPv6InterfaceAddress extends InterfaceAddress {
  readonly prefixLength: number
  /** What names this interface after the `%` of a link-local address: its name, on Windows its number. */
  readonly zone: string
}

export function isIPv6Interface(address: InterfaceAddress): address is IPv6InterfaceAddress {
  return 'zone' in address
}

/** A computer with more interfaces than this searches only on the first ones. */
export const MAX_INTERFACES = 16

/** Every IPv4 address; an interface with several addresses appears once for each. */
export function ipv4Interfaces(): InterfaceAddress[] {
  return interfaceAddresses().filter((each) => !isIPv6Interface(each))
}

type System = ReturnType<typeof networkInterfaces>

/** Every address of either family, interface by interface. */
export function interfaceAddresses(
  system: System = networkInterfaces(),
  platform: NodeJS.Platform = process.platform,
): InterfaceAddress[] {
  return Object.entries(system).flatMap(([name, addresses = []]) => {
    const zone = platform === 'win32' ? String(indexOf(addresses)) : name
    return addresses.map((each) => {
      const { address, netmask, internal: loopback } = each
      const common = { name, address, netmask, loopback }
      return each.family === 'IPv4' ? common : { ...common, prefixLength: prefixLengthOf(each.cidr), zone }
    })
  })
}

/** The zone for an interface that a user names or numbers (RFC 4007 11.2). Node takes a number on Windows only. */
export function zoneMeantBy(text: string, system?: System, platform: NodeJS.Platform = process.platform): string {
  if (platform === 'win32' || !/^[1-9]\d*$/.test(text)) return text
  const named = Object.entries(system ?? networkInterfaces()).find(
    ([, addresses = []]) => indexOf(addresses) === Number(text),
  )
  return named?.[0] ?? text
}

/** Only link-local addresses come with the number of their interface. */
function indexOf(addresses: readonly { scopeid?: number | undefined }[]): number {
  return addresses.find(({ scopeid = 0 }) => scopeid !== 0)?.scopeid ?? 0
}

function prefixLengthOf(cidr: string | null): number {
  return cidr === null ? 128 : Number(cidr.split('/')[1])
}
