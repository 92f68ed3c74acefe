import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { describe, expect, it } from 'vitest'
import {
  type Listeners,
  type Listening,
  listenersOfThisComputer,
  listeningAt,
  MAX_TABLE_BYTES,
  NOTHING_KNOWN,
  parseNetstatOfBsd,
  parseNetstatOfWindows,
  parseProcNet,
} from '../../../src/net/tables/listeners.ts'

const OWN = '192.168.1.20'
const OWN_IPV6 = '2001:db8:1::20'
const tcp = (port: number, address = OWN) => ({ protocol: 'TCP', address, port }) as const
const udp = (port: number, address = OWN) => ({ protocol: 'UDP', address, port }) as const
const at = (listeners: Listeners, ports: readonly number[], one: typeof tcp | typeof udp = tcp, address = OWN) =>
  ports.map((port) => textOf(listeningAt(listeners, one(port, address))))
const textOf = (listening: Listening): string =>
  listening.kind === 'elsewhere' ? `elsewhere ${listening.address}` : listening.kind

const TCP_HEAD =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode                                                     \n'
const TCP = `${TCP_HEAD}   0: 3500007F:0035 00000000:0000 0A 00000000:00000000 00:00000000 00000000   991        0 21411 1 0000000000000000 100 0 0 10 5
   1: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 24107 1 0000000000000000 100 0 0 10 0
   2: 0100007F:0277 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 27731 1 0000000000000000 100 0 0 10 0
   3: 1401A8C0:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 31337 1 0000000000000000 100 0 0 10 0
   4: 0200080A:1AE1 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 31338 1 0000000000000000 100 0 0 10 0
   5: 1401A8C0:D2F0 2271FB8E:01BB 01 00000000:00000000 02:000003F2 00000000  1000        0 40127 2 0000000000000000 22 4 30 10 -1
   6: 1401A8C0:B5D2 0101A8C0:1388 06 00000000:00000000 03:00001533 00000000     0        0 0 3 0000000000000000
`
const TCP6_HEAD =
  '  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n'
const TCP6 = `${TCP6_HEAD}   0: 00000000000000000000000000000000:63DD 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 51122 1 0000000000000000 100 0 0 10 0
   1: 00000000000000000000000001000000:0277 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 27730 1 0000000000000000 100 0 0 10 0
   2: 0000000000000000FFFF00000100007F:2384 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 51188 1 0000000000000000 100 0 0 10 0
   3: 0000000000000000FFFF00001401A8C0:2390 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 51189 1 0000000000000000 100 0 0 10 0
   4: B80D0120000001000000000020000000:208D 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 51190 1 0000000000000000 100 0 0 10 0
`
const UDP = `   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops            
  373: 00000000:CA6C 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 60001 2 0000000000000000 0         
  501: 3500007F:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000   991        0 21410 2 0000000000000000 0         
  777: 1401A8C0:9C40 08080808:0035 01 00000000:00000000 00:00000000 00000000  1000        0 60002 2 0000000000000000 0         
`

