/** A program on the emulator's own network: it finds the gateway and nothing else, and hears what it announces. */
import { afterEach, describe, expect, it, vi } from 'vitest'
import { listenToAnnouncements } from '../../src/client/listen/announcements.ts'
import { InvalidArgumentError, TransportError } from '../../src/domain/errors.ts'
import { type Emulator, type EmulatorNetwork, type EmulatorOptions, startEmulator } from '../../src/emulator.ts'
import { nodeDatagrams } from '../../src/net/datagrams.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { gatewayOn } from './gateway-on.ts'

const started: Emulator[] = []
afterEach(() => Promise.all(started.splice(0).map((emulator) => emulator.close())))

async function start(options: EmulatorOptions = {}, network: Partial<EmulatorNetwork> = {}): Promise<Emulator> {
  const emulator = await startEmulator(options, network)
  started.push(emulator)
  return emulator
}

const MAPPING = {
  remoteHost: '',
  externalPort: 8080,
  protocol: 'TCP',
  internalClient: '127.0.0.1',
  internalPort: 80,
  description: 'web',
  lease: { seconds: 3600 },
} as const

describe('the network of an emulated gateway', () => {
  it.each(['auto', 'igd', 'pcp', 'nat-pmp'] as const)(
    'leads to it with via %s, and a port can be mapped',
    async (via) => {
      const emulator = await start()
      const gateway = await gatewayOn(emulator, via)
      expect([gateway.protocol, gateway.localAddress]).toEqual([via === 'auto' ? 'igd' : via, '127.0.0.1'])
      await gateway.map(MAPPING)
      expect(emulator.mappings()).toMatchObject([{ externalPort: 8080, internalPort: 80 }])
    },
  )

  it('has a computer with a global IPv6 address, and a stable gateway', async () => {
    const { net } = await start()
    expect(net.interfaces()).toMatchObject([
      { address: '127.0.0.1', loopback: false },
      { address: '2001:db8::2', prefixLength: 64, loopback: false },
    ])
    expect([await net.defaultGateways(4), await net.defaultGateways(6)]).toEqual([['127.0.0.1'], []])
    const ipv6 = await start({ ipv6Address: '::1' })
    expect([await ipv6.net.defaultGateways(6), ipv6.net.interfaces()[1]?.address]).toEqual([['::1'], '::1'])
  })

  it('has nobody else', async () => {
    const { net, ssdp, portControl } = await start()
    const other = await start()
    const request = {
      method: 'GET',
      url: new URL(other.descriptionUrl.replace('127.0.0.1', '127.0.0.2')),
      headers: [],
      action: 'description',
      maxBodyBytes: 1000,
      timeoutMs: 1000,
      isComplete: () => true,
    } as const
    await expect(net.http.request(request)).rejects.toBeInstanceOf(TransportError)
    const connected = { onMessage: () => {}, onError: () => {} }
    const asking = net.datagrams.connect({ remote: { address: '127.0.0.2', port: 5351 }, ...connected })
    await expect(asking).rejects.toThrow('only the emulated gateway')
    const elsewhere = net.datagrams.connect({ remote: other.portControl ?? { address: '', port: 0 }, ...connected })
    await expect(elsewhere).rejects.toBeInstanceOf(TransportError)
    expect([ssdp?.port, portControl?.port]).not.toContain(1900)
    const socket = await net.datagrams.open({ address: '127.0.0.1', port: 0, onMessage: () => {} })
    socket.send(new Uint8Array(4), other.ssdp ?? { address: '', port: 0 })
    socket.send(new Uint8Array(4), { address: '127.0.0.1', port: 1900 })
    await vi.waitUntil(() => started[0]?.counters.malformedDatagrams === 1)
    socket.close()
    expect(other.counters.malformedDatagrams).toBe(0)
  })

  it('brings nothing from others', async () => {
    const { net, ssdp = { address: '', port: 0 } } = await start()
    const heard: number[] = []
    const inside = await net.datagrams.open({
      address: '127.0.0.1',
      port: 0,
      onMessage: (_, { port }) => heard.push(port),
    })
    const stranger = await nodeDatagrams.open({ address: '127.0.0.1', port: 0, onMessage: () => {} })
    stranger.send(new Uint8Array(4), inside.local)
    const search = 'M-SEARCH * HTTP/1.1\r\nHOST: x\r\nMAN: "ssdp:discover"\r\nMX: 1\r\nST: upnp:rootdevice\r\n\r\n'
    inside.send(new TextEncoder().encode(search), { address: '239.255.255.250', port: 1900 })
    await vi.waitUntil(() => heard.length > 0)
    expect(new Set(heard)).toEqual(new Set([ssdp.port]))
    for (const socket of [inside, stranger]) socket.close()
  })
})

