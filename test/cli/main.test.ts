/** Whole runs inside the test: real parsing, a real (emulated) gateway on loopback, text, JSON and exit codes. */
import { afterEach, describe, expect, it } from 'vitest'
import type { RunContext } from '../../src/cli/context.ts'
import { briefUsage } from '../../src/cli/print/help/brief.ts'
import { firstScreen, helpOn } from '../../src/cli/print/help/help.ts'
import { BANNER } from '../../src/cli/print/usage.ts'
import type { Surroundings } from '../../src/cli/surroundings.ts'
import { SEARCH_MS } from '../../src/client/search/router-search.ts'
import { VERSION } from '../../src/domain/version.ts'
import { type Emulator, type EmulatorOptions, type Quirk, startEmulator } from '../../src/emulator.ts'
import type { Datagrams } from '../../src/net/datagrams.ts'
import { createHttpClient, type HttpClient, type HttpRequest } from '../../src/net/http/client.ts'
import { leanExchange } from '../../src/net/http/lean-exchange.ts'
import { FakeClock, settle } from '../support/fake-clock.ts'
import { type CliResult, runCli, withoutBanner } from '../support/run-cli.ts'
import { http, type ScriptedGateway, scriptedGateway, soapActionOf, soapResponse } from '../support/scripted-gateway.ts'

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

async function emulated(options: EmulatorOptions = {}): Promise<Emulator> {
  const emulator = await startEmulator(options)
  closing.push(() => emulator.close())
  return emulator
}

async function scripted(answer: Parameters<typeof scriptedGateway>[0]): Promise<ScriptedGateway> {
  const gateway = await scriptedGateway(answer)
  closing.push(() => gateway.close())
  return gateway
}

/** The text below the banner, with what differs from run to run made the same. */
function steady(text: string): string {
  return withoutBanner(text)
    .replaceAll(/127\.0\.0\.1:\d{2,5}\//g, '127.0.0.1:PORT/')
    .replaceAll(/uptime=\d+s/g, 'uptime=Ns')
    .replaceAll(/ {2}Time started : .*\n/g, '')
}

function objects(stdout: string): Record<string, unknown>[] {
  const lines = stdout.split('\n')
  expect(lines.pop()).toBe('')
  return lines.map((line) => JSON.parse(line))
}

const FOUND = `List of UPNP devices found on the network :
 desc: http://127.0.0.1:PORT/rootDesc.xml
 st: urn:schemas-upnp-org:device:InternetGatewayDevice:1

Found valid IGD : http://127.0.0.1:PORT/control/WANIPConnection
Local LAN ip address : 127.0.0.1
`

const STATE = `Connection Type : IP_Routed
Status : Connected, uptime=Ns, LastConnectionError : ERROR_NONE
MaxBitRateDown : 1000000000 bps (1000.0 Mbps)   MaxBitRateUp 1000000000 bps (1000.0 Mbps)
ExternalIPAddress = 11.22.33.44
`

const HEADING = ' i protocol exPort->inAddr:inPort description remoteHost leaseTime\n'

describe('--emulate finds a gateway of its own and runs', () => {
  it.each<[string, readonly string[], string]>([
    ['-l', ['-l'], STATE + HEADING],
    [
      '-l as upnpc 2.1',
      ['-l', '--compat', '2.1'],
      `${STATE}${HEADING}GetGenericPortMappingEntry() returned 713 (SpecifiedArrayIndexInvalid)\n`,
    ],
    ['-s', ['-s'], `${STATE}Bytes:   Sent:        0\tRecv:        0\nPackets: Sent:        0\tRecv:        0\n`],
    ['-P', ['-P'], 'Presentation URL found:\n            http://127.0.0.1:PORT/rootDesc.xml\n'],
    [
      '-r',
      ['-r', '22', 'TCP'],
      'ExternalIPAddress = 11.22.33.44\nInternalIP:Port = 127.0.0.1:22\n' +
        'external 11.22.33.44:22 TCP is redirected to internal 127.0.0.1:22 (duration=604800)\n',
    ],
    [
      '-r with several',
      ['-r', '80', '8080', 'TCP', '53', 'udp'],
      'ExternalIPAddress = 11.22.33.44\nInternalIP:Port = 127.0.0.1:80\n' +
        'external 11.22.33.44:8080 TCP is redirected to internal 127.0.0.1:80 (duration=604800)\n' +
        'ExternalIPAddress = 11.22.33.44\nInternalIP:Port = 127.0.0.1:53\n' +
        'external 11.22.33.44:53 UDP is redirected to internal 127.0.0.1:53 (duration=604800)\n',
    ],
    [
      '-a',
      ['-a', '192.168.1.5', '80', '8080', 'TCP', '3600', '1.2.3.4'],
      'ExternalIPAddress = 11.22.33.44\nInternalIP:Port = 192.168.1.5:80\n' +
        'external 11.22.33.44:8080 TCP is redirected to internal 192.168.1.5:80 (duration=3600)\n',
    ],
  ])('%s', async (_, argv, expected) => {
    const { stdout, stderr, exitCode } = await runCli(['--emulate', ...argv])
    expect(stdout.startsWith(BANNER)).toBe(true)
    expect(steady(stdout)).toBe(FOUND + expected)
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 })
  })

  it('a word that is no command, without the banner', async () => {
    const { stdout, stderr, exitCode } = await runCli(['opne', '34197/udp'])
    const line = "'opne' is not a command; did you mean open? Try: upnp-ts open 34197/udp\n"
    expect({ stdout, stderr, exitCode }).toEqual({ stdout: '', stderr: line, exitCode: 1 })
  })

  it('-d of what is not there, which is a failure with a hint', async () => {
    const { stdout, stderr, exitCode } = await runCli([
      '--emulate',
      '--quirk',
      'refuse=DeletePortMapping:714',
      '-d',
      '22',
      'TCP',
    ])
    expect(steady(stdout)).toBe(`${FOUND}UPNP_DeletePortMapping() failed with code : 714\n`)
    expect(stderr).toBe('hint: there is no such entry; -l shows what there is\n')
    expect(exitCode).toBe(2)
  })

  it.each<[readonly string[], readonly string[], number]>([
    [['-l'], ['connection-type', 'status', 'link-rates', 'external-address', 'listing', 'listing-end'], 0],
    [['-s'], ['connection-type', 'status', 'link-rates', 'external-address', 'traffic'], 0],
    [['-P'], ['presentation-url'], 0],
    [['-r', '22', 'TCP'], ['external-address', 'mapped'], 0],
    [['-a', '@', '80', '8080', 'TCP'], ['external-address', 'mapped'], 0],
    [['-d', '22', 'TCP'], ['unmapped'], 0],
    [['-d', '22', 'TCP', '--quirk', 'refuse=DeletePortMapping:714'], ['unmap-failed'], 2],
  ])('%j as JSON and nothing else', async (argv, types, code) => {
    const { stdout, stderr, exitCode } = await runCli(['--emulate', ...argv, '--json'])
    expect(objects(stdout).map(({ type }) => type)).toEqual(['device', 'gateway', 'local-address', ...types])
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: code })
  })
})

