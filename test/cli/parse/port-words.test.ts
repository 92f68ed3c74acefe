/** Ports and ranges: what they open and close, and what a person reads who writes them in another way. */
import { describe, expect, it } from 'vitest'
import { parseInvocation } from '../../../src/cli/parse/invocation.ts'
import { MAX_PORTS_IN_RANGES } from '../../../src/cli/parse/port-words.ts'
import { UsageError } from '../../../src/cli/parse/words.ts'
import { thrownBy } from '../../support/random.ts'

/** Internal and external port, protocol, lease and remote host of each mapping; only the last three of each key. */
function partsOf(line: string): string[] {
  const invocation = parseInvocation(line.split(' '))
  if (invocation.kind !== 'gateway') return []
  const { command } = invocation
  if (command.name === 'unmap')
    return command.keys.map(({ externalPort, protocol, remoteHost }) =>
      `${externalPort} ${protocol} ${remoteHost}`.trim(),
    )
  if (command.name !== 'map') return []
  return command.mappings.map((each) => {
    const { internalPort, externalPort, protocol, lease, remoteHost, pairedWithPrevious } = each
    const rest = [lease === 'unlimited' ? '' : lease.seconds, remoteHost, pairedWithPrevious ? 'paired' : '']
    return [internalPort, externalPort, protocol, ...rest].filter((part) => part !== '').join(' ')
  })
}

function complaintAbout(argv: readonly string[]): string {
  const error = thrownBy(() => parseInvocation(argv))
  return error instanceof UsageError ? error.message : `not a UsageError: ${String(error)}`
}

describe('a range of ports', () => {
  it.each([
    ['-r 27015-27017 UDP', ['27015 27015 UDP', '27016 27016 UDP', '27017 27017 UDP']],
    ['-r 22 TCP 80-81 8080-8081 tcp', ['22 22 TCP', '80 8080 TCP', '81 8081 TCP']],
    ['-r 5-6 TCP+UDP', ['5 5 UDP', '5 5 TCP paired', '6 6 UDP', '6 6 TCP paired']],
    ['--via pcp -r 8-9 0 TCP', ['8 0 TCP', '9 0 TCP']],
    ['-r 65534-65535 TCP --lease 60', ['65534 65534 TCP 60', '65535 65535 TCP 60']],
    ['-a 192.168.1.5 80-81 90-91 TCP 60 1.2.3.4', ['80 90 TCP 60 1.2.3.4', '81 91 TCP 60 1.2.3.4']],
    ['-n @ 80-81 80-81 TCP', ['80 80 TCP', '81 81 TCP']],
    ['-d 80-81 TCP', ['80 TCP', '81 TCP']],
    ['-d 80-81 TCP 1.2.3.4', ['80 TCP 1.2.3.4', '81 TCP 1.2.3.4']],
    ['-d 22 TCP 80-81 UDP', ['22 TCP', '80 UDP', '81 UDP']],
    ['-f 80-81 TCP+UDP 22 TCP', ['80 UDP', '80 TCP', '81 UDP', '81 TCP', '22 TCP']],
  ])('is a mapping for each port: %s', (line, parts) => {
    expect(partsOf(line)).toEqual(parts)
  })

  it('is closed as several ports are: a failure is exit 3', () => {
    for (const line of ['-d 80-81 TCP', '-f 80-81 TCP', '-d 80-81 TCP 1.2.3.4'])
      expect(parseInvocation(line.split(' '))).toMatchObject({ command: { exitCodeOfFailure: 3 } })
  })

  it('has at most 1024 ports, with the other ranges of the command', () => {
    expect(partsOf('-r 1-512 TCP 22 TCP 1001-1512 UDP')).toHaveLength(MAX_PORTS_IN_RANGES + 1)
    expect(partsOf('-f 1-1024 TCP+UDP')).toHaveLength(2 * MAX_PORTS_IN_RANGES)
    const tooLong = 'ports are too long: 1024 at most'
    const closing = '; -N FIRST_PORT LAST_PORT PROTOCOL closes more at once (IGD:2)'
    expect(complaintAbout(['-r', '1-1025', 'TCP'])).toBe(`-r: ranges of 1025 ${tooLong}`)
    expect(complaintAbout(['-a', '@', '1-65535', '1-65535', 'TCP'])).toBe(`-a: ranges of 65535 ${tooLong}`)
    expect(complaintAbout(['-r', '1-1000', 'TCP', '2001-2100', 'UDP'])).toBe(`-r: ranges of 1100 ${tooLong}`)
    expect(complaintAbout(['-f', '1-1000', 'TCP', '2001-2100', 'UDP'])).toBe(`-f: ranges of 1100 ${tooLong}${closing}`)
    expect(complaintAbout(['-d', '1-65535', 'TCP'])).toBe(`-d: ranges of 65535 ${tooLong}${closing}`)
  })

  it.each([
    ['-r 27030-27015 UDP', "-r: '27030-27015' is a range from back to front: write 27015-27030"],
    ['-r 5-5 UDP', "-r: '5-5' is a range of one port: write 5"],
    ['-r 0-5 UDP', "-r: '0' is not a port: give a number from 1 to 65535"],
    ['-r 65530-65536 UDP', "-r: '65536' is not a port: give a number from 1 to 65535"],
    ['-d 80-99999 TCP', "-d: '99999' is not an external port: give a number from 1 to 65535"],
    [
      '-a @ 8000-8010 9000-9009 TCP',
      '-a: two ranges have to be equally long, but 8000-8010 has 11 and 9000-9009 has 10',
    ],
    ['-r 8000-8010 9000 TCP', '-r: two ranges have to be equally long, but 8000-8010 has 11 and 9000 has one port'],
    ['-n @ 80 9000-9001 TCP', '-n: two ranges have to be equally long, but 80 has one port and 9000-9001 has 2'],
    ['-r 8-9 0 TCP', '-r: external port 0 (any port) works only with --via pcp or --via nat-pmp'],
    ['-r 8-9', '-r: the protocol is missing after 8-9: add TCP or UDP'],
    ['-A "" 0 @ 80-81 TCP 60', "-A: '80-81' is not an internal port: give one; each port needs a pinhole of its own"],
  ])('is refused in one line if it cannot be: %s', (line, complaint) => {
    expect(complaintAbout(line.split(' ').map((word) => (word === '""' ? '' : word)))).toBe(complaint)
  })
})

