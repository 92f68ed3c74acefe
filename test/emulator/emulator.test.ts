import { afterEach, describe, expect, it, vi } from 'vitest'
import { InvalidArgumentError, TransportError } from '../../src/domain/errors.ts'
import { type Emulator, type EmulatorNetwork, type EmulatorOptions, startEmulator } from '../../src/emulator.ts'
import { type Datagrams, nodeDatagrams } from '../../src/net/datagrams.ts'
import { type HttpServers, nodeHttpServers } from '../../src/net/http/server.ts'
import { decodeDescription } from '../../src/wire/description.ts'
import { decodePortListing } from '../../src/wire/port-listing.ts'
import { decodeSoapReply, encodeSoapRequest, type SoapReply } from '../../src/wire/soap.ts'
import { decodeSsdp, encodeSearch } from '../../src/wire/ssdp.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { FIREWALL_CONTROL, FIREWALL1, KEY, MAPPING, PINHOLE, WANIP_CONTROL, WANIP2 } from './asking.ts'
import { bodyOf, exchange, type Parts, post, statusOf } from './asking-raw.ts'

const started: Emulator[] = []

async function start(options: EmulatorOptions = {}, network: Partial<EmulatorNetwork> = {}): Promise<Emulator> {
  const emulator = await startEmulator(options, network)
  started.push(emulator)
  return emulator
}