describe('--quirk', () => {
  it('makes the emulated gateway one that refuses, and one of version 1, whose leases have no end', async () => {
    const quirks = ['--quirk', 'igd1', '--quirk', 'refuse=AddPortMapping:718:1']
    const { stdout, exitCode } = await runCli(['--emulate', ...quirks, '-r', '22', 'TCP', '80', 'TCP'])
    expect(stdout.match(/^(AddPort|external).*$/gm)).toEqual([
      'AddPortMapping(22, 22, 127.0.0.1) failed with code 718 (ConflictInMappingEntry)',
      'external 11.22.33.44:80 TCP is redirected to internal 127.0.0.1:80 (duration=0)',
    ])
    expect(exitCode).toBe(2)
  })

  it.each([
    [
      'igd2',
      "--quirk: 'igd2' is not a quirk: there are igd1, late-search=MS and refuse=ACTION:CODE[:TIMES], as in: upnp-ts -l --emulate --quirk igd1\n",
    ],
    ['late-search=99999', 'late-search: the delay must be 0 to 60000 ms: 99999\n'],
    [
      'refuse=Reboot:501',
      /^refuse: unknown operation 'Reboot'; the known ones are GetConnectionTypeInfo, .*, map-tcp\n$/,
    ],
  ])('%s, which cannot be, is one clear line and exit 1', async (quirk, line) => {
    for (const argv of [['emulate'], ['--emulate', '-l']]) {
      const { stderr, exitCode } = await runCli([...argv, '--quirk', quirk])
      expect(stderr).toMatch(line)
      expect(exitCode).toBe(1)
    }
  })
})

describe('the walk of the README on one gateway', () => {
  it('maps, lists, deletes and lists again', async () => {
    const { descriptionUrl } = await emulated()
    const run = async (...argv: string[]): Promise<CliResult> => runCli(['-u', descriptionUrl, ...argv])
    const lastLine = ({ stdout }: CliResult): string => stdout.split('\n').at(-2) ?? ''
    expect(await run('-r', '22', 'TCP', '-e', 'it\'s <me> & "you"')).toMatchObject({ exitCode: 0, stderr: '' })
    expect(lastLine(await run('-l'))).toBe(` 0 TCP    22->127.0.0.1:22    'it's <me> & "you"' '' 604800`)
    expect(lastLine(await run('-d', '22', 'TCP'))).toBe('UPNP_DeletePortMapping() returned : 0')
    expect(lastLine(await run('-l'))).toBe(HEADING.trimEnd())
  })
})

describe('what the gateway refuses', () => {
  it('718 if another computer has the port: a line, a hint, exit 2, and the other one keeps it', async () => {
    const emulator = await emulated()
    await runCli(['-u', emulator.descriptionUrl, '-a', '127.0.0.9', '80', '8080', 'TCP'])
    const { stdout, stderr, exitCode } = await runCli(['-u', emulator.descriptionUrl, '-r', '80', '8080', 'TCP'])
    expect(stdout.endsWith('AddPortMapping(8080, 80, 127.0.0.1) failed with code 718 (ConflictInMappingEntry)\n')).toBe(
      true,
    )
    expect(stderr).toBe(
      "hint: external port 8080 TCP already leads to 127.0.0.9:80 ('upnp-ts'); " +
        'take another external port, or, if that was this computer, -d 8080 TCP closes it\n',
    )
    expect(exitCode).toBe(2)
    expect(emulator.mappings().map(({ internalClient }) => internalClient)).toEqual(['127.0.0.9'])
  })

  it('one of several mappings: the others are made, and it is exit 2', async () => {
    const emulator = await emulated()
    await runCli(['-u', emulator.descriptionUrl, '-a', '127.0.0.9', '80', '80', 'TCP'])
    const line = ['-u', emulator.descriptionUrl, '-r', '22', 'TCP', '80', 'TCP', '53', 'UDP']
    const { exitCode } = await runCli(line)
    expect(exitCode).toBe(2)
    expect(emulator.mappings().map(({ externalPort }) => externalPort)).toEqual([80, 22, 53])
  })

  it('728 if its table is full', async () => {
    const { descriptionUrl } = await emulated({ maxMappings: 0 })
    const { stdout, stderr, exitCode } = await runCli(['-u', descriptionUrl, '-r', '22', 'TCP'])
    expect(stdout).toContain('AddPortMapping(22, 22, 127.0.0.1) failed with code 728 (NoPortMapsAvailable)\n')
    expect(stderr).toBe(
      'hint: the router has no port for this computer: its table has no room (-l shows it, -d removes an entry), or its ' +
        'rules do not let this computer have one; look in its settings, or try a port above 1023\n',
    )
    expect(exitCode).toBe(2)
  })

  it('606 if it lets a computer map its own ports only', async () => {
    const { descriptionUrl } = await emulated({ secureMode: true })
    const { stdout, stderr, exitCode } = await runCli(['-u', descriptionUrl, '-a', '127.0.0.9', '80', '80', 'TCP'])
    expect(stdout).toContain('failed with code 606 (Action not authorized)\n')
    expect(stderr).toMatch(/^hint: the router does not let this computer change anything, or only its own ports; /)
    expect(exitCode).toBe(2)
  })
})

