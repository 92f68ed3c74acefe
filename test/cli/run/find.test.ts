/** Which gateway a command is for, of which protocol, on a network that a test makes up. */
import { describe, expect, it, vi } from 'vitest'
import { BANNER } from '../../../src/cli/print/usage.ts'
import { SEARCH_MS } from '../../../src/client/search/router-search.ts'
import { decodePcpRequest } from '../../../src/wire/pcp.ts'
import {
  addressReply,
  announceReply,
  answering,
  mapReply,
  NAT_PMP_ONLY,
  natPmpMapReply,
  type PortControlAnswering,
} from '../../support/port-control-replies.ts'
import { type CliResult, runCli, withoutBanner } from '../../support/run-cli.ts'

const ETH0 = { name: 'eth0', address: '192.168.1.10', netmask: '255.255.255.0', loopback: false }
const WIFI = { name: 'wlan0', address: '10.0.0.10', netmask: '255.255.255.0', loopback: false }
const ETH0_6 = { name: 'eth0', address: '2001:db8::5', netmask: '', prefixLength: 64, zone: 'eth0', loopback: false }

const GATEWAYS = { 4: ['192.168.1.1'], 6: ['fe80::1%eth0'] }
const NOBODY: PortControlAnswering = () => undefined

/** A router of PCP alone; the first byte is the version. */
const speaksPcp: PortControlAnswering = (request) => {
  if (request[0] !== 2) return undefined
  return decodePcpRequest(request).kind === 'ANNOUNCE-request' ? announceReply() : mapReply(request)
}

const speaksNatPmp: PortControlAnswering = (request) => {
  if (request[0] === 2) return NAT_PMP_ONLY
  return request[1] === 0 ? addressReply() : natPmpMapReply(request)
}

interface Ran extends CliResult {
  /** Whom it asked over UDP, and from which address. */
  readonly asked: readonly string[]
  readonly searched: readonly string[]
}

async function ran(
  argv: readonly string[],
  answer: PortControlAnswering,
  interfaces = [ETH0],
  known = GATEWAYS,
): Promise<Ran> {
  const { clock, datagrams } = answering(answer)
  const running = runCli(argv, {
    clock,
    datagrams,
    interfaces: () => interfaces,
    defaultGateways: (family) => Promise.resolve(known[family]),
  })
  let isOver = false
  running.then(() => {
    isOver = true
  })
  for (let passedMs = 0; !isOver && passedMs <= 3 * SEARCH_MS; passedMs += 50) await clock.advance(50)
  const result = await running
  await vi.waitFor(() => expect([clock.pending, datagrams.openCount]).toEqual([0, 0])) // the rehearsal may be at it
  const asked = datagrams.connections.map(
    ({ options: { localAddress, remote } }) => `${localAddress ?? 'any'} -> ${remote.address} ${remote.port}`,
  )
  return { ...result, asked: [...new Set(asked)], searched: [...new Set(datagrams.sent.map(({ to }) => to))] }
}

const SSH = ['-p', '', '-r', '22', 'TCP'] as const
const PINHOLE = ['-p', '', '-A', '', '0', '@', '8333', 'TCP', '60'] as const

describe('the gateway that a command is for', () => {
  it('is the one that speaks PCP, if no UPnP answers', async () => {
    const { stdout, exitCode, asked } = await ran(SSH, speaksPcp)
    expect(withoutBanner(stdout)).toBe(
      'Found valid PCP gateway : 192.168.1.1:5351\nLocal LAN ip address : 192.168.1.10\n' +
        'ExternalIPAddress = 11.22.33.44\nInternalIP:Port = 192.168.1.10:22\n' +
        'external 11.22.33.44:22 TCP is redirected to internal 192.168.1.10:22 (duration=7200)\n',
    )
    expect(exitCode).toBe(0)
    expect(asked).toEqual(['any -> 192.168.1.1 5351', '192.168.1.10 -> 192.168.1.1 5351'])
  })

  it('is the one that speaks NAT-PMP, if there is no PCP either', async () => {
    const { stdout, exitCode } = await ran(SSH, speaksNatPmp)
    expect(stdout).toContain('\nFound valid NAT-PMP gateway : 192.168.1.1:5351\n')
    expect(stdout).toContain('external 11.22.33.44:22 TCP is redirected to internal 192.168.1.10:22 (duration=7200)\n')
    expect(exitCode).toBe(0)
  })

  it('is searched for over no other protocol than that of --via', async () => {
    const igd = await ran(['--via', 'igd', ...SSH], speaksPcp)
    expect([igd.asked, igd.exitCode]).toEqual([[], 1])
    const pcp = await ran(['--via', 'pcp', ...SSH], speaksPcp)
    expect([pcp.searched, pcp.exitCode]).toEqual([[], 0])
    expect((await ran(['--via', 'nat-pmp', ...SSH], speaksPcp)).exitCode).toBe(1)
  })

  it('is an IGD if only that will do; a gateway that answers otherwise is named', async () => {
    const { stdout, stderr, exitCode } = await ran(['-p', '', '-l'], speaksPcp)
    expect(stdout).toBe(BANNER)
    expect(stderr).toBe(
      'No IGD UPnP Device found on the network !\n' +
        'hint: searched 4.0 s on eth0 (192.168.1.10); no router answered over UPnP. 192.168.1.1 speaks PCP, ' +
        'which opens and closes ports (-r, -a, -n, -d), but only UPnP can do this: switch it on in the router.\n',
    )
    expect(exitCode).toBe(1)
  })

  it('is over IPv6 if PCP is to open a pinhole, with or without -6', async () => {
    for (const line of [PINHOLE, ['-6', ...PINHOLE]]) {
      const { stdout, asked, exitCode } = await ran(['--via', 'pcp', ...line], speaksPcp, [ETH0, ETH0_6])
      expect(asked[0]).toBe('any -> fe80::1%eth0 5351')
      expect(stdout).toContain('\nFound valid PCP gateway : [fe80::1%eth0]:5351\n')
      expect(exitCode).toBe(0)
    }
  })

  it('is over IPv4 if a port is to be mapped, whatever -6 says about the search', async () => {
    const { asked } = await ran(['-6', '--via', 'pcp', ...SSH], speaksPcp, [ETH0, ETH0_6])
    expect(asked[0]).toBe('any -> 192.168.1.1 5351')
  })
})

