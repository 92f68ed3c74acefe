/** Command lines -> Invocations, and command lines that cannot be obeyed -> the one line that is said about them. */
import { describe, expect, it } from 'vitest'
import type { AskedMapping, GatewayCommand } from '../../../src/cli/parse/command-table.ts'
import { type GatewayInvocation, type Invocation, parseInvocation } from '../../../src/cli/parse/invocation.ts'
import { labelOf, longOf, OPTIONS } from '../../../src/cli/parse/option-table.ts'
import { type Output, outputOf } from '../../../src/cli/parse/output-options.ts'
import type { AskedPinhole } from '../../../src/cli/parse/pinhole-words.ts'
import { UsageError } from '../../../src/cli/parse/words.ts'
import type { PortRange } from '../../../src/domain/gateway.ts'
import type { TimedPinholeRequest } from '../../../src/domain/pinhole.ts'
import type { MappingKey } from '../../../src/domain/port-mapping.ts'

/** What is asked, without the facts of the command, which have a test of their own. */
type Asked = Omit<GatewayInvocation, 'facts'>

const LIST: Asked = {
  kind: 'gateway',
  voice: 'upnpc',
  command: { name: 'list' },
  url: undefined,
  description: 'upnp-ts',
  ignoreState: false,
  emulate: false,
  quirks: [],
  search: { family: 4, anyHost: false, interface: undefined, localPort: 0, ttl: undefined, minissdpdPath: undefined },
  portControl: { via: 'auto', gateway: undefined, nonce: undefined, nonceFrom: undefined },
  discoveryTimeMs: undefined,
  timeoutMs: 60_000,
}

const EMULATE = { kind: 'emulate', address: '127.0.0.1', port: 0, externalAddress: '11.22.33.44', quirks: [] } as const

function asking(command: GatewayCommand): Asked {
  return { ...LIST, command }
}

const SSH: AskedMapping = {
  internalClient: 'local',
  internalPort: 22,
  externalPort: 22,
  protocol: 'TCP',
  lease: 'unlimited',
  remoteHost: '',
}

function mapping(...mappings: Partial<AskedMapping>[]): Asked {
  return asking({ name: 'map', any: false, mappings: mappings.map((each) => ({ ...SSH, ...each })) })
}

const WEB = { internalPort: 80, externalPort: 8080 } as const
const PINHOLE = ['-A', '', '0', '@', '22', 'TCP', '3600'] as const
const TIMEOUT = ['-G', '', '0', '@', '22', 'TCP'] as const
const HOST6 = '2001:db8::5'
const ADD_ANY = ['-n', '@', '80', '8080', 'TCP'] as const
const ADD = ['-a', '@', '80', '8080', 'TCP'] as const

type Line = readonly string[]

