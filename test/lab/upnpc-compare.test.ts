/**
 * The same arguments to upnpc and to upnp-ts, each on a router that has just been started: what they write below their
 * banners, their exit codes and what they leave in the router are the same, except for the differences of
 * differences.ts, and for the rows that write out what the reference, upnpc 2.3.3, or upnp-ts alone would say.
 */
import { afterAll, describe, expect, test, vi } from 'vitest'
import { belowBanner } from './banner.ts'
import type { Finished } from './command.ts'
import { type Outcome, without, withoutInState } from './differences.ts'
import { COMPUTER, COMPUTER_IPV6, COMPUTER_SECOND, DESCRIPTION_URL, DESCRIPTION_URL_IPV6, Lab } from './lab.ts'

/** As upnpc has it; that an IGD goes first where there is PCP too is shown elsewhere. */
const ONLY_UPNP = { pcp: false } as const

interface Comparison {
  readonly args: readonly string[]
  /** What is in the router before: arguments of upnpc. */
  readonly before?: readonly (readonly string[])[]
  readonly secureMode?: boolean
  /** Only there; on both where it is not given. */
  readonly igd?: 1 | 2
  /** Written out, where upnpc 2.2.4 is older than the reference or does not know how. */
  readonly expected?: {
    /** Below the line with the local address. */
    readonly stdout: string
    readonly stderr?: string
    readonly exit: number
    /** What upnpc can be told, so that the router is left as upnp-ts is to leave it. */
    readonly leaves?: readonly (readonly string[])[]
  }
}

const ONE_MAPPING = [['-e', 'ssh', '-r', '22', 'TCP']]
const OF_ANOTHER = [['-e', 'theirs', '-a', COMPUTER_SECOND, '22', '22', 'TCP', '600']]
const MAPPINGS = [
  ...ONE_MAPPING,
  ['-e', 'web', '-a', COMPUTER_SECOND, '80', '8080', 'TCP', '600'],
  ['-e', '', '-r', '53', '5353', 'UDP'],
]

/** Without the two seconds of upnpc's search. */
const AT = ['-u', DESCRIPTION_URL]
const AT_IPV6 = ['-6', '-u', DESCRIPTION_URL_IPV6]

const LISTS_AND_STATUS: readonly Comparison[] = [
  { args: ['-h'] },
  { args: ['-l'] },
  { args: ['-l'], before: MAPPINGS },
  { args: ['-i', '-l'], before: ONE_MAPPING },
  { args: [...AT, '-l'], before: ONE_MAPPING },
  { args: ['-u', 'http://192.168.86.1:1/rootDesc.xml', '-l'] },
  { args: ['-L'] },
  { args: ['-L'], before: MAPPINGS },
  { args: [...AT, '-L'], before: OF_ANOTHER },
  { args: ['-s'] },
  { args: [...AT, '-i', '-s'] },
  { args: ['-P'] },
  { args: [...AT, '-P'] },
]

const mapped = (protocol: string, leaseSeconds = 604800, client = COMPUTER): string =>
  `ExternalIPAddress = 11.22.33.44
InternalIP:Port = ${client}:22
external 11.22.33.44:22 ${protocol} is redirected to internal ${client}:22 (duration=${leaseSeconds})
`

/** miniupnpd's list does not show the remote host, so the port is closed again, and the firewall is as it was. */
const notForOneHost = (port: number): NonNullable<Comparison['expected']> => ({
  stdout: 'ExternalIPAddress = 11.22.33.44\n',
  stderr:
    `external port ${port} TCP: the router shows it open to everybody, not to 203.0.113.99 only; ` +
    'it was closed again, and may have been open to everybody for that moment\n',
  exit: 2,
  leaves: [],
})

/** upnpc asks from the first address, and a router in secure mode refuses that. */
const FROM_SECOND: Comparison['expected'] = {
  stdout: mapped('TCP', 604800, COMPUTER_SECOND),
  exit: 0,
  leaves: [['-a', COMPUTER_SECOND, '22', '22', 'TCP']],
}

