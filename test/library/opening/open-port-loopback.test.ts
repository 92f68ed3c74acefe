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
