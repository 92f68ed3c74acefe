/** --via, --gateway and --nonce: every contradiction is one line, and nothing is sent. */
import { describe, expect, it } from 'vitest'
import { parseInvocation } from '../../../src/cli/parse/invocation.ts'
import { UsageError } from '../../../src/cli/parse/words.ts'
import { BANNER } from '../../../src/cli/print/usage.ts'
import { runCli } from '../../support/run-cli.ts'

type Line = readonly string[]

const NONCE = '00112233445566778899aaBB'
const SSH = ['-r', '22', 'TCP'] as const
const PCP_ID = 'TCP:[2001:db8::5]:8333'
const PINHOLE = ['-A', '', '0', '@', '22', 'TCP', '60'] as const

function complaintAbout(argv: Line): string {
  try {
    parseInvocation(argv)
  } catch (error) {
    if (error instanceof UsageError && !error.withUsage) return error.message
    throw error
  }
  return 'it was obeyed'
}

const ONLY_UPNP: readonly Line[] = [
  ['-l'],
  ['-L'],
  ['-P'],
  ['-S'],
  ['-N', '1', '9', 'TCP'],
  ['-C', '1'],
  ['-K', '1'],
  ['-G', '', '0', '@', '22', 'TCP'],
]
const URL = ['-u', 'http://127.0.0.1:1/'] as const

const CONTRADICTIONS: readonly (readonly [Line, string])[] = [
  ...['PCP', 'UPNP', 'upnp', 'natpmp', '', '--json', '-l'].map((word): [Line, string] => [
    ['-l', '--via', word],
    `--via: '${word}' is not a protocol that upnp-ts speaks with routers: give auto, igd, pcp or nat-pmp`,
  ]),
  [[...SSH, '--via'], 'nothing follows --via; it takes auto, igd, pcp or nat-pmp'],
  [[...SSH, '--gateway'], 'nothing follows --gateway; it takes the address of a router'],
  [
    [...SSH, '--nonce'],
    'nothing follows --nonce; it takes @ and the name of a file that has 24 hexadecimal digits, or - for standard input',
  ],
  ...ONLY_UPNP.flatMap((line): [Line, string][] => [
    [['--via', 'pcp', ...line], `${line[0]} cannot be done over PCP: UPnP can (--via igd)`],
    [['--via', 'nat-pmp', ...line], `${line[0]} cannot be done over NAT-PMP: UPnP can (--via igd)`],
  ]),
  [['--via', 'pcp', '--discovery-time', '9'], '--discovery-time cannot be done over PCP: UPnP can (--via igd)'],
  [['--via', 'nat-pmp', ...PINHOLE], '-A cannot be done over NAT-PMP: UPnP and PCP can (--via igd, --via pcp)'],
  [
    ['--via', 'nat-pmp', '-a', '@', '22', '22', 'TCP', '1.2.3.4'],
    '-a for one remote host only cannot be done over NAT-PMP: UPnP and PCP can (--via igd, --via pcp)',
  ],
  [
    ['--via', 'nat-pmp', '-n', '@', '22', '0', 'TCP+UDP', '60', '1.2.3.4'],
    '-n for one remote host only cannot be done over NAT-PMP: PCP can (--via pcp)',
  ],
  [['--via', 'pcp', '-D', '1'], "-D: '1' is a pinhole of UPnP, but --via pcp asks over PCP: leave out --via"],
  [
    ['--via', 'nat-pmp', '-D', '1', '2'],
    "-D: '1' is a pinhole of UPnP, but --via nat-pmp asks over NAT-PMP: leave out --via",
  ],
  [['--via', 'pcp', '-U', '0', '60'], "-U: '0' is a pinhole of UPnP, but --via pcp asks over PCP: leave out --via"],
  [
    ['--via', 'igd', '-D', PCP_ID],
    `-D: '${PCP_ID}' is a pinhole of PCP, but --via igd asks over UPnP: leave out --via`,
  ],
  [
    ['--via', 'nat-pmp', '-U', PCP_ID, '60'],
    `-U: '${PCP_ID}' is a pinhole of PCP, but --via nat-pmp asks over NAT-PMP: leave out --via`,
  ],
  [['--via', 'pcp', ...URL, ...SSH], '-u names a router for UPnP, not for PCP: leave one out'],
  [['--via', 'nat-pmp', ...URL, ...SSH], '-u names a router for UPnP, not for NAT-PMP: leave one out'],
  [[...URL, '-D', PCP_ID], '-u names a router for UPnP, not for PCP: leave one out'],
  [['--gateway', '127.0.0.1', ...URL, '-l'], '-u and --gateway both name a router: leave one out'],
  [
    ['--gateway', '127.0.0.1', '--via', 'pcp', ...URL, ...SSH],
    '-u names a router for UPnP, not for PCP: leave one out',
  ],
  [['--emulate', '--gateway', '127.0.0.1', '-l'], '--emulate brings its own gateway: leave out --gateway'],
  ...[[], ['--via', 'auto'], ['--via', 'igd'], ['--via', 'nat-pmp'], URL].map((more): [Line, string] => [
    ['--nonce', more === URL ? '-' : NONCE, ...more, ...SSH],
    '--nonce is for PCP: add --via pcp',
  ]),
  [['--nonce', '@file', ...SSH], '--nonce is for PCP: add --via pcp'],
  ...['', '@', '--', 'secret', '0x112233445566778899aabb', NONCE.slice(1), `${NONCE}0`, `${NONCE}\n`, '--json'].map(
    (word): [Line, string] => [
      ['--via', 'pcp', '--nonce', word, ...SSH],
      `--nonce: '${word}' is not a nonce: give @ and a file that has 24 hexadecimal digits`,
    ],
  ),
  [['-6', '--via', 'nat-pmp', '-s'], '-6: NAT-PMP is spoken over IPv4 only'],
  [
    ['--gateway', '[::1]:5351', '--via', 'nat-pmp', '-s'],
    "--gateway: NAT-PMP is spoken over IPv4 only: give the router's IPv4 address",
  ],
  ...[PINHOLE, ['-D', PCP_ID], ['-U', PCP_ID, '60']].map((line): [Line, string] => [
    ['--gateway', '127.0.0.1', '--via', 'pcp', ...line],
    "--gateway: PCP opens pinholes over IPv6: give the router's IPv6 address",
  ]),
  [['emulate', '--via', 'pcp'], "'--via' is not understood: emulate does not take it"],
]

describe('a contradiction is reported in one line, before anything is sent', () => {
  it.each(CONTRADICTIONS)('%j', (argv, message) => {
    expect(complaintAbout(argv)).toBe(message)
  })

  it.each([...new Map(CONTRADICTIONS.map((each) => [each[1], each])).values()])(
    'is exit 1 and nothing on stdout but the banner: %j',
    async (argv, message) => {
      const { stderr, stdout, exitCode } = await runCli(argv)
      const reason = stderr.replace(/^usage: upnp-ts .*\n/, '').replace(/, as in: upnp-ts .*/, '')
      expect({ reason, exitCode }).toEqual({ reason: `${message.replace('\n', '\\x0a')}\n`, exitCode: 1 })
      expect(stdout).toBe(argv[0] === 'emulate' ? '' : BANNER)
    },
  )
})
