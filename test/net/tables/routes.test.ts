import { describe, expect, it } from 'vitest'
import { isUnicastIPv6, splitZone } from '../../../src/domain/address.ts'
import {
  defaultGateways,
  MAX_DEFAULT_GATEWAYS,
  parseNetstat,
  parseNetstatIPv6,
  parseProcNetIPv6Route,
  parseProcNetRoute,
  parseRoutePrint,
  parseRoutePrintIPv6,
} from '../../../src/net/tables/routes.ts'

const LINUX_HEAD = 'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT'
const linux = (...rows: string[]): string => [LINUX_HEAD, ...rows, ''].join('\n')

describe('the routes of Linux', () => {
  it('of a laptop give its gateway', () => {
    const text = linux(
      'wlp3s0\t00000000\tFE01A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0                                                                             ',
      'docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0',
      'wlp3s0\t0001A8C0\t00000000\t0001\t0\t0\t600\t00FFFFFF\t0\t0\t0',
    )
    expect(parseProcNetRoute(text)).toEqual(['192.168.1.254'])
  })

  it('with several defaults give the one of the smallest metric first', () => {
    const text = linux(
      'wlan0\t00000000\t0101A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0',
      'eth0\t00000000\t0100000A\t0003\t0\t0\t100\t00000000\t0\t0\t0',
      'eth1\t00000000\t0100000A\t0003\t0\t0\t1024\t00000000\t0\t0\t0',
    )
    expect(parseProcNetRoute(text)).toEqual(['10.0.0.1', '192.168.1.1'])
  })

  it.each([
    ['a default without a gateway, as of a tunnel', 'ppp0\t00000000\t00000000\t0001\t0\t0\t0\t00000000\t0\t0\t0'],
    ['the half of the internet that a VPN takes', 'tun0\t00000000\t0100080A\t0003\t0\t0\t0\t00000080\t0\t0\t0'],
    ['a host behind a gateway', 'eth0\t08080808\t0101A8C0\t0007\t0\t0\t0\tFFFFFFFF\t0\t0\t0'],
    ['a route that is not up', 'eth0\t00000000\t0101A8C0\t0002\t0\t0\t0\t00000000\t0\t0\t0'],
    ['a route that rejects', 'eth0\t00000000\t0101A8C0\t0203\t0\t0\t0\t00000000\t0\t0\t0'],
    ['a gateway that is none', 'eth0\t00000000\tXYZ\t0003\t0\t0\t0\t00000000\t0\t0\t0'],
    ['a multicast gateway', 'eth0\t00000000\t010000E0\t0003\t0\t0\t0\t00000000\t0\t0\t0'],
    ['a line that ends early', 'eth0\t00000000'],
    ['nothing', ''],
  ])('give none for %s', (_name, row) => {
    expect(parseProcNetRoute(linux(row))).toEqual([])
  })
})

const MACOS = `Routing tables

Internet:
Destination        Gateway            Flags               Netif Expire
default            192.168.1.1        UGScg                 en0
default            link#16            UCSIg             bridge100      !
default            10.8.0.1           UGScIg              utun3
127                127.0.0.1          UCS                   lo0
127.0.0.1          127.0.0.1          UH                    lo0
169.254            link#6             UCS                   en0      !
192.168.1          link#6             UCS                   en0      !
192.168.1.1/32     link#6             UCS                   en0      !
192.168.1.1        50:c7:bf:aa:bb:cc  UHLWIir               en0   1174
224.0.0/4          link#6             UmCS                  en0      !
255.255.255.255/32 link#6             UCS                   en0      !
`

describe('the routes of macOS and BSD', () => {
  it('give the gateways in the order of the table', () => {
    expect(parseNetstat(MACOS)).toEqual(['192.168.1.1', '10.8.0.1'])
  })

  it.each([
    '',
    'Internet:\ndefault',
    'default fe80::1%en0 UGc en0',
    'default 192.168.1.1',
    'default 192.168.1.1 Gc en0',
    'default 127.0.0.1 UGRS lo0',
    'default 127.0.0.1 UGBS lo0',
    'netstat: sysctl: Operation not permitted',
  ])('give none for %j', (text) => {
    expect(parseNetstat(text)).toEqual([])
  })
})

