/** From which address and through which interface a request goes out, by either exchange. */
import { afterEach, describe, expect, it } from 'vitest'
import { isLoopbackIPv6 } from '../../../src/domain/address.ts'
import { TransportError } from '../../../src/domain/errors.ts'
import { createHttpClient, type HttpReply, type HttpRequest, hostHeader, hostOf } from '../../../src/net/http/client.ts'
import { leanExchange } from '../../../src/net/http/lean-exchange.ts'
import { undiciExchange } from '../../../src/net/http/undici-exchange.ts'
import { interfaceAddresses, isIPv6Interface } from '../../../src/net/interfaces.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { type RawServer, startRawServer } from '../../support/raw-server.ts'

const own = interfaceAddresses()
const loopback6 = own.find((each) => isLoopbackIPv6(each.address))
/** What is sent from it to loopback does not leave this computer. */
const outward = own.find((each) => !isIPv6Interface(each) && !each.loopback)

const servers: RawServer[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close()
})

async function serve(address?: string): Promise<RawServer> {
  const server = await startRawServer(async (peer) => {
    await peer.request()
    await peer.send('HTTP/1.1 200 OK\r\n\r\n<root/>')
    peer.end()
  }, address)
  servers.push(server)
  return server
}

describe('hostOf', () => {
  it.each([
    ['http://192.168.1.1/', 'eth0', '192.168.1.1'],
    ['http://router.lan/', 'eth0', 'router.lan'],
    ['http://[2001:db8::1]/', 'eth0', '2001:db8::1'],
    ['http://[::1]/', 'eth0', '::1'],
    ['http://[fe80::1]/', 'eth0', 'fe80::1%eth0'],
    ['http://[febf::1]/', '7', 'febf::1%7'],
    ['http://[fe80::1]/', '', 'fe80::1'],
    ['http://[fe80::1]/', undefined, 'fe80::1'],
  ])('of %s by %j is %s, and Host never has a zone', (href, zone, host) => {
    const url = new URL(href)
    expect(hostOf({ url, zone })).toBe(host)
    expect(hostHeader(url)).toBe(`${url.hostname}:80`)
  })
})

describe.each([
  { name: 'undici', exchange: undiciExchange },
  { name: 'a bare socket', exchange: leanExchange },
])('by $name:', ({ exchange }) => {
  function ask(url: URL, changes: Partial<HttpRequest> = {}): Promise<HttpReply> {
    return createHttpClient(new FakeClock(), exchange).request({
      method: 'GET',
      url,
      headers: [],
      action: 'description',
      maxBodyBytes: 1000,
      timeoutMs: 5000,
      isComplete: () => false,
      ...changes,
    })
  }

  it.skipIf(loopback6 === undefined)('asks a host of IPv6, with brackets in Host', async () => {
    const server = await serve('::1')
    const reply = await ask(server.url('/'), { zone: 'eth0', localAddress: '::1' })
    expect(reply).toMatchObject({ status: 200, localAddress: '::1', remoteAddress: '::1' })
    expect(server.peers[0]?.pieces.join('').toLowerCase()).toContain(`\r\nhost: [::1]:${server.port}\r\n`)
  })

  it.skipIf(outward === undefined)('asks from the address that it is told', async () => {
    const server = await serve()
    const { address = '' } = outward ?? {}
    expect(await ask(server.url('/'), { localAddress: address })).toMatchObject({ localAddress: address })
  })

  it.skipIf(outward === undefined)('asks a host by name from the address of IPv4 that it is told', async () => {
    const server = await serve()
    const { address = '' } = outward ?? {}
    const asked = ask(new URL(`http://localhost:${server.port}/`), { localAddress: address })
    expect(await asked).toMatchObject({ localAddress: address, remoteAddress: '127.0.0.1' })
  })

  it('says from which address a host was asked in vain, if it was told one that it could use', async () => {
    const url = new URL('http://127.0.0.1:1/')
    const whole = (localAddress?: string) => ask(url, { localAddress }).catch(({ message }: Error) => message)
    expect(await whole('127.0.0.1')).toBe('description: http://127.0.0.1:1 (asked from 127.0.0.1): connection refused')
    expect(await whole('192.0.2.77')).toBe('description: http://127.0.0.1:1: connection refused')
    expect(await whole()).toBe('description: http://127.0.0.1:1: connection refused')
  })

  it.each([
    ['is not of this computer', '192.0.2.77'],
    ['is of the other family', '::1'],
    ['is none', 'nonsense'],
    ['is empty', ''],
  ])('asks from the usual address where the one that it is told %s', async (_why, localAddress) => {
    const server = await serve()
    expect(await ask(server.url('/'), { localAddress })).toMatchObject({ localAddress: '127.0.0.1' })
  })

  it('says which interface a link-local host could not be reached by', async () => {
    const asked = ask(new URL('http://[fe80::1]:5000/'), { zone: 'nonsense0' })
    await expect(asked).rejects.toThrow(TransportError)
    await expect(asked).rejects.toThrow('description: http://[fe80::1%nonsense0]:5000: ')
  })
})