/** As --emulate searches: on loopback and nowhere else. */
function searching(emulator: Emulator): Partial<Surroundings> & Pick<RunContext, 'onlyRoute'> {
  const unicastTo = emulator.ssdp === undefined ? [] : [emulator.ssdp]
  return { onlyRoute: { address: '127.0.0.1', netmask: '255.0.0.0', multicast: false, unicastTo } }
}

/** Searches until the gateway has said how it is, and then lets the time of the search run out. */
async function searchedToTheEnd(argv: readonly string[], emulator: Emulator): Promise<CliResult> {
  const clock = new FakeClock()
  const client = createHttpClient(clock, leanExchange)
  let answered = (): void => {}
  const status = new Promise<void>((resolve) => {
    answered = resolve
  })
  const http: HttpClient = {
    async request(request) {
      const reply = await client.request(request)
      if (request.action === 'GetStatusInfo') answered()
      return reply
    },
  }
  const result = runCli(argv, { ...searching(emulator), clock, http })
  await status
  await settle()
  await clock.advance(SEARCH_MS)
  return result
}

describe('a gateway that is not connected', () => {
  it('is not used: why, the line of upnpc, exit 1', async () => {
    const emulator = await emulated({ connectionStatus: 'Disconnected' })
    const { stdout, stderr, exitCode } = await searchedToTheEnd(['-r', '22', 'TCP'], emulator)
    expect(stdout).toMatch(/\nFound a \(not connected\?\) IGD : http:\S+\n$/)
    expect(stderr).toBe('it is not connected; -i goes on anyway\nNo valid UPNP Internet Gateway Device found.\n')
    expect(exitCode).toBe(1)
    expect(emulator.mappings()).toEqual([])
  })

  it('is used with -i', async () => {
    const emulator = await emulated({ connectionStatus: 'Disconnected' })
    const { stdout, exitCode } = await searchedToTheEnd(['-i', '-r', '22', 'TCP'], emulator)
    expect(stdout).toMatch(/\nFound a \(not connected\?\) IGD : \S+\nTrying to continue anyway\nLocal LAN ip address/)
    expect(exitCode).toBe(0)
    expect(emulator.mappings()).toHaveLength(1)
  })

  it('is used without -i if only its address is not an internet address', async () => {
    const emulator = await emulated({ externalAddress: '100.64.0.1' })
    const { stdout, exitCode } = await runCli(['-r', '22', 'TCP'], searching(emulator))
    expect(stdout).toMatch(/\nFound an IGD with a reserved IP address \(100\.64\.0\.1\) : \S+\nLocal LAN/)
    expect(exitCode).toBe(0)
  })
})

describe('-u', () => {
  it.each([
    ['a page that is none', (): string => http(200, '<html></html>'), /^expected a root device description from /],
    ['a page that is not there', (): string => http(404, 'no'), /^description: http:\S+ answered HTTP 404\n/],
    ['another device', (): string => http(200, description('')), /^it has no WAN connection service\n/],
    ['nothing', (): undefined => undefined, /^description: http:\S+: connection closed without an answer\n/],
  ])('of %s is refused with exit 1', async (_, answer, why) => {
    const gateway = await scripted(answer)
    const { stderr, exitCode } = await runCli(['-u', gateway.url('/x'), '-l'])
    expect(stderr).toMatch(why)
    expect(stderr).toMatch(/^[^\n]+\nNo valid UPNP Internet Gateway Device found\.\n(?:hint: .+\n)?$/)
    expect(stderr.includes('hint: -u takes the URL of a line " desc:"')).toBe(!/^it has no WAN/.test(stderr))
    expect(exitCode).toBe(1)
  })
})

const WAN_SERVICES = `<serviceList>${['WANCommonInterfaceConfig', 'WANIPConnection']
  .map(
    (name) =>
      `<service><serviceType>urn:schemas-upnp-org:service:${name}:1</serviceType>` +
      `<serviceId>urn:upnp-org:serviceId:${name}</serviceId>` +
      `<SCPDURL>/s</SCPDURL><controlURL>/${name}</controlURL><eventSubURL>/e</eventSubURL></service>`,
  )
  .join('')}</serviceList>`

function description(services: string): string {
  return (
    '<?xml version="1.0"?><root xmlns="urn:schemas-upnp-org:device-1-0"><device>' +
    '<deviceType>urn:schemas-upnp-org:device:InternetGatewayDevice:1</deviceType>' +
    `<friendlyName>x</friendlyName><UDN>uuid:1</UDN>${services}</device></root>`
  )
}

function answering(answers: Readonly<Record<string, string>>): Parameters<typeof scriptedGateway>[0] {
  return (request) => {
    if (request.method === 'GET') return http(200, description(WAN_SERVICES))
    const [serviceType = '', action = ''] = soapActionOf(request).split('#')
    const answer = answers[action]
    return answer === undefined ? http(500, 'oops') : http(200, soapResponse(action, answer, serviceType))
  }
}

