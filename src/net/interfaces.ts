/** This computer's own addresses. */
import { networkInterfaces } from 'node:os'

export interface InterfaceAddress {
  readonly name: string
  readonly address: string
  readonly netmask: string
  readonly loopback: boolean
}

/** A host with more interfaces than this searches on the first ones. */
export const MAX_INTERFACES = 16

/** Every IPv4 address; an interface with several addresses is there once for each. */
export function ipv4Interfaces(): InterfaceAddress[] {
  return Object.entries(networkInterfaces()).flatMap(([name, addresses = []]) =>
    addresses
      .filter((each) => each.family === 'IPv4')
      .map((each) => ({ name, address: each.address, netmask: each.netmask, loopback: each.internal })),
  )
}