const MAPPING: readonly Comparison[] = [
  { args: ['-r', '22', 'TCP'] },
  { args: [...AT, '-r', '22', 'tcp'], before: ONE_MAPPING },
  { args: ['-r', '22', '8022', 'TCP', '53', 'UDP'] },
  { args: [...AT, '-r', '80', '22', 'TCP', '53', 'UDP'], before: OF_ANOTHER },
  { args: ['-e', 'my web server', '-r', '80', 'TCP'] },
  { args: [...AT, '-e', '', '-r', '80', 'TCP'] },
  { args: ['-a', '@', '80', '8080', 'TCP', '600'] },
  { args: [...AT, '-a', COMPUTER, '80', '8080', 'TCP'] },
  { args: [...AT, '-a', COMPUTER_SECOND, '80', '8081', 'TCP', '600'] },
  { args: [...AT, '-e', 'camera', '-a', '192.168.86.77', '554', '554', 'UDP', '0'] },
  { args: [...AT, '-a', '@', '80', '8080', 'TCP', '600', '203.0.113.99'], expected: notForOneHost(8080) },
  { args: [...AT, '-a', '@', '80', '8080', 'TCP', '203.0.113.99'], expected: notForOneHost(8080) },
  { args: [...AT, '-a', COMPUTER_SECOND, '22', '22', 'TCP'], before: ONE_MAPPING },
  { args: [...AT, '-a', COMPUTER_SECOND, '22', '22', 'TCP'], secureMode: true, expected: FROM_SECOND },
  { args: [...AT, '-a', '@', '22', '22', 'TCP'], secureMode: true },
  { args: ['-n', '@', '22', '22', 'TCP'] },
  { args: [...AT, '-n', '@', '22', '22', 'udp', '600'], before: ONE_MAPPING },
  { args: [...AT, '-n', '@', '22', '22', 'TCP'], before: ONE_MAPPING },
  {
    args: [...AT, '-e', 'mine', '-n', COMPUTER_SECOND, '22', '22', 'TCP', '600', '203.0.113.99'],
    expected: notForOneHost(22),
  },
  { args: [...AT, '-n', COMPUTER, '80', '8080', 'TCP', '203.0.113.99'], expected: notForOneHost(8080) },
  { args: [...AT, '-n', COMPUTER_SECOND, '22', '22', 'TCP'], secureMode: true, expected: FROM_SECOND },
]

const UNMAPPING: readonly Comparison[] = [
  { args: ['-d', '22', 'TCP'], before: MAPPINGS },
  { args: [...AT, '-d', '22', 'udp'], before: ONE_MAPPING },
  { args: [...AT, '-d', '9999', 'TCP'] },
  { args: ['-N', '1', '1000', 'TCP'], before: MAPPINGS },
  { args: [...AT, '-N', '8080', '8080', 'tcp', '1'], before: MAPPINGS },
  { args: [...AT, '-N', '22', '8080', 'UDP', '0'], before: MAPPINGS },
  { args: [...AT, '-N', '1000', '1001', 'TCP'], before: MAPPINGS },
  { args: [...AT, '-N', '22', '22', 'TCP'], before: OF_ANOTHER },
  // -f is not there before upnpc 2.2.8.
  {
    args: ['-f', '22', 'TCP', '5353', 'udp'],
    before: MAPPINGS,
    expected: {
      stdout: 'UPNP_DeletePortMapping() returned : 0\n'.repeat(2),
      exit: 0,
      leaves: [
        ['-d', '22', 'TCP'],
        ['-d', '5353', 'UDP'],
      ],
    },
  },
  {
    args: [...AT, '-f', '8080', 'TCP'],
    before: MAPPINGS,
    expected: { stdout: 'UPNP_DeletePortMapping() returned : 0\n', exit: 0, leaves: [['-d', '8080', 'TCP']] },
  },
]