const WINDOWS_GERMAN = `===========================================================================
Schnittstellenliste
 13...a4 c3 f0 11 22 33 ......Intel(R) Wi-Fi 6 AX201 160MHz
  1...........................Software Loopback Interface 1
===========================================================================

IPv4-Routentabelle
===========================================================================
Aktive Routen:
     Netzwerkziel    Netzwerkmaske          Gateway    Schnittstelle Metrik
          0.0.0.0          0.0.0.0    192.168.178.1   192.168.178.23     35
          0.0.0.0          0.0.0.0         10.0.0.1         10.0.0.7     25
          0.0.0.0          0.0.0.0   Auf Verbindung         10.8.0.2      3
          0.0.0.0        128.0.0.0         10.8.0.1         10.8.0.2      3
        127.0.0.0        255.0.0.0   Auf Verbindung         127.0.0.1    331
===========================================================================
St\xe4ndige Routen:
  Netzwerkadresse          Netzmaske  Gatewayadresse  Metrik
          0.0.0.0          0.0.0.0     192.168.99.1  Standard
          0.0.0.0          0.0.0.0     192.168.98.1       1
===========================================================================
`.replaceAll('\n', '\r\n')

describe('the routes of Windows', () => {
  it('give the gateways in use by their metric, in whatever language', () => {
    expect(parseRoutePrint(WINDOWS_GERMAN)).toEqual(['10.0.0.1', '192.168.178.1'])
  })

  it.each(['', 'Keine', '0.0.0.0', '  0.0.0.0  0.0.0.0', '0.0.0.0 0.0.0.0 On-link 10.8.0.2 25'])(
    'give none for %j',
    (text) => {
      expect(parseRoutePrint(text)).toEqual([])
    },
  )
})

const ZEROS = '0'.repeat(32)
const ROUTER = 'fe80000000000000021b21fffe3a9e2c'

/** One line of the kernel: a default route, where nothing else is said. */
function linuxIPv6(
  nextHop: string,
  { to = `${ZEROS} 00`, from = `${ZEROS} 00`, metric = '00000400', flags = '00450003', name = 'eth0' } = {},
): string {
  return `${to} ${from} ${nextHop} ${metric} 00000002 00000000 ${flags} ${name.padStart(8)}`
}

const LINUX_IPV6 = [
  linuxIPv6(ZEROS, {
    to: '20010db8000100000000000000000000 40',
    metric: '00000258',
    flags: '00400001',
    name: 'wlp3s0',
  }),
  linuxIPv6(ZEROS, {
    to: 'fe800000000000000000000000000000 40',
    metric: '00000400',
    flags: '00000001',
    name: 'wlp3s0',
  }),
  linuxIPv6(ROUTER, { metric: '00000258', name: 'wlp3s0' }),
  linuxIPv6('fe800000000000000000000000000001', { metric: '00000064', name: 'enp0s31f6' }),
  linuxIPv6('20010db8000100000000000000000001', { metric: '00000800', flags: '00000003', name: 'wlp3s0' }),
  linuxIPv6(ZEROS, { to: `${'0'.repeat(31)}1 80`, metric: '00000000', flags: '80200001', name: 'lo' }),
  linuxIPv6(ZEROS, {
    to: 'ff000000000000000000000000000000 08',
    metric: '00000100',
    flags: '00000001',
    name: 'wlp3s0',
  }),
  linuxIPv6(ZEROS, { metric: 'ffffffff', flags: '00200200', name: 'lo' }),
  '',
].join('\n')

