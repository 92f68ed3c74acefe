/** --emulate shows all that it promises: its gateway begins with what the command closes, and has IPv6. */
import { networkInterfaces } from 'node:os'
import { describe, expect, it } from 'vitest'
import { runCli, withoutBanner } from '../support/run-cli.ts'

const hasIPv6 = Object.values(networkInterfaces()).some((each) => each?.some(({ address }) => address === '::1'))

/** The line, and the last line of its answer. */
type Promised = readonly [line: string, answer: string]

const OVER_IPV4: readonly Promised[] = [
  ['-d 22 TCP', 'UPNP_DeletePortMapping() returned : 0'],
  ['-d 22 TCP 1.2.3.4', 'UPNP_DeletePortMapping() returned : 0'],
  ['-f 22 TCP 80 TCP', 'UPNP_DeletePortMapping() returned : 0'],
  ['-f 22 TCP+UDP', 'UPNP_DeletePortMapping() returned : 0'],
  ['--via igd -d 22 UDP', 'UPNP_DeletePortMapping() returned : 0'],
  ['--quirk igd1 -d 22 TCP', 'UPNP_DeletePortMapping() returned : 0'],
  ['--via pcp -d 22 TCP', 'PCP_DeletePortMapping() returned : 0'],
  ['--via pcp -f 22 TCP 80 UDP', 'PCP_DeletePortMapping() returned : 0'],
  ['--via nat-pmp -d 22 TCP', 'NATPMP_DeletePortMapping() returned : 0'],
  ['--via nat-pmp -f 22 TCP+UDP 80 TCP', 'NATPMP_DeletePortMapping() returned : 0'],
  ['-N 8000 8010 TCP', 'UPNP_DeletePortMappingRange() returned : 0'],
  ['-N 8000 8010 TCP+UDP 1', 'UPNP_DeletePortMappingRange() returned : 0'],
  ['-N 80 80 TCP 1', 'UPNP_DeletePortMappingRange() returned : 0'],
]

const OVER_IPV6: readonly Promised[] = [
  ['-6 -A "" 0 @ 8333 TCP 3600', 'AddPinhole: ([]:0 -> [::1]:8333) / Pinhole ID = 1'],
  ['-6 -D 1', 'UPNP_DeletePinhole() returned : 0'],
  ['-6 -D 4711 65535', 'UPNP_DeletePinhole() returned : 0'],
  ['-6 -U 7 60', 'UpdatePinhole: Pinhole ID = 7 with Lease Time: 60'],
  ['-6 -C 1', 'CheckPinholeWorking: Pinhole ID = 1 / IsWorking = Yes'],
  ['-6 -K 1 2', 'GetPinholePackets: Pinhole ID = 2 / PinholePackets = 1'],
  ['-6 -G "" 0 @ 8333 TCP', 'GetOutboundPinholeTimeout: ([::1]:8333 -> []:0) / Timeout = 120'],
  ['--via pcp -A "" 0 @ 8333 TCP 3600', 'AddPinhole: ([]:0 -> [::1]:8333) / Pinhole ID = TCP:[::1]:8333'],
  ['-D TCP:[::1]:8333', 'PCP_DeletePinhole() returned : 0'],
  ['-D TCP:[2001:db8::5]:8333 UDP:[::1]:8333', 'PCP_DeletePinhole() returned : 0'],
  ['-U TCP:[::1]:8333 60', 'UpdatePinhole: Pinhole ID = TCP:[::1]:8333 with Lease Time: 60'],
  ['-6 -s', 'Packets: Sent:        0\tRecv:        0'],
  ['-6 -r 22 TCP', 'external 11.22.33.44:22 TCP is redirected to internal 127.0.0.1:22 (duration=604800)'],
]

function wordsOf(line: string): string[] {
  return line.split(' ').map((word) => (word === '""' ? '' : word))
}

async function answerTo(line: string) {
  const { stdout, stderr, exitCode } = await runCli(['--emulate', ...wordsOf(line)])
  const hints = stderr.split('\n').filter((each) => !each.startsWith('hint: ports are opened over IPv4 only'))
  return { last: stdout.trimEnd().split('\n').at(-1), stderr: hints.join('\n'), exitCode }
}

describe('--emulate', () => {
  it.each(OVER_IPV4)('%s', async (line, last) => {
    expect(await answerTo(line)).toEqual({ last, stderr: '', exitCode: 0 })
  })

  it.runIf(hasIPv6).each(OVER_IPV6)('%s', async (line, last) => {
    expect(await answerTo(line)).toEqual({ last, stderr: '', exitCode: 0 })
  })

  const CLOSED = 'unmapped'
  it.each([
    ['close 25565', [CLOSED, CLOSED]],
    ['close 25565/tcp 80/udp', [CLOSED, CLOSED]],
    ['close 25565/udp --via pcp', [CLOSED]],
    ['close 25565/udp --via nat-pmp', [CLOSED]],
    ...(hasIPv6 ? [['close 8333/tcp --ipv6', ['pinhole-deleted']] as const] : []),
  ] as const)('%s', async (line, types) => {
    const { stdout, exitCode } = await runCli(['--emulate', '--json', ...wordsOf(line)])
    const reports = stdout
      .trimEnd()
      .split('\n')
      .map((each) => JSON.parse(each))
    expect(reports.map(({ type }) => type).slice(-types.length)).toEqual(types)
    expect(exitCode).toBe(0)
  })

  it('shows nothing of how it came to begin with that', async () => {
    const { stdout, stderr } = await runCli(['--emulate', '--verbose', '-d', '22', 'TCP'])
    expect(withoutBanner(stdout).match(/^Found valid IGD/gm)).toHaveLength(1)
    expect(stderr).toContain('DeletePortMapping')
    expect(stderr).not.toContain('AddPortMapping')
  })

  it('refuses as often as --quirk says', async () => {
    const refusing = ['--quirk', 'refuse=DeletePortMapping:606:1']
    const { stdout, exitCode } = await runCli(['--emulate', ...refusing, '-f', '22', 'TCP', '80', 'TCP'])
    expect(stdout).toMatch(/failed with code : 606\nUPNP_DeletePortMapping\(\) returned : 0\n$/)
    expect(exitCode).toBe(3)
    const overPcp = ['--via', 'pcp', '--quirk', 'refuse=MAP:3:1']
    expect((await runCli(['--emulate', ...overPcp, '-d', '22', 'TCP'])).exitCode).toBe(2)
  })

  it.skipIf(hasIPv6)('says in one line that a computer without IPv6 cannot show pinholes', async () => {
    const { exitCode, stderr } = await runCli(['--emulate', '-6', '-D', '1'])
    expect(stderr).toBe(
      '--emulate needs the IPv6 address ::1 for this command: could not listen on [::1]:0: ' +
        'this computer does not have that address\n',
    )
    expect(exitCode).toBe(1)
  })
})
