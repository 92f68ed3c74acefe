import { afterEach, describe, expect, it } from 'vitest'
import { isLoopbackIPv6 } from '../../src/domain/address.ts'
import { TransportError } from '../../src/domain/errors.ts'
import { type DatagramOptions, type DatagramSocket, type Endpoint, nodeDatagrams } from '../../src/net/datagrams.ts'
import { interfaceAddresses, isIPv6Interface } from '../../src/net/interfaces.ts'
import { settle } from '../support/fake-clock.ts'
import { ignoredLog } from '../support/ignored.ts'

interface Received {
  readonly text: string
  readonly from: Endpoint
}

const sockets: DatagramSocket[] = []

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.close()
})

/** A socket on loopback whose datagrams can be waited for one by one. */
async function open(
  options: Partial<DatagramOptions> = {},
): Promise<{ socket: DatagramSocket; next: () => Promise<Received>; received: Received[] }> {
  const received: Received[] = []
  const waiting: (() => void)[] = []
  let taken = 0
  const socket = await nodeDatagrams.open({
    address: '127.0.0.1',
    port: 0,
    onMessage(datagram, from) {
      received.push({ text: Buffer.from(datagram).toString('latin1'), from })
      for (const wake of waiting.splice(0)) wake()
    },
    ...options,
  })
  sockets.push(socket)
  const next = async (): Promise<Received> => {
    for (;;) {
      const datagram = received[taken]
      if (datagram !== undefined) {
        taken++
        return datagram
      }
      await new Promise<void>((resolve) => waiting.push(resolve))
    }
  }
  return { socket, next, received }
}

const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1')

describe('a datagram socket', () => {
  it('on port 0 has a port of its own, and says which', async () => {
    const { socket } = await open()
    expect(socket.local.address).toBe('127.0.0.1')
    expect(socket.local.port).toBeGreaterThan(0)
  })

  it('carries datagrams both ways, whole and with their sender', async () => {
    const here = await open()
    const there = await open()
    here.socket.send(bytes('\0\xffping'), there.socket.local)
    expect(await there.next()).toEqual({ text: '\0\xffping', from: here.socket.local })
    there.socket.send(bytes(''), here.socket.local)
    expect(await here.next()).toEqual({ text: '', from: there.socket.local })
  })

  it('never throws where a datagram cannot be sent', async () => {
    const { socket, next } = await open()
    expect(() => socket.send(bytes('x'), { address: '127.0.0.1', port: 0 })).not.toThrow() // a forged sender
    expect(() => socket.send(bytes('x'), { address: '127.0.0.1', port: 65536 })).not.toThrow()
    expect(() => socket.send(bytes('x'), { address: '255.255.255.255', port: 9 })).not.toThrow() // EACCES
    expect(() => socket.send(new Uint8Array(70_000), socket.local)).not.toThrow() // EMSGSIZE
    socket.send(bytes('still there'), socket.local)
    expect((await next()).text).toBe('still there')
  })

  it('can be closed twice, and says and hears nothing after that', async () => {
    const here = await open()
    const there = await open()
    here.socket.close()
    here.socket.close()
    here.socket.send(bytes('x'), there.socket.local)
    there.socket.send(bytes('x'), here.socket.local)
    there.socket.send(bytes('last'), there.socket.local)
    expect((await there.next()).text).toBe('last')
    await settle()
    expect(here.received).toEqual([])
  })

  it('loses a datagram whose handling throws, tells of it, and hears the next one', async () => {
    const log = ignoredLog()
    const heard: string[] = []
    const here = await open()
    const { socket } = await open({
      onMessage(datagram, from) {
        heard.push(Buffer.from(datagram).toString('latin1'))
        if (heard.length === 1) throw new TypeError('x is undefined')
        socket.send(bytes('answer'), from)
      },
    })
    for (const text of ['first', 'second']) here.socket.send(bytes(text), socket.local)
    expect((await here.next()).text).toBe('answer')
    expect(heard).toEqual(['first', 'second'])
    expect(log.told()).toEqual([`datagram 127.0.0.1:${here.socket.local.port}: TypeError: x is undefined`])
    log.end()
  })

  it('may share its port where it says so, and only there', async () => {
    const first = await open({ shared: true })
    const second = await open({ shared: true, port: first.socket.local.port })
    expect(second.socket.local.port).toBe(first.socket.local.port)
    const alone = await open()
    await expect(open({ port: alone.socket.local.port })).rejects.toThrow(TransportError)
  })

  it.each([
    ['on an address that is not ours', { address: '192.0.2.1' }],
    ['on an address of IPv6 that is not ours', { address: '2001:db8::1' }],
    ['on a name', { address: 'localhost' }],
    ['on a link-local address of no interface', { address: 'fe80::1%nonsense' }],
    ['with an interface that is not ours', { multicastInterface: 'nonsense' }],
    ['with a TTL that is none', { multicastTtl: 300 }],
    ['in a group that is none', { multicastGroup: '127.0.0.1' }],
  ])('%s cannot be opened', async (_name, options: Partial<DatagramOptions>) => {
    const error = await open(options).then(
      () => undefined,
      (reason: unknown) => reason,
    )
    expect(error).toBeInstanceOf(TransportError)
    expect(error).toMatchObject({ cause: expect.any(Error) })
  })

  it('takes the options of a search on loopback', async () => {
    const { socket } = await open({ multicastInterface: '127.0.0.1', multicastTtl: 2 })
    expect(socket.local.port).toBeGreaterThan(0)
  })
})

