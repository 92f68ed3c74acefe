/** What -l, -L, -s, -S and -r say about a router that does not know something, or says something that is none. */
import { afterEach, describe, expect, it } from 'vitest'
import { reportPortControlStatus } from '../../../src/cli/run/list-and-status.ts'
import { outcome, sceneOf } from '../../support/fake-port-control.ts'
import { type CliResult, runCli, withoutBanner } from '../../support/run-cli.ts'
import {
  type Answer,
  http,
  type ScriptedGateway,
  scriptedGateway,
  soapActionOf,
  soapFault,
  soapResponse,
} from '../../support/scripted-gateway.ts'

const tag = (name: string, value: string | number): string => `<${name}>${value}</${name}>`
const service = (type: string, url: string): string =>
  `<service>${tag('serviceType', `urn:schemas-upnp-org:service:${type}:1`)}${tag('controlURL', url)}</service>`
const DESCRIPTION = `<root><device>${tag('deviceType', 'urn:schemas-upnp-org:device:InternetGatewayDevice:1')}<serviceList>${[
  service('WANIPConnection', '/ctl'),
  service('WANCommonInterfaceConfig', '/common'),
  service('WANIPv6FirewallControl', '/fw'),
].join('')}</serviceList></device></root>`

const ENTRY = [
  tag('NewInternalPort', 80),
  tag('NewInternalClient', '127.0.0.1'),
  tag('NewEnabled', 1),
  tag('NewPortMappingDescription', 'x'),
  tag('NewLeaseDuration', 0),
].join('')

const USUAL: Readonly<Record<string, string>> = {
  GetStatusInfo: tag('NewConnectionStatus', 'Connected') + tag('NewUptime', 1),
  GetExternalIPAddress: tag('NewExternalIPAddress', '11.22.33.44'),
  AddPortMapping: '',
  GetSpecificPortMappingEntry: ENTRY,
}

let gateway: ScriptedGateway | undefined
afterEach(() => gateway?.close())

/** A router that answers these actions so, and refuses all others. */
async function ran(argv: readonly string[], answers: Readonly<Record<string, string>> = {}): Promise<CliResult> {
  gateway = await scriptedGateway((request): Answer => {
    if (request.method === 'GET') return http(200, DESCRIPTION)
    const [serviceType = '', action = ''] = soapActionOf(request).split('#')
    const index = /<NewPortMappingIndex>(\d+)</.exec(request.body)?.[1]
    const answer = { ...USUAL, ...answers }[index === undefined ? action : `${action} ${index}`]
    return answer === undefined
      ? http(500, soapFault(index === undefined ? 501 : 713))
      : http(200, soapResponse(action, answer, serviceType))
  })
  return runCli(['-u', gateway.url('/x'), ...argv])
}

const asked = (): string[] => (gateway?.requests ?? []).map((request) => soapActionOf(request).split('#')[1] ?? 'GET')
const linesOf = ({ stdout }: CliResult): string[] => withoutBanner(stdout).split('\n').slice(2, -1)
const objectOf = ({ stdout }: CliResult, type: string) =>
  stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))
    .find((each) => each.type === type)

const externalAddress = (text: string) => ({ GetExternalIPAddress: tag('NewExternalIPAddress', text) })