/** What upnpc cannot do; it says 'invalid protocol' or 'Unknown switch', and what it leaves is made by hand. */
const BEYOND_UPNPC: readonly Comparison[] = [
  {
    args: [...AT, '-r', '22', 'TCP+UDP'],
    expected: {
      stdout: mapped('UDP') + mapped('TCP'),
      exit: 0,
      leaves: [
        ['-r', '22', 'UDP'],
        ['-r', '22', 'TCP'],
      ],
    },
  },
  {
    args: [...AT, '-n', '@', '22', '22', 'udp+tcp'],
    expected: {
      stdout: mapped('UDP') + mapped('TCP'),
      exit: 0,
      leaves: [
        ['-r', '22', 'UDP'],
        ['-r', '22', 'TCP'],
      ],
    },
  },
  {
    args: [...AT, '-a', '@', '22', '22', 'TCP+UDP'],
    before: OF_ANOTHER, // who has the TCP port; so the UDP one is given back
    expected: {
      stdout: `${mapped('UDP')}ExternalIPAddress = 11.22.33.44
AddPortMapping(22, 22, ${COMPUTER}) failed with code 718 (ConflictInMappingEntry)
external 22 UDP is closed again: TCP+UDP means both or neither
`,
      exit: 2,
    },
  },
  {
    args: [...AT, '-d', '22', 'TCP', '5353', 'UDP'],
    before: MAPPINGS,
    expected: {
      stdout: 'UPNP_DeletePortMapping() returned : 0\n'.repeat(2),
      exit: 0,
      leaves: [
        ['-d', '22', 'TCP'],
        ['-d', '5353', 'UDP'],
      ],
    },
  },
  {
    args: [...AT, '--lease', '600', '-r', '22', 'TCP'],
    expected: { stdout: mapped('TCP', 600), exit: 0, leaves: [['-a', '@', '22', '22', 'TCP', '600']] },
  },
]

/** The ways to search. */
const SEARCHING: readonly Comparison[] = [
  { args: ['-m', 'eth0', '-P'] },
  { args: ['-m', COMPUTER, '-L'], before: ONE_MAPPING },
  { args: ['-z', '1', '-P'] },
  { args: ['-z', '19000', '-t', '1', '-p', '', '-m', 'eth0', '-P'] },
  { args: ['-p', '/nowhere/minissdpd.sock', '-t', '4', '-P'] },
]

const ONE_PINHOLE = [['-6', '-A', '', '0', '@', '8022', 'TCP', '600']]
const PINHOLES = [...ONE_PINHOLE, ['-6', '-A', '2001:db8:ff::99', '4000', '@', '8053', 'UDP', '600']]

const updateFailed = (code: string): string => `CheckPinholeWorking(77) failed with code ${code}
UpdatePinhole: Pinhole ID = 77 with Lease Time: 900
UpdatePinhole: ID (77) failed with code ${code}
`

/** Of an InternetGatewayDevice:2: the :1 of the lab has no firewall in its description. */
const PINHOLE_COMMANDS: readonly Comparison[] = [
  { args: ['-6', '-S'] },
  { args: ['-6', '-m', 'eth0', '-A', '', '0', '@', '8022', 'TCP', '600'] },
  { args: ['-S'] },
  { args: [...AT_IPV6, '-S'] },
  { args: [...AT_IPV6, '-P'] },
  { args: [...AT_IPV6, '-A', '', '0', '@', '8022', 'TCP', '600'] },
  { args: [...AT_IPV6, '-A', '', '0', COMPUTER_IPV6, '8022', 'udp', '600'] },
  { args: [...AT_IPV6, '-A', '2001:db8:ff::99', '4000', '@', '8022', '17', '60'] },
  { args: [...AT_IPV6, '-A', '::', '0', '@', '8022', 'TCP', '600'] },
  { args: [...AT_IPV6, '-A', '', '0', '@', '8022', 'TCP', '600'], before: PINHOLES },
  { args: [...AT_IPV6, '-A', '', '0', '@', '22', 'TCP', '600'] },
  { args: [...AT_IPV6, '-A', '', '0', '2001:db8:86::251', '8022', 'TCP', '600'] },
  { args: [...AT_IPV6, '-A', '', '0', '@', '0', 'TCP', '600'] },
  { args: [...AT_IPV6, '-A', '', '0', '@', '8022', '59', '600'] },
  { args: [...AT_IPV6, '-A', '', '0', '@', '8022', 'TCP', '90000'] },
  { args: [...AT, '-A', '', '0', '@', '8022', 'TCP', '600'] },
  { args: [...AT, '-A', '', '0', '2001:db8:86::251', '8022', 'TCP', '600'] },
  { args: [...AT_IPV6, '-C', '1'], before: ONE_PINHOLE },
  { args: [...AT_IPV6, '-C', '1', '77', '2'], before: PINHOLES },
  { args: [...AT, '-C', '77'] },
  { args: [...AT_IPV6, '-K', '1', '2'], before: PINHOLES },
  { args: [...AT_IPV6, '-K', '1', '77'], before: PINHOLES },
  { args: [...AT, '-K', '77'] },
  { args: [...AT_IPV6, '-D', '1'], before: PINHOLES },
  { args: [...AT_IPV6, '-D', '1', '77', '2'], before: PINHOLES },
  { args: [...AT, '-D', '77'] },
  { args: [...AT_IPV6, '-G', '', '0', '@', '8022', 'TCP'] },
  { args: [...AT_IPV6, '-G', '2001:db8:ff::99', '80', COMPUTER_IPV6, '8022', '17'] },
  { args: [...AT, '-G', '', '0', '@', '8022', 'UDP'] },
  // Before 2.2.5 -U says "IsWorking = No" whatever the error, and updates only what works or has had no traffic.
  {
    args: [...AT_IPV6, '-U', '1', '900'],
    before: ONE_PINHOLE,
    expected: {
      stdout: `CheckPinholeWorking(1) failed with code 709 (NoTrafficReceived)
UpdatePinhole: Pinhole ID = 1 with Lease Time: 900
`,
      exit: 0,
    },
  },
  { args: [...AT_IPV6, '-U', '77', '900'], expected: { stdout: updateFailed('402 (Invalid Args)'), exit: 2 } },
  {
    args: [...AT_IPV6, '-A', '', '0', '@', '8022', 'TCP+UDP', '600'],
    expected: {
      stdout: `AddPinhole: ([]:0 -> [${COMPUTER_IPV6}]:8022) / Pinhole ID = 1
AddPinhole: ([]:0 -> [${COMPUTER_IPV6}]:8022) / Pinhole ID = 2
`,
      exit: 0,
      leaves: [
        ['-6', '-A', '', '0', '@', '8022', 'UDP', '600'],
        ['-6', '-A', '', '0', '@', '8022', 'TCP', '600'],
      ],
    },
  },
]

