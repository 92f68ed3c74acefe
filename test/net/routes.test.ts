import { describe, expect, it } from 'vitest'
import { defaultGateways, parseNetstat, parseProcNetRoute, parseRoutePrint } from '../../src/net/routes.ts'

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

  it.each(['', 'Internet:\ndefault', 'default fe80::1%en0 UGc en0', 'netstat: sysctl: Operation not permitted'])(
    'give none for %j',
    (text) => {
      expect(parseNetstat(text)).toEqual([])
    },
  )
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

describe('defaultGateways', () => {
  it('gives none where the system cannot be asked, and does not fail', async () => {
    const another = process.platform === 'win32' ? 'darwin' : 'win32'
    expect(await defaultGateways(another)).toEqual([])
  })

  it('gives addresses or none on this system', async () => {
    for (const gateway of await defaultGateways()) expect(gateway).toMatch(/^\d+\.\d+\.\d+\.\d+$/)
  })
})