const GOOD: readonly (readonly [Line, Asked | Invocation])[] = [
  // the commands without words
  [['-l'], LIST],
  [['--list'], LIST],
  [['-s'], asking({ name: 'status' })],
  [['--status'], asking({ name: 'status' })],
  [['-L'], asking({ name: 'list-at-once' })],
  [['--list-at-once'], asking({ name: 'list-at-once' })],
  [['-S'], asking({ name: 'firewall-status' })],
  [['--firewall-status'], asking({ name: 'firewall-status' })],
  [['-P'], asking({ name: 'presentation' })],
  [['--presentation'], asking({ name: 'presentation' })],
  // -r
  [['-r', '22', 'TCP'], mapping(SSH)],
  [['--redirect', '22', 'tcp'], mapping(SSH)],
  [['-r', '22', 'uDp'], mapping({ protocol: 'UDP' })],
  [['-r', '80', '8080', 'TCP'], mapping(WEB)],
  [['-r', '1', '65535', 'TCP'], mapping({ internalPort: 1, externalPort: 65535 })],
  [['-r', '22', 'TCP', '80', '8080', 'UDP', '53', 'udp'], mapping(SSH, { ...WEB, protocol: 'UDP' }, dns())],
  [['-r', '22', 'TCP', '22', 'TCP'], mapping(SSH, SSH)],
  [['-r', '22', 'TCP', '-r', '53', 'UDP'], mapping(SSH, dns())],
  [['-r', '22', 'tcp+udp'], mapping(...both({}))],
  [['-r', '80', '8080', 'UDP+TCP', '53', 'UDP'], mapping(...both(WEB), dns())],
  [['-r', '22', 'TCP', '--lease', '60'], mapping({ lease: { seconds: 60 } })],
  [['--lease=60', '-r', '22', 'TCP+UDP'], mapping(...both({ lease: { seconds: 60 } }))],
  [['--lease', '0', '-r', '22', 'TCP'], mapping(SSH)],
  [['--lease', '60', '--lease', '70', '-r', '22', 'TCP'], mapping({ lease: { seconds: 70 } })],
  // -a
  [[...ADD, '1.2.3.4', '--lease', '60'], mapping({ ...WEB, lease: { seconds: 60 }, remoteHost: '1.2.3.4' })],
  [[...ADD, '', '1.2.3.4', '--lease', '60'], mapping({ ...WEB, lease: { seconds: 60 }, remoteHost: '1.2.3.4' })],
  [[...ADD, '--lease', '60'], mapping({ ...WEB, lease: { seconds: 60 } })],
  [['-a', '192.168.1.5', '80', '8080', 'TCP+UDP'], mapping(...both({ ...WEB, internalClient: '192.168.1.5' }))],
  // -n
  [ADD_ANY, mappingAny(WEB)],
  [['--add-any', '@', '80', '8080', 'tcp'], mappingAny(WEB)],
  [[...ADD_ANY, '3600', '1.2.3.4'], mappingAny({ ...WEB, lease: { seconds: 3600 }, remoteHost: '1.2.3.4' })],
  [[...ADD_ANY, '1.2.3.4'], mappingAny({ ...WEB, remoteHost: '1.2.3.4' })],
  [[...ADD_ANY, '--lease', '60'], mappingAny({ ...WEB, lease: { seconds: 60 } })],
  [['-n', '@', '80', '8080', 'TCP+UDP'], mappingAny(...both(WEB))],
  [ADD, mapping(WEB)],
  [['--add', '192.168.1.5', '80', '8080', 'udp'], mapping({ ...WEB, internalClient: '192.168.1.5', protocol: 'UDP' })],
  [['-a', '127.0.0.1', '80', '8080', 'TCP'], mapping({ ...WEB, internalClient: '127.0.0.1' })],
  [[...ADD, '3600'], mapping({ ...WEB, lease: { seconds: 3600 } })],
  [[...ADD, '0'], mapping(WEB)],
  [[...ADD, ''], mapping(WEB)],
  [[...ADD, '', ''], mapping(WEB)],
  [[...ADD, '4294967295'], mapping({ ...WEB, lease: { seconds: 4294967295 } })],
  [[...ADD, '1.2.3.4'], mapping({ ...WEB, remoteHost: '1.2.3.4' })],
  [[...ADD, '1.2.3.4', ''], mapping({ ...WEB, remoteHost: '1.2.3.4' })],
  [[...ADD, '3600', '1.2.3.4'], mapping({ ...WEB, lease: { seconds: 3600 }, remoteHost: '1.2.3.4' })],
  [[...ADD, '3600', ''], mapping({ ...WEB, lease: { seconds: 3600 } })],
  [[...ADD, '', '1.2.3.4'], mapping({ ...WEB, remoteHost: '1.2.3.4' })],
  // -d
  [['-d', '22', 'TCP'], unmapping('')],
  [['--delete', '22', 'tcp', ''], unmapping('')],
  [['-d', '22', 'TCP', '1.2.3.4'], unmapping('1.2.3.4')],
  [['-d', '22', 'TCP+UDP'], unmappingAll(2, key(22, 'UDP'), key(22, 'TCP'))],
  [['-d', '22', 'TCP+UDP', '1.2.3.4'], unmappingAll(2, key(22, 'UDP', '1.2.3.4'), key(22, 'TCP', '1.2.3.4'))],
  [['-d', '22', 'TCP', '53', 'UDP'], unmappingAll(3, key(22), key(53, 'UDP'))],
  // -f
  [['-f', '22', 'TCP'], unmappingAll(3, key(22))],
  [['--delete-several', '22', 'TCP+UDP', '53', 'udp'], unmappingAll(3, key(22, 'UDP'), key(22), key(53, 'UDP'))],
  // -N
  [['-N', '1', '100', 'TCP'], unmappingRange({})],
  [['-N', '1', '100', 'TCP', '0'], unmappingRange({})],
  [
    ['--delete-range', '80', '80', 'udp', '1'],
    unmappingRange({ startPort: 80, endPort: 80, protocol: 'UDP', manage: true }),
  ],
  [['-N', '1', '100', 'TCP+UDP'], unmappingRange({ protocol: 'UDP' }, { protocol: 'TCP' })],
  // -A
  [PINHOLE, addingPinholes({})],
  [['--add-pinhole', ...PINHOLE.slice(1)], addingPinholes({})],
  [['-6', ...PINHOLE], { ...addingPinholes({}), search: { ...LIST.search, family: 6 } }],
  ...['::', '0::0', 'empty'].map(anyRemoteHost),
  [
    ['-A', '2001:DB8::1', '65535', HOST6, '1', 'udp', '86400'],
    addingPinholes({
      remoteHost: '2001:DB8::1',
      remoteHostTyped: '2001:DB8::1',
      remotePort: 65535,
      internalClient: HOST6,
      internalPort: 1,
      protocol: 17,
      leaseSeconds: 86_400,
    }),
  ],
  [['-A', '', '0', 'fe80::1%eth0', '22', 'TCP', '1'], addingPinholes({ internalClient: 'fe80::1', leaseSeconds: 1 })],
  [['-A', '', '0', '@', '22', 'TCP+UDP', '3600'], addingPinholes({ protocol: 17 }, { protocol: 6 })],
  [['-A', '', '0', '@', '22', '132', '3600'], addingPinholes({ protocol: 132 })],
  // -U -C -K -D
  [['-U', '4711', '60'], asking({ name: 'update-pinhole', id: 4711, leaseSeconds: 60 })],
  [['--update-pinhole', '0', '4294967295'], asking({ name: 'update-pinhole', id: 0, leaseSeconds: 4_294_967_295 })],
  [['-C', '1'], asking({ name: 'check-pinholes', ids: [1] })],
  [['--check-pinhole', '1', '2', '65535'], asking({ name: 'check-pinholes', ids: [1, 2, 65_535] })],
  [['-K', '1', '1'], asking({ name: 'pinhole-packets', ids: [1, 1] })],
  [['--pinhole-packets', '7'], asking({ name: 'pinhole-packets', ids: [7] })],
  [['-D', '1', '2'], asking({ name: 'delete-pinholes', ids: [1, 2] })],
  [['--delete-pinhole', '1'], asking({ name: 'delete-pinholes', ids: [1] })],
  // -G
  [TIMEOUT, askingTimeout({})],
  [['--outbound-timeout', '', '80', HOST6, '0', 'UDP+TCP'], askingTimeout(...outbound(17), ...outbound(6))],
  // how to search
  [['-6', '-l'], searching({ family: 6 })],
  [['-l', '-6'], searching({ family: 6 })],
  [['-l6'], searching({ family: 6 })],
  [['--ipv6', '-l', '-6'], searching({ family: 6 })],
  [['-r', '22', 'TCP', '-6'], { ...mapping(SSH), search: { ...LIST.search, family: 6 } }],
  [['-m', 'eth0', '-l'], searching({ interface: 'eth0', minissdpdPath: '' })],
  [['-l', '--interface', '192.168.1.2'], searching({ interface: '192.168.1.2', minissdpdPath: '' })],
  [['-m', 'eth0', '-p', '/run/x', '-l'], searching({ interface: 'eth0', minissdpdPath: '/run/x' })],
  [['-p', '', '-l'], searching({ minissdpdPath: '' })],
  [['--any-host', '-l'], searching({ anyHost: true })],
  [['-l', '--minissdpd', '/run/x'], searching({ minissdpdPath: '/run/x' })],
  [['-z', '0', '-l'], LIST],
  [['-z', '1', '-l'], searching({ localPort: 1900 })],
  [['-l', '--local-port', '1024'], searching({ localPort: 1024 })],
  [['-z', '65535', '-l'], searching({ localPort: 65_535 })],
  [['-t', '0', '-l'], searching({ ttl: 0 })],
  [['-l', '--ttl', '255'], searching({ ttl: 255 })],
  // options: before, after, repeated, glued
  [['-i', '-l'], { ...LIST, ignoreState: true }],
  [['-l', '-i', '-i'], { ...LIST, ignoreState: true }],
  [['-il'], { ...LIST, ignoreState: true }],
  [['--ignore', '--list'], { ...LIST, ignoreState: true }],
  [['-e', 'my web', '-r', '22', 'TCP'], { ...mapping(SSH), description: 'my web' }],
  [['-r', '22', 'TCP', '-e', 'my web'], { ...mapping(SSH), description: 'my web' }],
  [['-r', '22', 'TCP', '--description=x=y'], { ...mapping(SSH), description: 'x=y' }],
  [['-e', '', '-r', '22', 'TCP'], { ...mapping(SSH), description: '' }],
  [['-e', 'a', '-l', '-e', 'b'], { ...LIST, description: 'b' }],
  [['-e', '-h', '-l'], { ...LIST, description: '-h' }],
  [['-e', `a'<&>"\u00fc\u{1f600}`, '-l'], { ...LIST, description: `a'<&>"\u00fc\u{1f600}` }],
  [['-e', 'x'.repeat(1024), '-l'], { ...LIST, description: 'x'.repeat(1024) }],
  [['-u', 'http://192.168.1.1:5000/r.xml', '-l'], { ...LIST, url: 'http://192.168.1.1:5000/r.xml' }],
  [['-l', '--url', 'HTTP://router.lan'], { ...LIST, url: 'HTTP://router.lan' }],
  [['-l', '-u', 'http://[fe80::1]:80/a?b'], { ...LIST, url: 'http://[fe80::1]:80/a?b' }],
  [['-u', 'http://a/', '-l', '-u', 'http://b/'], { ...LIST, url: 'http://b/' }],
  [['--emulate', '-l'], { ...LIST, emulate: true }],
  [['-r', '22', 'TCP', '--emulate'], { ...mapping(SSH), emulate: true }],
  [['--emulate', '--quirk', 'igd1', '-l'], { ...LIST, emulate: true, quirks: [{ name: 'igd1' }] }],
  [
    ['-l', '--quirk=late-search=300', '--emulate', '--quirk', 'refuse=AddPortMapping:718'],
    {
      ...LIST,
      emulate: true,
      quirks: [
        { name: 'late-search', delayMs: 300 },
        { name: 'refuse', operation: 'AddPortMapping', code: 718 },
      ],
    },
  ],
  [['-r', '22', 'TCP', '--json'], mapping(SSH)],
  [['--json', '-l'], LIST],
  [['--quiet', '-l'], LIST],
  [['-l', '--verbose'], LIST],
  [['--quiet', '--json', '-l'], LIST],
  [['-l', '--verbose', '--json'], LIST],
  [['-q', '-l'], LIST],
  [['-lv'], LIST],
  [['-l', '--color', 'never'], LIST],
  [['--color=always', 'emulate'], EMULATE],
  [['-l', '--timeout', '1'], { ...LIST, timeoutMs: 1 }],
  [['--timeout=86400000', '-l'], { ...LIST, timeoutMs: 86_400_000 }],
  [['-l', '--timeout', '5', '--timeout', '6'], { ...LIST, timeoutMs: 6 }],
  [['-l', '--discovery-time', '2000'], { ...LIST, discoveryTimeMs: 2000, timeoutMs: 62_000 }],
  [['-l', '--compat', '2.1'], LIST],
  [['-l', '--compat=2.3.3'], LIST],
  // help and version win over everything else
  [['-h'], { kind: 'help' }],
  [['--help'], { kind: 'help' }],
  [['-l', '-h'], { kind: 'help', about: '-l' }],
  [['-V', '-h'], { kind: 'help' }],
  [['-r', '-h'], { kind: 'help', about: '-r' }],
  [['-r', '22', '--help'], { kind: 'help', about: '-r' }],
  [['-a', '--help'], { kind: 'help', about: '-a' }],
  [['-h', '--bad'], { kind: 'help' }],
  [['--bad', 'word', '-h'], { kind: 'help' }],
  [['-h', 'word'], { kind: 'help' }],
  [['-V'], { kind: 'version' }],
  [['--version'], { kind: 'version' }],
  [['-l', '-V'], { kind: 'version' }],
  // emulate
  [['emulate'], EMULATE],
  [['emulate', '--json'], EMULATE],
  [['--json', 'emulate'], EMULATE],
  [['emulate', '--port', '5000'], { ...EMULATE, port: 5000 }],
  [['emulate', '--port', '0'], EMULATE],
  [['emulate', '--port=1', '--port=2'], { ...EMULATE, port: 2 }],
  [['emulate', '--address', '192.168.1.2'], { ...EMULATE, address: '192.168.1.2' }],
  [['emulate', '--external-address', '10.0.0.1'], { ...EMULATE, externalAddress: '10.0.0.1' }],
  [['emulate', '--quirk', 'igd1'], { ...EMULATE, quirks: [{ name: 'igd1' }] }],
  [
    ['--quirk', 'refuse=map-udp:4:2', 'emulate', '--quirk', 'igd1'],
    { ...EMULATE, quirks: [{ name: 'refuse', operation: 'map-udp', code: 4, times: 2 }, { name: 'igd1' }] },
  ],
  [['emulate', '-h'], { kind: 'help', about: 'emulate' }],
  [['-h', 'emulate'], { kind: 'help', about: 'emulate' }],
  [['open', '-h'], { kind: 'help', about: 'open' }],
  [['--via', 'pcp', 'open', '22', '--help'], { kind: 'help', about: 'open' }],
  [['-ilr22', '-h'], { kind: 'help', about: '-l' }],
  [['--redirect=22', '-h'], { kind: 'help', about: '-r' }],
  [['-e', 'open', '-h'], { kind: 'help' }],
  [['help'], { kind: 'help' }],
  [['help', '--json'], { kind: 'help' }],
  [['help', 'open', '--json'], { kind: 'help', about: 'open' }],
  [['help', '-r'], { kind: 'help', about: '-r' }],
  [['help', '-h'], { kind: 'help' }],
  [['completion', 'bash'], { kind: 'completion', shell: 'bash' }],
  [['completion', '-h'], { kind: 'help', about: 'completion' }],
  [['emulate', '-V'], { kind: 'version' }],
]