const NO_FIREWALL = '-3 (Miniupnpc HTTP error)'

/**
 * An InternetGatewayDevice:1 without a firewall in its description: upnpc asks at '/', for the action of no service,
 * and this miniupnpd answers. A router that cannot be asked is not asked.
 */
const WITHOUT_FIREWALL: readonly Comparison[] = [
  {
    args: [...AT, '-S'],
    expected: {
      stdout: `FirewallEnabled: unknown & Inbound Pinhole Allowed: unknown
GetFirewallStatus:
   Firewall Enabled: unknown
   Inbound Pinhole Allowed: unknown
Bytes:   Sent:        N\tRecv:        N
Packets: Sent:        N\tRecv:        N
`,
      exit: 2,
    },
  },
  {
    args: [...AT_IPV6, '-A', '', '0', '@', '22', 'TCP', '600'],
    expected: { stdout: `AddPinhole([]:0 -> [${COMPUTER_IPV6}]:22) failed with code ${NO_FIREWALL}\n`, exit: 2 },
  },
  { args: [...AT_IPV6, '-U', '77', '900'], expected: { stdout: updateFailed(NO_FIREWALL), exit: 2 } },
  {
    args: [...AT_IPV6, '-C', '77', '78'],
    expected: { stdout: `CheckPinholeWorking() failed with code ${NO_FIREWALL}\n`.repeat(2), exit: 2 },
  },
  {
    args: [...AT_IPV6, '-K', '77'],
    expected: { stdout: `GetPinholePackets() failed with code ${NO_FIREWALL}\n`, exit: 2 },
  },
  { args: [...AT_IPV6, '-D', '77'], expected: { stdout: 'UPNP_DeletePinhole() returned : -3\n', exit: 2 } },
  {
    args: [...AT_IPV6, '-G', '', '0', '@', '22', 'TCP'],
    expected: {
      stdout: `GetOutboundPinholeTimeout([${COMPUTER_IPV6}]:22 -> []:0) failed with code ${NO_FIREWALL}\n`,
      exit: 2,
    },
  },
]

const COMPARISONS: readonly Comparison[] = [
  ...LISTS_AND_STATUS,
  ...MAPPING,
  ...UNMAPPING,
  ...[...BEYOND_UPNPC, ...SEARCHING, ...PINHOLE_COMMANDS].map((each) => ({ ...each, igd: 2 as const })),
  ...WITHOUT_FIREWALL.map((each) => ({ ...each, igd: 1 as const })),
]

