/** Each quirk as the command line sees it on loopback. */
import { afterEach, describe, expect, it } from 'vitest'
import { type Emulator, type Quirk, startEmulator } from '../../src/emulator.ts'
import { parseXml } from '../../src/wire/xml.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { runCli } from '../support/run-cli.ts'
import { FIREWALL_CONTROL, FIREWALL1, MAPPING, RANGE, WANIP1, WANIP2 } from './asking.ts'
import { exchange, post, statusOf } from './asking-raw.ts'

const closing: Emulator[] = []
afterEach(() => Promise.all(closing.splice(0).map((emulator) => emulator.close())))

async function start(quirks: readonly Quirk[], clock?: FakeClock): Promise<Emulator> {
  const emulator = await startEmulator({ quirks }, clock === undefined ? {} : { clock })
  closing.push(emulator)
  return emulator
}

/** The last lines of stdout, all of stderr, and the exit code. */
async function run({ descriptionUrl }: Emulator, line: string, lines = 1): Promise<string[]> {
  const { stdout, stderr, exitCode } = await runCli(['-u', descriptionUrl, ...line.split(' ')])
  return [...stdout.split('\n').slice(-1 - lines, -1), ...stderr.split('\n', 1), String(exitCode)]
}

describe('igd1', () => {
  const get = ({ httpPort }: Emulator, path: string): Promise<string> =>
    exchange(httpPort, `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`)

  it('is version 1 of every device and service, without the IPv6 firewall', async () => {
    const description = await get(await start([{ name: 'igd1' }]), '/rootDesc.xml')
    expect(description.match(/(device|service):\w+:\d/g)).toEqual([
      'device:InternetGatewayDevice:1',
      'device:WANDevice:1',
      'service:WANCommonInterfaceConfig:1',
      'device:WANConnectionDevice:1',
      'service:WANIPConnection:1',
    ])
  })

  it('describes the actions of version 1, and refuses the others with 401', async () => {
    const emulator = await start([{ name: 'igd1' }])
    const scpd = (await get(emulator, '/WANIPConnection.xml')).replace(/^.*\r\n\r\n/s, '')
    const actions = parseXml(scpd).root.children.find(({ name }) => name === 'actionList')
    expect(actions?.children.map(({ children }) => children[0]?.text)).toEqual([
      'GetConnectionTypeInfo',
      'GetStatusInfo',
      'GetExternalIPAddress',
      'AddPortMapping',
      'DeletePortMapping',
      'GetSpecificPortMappingEntry',
      'GetGenericPortMappingEntry',
    ])
    for (const action of ['AddAnyPortMapping', 'DeletePortMappingRange', 'GetListOfPortMappings'])
      for (const serviceType of [WANIP1, WANIP2])
        expect(await post(emulator.httpPort, action, { ...MAPPING, ...RANGE }, { serviceType })).toContain('>401<')
    expect(statusOf(await post(emulator.httpPort, 'AddPortMapping', MAPPING, { serviceType: WANIP1 }))).toBe(200)
    const target = FIREWALL_CONTROL
    expect(statusOf(await post(emulator.httpPort, 'GetFirewallStatus', {}, { target, serviceType: FIREWALL1 }))).toBe(
      404,
    )
  })

  it('keeps a mapping without a lease for ever', async () => {
    const clock = new FakeClock()
    const emulator = await start([{ name: 'igd1' }], clock)
    await run(emulator, '-r 22 TCP')
    await clock.advance(365 * 86_400_000)
    expect(await run(emulator, '-l')).toEqual([" 0 TCP    22->127.0.0.1:22    'upnp-ts' '' 0", '', '0'])
    await run(emulator, '-a @ 22 22 TCP 3600')
    await clock.advance(3_600_000)
    expect(emulator.mappings()).toEqual([])
  })
})

describe('late-search', () => {
  it('has the client go on searching, until the answer comes', async () => {
    const clock = new FakeClock()
    const emulator = await start([{ name: 'late-search', delayMs: 700 }], clock)
    const unicastTo = emulator.ssdp === undefined ? [] : [emulator.ssdp]
    const onlyRoute = { address: '127.0.0.1', netmask: '255.0.0.0', multicast: false, unicastTo }
    const running = runCli(['-r', '22', 'TCP'], { clock, onlyRoute })
    while (emulator.counters.searches === 0) await new Promise((resolve) => setImmediate(resolve))
    await clock.advance(699)
    expect(emulator.counters.requests).toBe(0)
    await clock.advance(1)
    expect(await running).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/\nexternal 11\.22\.33\.44:22 TCP is redirected /),
    })
  })
})

describe('refuse', () => {
  const refuse = (operation: string, code: number, times?: number): Quirk => ({ ...REFUSE, operation, code, times })
  const REFUSE = { name: 'refuse' } as const

  it('refuses an action of IGD before it is carried out, and no other action', async () => {
    const emulator = await start([refuse('DeletePortMapping', 606), refuse('GetExternalIPAddress', 501)])
    expect((await run(emulator, '-r 22 TCP', 3))[0]).toBe('GetExternalIPAddress failed.')
    expect((await run(emulator, '-d 22 TCP'))[0]).toBe('UPNP_DeletePortMapping() failed with code : 606')
    expect(emulator.mappings()).toHaveLength(1)
    expect(emulator.counters.actions).toMatchObject({ GetExternalIPAddress: 2, DeletePortMapping: 1 })
  })

  it('refuses as many times as it says, and then the next refusal of the same action applies', async () => {
    const emulator = await start([refuse('AddPortMapping', 501, 2), refuse('AddPortMapping', 728, 1)])
    const told: (string | undefined)[] = []
    for (let nth = 0; nth < 4; nth++) told.push((await run(emulator, '-r 22 TCP'))[0])
    expect(told).toEqual([
      'AddPortMapping(22, 22, 127.0.0.1) failed with code 501 (Action Failed)',
      'AddPortMapping(22, 22, 127.0.0.1) failed with code 501 (Action Failed)',
      'AddPortMapping(22, 22, 127.0.0.1) failed with code 728 (NoPortMapsAvailable)',
      'external 11.22.33.44:22 TCP is redirected to internal 127.0.0.1:22 (duration=604800)',
    ])
  })

  it.each([
    ['pcp', 'MAP', '-r 22 TCP', 'PCP MAP(22, 22, 127.0.0.1) failed with code 8 (NO_RESOURCES)'],
    [
      'nat-pmp',
      'map-tcp',
      '-r 22 TCP',
      'NAT-PMP mapping request(22, 22, 127.0.0.1) failed with code 8 (unknown result code)',
    ],
    [
      'nat-pmp',
      'map-udp',
      '-r 53 UDP',
      'NAT-PMP mapping request(53, 53, 127.0.0.1) failed with code 8 (unknown result code)',
    ],
  ])('refuses an opcode of %s: %s', async (via, operation, line, refusal) => {
    const emulator = await start([refuse(operation, 8, 1)])
    const argv = ['--gateway', `127.0.0.1:${emulator.portControl?.port}`, '--via', via, ...line.split(' ')]
    const { stdout, exitCode } = await runCli(argv)
    expect([stdout.split('\n').at(-2), exitCode, emulator.mappings()]).toEqual([refusal, 2, []])
    expect(await runCli(argv)).toMatchObject({ exitCode: 0 })
  })
})