function dns(): Partial<AskedMapping> {
  return { internalPort: 53, externalPort: 53, protocol: 'UDP' }
}

function unmapping(remoteHost: string): Asked {
  return unmappingAll(2, key(22, 'TCP', remoteHost))
}

function key(externalPort: number, protocol: 'TCP' | 'UDP' = 'TCP', remoteHost = ''): MappingKey {
  return { externalPort, protocol, remoteHost }
}

function unmappingAll(exitCodeOfFailure: 2 | 3, ...keys: MappingKey[]): Asked {
  return asking({ name: 'unmap', keys, exitCodeOfFailure })
}

/** The same port for UDP and then, bound to it, for TCP. */
function both(common: Partial<AskedMapping>): Partial<AskedMapping>[] {
  return [
    { ...common, protocol: 'UDP' },
    { ...common, protocol: 'TCP', pairedWithPrevious: true },
  ]
}

function mappingAny(...mappings: Partial<AskedMapping>[]): Asked {
  return asking({ name: 'map', any: true, mappings: mappings.map((each) => ({ ...SSH, ...each })) })
}

function searching(search: Partial<Asked['search']>): Asked {
  return { ...LIST, search: { ...LIST.search, ...search } }
}

function unmappingRange(...ranges: Partial<PortRange>[]): Asked {
  const range: PortRange = { startPort: 1, endPort: 100, protocol: 'TCP', manage: false }
  return asking({ name: 'unmap-ranges', ranges: ranges.map((each) => ({ ...range, ...each })) })
}