const loopback6 = interfaceAddresses().find((each) => isIPv6Interface(each) && isLoopbackIPv6(each.address))

describe.skipIf(loopback6 === undefined)('a datagram socket of IPv6', () => {
  it('carries datagrams both ways, with their sender', async () => {
    const here = await open({ address: '::1' })
    const there = await open({ address: '::1' })
    here.socket.send(bytes('ping'), there.socket.local)
    expect(await there.next()).toEqual({ text: 'ping', from: here.socket.local })
    expect(here.socket.local.address).toBe('::1')
  })

  it('on all addresses leaves the port to IPv4, and hears no IPv4', async () => {
    const six = await open({ address: '::' })
    const four = await open({ address: '0.0.0.0', port: six.socket.local.port })
    const sender = await open()
    sender.socket.send(bytes('four'), { address: '127.0.0.1', port: four.socket.local.port })
    expect((await four.next()).text).toBe('four')
    await settle()
    expect(six.received).toEqual([])
  })

  it('takes the exact port, shared where it says so', async () => {
    const first = await open({ address: '::1', shared: true })
    const { port } = first.socket.local
    const second = await open({ address: '::1', shared: true, port })
    expect(second.socket.local.port).toBe(port)
    await expect(open({ address: '::1', port })).rejects.toThrow(
      `could not open a UDP socket on [::1]:${port}: another program has that port`,
    )
  })

  it('takes the options of a search', async () => {
    const { socket } = await open({ address: '::', multicastInterface: `::%${loopback6?.name}`, multicastTtl: 0 })
    expect(socket.local.port).toBeGreaterThan(0)
  })

  it.each([
    ['an interface that is none', { multicastInterface: 'nonsense' }],
    ['a hop limit that is none', { multicastTtl: 300 }],
  ])('cannot be opened with %s', async (_name, options: Partial<DatagramOptions>) => {
    await expect(open({ address: '::1', ...options })).rejects.toThrow(TransportError)
  })

  it('never throws where a datagram cannot be sent', async () => {
    const { socket, next } = await open({ address: '::1' })
    for (const address of ['127.0.0.1', 'localhost', 'fe80::1%nonsense', '']) {
      expect(() => socket.send(bytes('x'), { address, port: 9 })).not.toThrow()
    }
    socket.send(bytes('still there'), socket.local)
    expect((await next()).text).toBe('still there')
  })
})
