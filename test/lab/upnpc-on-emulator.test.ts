/**
 * `upnp-ts emulate` in place of a router, on the computer of a lab: real upnpc, which knows nothing of it, gets
 * everything done there, letter by letter.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Lab, upnpTsCommand } from './lab.ts'

const ON_LOOPBACK = '127.0.0.1'
const CLIENT_IPV6 = '2001:db8:86::250'

interface Step {
  readonly args: readonly string[]
  /** What shows that it worked, or in which way it was refused: lines of upnpc's standard output, in this order. */
  readonly says: readonly string[]
  readonly exit?: number
}

const HEADER = ' i protocol exPort->inAddr:inPort description remoteHost leaseTime'
const mapped = (port: number, protocol: string, internal: string, leaseSeconds: number): string =>
  `external 11.22.33.44:${port} ${protocol} is redirected to internal ${internal} (duration=${leaseSeconds})`
const PINHOLE = `([]:0 -> [${CLIENT_IPV6}]:8022)`

/** One after the other, on one gateway; upnpc 2.2.4 says success (0) for what it was refused with -L -A -U -C -K -D -G. */
const STEPS: readonly Step[] = [
  {
    args: ['-s'],
    says: ['Connection Type : IP_Routed', 'ExternalIPAddress = 11.22.33.44', 'Bytes:   Sent:        0\tRecv:        0'],
  },
  { args: ['-P'], says: ['Presentation URL found:'] },
  { args: ['-l'], says: [HEADER, 'GetGenericPortMappingEntry() returned 713 (SpecifiedArrayIndexInvalid)'] },
  {
    args: ['-L'],
    says: [
      'GetListOfPortMappings() returned 730 (UnknownError)',
      'GetListOfPortMappings() returned 730 (UnknownError)',
    ],
  },
  {
    args: ['-e', 'ssh', '-r', '22', 'TCP', '53', '5353', 'udp'],
    says: [mapped(22, 'TCP', '127.0.0.1:22', 604800), mapped(5353, 'UDP', '127.0.0.1:53', 604800)],
  },
  { args: ['-a', '@', '80', '8080', 'TCP', '600'], says: [mapped(8080, 'TCP', '127.0.0.1:80', 600)] },
  {
    args: ['-a', '127.0.0.2', '22', '22', 'TCP'],
    says: ['AddPortMapping(22, 22, 127.0.0.2) failed with code 718 (ConflictInMappingEntry)'],
    exit: 2,
  },
  { args: ['-l'], says: [HEADER, " 0 TCP    22->127.0.0.1:22    'ssh' '' 604800"] },
  {
    args: ['-L'],
    says: [
      HEADER,
      " 0 TCP  8080->127.0.0.1:80    'libminiupnpc' '' 600",
      " 1 TCP    22->127.0.0.1:22    'ssh' '' 604800",
      " 2 UDP  5353->127.0.0.1:53    'ssh' '' 604800",
    ],
  },
  { args: ['-n', '127.0.0.2', '22', '22', 'TCP', '600'], says: ['InternalIP:Port = 127.0.0.2:22'] },
  { args: ['-d', '5353', 'UDP'], says: ['UPNP_DeletePortMapping() returned : 0'] },
  { args: ['-d', '5353', 'UDP'], says: ['UPNP_DeletePortMapping() failed with code : 714'], exit: 2 },
  { args: ['-N', '8000', '9000', 'TCP'], says: ['UPNP_DeletePortMappingRange() returned : 0'] },
  { args: ['-N', '8000', '9000', 'TCP'], says: ['UPNP_DeletePortMappingRange() failed with code : 730'], exit: 2 },
  {
    args: ['-S'],
    says: [
      'FirewallEnabled: 1 & Inbound Pinhole Allowed: 1',
      '   Inbound Pinhole Allowed: Yes',
      'Packets: Sent:        0\tRecv:        0',
    ],
  },
  { args: ['-A', '', '0', CLIENT_IPV6, '8022', 'TCP', '600'], says: [`AddPinhole: ${PINHOLE} / Pinhole ID = 1`] },
  {
    args: ['-A', '2001:db8:ff::99', '80', CLIENT_IPV6, '8053', '17', '600'],
    says: [`AddPinhole: ([2001:db8:ff::99]:80 -> [${CLIENT_IPV6}]:8053) / Pinhole ID = 2`],
  },
  {
    args: ['-A', '', '0', '@', '8022', 'TCP', '600'],
    says: ['AddPinhole([]:0 -> [127.0.0.1]:8022) failed with code 402 (Invalid Args)'],
  },
  {
    args: ['-C', '1', '77'],
    says: [
      'CheckPinholeWorking: Pinhole ID = 1 / IsWorking = Yes',
      'CheckPinholeWorking() failed with code 704 (NoSuchEntry)',
    ],
  },
  {
    args: ['-U', '1', '900'],
    says: [
      'CheckPinholeWorking: Pinhole ID = 1 / IsWorking = Yes',
      'UpdatePinhole: Pinhole ID = 1 with Lease Time: 900',
    ],
  },
  { args: ['-U', '77', '900'], says: ['CheckPinholeWorking() failed with code 704 (NoSuchEntry)'] },
  {
    args: ['-K', '1', '77'],
    says: [
      'GetPinholePackets: Pinhole ID = 1 / PinholePackets = 1',
      'GetPinholePackets() failed with code 704 (NoSuchEntry)',
    ],
  },
  {
    args: ['-G', '', '0', CLIENT_IPV6, '8022', '6'],
    says: [`GetOutboundPinholeTimeout: ([${CLIENT_IPV6}]:8022 -> []:0) / Timeout = 120`],
  },
  {
    args: ['-D', '1', '2', '77'],
    says: [
      'UPNP_DeletePinhole() returned : 0',
      'UPNP_DeletePinhole() returned : 0',
      'UPNP_DeletePinhole() returned : 704',
    ],
  },
  { args: ['-C', '1'], says: ['CheckPinholeWorking() failed with code 704 (NoSuchEntry)'] },
]