describe('a gateway that gives no answers', () => {
  const statusOf = async (...refused: readonly string[]) => {
    const quirks = refused.map((operation): Quirk => ({ name: 'refuse', operation, code: 501 }))
    return runCli(['-u', (await emulated({ quirks })).descriptionUrl, '-s'])
  }

  it('makes -s fail if neither the status nor the address is known', async () => {
    const refused = ['GetConnectionTypeInfo', 'GetStatusInfo', 'GetCommonLinkProperties', 'GetExternalIPAddress']
    const { stdout, exitCode } = await statusOf(...refused)
    expect(withoutBanner(stdout)).toContain(
      'GetConnectionTypeInfo failed.\nGetStatusInfo failed.\nGetLinkLayerMaxBitRates failed.\n' +
        'GetExternalIPAddress failed. (errorcode=501)\nBytes:   Sent:        0\tRecv:        0\n',
    )
    expect(exitCode).toBe(2)
  })

  it('does not make -s fail if one of the two is known', async () => {
    expect((await statusOf('GetConnectionTypeInfo', 'GetStatusInfo', 'GetCommonLinkProperties')).exitCode).toBe(0)
    expect((await statusOf('GetExternalIPAddress')).exitCode).toBe(0)
  })

  it('makes -l fail if the listing broke off, and says why', async () => {
    const gateway = await scripted(answering({}))
    const { stdout, stderr, exitCode } = await runCli(['-u', gateway.url('/d'), '-l'])
    expect(stdout.endsWith(`${HEADING}GetGenericPortMappingEntry() returned -3 (Miniupnpc HTTP error)\n`)).toBe(true)
    expect(stderr).toMatch(/^hint: GetGenericPortMappingEntry: http:\S+ answered HTTP 500\n$/)
    expect(exitCode).toBe(2)
  })

  it('makes -r fail if the router says yes and then knows nothing about the mapping', async () => {
    const gateway = await scripted(answering({ AddPortMapping: '' }))
    const { stdout, exitCode } = await runCli(['-u', gateway.url('/d'), '-r', '22', 'TCP'])
    expect(stdout).toMatch(/\nGetSpecificPortMappingEntry\(\) failed with code -3 \(Miniupnpc HTTP error\)\n$/)
    expect(exitCode).toBe(2)
  })
})

describe('TCP+UDP', () => {
  const PORT_80 = ['80', '80', 'TCP+UDP'] as const
  const portsOf = (emulator: Emulator): string[] =>
    emulator.mappings().map(({ protocol, externalPort }) => `${protocol} ${externalPort}`)

  it('is UDP first, and then TCP on the same port', async () => {
    const emulator = await emulated()
    const { stdout, exitCode } = await runCli(['-u', emulator.descriptionUrl, '-r', '22', 'TCP+UDP'])
    expect(stdout.match(/^external .*$/gm)).toEqual([
      'external 11.22.33.44:22 UDP is redirected to internal 127.0.0.1:22 (duration=604800)',
      'external 11.22.33.44:22 TCP is redirected to internal 127.0.0.1:22 (duration=604800)',
    ])
    expect([portsOf(emulator).toSorted(), exitCode]).toEqual([['TCP 22', 'UDP 22'], 0])
    expect((await runCli(['-u', emulator.descriptionUrl, '-d', '22', 'TCP+UDP'])).exitCode).toBe(0)
    expect(portsOf(emulator)).toEqual([])
  })

  it('is neither if UDP is refused: TCP is not asked for', async () => {
    const emulator = await emulated()
    await runCli(['-u', emulator.descriptionUrl, '-a', '127.0.0.9', '80', '80', 'UDP'])
    const { stdout, exitCode } = await runCli(['-u', emulator.descriptionUrl, '-a', '@', ...PORT_80])
    expect(stdout.match(/^AddPortMapping.*$/gm)).toEqual([
      'AddPortMapping(80, 80, 127.0.0.1) failed with code 718 (ConflictInMappingEntry)',
    ])
    expect(exitCode).toBe(2)
    expect(portsOf(emulator)).toEqual(['UDP 80'])
    expect(emulator.mappings()[0]?.internalClient).toBe('127.0.0.9')
  })

  it('is neither if TCP is refused: UDP is taken back, and what follows is done', async () => {
    const emulator = await emulated()
    await runCli(['-u', emulator.descriptionUrl, '-a', '127.0.0.9', '80', '80', 'TCP'])
    const line = ['-u', emulator.descriptionUrl, '-r', '80', 'TCP+UDP', '53', 'UDP']
    const { stdout, exitCode } = await runCli(line)
    expect(stdout).toContain(
      'AddPortMapping(80, 80, 127.0.0.1) failed with code 718 (ConflictInMappingEntry)\n' +
        'external 80 UDP is closed again: TCP+UDP means both or neither\n',
    )
    expect(exitCode).toBe(2)
    expect(portsOf(emulator).toSorted()).toEqual(['TCP 80', 'UDP 53'])
  })

  it('lands on one port with -n if the one that was asked for is taken', async () => {
    const emulator = await emulated()
    await runCli(['-u', emulator.descriptionUrl, '-a', '127.0.0.9', '80', '80', 'UDP'])
    const { exitCode } = await runCli(['-u', emulator.descriptionUrl, '-n', '@', ...PORT_80])
    const own = emulator.mappings().filter(({ internalClient }) => internalClient === '127.0.0.1')
    expect(own.map(({ protocol }) => protocol).toSorted()).toEqual(['TCP', 'UDP'])
    expect(new Set(own.map(({ externalPort }) => externalPort)).size).toBe(1)
    expect(own[0]?.externalPort).not.toBe(80)
    expect(exitCode).toBe(0)
  })

  it('is two pinholes, or none', async () => {
    const emulator = await emulated({ maxPinholes: 1 })
    const line = ['-u', emulator.descriptionUrl, '-A', '', '0', '2001:db8::5', '22', 'TCP+UDP', '60']
    const { stdout, stderr, exitCode } = await runCli(line)
    expect(withoutBanner(stdout)).toContain(
      'AddPinhole: ([]:0 -> [2001:db8::5]:22) / Pinhole ID = 1\n' +
        'AddPinhole([]:0 -> [2001:db8::5]:22) failed with code 701 (PinholeSpaceExhausted)\n' +
        'UPNP_DeletePinhole() returned : 0\n',
    )
    expect(stderr).toBe(
      'hint: the firewall of the router has no room for another pinhole\n' +
        'hint: the pinhole for UDP is closed again: TCP+UDP means both or neither\n',
    )
    expect([emulator.pinholes(), exitCode]).toEqual([[], 2])
  })
})

