import { describe, expect, it } from 'vitest'
import { searchRoutes } from '../../../src/client/search/routes.ts'
import { whichRouter } from '../../../src/client/search/which-router.ts'
import type { InterfaceAddress } from '../../../src/net/interfaces.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { ScriptedDatagrams } from '../../support/scripted-datagrams.ts'

const on = (name: string, address: string, netmask = '255.255.255.0'): InterfaceAddress => ({
  name,
  address,
  netmask,
  loopback: name === 'lo',
})
const LO = on('lo', '127.0.0.1', '255.0.0.0')
const ETH0 = on('eth0', '192.168.1.10')
const WIFI = on('wlan0', '10.0.0.10')
const TUN = on('wg0', '10.2.0.2', '255.255.255.255')
const DOCKER = on('docker0', '172.17.0.1', '255.255.0.0')
const v6 = (name: string, address: string) => ({ ...on(name, address, ''), prefixLength: 64, zone: name })

interface Settings {
  readonly interfaces: readonly InterfaceAddress[]
  readonly gateways: readonly string[]
  /** The address from which packets to the internet leave. */
  readonly from?: string
  readonly family?: 4 | 6
  readonly named?: string
}

async function routerOf({ interfaces, gateways, from, family = 4, named }: Settings) {
  const datagrams = new ScriptedDatagrams(new FakeClock())
  if (from === undefined) datagrams.refuse(family === 4 ? '198.41.0.4' : '2001:503:ba3e::2:30')
  else datagrams.localAddress = from
  const net = { datagrams, interfaces: () => interfaces, defaultGateways: async () => gateways }
  const onlyBy = named === undefined ? undefined : searchRoutes(interfaces, { interface: named, family })
  const { address, tunnel, isNamed } = await whichRouter(family, net, onlyBy)
  expect([datagrams.requests, datagrams.openCount, isNamed], 'nothing is sent, nothing is left').toEqual([[], 0, false])
  return tunnel === undefined ? address : `${address}, and programs send through ${tunnel}`
}

describe('the router', () => {
  it.each<[string, Settings, string | undefined]>([
    ['the default gateway', { interfaces: [LO, ETH0], gateways: ['192.168.1.1'] }, '192.168.1.1'],
    ['nobody if there is none', { interfaces: [LO, ETH0], gateways: [] }, undefined],
    [
      'the best of those on the way out',
      { interfaces: [ETH0, WIFI], gateways: ['192.168.1.1', '192.168.1.2', '10.0.0.1'], from: '192.168.1.10' },
      '192.168.1.1',
    ],
    [
      'that of the interface by which packets leave, though another one comes first',
      { interfaces: [ETH0, WIFI], gateways: ['192.168.1.1', '10.0.0.1'], from: '10.0.0.10' },
      '10.0.0.1',
    ],
    [
      'that of the home, if a tunnel takes what leaves and has none of its own',
      { interfaces: [ETH0, TUN], gateways: ['192.168.1.1'], from: '10.2.0.2' },
      '192.168.1.1, and programs send through wg0',
    ],
    [
      'that of the tunnel, if it has one',
      { interfaces: [ETH0, on('tun0', '10.8.0.2')], gateways: ['10.8.0.1', '192.168.1.1'], from: '10.8.0.2' },
      '10.8.0.1',
    ],
    [
      'not asked of a bridge of containers',
      { interfaces: [DOCKER, ETH0], gateways: ['192.168.1.1'], from: '192.168.1.10' },
      '192.168.1.1',
    ],
    [
      'one that is on no subnet, as clouds have it',
      {
        interfaces: [on('eth0', '203.0.113.7', '255.255.255.255'), DOCKER],
        gateways: ['172.31.1.1'],
        from: '203.0.113.7',
      },
      '172.31.1.1',
    ],
    [
      'the best one if there is no way to the internet, or nobody says which',
      { interfaces: [ETH0, WIFI], gateways: ['10.0.0.1', '192.168.1.1'] },
      '10.0.0.1',
    ],
    [
      'the best one if the system does not tell the address (Deno)',
      { interfaces: [ETH0, WIFI], gateways: ['10.0.0.1', '192.168.1.1'], from: '0.0.0.0' },
      '10.0.0.1',
    ],
    [
      'the same on two interfaces of one network',
      { interfaces: [ETH0, on('wlan0', '192.168.1.11')], gateways: ['192.168.1.1'], from: '192.168.1.11' },
      '192.168.1.1',
    ],
    [
      'that of an interface that is named',
      { interfaces: [ETH0, WIFI], gateways: ['192.168.1.1', '10.0.0.1'], named: 'wlan0' },
      '10.0.0.1',
    ],
    [
      'nobody if an interface is named that has none',
      { interfaces: [ETH0, WIFI], gateways: ['192.168.1.1'], named: 'wlan0' },
      undefined,
    ],
    [
      'of IPv6 link-local, with its zone',
      {
        interfaces: [v6('eth0', '2001:db8::5'), v6('wlan0', '2001:db8:1::5')],
        gateways: ['fe80::1%eth0', 'fe80::1%wlan0'],
        from: '2001:db8:1::5',
        family: 6,
      },
      'fe80::1%wlan0',
    ],
  ])('is %s', async (_name, settings, expected) => {
    expect(await routerOf(settings)).toBe(expected)
  })

  it('is nobody if the routing table cannot be read', async () => {
    const net = { datagrams: new ScriptedDatagrams(new FakeClock()), interfaces: () => [ETH0] }
    const failing = { ...net, defaultGateways: () => Promise.reject(new Error('no table')) }
    expect(await whichRouter(4, failing)).toEqual({ address: undefined, isNamed: false, tunnel: undefined })
  })
})
