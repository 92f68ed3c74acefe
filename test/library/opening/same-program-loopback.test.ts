/** Calls of one program at an emulated gateway on loopback: pinholes that they share, and one memory. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Emulator, startEmulator } from '../../../src/emulator.ts'
import { findGateway } from '../../../src/library/gateway/find-gateway.ts'
import { openPort } from '../../../src/library/opening/open-ports.ts'
import { memoryFiles } from '../../../src/net/files/private-files.ts'
import { nodeNet } from '../../../src/net/network.ts'

let emulator: Emulator
beforeEach(async () => {
  emulator = await startEmulator({ ipv6Address: '::1', pinholesOnlyForAsking: false })
})
afterEach(() => emulator.close())

/** This computer has a global address, for which the firewall is asked over IPv4. */
function firewall() {
  const global = { name: 'eth0', address: '2001:db8::5', netmask: 'ffff:ffff:ffff:ffff::', loopback: false }
  return { interfaces: () => [...nodeNet().interfaces(), { ...global, prefixLength: 64, zone: 'eth0' }] }
}

function pcp() {
  return { onlyEndpoint: emulator.portControlIPv6 }
}

describe.each(['igd', 'pcp'] as const)('a pinhole over %s', (via) => {
  it.each([{}, { state: false }] as const)('is shared, and closed with the last one (%j)', async (more) => {
    const net = { ...nodeNet(), files: memoryFiles(), ...(via === 'igd' ? firewall() : pcp()) }
    const url = via === 'igd' ? { url: emulator.descriptionUrl } : {}
    const options = { family: 6, via, net, ...url, ...more } as const
    const one = await openPort(8080, options)
    const other = await openPort(8080, options)
    expect((await other.close()).left).toMatchObject([{ why: 'another open port of this program keeps it open' }])
    expect(emulator.pinholes()).toHaveLength(1)
    expect((await one.close()).removed).toHaveLength(1)
    expect(emulator.pinholes()).toEqual([])
  })
})

describe.each(['igd', 'pcp', 'nat-pmp'] as const)('without files, over %s', (via) => {
  it('a gateway remembers what was mapped and what was opened at it', async () => {
    const gateway = await findGateway({ via, net: emulator.net, state: false })
    await gateway.map({ internalPort: 8080 })
    await gateway.map({ internalPort: 9090 })
    const port = await gateway.openPort(8080)
    const again = await findGateway({ via, net: emulator.net, state: false })
    const { removed, left } = await again.removeOwn()
    expect(removed.map(({ externalPort }) => externalPort)).toEqual([9090])
    expect(left).toMatchObject([{ mapping: { externalPort: 8080 }, why: 'an open port of this program holds it' }])
    await port.close()
  })
})