function pinhole(changes: Partial<AskedPinhole> = {}): AskedPinhole {
  const ports = { remotePort: 0, internalPort: 22 }
  return { remoteHost: '', remoteHostTyped: '', internalClient: 'local', protocol: 6, ...ports, ...changes }
}

function addingPinholes(...pinholes: Partial<AskedPinhole & TimedPinholeRequest>[]): Asked {
  const timed = pinholes.map((each, at) => {
    const paired = at === 0 ? {} : { pairedWithPrevious: true as const }
    return { ...pinhole(each), leaseSeconds: each.leaseSeconds ?? 3600, ...paired }
  })
  return asking({ name: 'add-pinholes', pinholes: timed })
}

function askingTimeout(...pinholes: Partial<AskedPinhole>[]): Asked {
  return asking({ name: 'outbound-timeout', pinholes: pinholes.map(pinhole) })
}

describe('a command line becomes an invocation', () => {
  it.each(GOOD)('%j', (argv, expected) => {
    const { facts: _, ...asked } = { facts: undefined, ...parseInvocation(argv) }
    expect(asked).toEqual(expected)
  })
})

function anyRemoteHost(word: string): [Line, Asked] {
  return [['-A', word, ...PINHOLE.slice(2)], addingPinholes({ remoteHostTyped: word })]
}

function outbound(protocol: number): Partial<AskedPinhole>[] {
  return [{ remotePort: 80, internalClient: HOST6, internalPort: 0, protocol }]
}

const URL_FORM = "is not the http:// URL of a router's description, such as http://192.168.1.1:5000/rootDesc.xml"
const PORT_FORM = 'give a number from 1 to 65535'
const BOTH_FORM = 'the port comes before its protocol, and TCP+UDP is both: 22 TCP, 53 TCP+UDP'
const FOR_THIS_ONE = '-r PORT PROTOCOL opens a port for this computer'
const ONCE_FOR_EACH = 'for more, run it once for each'
const ANY_PORT_FORM = 'external port 0 (any port) works only with --via pcp or --via nat-pmp'
const PROTOCOL_FORM = 'give TCP, UDP or TCP+UDP'
const CLIENT_FORM = 'is not the IPv4 address of a computer: give one such as 192.168.1.5, or @ for this computer'
const REMOTE_FORM = 'is not the IPv4 address of a remote host: leave it out, or give "", for any'
const ADD_FORM = 'IP PORT EXTERNAL_PORT PROTOCOL [LEASE] [REMOTE_HOST]'
const DELETE_FORM = 'EXTERNAL_PORT PROTOCOL [REMOTE_HOST]'
const LEASE_FORM = 'is not a lease in seconds: give a number from 0 to 4294967295'
const MS_FORM = 'is not a time in milliseconds: give a number from 1 to 86400000'
const RANGE_FORM = 'FIRST_PORT LAST_PORT PROTOCOL [MANAGE]'
const PINHOLE_FORM = 'REMOTE_IP REMOTE_PORT INTERNAL_IP INTERNAL_PORT PROTOCOL LEASE'
const TIMEOUT_FORM = 'REMOTE_IP REMOTE_PORT INTERNAL_IP INTERNAL_PORT PROTOCOL'
const PINHOLE_LEASE_FORM = 'is not a lease in seconds: give a number from 1 to 4294967295'
const ID_FORM = 'is not a pinhole ID: give a number from 0 to 65535'
const CLIENT6_FORM = 'is not the IPv6 address of a computer: give one, or @ for this computer'
const REMOTE6_FORM = 'is not the address of a remote host: give "" for any'
const COMMAND_FORM = 'is not a command; upnp-ts -h shows all of them'
const FOLLOW_FORM = 'has to follow it directly, with no option in between'

