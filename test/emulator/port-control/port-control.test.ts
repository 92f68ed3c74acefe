import { describe, expect, it } from 'vitest'
import { TransportError } from '../../../src/domain/errors.ts'
import { MAX_PORT_CONTROL_REQUESTS_PER_SECOND } from '../../../src/emulator/port-control/port-control.ts'
import { type Emulator, type EmulatorOptions, startEmulator } from '../../../src/emulator.ts'
import { type Endpoint, nodeDatagrams } from '../../../src/net/datagrams.ts'
import type { HttpServers } from '../../../src/net/http/server.ts'
import { interfaceAddresses } from '../../../src/net/interfaces.ts'
import { decodeNatPmpResponse, encodeNatPmpRequest } from '../../../src/wire/natpmp.ts'
import { decodePcpResponse, encodePcpRequest } from '../../../src/wire/pcp.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { ServerDatagrams } from '../server-datagrams.ts'
import { mapRequest } from './port-control-asking.ts'

const httpServers: HttpServers = {
  listen: async () => ({ local: { address: '', port: 80 }, close: async () => {} }),
}
const LAN0 = { name: 'lan0', loopback: false }
const INTERFACES = [
  { ...LAN0, address: '192.168.1.1', netmask: '255.255.255.0' },
  { ...LAN0, address: '2001:db8::1', netmask: 'ffff:ffff:ffff:ffff::', prefixLength: 64, zone: 'lan0' },
]
const LAN = { address: '192.168.1.1', ipv6Address: '2001:db8::1' }
const ADDRESS_REQUEST = encodeNatPmpRequest({ kind: 'external-address-request' })
const ANNOUNCE = (clientAddress: string): Uint8Array =>
  encodePcpRequest({ kind: 'ANNOUNCE-request', lifetimeSeconds: 0, clientAddress, options: [] })

interface Lab {
  readonly emulator: Emulator
  readonly clock: FakeClock
  readonly datagrams: ServerDatagrams
  /** The reply, in hexadecimal. */
  send(bytes: Uint8Array, from: string, at?: string, port?: number): string[]
}

async function start(options: EmulatorOptions = {}, datagrams = new ServerDatagrams()): Promise<Lab> {
  const clock = new FakeClock()
  const emulator = await startEmulator(options, { clock, datagrams, httpServers, interfaces: () => INTERFACES })
  const send = (bytes: Uint8Array, from: string, at = options.address ?? '127.0.0.1', port = 40_000): string[] => {
    const before = datagrams.messages.length
    datagrams.opened.findLast(({ address }) => address === at)?.onMessage(bytes, { address: from, port })
    return datagrams.messages.slice(before).map((sent) => Buffer.from(sent.bytes).toString('hex'))
  }
  return { emulator, clock, datagrams, send }
}

const refusing = (operation: string, code: number) => ({ name: 'refuse', operation, code }) as const

/** Version, opcode and the two bytes of the result. */
const begins = (replies: readonly string[]): string[] => replies.map((reply) => reply.slice(0, 8))

