/** Whole runs over PCP and NAT-PMP inside the test: real parsing, a real (emulated) gateway on loopback, text and JSON. */
import { afterEach, describe, expect, it } from 'vitest'
import { type Emulator, type EmulatorOptions, startEmulator } from '../../src/emulator.ts'
import type { PrivateFiles } from '../../src/net/files/private-files.ts'
import { memoryFiles } from '../../src/net/files/private-files.ts'
import { type CliResult, runCli, withoutBanner } from '../support/run-cli.ts'

const closing: Emulator[] = []
afterEach(async () => {
  for (const emulator of closing.splice(0)) await emulator.close()
})

type Run = (...argv: string[]) => Promise<string>

interface Setting {
  readonly emulator: Emulator
  /** What is printed below the banner, stderr behind a mark, then the exit code; what differs from run to run is the same. */
  readonly run: Run
}

const VIAS = ['pcp', 'nat-pmp'] as const
const TITLES = { pcp: 'PCP', 'nat-pmp': 'NAT-PMP' } as const
const DELETED = { pcp: 'PCP_DeletePortMapping', 'nat-pmp': 'NATPMP_DeletePortMapping' } as const

/** A gateway, and runs of one user on one computer. */
async function start(
  via: (typeof VIAS)[number],
  options: EmulatorOptions = {},
  files = memoryFiles(),
): Promise<Setting> {
  const emulator = await startEmulator(options)
  closing.push(emulator)
  const gateway = `127.0.0.1:${emulator.portControl?.port}`
  const run: Run = async (...argv) => shown(await runCli(['--gateway', gateway, '--via', via, ...argv], { files }))
  return { emulator, run }
}

function shown({ stdout, stderr, exitCode }: CliResult): string {
  const text = stdout.startsWith('{') ? stdout : withoutBanner(stdout)
  const steady = text
    .replaceAll(/gateway : (127\.0\.0\.1|\[::1]):\d+\n/g, 'gateway : $1:PORT\n')
    .replaceAll(/uptime=\d+s/g, 'uptime=Ns')
    .replaceAll(/ {2}Time started : .*\n/g, '')
  return `${steady}${stderr.replace(/^(?=.)/gm, '! ')}= ${exitCode}`
}

function found(via: (typeof VIAS)[number]): string {
  return `Found valid ${TITLES[via]} gateway : 127.0.0.1:PORT\nLocal LAN ip address : 127.0.0.1\n`
}

function redirected(external: number, internal: number, protocol: 'TCP' | 'UDP' = 'TCP', seconds = 7200): string {
  return (
    `ExternalIPAddress = 11.22.33.44\nInternalIP:Port = 127.0.0.1:${internal}\n` +
    `external 11.22.33.44:${external} ${protocol} is redirected to internal 127.0.0.1:${internal} (duration=${seconds})\n`
  )
}

/** What is said beside it: NAT-PMP knows no other answer than yes. */
function notKnown(via: (typeof VIAS)[number], port: string): string {
  const title = via === 'pcp' ? 'PCP' : 'NAT-PMP'
  return (
    `! hint: ${title} says done even if nothing was open, and upnp-ts has no record of opening external ${port} ` +
    'that way; if it is still open, close it with the program that opened it\n'
  )
}

function portsOf({ emulator }: Setting): string[] {
  return emulator.mappings().map((each) => `${each.protocol} ${each.externalPort}->${each.internalPort}`)
}