describe('the tables of Linux', () => {
  const four = parseProcNet(TCP, 'TCP', 'LE')
  const six = parseProcNet(TCP6, 'TCP', 'LE')

  it('say who listens on this address, on loopback only, on another one, and where nobody does', () => {
    expect(at(four, [22, 8080, 631, 53, 6881, 25565])).toEqual([
      'listens',
      'listens',
      'loopback-only',
      'loopback-only',
      'elsewhere 10.8.0.2',
      'nobody',
    ])
  })

  it('have connections too, which wait for nobody', () => {
    expect(at(four, [54000, 46546])).toEqual(['nobody', 'nobody'])
  })

  it('have IPv6, which may take IPv4 as well', () => {
    expect(at(six, [25565, 631, 9092, 9104])).toEqual(['listens', 'loopback-only', 'loopback-only', 'listens'])
    expect(at(six, [25565, 631, 8333, 9104], tcp, OWN_IPV6)).toEqual([
      'listens',
      'loopback-only',
      'listens',
      'elsewhere 192.168.1.20',
    ])
    expect(at(four, [22], tcp, OWN_IPV6)).toEqual(['elsewhere 0.0.0.0'])
  })

  it('say which ports of UDP are bound, and not those that are connected to one host', () => {
    const found = parseProcNet(UDP, 'UDP', 'LE')
    expect(at(found, [51820, 53, 40000], udp)).toEqual(['listens', 'loopback-only', 'nobody'])
    expect(at(found, [51820], tcp)).toEqual(['nobody'])
  })

  it('are in the byte order of the machine', () => {
    const big = TCP.replace('1401A8C0:1F90', 'C0A80114:1F90')
    expect(at(parseProcNet(big, 'TCP', 'BE'), [8080])).toEqual(['listens'])
    const bigSix = TCP6.replace('B80D0120000001000000000020000000', '20010DB8000100000000000000000020')
    expect(at(parseProcNet(bigSix, 'TCP', 'BE'), [8333], tcp, OWN_IPV6)).toEqual(['listens'])
  })

  it.each([
    ['empty', ''],
    ['something else', 'Permission denied\n'],
    ['cut off', `${TCP}${' '.repeat(MAX_TABLE_BYTES)}`],
  ])('say nothing about a port that is not there if they are %s', (_name, text) => {
    expect(at(parseProcNet(text, 'TCP', 'LE'), [25565])).toEqual(['unknown'])
  })

  it('say who listens even if they are cut off', () => {
    expect(at(parseProcNet(`${TCP}${' '.repeat(MAX_TABLE_BYTES)}`, 'TCP', 'LE'), [22])).toEqual(['listens'])
  })
})

const MACOS = `Active Internet connections (including servers)
Proto Recv-Q Send-Q  Local Address          Foreign Address        (state)    
tcp4       0      0  192.168.1.20.52214     17.57.146.152.5223     ESTABLISHED
tcp4       0      0  127.0.0.1.631          *.*                    LISTEN     
tcp6       0      0  ::1.631                *.*                    LISTEN     
tcp46      0      0  *.25565                *.*                    LISTEN     
tcp4       0      0  *.22                   *.*                    LISTEN     
tcp6       0      0  fe80::aede:48ff:.49159 *.*                    LISTEN     
tcp6       0      0  fe80::1%lo0.8021       *.*                    LISTEN     
tcp4       0      0  192.168.1.20.8080      *.*                    LISTEN     
tcp4       0      0  *.*                    *.*                    CLOSED     
tcp4       0      0  *.9999                 *.*                    CLOSED     
Active Internet connections (including servers)
Proto Recv-Q Send-Q  Local Address          Foreign Address        (state)    
udp4       0      0  *.5353                 *.*                               
udp6       0      0  *.51820                *.*                               
udp4       0      0  192.168.1.20.60413     8.8.8.8.53                        
udp4       0      0  *.*                    *.*                               
`

describe('the tables of macOS and BSD', () => {
  const found = parseNetstatOfBsd(MACOS)

  it('say who listens', () => {
    expect(at(found, [22, 25565, 8080, 631, 9999, 52214])).toEqual([
      'listens',
      'listens',
      'listens',
      'loopback-only',
      'nobody',
      'nobody',
    ])
    expect(at(found, [5353, 51820, 60413], udp)).toEqual(['listens', 'listens', 'nobody'])
    expect(at(found, [25565, 22], tcp, OWN_IPV6)).toEqual(['listens', 'elsewhere 0.0.0.0'])
  })

  it('cut long addresses off, and then it is not known', () => {
    expect(at(found, [49159, 8021])).toEqual(['unknown', 'elsewhere fe80::1'])
  })

  it('have no family in the name on OpenBSD', () => {
    const text = 'tcp          0      0  *.22                   *.*                    LISTEN\n'
    expect(at(parseNetstatOfBsd(text), [22])).toEqual(['listens'])
  })

  it.each([
    '',
    'netstat: sysctl: Operation not permitted\n',
    'Proto Recv-Q Send-Q  Local Address\n',
    'tcp        0      0 0.0.0.0:22              0.0.0.0:*               LISTEN\n',
  ])('are not known from %j', (text) => {
    expect(parseNetstatOfBsd(text)).toEqual(NOTHING_KNOWN)
  })
})

