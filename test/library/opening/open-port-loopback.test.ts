/** Open ports on real sockets of this computer: what keeps a process alive, and pinholes over IPv6. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Emulator, startEmulator } from '../../../src/emulator.ts'
import { openPort } from '../../../src/library/opening/open-ports.ts'
import { type Clock, systemClock } from '../../../src/net/clock.ts'
import { memoryFiles } from '../../../src/net/files/private-files.ts'
import { nodeNet } from '../../../src/net/network.ts'

let emulator: Emulator
let before: string[]
/** How many timers keep the process alive. */
let timers: number

const clock: Clock = {
  ...systemClock,
  schedule(delayMs, task, isBackground = false) {
    const count = isBackground ? 0 : 1
    timers += count
    let isOver = false
    const end = (): void => {
      if (!isOver) timers -= count
      isOver = true
    }
    const fire = (): void => {
      end()
      task()
    }
    const cancel = systemClock.schedule(delayMs, fire, isBackground)
    return () => {
      end()
      cancel()
    }
  },
}

/** What keeps the process alive beside the emulated gateway, as soon as it has come to rest. */
async function holders(): Promise<string[]> {
  await new Promise((resolve) => setTimeout(resolve, 60))
  const all = process.getActiveResourcesInfo().filter((each) => !/^(FS|Timeout|Immediate)/.test(each))
  for (const known of before) if (all.includes(known)) all.splice(all.indexOf(known), 1)
  return [...all, ...Array.from({ length: timers }, () => 'timer')]
}

function netOf(isForPinholes = false) {
  const onlyEndpoint = isForPinholes ? emulator.portControlIPv6 : emulator.portControl
  const unicastTo = emulator.ssdp === undefined ? [] : [emulator.ssdp]
  const onlyRoute = { address: '127.0.0.1', netmask: '255.0.0.0', multicast: false, unicastTo }
  return { ...nodeNet(), clock, files: memoryFiles(), onlyRoute, onlyEndpoint }
}

beforeEach(async () => {
  emulator = await startEmulator({ ipv6Address: '::1' })
  timers = 0
  before = []
  before = await holders()
})

afterEach(() => emulator.close())

describe.each(['igd', 'pcp', 'nat-pmp'] as const)('over %s an open port', (via) => {
  it('keeps the process alive until it is closed', async () => {
    const port = await openPort(8080, { via, net: netOf() })
    expect(await holders()).toEqual(['timer'])
    const { removed } = await port.close()
    expect(removed).toMatchObject([
      { via, externalAddress: '11.22.33.44', isPublic: true, internalClient: '127.0.0.1' },
    ])
    expect(await holders()).toEqual([])
    expect(emulator.mappings()).toEqual([])
  })

  it('does not after unref(), and is closed all the same', async () => {
    const port = await openPort(8080, { via, net: netOf() })
    expect(port.unref()).toBe(port)
    expect(await holders()).toEqual([])
    expect(emulator.mappings()).toHaveLength(1)
    await port.close()
    expect(emulator.mappings()).toEqual([])
    expect(await holders()).toEqual([])
  })

  it('does not with keep: false', async () => {
    const port = await openPort(8080, { via, net: netOf(), keep: false })
    expect(await holders()).toEqual([])
    await port.close()
    expect(emulator.mappings()).toEqual([])
  })
})

describe('a pinhole', () => {
  it('is opened over PCP, for TCP and UDP, and closed', async () => {
    const port = await openPort(8080, { family: 6, via: 'pcp', protocol: 'TCP+UDP', net: netOf(true) })
    expect(port.endpoints).toMatchObject([
      { family: 6, protocol: 'TCP', via: 'pcp', externalAddress: '::1', externalPort: 8080, isPublic: false },
      { family: 6, protocol: 'UDP', internalClient: '::1', internalPort: 8080 },
    ])
    expect(emulator.pinholes()).toHaveLength(2)
    expect((await port.close()).removed).toHaveLength(2)
    expect(emulator.pinholes()).toEqual([])
    expect(await holders()).toEqual([])
  })
})

describe('family both', () => {
  const name = 'lo'
  const interfaces = [
    { name, address: '127.0.0.1', netmask: '255.0.0.0', loopback: true },
    ...['::1', '2001:db8::6', '2001:db8::5'].map((address) => {
      return { name, address, netmask: '', loopback: true, prefixLength: 64, zone: name }
    }),
  ]

  it('opens a mapping, and a pinhole for an address that lasts', async () => {
    const firewall = await startEmulator({ pinholesOnlyForAsking: false })
    const computer = { interfaces: () => interfaces, temporaryAddresses: () => ['2001:db8:0:0:0:0:0:6'] }
    const net = { ...nodeNet(), ...computer, clock, files: memoryFiles() }
    const port = await openPort(8080, { family: 'both', url: firewall.descriptionUrl, net, protocol: 'UDP' })
    expect(port.endpoints).toMatchObject([
      { family: 4, via: 'igd', protocol: 'UDP', externalAddress: '11.22.33.44', internalClient: '127.0.0.1' },
      { family: 6, via: 'igd', protocol: 'UDP', externalAddress: '2001:db8::5', internalClient: '2001:db8::5' },
    ])
    expect(port.failures).toEqual([])
    expect([firewall.mappings().length, firewall.pinholes()]).toMatchObject([1, [{ internalClient: '2001:db8::5' }]])
    expect((await port.close()).removed).toHaveLength(2)
    expect([firewall.mappings(), firewall.pinholes()]).toEqual([[], []])
    await firewall.close()
  })

  it('is a success if one of them is open', async () => {
    const closed = await startEmulator({ pinholesOnlyForAsking: false, inboundPinholeAllowed: false })
    const net = { ...nodeNet(), interfaces: () => interfaces, clock, files: memoryFiles() }
    const port = await openPort(8080, { family: 'both', url: closed.descriptionUrl, net })
    expect(port.endpoints).toMatchObject([{ family: 4 }])
    expect(port.failures).toMatchObject([{ code: 'REFUSED' }])
    expect(port.isOpen).toBe(true)
    await port.close()
    const sixth = openPort(8080, { family: 6, url: closed.descriptionUrl, net })
    await expect(sixth).rejects.toMatchObject({ code: 'REFUSED' })
    expect(closed.pinholes()).toEqual([])
    await closed.close()
  })
})