describe('the search in vain, in JSON', () => {
  it('is an object that says where it was, and how long in whole milliseconds', async () => {
    const { stdout } = await ran(['--json', '--via', 'igd', '-l'], NOBODY)
    expect(stdout.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]))).toMatchObject([
      {
        type: 'error',
        searched: {
          searchedMs: SEARCH_MS,
          interfaces: [{ name: 'eth0', address: '192.168.1.10' }],
          defaultGateways: ['192.168.1.1'],
        },
      },
    ])
  })
})

describe('--gateway', () => {
  it('is asked and nobody else, on its port', async () => {
    const { asked, searched } = await ran(['--gateway', '10.2.0.1:5350', ...SSH], speaksPcp)
    expect(asked[0]).toBe('any -> 10.2.0.1 5350')
    expect(searched).toEqual(['10.2.0.1:1900'])
    const overIPv6 = await ran(['--gateway', '[fe80::9%eth0]:5350', '--via', 'pcp', ...PINHOLE], speaksPcp, [ETH0_6])
    expect(overIPv6.asked[0]).toBe('any -> fe80::9%eth0 5350')
  })

  it('is named if it does not answer', async () => {
    const { stderr, exitCode } = await ran(['--gateway', '10.2.0.1', '--via', 'nat-pmp', ...SSH], NOBODY)
    expect(stderr).toBe(
      'No NAT-PMP gateway found on the network !\nhint: asked for 4.0 s: 10.2.0.1 does not answer NAT-PMP. ' +
        'The gateway of a VPN speaks NAT-PMP only if that is switched on in its profile (ProtonVPN: +pmp after the ' +
        'user name). Name another router with --gateway, or leave --via out.\n',
    )
    expect(exitCode).toBe(1)
  })

  it('is not asked over PCP for a pinhole if its address is IPv4, which does not help', async () => {
    const { asked, exitCode } = await ran(['--gateway', '192.168.1.1', ...PINHOLE], speaksPcp)
    expect([asked, exitCode]).toEqual([[], 1])
  })

  it('is needed if there is no default gateway', async () => {
    const { stderr, exitCode } = await ran(['--via', 'pcp', ...SSH], NOBODY, [ETH0], { 4: [], 6: [] })
    expect(stderr).toBe(
      'No PCP gateway found on the network !\n' +
        'hint: this computer has no default gateway to ask; name the router with --gateway\n',
    )
    expect(exitCode).toBe(1)
  })
})

describe('-m', () => {
  const BOTH = { 4: ['192.168.1.1', '10.0.0.1'], 6: ['fe80::1%eth0', 'fe80::2%wlan0'] }

  it('is where the gateway that is asked has to be, and from where it is asked', async () => {
    const asked = async (...argv: string[]) =>
      (await ran([...argv, '--via', 'nat-pmp', ...SSH], NOBODY, [ETH0, WIFI], BOTH)).asked
    expect(await asked()).toEqual(['any -> 198.41.0.4 53', 'any -> 192.168.1.1 5351']) // nothing is sent to the first
    expect(await asked('-m', 'wlan0')).toEqual(['10.0.0.10 -> 10.0.0.1 5351'])
    expect(await asked('-m', '192.168.1.10')).toEqual(['192.168.1.10 -> 192.168.1.1 5351'])
  })

  it('is of IPv6 if a pinhole is to be opened', async () => {
    const line = ['-m', 'eth0', '-6', '--via', 'pcp', ...PINHOLE]
    expect((await ran(line, NOBODY, [ETH0, ETH0_6, WIFI], BOTH)).asked).toEqual(['any -> fe80::1%eth0 5351'])
    const without = ['-m', 'eth0', '--via', 'pcp', ...PINHOLE]
    expect((await ran(without, NOBODY, [ETH0, ETH0_6, WIFI], BOTH)).asked).toEqual(['any -> fe80::1%eth0 5351'])
  })
})