/**
 * Words that upnpc ignores, or stumbles over once it has found the router or even mapped something (139: it crashes):
 * upnp-ts says at once, in one line, what is wrong, and sends nothing.
 */
const REFUSALS: readonly { readonly args: readonly string[]; readonly upnpcExit: number }[] = [
  { args: ['-l', 'more', 'words'], upnpcExit: 0 },
  { args: ['word', '-l'], upnpcExit: 0 },
  { args: ['-y'], upnpcExit: 1 },
  { args: ['-r', '22', 'SCTP', '53', 'UDP'], upnpcExit: 2 },
  { args: ['-r', '22', 'TCP', '53'], upnpcExit: 2 },
  { args: ['-r', '22', 'TCP', 'ssh', 'TCP'], upnpcExit: 1 },
  { args: ['-r', '22', '70000', 'TCP'], upnpcExit: 0 },
  { args: ['-a', '@', '80', '8080', 'ICMP'], upnpcExit: 2 },
  { args: ['-a', '192.168.86.300', '80', '8080', 'TCP'], upnpcExit: 2 },
  { args: ['-d', '22', 'GRE'], upnpcExit: 2 },
  { args: [...AT, '-n', '@', '22', '22'], upnpcExit: 2 },
  { args: [...AT, '-n', '@', '22', '22', 'TCP junk'], upnpcExit: 0 },
  { args: [...AT, '-N', '1', '1000'], upnpcExit: 2 },
  { args: [...AT, '-N', '1000', '1', 'TCP'], upnpcExit: 2 },
  { args: [...AT, '-f'], upnpcExit: 1 },
  { args: [...AT, '-f', '22', 'TCP', '53'], upnpcExit: 1 },
  { args: [...AT, '-A', '', '0', '@', '22', 'TCP'], upnpcExit: 1 },
  { args: [...AT, '-A', '', '0', '@', '22', 'SCTP', '600'], upnpcExit: 0 },
  { args: [...AT, '-A', 'nohost', '0', '@', '22', 'TCP', '600'], upnpcExit: 0 },
  { args: [...AT, '-U', '1'], upnpcExit: 1 },
  { args: [...AT, '-C'], upnpcExit: 0 },
  { args: [...AT, '-K'], upnpcExit: 0 },
  { args: [...AT, '-D'], upnpcExit: 1 },
  { args: [...AT, '-D', 'one'], upnpcExit: 0 },
  { args: [...AT, '-G', '', '0', '@', '22'], upnpcExit: 0 },
  { args: [...AT, '-z', '80', '-l'], upnpcExit: 1 },
  { args: ['-z'], upnpcExit: 139 },
  { args: ['-t'], upnpcExit: 139 },
]

/** The mappings that the router has, and the rules of its firewall and NAT, pinholes among them. */
async function stateOf(lab: Lab): Promise<string> {
  const { stdout } = await quickUpnpc(lab, '-l')
  const mappings = stdout.match(/^ *\d+ (?:TCP|UDP) .*\n/gm) ?? []
  const rules = await lab.on('router', ['nft', 'list', 'ruleset'])
  return mappings.join('') + rules.stdout
}

/** upnpc without the two seconds of its search, for what works. */
async function quickUpnpc(lab: Lab, ...args: readonly string[]): Promise<Finished> {
  const url = args.includes('-6') ? DESCRIPTION_URL_IPV6 : DESCRIPTION_URL
  const finished = await lab.upnpc('-u', url, ...args)
  expect(finished).toMatchObject({ exit: 0, stderr: '' })
  expect(finished.stdout).not.toMatch(/ failed with code /)
  return finished
}

/** A router that has just been started, with some mappings. */
async function prepare(lab: Lab, igd: 1 | 2, { args, before = [], secureMode = false }: Comparison): Promise<void> {
  await lab.reboot({ igd, secureMode })
  for (const mapping of before) await quickUpnpc(lab, ...mapping)
  // In its first second, nobody says since when the router runs.
  if (args.includes('-l') || args.includes('-s')) await vi.waitFor(() => upForASecond(lab), { timeout: 5_000 })
}

const READING: ReadonlySet<string> = new Set(['-h', '-l', '-L', '-s', '-S', '-P', '-C', '-K', '-G'])

/** What changes nothing leaves the router as fresh as it was. */
function onlyReads({ args }: Comparison): boolean {
  return args.some((arg) => READING.has(arg))
}

