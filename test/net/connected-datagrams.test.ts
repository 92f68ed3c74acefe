import { afterEach, describe, expect, it } from 'vitest'
import { isLoopbackIPv6 } from '../../src/domain/address.ts'
import { TransportError } from '../../src/domain/errors.ts'
import {
  type ConnectedOptions,
  type ConnectedSocket,
  type DatagramSocket,
  type Endpoint,
  nodeDatagrams,
} from '../../src/net/datagrams.ts'
import { interfaceAddresses, isIPv6Interface } from '../../src/net/interfaces.ts'
import { settle } from '../support/fake-clock.ts'
import { ignoredLog } from '../support/ignored.ts'

const sockets: (DatagramSocket | ConnectedSocket)[] = []

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.close()
})

const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1')

/** What has come, to be taken one by one. */
function inbox<T>() {
  const all: T[] = []
  const waiting: (() => void)[] = []
  let taken = 0
  return {
    all,
    put(each: T): void {
      all.push(each)
      for (const wake of waiting.splice(0)) wake()
    },
    async next(): Promise<T> {
      while (all.length <= taken) await new Promise<void>((resolve) => waiting.push(resolve))
      return all[taken++] as T
    },
  }
}

/** A socket that anybody may ask. */
async function open(address = '127.0.0.1') {
  const received = inbox<{ readonly text: string; readonly from: Endpoint }>()
  const socket = await nodeDatagrams.open({
    address,
    port: 0,
    onMessage: (datagram, from) => received.put({ text: Buffer.from(datagram).toString('latin1'), from }),
  })
  sockets.push(socket)
  return { socket, received, next: received.next }
}

async function connect(remote: Endpoint, options: Partial<ConnectedOptions> = {}) {
  const received = inbox<string>()
  const errors = inbox<TransportError>()
  const socket = await nodeDatagrams.connect({
    remote,
    onMessage: (datagram) => received.put(Buffer.from(datagram).toString('latin1')),
    onError: errors.put,
    ...options,
  })
  sockets.push(socket)
  return { socket, received, errors, next: received.next }
}

/** A port of loopback that nobody listens on. */
async function unusedPort(address?: string): Promise<Endpoint> {
  const { socket } = await open(address)
  socket.close()
  await settle()
  return socket.local
}

const HAS_IPV6 = interfaceAddresses().some((each) => isIPv6Interface(each) && isLoopbackIPv6(each.address))
const LOOPBACKS = HAS_IPV6 ? ['127.0.0.1', '::1'] : ['127.0.0.1']