/** What is printed below the lines about the gateway. */
function ownOutput({ stdout }: CliResult): string {
  return stdout.slice(stdout.indexOf('\n', stdout.indexOf('Local LAN ip address')) + 1)
}

describe('every letter on one gateway', () => {
  it('does what it says, or fails with its exit code', async () => {
    const emulator = await emulated()
    const run = async (...argv: string[]): Promise<string> => {
      const result = await runCli(['-u', emulator.descriptionUrl, ...argv])
      return `${result.exitCode} ${ownOutput(result)}`
    }
    const ROWS = [['-f', '22', 'TCP'], ['-d', '22', 'TCP', '53', 'UDP'], ['-N', '1', '65535', 'TCP'], ['-L']]
    expect(await Promise.all(ROWS.map((argv) => run(...argv)))).toEqual([
      '3 UPNP_DeletePortMapping() failed with code : 714\n',
      '3 UPNP_DeletePortMapping() failed with code : 714\nUPNP_DeletePortMapping() failed with code : 714\n',
      '2 UPNP_DeletePortMappingRange() failed with code : 730\n',
      expect.stringMatching(/^0 /),
    ])
    expect(await run('-r', '22', 'TCP', '53', 'UDP', '80', 'TCP')).toMatch(/^0 /)
    expect(await run('-L')).toBe(
      `0 ${HEADING}` +
        " 0 TCP    80->127.0.0.1:80    'upnp-ts' '' 604800\n" +
        " 1 TCP    22->127.0.0.1:22    'upnp-ts' '' 604800\n" +
        " 2 UDP    53->127.0.0.1:53    'upnp-ts' '' 604800\n",
    )
    expect(await run('-f', '22', 'TCP', '23', 'TCP', '53', 'UDP')).toBe(
      '3 UPNP_DeletePortMapping() returned : 0\nUPNP_DeletePortMapping() failed with code : 714\n' +
        'UPNP_DeletePortMapping() returned : 0\n',
    )
    expect(await run('-N', '1', '100', 'TCP')).toBe('0 UPNP_DeletePortMappingRange() returned : 0\n')
    expect(emulator.mappings()).toEqual([])
  })

  it('has pinholes to make, see, change and close', async () => {
    const emulator = await emulated()
    const run = async (...argv: string[]): Promise<string> => {
      const result = await runCli(['-u', emulator.descriptionUrl, ...argv])
      return `${result.exitCode} ${ownOutput(result)}`
    }
    expect(await run('-A', '::', '0', '2001:db8::5', '22', 'TCP', '60')).toBe(
      '0 AddPinhole: ([::]:0 -> [2001:db8::5]:22) / Pinhole ID = 1\n',
    )
    expect(emulator.pinholes()).toEqual([
      expect.objectContaining({ remoteHost: '', internalClient: '2001:db8::5', protocol: 6 }),
    ])
    expect(await run('-C', '1', '2')).toBe(
      '2 CheckPinholeWorking: Pinhole ID = 1 / IsWorking = Yes\n' +
        'CheckPinholeWorking() failed with code 704 (NoSuchEntry)\n',
    )
    expect(await run('-K', '2', '1')).toBe(
      '2 GetPinholePackets() failed with code 704 (NoSuchEntry)\n' +
        'GetPinholePackets: Pinhole ID = 1 / PinholePackets = 1\n',
    )
    expect(await run('-U', '1', '3600')).toBe(
      '0 CheckPinholeWorking: Pinhole ID = 1 / IsWorking = Yes\n' +
        'UpdatePinhole: Pinhole ID = 1 with Lease Time: 3600\n',
    )
    expect(await run('-U', '2', '3600')).toBe('2 CheckPinholeWorking(2) failed with code 704 (NoSuchEntry)\n')
    expect(await run('-U', '1', '86401')).toMatch(
      /^2 CheckPinholeWorking: .*\nUpdatePinhole: .*\nUpdatePinhole: ID \(1\) failed with code 601 /,
    )
    expect(await run('-G', '', '0', '2001:db8::5', '22', 'TCP')).toBe(
      '0 GetOutboundPinholeTimeout: ([2001:db8::5]:22 -> []:0) / Timeout = 120\n',
    )
    expect(await run('-G', '', '0', '2001:db8::5', '22', '132')).toBe(
      '2 GetOutboundPinholeTimeout([2001:db8::5]:22 -> []:0) failed with code 705 (ProtocolNotSupported)\n',
    )
    expect(await run('-S')).toMatch(/^0 FirewallEnabled: 1 & Inbound Pinhole Allowed: 1\nGetFirewallStatus:\n/)
    expect(await run('-D', '2', '1')).toBe('2 UPNP_DeletePinhole() returned : 704\nUPNP_DeletePinhole() returned : 0\n')
    expect(emulator.pinholes()).toEqual([])
    expect(await run('-A', '::', '0', '@', '22', 'TCP', '60')).toMatch(
      /^2 AddPinhole\(\[::]:0 -> \[127\.0\.0\.1]:22\) failed /,
    )
  })

  it('updates a pinhole that no packet has come through yet', async () => {
    const { descriptionUrl } = await emulated({ pinholePackets: 0 })
    await runCli(['-u', descriptionUrl, '-A', '', '0', '2001:db8::5', '22', 'TCP', '60'])
    const result = await runCli(['-u', descriptionUrl, '-U', '1', '3600'])
    expect(ownOutput(result)).toBe(
      'CheckPinholeWorking(1) failed with code 709 (NoTrafficReceived)\n' +
        'UpdatePinhole: Pinhole ID = 1 with Lease Time: 3600\n',
    )
    expect(result).toMatchObject({ exitCode: 0, stderr: 'hint: no packet has come through it yet\n' })
  })

  it('advises IPv6 before it asks about a pinhole, unless -6 is there, and not for -S', async () => {
    const ADVICE = 'Use IPv6 (option -6) GUA address to ensure UPnP IGDv2 pinholes are allowed\n\n'
    const { descriptionUrl } = await emulated()
    const advised = async (...argv: string[]): Promise<boolean> =>
      withoutBanner((await runCli(['-u', descriptionUrl, ...argv])).stdout).startsWith(ADVICE)
    for (const letter of ['-C', '-K', '-D']) expect(await advised(letter, '1')).toBe(true)
    expect(await advised('-U', '1', '60')).toBe(true)
    expect(await advised('-G', '', '0', '@', '22', 'TCP')).toBe(true)
    expect(await advised('-6', '-C', '1')).toBe(false)
    expect(await advised('-S')).toBe(false)
  })
})