const BAD: readonly (readonly [Line, string])[] = [
  // ports
  [['-r', '0', 'TCP'], `-r: '0' is not a port: ${PORT_FORM}`],
  [['-r', '22', '0', 'TCP'], `-r: ${ANY_PORT_FORM}`],
  [['-r', '65536', 'TCP'], `-r: '65536' is not a port: ${PORT_FORM}`],
  [['-r', '99999999999', 'TCP'], `-r: '99999999999' is not a port: ${PORT_FORM}`],
  [['-r', '9'.repeat(40), 'TCP'], `-r: '${'9'.repeat(40)}' is not a port: ${PORT_FORM}`],
  [['-r', '-5', 'TCP'], `-r: '-5' is not a port: ${PORT_FORM}`],
  [['-r', '22', '-5', 'TCP'], `-r: '-5' is not an external port: ${PORT_FORM}`],
  [['-r', '22x', 'TCP'], `-r: '22x' is not a port: ${PORT_FORM}`],
  [['-r', '22', '22x', 'TCP'], `-r: '22x' is not an external port: ${PORT_FORM}`],
  [['-r', '2 2', 'TCP'], `-r: '2 2' is not a port: ${PORT_FORM}`],
  [['-r', '0x16', 'TCP'], `-r: '0x16' is not a port: ${PORT_FORM}`],
  [['-r', '1e3', 'TCP'], `-r: '1e3' is not a port: ${PORT_FORM}`],
  [['-r', '22.0', 'TCP'], `-r: '22.0' is not a port: ${PORT_FORM}`],
  [['-r', '\u0662\u0662', 'TCP'], `-r: '\u0662\u0662' is not a port: ${PORT_FORM}`],
  [['-r', 'ssh', 'TCP'], `-r: 'ssh' is not a port: ${PORT_FORM}`],
  [['-r', '', 'TCP'], `-r: '' is not a port: ${PORT_FORM}`],
  [['-r', 'TCP', '22'], `-r: 'TCP' is not a port: ${BOTH_FORM}`],
  [['-r', '22', 'TCP', 'x', 'y'], `-r: 'x' is not a port: ${PORT_FORM}`],
  [['-r', '22', 'TCP', '0', 'UDP'], `-r: '0' is not a port: ${PORT_FORM}`],
  [['-r', '--emulate', '22', 'TCP'], `-r: '--emulate' stands where a number should be: put it before -r or at the end`],
  [['-a', '@', '0', '8080', 'TCP'], `-a: '0' is not a port: ${PORT_FORM}`],
  [['-a', '@', '80', '0', 'TCP'], `-a: ${ANY_PORT_FORM}`],
  [['-n', '@', '80', '0', 'TCP'], `-n: ${ANY_PORT_FORM}`],
  [['-d', '0', 'TCP'], `-d: '0' is not an external port: ${PORT_FORM}`],
  [['-d', 'TCP', '22'], `-d: 'TCP' is not an external port: ${BOTH_FORM}`],
  // protocols
  [['-r', '22', 'TCP junk'], `-r: 'TCP junk' is not a protocol: ${PROTOCOL_FORM}`],
  [['-r', '22', 'sctp'], `-r: 'sctp' is not a protocol: ${PROTOCOL_FORM}`],
  [['-r', '22', ''], `-r: '' is not a protocol: ${PROTOCOL_FORM}`],
  [['-r', '22', '80', '90', 'TCP'], `-r: '90' is not a protocol: ${PROTOCOL_FORM}`],
  [['-a', '@', '80', '8080', 'both'], `-a: 'both' is not a protocol: ${PROTOCOL_FORM}`],
  [['-d', '22', 'x'], `-d: 'x' is not a protocol: ${PROTOCOL_FORM}`],
  [['-r', '22'], '-r: the protocol is missing after 22: add TCP or UDP'],
  [['-r', '22', '80'], '-r: the protocol is missing after 80: add TCP or UDP'],
  [['-r', '22', 'TCP', '81'], '-r: the protocol is missing after 81: add TCP or UDP'],
  // addresses
  ...['0.0.0.0', '0.1.2.3', '224.0.0.1', '239.255.255.250', '255.255.255.255', 'nas', 'nas.lan', '010.1.1.1'].map(
    badIp,
  ),
  ...['fe80::1', '::ffff:1.2.3.4', '[::1]', '', '192.168.1', '192.168.1.256', '3232235777', ' 1.2.3.4', '@@'].map(
    badIp,
  ),
  ...['0.0.0.0', '224.0.0.1', '255.255.255.255', 'example.org', '010.1.1.1', '2001:db8::1'].map(badRemoteHost),
  [['-d', '22', 'TCP', '0.0.0.0'], `-d: '0.0.0.0' ${REMOTE_FORM}`],
  [['-d', '22', 'TCP', 'any'], `-d: 'any' ${REMOTE_FORM}`],
  // leases
  [[...ADD, '4294967296'], `-a: '4294967296' ${LEASE_FORM}`],
  [[...ADD, '9'.repeat(30)], `-a: '${'9'.repeat(30)}' ${LEASE_FORM}`],
  [[...ADD, '-5'], `-a: '-5' ${LEASE_FORM}`],
  [[...ADD, '1h'], `-a: '1h' ${REMOTE_FORM}`],
  [[...ADD, '1.2.3.4', '3600'], `-a: '1.2.3.4' ${LEASE_FORM}`],
  [[...ADD, '3600', '5'], `-a: '5' ${REMOTE_FORM}`],
  [[...ADD, '60', '--lease', '60'], '-a: the lease is given twice: 60 and --lease'],
  [[...ADD_ANY, '0', '--lease', '60'], '-n: the lease is given twice: 0 and --lease'],
  [['-r', '22', 'TCP', '--lease', '-1'], `--lease: '-1' ${LEASE_FORM}`],
  [['-r', '22', 'TCP', '--lease', '1h'], `--lease: '1h' ${LEASE_FORM}`],
  [['-l', '--lease', '60'], '--lease goes with -r, -a and -n, not with -l'],
  [[...PINHOLE, '--lease', '60'], '--lease goes with -r, -a and -n, not with -A'],
  // negative numbers, beside which there is an option -6
  [['-6', '-r', '-5', 'TCP'], `-r: '-5' is not a port: ${PORT_FORM}`],
  [['-r', '22', '-5', 'TCP', '-6'], `-r: '-5' is not an external port: ${PORT_FORM}`],
  [['-r', '22', '-65', 'TCP'], `-r: '-65' is not an external port: ${PORT_FORM}`],
  [['-r', '22', 'TCP', '-80', 'TCP'], `-r: '-80' is not a port: ${PORT_FORM}`],
  [['-a', '@', '-80', '8080', 'TCP'], `-a: '-80' is not a port: ${PORT_FORM}`],
  [['-n', '@', '80', '-1', 'TCP'], `-n: '-1' is not an external port: ${PORT_FORM}`],
  [['-d', '-22', 'TCP'], `-d: '-22' is not an external port: ${PORT_FORM}`],
  [['-f', '22', 'TCP', '-53', 'UDP'], `-f: '-53' is not an external port: ${PORT_FORM}`],
  [['-N', '1', '-100', 'TCP'], "-N: '-100' is not a last port: give a number from 1 to 65535"],
  [['-A', '', '-1', '@', '22', 'TCP', '60'], "-A: '-1' is not a remote port: give a number from 0 to 65535"],
  [['-A', '', '0', '@', '22', 'TCP', '-60'], `-A: '-60' ${PINHOLE_LEASE_FORM}`],
  [['-D', '-1'], `-D: '-1' ${ID_FORM}`],
  [['-C', '1', '-2'], `-C: '-2' ${ID_FORM}`],
  [['-U', '1', '-5'], `-U: '-5' ${PINHOLE_LEASE_FORM}`],
  [['-t', '-1', '-l'], "-t: '-1' is not a time to live: give a number from 0 to 255"],
  // closing several, and ranges
  [['-d', '22', 'TCP', '80'], '-d: the protocol is missing after 80: add TCP or UDP'],
  [['-d', '22', 'TCP', '80', 'x'], `-d: 'x' is not a protocol: ${PROTOCOL_FORM}`],
  [['-d', '22', 'TCP', 'x', 'TCP'], `-d: 'x' is not an external port: ${PORT_FORM}`],
  [['-f', '22'], '-f: the protocol is missing after 22: add TCP or UDP'],
  [['-f', '22', 'TCP', '80'], '-f: the protocol is missing after 80: add TCP or UDP'],
  [['-f', 'ssh'], `-f: 'ssh' is not an external port: ${PORT_FORM}`],
  [['-f', '22', 'TCP', '1.2.3.4'], `-f: '1.2.3.4' is not an external port: leave the address out`],
  [['-f', '0', 'TCP'], `-f: '0' is not an external port: ${PORT_FORM}`],
  [['-f', '22', ''], `-f: '' is not a protocol: ${PROTOCOL_FORM}`],
  [['-N', '0', '100', 'TCP'], `-N: '0' is not a first port: ${PORT_FORM}`],
  [['-N', '100', '1', 'TCP'], "-N: '1' is not a last port: give a number from 100 to 65535"],
  [['-N', '1', '65536', 'TCP'], `-N: '65536' is not a last port: ${PORT_FORM}`],
  [['-N', '1', '100', 'sctp'], `-N: 'sctp' is not a protocol: ${PROTOCOL_FORM}`],
  [['-N', '1', '100', 'TCP', 'yes'], "-N: 'yes' is not a value for MANAGE: give a number from 0 to 1"],
  [['-N', '1', '100'], `-N takes ${RANGE_FORM}; 2 words were given; a range is two words here`],
  [['-N', '1', '100', 'TCP', '0', 'x'], `-N takes ${RANGE_FORM}; 5 words were given; ${ONCE_FOR_EACH}`],
  // pinholes
  ...['::', 'ff02::1', '::g', 'nas', '', '[2001:db8::5]'].map(badClient6),
  ...['*', 'any', 'ff02::1', '2001:db8::1%eth0', '0.0.0.0', '[::1]', '2001:db8::/32'].map(badRemoteHost6),
  [['-A', '', '65536', '@', '22', 'TCP', '60'], "-A: '65536' is not a remote port: give a number from 0 to 65535"],
  [['-A', '', '0', '@', 'ssh', 'TCP', '60'], "-A: 'ssh' is not an internal port: give a number from 0 to 65535"],
  [['-A', '', '0', '@', '22', 'TCP junk', '60'], `-A: 'TCP junk' is not a protocol: ${PROTOCOL_FORM}`],
  [['-A', '', '0', '@', '22', '0', '60'], "-A: '0' is not a protocol number: give a number from 1 to 65535"],
  [['-A', '', '0', '@', '22', '17abc', '60'], `-A: '17abc' is not a protocol: ${PROTOCOL_FORM}`],
  [['-A', '', '0', '@', '22', 'TCP', '0'], `-A: '0' ${PINHOLE_LEASE_FORM}`],
  [['-A', '', '0', '@', '22', 'TCP', ''], `-A: '' ${PINHOLE_LEASE_FORM}`],
  [['-A', '', '0', '@', '22', 'TCP'], `-A takes ${PINHOLE_FORM}; 5 words were given`],
  [['-G', '', '0', '@', '22', 'TCP', '60'], `-G takes ${TIMEOUT_FORM}; 6 words were given; ${ONCE_FOR_EACH}`],
  [['-G', '', '0', '@', '22', 'x'], `-G: 'x' is not a protocol: ${PROTOCOL_FORM}`],
  [['-U', '1'], '-U takes ID LEASE; 1 word was given'],
  [['-U', '1', '60', '70'], `-U takes ID LEASE; 3 words were given; ${ONCE_FOR_EACH}`],
  [['-U', 'x', '60'], `-U: 'x' ${ID_FORM}`],
  [['-U', '1', '0'], `-U: '0' ${PINHOLE_LEASE_FORM}`],
  [['-C', '1', '65536'], `-C: '65536' ${ID_FORM}`],
  [['-K', ''], `-K: '' ${ID_FORM}`],
  [['-D', '1', 'all'], `-D: 'all' ${ID_FORM}`],
  [['-C', 'TCP:[2001:db8::5]:22'], `-C: 'TCP:[2001:db8::5]:22' ${ID_FORM}`],
  // how to search
  [['-m', '', '-l'], '-m takes the name or an address of an interface of this computer'],
  ...['2', '1023', '65536', '-1', '+5', ' 5', '5 ', 'abc', ''].map(badLocalPort),
  [['-t', '256', '-l'], "-t: '256' is not a time to live: give a number from 0 to 255"],
  [['-t', 'abc', '-l'], "-t: 'abc' is not a time to live: give a number from 0 to 255"],
  // how many words
  [['-a', '1', '2', '3'], `-a takes ${ADD_FORM}; 3 words were given; ${FOR_THIS_ONE}`],
  [['-a', '@'], `-a takes ${ADD_FORM}; 1 word was given; ${FOR_THIS_ONE}`],
  [[...ADD, '5', '1.2.3.4', '7'], `-a takes ${ADD_FORM}; 7 words were given; ${ONCE_FOR_EACH}`],
  [['-d', '22'], '-d: the protocol is missing after 22: add TCP or UDP'],
  [['-d', '22', 'TCP', '1.2.3.4', 'x'], `-d takes ${DELETE_FORM}; 4 words were given; ${ONCE_FOR_EACH}`],
  [['-r'], 'nothing follows -r; it takes PORT [EXTERNAL_PORT] PROTOCOL ...'],
  [['-a'], `nothing follows -a; it takes ${ADD_FORM}`],
  [['-d'], `nothing follows -d; it takes ${DELETE_FORM}`],
  [[...ADD_ANY, '5', '1.2.3.4', '7'], `-n takes ${ADD_FORM}; 7 words were given; ${ONCE_FOR_EACH}`],
  [['-n'], `nothing follows -n; it takes ${ADD_FORM}`],
  [['-N'], `nothing follows -N; it takes ${RANGE_FORM}`],
  [['-A'], `nothing follows -A; it takes ${PINHOLE_FORM}`],
  [['-U'], 'nothing follows -U; it takes ID LEASE'],
  [['-C'], 'nothing follows -C; it takes ID ...'],
  [['-K'], 'nothing follows -K; it takes ID ...'],
  [['-D'], 'nothing follows -D; it takes ID ...'],
  [['-G'], `nothing follows -G; it takes ${TIMEOUT_FORM}`],
  // options without their value
  [['-l', '-m'], 'nothing follows -m; it takes the name or an address of an interface'],
  [['-l', '-z'], 'nothing follows -z; it takes a port number'],
  [['-l', '-t'], 'nothing follows -t; it takes a number from 0 to 255'],
  [['-l', '-p'], 'nothing follows -p; it takes the path of a socket'],
  [['-r', '22', 'TCP', '--lease'], 'nothing follows --lease; it takes a number of seconds'],
  [['-u'], "nothing follows -u; it takes the URL of a router's description"],
  [['-l', '-e'], 'nothing follows -e; it takes a text'],
  [['-r', '22', 'TCP', '--description'], 'nothing follows -e; it takes a text'],
  [['-l', '--timeout'], 'nothing follows --timeout; it takes a number of milliseconds'],
  [['-l', '--discovery-time'], 'nothing follows --discovery-time; it takes a number of milliseconds'],
  [['-l', '--compat'], 'nothing follows --compat; it takes 2.1 or 2.3.3'],
  [['emulate', '--port'], 'nothing follows --port; it takes a number'],
  [['emulate', '--quirk'], 'nothing follows --quirk; it takes a quirk and its value'],
  [['emulate', '--address'], 'nothing follows --address; it takes an IPv4 address'],
  [['emulate', '--external-address'], 'nothing follows --external-address; it takes an IPv4 address'],
  // -u
  ...['foo', '', '-l', 'ftp://x/', '192.168.1.1:5000', 'http://1.2.3.4:0/', 'http://1.2.3.4:99999/', 'http://'].map(
    badUrl,
  ),
  [['-l', '-u', 'https://1.2.3.4/x'], "-u: 'https://1.2.3.4/x' has to begin with http://, not https://"],
  [['-l', '-u', 'http://user@1.2.3.4/'], '-u: leave the user name and the password out of the URL'],
  [['-l', '-u', 'http://:secret@1.2.3.4/'], '-u: leave the user name and the password out of the URL'],
  [['--emulate', '-l', '-u', 'http://1.2.3.4/'], '--emulate brings its own gateway: leave out -u'],
  // the other options
  [['-l', '-e', 'a\x1b[31m'], '-e: the description has control characters'],
  [['-l', '-e', 'a\uffff'], '-e: the description has control characters'],
  [['-l', '-e', 'x'.repeat(1025)], '-e: the description is longer than 1024 characters'],
  [['-l', '--timeout', '0'], `--timeout: '0' ${MS_FORM}`],
  [['-l', '--timeout', 'abc'], `--timeout: 'abc' ${MS_FORM}`],
  [['-l', '--timeout', '1.5'], `--timeout: '1.5' ${MS_FORM}`],
  [['-l', '--timeout=86400001'], `--timeout: '86400001' ${MS_FORM}`],
  [['-l', '--discovery-time', '-1'], `--discovery-time: '-1' ${MS_FORM}`],
  [
    ['-l', '--discovery-time', '5000', '--timeout', '5000'],
    '--discovery-time has to be shorter than --timeout, which is for the whole command',
  ],
  [['-l', '--compat', '9'], "--compat: '9' is not a version of upnpc that upnp-ts can imitate: give 2.1 or 2.3.3"],
  [['-l', '--color', 'red'], "--color: 'red' is not understood: give auto, always or never"],
  [['emulate', '--color='], "--color: '' is not understood: give auto, always or never"],
  [['-l', '--color'], 'nothing follows --color; it takes auto, always or never'],
  // commands
  [['-l', '-s'], '-l and -s: one command at a time'],
  [['-ls'], '-l and -s: one command at a time'],
  [['-r', '22', 'TCP', '-d', '22', 'TCP'], '-r and -d: one command at a time'],
  [['-lL'], '-l and -L: one command at a time'],
  [['-s', '-S'], '-s and -S: one command at a time'],
  [['-f', '22', 'TCP', '-d', '22', 'TCP'], '-d and -f: one command at a time'],
  [['-l', '--quirk', 'igd1'], '--quirk goes with emulate and --emulate'],
  [['-l', '--quiet', '--verbose'], '--quiet and --verbose: one of the two at a time'],
  [['-l', 'emulate'], '-l and emulate: one command at a time'],
  [['open', '-r', '22', 'TCP'], 'open and -r: one command at a time; -r is the letter for open'],
  [['open', '-l'], 'open and -l: one command at a time'],
  [['help', 'open', 'close'], 'help is about one word at a time'],
  [['completion'], 'nothing follows completion; it takes bash, zsh or fish'],
  [['completion', 'csh'], "completion does not know the shell 'csh'; it takes bash, zsh or fish"],
  [['completion', 'zsh', 'bash'], "'bash' is not understood: completion takes one word"],
  [['emulate', '-P'], '-P and emulate: one command at a time'],
  // words that nobody takes
  [['foo'], `'foo' ${COMMAND_FORM}`],
  [['-'], `'-' ${COMMAND_FORM}`],
  [[''], `'' ${COMMAND_FORM}`],
  [['-l', 'foo'], "'foo' is not understood: -l does not take it"],
  [['-L', 'foo'], "'foo' is not understood: -L does not take it"],
  [['-S', '1'], "'1' is not understood: -S does not take it"],
  [['-l', ''], "'' is not understood: -l does not take it"],
  [['-r22', 'TCP'], `'TCP' is not understood: what -r takes ${FOLLOW_FORM}`],
  [['-r', '22', '--json', 'TCP'], `'TCP' is not understood: what -r takes ${FOLLOW_FORM}`],
  [['22', 'TCP', '-r'], 'nothing follows -r; it takes PORT [EXTERNAL_PORT] PROTOCOL ...'],
  [['-r', '22', 'TCP', '-e', 'my', 'web'], `'web' is not understood; a description of several words needs quotes`],
  [['emulate', 'x'], "'x' is not understood: emulate does not take it"],
  [['emulate', '--timeout', '5'], "'--timeout' is not understood: emulate does not take it"],
  [['emulate', '--quiet'], "'-q' is not understood: emulate does not take it"],
  [['-6', 'emulate'], "'-6' is not understood: emulate does not take it"],
  [['-i', 'emulate'], "'-i' is not understood: emulate does not take it"],
  [['--emulate', 'emulate'], "'--emulate' is not understood: emulate does not take it"],
  // switches that do not exist
  [['-x'], 'Unknown switch -x; upnp-ts -h shows all of them'],
  [['-lx'], 'Unknown switch -x; upnp-ts -h shows all of them'],
  [['-5'], 'Unknown switch -5; upnp-ts -h shows all of them'],
  [['-l', '-5'], 'Unknown switch -5; upnp-ts -h shows all of them'],
  [['-l', '-65'], 'Unknown switch -5; upnp-ts -h shows all of them'],
  [['emulate', '-5'], 'Unknown switch -5; upnp-ts -h shows all of them'],
  [['--foo=bar'], 'Unknown switch --foo; upnp-ts -h shows all of them'],
  [['-l', '--timout', '5'], 'Unknown switch --timout; did you mean --timeout?'],
  [['--color', 'never', 'help'], 'help comes first, before all options'],
  [['--json', 'service', 'systemd', '--', 'open', '22', '--keep'], 'service comes first, before all options'],
  [['--json=1', '-l'], '--json does not take a value'],
  [['--help=1'], '--help does not take a value'],
  // emulate
  ...[
    '',
    'igd2',
    'igd1=',
    'late-search',
    'late-search=x',
    'late-search=-1',
    'refuse=MAP',
    'refuse=MAP:x',
    'refuse=:1:1',
  ].map((quirk): [Line, string] => [
    ['emulate', '--quirk', quirk],
    `--quirk: '${quirk}' is not a quirk: there are igd1, late-search=MS and refuse=ACTION:CODE[:TIMES]`,
  ]),
  [['emulate', '--port', '65536'], "--port: '65536' is not a port: give a number from 0 to 65535"],
  [['emulate', '--port', '-1'], "--port: '-1' is not a port: give a number from 0 to 65535"],
  [
    ['emulate', '--address', '0.0.0.0'],
    "--address: '0.0.0.0' is not the IPv4 address of a computer: give one such as 192.168.1.5",
  ],
  [
    ['emulate', '--external-address', 'x'],
    "--external-address: 'x' is not the IPv4 address of a computer: give one such as 192.168.1.5",
  ],
]