describe('what is meant for a port', () => {
  const ONE_WORD = 'a range is one word with both ends, such as 27015-27030'
  it.each([
    [
      ['-r', '8080:8090', 'UDP'],
      '-r',
      'write 8080-8090 for a range, or PORT EXTERNAL_PORT for one port, here 8090 8080',
    ],
    [['-r', '8080:80', 'TCP'], '-r', 'write PORT EXTERNAL_PORT for one port, here 80 8080'],
    [['-d', '80:90', 'TCP'], '-d', 'write 80-90 for a range'],
    [['-r', '27015 - 27030', 'UDP'], '-r', 'write 27015-27030 for a range'],
    [['-r', '27015\u201327030', 'UDP'], '-r', 'write 27015-27030 for a range'],
    [['-f', '27015..27030', 'UDP'], '-f', 'write 27015-27030 for a range'],
    [['-r', '27015', '-', '27030', 'UDP'], '-r', ONE_WORD],
    [['-r', '-', 'UDP'], '-r', ONE_WORD],
    [['-d', '27015-', 'UDP'], '-d', ONE_WORD],
    [['-r', '80,443', 'TCP'], '-r', 'give each port with its protocol'],
    [['-r', '22/tcp'], '-r', 'write 22 TCP'],
    [['-r', '22', 'TCP', 'UDP'], '-r', 'the port comes before its protocol, and TCP+UDP is both: 22 TCP, 53 TCP+UDP'],
    [['-r', '192.168.1.5', '22', 'TCP'], '-r', 'for another computer it is: upnp-ts -a 192.168.1.5 22 22 TCP'],
    [['-r', '2001:db8::5', '22', 'TCP'], '-r', 'over IPv6 it is: upnp-ts -6 -A "" 0 2001:db8::5 22 TCP 3600'],
    [['-d', '10.1.1.64', '60003', 'tcp'], '-d', 'leave the address out'],
    [['-d', 'TCP:[2001:db8::5]:8333', 'TCP'], '-d', 'a pinhole is closed by: upnp-ts -D TCP:[2001:db8::5]:8333'],
  ])('is answered with how to write it: %j', (argv, option, instead) => {
    const complaint = complaintAbout(argv)
    expect(complaint).toMatch(new RegExp(`^${option}: '.*' is not an? (?:external )?port: `))
    expect(complaint.endsWith(`: ${instead}`)).toBe(true)
  })
})

describe('a command that another one does', () => {
  it.each([
    [
      '-a 2001:db8::5 3333 4444 TCP',
      "-a: '2001:db8::5' is an IPv6 address, and ports are IPv4's: over IPv6 it is: upnp-ts -6 -A \"\" 0 2001:db8::5 3333 TCP 3600",
    ],
    [
      '-n 2001:db8::5 80-90 80-90 udp',
      "-n: '2001:db8::5' is an IPv6 address, and ports are IPv4's: over IPv6 it is: upnp-ts -6 -A \"\" 0 2001:db8::5 22 udp 3600",
    ],
    [
      '-A 203.0.113.99 65216 192.168.86.250 65216 TCP 1200',
      "-A: '192.168.86.250' is not the IPv6 address of a computer: give one, or @ for this computer; over IPv4 it is: upnp-ts -a 192.168.86.250 22 22 TCP",
    ],
    ['-a @ 192.168.1.5 80 TCP', "-a: '192.168.1.5' is not a port: give a number from 1 to 65535"],
    ['-D 22 TCP', '-D takes the IDs of pinholes; a port is closed by: upnp-ts -d 22 TCP'],
    ['-a 192.168.1.5 22 22 TCP UDP', "-a: 'UDP' is a second protocol: TCP+UDP is both"],
    [
      '-ar 192.168.1.9 22 55551 TCP',
      "'192.168.1.9' is not understood: -a and -r are two commands; run -a once for each port of another computer",
    ],
    ['-f', 'nothing follows -f; it takes EXTERNAL_PORT PROTOCOL ...'],
    [
      '-u 192.168.1.1 -l',
      "-u: '192.168.1.1' is not the http:// URL of a router's description, such as http://192.168.1.1:5000/rootDesc.xml; --gateway 192.168.1.1 asks the router with that address",
    ],
    [
      '--gateway http://192.168.1.1/ -l',
      "--gateway: 'http://192.168.1.1/' is not the address of a router: give one such as 192.168.1.1 or 192.168.1.1:5351; -u http://192.168.1.1/ takes the URL of a description",
    ],
  ])('is answered with that one: %s', (line, complaint) => {
    expect(complaintAbout(line.split(' '))).toBe(complaint)
  })
})