describe('PCP and NAT-PMP on one port', () => {
  it('are distinguished by the version, and counted', async () => {
    const { emulator, send } = await start()
    expect(begins(send(ADDRESS_REQUEST, '127.0.0.1'))).toEqual(['00800000'])
    expect(begins(send(ANNOUNCE('127.0.0.1'), '127.0.0.1'))).toEqual(['02800000'])
    expect(begins(send(Uint8Array.of(1, 1), '127.0.0.1'))).toEqual(['02810001'])
    expect(begins(send(Uint8Array.of(3, 1), '127.0.0.1'))).toEqual(['02810001'])
    expect(begins(send(Uint8Array.of(0, 9), '127.0.0.1'))).toEqual(['00890005'])
    expect(emulator.counters).toMatchObject({
      pcpRequests: { ANNOUNCE: 1, MAP: 0, PEER: 0, other: 2 },
      natPmpRequests: { externalAddress: 1, map: 0, other: 1 },
    })
    await emulator.close()
  })

  it('without PCP answers PCP in NAT-PMP: the version is not supported', async () => {
    const { emulator, send } = await start({ pcp: false, ipv6Address: '::1' })
    expect(send(encodePcpRequest(mapRequest()), '127.0.0.1')).toEqual(['0081000100000000'])
    expect(begins(send(ADDRESS_REQUEST, '127.0.0.1'))).toEqual(['00800000'])
    expect(emulator.portControlIPv6).toBeUndefined()
    await emulator.close()
  })

  it('without NAT-PMP answers NAT-PMP in PCP: the version is not supported', async () => {
    const { emulator, send } = await start({ natPmp: false })
    const [reply = ''] = send(ADDRESS_REQUEST, '127.0.0.1')
    expect(reply).toBe(`0280000100000708${'00'.repeat(16)}`)
    expect(send(Uint8Array.of(0, 0x80), '127.0.0.1')).toEqual([])
    expect(begins(send(ANNOUNCE('127.0.0.1'), '127.0.0.1'))).toEqual(['02800000'])
    await emulator.close()
  })

  it('open no socket if both are off', async () => {
    const { emulator, datagrams } = await start({ pcp: false, natPmp: false })
    expect([emulator.portControl, emulator.portControlError, datagrams.openCount]).toEqual([undefined, undefined, 1])
    await emulator.close()
  })

  it('answer only neighbours who can be answered, and count the others', async () => {
    const { emulator, send } = await start(LAN)
    expect(send(ADDRESS_REQUEST, '192.168.1.77')).toHaveLength(1)
    for (const stranger of ['192.168.2.1', '127.0.0.1']) expect(send(ADDRESS_REQUEST, stranger)).toEqual([])
    expect(send(ADDRESS_REQUEST, '192.168.1.77', '192.168.1.1', 0)).toEqual([])
    expect(emulator.counters.ignoredDatagrams).toBe(3)
    await emulator.close()
  })

  it('drop a datagram that is not a request, and count it', async () => {
    const { emulator, send } = await start()
    for (const bytes of [[], [0], [2], [0, 0x80], [2, 0x81], [0, 0, 0]]) {
      expect(send(Uint8Array.from(bytes), '127.0.0.1')).toEqual([])
    }
    expect(emulator.counters.malformedDatagrams).toBe(6)
    await emulator.close()
  })

  it('answer a limited number of requests in a second, and go on in the next', async () => {
    const { emulator, clock, send } = await start()
    const flood = (): number => {
      let answered = 0
      const sent = MAX_PORT_CONTROL_REQUESTS_PER_SECOND + 5
      for (let n = 0; n < sent; n++) answered += send(ADDRESS_REQUEST, '127.0.0.1').length
      return answered
    }
    expect(flood()).toBe(MAX_PORT_CONTROL_REQUESTS_PER_SECOND)
    await clock.advance(999)
    expect(flood()).toBe(0)
    await clock.advance(1)
    expect(flood()).toBe(MAX_PORT_CONTROL_REQUESTS_PER_SECOND)
    expect(emulator.counters.ignoredDatagrams).toBe(MAX_PORT_CONTROL_REQUESTS_PER_SECOND + 15)
    await emulator.close()
  })

  it('refuse what refusalOf() names, and still announce themselves', async () => {
    const quirks = [refusing('ANNOUNCE', 12), refusing('external-address', 3)]
    const { emulator, send, datagrams } = await start({ ...LAN, portControlPort: 5351, quirks })
    expect(begins(send(ANNOUNCE('192.168.1.9'), '192.168.1.9'))).toEqual(['0280000c'])
    expect(begins(send(ADDRESS_REQUEST, '192.168.1.9'))).toEqual(['00800003'])
    const before = datagrams.messages.length
    emulator.forget()
    const announced = datagrams.messages.slice(before).map(({ bytes }) => Buffer.from(bytes).toString('hex'))
    expect(begins(announced)).toEqual(['02800000', '00800000', '02800000'])
    await emulator.close()
  })

  it('report a socket that fails later, and stop their announcements', async () => {
    const { emulator, clock, datagrams } = await start({ ...LAN, portControlPort: 5351 })
    expect(emulator.portControlError).toBeUndefined()
    for (const { port, onError } of datagrams.opened) if (port === 5351) onError?.(new TransportError('gone'))
    expect(emulator.portControlError?.message).toBe('gone')
    expect(clock.pending).toBe(0)
    await emulator.close()
  })
})