describe.each(LOOPBACKS)('a socket that is connected to %s', (loopback) => {
  it('knows the address and the port that it asks from', async () => {
    const gateway = await open(loopback)
    const { socket } = await connect(gateway.socket.local)
    expect(socket.local.address).toBe(loopback)
    expect(socket.local.port).toBeGreaterThan(0)
    socket.send(bytes('ping'))
    expect(await gateway.next()).toEqual({ text: 'ping', from: socket.local })
  })

  it('carries datagrams both ways, whole', async () => {
    const gateway = await open(loopback)
    const { socket, next } = await connect(gateway.socket.local)
    socket.send(bytes('\0\xffping'))
    expect((await gateway.next()).text).toBe('\0\xffping')
    for (const text of ['\0\xffpong', '']) {
      gateway.socket.send(bytes(text), socket.local)
      expect(await next()).toBe(text)
    }
  })

  it('loses a datagram whose handling throws, and hears the next one', async () => {
    const gateway = await open(loopback)
    const heard = inbox<string>()
    const { socket, errors } = await connect(gateway.socket.local, {
      onMessage(datagram) {
        heard.put(Buffer.from(datagram).toString('latin1'))
        throw new TypeError('x is undefined')
      },
    })
    for (const text of ['first', 'second']) gateway.socket.send(bytes(text), socket.local)
    expect([await heard.next(), await heard.next()]).toEqual(['first', 'second'])
    expect(errors.all).toEqual([])
  })

  it('asks from the address that it is told', async () => {
    const gateway = await open(loopback)
    const { socket } = await connect(gateway.socket.local, { localAddress: loopback })
    socket.send(bytes('ping'))
    expect((await gateway.next()).from).toEqual(socket.local)
  })

  it('does not hear strangers', async () => {
    const [gateway, stranger] = [await open(loopback), await open(loopback)]
    const { socket, received, next } = await connect(gateway.socket.local)
    stranger.socket.send(bytes('forged'), socket.local)
    gateway.socket.send(bytes('true'), socket.local)
    expect(await next()).toBe('true')
    stranger.socket.send(bytes('forged again'), socket.local)
    gateway.socket.send(bytes('also true'), socket.local)
    expect(await next()).toBe('also true')
    expect(received.all).toEqual(['true', 'also true'])
  })

  it('does not hear what comes late for an earlier one', async () => {
    const gateway = await open(loopback)
    const earlier = await connect(gateway.socket.local)
    earlier.socket.send(bytes('earlier'))
    const { from } = await gateway.next()
    earlier.socket.close()
    const { socket, received, next } = await connect(gateway.socket.local)
    gateway.socket.send(bytes('late'), from)
    gateway.socket.send(bytes('for you'), socket.local)
    expect(await next()).toBe('for you')
    expect([received.all, earlier.received.all]).toEqual([['for you'], []])
  })

  it.runIf(process.platform !== 'win32')(
    'is told of a port that nobody listens on, once, and is closed then',
    async () => {
      const remote = await unusedPort(loopback)
      const { socket, errors } = await connect(remote)
      socket.send(bytes('ping'))
      const error = await errors.next()
      expect(error).toBeInstanceOf(TransportError)
      expect(error).toMatchObject({ cause: { code: 'ECONNREFUSED' } })
      expect(error.message).toContain(`:${remote.port} cannot be asked over UDP`)
      expect(() => socket.send(bytes('again'))).not.toThrow()
      expect(() => socket.close()).not.toThrow()
      await settle()
      expect(errors.all).toHaveLength(1)
    },
  )

  it('is quiet once it is closed, and can be closed twice', async () => {
    const gateway = await open(loopback)
    const { socket, received, errors } = await connect(gateway.socket.local)
    gateway.socket.send(bytes('on its way'), socket.local)
    socket.close()
    socket.close()
    expect(() => socket.send(bytes('x'))).not.toThrow()
    gateway.socket.send(bytes('last'), gateway.socket.local)
    expect((await gateway.next()).text).toBe('last')
    await settle()
    expect([received.all, errors.all]).toEqual([[], []])
  })

  it('says nothing of a refusal that comes after it is closed', async () => {
    const { socket, errors } = await connect(await unusedPort(loopback))
    socket.send(bytes('ping'))
    socket.close()
    const gateway = await open(loopback)
    gateway.socket.send(bytes('later'), gateway.socket.local)
    await gateway.next()
    await settle()
    expect(errors.all).toEqual([])
  })

  it('does not throw where a datagram is too large, but says so', async () => {
    const gateway = await open(loopback)
    const { socket, errors } = await connect(gateway.socket.local)
    expect(() => socket.send(new Uint8Array(70_000))).not.toThrow()
    expect(await errors.next()).toMatchObject({ code: 'TRANSPORT', cause: { code: 'EMSGSIZE' } })
  })
})

describe('a socket that cannot be connected', () => {
  it.each<[string, Endpoint, Partial<ConnectedOptions>]>([
    ['to a name', { address: 'localhost', port: 5351 }, {}],
    ['to an address in a short form', { address: '0x7f.1', port: 5351 }, {}],
    ['to port 0', { address: '127.0.0.1', port: 0 }, {}],
    ['to a port that there is not', { address: '127.0.0.1', port: 65_536 }, {}],
    ['through an interface that is not ours', { address: 'fe80::1%nonsense', port: 5351 }, {}],
    ['from an address that is not ours', { address: '127.0.0.1', port: 5351 }, { localAddress: '192.0.2.1' }],
    ['from an address of IPv6 to one of IPv4', { address: '127.0.0.1', port: 5351 }, { localAddress: '::1' }],
    ['from an address of IPv4 to one of IPv6', { address: '::1', port: 5351 }, { localAddress: '127.0.0.1' }],
    ['from a name', { address: '127.0.0.1', port: 5351 }, { localAddress: 'localhost' }],
  ])('%s says so', async (_name, remote, options) => {
    const error = await connect(remote, options).then(
      () => undefined,
      (reason: unknown) => reason,
    )
    expect(error).toBeInstanceOf(TransportError)
    expect(error).toMatchObject({ cause: expect.any(Error) })
    expect(String(error)).toContain('there is no way to')
  })
})

it('a connected socket outlives whoever hears of its failure with a defect, and tells of it', async () => {
  const log = ignoredLog()
  const { socket } = await connect(await unusedPort(), {
    onError() {
      throw new TypeError('x is undefined')
    },
  })
  for (let nth = 0; nth < 100 && log.all.length === 0; nth++) {
    socket.send(bytes('x'))
    await settle()
  }
  expect(log.told()).toEqual(['datagram : TypeError: x is undefined'])
  log.end()
})
