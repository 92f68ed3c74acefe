import { connect } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { InvalidArgumentError, TransportError } from '../../src/domain/errors.ts'
import { type Emulator, type EmulatorNetwork, type EmulatorOptions, startEmulator } from '../../src/emulator/index.ts'
import { type Datagrams, nodeDatagrams } from '../../src/net/datagrams.ts'
import { type HttpServers, nodeHttpServers } from '../../src/net/http-server.ts'
import { decodeDescription } from '../../src/wire/description.ts'
import { decodeSoapReply, encodeSoapRequest } from '../../src/wire/soap.ts'
import { decodeSsdp, encodeSearch } from '../../src/wire/ssdp.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { KEY, MAPPING, WANIP_CONTROL, WANIP2 } from './asking.ts'

const started: Emulator[] = []

async function start(options: EmulatorOptions = {}, network: Partial<EmulatorNetwork> = {}): Promise<Emulator> {
  const emulator = await startEmulator(options, network)
  started.push(emulator)
  return emulator
}

afterEach(() => Promise.all(started.splice(0).map((emulator) => emulator.close())))

/** Sends bytes, and resolves with what came until the connection closed. */
function exchange(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(text))
    let reply = ''
    socket.setEncoding('utf8')
    socket.on('data', (piece) => {
      reply += piece
    })
    // A server that closes before it has read everything resets the connection.
    socket.on('error', (error) => (/ECONNRESET|EPIPE/.test(error.message) ? resolve(reply) : reject(error)))
    socket.on('close', () => resolve(reply))
  })
}

interface Parts {
  readonly host?: string
  readonly body?: string
}

function post(
  port: number,
  action: string,
  args: Readonly<Record<string, string>>,
  parts: Parts = {},
): Promise<string> {
  const { host = `127.0.0.1:${port}` } = parts
  const body = parts.body ?? encodeSoapRequest({ serviceType: WANIP2, action, arguments: Object.entries(args) })
  return exchange(
    port,
    [
      `POST ${WANIP_CONTROL} HTTP/1.1`,
      `Host: ${host}`,
      'Content-Type: text/xml',
      `SOAPAction: "${WANIP2}#${action}"`,
      `Content-Length: ${Buffer.byteLength(body)}`,
      '',
      body,
    ].join('\r\n'),
  )
}

const statusOf = (reply: string): number => Number(/^HTTP\/1\.1 (\d{3}) /.exec(reply)?.[1])
const bodyOf = (reply: string): Uint8Array => new TextEncoder().encode(reply.slice(reply.indexOf('\r\n\r\n') + 4))

async function search(emulator: Emulator, ST: string): Promise<ReturnType<typeof decodeSsdp>> {
  const to = emulator.ssdp ?? { address: '', port: 0 }
  let onReply = (_: Uint8Array): void => {}
  const reply = new Promise<Uint8Array>((resolve) => {
    onReply = resolve
  })
  const socket = await nodeDatagrams.open({ address: '127.0.0.1', port: 0, onMessage: (bytes) => onReply(bytes) })
  socket.send(encodeSearch({ ST, MX: undefined, HOST: `${to.address}:${to.port}` }), to)
  try {
    return decodeSsdp(await reply)
  } finally {
    socket.close()
  }
}