describe('a gateway without the actions of IGD:2', () => {
  const old = (): Promise<Emulator> => emulated({ quirks: [{ name: 'igd1' }] })

  it('makes every command about its firewall fail with exit 2, and says why', async () => {
    const { descriptionUrl } = await old()
    const why = 'the gateway has no IPv6 firewall that can be asked (WANIPv6FirewallControl)'
    const lines = [
      ['-S'],
      ['-A', '', '0', '2001:db8::5', '22', 'TCP', '60'],
      ['-U', '1', '60'],
      ['-C', '1'],
      ['-K', '1'],
      ['-D', '1'],
      ['-G', '', '0', '@', '22', 'TCP'],
    ]
    for (const line of lines) {
      const { stderr, exitCode } = await runCli(['-u', descriptionUrl, ...line])
      expect(stderr).toContain(why)
      expect(exitCode).toBe(2)
    }
  })

  it('makes -N fail, and -L list one entry after the other', async () => {
    const { descriptionUrl } = await old()
    const range = await runCli(['-u', descriptionUrl, '-N', '1', '9', 'TCP'])
    expect(ownOutput(range)).toBe('UPNP_DeletePortMappingRange() failed with code : 401\n')
    expect(range.stderr).toBe('hint: the router cannot do that: it is too old, or its maker left that out\n')
    expect(range.exitCode).toBe(2)
    await runCli(['-u', descriptionUrl, '-r', '22', 'TCP'])
    const list = await runCli(['-u', descriptionUrl, '-L'])
    expect(ownOutput(list)).toBe(
      `GetListOfPortMappings() returned 401 (Invalid Action)\n${HEADING}` +
        " 0 TCP    22->127.0.0.1:22    'upnp-ts' '' 0\n",
    )
    expect(list.stderr).toBe('hint: the router cannot list everything at once; asking for one entry after another\n')
    expect(list.exitCode).toBe(0)
  })

  it('makes -L fail if listing one entry after another fails too', async () => {
    const quirks: Quirk[] = [{ name: 'igd1' }, { name: 'refuse', operation: 'GetGenericPortMappingEntry', code: 501 }]
    const { descriptionUrl } = await emulated({ quirks })
    const list = await runCli(['-u', descriptionUrl, '-L'])
    expect(ownOutput(list)).toMatch(/\nGetGenericPortMappingEntry\(\) returned 501 \(Action Failed\)\n$/)
    expect(list.stderr).toMatch(/^hint: the router cannot list everything at once; .*\nhint: .*\n$/)
    expect(list.exitCode).toBe(2)
  })

  it('is asked by -n for the port itself, which is said', async () => {
    const { descriptionUrl } = await old()
    const { stdout, stderr, exitCode } = await runCli(['-u', descriptionUrl, '-n', '@', '22', '22', 'TCP'])
    expect(stdout).toMatch(
      /\nexternal 11\.22\.33\.44:22 TCP is redirected to internal 127\.0\.0\.1:22 \(duration=0\)\n$/,
    )
    expect(stderr).toBe(
      'hint: the router does not choose a port itself (AddAnyPortMapping was refused with 401 (Invalid Action)); ' +
        'asked it for one port after another\n',
    )
    expect(exitCode).toBe(0)
  })
})

describe('an uptime that leads out of the calendar', () => {
  const status =
    '<NewConnectionStatus>Connected</NewConnectionStatus><NewLastConnectionError>x</NewLastConnectionError>' +
    '<NewUptime>999999999999999</NewUptime>'

  it('is shown, and no time is made of it', async () => {
    const gateway = await scripted(answering({ GetStatusInfo: status }))
    const text = await runCli(['-u', gateway.url('/d'), '-s'])
    expect(text.stdout).toContain('Status : Connected, uptime=999999999999999s, LastConnectionError : x\nGetLink')
    const json = await runCli(['-u', gateway.url('/d'), '-s', '--json'])
    expect(objects(json.stdout).find(({ type }) => type === 'status')).toMatchObject({
      uptimeSeconds: 999999999999999,
      connectedSince: null,
    })
    expect([text.exitCode, json.exitCode]).toEqual([0, 0])
  })
})

const ETH0 = { name: 'eth0', address: '192.0.2.9', netmask: '255.255.255.0', loopback: false }

