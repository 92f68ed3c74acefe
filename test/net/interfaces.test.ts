import { describe, expect, it } from 'vitest'
import { isLoopbackIPv4, parseIPv4 } from '../../src/domain/address.ts'
import { ipv4Interfaces } from '../../src/net/interfaces.ts'

describe('ipv4Interfaces', () => {
  it('lists IPv4 addresses with their netmasks, and which of them are loopback', () => {
    const interfaces = ipv4Interfaces()
    for (const { name, address, netmask, loopback } of interfaces) {
      expect(name).not.toBe('')
      expect(parseIPv4(address)).toBeDefined()
      expect(parseIPv4(netmask)).toBeDefined()
      if (isLoopbackIPv4(address)) expect(loopback).toBe(true)
    }
  })
})