describe('PCP over IPv6', () => {
  it('has the same port, and has only PCP', async () => {
    const { emulator, send, datagrams } = await start(LAN)
    expect(emulator.portControlIPv6).toEqual({ address: '2001:db8::1', port: emulator.portControl?.port })
    const ask = (from: string, bytes: Uint8Array): string[] => begins(send(bytes, from, '2001:db8::1'))
    expect(ask('2001:db8::77', ANNOUNCE('2001:db8::77'))).toEqual(['02800000'])
    expect(ask('fe80::1%lan0', ANNOUNCE('fe80::1'))).toEqual(['02800000'])
    expect(ask('2001:db8::77', ADDRESS_REQUEST)).toEqual(['02800001'])
    for (const stranger of ['2001:db8:1::1', 'fe80::1%lan1', '::1']) expect(ask(stranger, ADDRESS_REQUEST)).toEqual([])
    await emulator.close()
    expect(datagrams.openCount).toBe(0)
  })

  it('has another port if the same one cannot be opened, and none if the port is fixed', async () => {
    const { emulator, datagrams } = await start(LAN, new ServerDatagrams('2001:db8::1:50000'))
    expect(emulator.portControlIPv6).toMatchObject({ address: '2001:db8::1' })
    expect(datagrams.opened.slice(-2).map(({ port }) => port)).toEqual([50_000, 0])
    await emulator.close()
    const fixed = await start({ ...LAN, portControlPort: 5351 }, new ServerDatagrams('2001:db8::1:5351'))
    expect([fixed.emulator.portControl?.port, fixed.emulator.portControlIPv6]).toEqual([5351, undefined])
    expect(fixed.emulator.portControlError?.message).toBe('taken: 2001:db8::1')
    await fixed.emulator.close()
    const none = new ServerDatagrams('2001:db8::1')
    await expect(start(LAN, none)).rejects.toBeInstanceOf(TransportError)
    expect(none.openCount).toBe(0)
  })
})

describe('announcements', () => {
  it('are sent on port 5351, only through the interface of the gateway and only to its link', async () => {
    const { emulator, datagrams } = await start({ ...LAN, portControlPort: 5351 })
    expect(datagrams.opened.filter(({ port }) => port === 5351)).toMatchObject([
      { address: '192.168.1.1', multicastInterface: '192.168.1.1', multicastTtl: 1 },
      { address: '2001:db8::1', multicastInterface: '::%lan0', multicastTtl: 1 },
    ])
    expect(datagrams.messages.map(({ to }) => to)).toEqual(['224.0.0.1:5350', '224.0.0.1:5350', 'ff02::1:5350'])
    await emulator.close()
  })

  it('are sent three times by PCP and ten times by NAT-PMP, first after 250 ms and then doubling, with the current epoch', async () => {
    const { emulator, clock, datagrams } = await start({ portControlPort: 5351 })
    await clock.advance(200_000)
    const epochs = { pcp: [] as number[], natPmp: [] as number[] }
    for (const { bytes } of datagrams.messages) {
      if (bytes[0] === 2) epochs.pcp.push(decodePcpResponse(bytes).kind === 'ANNOUNCE-response' ? bytes.length : 0)
      else epochs.natPmp.push(decodeNatPmpResponse(bytes).epochSeconds)
    }
    expect(epochs).toEqual({ pcp: [24, 24, 24], natPmp: [0, 0, 0, 1, 3, 7, 15, 31, 63, 127] })
    expect(clock.pending).toBe(0)
    await emulator.close()
  })

  it('are not sent on another port, or over IPv6 if the interface is unknown', async () => {
    const quiet = await start(LAN)
    expect(quiet.datagrams.messages).toEqual([])
    await quiet.emulator.close()
    const { emulator, datagrams } = await start({ ipv6Address: '2001:db8::9', portControlPort: 5351, natPmp: false })
    expect(datagrams.messages.map(({ to }) => to)).toEqual(['224.0.0.1:5350'])
    await emulator.close()
  })

  it('end with the gateway', async () => {
    const { emulator, clock, datagrams } = await start({ ...LAN, portControlPort: 5351 })
    await Promise.all([emulator.close(), emulator.close()])
    expect([clock.pending, datagrams.openCount]).toEqual([0, 0])
  })
})

