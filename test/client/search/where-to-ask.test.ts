import { describe, expect, it } from 'vitest'
import { interfacesOf, type PlaceWishes, placesToAsk } from '../../../src/client/search/where-to-ask.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { ScriptedDatagrams } from '../../support/scripted-datagrams.ts'
import { ScriptedHttp } from '../../support/scripted-http.ts'

const ETH0 = { name: 'eth0', address: '192.168.1.10', netmask: '255.255.255.0', loopback: false }
const WIFI = { name: 'wlan0', address: '10.0.0.10', netmask: '255.255.255.0', loopback: false }
const ETH0_6 = { name: 'eth0', address: '2001:db8::5', netmask: '', prefixLength: 64, zone: 'eth0', loopback: false }
const ETH0_LOCAL = { ...ETH0_6, address: 'fe80::5' }
const INTERFACES = [ETH0, ETH0_6, ETH0_LOCAL, WIFI]
const GATEWAYS = { 4: ['192.168.1.1', '10.0.0.1'], 6: ['fe80::1%eth0', 'fe80::2%wlan0'] }

function netOf(defaultGateways = (family: 4 | 6): Promise<string[]> => Promise.resolve(GATEWAYS[family])) {
  const clock = new FakeClock()
  const http = new ScriptedHttp(clock, () => 'silence')
  return { clock, datagrams: new ScriptedDatagrams(clock), http, interfaces: () => INTERFACES, defaultGateways }
}

async function placesOf(wishes: PlaceWishes) {
  const { routes, endpoint, router, localAddress, alsoKnown } = placesToAsk(wishes, netOf())
  const asked = await endpoint
  return {
    routes: routes.map(({ address, multicast, unicastTo }) =>
      [address, ...(multicast ? ['multicast'] : []), ...unicastTo.map((to) => `${to.address} ${to.port}`)].join(' -> '),
    ),
    endpoint: asked && `${asked.address} ${asked.port}`,
    router: (await router).address,
    localAddress,
    asksMiniSsdpd: alsoKnown !== undefined,
  }
}

describe('a gateway is asked for', () => {
  it('on every interface, and at the router', async () => {
    expect(await placesOf({})).toEqual({
      routes: ['192.168.1.10 -> multicast', '10.0.0.10 -> multicast'],
      endpoint: '192.168.1.1 5351',
      router: '192.168.1.1',
      localAddress: undefined,
      asksMiniSsdpd: true,
    })
  })

  it('over IPv6 at that of IPv6', async () => {
    const { routes, endpoint, router } = await placesOf({ family: 6 })
    expect([routes, endpoint, router]).toEqual([[':: -> multicast'], 'fe80::1%eth0 5351', 'fe80::1%eth0'])
  })

  it('for pinholes at that of IPv6 over PCP, whatever family an IGD is searched for over', async () => {
    const { routes, endpoint, router } = await placesOf({ forPinholes: true })
    expect(routes).toEqual(['192.168.1.10 -> multicast', '10.0.0.10 -> multicast'])
    expect([endpoint, router]).toEqual(['fe80::1%eth0 5351', '192.168.1.1'])
  })

  it('at the router that was used before, if this computer has no default gateway now', async () => {
    const wishes = { routerBefore: '192.168.1.254' }
    const { router, endpoint } = placesToAsk(
      wishes,
      netOf(async () => []),
    )
    expect(await router).toMatchObject({ address: '192.168.1.254', isAssumed: true })
    expect(await endpoint).toEqual({ address: '192.168.1.254', port: 5351 })
    expect((await placesOf(wishes)).router).toBe('192.168.1.1')
    const places = placesToAsk(
      { ...wishes, family: 6 },
      netOf(async () => []),
    )
    expect((await places.router).address).toBeUndefined()
  })

  it('without MiniSSDPd if its path is empty', async () => {
    expect((await placesOf({ minissdpdPath: '' })).asksMiniSsdpd).toBe(false)
  })

  it('also if the default gateways cannot be known', async () => {
    for (const family of [4, 6] as const) {
      const net = netOf(() => Promise.reject(new Error('no table')))
      const { endpoint, router } = placesToAsk({ family }, net)
      expect([await endpoint, (await router).address]).toEqual([undefined, undefined])
    }
  })
})