describe.each(VIAS)('on one gateway, with --via %s', (via) => {
  it('a port is opened, the state is shown, and the port is closed by its external number', async () => {
    const setting = await start(via)
    const { run } = setting
    expect(await run('-r', '80', '8080', 'TCP')).toBe(`${found(via)}${redirected(8080, 80)}= 0`)
    expect(portsOf(setting)).toEqual(['TCP 8080->80'])
    expect(await run('-s')).toBe(
      `${found(via)}Status : speaks ${TITLES[via]}, uptime=Ns\nExternalIPAddress = 11.22.33.44\n= 0`,
    )
    expect(await run('-d', '8080', 'TCP')).toBe(`${found(via)}${DELETED[via]}() returned : 0\n= 0`)
    expect(portsOf(setting)).toEqual([])
  })

  it('closing what is not open is done: the port is closed', async () => {
    const { run } = await start(via)
    expect(await run('-d', '22', 'TCP')).toBe(
      `${found(via)}${DELETED[via]}() returned : 0\n${notKnown(via, '22 TCP')}= 0`,
    )
    expect(await run('-f', '22', 'TCP', '53', 'UDP')).toBe(
      `${found(via)}${`${DELETED[via]}() returned : 0\n`.repeat(2)}${notKnown(via, '22 TCP')}${notKnown(via, '53 UDP')}= 0`,
    )
  })

  it('the lease is the one that was asked for, or two hours if it is not limited', async () => {
    const { run } = await start(via)
    expect(await run('-r', '22', 'TCP', '--lease', '600')).toBe(`${found(via)}${redirected(22, 22, 'TCP', 600)}= 0`)
    expect(await run('-r', '22', 'TCP', '--lease', '0')).toBe(`${found(via)}${redirected(22, 22)}= 0`)
  })

  it('TCP+UDP is on one port, even if it may be any', async () => {
    const setting = await start(via)
    const text = await setting.run('-r', '1', '0', 'TCP+UDP')
    const [udp, tcp] = [...text.matchAll(/^external 11\.22\.33\.44:(\d+) (\w+)/gm)]
    expect([udp?.[2], tcp?.[2]]).toEqual(['UDP', 'TCP'])
    expect(udp?.[1]).toBe(tcp?.[1])
    expect(portsOf(setting).toSorted()).toEqual([`TCP ${tcp?.[1]}->1`, `UDP ${udp?.[1]}->1`])
    expect(await setting.run('-d', String(udp?.[1]), 'TCP+UDP')).toMatch(/= 0$/)
    expect(portsOf(setting)).toEqual([])
  })

  it('a port that another computer has is refused, nothing is left, and -n takes the one that is offered', async () => {
    const setting = await start(via)
    await setting.run('-r', '80', '8080', 'TCP')
    const refused = await setting.run('-r', '81', '8080', 'TCP')
    expect(refused.replace(/127\.0\.0\.1:\d+ offered/, '127.0.0.1:PORT offered')).toBe(
      via === 'pcp'
        ? `${found(via)}PCP MAP(8080, 81, 127.0.0.1) failed with code 11 (CANNOT_PROVIDE_EXTERNAL)\n` +
            '! hint: somebody else has that external port, or the rules of the router do not allow it; try another one ' +
            'above 1023, or let the router choose with -n\n= 2'
        : `${found(via)}! external port 8080 TCP is not available: 127.0.0.1:PORT offered 8081 instead; ` +
            '-n takes what it offers\n= 2',
    )
    expect(portsOf(setting)).toEqual(['TCP 8080->80'])
    expect(await setting.run('-n', '@', '81', '8080', 'TCP')).toBe(`${found(via)}${redirected(8081, 81)}= 0`)
    expect(portsOf(setting)).toEqual(['TCP 8080->80', 'TCP 8081->81'])
  })

  it('a router without an address of the internet says so', async () => {
    const { run } = await start(via, { connectionStatus: 'Disconnected' })
    expect(await run('-r', '22', 'TCP')).toMatch(
      /failed with code [37] \((NETWORK_FAILURE|Network Failure)\)\n! hint: the router has no internet address now; it may not be connected\n= 2$/,
    )
    expect(await run('-s')).toMatch(/\nGetExternalIPAddress failed\. \(errorcode=[37]\)\n= 2$/)
  })

  it('everything is one JSON object a line', async () => {
    const { run } = await start(via)
    const typesOf = (text: string): unknown[] =>
      text
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line).type)
    const head = ['gateway', 'local-address']
    expect(typesOf(await run('-r', '22', 'TCP', '--json'))).toEqual([...head, 'external-address', 'mapped'])
    expect(typesOf(await run('-s', '--json'))).toEqual([...head, 'port-control-status', 'external-address'])
    expect(typesOf(await run('-d', '22', 'TCP', '--json'))).toEqual([...head, 'unmapped'])
    expect(JSON.parse((await run('-s', '--json')).split('\n')[0] ?? '')).toEqual({
      ...{ type: 'gateway', version: 1, via, address: '127.0.0.1' },
      ...{ port: expect.any(Number), epochSeconds: expect.any(Number) },
    })
  })
})

