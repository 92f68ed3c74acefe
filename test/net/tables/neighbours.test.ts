import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { hardwareAddress, hardwareAddressIn } from '../../../src/net/tables/neighbours.ts'

const LINUX = `IP address       HW type     Flags       HW address            Mask     Device
192.168.1.10     0x1         0x2         02:00:5E:10:00:0a     *        eth0
192.168.1.1      0x1         0x2         02:00:5e:10:00:01     *        eth0
192.168.1.7      0x1         0x0         00:00:00:00:00:00     *        eth0
10.0.0.138       0x1         0x6         02:00:5e:10:00:8a     *        wlan0
`
const LINUX_TWO_LINKS = `${LINUX}192.168.1.7      0x1         0x2         02:00:5e:10:00:07     *        wlan0
`
const MACOS = `? (192.168.1.10) at 2:0:5e:10:0:a on en0 ifscope [ethernet]
? (192.168.1.1) at 2:0:5e:10:0:1 on en0 ifscope [ethernet]
? (192.168.1.7) at (incomplete) on en0 ifscope [ethernet]
router.lan (10.0.0.138) at 2:0:5E:10:0:8a on en1 ifscope permanent [ethernet]
`
const FREEBSD = `? (192.168.1.10) at 02:00:5e:10:00:0a on em0 expires in 1142 seconds [ethernet]
? (192.168.1.1) at 02:00:5e:10:00:01 on em0 expires in 1200 seconds [ethernet]
? (192.168.1.7) at (incomplete) on em0 expired [ethernet]
? (10.0.0.138) at 02:00:5e:10:00:8a on em1 permanent [ethernet]
`
const OPENBSD = `Host                                 Ethernet Address    Netif Expire    Flags
192.168.1.10                         02:00:5e:10:00:0a     em0 19m50s
192.168.1.1                          02:00:5e:10:00:01     em0 10m18s
192.168.1.7                          (incomplete)          em0 expired
10.0.0.138                           02:00:5e:10:00:8a     em1 permanent
`
/** In the language of the user, with a line for each interface. */
const WINDOWS = `\r
Schnittstelle: 192.168.1.2 --- 0xb\r
  Internetadresse       Physische Adresse     Typ\r
  192.168.1.10          02-00-5e-10-00-0a     dynamisch \r
  192.168.1.1           02-00-5E-10-00-01     dynamisch \r
  192.168.1.7                                 ung\xfcltig\r
\r
Schnittstelle: 10.0.0.2 --- 0x5\r
  Internetadresse       Physische Adresse     Typ\r
  10.0.0.138            02-00-5e-10-00-8a     statisch  \r
`

describe.each([
  ['Linux', LINUX],
  ['macOS', MACOS],
  ['FreeBSD', FREEBSD],
  ['OpenBSD', OPENBSD],
  ['Windows', WINDOWS],
])('the table of %s', (_system, table) => {
  it.each([
    ['192.168.1.1', '02005e100001'],
    ['192.168.1.10', '02005e10000a'],
    ['10.0.0.138', '02005e10008a'],
    ['192.168.1.7', undefined],
    ['192.168.1.2', undefined],
    ['192.168.1', undefined],
    ['92.168.1.1', undefined],
    ['192x168.1.1', undefined],
  ])('has of %j %j', (address, expected) => {
    expect(hardwareAddressIn(table, address)).toBe(expected)
  })
})

describe('a hardware address', () => {
  it('is that of the other link if it is incomplete on one', () => {
    expect(hardwareAddressIn(LINUX_TWO_LINKS, '192.168.1.7')).toBe('02005e100007')
  })

  it.each(['', '\n', 'arp: in 0 entries no match found.', '192.168.1.1 (192.168.1.1) -- no entry', '192.168.1.1 0x1'])(
    'is not in %j',
    (table) => {
      expect(hardwareAddressIn(table, '192.168.1.1')).toBeUndefined()
    },
  )

  it.each([
    '02:00:5e:10:00',
    '02:00:5e:10:00:01:02',
    '02:00:5e:10:00:0g',
    '02:00:5e:10:00:001',
    '00:00:00:00:00:00',
    '0:0:0:0:0:0',
    '02005e100001',
  ])('is not %s', (word) => {
    expect(hardwareAddressIn(`192.168.1.1 0x1 0x2 ${word} * eth0`, '192.168.1.1')).toBeUndefined()
  })

  it.each(['fe80::1', 'fe80::1%eth0', '2001:db8::1', '::ffff:192.168.1.1', 'router.lan', '', '192.168.1'])(
    'is not asked for: %j',
    async (address) => {
      expect(await hardwareAddress(address)).toBeUndefined()
    },
  )

  it.each<NodeJS.Platform>(['darwin', 'freebsd', 'win32'])('is not known of a stranger on %s', async (platform) => {
    expect(await hardwareAddress('198.51.100.77', platform)).toBeUndefined() // nor if there is no such command
  })

  it('comes from the table of this computer', async () => {
    const has = process.platform === 'linux' && existsSync('/proc/net/arp')
    for (const line of has ? readFileSync('/proc/net/arp', 'latin1').trim().split('\n').slice(1) : []) {
      const [address = '', , , hardware = ''] = line.split(/\s+/)
      const digits = hardware.replaceAll(':', '')
      if (!/^0*$/.test(digits)) expect(await hardwareAddress(address)).toMatch(/^[\da-f]{12}$/)
    }
    expect(await hardwareAddress('198.51.100.77')).toBeUndefined()
  })
})