describe('one interface', () => {
  it.each([
    ['wlan0', '10.0.0.10', '10.0.0.1 5351'],
    ['192.168.1.10', '192.168.1.10', '192.168.1.1 5351'],
  ])('has its gateway asked, from its address: %s', async (name, address, endpoint) => {
    const asked = await placesOf({ interface: name })
    expect(asked).toMatchObject({ routes: [`${address} -> multicast`], endpoint, localAddress: address })
  })

  it.each([4, 6] as const)('has its gateway of IPv6 asked for pinholes, from any address: IPv%s', async (family) => {
    const { endpoint, localAddress } = await placesOf({ interface: 'eth0', forPinholes: true, family })
    expect([endpoint, localAddress]).toEqual(['fe80::1%eth0 5351', undefined])
  })

  it('that is not there is an error', () => {
    expect(() => placesToAsk({ interface: 'eth7' }, netOf())).toThrow("'eth7' is neither the name nor an address")
  })
})

describe('a gateway that is named', () => {
  const gateway = { address: '10.2.0.1', port: 5350 }

  it('is asked and nobody else: straight, and on its port', async () => {
    expect(await placesOf({ gateway })).toEqual({
      routes: ['0.0.0.0 -> 10.2.0.1 1900'],
      endpoint: '10.2.0.1 5350',
      router: '10.2.0.1',
      localAddress: undefined,
      asksMiniSsdpd: false,
    })
  })

  it('is asked from the interface that is named too', async () => {
    const { routes, localAddress } = await placesOf({ gateway, interface: 'wlan0' })
    expect([routes, localAddress]).toEqual([['10.0.0.10 -> 10.2.0.1 1900'], '10.0.0.10'])
  })

  it('of IPv6 is asked with its zone', async () => {
    const named = { gateway: { address: 'fe80::9%eth0', port: 5351 }, forPinholes: true }
    const { routes, endpoint, router } = await placesOf(named)
    expect([routes, endpoint, router]).toEqual([[':: -> fe80::9%eth0 1900'], 'fe80::9%eth0 5351', 'fe80::9%eth0'])
  })

  it('of IPv4 is not asked over PCP for pinholes', async () => {
    expect((await placesOf({ gateway, forPinholes: true })).endpoint).toBeUndefined()
  })
})

describe('one route', () => {
  const onlyRoute = { address: '127.0.0.1', netmask: '255.0.0.0', multicast: false, unicastTo: [] }

  it('is the only one: neither default gateways nor MiniSSDPd are asked', async () => {
    const places = { routes: ['127.0.0.1'], endpoint: undefined, router: undefined, localAddress: undefined }
    expect(await placesOf({ onlyRoute })).toEqual({ ...places, asksMiniSsdpd: false })
  })

  it('has the one endpoint that is given', async () => {
    const onlyEndpoint = { address: '127.0.0.1', port: 40_000 }
    expect(await placesOf({ onlyRoute, onlyEndpoint })).toMatchObject({
      endpoint: '127.0.0.1 40000',
      router: '127.0.0.1',
    })
  })
})

describe('the interfaces that were searched on', () => {
  it('have the name and the address that was searched from, of IPv6 the link-local one', () => {
    const over = (wishes: PlaceWishes) => interfacesOf(placesToAsk(wishes, netOf()).routes, INTERFACES)
    expect(over({ interface: 'wlan0' })).toEqual([{ name: 'wlan0', address: '10.0.0.10' }])
    expect(over({ family: 6 })).toEqual([{ name: 'eth0', address: 'fe80::5' }])
    expect(over({ gateway: { address: '10.2.0.1', port: 5351 } })).toEqual([{ name: undefined, address: '0.0.0.0' }])
  })
})