function badIp(word: string): [Line, string] {
  return [['-a', word, '80', '8080', 'TCP'], `-a: '${word}' ${CLIENT_FORM}`]
}

function badRemoteHost(word: string): [Line, string] {
  return [[...ADD, '0', word], `-a: '${word}' ${REMOTE_FORM}`]
}

function badClient6(word: string): [Line, string] {
  return [['-A', '', '0', word, '22', 'TCP', '60'], `-A: '${word}' ${CLIENT6_FORM}`]
}

function badRemoteHost6(word: string): [Line, string] {
  return [['-G', word, '0', '@', '22', 'TCP'], `-G: '${word}' ${REMOTE6_FORM}`]
}

function badLocalPort(word: string): [Line, string] {
  const takes = '-z takes 0 for any, 1 for 1900, or a number from 1024 to 65535'
  return [['-z', word, '-l'], `Invalid localport '${word}': ${takes}`]
}

function badUrl(word: string): [Line, string] {
  return [['-u', word], `-u: '${word}' ${URL_FORM}`]
}

describe('a command line that cannot be obeyed is answered with one line', () => {
  it.each(BAD)('%j', (argv, message) => {
    const error = errorOf(argv)
    expect(error.message).toBe(message)
    expect(error.withUsage).toBe(false)
  })

  it.each(BAD)('%j: the line names the command to try next, complete and to copy', (argv) => {
    const { line } = errorOf(argv)
    const command = /(?:: |; )upnp-ts ((?:[^;:]|:[^ ])*?)(?: shows all of them)?$/.exec(line)?.[1] ?? `none: ${line}`
    const words = [...command.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
      (found) => found[1] ?? found[2] ?? found[3] ?? '',
    )
    expect(() => parseInvocation(words)).not.toThrow()
  })

  it.each([[[]], [['-e', 'x']], [['-u', 'http://127.0.0.1/']], [['--json']], [['--']]] as Line[][])(
    'and with the usage text where there is no command: %j',
    (argv) => {
      const error = errorOf(argv)
      expect(error.message).toBe('no command was given; try: upnp-ts open 25565')
      expect(error.withUsage).toBe(true)
    },
  )
})

