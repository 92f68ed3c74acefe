/** What is asked for one interface or address is asked from it: the description, and every request after it. */
import { describe, expect, it } from 'vitest'
import { openNamedGateway } from '../../../src/client/search/open-gateway.ts'
import type { PlaceWishes } from '../../../src/client/search/where-to-ask.ts'
import { parseZonedUrl } from '../../../src/domain/url.ts'
import { memoryFiles } from '../../../src/net/files/private-files.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { IGD1, ScriptedDatagrams } from '../../support/scripted-datagrams.ts'
import { answersOf, locationOf } from '../../support/scripted-devices.ts'
import { ScriptedHttp } from '../../support/scripted-http.ts'
import { begin, ROUTER, type Settings } from './opening.ts'

const of = (name: string, address: string) => ({ name, address, netmask: '255.255.255.0', loopback: false })
const of6 = (name: string, address: string) => {
  return { name, address, netmask: '', prefixLength: 64, zone: name, loopback: false }
}
const COMPUTER = [
  of('eth0', '192.168.1.10'),
  of('eth0', '192.168.1.11'),
  of6('eth0', '2001:db8::10'),
  of6('eth0', '2001:db8::11'),
  of('wlan0', '192.168.1.95'),
  of('br0', '172.17.0.1'),
]

/** From which addresses a router that was found by a search was asked, and which one the gateway names as ours. */
async function searched(settings: Settings, searchedFrom: string) {
  const opening = begin({ via: 'igd', devices: [ROUTER], interfaces: COMPUTER, ...settings })
  opening.deviceAnswers(ROUTER, 20, IGD1, searchedFrom)
  const { found } = await opening.endsAt(20)
  await found?.gateway.externalAddress()
  return { from: opening.http.seen.map(({ request }) => request.localAddress), local: found?.gateway.localAddress }
}

/** The same for a router that was named by its URL. */
async function named(wishes: PlaceWishes, url: string) {
  const clock = new FakeClock()
  const http = new ScriptedHttp(clock, answersOf({ host: new URL(url).host }))
  const zoned = parseZonedUrl(url)
  if (zoned === undefined) throw new Error(`no URL: ${url}`)
  const { found } = await openNamedGateway(zoned, wishes, {
    clock,
    http,
    datagrams: new ScriptedDatagrams(clock),
    interfaces: () => COMPUTER,
    defaultGateways: () => Promise.resolve([]),
    files: memoryFiles(),
  })
  await found?.gateway.externalAddress()
  return { from: http.seen.map(({ request }) => request.localAddress), local: found?.gateway.localAddress }
}

describe('the address that an IGD is asked from', () => {
  it.each([
    ['no interface was named', {}, '192.168.1.10', undefined],
    ['the interface was named', { interface: 'wlan0' }, '192.168.1.95', '192.168.1.95'],
    ['one of its two addresses was named', { interface: '192.168.1.11' }, '192.168.1.11', '192.168.1.11'],
    ['an interface with two addresses was named', { interface: 'eth0' }, '192.168.1.10', '192.168.1.10'],
  ])('if %s', async (_what, wishes, searchedFrom, expected) => {
    const { from, local } = await searched(wishes, searchedFrom)
    expect(from).toEqual([expected, expected, expected, expected])
    expect(local).toBe(searchedFrom)
  })

  it('is the same beside --gateway', async () => {
    const gateway = { address: '192.168.1.1', port: 5351 }
    const { from, local } = await searched({ interface: '192.168.1.11', gateway }, '192.168.1.11')
    expect(new Set(from)).toEqual(new Set(['192.168.1.11']))
    expect(local).toBe('192.168.1.11')
  })

  it('is the same for all that answer within a search of a given time', async () => {
    const opening = begin({ via: 'igd', devices: [ROUTER], interfaces: COMPUTER, interface: 'wlan0', searchMs: 500 })
    opening.deviceAnswers(ROUTER, 20, IGD1, '192.168.1.95')
    expect((await opening.endsAt(500)).found?.gateway.localAddress).toBe('192.168.1.95')
  })

  it.each([
    [{}, locationOf(ROUTER), undefined],
    [{ interface: 'wlan0' }, locationOf(ROUTER), '192.168.1.95'],
    [{ interface: '192.168.1.11' }, locationOf(ROUTER), '192.168.1.11'],
    [{ interface: '192.168.1.11' }, 'http://router.lan/root.xml', '192.168.1.11'],
    [{ interface: 'br0' }, locationOf(ROUTER), '172.17.0.1'],
    [{ interface: '2001:db8::11' }, 'http://[2001:db8::1]:5000/root.xml', '2001:db8::11'],
  ])('with %j, if %s was named, is %s', async (wishes, url, expected) => {
    const { from, local } = await named(wishes, url)
    expect(from).toEqual([expected, expected])
    expect(local).toBe(expected ?? '192.168.1.10')
  })

  it('is for the system to choose over IPv6 if an interface was named', async () => {
    expect((await named({ interface: 'eth0' }, 'http://[2001:db8::1]:5000/root.xml')).from).toEqual(['::', '::'])
  })

  it.each([
    ['eth7', locationOf(ROUTER), "'eth7' is neither the name nor an address of an interface here"],
    ['wlan0', 'http://[2001:db8::1]:5000/root.xml', "'wlan0' has no IPv6 address"],
  ])('cannot be had of %s for %s', async (name, url, message) => {
    await expect(named({ interface: name }, url)).rejects.toThrow(message)
  })
})