describe('the IPv6 routes of Linux', () => {
  it('of a laptop with cable and radio give its gateways by metric, link-local ones with their interface', () => {
    expect(parseProcNetIPv6Route(LINUX_IPV6)).toEqual([
      'fe80::1%enp0s31f6',
      'fe80::21b:21ff:fe3a:9e2c%wlp3s0',
      '2001:db8:1::1',
    ])
  })

  it('give the same link-local address on two interfaces twice, and on one once', () => {
    const text = [
      linuxIPv6(ROUTER, { metric: '00000400', name: 'eth1' }),
      linuxIPv6(ROUTER, { metric: '00000200' }),
      linuxIPv6(ROUTER, { metric: '00000100', name: 'eth1' }),
    ].join('\n')
    expect(parseProcNetIPv6Route(text)).toEqual(['fe80::21b:21ff:fe3a:9e2c%eth1', 'fe80::21b:21ff:fe3a:9e2c%eth0'])
  })

  it('of equal metric give the one first that wants to be preferred', () => {
    const [high, medium, reserved, low] = ['08450003', '00450003', '10450003', '18450003']
    const text = [low, medium, reserved, high].map((flags, at) => linuxIPv6(`${ROUTER.slice(0, 31)}${at}`, { flags }))
    expect(parseProcNetIPv6Route(text.join('\n')).map((each) => each.at(-6))).toEqual(['3', '1', '2', '0'])
  })

  it('give the gateway for the addresses of one prefix, as OpenWrt routes them', () => {
    const text = linuxIPv6(ROUTER, { from: '20010db8000100000000000000000000 38' })
    expect(parseProcNetIPv6Route(text)).toEqual(['fe80::21b:21ff:fe3a:9e2c%eth0'])
  })

  it.each([
    ['a default without a gateway, as of a tunnel', linuxIPv6(ZEROS, { flags: '00000001', name: 'tun0' })],
    ['a route that is not up', linuxIPv6(ROUTER, { flags: '00450002' })],
    ['a route that rejects', linuxIPv6(ROUTER, { flags: '00000203' })],
    ['2000::/3', linuxIPv6(ROUTER, { to: '20000000000000000000000000000000 03' })],
    ['::/1, the half of the internet that a VPN takes', linuxIPv6(ROUTER, { to: `${ZEROS} 01` })],
    ['the relay of 6to4', linuxIPv6('000000000000000000000000c0586301', { flags: '00000003', name: 'sit0' })],
    ['a multicast gateway', linuxIPv6('ff020000000000000000000000000001')],
    ['a link-local gateway without interface identifier', linuxIPv6('fe800000000000000000000000000000')],
    ['a gateway that is too short', linuxIPv6('fe80')],
    ['a gateway that is no number', linuxIPv6('z'.repeat(32))],
    ['a line without an interface', linuxIPv6(ROUTER).trimEnd().slice(0, -4)],
    ['a line that ends early', linuxIPv6(ROUTER).slice(0, 60)],
    ['nothing', ''],
  ])('give none for %s', (_name, row) => {
    expect(parseProcNetIPv6Route(`${row}\n`)).toEqual([])
  })

  it('are bounded, however many routers are announced, and the preferred ones stay', () => {
    const hex = (value: number): string => value.toString(16).padStart(8, '0')
    const rows = Array.from({ length: 5000 }, (_, at) =>
      linuxIPv6(`fe8000000000000000000001${hex(at)}`, { metric: hex(5000 - at) }),
    )
    const found = parseProcNetIPv6Route(rows.join('\n'))
    expect(found).toHaveLength(MAX_DEFAULT_GATEWAYS)
    expect(found[0]).toBe('fe80::1:0:1387%eth0')
  })
})

const MACOS_IPV6 = `Routing tables

Internet6:
Destination                             Gateway                         Flags         Netif Expire
default                                 fe80::1%en0                     UGcg            en0       
default                                 fe80::%utun0                    UGcIg         utun0       
default                                 fe80::%utun1                    UGcIg         utun1       
default                                 fe80::1%en0                     UGcIg           en0       
default                                 FE80:0:0:0:21b:21ff:fe3a:9e2c%en7 UGcIg           en7       
default                                 2001:db8:1:0:0:0:0:1            UGcIg           en7       
default                                 link#22                         UCSIg     bridge100      !
::1                                     ::1                             UHL             lo0       
2001:db8:1::/64                         link#5                          UC              en0       
2001:db8:1::23                          3c:22:fb:aa:bb:cc               UHL             lo0       
fe80::%en0/64                           link#5                          UCI             en0       
fe80::1%en0                             50:c7:bf:aa:bb:cc               UHLWIir         en0       
ff00::/8                                ::1                             UmCI            lo0       
`

const FREEBSD_IPV6 = `Routing tables

Internet6:
Destination                       Gateway                       Flags     Netif Expire
::/96                             link#2                        URS         lo0
default                           fe80::20d:b9ff:fe41:6f0c%igb0 UG         igb0
::1                               link#2                        UHS         lo0
::ffff:0.0.0.0/96                 link#2                        URS         lo0
fe80::%igb0/64                    link#1                        U          igb0
`

const OPENBSD_IPV6 = `Routing tables

Internet6:
Destination                        Gateway                        Flags   Refs      Use   Mtu  Prio Iface
default                            fe80::5054:ff:fe12:3456%vio0   UGS        0       14     -     8 vio0
::/96                              ::1                            UGRS       0        0 32768     8 lo0
::1                                ::1                            UHhl      10       28 32768     1 lo0
2002::/24                          ::1                            UGRS       0        0 32768     8 lo0
`

describe('the IPv6 routes of macOS and BSD', () => {
  it.each([
    ['macOS', MACOS_IPV6, ['fe80::1%en0', 'fe80::21b:21ff:fe3a:9e2c%en7', '2001:db8:1::1']],
    ['FreeBSD', FREEBSD_IPV6, ['fe80::20d:b9ff:fe41:6f0c%igb0']],
    ['OpenBSD', OPENBSD_IPV6, ['fe80::5054:ff:fe12:3456%vio0']],
  ])('of %s give the gateways in the order of the table, none of a tunnel', (_name, text, gateways) => {
    expect(parseNetstatIPv6(text)).toEqual(gateways)
  })

  it.each([
    '',
    'Internet6:\ndefault',
    'default fe80::1%en0',
    'default fe80::1 UGc en0',
    'default fe80::1% UGc en0',
    'default 192.168.1.1 UGSc en0',
    'default ::1 UGRS lo0',
    'default 2001:db8::1 UGBS lo0',
    'default 2001:db8::1 Gc en0',
    'default ff02::1%en0 UGc en0',
    'default fe80:::1%en0 UGc en0',
  ])('give none for %j', (text) => {
    expect(parseNetstatIPv6(text)).toEqual([])
  })

  it('are bounded', () => {
    const rows = Array.from({ length: 5000 }, (_, at) => `default fe80::1:${at.toString(16)}%en0 UGcIg en0`)
    expect(parseNetstatIPv6(rows.join('\n'))).toHaveLength(MAX_DEFAULT_GATEWAYS)
  })
})