async function upForASecond(lab: Lab): Promise<void> {
  expect((await quickUpnpc(lab, '-s')).stdout).toMatch(/ uptime=[1-9]/)
}

/** Labs that no comparison uses at the moment. */
const freeLabs: Lab[] = []
afterAll(() => Promise.all(freeLabs.map((lab) => lab.down())))

/** As upnpc would have it: what it says up to the local address, and then what is written out in the row. */
function asExpected(outcome: Outcome, { expected }: Comparison): Outcome {
  if (expected === undefined) return outcome
  const [preamble] = outcome.stdout.match(/^[\s\S]*^Local LAN ip address : .*\n/m) ?? ['(no local address)']
  const { stdout, stderr = '', exit } = expected
  return { stdout: preamble + stdout, stderr, exit }
}

/** Rows by their command lines, as one would type them. */
function named<Row extends { readonly args: readonly string[] }>(rows: readonly Row[]): [string, Row][] {
  return rows.map((row) => [row.args.map((arg) => (/^[\w.:/@+-]+$/.test(arg) ? arg : `'${arg}'`)).join(' '), row])
}

/** Without arguments upnpc writes its usage to stderr and its banner, alone, to stdout. */
let upnpcBanner: Promise<string> | undefined

function bannerOfUpnpc(lab: Lab): Promise<string> {
  upnpcBanner ??= lab.upnpc().then(({ stdout }) => stdout)
  return upnpcBanner
}

describe.each([1, 2] as const)('side by side, at an InternetGatewayDevice:%i', { timeout: 60_000 }, (igd) => {
  const comparisons = COMPARISONS.filter((each) => each.igd === undefined || each.igd === igd)
  test.concurrent.for(named(comparisons))('%s', async ([, comparison], { expect, onTestFinished }) => {
    const lab = freeLabs.pop() ?? (await Lab.up(ONLY_UPNP))
    onTestFinished(() => void freeLabs.push(lab))

    await prepare(lab, igd, comparison)
    const theirs = await lab.upnpc(...comparison.args)
    if (comparison.expected?.leaves !== undefined) {
      await prepare(lab, igd, { ...comparison, secureMode: false })
      for (const args of comparison.expected.leaves) await quickUpnpc(lab, ...args)
    }
    const theirState = await stateOf(lab)

    if (!onlyReads(comparison)) await prepare(lab, igd, comparison)
    const ours = await lab.upnpTs(...comparison.args)
    const ourState = await stateOf(lab)

    const banner = await bannerOfUpnpc(lab)
    expect(theirs.stdout.slice(0, banner.length)).toBe(banner)
    const theirOutcome = asExpected({ ...outcomeOf(theirs), stdout: theirs.stdout.slice(banner.length) }, comparison)
    const isHelp = comparison.args.includes('-h') // which has no banner
    const ourOutcome = { ...outcomeOf(ours), stdout: isHelp ? ours.stdout : belowBanner(ours.stdout) }
    expect(without('upnpTs', ourOutcome, comparison)).toEqual(without('upnpc', theirOutcome, comparison))
    expect(withoutInState('upnpTs', ourState)).toBe(withoutInState('upnpc', theirState))
  })
})

describe('words that cannot be meant', { timeout: 60_000 }, () => {
  test.concurrent.for(named(REFUSALS))('%s', async ([, { args, upnpcExit }], { expect, onTestFinished }) => {
    const lab = freeLabs.pop() ?? (await Lab.up(ONLY_UPNP))
    onTestFinished(() => void freeLabs.push(lab))
    await lab.reboot({ igd: 2, secureMode: false })
    const untouched = await stateOf(lab)

    const { stdout, stderr, exit } = await lab.upnpTs(...args)
    expect({ stdout: belowBanner(stdout), exit }).toEqual({ stdout: '', exit: 1 })
    expect(stderr).toMatch(/^(?:usage: upnp-ts -.+\n)?.+\n$/)
    expect(withoutInState('upnpTs', await stateOf(lab))).toBe(withoutInState('upnpTs', untouched))
    expect(await lab.upnpc(...args)).toMatchObject({ exit: upnpcExit })
  })
})

function outcomeOf({ stdout, stderr, exit }: Finished): Outcome {
  return { stdout, stderr, exit }
}