/** A router of version 1: leases without end, and 401 to whatever came with version 2. */
const IGD1_STEPS: readonly Step[] = [
  { args: ['-s'], says: ['Connection Type : IP_Routed', 'ExternalIPAddress = 11.22.33.44'] },
  { args: ['-a', '@', '80', '8080', 'TCP', '0'], says: [mapped(8080, 'TCP', '127.0.0.1:80', 0)] },
  { args: ['-a', '@', '53', '53', 'UDP', '600'], says: [mapped(53, 'UDP', '127.0.0.1:53', 600)] },
  { args: ['-l'], says: [HEADER, " 0 TCP  8080->127.0.0.1:80    'libminiupnpc' '' 0"] },
  {
    args: ['-n', '@', '22', '22', 'TCP'],
    says: ['AddAnyPortMapping(22, 22, 127.0.0.1) failed with code 401 (Invalid Action)'],
    exit: 2,
  },
  {
    args: ['-L'],
    says: [
      'GetListOfPortMappings() returned 401 (Invalid Action)',
      'GetListOfPortMappings() returned 401 (Invalid Action)',
    ],
  },
  { args: ['-N', '1', '9', 'TCP'], says: ['UPNP_DeletePortMappingRange() failed with code : 401'], exit: 2 },
  { args: ['-S'], says: ['FirewallEnabled: 0 & Inbound Pinhole Allowed: 0'] },
  { args: ['-d', '8080', 'TCP'], says: ['UPNP_DeletePortMapping() returned : 0'] },
  { args: ['-d', '8080', 'TCP'], says: ['UPNP_DeletePortMapping() failed with code : 714'], exit: 2 },
]

describe.each([
  ['emulate', STEPS],
  ['emulate --quirk igd1', IGD1_STEPS],
] as const)('upnpc at upnp-ts %s', { timeout: 60_000 }, (command, steps) => {
  let lab: Lab
  let url: string
  beforeAll(async () => {
    lab = await Lab.up()
    await lab.stopRouter()
    const emulator = lab.spawn('computer', upnpTsCommand(...command.split(' ')))
    url = (await emulator.says(/^(http:.+)\n/))[1] ?? ''
  })
  afterAll(() => lab.down())

  test.each(steps.map((step) => [step.args.join(' '), step] as const))('%s', async (_, { args, says, exit = 0 }) => {
    const finished = await lab.upnpc('-u', url, ...args)
    expect(finished).toMatchObject({ stderr: '', exit })
    const lines = finished.stdout.split('\n')
    expect(lines).toContain(`Local LAN ip address : ${ON_LOOPBACK}`)
    expect(lines.filter((line) => says.includes(line))).toEqual(says)
  })

  test.each([
    ['-m', 'lo'],
    ['-m', ON_LOOPBACK],
  ])('is found by multicast: %s %s', async (...interfaceOption) => {
    const { stdout, stderr, exit } = await lab.upnpc(...interfaceOption, '-s')
    expect({ stderr, exit }).toEqual({ stderr: '', exit: 0 })
    expect(stdout).toContain(` desc: ${url}\n st: urn:schemas-upnp-org:device:InternetGatewayDevice:1\n`)
    expect(stdout).toContain('ExternalIPAddress = 11.22.33.44\n')
  })
})