describe('the emulated gateway', () => {
  it('is on loopback unless told otherwise, found by a search, and leads to its description', async () => {
    const emulator = await start()
    expect(emulator.descriptionUrl).toBe(`http://127.0.0.1:${emulator.httpPort}/rootDesc.xml`)
    expect(emulator.ssdp?.address).toBe('127.0.0.1')
    expect(await search(emulator, 'urn:schemas-upnp-org:device:InternetGatewayDevice:1')).toMatchObject({
      kind: 'reply',
      LOCATION: emulator.descriptionUrl,
    })
    const reply = await exchange(emulator.httpPort, 'GET /rootDesc.xml HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n')
    expect(statusOf(reply)).toBe(200)
    expect(decodeDescription(bodyOf(reply)).device).toMatchObject({
      deviceType: 'urn:schemas-upnp-org:device:InternetGatewayDevice:2',
      presentationURL: `http://127.0.0.1:${emulator.httpPort}/`,
    })
  })

  it('says what it was told to say', async () => {
    const emulator = await start({
      externalAddress: '8.8.4.4',
      friendlyName: 'Mine',
      uuid: '00000000-0000-0000-0000-000000000001',
      presentationUrl: 'http://x/',
    })
    const reply = await post(emulator.httpPort, 'GetExternalIPAddress', {})
    expect(reply).toContain('<NewExternalIPAddress>8.8.4.4</NewExternalIPAddress>')
    const description = await exchange(emulator.httpPort, 'GET /rootDesc.xml HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n')
    expect(decodeDescription(bodyOf(description)).device).toMatchObject({
      friendlyName: 'Mine',
      UDN: 'uuid:00000000-0000-0000-0000-000000000001',
      presentationURL: 'http://x/',
    })
  })

  it('maps over a raw connection, counts what it is asked, and lets the lease run out', async () => {
    const clock = new FakeClock()
    const emulator = await start({}, { clock })
    expect(statusOf(await post(emulator.httpPort, 'AddPortMapping', MAPPING))).toBe(200)
    expect(emulator.mappings()).toEqual([
      {
        remoteHost: '',
        externalPort: 8080,
        protocol: 'TCP',
        internalPort: 80,
        internalClient: '192.168.1.5',
        enabled: true,
        description: 'web & co',
        leaseSeconds: 3600,
      },
    ])
    await clock.advance(3_600_000)
    const late = await post(emulator.httpPort, 'GetSpecificPortMappingEntry', KEY)
    expect(statusOf(late)).toBe(500)
    expect(decodeSoapReply(bodyOf(late), 'GetSpecificPortMappingEntry')).toMatchObject({ errorCode: 714 })
    expect(emulator.mappings()).toEqual([])
    expect(emulator.counters).toMatchObject({
      requests: 2,
      actions: { AddPortMapping: 1, GetSpecificPortMappingEntry: 1 },
    })
  })

  it('keeps as many mappings as it was told to', async () => {
    const emulator = await start({ maxMappings: 0 })
    const reply = await post(emulator.httpPort, 'AddPortMapping', MAPPING)
    expect(decodeSoapReply(bodyOf(reply), 'AddPortMapping')).toMatchObject({ errorCode: 728 })
  })

  it('maps only for the computer that asks where the mode is secure', async () => {
    const emulator = await start({ secureMode: true })
    const own = await post(emulator.httpPort, 'AddPortMapping', { ...MAPPING, NewInternalClient: '127.0.0.1' })
    const other = await post(emulator.httpPort, 'AddPortMapping', { ...MAPPING, NewExternalPort: '81' })
    expect(statusOf(own)).toBe(200)
    expect(decodeSoapReply(bodyOf(other), 'AddPortMapping')).toMatchObject({ errorCode: 606 })
  })

  it('survives whatever it is sent, and answers the next request', async () => {
    const { httpPort } = await start()
    const envelope = encodeSoapRequest({
      serviceType: WANIP2,
      action: 'AddPortMapping',
      arguments: Object.entries(MAPPING),
    })
    const send = async (parts: Parts, args: Readonly<Record<string, string>> = MAPPING): Promise<number> =>
      statusOf(await post(httpPort, 'AddPortMapping', args, parts))
    expect(await send({}, KEY)).toBe(500)
    expect(await send({ body: envelope.slice(0, envelope.length / 2) })).toBe(400)
    expect(await send({ body: `<!DOCTYPE x>${envelope}` })).toBe(400)
    expect(await send({ host: 'rebound.example' })).toBe(400)
    expect([413, Number.NaN]).toContain(await send({ body: 'x'.repeat(200_000) })) // NaN: closed before it was read
    expect(statusOf(await exchange(httpPort, 'GET / HTTP/1.1\r\n\r\n'))).toBe(400)
    expect(statusOf(await exchange(httpPort, 'nonsense\r\n\r\n'))).toBe(400)
    expect(statusOf(await exchange(httpPort, `GET / HTTP/1.1\r\nX: ${'x'.repeat(100_000)}\r\n\r\n`))).not.toBe(200)
    expect(await send({})).toBe(200)
  })
})