/** A network on which nobody answers. */
const SILENT = { local: { address: '192.0.2.9', port: 1 }, send: () => {}, close: () => {} }
const SILENCE: Datagrams = { open: () => Promise.resolve(SILENT), connect: () => Promise.resolve(SILENT) }

interface Watched {
  readonly result: Promise<CliResult>
  isOver(): boolean
}

function watched(result: Promise<CliResult>): Watched {
  let over = false
  const done = result.finally(() => {
    over = true
  })
  return { result: done, isOver: () => over }
}

describe('--timeout', () => {
  const GAVE_UP = 'gave up after 1 s; --timeout MS gives the command more time\n'

  /** Runs on a clock that the test moves, against a gateway that lets the requests wait that `answer` does not answer. */
  async function start(argv: readonly string[], answer: Parameters<typeof scriptedGateway>[0]) {
    const clock = new FakeClock()
    let arrived = (): void => {}
    const waiting = new Promise<void>((resolve) => {
      arrived = resolve
    })
    const gateway = await scripted(async (request, port) => {
      const reply = await answer(request, port)
      if (reply !== undefined) return reply
      arrived()
      return new Promise(() => {})
    })
    const line = ['-u', gateway.url('/d'), '--timeout', '1000', ...argv]
    const run = watched(runCli(line, { clock, http: createHttpClient(clock, leanExchange) }))
    await waiting
    return { clock, run }
  }

  it.each([
    ['before the gateway is known: exit 1', (): undefined => undefined, 1],
    [
      'once the gateway is known: exit 2',
      ({ method }: { method: string }) => (method === 'GET' ? http(200, description(WAN_SERVICES)) : undefined),
      2,
    ],
  ] as const)('ends the command with one clear line %s', async (_, answer, code) => {
    const { clock, run } = await start(['-r', '22', 'TCP'], answer)
    await clock.advance(999)
    await settle()
    expect(run.isOver()).toBe(false)
    await clock.advance(1)
    const { stderr, exitCode } = await run.result
    expect(stderr).toBe(GAVE_UP)
    expect(exitCode).toBe(code)
    expect(clock.pending).toBe(0)
  })

  it('is what a slow router is waited for, request by request', async () => {
    const clock = new FakeClock()
    const client = createHttpClient(clock, leanExchange)
    const limits: number[] = []
    const counting = {
      request(request: HttpRequest) {
        limits.push(request.timeoutMs)
        return client.request(request)
      },
    }
    const gateway = await scripted(({ method }) => http(200, method === 'GET' ? description(WAN_SERVICES) : ''))
    for (const more of [[], ['--timeout', '30000']])
      await runCli(['-u', gateway.url('/d'), '-r', '22', 'TCP', ...more], { clock, http: counting })
    expect([...new Set(limits)]).toEqual([60_000, 30_000])
  })

  it('is an object like every other with --json', async () => {
    const { clock, run } = await start(['-l', '--json'], () => undefined)
    await clock.advance(1000)
    const { stdout, stderr } = await run.result
    expect(objects(stdout)).toEqual([
      { type: 'error', version: 1, error: { code: 'NO_REPLY', message: GAVE_UP.trimEnd() } },
    ])
    expect(stderr).toBe('')
  })

  it('ends a search too', async () => {
    const clock = new FakeClock()
    const run = watched(runCli(['-l', '--timeout', '1000'], { clock, datagrams: SILENCE, interfaces: () => [ETH0] }))
    await clock.advance(999)
    expect(run.isOver()).toBe(false)
    await clock.advance(1)
    const { stderr, exitCode } = await run.result
    expect({ stderr, exitCode }).toEqual({ stderr: GAVE_UP, exitCode: 1 })
    expect(clock.pending).toBe(0)
  })
})

describe('a search that finds nothing', () => {
  it('ends after 4 s with the line of upnpc, and says where it looked', async () => {
    const clock = new FakeClock()
    const run = runCli(['-l'], {
      clock,
      datagrams: SILENCE,
      interfaces: () => [{ ...ETH0, address: '192.168.1.9' }],
      defaultGateways: () => Promise.resolve(['192.168.1.1']),
    })
    await clock.advance(SEARCH_MS)
    const { stdout, stderr, exitCode } = await run
    expect(stdout).toBe(BANNER)
    expect(stderr).toBe(
      'No IGD UPnP Device found on the network !\n' +
        'hint: searched 4.0 s on eth0 (192.168.1.9); the router at 192.168.1.1 did not answer. Switch on UPnP in the ' +
        'settings of the router, and let UDP port 1900 through the firewall of this computer.\n',
    )
    expect(exitCode).toBe(1)
    expect(clock.pending).toBe(0)
  })

  it('does not begin if there is no interface: the clock stands still', async () => {
    const clock = new FakeClock()
    const { stdout, stderr, exitCode } = await runCli(['-l'], { clock })
    expect(stdout).toBe(BANNER)
    expect(stderr).toBe(
      'No IGD UPnP Device found on the network !\n' +
        'hint: this computer has no network address to search from; is the network up?\n',
    )
    expect(exitCode).toBe(1)
  })

  it('is one object with --json', async () => {
    const { stdout, stderr, exitCode } = await runCli(['-l', '--json'], { clock: new FakeClock() })
    expect(objects(stdout)).toEqual([
      {
        type: 'error',
        version: 1,
        error: { code: 'NO_GATEWAY', message: 'no UPnP device answered the search' },
        searched: {
          via: 'auto',
          searchedMs: 0,
          interfaces: [],
          defaultGateways: [],
          lacksIPv4: false,
          portControl: [],
          answered: null,
        },
      },
    ])
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 1 })
  })
})