const windowsIPv6 = (active: string, persistent: string): string =>
  `===========================================================================
Schnittstellenliste
 12...a4 c3 f0 11 22 33 ......Intel(R) Wi-Fi 6 AX201 160MHz
  1...........................Software Loopback Interface 1
===========================================================================

IPv6-Routentabelle
===========================================================================
Aktive Routen:
${active}
===========================================================================
St\xe4ndige Routen:
${persistent}
===========================================================================
`.replaceAll('\n', '\r\n')

const WINDOWS_HEADINGS = ' If Metrik Netzwerkziel             Gateway'

describe('the IPv6 routes of Windows', () => {
  it('give the gateways in use by their metric, with the number of the interface', () => {
    const active = `${WINDOWS_HEADINGS}
 12    281 ::/0                     fe80::1
  7     35 ::/0                     fe80::e228:6dff:fe4a:1b2c
  3     25 ::/0                     On-link
  9     26 ::/0                     Auf Verbindung
 12    291 ::/0                     fe80::1
 12    300 ::/0                     2001:db8:1::1
  1    331 ::1/128                  Auf Verbindung
 12    281 2001:db8:1::9d1f:4b7:5ad3:91c2/128
                                    Auf Verbindung
 12    281 fe80::/64                Auf Verbindung`
    const persistent = `${WINDOWS_HEADINGS}
  0 4294967295 ::/0                     fe80::dead
 12     16 ::/0                     fe80::beef`
    expect(parseRoutePrintIPv6(windowsIPv6(active, persistent))).toEqual([
      'fe80::e228:6dff:fe4a:1b2c%7',
      'fe80::1%12',
      '2001:db8:1::1',
    ])
  })

  it('may have the gateway on the next line', () => {
    const active = `${WINDOWS_HEADINGS}
 12    281 ::/0
                                    fe80::e228:6dff:fe4a:1b2c
 13    291 ::/0
 14    301 ::/0                     fe80::2`
    expect(parseRoutePrintIPv6(windowsIPv6(active, '  Keine'))).toEqual(['fe80::e228:6dff:fe4a:1b2c%12', 'fe80::2%14'])
  })

  it.each([
    ['no routes', windowsIPv6('  Keine', '  Keine')],
    ['a persistent route that is not in use', windowsIPv6('  Keine', '  0 4294967295 ::/0    fe80::1')],
    ['a gateway that ends the text early', ' 12    281 ::/0'],
    ['a word for an interface', ' en0    281 ::/0    fe80::1'],
    ['a multicast gateway', ' 12    281 ::/0    ff02::1'],
    ['another destination', ' 12    281 2000::/3    fe80::1'],
    ['nothing', ''],
    ['blank lines', '\r\n'.repeat(10_000)],
  ])('give none for %s', (_name, text) => {
    expect(parseRoutePrintIPv6(text)).toEqual([])
  })

  it('are bounded', () => {
    const rows = Array.from({ length: 5000 }, (_, at) => ` 12 ${at + 1} ::/0 fe80::1:${at.toString(16)}`)
    expect(parseRoutePrintIPv6(windowsIPv6(rows.join('\n'), '  Keine'))).toHaveLength(MAX_DEFAULT_GATEWAYS)
  })
})

describe('defaultGateways of IPv6', () => {
  it('gives none where the system cannot be asked, and does not fail', async () => {
    const another = process.platform === 'win32' ? 'darwin' : 'win32'
    expect(await defaultGateways(6, another)).toEqual([])
  })

  it('gives addresses or none on this system', async () => {
    for (const gateway of await defaultGateways(6)) expect(isUnicastIPv6(splitZone(gateway).address)).toBe(true)
  })
})

describe('defaultGateways of IPv4', () => {
  it('gives none where the system cannot be asked, and does not fail', async () => {
    const another = process.platform === 'win32' ? 'darwin' : 'win32'
    expect(await defaultGateways(4, another)).toEqual([])
  })

  it('gives addresses or none on this system', async () => {
    for (const gateway of await defaultGateways(4)) expect(gateway).toMatch(/^\d+\.\d+\.\d+\.\d+$/)
  })
})