describe('what a router does not tell', () => {
  it('is unknown in the counters, and null in JSON', async () => {
    const counters = {
      GetTotalBytesSent: tag('NewTotalBytesSent', 0),
      GetTotalBytesReceived: tag('NewTotalBytesReceived', 'x'),
    }
    expect(linesOf(await ran(['-s'], counters)).slice(-2)).toEqual([
      'Bytes:   Sent:        0\tRecv:  unknown',
      'Packets: Sent:  unknown\tRecv:  unknown',
    ])
    expect(objectOf(await ran(['-s', '--json'], counters), 'traffic')).toEqual({
      ...{ type: 'traffic', bytesSent: 0, bytesReceived: null, packetsSent: null, packetsReceived: null },
    })
  })

  it('is unknown in the flags of the firewall', async () => {
    const result = await ran(['-S'])
    expect(linesOf(result).slice(0, 4)).toEqual([
      'FirewallEnabled: unknown & Inbound Pinhole Allowed: unknown',
      'GetFirewallStatus:',
      '   Firewall Enabled: unknown',
      '   Inbound Pinhole Allowed: unknown',
    ])
    expect(result.exitCode).toBe(2)
    const half = await ran(['-S'], { GetFirewallStatus: tag('FirewallEnabled', 1) })
    expect(linesOf(half)[0]).toBe('FirewallEnabled: unknown & Inbound Pinhole Allowed: unknown')
  })

  it('is a counter under another name, if there is only that one (Vigor 2860)', async () => {
    const misspelt = { GetTotalPacketsReceived: tag('NewTotalPacketReceived', 16096822) }
    expect(linesOf(await ran(['-s'], misspelt)).at(-1)).toBe('Packets: Sent:  unknown\tRecv: 16096822')
    const two = { GetTotalPacketsReceived: tag('NewTotalPacketReceived', 1) + tag('x', 2) }
    expect(linesOf(await ran(['-s'], two)).at(-1)).toBe('Packets: Sent:  unknown\tRecv:  unknown')
  })
})

