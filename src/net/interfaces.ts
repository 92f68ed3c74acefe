/** This computer's own addresses, and how a program notices that they change. */
import { readFileSync } from 'node:fs'
import { hostname, networkInterfaces } from 'node:os'

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

export function computerName(): string {
  return hostname()
}

/** A computer with more interfaces than this searches only on the first ones. */
export const MAX_INTERFACES = 16

/** What node:os tells of an address. */
interface SystemAddress {
  readonly address: string
  readonly netmask: string
  readonly family: string
  readonly internal: boolean
  readonly cidr?: string | null
  readonly scopeid?: number | undefined
}

type System = Readonly<Record<string, readonly SystemAddress[] | undefined>>

/** Every address of either family, interface by interface; an interface with several appears once for each. */
export function interfaceAddresses(
  system: System = networkInterfaces(),
  platform: string = process.platform,
): InterfaceAddress[] {
  return Object.entries(system).flatMap(([name, addresses = []]) => {
    const zone = platform === 'win32' ? String(indexOf(addresses)) : name
    return addresses.map((each) => {
      const { address, netmask, internal: loopback } = each
      const common = { name, address, netmask, loopback }
      return each.family === 'IPv4'
        ? common
        : { ...common, prefixLength: Number(each.cidr?.split('/')[1] ?? 128), zone }
    })
  })
}

/** The zone for an interface that a user names or numbers (RFC 4007 11.2). Node takes a number on Windows only. */
export function zoneMeantBy(text: string, system?: System, platform: string = process.platform): string {
  if (platform === 'win32' || !/^[1-9]\d*$/.test(text)) return text
  const named = Object.entries(system ?? networkInterfaces()).find(
    ([, addresses = []]) => indexOf(addresses) === Number(text),
  )
  return named?.[0] ?? text
}

/** Linux: where the kernel lists its IPv6 addresses, with their flags. */
const IPV6_ADDRESSES = '/proc/net/if_inet6'
/** linux/if_addr.h: IFA_F_TEMPORARY, IFA_F_DADFAILED, IFA_F_DEPRECATED, IFA_F_TENTATIVE. */
const PASSING = 0x01 | 0x08 | 0x20 | 0x40

/** This computer's IPv6 addresses that will not last (RFC 8981), where the system tells: Linux. Without zones. */
export function temporaryAddresses(path = IPV6_ADDRESSES): readonly string[] {
  return textOfFile(path)
    .split('\n')
    .flatMap((line) => {
      const [, address, flags = ''] = /^([\da-f]{32}) [\da-f]+ [\da-f]+ [\da-f]+ ([\da-f]+) /.exec(line) ?? []
      if (address === undefined || (Number.parseInt(flags, 16) & PASSING) === 0) return []
      return [address.match(/.{4}/g)?.join(':') ?? '']
    })
}

function textOfFile(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return '' // another system, or IPv6 is off
  }
}

/** Only link-local addresses come with the number of their interface. */
function indexOf(addresses: readonly { scopeid?: number | undefined }[]): number {
  return addresses.find(({ scopeid = 0 }) => scopeid !== 0)?.scopeid ?? 0
}

/** Calls listeners if a look finds other addresses. Without a timer: what keeps something open looks anyway. */
export class InterfaceWatch {
  readonly #read: () => readonly InterfaceAddress[]
  readonly #listeners = new Set<() => void>()
  #last: string

  constructor(read: () => readonly InterfaceAddress[]) {
    this.#read = read
    this.#last = textOf(read())
  }

  look(): readonly InterfaceAddress[] {
    const now = this.#read()
    const text = textOf(now)
    if (text === this.#last) return now
    this.#last = text
    for (const listener of [...this.#listeners]) listener()
    return now
  }

  /** Listens until the returned function is called. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}

/** Sorted, because the system lists them in no particular order. */
function textOf(addresses: readonly InterfaceAddress[]): string {
  return addresses
    .map(({ name, address }) => `${name} ${address}`)
    .toSorted()
    .join()
}