describe('the end', () => {
  it('closes every socket, also under a request that is not finished, and may be called twice', async () => {
    const clock = new FakeClock()
    const emulator = await startEmulator({}, { clock })
    const unfinished = exchange(
      emulator.httpPort,
      `POST ${WANIP_CONTROL} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\nabc`,
    )
    await exchange(emulator.httpPort, 'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n') // the one before has arrived, too
    await Promise.all([emulator.close(), emulator.close()])
    expect(await unfinished).toBe('')
    await expect(exchange(emulator.httpPort, '')).rejects.toThrow('ECONNREFUSED')
    expect(clock.pending).toBe(0)
    const port = emulator.ssdp?.port ?? 0
    const again = await nodeDatagrams.open({ address: '127.0.0.1', port, onMessage: () => {} })
    again.close()
  })
})

describe('a port that is taken', () => {
  const noDatagrams: Datagrams = {
    open: () => Promise.reject(new TransportError('port taken')),
  }
  /** Real servers, of which the test knows how many are open. */
  function countedServers(): { servers: HttpServers; open: () => number } {
    let open = 0
    const servers: HttpServers = {
      async listen(options) {
        const server = await nodeHttpServers.listen(options)
        open++
        return { ...server, close: () => server.close().finally(() => open--) }
      },
    }
    return { servers, open: () => open }
  }

  it('does not matter for SSDP on 1900: the gateway is there, and says why nobody can search it', async () => {
    const emulator = await start({ ssdpPort: 1900 }, { datagrams: noDatagrams })
    expect(emulator.ssdp).toBeUndefined()
    expect(emulator.ssdpError?.message).toBe('port taken')
    expect(statusOf(await post(emulator.httpPort, 'GetStatusInfo', {}))).toBe(200)
  })

  it('is an error for SSDP elsewhere, and nothing stays open', async () => {
    const { servers, open } = countedServers()
    const starting = startEmulator({ ssdpPort: 1901 }, { datagrams: noDatagrams, httpServers: servers })
    await expect(starting).rejects.toBeInstanceOf(TransportError)
    expect(open()).toBe(0)
  })

  it('is an error for HTTP', async () => {
    const { httpPort } = await start()
    await expect(startEmulator({ httpPort })).rejects.toBeInstanceOf(TransportError)
  })
})

describe('options that cannot be', () => {
  it.each<EmulatorOptions>([
    { address: '0.0.0.0' },
    { address: 'localhost' },
    { address: '::1' },
    { httpPort: -1 },
    { httpPort: 65536 },
    { ssdpPort: 1.5 },
    { maxMappings: -1 },
    { uuid: 'uuid:1' },
  ])('are refused before anything is opened: %j', async (options) => {
    await expect(startEmulator(options)).rejects.toBeInstanceOf(InvalidArgumentError)
  })
})

describe('the neighbours of the gateway', () => {
  it('are those in the subnet of its address', async () => {
    const received: ((address: string) => void)[] = []
    const answered: string[] = []
    const datagrams: Datagrams = {
      async open({ onMessage }) {
        const ask = encodeSearch({ ST: 'upnp:rootdevice', MX: 1, HOST: '' })
        received.push((address) => onMessage(ask, { address, port: 1024 }))
        return { local: { address: '', port: 0 }, send: (_, to) => answered.push(to.address), close: () => {} }
      },
    }
    const httpServers: HttpServers = {
      listen: async () => ({ local: { address: '', port: 80 }, close: async () => {} }),
    }
    const interfaces = () => [{ name: 'lan0', address: '192.168.1.1', netmask: '255.255.255.0', loopback: false }]
    await start({ address: '192.168.1.1' }, { datagrams, httpServers, interfaces })
    for (const address of ['192.168.1.77', '192.168.2.1', '127.0.0.1', '192.168.1.1']) received[0]?.(address)
    expect(answered).toEqual(['192.168.1.77', '192.168.1.1'])
  })
})