describe('an external address', () => {
  const NONE = 'hint: the router has no internet address: it is not connected, or it is behind another router\n'

  it.each(['0.0.0.0', '::'])('that is %s is none', async (address) => {
    for (const letter of ['-s', '-l']) {
      const result = await ran([letter], externalAddress(address))
      expect(result.stdout).toContain(`GetExternalIPAddress failed. (${address})\n`)
      expect([result.stderr, result.exitCode]).toEqual([NONE, 0])
    }
    const mapped = await ran(['-r', '80', 'TCP'], externalAddress(address))
    expect(linesOf(mapped)[0]).toBe('ExternalIPAddress = ')
    expect(linesOf(mapped).at(-1)).toBe('external :80 TCP is redirected to internal 127.0.0.1:80 (duration=0)')
    expect(mapped.stderr).toBe(NONE)
    const json = await ran(['-r', '80', 'TCP', '--json'], externalAddress(address))
    expect(objectOf(json, 'external-address')).toMatchObject({ ok: true, address: null })
    expect(objectOf(json, 'mapped')).toMatchObject({ externalAddress: null })
  })

  it.each(['abc', '999.1.1.1', '\u202e4.3.2.1', 'x'.repeat(3000)])('that is %.12j is shown nowhere', async (told) => {
    for (const argv of [['-s'], ['-l'], ['-r', '80', 'TCP'], ['-s', '--json'], ['-r', '80', 'TCP', '--json']]) {
      const { stdout, stderr } = await ran(argv, externalAddress(told))
      expect((stdout + stderr).replaceAll('expected an address', '')).not.toContain(told.slice(0, 12))
      if (argv.includes('--json')) expect(stdout).not.toMatch(/"(externalAddress|address)":"[^1]/)
    }
    const mapped = await ran(['-r', '80', 'TCP'], externalAddress(told))
    expect(linesOf(mapped)[0]).toBe('GetExternalIPAddress failed.')
    expect(mapped.stderr).toContain('the router does not tell its external address now')
    expect(mapped.exitCode).toBe(0)
  })

  it('that is none ends -s with exit 2 if there is no status either', async () => {
    const status = { GetStatusInfo: '' }
    expect((await ran(['-s'], { ...status, ...externalAddress('0.0.0.0') })).exitCode).toBe(2)
    expect((await ran(['-s'], status)).exitCode).toBe(0)
  })

  it.each(['10.0.0.1', '172.16.0.1', '192.168.0.2', '100.64.0.1', '169.254.1.1', '127.0.0.1', '0.1.2.3'])(
    'of another network, such as %s, has another NAT in front of it',
    async (address) => {
      const hint = `hint: ${address}, the address of the router, is not an internet address: another router or the NAT of the provider is in front of it, and a port has to be opened there too\n`
      for (const argv of [['-s'], ['-l'], ['-r', '80', 'TCP']])
        expect((await ran(argv, externalAddress(address))).stderr).toBe(hint)
    },
  )

  it.each(['11.22.33.44', '192.0.2.1', '198.51.100.7', '203.0.113.9'])(
    'of the internet, such as %s, has none',
    async (address) => {
      for (const argv of [['-s'], ['-l'], ['-r', '80', 'TCP']])
        expect((await ran(argv, externalAddress(address))).stderr).toBe('')
    },
  )

  it('that cannot be had is said once, however many ports are opened', async () => {
    const { stderr, exitCode } = await ran(['-r', '80', '81', 'TCP', '80', '82', 'TCP'], { GetExternalIPAddress: '' })
    expect(
      stderr.match(/^hint: the router does not tell its external address now \(.*\); -s asks for it again$/gm),
    ).toHaveLength(1)
    expect(exitCode).toBe(0)
  })

  it.each(['pcp', 'nat-pmp'] as const)('is none or private over %s too', async (protocol) => {
    const statusWith = async (address: string) => {
      const { chosen, context } = sceneOf({ protocol, externalAddress: () => address })
      const { reports, ended } = await outcome(reportPortControlStatus(chosen, context))
      return [reports.filter(({ type }) => type === 'notice'), ended]
    }
    const notice = (address: string) => [{ type: 'notice', kind: 'address-not-public', address }]
    expect(await statusWith('11.22.33.44')).toEqual([[], 0])
    expect(await statusWith('2001:db8::1')).toEqual([[], 0])
    expect(await statusWith('100.64.0.1')).toEqual([notice('100.64.0.1'), 0])
    expect(await statusWith('0.0.0.0')).toEqual([notice(''), 2])
    expect(await statusWith('::')).toEqual([notice(''), 2])
  })
})

describe('-L', () => {
  const LISTED = { GetListOfPortMappings: '<NewPortListing>&lt;PortMappingList/&gt;</NewPortListing>' }

  it('asks a router of more than 128 entries for one after another, and says why', async () => {
    const row = tag('NewExternalPort', 80) + tag('NewProtocol', 'TCP') + ENTRY
    const answers = { ...LISTED, 'GetGenericPortMappingEntry 128': row, 'GetGenericPortMappingEntry 0': row }
    const { stdout, stderr, exitCode } = await ran(['-L'], answers)
    expect(asked()).not.toContain('GetListOfPortMappings')
    expect(stdout).toContain(" 0 TCP    80->127.0.0.1:80    'x' '' 0\n")
    expect(stderr).toMatch(
      /^hint: the router has more than 128 entries, and some \(miniupnpd 2\.3\.1\) break down .*\n$/,
    )
    expect(exitCode).toBe(0)
  })

  it('asks any other for all at once', async () => {
    const { stderr, exitCode } = await ran(['-L'], LISTED)
    expect(asked()).toEqual(['GET', 'GetGenericPortMappingEntry', 'GetListOfPortMappings', 'GetListOfPortMappings'])
    expect([stderr, exitCode]).toEqual(['', 0])
  })
})

describe('-6', () => {
  const HINT =
    'hint: ports are opened over IPv4 only, with -6 too; -6 -A "" 0 @ PORT PROTOCOL 3600 lets the IPv6 internet in\n'

  it('opens ports over IPv4 all the same, and says so', async () => {
    for (const argv of [
      ['-r', '80', 'TCP'],
      ['-a', '@', '80', '80', 'TCP'],
      ['-n', '@', '80', '80', 'TCP'],
    ]) {
      const { stderr, exitCode } = await ran(['-6', ...argv], { AddAnyPortMapping: tag('NewReservedPort', 80) })
      expect([stderr, exitCode]).toEqual([HINT, 0])
    }
    expect((await ran(['-6', '-l'])).stderr).not.toContain('IPv4')
  })
})