describe('what needs no gateway', () => {
  it('prints the help on stdout with exit 0', async () => {
    expect(await runCli(['-h'])).toEqual({ stdout: firstScreen(80), stderr: '', exitCode: 0 })
    expect(await runCli(['help'])).toEqual({ stdout: firstScreen(80), stderr: '', exitCode: 0 })
    expect(await runCli(['-r', '22', '--help'])).toEqual({ stdout: helpOn('-r', 80), stderr: '', exitCode: 0 })
    expect(await runCli(['help', 'docker'])).toEqual({ stdout: helpOn('docker', 80), stderr: '', exitCode: 0 })
  })

  it('prints the version alone', async () => {
    expect(await runCli(['--version'])).toEqual({ stdout: `${VERSION}\n`, stderr: '', exitCode: 0 })
  })

  it('says how the command is written, and last what is wrong, on stderr, with exit 1', async () => {
    expect(await runCli(['-r', '0', 'TCP'])).toEqual({
      stdout: BANNER,
      stderr:
        'usage: upnp-ts -r PORT [EXTERNAL_PORT] PROTOCOL ...\n' +
        "-r: '0' is not a port: give a number from 1 to 65535, as in: upnp-ts -r 22 TCP\n",
      exitCode: 1,
    })
  })

  it('shows what was typed without obeying it', async () => {
    const { stderr } = await runCli(['-r', '22', '\x1b]52;c;eA==\x07\n'])
    expect(stderr.split('\n')[1]).toBe(
      "-r: '\\x1b]52;c;eA==\\x07\\x0a' is not a protocol: give TCP, UDP or TCP+UDP, as in: upnp-ts -r 22 TCP",
    )
  })

  it('explains itself on stderr if there is no command', async () => {
    expect(await runCli([])).toEqual({
      stdout: BANNER,
      stderr: `${briefUsage('')}no command was given; try: upnp-ts open 25565\n`,
      exitCode: 1,
    })
  })

  it.each([[['open']], [['help', 'nothing']], [['completion', 'csh']], [['service']]])(
    'leaves the banner of upnpc out for a verb: %j',
    async (argv) => {
      const { stdout, stderr, exitCode } = await runCli(argv)
      expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 1 })
      expect(stderr).toMatch(
        new RegExp(`^usage: upnp-ts ${argv[0]} .*\\n.*: upnp-ts ${argv[0]}.*\\n$|upnp-ts help\\n$`),
      )
    },
  )

  it.each([[['--json']], [['--json', '--bad']], [['-r', '0', 'TCP', '--json']], [['emulate', 'x', '--json']]])(
    'is one object on stdout and nothing on stderr with --json: %j',
    async (argv) => {
      const { stdout, stderr, exitCode } = await runCli(argv)
      expect(objects(stdout)).toEqual([
        { type: 'error', version: 1, error: { code: 'USAGE', message: expect.any(String) } },
      ])
      expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 1 })
    },
  )
})

describe('a defect of the program itself', () => {
  const broken = {
    interfaces: (): never => {
      throw new TypeError('x is\nundefined')
    },
  }

  it('is one line on stderr and exit 1', async () => {
    const { stdout, stderr, exitCode } = await runCli(['-l'], broken)
    expect(stdout).toBe(BANNER)
    expect(stderr).toBe('upnp-ts has a defect: TypeError: x is\\x0aundefined\n')
    expect(exitCode).toBe(1)
  })

  it('is an object with --json', async () => {
    const { stdout, stderr, exitCode } = await runCli(['-l', '--json'], broken)
    expect(objects(stdout)).toEqual([
      { type: 'error', version: 1, error: { code: 'INTERNAL', message: 'TypeError: x is\nundefined' } },
    ])
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 1 })
  })
})

describe('emulate', () => {
  it('says where it is, serves until it is interrupted, and then is gone', async () => {
    let interrupt = (): void => {}
    const onSignal = (_: readonly string[], listener: (name: string) => void) => {
      interrupt = () => listener('SIGINT')
      return () => {}
    }
    const written = { stdout: '', stderr: '' }
    let announced = (): void => {}
    const announcement = new Promise<void>((resolve) => {
      announced = resolve
    })
    const stream = (name: keyof typeof written) => ({
      write(text: string) {
        written[name] += text
        if (name === 'stderr') announced()
      },
      on: () => {},
    })
    const streams = { stdout: stream('stdout'), stderr: stream('stderr') }
    const serving = runCli(['emulate', '--external-address', '55.66.77.88'], { ...streams, onSignal })
    await announcement
    const url = /^(http:\/\/127\.0\.0\.1:\d+\/rootDesc\.xml)\n$/.exec(written.stdout)?.[1] ?? ''
    // Other tests may have those ports.
    expect(written.stderr).toMatch(
      /^It (speaks PCP and NAT-PMP on UDP port 5351|does not speak PCP or NAT-PMP \(.*\))\. It [^\n]*\n$/,
    )
    const { stdout: mapped } = await runCli(['-u', url, '-r', '22', 'TCP'])
    expect(mapped).toContain('external 55.66.77.88:22 TCP is redirected to internal 127.0.0.1:22')
    interrupt()
    expect((await serving).exitCode).toBe(0)
    expect((await runCli(['-u', url, '-l'])).stderr).toContain('connection refused')
  })

  it('says so if its port is taken', async () => {
    const { httpPort } = await emulated()
    expect(await runCli(['emulate', '--port', String(httpPort)])).toEqual({
      stdout: '',
      stderr: `could not listen on 127.0.0.1:${httpPort}: another program has that port\n`,
      exitCode: 1,
    })
  })

  it('says so if this computer does not have the address', async () => {
    const { stderr, exitCode } = await runCli(['emulate', '--address', '192.0.2.77'])
    expect(stderr).toBe('could not listen on 192.0.2.77:0: this computer does not have that address\n')
    expect(exitCode).toBe(1)
  })
})