afterEach(() => Promise.all(started.splice(0).map((emulator) => emulator.close())))

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
  it('is on loopback by default, is found by a search, and serves its description', async () => {
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
      presentationURL: emulator.descriptionUrl,
    })
  })

  it('says what its options say', async () => {
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

  it('maps over a raw connection, counts the requests, and lets the lease run out', async () => {
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

  it('keeps as many mappings as maxMappings allows', async () => {
    const emulator = await start({ maxMappings: 0 })
    const reply = await post(emulator.httpPort, 'AddPortMapping', MAPPING)
    expect(decodeSoapReply(bodyOf(reply), 'AddPortMapping')).toMatchObject({ errorCode: 728 })
  })

  it('maps only to the computer that asks if the mode is secure', async () => {
    const emulator = await start({ secureMode: true })
    const own = await post(emulator.httpPort, 'AddPortMapping', { ...MAPPING, NewInternalClient: '127.0.0.1' })
    const other = await post(emulator.httpPort, 'AddPortMapping', { ...MAPPING, NewExternalPort: '81' })
    expect(statusOf(own)).toBe(200)
    expect(decodeSoapReply(bodyOf(other), 'AddPortMapping')).toMatchObject({ errorCode: 606 })
  })

  it('lists and deletes ranges, and gives another port if the wanted one is taken', async () => {
    const { httpPort, mappings } = await start()
    const ask = async (action: string, args: Readonly<Record<string, string>>): Promise<SoapReply> =>
      decodeSoapReply(bodyOf(await post(httpPort, action, args)), action)
    await ask('AddPortMapping', MAPPING)
    const other = { ...MAPPING, NewInternalClient: '127.0.0.1' }
    expect(await ask('AddAnyPortMapping', other)).toMatchObject({ arguments: new Map([['newreservedport', '8081']]) })
    const range = { NewStartPort: '0', NewEndPort: '65535', NewProtocol: 'TCP', NewManage: '1' }
    const list = await ask('GetListOfPortMappings', { ...range, NewNumberOfPorts: '1000' })
    const listing = list.kind === 'response' ? (list.arguments.get('newportlisting') ?? '') : ''
    expect(decodePortListing(listing).map((entry) => entry.NewInternalClient)).toEqual(['192.168.1.5', '127.0.0.1'])
    expect(await ask('DeletePortMappingRange', { ...range, NewManage: '0' })).toMatchObject({ kind: 'response' })
    expect(mappings().map((mapping) => mapping.internalClient)).toEqual(['192.168.1.5'])
  })

  it('opens pinholes, to any client if the request is from loopback, and closes them in time', async () => {
    const clock = new FakeClock()
    const { httpPort, pinholes } = await start({ maxPinholes: 1, pinholePackets: 0 }, { clock })
    const ask = async (action: string, args: Readonly<Record<string, string>>): Promise<SoapReply> => {
      const reply = await post(httpPort, action, args, { serviceType: FIREWALL1, target: FIREWALL_CONTROL })
      return decodeSoapReply(bodyOf(reply), action)
    }
    expect(await ask('AddPinhole', PINHOLE)).toMatchObject({ arguments: new Map([['uniqueid', '1']]) })
    expect(pinholes()).toMatchObject([{ id: 1, internalClient: '2001:db8::5', internalPort: 8080, leaseSeconds: 3600 }])
    expect(await ask('AddPinhole', { ...PINHOLE, InternalPort: '81' })).toMatchObject({ errorCode: 701 })
    expect(await ask('CheckPinholeWorking', { UniqueID: '1' })).toMatchObject({ errorCode: 709 })
    await clock.advance(3_600_000)
    expect(await ask('DeletePinhole', { UniqueID: '1' })).toMatchObject({ errorCode: 704 })
    expect(pinholes()).toEqual([])
  })

  it('survives any request, and answers the next one', async () => {
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

describe('a delay of replies', () => {
  it('comes before every reply of the HTTP server, and close() does not wait for it', async () => {
    const clock = new FakeClock()
    const emulator = await start({ replyDelayMs: 50 }, { clock })
    let isAnswered = false
    const asking = post(emulator.httpPort, 'GetStatusInfo', {}).finally(() => {
      isAnswered = true
    })
    await vi.waitUntil(() => clock.pending === 1)
    await clock.advance(49)
    expect(isAnswered).toBe(false)
    await clock.advance(1)
    expect(statusOf(await asking)).toBe(200)
    const unanswered = post(emulator.httpPort, 'GetStatusInfo', {})
    await vi.waitUntil(() => clock.pending === 1)
    await emulator.close()
    expect(await unanswered).toBe('')
    expect(clock.pending).toBe(0)
  })
})

describe('many gateways in a process', () => {
  it('are independent: each has its own ports, UUID and mappings, and closes without the others', async () => {
    const emulators = await Promise.all(Array.from({ length: 50 }, () => start()))
    const [first, second, ...others] = emulators
    expect(new Set(emulators.map(({ httpPort }) => httpPort)).size).toBe(50)
    await post(first?.httpPort ?? 0, 'AddPortMapping', MAPPING)
    expect(emulators.map((emulator) => emulator.mappings().length)).toEqual([1, ...others.map(() => 0), 0])
    await first?.close()
    expect(statusOf(await post(second?.httpPort ?? 0, 'AddPortMapping', MAPPING))).toBe(200)
  })
})

describe('the end', () => {
  it('closes every socket, even during a request, and may be called twice', async () => {
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
    for (const port of [emulator.ssdp?.port, emulator.portControl?.port]) {
      const again = await nodeDatagrams.open({ address: '127.0.0.1', port: port ?? 0, onMessage: () => {} })
      again.close()
    }
  })
})

describe('a port that is taken', () => {
  const noDatagrams: Datagrams = {
    open: () => Promise.reject(new TransportError('port taken')),
    connect: () => Promise.reject(new Error('a gateway connects to nobody')),
  }
  /** Real servers. The test can see how many are open. */
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

  it('does not matter for SSDP on 1900: the gateway starts, and says why no search finds it', async () => {
    const emulator = await start({ ssdpPort: 1900, portControlPort: 5351 }, { datagrams: noDatagrams })
    expect(emulator.ssdp).toBeUndefined()
    expect(emulator.ssdpError?.message).toBe('port taken')
    expect(statusOf(await post(emulator.httpPort, 'GetStatusInfo', {}))).toBe(200)
  })

  it('does not matter for PCP and NAT-PMP on 5351: the gateway starts, and says why it speaks neither', async () => {
    const emulator = await start(
      { ssdpPort: 1900, portControlPort: 5351, ipv6Address: '::1' },
      { datagrams: noDatagrams },
    )
    expect([emulator.portControl, emulator.portControlIPv6]).toEqual([undefined, undefined])
    expect(emulator.portControlError?.message).toBe('port taken')
    emulator.forget()
  })

  it('is an error for PCP and NAT-PMP on another port, and nothing stays open', async () => {
    const { servers, open } = countedServers()
    const options = { ssdpPort: 1900, portControlPort: 5352 }
    const starting = startEmulator(options, { datagrams: noDatagrams, httpServers: servers })
    await expect(starting).rejects.toBeInstanceOf(TransportError)
    expect(open()).toBe(0)
  })

  it('is an error for SSDP on another port, and nothing stays open', async () => {
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

describe('options with values that they cannot have', () => {
  it.each<EmulatorOptions>([
    { address: '0.0.0.0' },
    { address: 'localhost' },
    { address: '::1' },
    { httpPort: -1 },
    { httpPort: 65536 },
    { ssdpPort: 1.5 },
    { portControlPort: 65536 },
    { ipv6Address: '127.0.0.1' },
    { ipv6Address: 'ff02::1' },
    { maxMappings: -1 },
    { uptimeSeconds: -1 },
    { replyDelayMs: -1 },
    { replyDelayMs: Number.NaN },
    { maxPinholes: -1 },
    { maxPinholes: 65536 },
    { uuid: 'uuid:1' },
    { quirks: [{ name: 'late-search', delayMs: -1 }] },
    { quirks: [{ name: 'late-search', delayMs: Number.NaN }] },
    { quirks: [{ name: 'late-search', delayMs: 60_001 }] },
    { quirks: [{ name: 'refuse', operation: 'PEER', code: 1 }] },
    { quirks: [{ name: 'refuse', operation: 'constructor', code: 1 }] },
    { quirks: [{ name: 'refuse', operation: 'MAP', code: 0 }] },
    { quirks: [{ name: 'refuse', operation: 'MAP', code: 256 }] },
    { quirks: [{ name: 'refuse', operation: 'map-udp', code: 65_536 }] },
    { quirks: [{ name: 'refuse', operation: 'AddPortMapping', code: 900 }] },
    { quirks: [{ name: 'refuse', operation: 'MAP', code: 1, times: 0 }] },
  ])('are refused before anything is opened: %j', async (options) => {
    await expect(startEmulator(options)).rejects.toBeInstanceOf(InvalidArgumentError)
  })
})

describe('the neighbours of the gateway', () => {
  it('are the computers in the subnet of its address', async () => {
    const received: ((address: string) => void)[] = []
    const answered: string[] = []
    const datagrams: Datagrams = {
      async open({ onMessage }) {
        const ask = encodeSearch({ ST: 'upnp:rootdevice', MX: 1, HOST: '' })
        received.push((address) => onMessage(ask, { address, port: 1024 }))
        return { local: { address: '', port: 0 }, send: (_, to) => answered.push(to.address), close: () => {} }
      },
      connect: () => Promise.reject(new Error('a gateway connects to nobody')),
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