const WINDOWS = `\r
Aktive Verbindungen\r
\r
  Proto  Lokale Adresse         Remoteadresse          Status\r
  TCP    0.0.0.0:135            0.0.0.0:0              ABH\x99REN\r
  TCP    0.0.0.0:25565          0.0.0.0:0              ABH\x99REN\r
  TCP    127.0.0.1:27060        0.0.0.0:0              ABH\x99REN\r
  TCP    192.168.1.20:139       0.0.0.0:0              ABH\x99REN\r
  TCP    192.168.1.20:49731     52.97.201.226:443      HERGESTELLT\r
  TCP    [::]:445               [::]:0                 ABH\x99REN\r
  TCP    [::1]:49669            [::]:0                 ABH\x99REN\r
  TCP    [2001:db8:1::20]:8333  [::]:0                 ABH\x99REN\r
  UDP    0.0.0.0:5353           *:*                    \r
  UDP    192.168.1.20:137       *:*                    \r
  UDP    [::]:500               *:*                    \r
  UDP    [fe80::d1c7:5b3a:4a6e:9d0f%12]:1900  *:*                    \r
`

describe('the table of Windows', () => {
  it.each([
    ['German', WINDOWS],
    ['English', WINDOWS.replaceAll('ABH\x99REN', 'LISTENING').replace('HERGESTELLT', 'ESTABLISHED')],
    ['English, with the process', WINDOWS.replaceAll(/(ABH\x99REN|\*:\*) *\r/g, '$1       4711\r')],
  ])('says who listens, in %s', (_name, text) => {
    const found = parseNetstatOfWindows(text)
    expect(at(found, [135, 25565, 139, 445, 27060, 49669, 49731, 22])).toEqual([
      ...['listens', 'listens', 'listens', 'listens'],
      ...['loopback-only', 'loopback-only', 'nobody', 'nobody'],
    ])
    expect(at(found, [5353, 137, 500, 25565], udp)).toEqual(['listens', 'listens', 'listens', 'nobody'])
    expect(at(found, [1900], udp)).toEqual(['elsewhere fe80::d1c7:5b3a:4a6e:9d0f'])
    expect(at(found, [8333, 445, 135], tcp, OWN_IPV6)).toEqual(['listens', 'listens', 'elsewhere 0.0.0.0'])
  })

  it('is not known from anything else', () => {
    expect(parseNetstatOfWindows('\r\nAktive Verbindungen\r\n')).toEqual(NOTHING_KNOWN)
  })
})

describe.runIf(process.platform === 'linux')('this computer', () => {
  it('has a listener where a program listens, and none once it has ended', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0
    const open = await listenersOfThisComputer()
    expect(at(open, [port], tcp, '127.0.0.1')).toEqual(['listens'])
    expect(at(open, [port])).toEqual(['loopback-only'])
    expect(at(open, [port], udp)).toEqual(['nobody'])
    server.close()
    await once(server, 'close')
    expect(at(await listenersOfThisComputer(), [port])).toEqual(['nobody'])
  })

  it('has a bound port of UDP', async () => {
    const socket = createSocket('udp4')
    socket.bind(0, '127.0.0.1')
    await once(socket, 'listening')
    const { port } = socket.address()
    expect(at(await listenersOfThisComputer(), [port], udp)).toEqual(['loopback-only'])
    socket.close()
  })

  it('is one of which nothing is known if it has no such table', async () => {
    expect(await listenersOfThisComputer('win32')).toEqual(NOTHING_KNOWN)
  })
})