describe('what PCP can do and NAT-PMP cannot', () => {
  const OTHER = ['-a', '127.0.0.9', '80', '8080', 'TCP', '60', '1.2.3.4']

  it('is another computer, and one remote host only', async () => {
    const { run, emulator } = await start('pcp')
    expect(await run(...OTHER)).toMatch(/\nexternal 11\.22\.33\.44:8080 TCP is redirected to internal 127\.0\.0\.9:80 /)
    expect(emulator.mappings()).toMatchObject([{ internalClient: '127.0.0.9', internalPort: 80 }])
  })

  it('is reported in words for NAT-PMP, and nothing is sent: exit 1', async () => {
    const { run, emulator } = await start('nat-pmp')
    expect(await run('-a', '127.0.0.9', '80', '8080', 'TCP')).toBe(
      `${found('nat-pmp')}! NAT-PMP opens ports for the computer that asks (127.0.0.1) and not for 127.0.0.9; ` +
        '--via igd and --via pcp may\n= 1',
    )
    expect(await run(...OTHER)).toBe(
      '! usage: upnp-ts -a IP PORT EXTERNAL_PORT PROTOCOL [LEASE] [REMOTE_HOST]\n' +
        '! -a for one remote host only cannot be done over NAT-PMP: UPnP and PCP can (--via igd, --via pcp), ' +
        'as in: upnp-ts -a 192.168.1.5 80 8080 TCP --via igd\n= 1',
    )
    expect(emulator.mappings()).toEqual([])
  })
})

describe('a mapping of PCP is changed only by who knows its nonce', () => {
  const NONCE = ['--nonce', '00112233445566778899aabb'] as const
  const NOT_YOURS =
    /\(\) failed with code : 2\n! hint: the router does not let this computer open ports, or it was not this user of /

  it('which is that of this user, or the one that --nonce gives', async () => {
    const setting = await start('pcp')
    await setting.run(...NONCE, '-r', '22', 'TCP')
    expect(await setting.run('-d', '22', 'TCP')).toMatch(NOT_YOURS)
    expect(portsOf(setting)).toEqual(['TCP 22->22'])
    expect(await setting.run(...NONCE, '-d', '22', 'TCP')).toMatch(/returned : 0\n! hint: every user [^\n]*\n= 0$/)
    expect(portsOf(setting)).toEqual([])
  })

  it('and reports if the key of this user cannot be stored', async () => {
    const { TransportError } = await import('../../src/domain/errors.ts')
    const fail = (): never => {
      throw new TransportError('cannot write /state/x: EROFS')
    }
    const unkept: PrivateFiles = { ...memoryFiles(), write: async () => fail(), createOnce: async () => fail() }
    const { run } = await start('pcp', {}, unkept)
    expect(await run('-r', '22', 'TCP')).toBe(
      `${found('pcp')}${redirected(22, 22)}! hint: the key of this computer for PCP cannot be stored (cannot write ` +
        '/state/x: EROFS): another run of upnp-ts will not be able to close what this one opened; ' +
        'it closes when its lease ends\n= 0',
    )
  })
})

describe('--emulate brings a gateway of PCP and NAT-PMP too', () => {
  const emulated = async (...argv: string[]): Promise<string> => shown(await runCli(['--emulate', ...argv]))

  it.each(VIAS)('-r with --via %s', async (via) => {
    expect(await emulated('--via', via, '-r', '22', 'TCP')).toBe(`${found(via)}${redirected(22, 22)}= 0`)
    expect(await emulated('--via', via, '-d', '22', 'TCP')).toBe(`${found(via)}${DELETED[via]}() returned : 0\n= 0`)
  })

  it('and UPnP goes first', async () => {
    expect(await emulated('-r', '22', 'TCP')).toMatch(/\nFound valid IGD : .*\n/)
  })

  it('pinholes over IPv6, known by what they lead to', async () => {
    const FOUND = 'Found valid PCP gateway : [::1]:PORT\nLocal LAN ip address : ::1\n'
    expect(await emulated('--via', 'pcp', '-6', '-A', '', '0', '@', '8333', 'TCP', '3600')).toBe(
      `${FOUND}AddPinhole: ([]:0 -> [::1]:8333) / Pinhole ID = TCP:[::1]:8333\n= 0`,
    )
    expect(await emulated('-D', 'TCP:[::1]:8333')).toBe(`${FOUND}PCP_DeletePinhole() returned : 0\n= 0`)
    expect(await emulated('-U', 'TCP:[::1]:8333', '60')).toBe(
      `${FOUND}UpdatePinhole: Pinhole ID = TCP:[::1]:8333 with Lease Time: 60\n= 0`,
    )
  })
})