/** How often a program on the network has been told to look. */
function listening({ net }: Emulator): { readonly told: () => number; readonly stop: () => void } {
  let told = 0
  const about = { gatewayAddresses: ['127.0.0.1'], interfaces: net.interfaces(), localAddress: '127.0.0.1' }
  const stop = listenToAnnouncements(net, about, () => told++)
  return { told: () => told, stop }
}

describe('what happens to the router', () => {
  it('is announced to the network: a restart over SSDP, PCP and NAT-PMP', async () => {
    for (const options of [{}, { pcp: false, natPmp: false }]) {
      const clock = new FakeClock()
      const emulator = await start(options, { clock })
      const { told, stop } = listening(emulator)
      await clock.advance(0)
      expect(told()).toBe(0)
      emulator.forget()
      await clock.advance(0)
      expect(told()).toBe(1)
      await clock.advance(3000)
      emulator.forget() // the BOOTID is greater each time
      const before = told()
      await clock.advance(0)
      expect(told()).toBe(before + 1)
      stop()
    }
  })

  it('shows over PCP, too, if the gateway has been up for some time', async () => {
    const emulator = await start({ uptimeSeconds: 86_400 })
    const gateway = await gatewayOn(emulator, 'pcp')
    const before = gateway.epochSeconds
    emulator.forget()
    await gateway.map(MAPPING)
    expect([before, gateway.epochSeconds]).toEqual([86_400, 0])
  })

  it('may leave the mappings', async () => {
    const clock = new FakeClock()
    const emulator = await start({}, { clock })
    emulator.addMapping({ externalPort: 80 })
    await clock.advance(60_000)
    emulator.forget({ keepMappings: true })
    expect(emulator.mappings()).toHaveLength(1)
    emulator.forget()
    expect(emulator.mappings()).toEqual([])
  })

  it('may be another external address, which is announced, and the mappings stay', async () => {
    const clock = new FakeClock()
    const emulator = await start({}, { clock })
    const gateway = await gatewayOn(emulator, 'igd')
    await gateway.map(MAPPING)
    const { told, stop } = listening(emulator)
    await clock.advance(0)
    emulator.setExternalAddress('8.8.4.4')
    await clock.advance(0)
    expect(told()).toBe(1)
    expect(await gateway.externalAddress()).toBe('8.8.4.4')
    expect(emulator.mappings()).toHaveLength(1)
    expect(() => emulator.setExternalAddress('nowhere')).toThrow(InvalidArgumentError)
    stop()
  })

  it('ends for a program that listens when the gateway closes', async () => {
    const clock = new FakeClock()
    const emulator = await start({}, { clock })
    const { told, stop } = listening(emulator)
    emulator.forget()
    await clock.advance(3000)
    const before = told()
    await emulator.close()
    await clock.advance(0)
    expect(told()).toBe(before + 1)
    stop()
    expect(clock.pending).toBe(0)
  })
})

describe('a mapping of another computer', () => {
  it('has defaults, and takes the port', async () => {
    const emulator = await start({ maxMappings: 1 })
    emulator.addMapping({ externalPort: 8080 })
    expect(emulator.mappings()).toMatchObject([
      { protocol: 'TCP', internalPort: 8080, internalClient: '192.168.1.99', description: 'another program' },
    ])
    const gateway = await gatewayOn(emulator)
    await expect(gateway.map(MAPPING)).rejects.toMatchObject({ code: 'REFUSED' })
    expect(() => emulator.addMapping({ externalPort: 8081 })).toThrow(InvalidArgumentError)
  })
})

describe('a pinhole that is there', () => {
  it('has defaults, and the ID that it is to have', async () => {
    const emulator = await start({ maxPinholes: 3 })
    expect(emulator.addPinhole()).toBe(1)
    expect(emulator.addPinhole({ id: 4711, internalClient: '::1', internalPort: 22 })).toBe(4711)
    expect(emulator.pinholes()).toMatchObject([
      { id: 1, internalClient: '2001:db8::99', internalPort: 8333, protocol: 6, leaseSeconds: 3600 },
      { id: 4711, internalClient: '::1', internalPort: 22 },
    ])
    for (const id of [0, 65_536, 1.5, 4711])
      expect(() => emulator.addPinhole({ id, internalPort: 23 })).toThrow(InvalidArgumentError)
    emulator.addPinhole({ internalPort: 24 })
    expect(() => emulator.addPinhole({ internalPort: 25 })).toThrow('the pinhole cannot be added')
  })
})