describe('forget()', () => {
  it('loses the mappings, the pinholes and the epoch, has another address, and announces itself again', async () => {
    const { emulator, clock, datagrams, send } = await start({ ...LAN, portControlPort: 5351 })
    await clock.advance(300_000)
    send(encodePcpRequest(mapRequest()), '192.168.1.5')
    const inside = mapRequest({ from: '2001:db8::5', suggestedExternalAddress: '::' })
    send(encodePcpRequest(inside), '2001:db8::5', '2001:db8::1')
    expect([emulator.mappings().length, emulator.pinholes().length]).toEqual([1, 1])
    datagrams.messages.length = 0
    emulator.forget({ externalAddress: '8.8.4.4' })
    expect([emulator.mappings(), emulator.pinholes()]).toEqual([[], []])
    expect(datagrams.messages).toHaveLength(3)
    const [address] = datagrams.messages.filter(({ bytes }) => bytes[0] === 0)
    expect(decodeNatPmpResponse(address?.bytes ?? new Uint8Array())).toEqual({
      kind: 'external-address-response',
      epochSeconds: 0,
      externalAddress: '8.8.4.4',
    })
    await clock.advance(10_000)
    emulator.forget()
    expect(send(ADDRESS_REQUEST, '192.168.1.5')).toEqual(['008000000000000008080404'])
    await emulator.close()
    expect(clock.pending).toBe(0)
  })
})

describe('over real sockets', () => {
  async function exchange(from: string, to: Endpoint | undefined, bytes: Uint8Array): Promise<Uint8Array> {
    let onReply = (_: Uint8Array): void => {}
    const reply = new Promise<Uint8Array>((resolve) => {
      onReply = resolve
    })
    const socket = await nodeDatagrams.open({ address: from, port: 0, onMessage: (received) => onReply(received) })
    socket.send(bytes, to ?? { address: '', port: 0 })
    return reply.finally(() => socket.close())
  }

  it('maps over PCP on loopback', async () => {
    const emulator = await startEmulator()
    const request = encodePcpRequest(mapRequest({ from: '127.0.0.1' }))
    expect(decodePcpResponse(await exchange('127.0.0.1', emulator.portControl, request))).toMatchObject({
      resultCode: 0,
      assignedExternalPort: 8080,
    })
    expect(emulator.mappings()).toMatchObject([{ internalClient: '127.0.0.1', madeBy: 'pcp' }])
    await emulator.close()
  })

  it('opens a pinhole over PCP on IPv6 loopback; without IPv6 loopback it does not start', async () => {
    const starting = startEmulator({ ipv6Address: '::1' })
    if (!interfaceAddresses().some(({ address }) => address === '::1')) {
      await expect(starting).rejects.toThrow(TransportError)
      return
    }
    const emulator = await starting
    expect(emulator.portControlIPv6?.port).toBe(emulator.portControl?.port)
    const request = encodePcpRequest(mapRequest({ from: '::1' }))
    expect(decodePcpResponse(await exchange('::1', emulator.portControlIPv6, request))).toMatchObject({ resultCode: 0 })
    expect(emulator.pinholes()).toMatchObject([{ internalClient: '::1', internalPort: 80 }])
    await emulator.close()
  })
})