function errorOf(argv: Line): UsageError {
  try {
    parseInvocation(argv)
  } catch (error) {
    if (error instanceof UsageError) return error
    throw error
  }
  throw new Error('it was obeyed')
}

describe('how to print is known before the rest has been judged', () => {
  it.each<[Line, Partial<Output>]>([
    [['-l'], {}],
    [['--json', '-l'], { json: true }],
    [['-r', '22', 'TCP', '--json'], { json: true }],
    [['--json', '--bad'], { json: true }],
    [['emulate', '--json'], { json: true }],
    [['-l', '--compat', '2.1'], { compat: '2.1' }],
    [['--compat=2.1', '-l'], { compat: '2.1' }],
    [['--compat', '2.1', '-l', '--compat', '2.3.3'], {}],
    [['--compat=2.3.3', '-l', '--compat=2.1'], { compat: '2.1' }],
    [['-l', '--compat'], {}],
    [['-e', '--compat=2.1', '-l'], {}],
    [['-l', '--quiet'], { quiet: true }],
    [['--quiet', '--json', '--bad'], { json: true, quiet: true }],
    [['--verbose', '-l'], { verbose: true }],
    [['--keep', '--', '--verbose', '--quiet'], {}],
    [['-q', '-l'], { quiet: true }],
    [['-lv'], { verbose: true }],
    [['-l', '--color', 'never'], { color: 'never' }],
    [['--color=always', '-l'], { color: 'always' }],
    [['--color=x', '-l'], {}],
  ])('%j', (argv, output) => {
    expect(outputOf(argv)).toEqual({
      json: false,
      compat: '2.3.3',
      color: 'auto',
      quiet: false,
      verbose: false,
      ...output,
    })
  })

  const withValue = OPTIONS.filter(({ form }) => form !== undefined)

  it.each(withValue.flatMap((row) => [longOf(row), labelOf(row)]))('the value of %s is no option', (name) => {
    for (const option of ['--json', '--quiet', '--verbose', '--compat=2.1']) {
      const plain = outputOf([name, 'x'])
      expect(outputOf(['-l', name, option])).toEqual(plain)
      expect(outputOf(['-l', name, 'x', option])).not.toEqual(plain)
      expect(outputOf(['-l', `${name}${name.startsWith('--') ? '=' : ''}x`, option])).not.toEqual(plain)
      expect(outputOf(['-l', name, '--', option])).not.toEqual(plain)
      expect(outputOf(['-l', `${name}${name.startsWith('--') ? '=' : ''}x`, '--', option])).toEqual(plain)
    }
  })

  it.each(withValue.flatMap(({ letter }) => letter ?? []))('nor is it in a group of letters: -li%s', (letter) => {
    const group = `-li${letter.slice(1)}`
    expect(outputOf([group, '--json']).json).toBe(false)
    expect(outputOf([`${group}x`, '--json']).json).toBe(true)
    expect(outputOf([group, '--', '--json']).json).toBe(true)
  })

  it('a value may look like the option before it', () => {
    expect(outputOf(['-e', '-e', '--json']).json).toBe(true)
    expect(outputOf(['-l', '--json=x']).json).toBe(false)
    expect(outputOf(['-l', '-r', '--json']).json).toBe(true) // words of a command are no value
  })
})
