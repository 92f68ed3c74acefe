import { describe, expect, it } from 'vitest'
import type { InterfaceAddress } from '../../src/net/interfaces.ts'
import { InterfaceWatch } from '../../src/net/interfaces.ts'

const on = (name: string, address: string): InterfaceAddress => ({
  name,
  address,
  netmask: '255.255.255.0',
  loopback: false,
})
const [ETH, WLAN] = [on('eth0', '192.168.1.10'), on('wlan0', '192.168.2.10')]

function watching(...first: readonly InterfaceAddress[]) {
  let now = first
  let changes = 0
  const watch = new InterfaceWatch(() => now)
  const stop = watch.onChange(() => {
    changes++
    watch.look() // whoever is told may look again
  })
  /** How often it was told of what is there now. */
  const told = (...next: readonly InterfaceAddress[]): number => {
    now = next
    const before = changes
    expect(watch.look()).toBe(next)
    return changes - before
  }
  return { told, stop }
}

describe('a watch over the interfaces', () => {
  it('tells once of an address that is new, that is gone, or that is on another interface', () => {
    const { told } = watching(ETH)
    expect(told(ETH, WLAN)).toBe(1)
    expect(told(ETH, WLAN)).toBe(0)
    expect(told(WLAN)).toBe(1)
    expect(told(on('eth0', WLAN.address))).toBe(1)
    expect(told()).toBe(1)
  })

  it('does not mind their order', () => {
    const { told } = watching(ETH, WLAN)
    expect(told(WLAN, ETH)).toBe(0)
  })

  it('tells nobody who does not listen any more', () => {
    const { told, stop } = watching(ETH)
    stop()
    expect(told(WLAN)).toBe(0)
  })
})
