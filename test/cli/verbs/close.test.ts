/** close: whole runs at an emulated gateway, in all three protocols; what they report, as data. */
import { afterEach, describe, expect, it } from 'vitest'
import { parseInvocation } from '../../../src/cli/parse/invocation.ts'
import { closeTelling } from '../../../src/cli/print/plain/close.ts'
import { plainNotice } from '../../../src/cli/print/plain/notices.ts'
import type { Notice } from '../../../src/cli/report.ts'
import { commandLineNet, type Surroundings } from '../../../src/cli/surroundings.ts'
import { TransportError } from '../../../src/domain/errors.ts'
import { type Emulator, type EmulatorOptions, startEmulator } from '../../../src/emulator.ts'
import { RunningKeeper } from '../../../src/library/keeping/running-keepers.ts'
import { systemClock } from '../../../src/net/clock.ts'
import { memoryFiles, type PrivateFiles } from '../../../src/net/files/private-files.ts'
import { runCli } from '../../support/run-cli.ts'

const closing: Emulator[] = []
afterEach(async () => {
  for (const emulator of closing.splice(0)) await emulator.close()
})

const KEY = { externalPort: 80, protocol: 'TCP', remoteHost: '' } as const
const ENDS = new Date(2026, 11, 6, 10, 14).getTime()
const NOTICES: readonly (readonly [string, Notice, string])[] = [
  [
    'still taken',
    { kind: 'still-taken', via: 'pcp', key: KEY },
    'Your router said yes over PCP, but port 80 TCP is not free: another program or computer has it open, or the router ' +
      'keeps it for itself; close it with the program that opened it.\n',
  ],
  [
    'not remembered',
    { kind: 'not-remembered', key: KEY },
    'Port 80 TCP was left alone: upnp-ts did not open it, and your router cannot say whether it is open.\n' +
      '  upnp-ts --delete 80 TCP --via nat-pmp   closes it all the same\n',
  ],
  [
    'not shown',
    { kind: 'not-shown', key: KEY },
    'Port 80 TCP was left alone: upnp-ts did not open it, and your router does not show whose it is.\n' +
      '  upnp-ts --delete 80 TCP   closes it all the same\n',
  ],
  [
    'opened in a protocol that is gone',
    { kind: 'protocol-gone', via: 'pcp', key: KEY, endsWallMs: ENDS },
    'Port 80 TCP was opened over PCP, which your router does not speak now, so it stays open until 6 December, 10:14; ' +
      'switch PCP on in the settings of the router, and close it again.\n',
  ],
  [
    'the same, without an end',
    { kind: 'protocol-gone', via: 'nat-pmp', key: KEY, endsWallMs: Number.POSITIVE_INFINITY },
    'Port 80 TCP was opened over NAT-PMP, which your router does not speak now, so it stays open; switch NAT-PMP on in the ' +
      'settings of the router, and close it again.\n',
  ],
  [
    'closed, and made by another program',
    { kind: 'made-by-another', key: KEY, address: '192.168.1.20', description: 'Transmission' },
    "Port 80 TCP led to this computer ('Transmission'), but upnp-ts did not open it: another program here did, and may " +
      'open it again.\n',
  ],
  [
    'open until its lease ends',
    { kind: 'ends-with-lease', key: KEY, endsWallMs: ENDS },
    'Port 80 TCP cannot be closed alone: it ends 6 December, 10:14 at the latest.\n',
  ],
  [
    'perhaps not open',
    { kind: 'deleted-unknown', via: 'nat-pmp', key: KEY },
    'Whether port 80 TCP was open is not known: over NAT-PMP your router says yes even if nothing was; if it is still ' +
      'open, close it with the program that opened it.\n',
  ],
]

const VIAS = ['igd', 'pcp', 'nat-pmp'] as const

async function start(
  via: (typeof VIAS)[number],
  { http, ...options }: EmulatorOptions & Partial<Pick<Surroundings, 'http'>> = {},
) {
  const emulator = await startEmulator(options)
  closing.push(emulator)
  const files = memoryFiles()
  const where =
    via === 'igd'
      ? ['-u', emulator.descriptionUrl]
      : ['--via', via, '--gateway', `127.0.0.1:${emulator.portControl?.port}`]
  /** What is reported of ports, and the exit code. */
  const run = async (...argv: string[]) => {
    const { stdout, exitCode } = await runCli(
      ['--json', ...where, ...argv],
      http === undefined ? { files } : { files, http },
    )
    const reports = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    const told = reports.filter(({ type }) => /^(unmapped|unmap-failed|notice|error)$/.test(type))
    const lines = told.map(({ type, kind, key, externalPort, protocols }) =>
      [kind ?? type, key?.externalPort ?? externalPort, key?.protocol ?? protocols?.join('+')]
        .filter(Boolean)
        .join(' '),
    )
    return [...lines, exitCode]
  }
  return { emulator, run }
}

describe.each(VIAS)('close over %s', (via) => {
  it('closes what was opened, in the protocol in which it is open', async () => {
    const { run } = await start(via)
    await run('-r', '25565', 'UDP')
    expect(await run('close', '25565')).toEqual(['unmapped 25565 UDP', 0])
  })

  it('closes both protocols of a port', async () => {
    const { run } = await start(via)
    await run('-r', '53', 'TCP+UDP')
    expect(await run('close', '53')).toEqual(['unmapped 53 UDP', 'unmapped 53 TCP', 0])
  })

  it('closes one protocol, if one is named, and leaves the other', async () => {
    const { run } = await start(via)
    await run('-r', '53', 'TCP+UDP')
    expect(await run('close', '53/udp')).toEqual(['unmapped 53 UDP', 0])
    expect(await run('close', '53')).toEqual(['unmapped 53 TCP', 0])
  })

  it('closes the ports of a range', async () => {
    const { run } = await start(via)
    await run('-r', '27015-27016', 'UDP')
    expect(await run('close', '27015-27016/udp')).toEqual(['unmapped 27015 UDP', 'unmapped 27016 UDP', 0])
  })

  it('closes what it has opened for another computer', async () => {
    if (via === 'nat-pmp') return // opens ports only for who asks
    const { run } = await start(via)
    await run('-a', '127.0.0.9', '80', '8080', 'TCP')
    expect(await run('close', '8080')).toEqual(['unmapped 8080 TCP', 0])
  })
})

describe('close', () => {
  it('leaves alone what leads to another computer', async () => {
    const { emulator, run } = await start('igd')
    emulator.addMapping({ externalPort: 80, protocol: 'TCP', internalClient: '192.168.1.31', internalPort: 80 })
    expect(await run('close', '80')).toEqual(['another-computers 80 TCP', 2])
    expect(await run('close', '80/tcp')).toEqual(['another-computers 80 TCP', 2])
    expect(await run('-d', '80', 'TCP')).toEqual(['unmapped 80 TCP', 0])
  })

  it('leaves alone what leads to another computer now, although this user had opened the port', async () => {
    const { emulator, run } = await start('igd')
    await run('-r', '80', 'TCP')
    emulator.forget()
    emulator.addMapping({ externalPort: 80, protocol: 'TCP', internalClient: '192.168.1.31', internalPort: 80 })
    expect(await run('close', '80')).toEqual(['another-computers 80 TCP', 2])
    expect(emulator.mappings()).toHaveLength(1)
  })

  it('leaves alone what the router does not show', async () => {
    const { emulator, run } = await start('igd', {
      quirks: [{ name: 'refuse', operation: 'GetSpecificPortMappingEntry', code: 606 }],
    })
    emulator.addMapping({ externalPort: 80, protocol: 'TCP', internalClient: '192.168.1.31', internalPort: 80 })
    expect(await run('close', '80/tcp')).toEqual(['not-shown 80 TCP', 2])
    expect(emulator.mappings()).toHaveLength(1)
  })

  it('closes nothing blindly if it cannot learn whose it is, and says so', async () => {
    const net = commandLineNet()
    const request: typeof net.http.request = (asked) =>
      asked.action === 'GetSpecificPortMappingEntry'
        ? Promise.reject(new TransportError('connection reset'))
        : net.http.request(asked)
    const { emulator, run } = await start('igd', { http: { request } })
    emulator.addMapping({ externalPort: 81, protocol: 'TCP', internalClient: '127.0.0.1', internalPort: 81 })
    emulator.addMapping({ externalPort: 80, protocol: 'TCP', internalClient: '192.168.1.31', internalPort: 80 })
    expect(await run('close', '80/tcp', '81/tcp')).toEqual(['unmap-failed 80 TCP', 'unmap-failed 81 TCP', 2])
    expect(emulator.mappings()).toHaveLength(2)
  })

  it('says that nothing is open, which is what was wanted', async () => {
    const { run } = await start('igd')
    expect(await run('close', '80')).toEqual(['nothing-open 80 UDP+TCP', 0])
    expect(await run('close', '80/udp', '81/tcp')).toEqual(['nothing-open 80 UDP', 'nothing-open 81 TCP', 0])
  })

  it('asks for it if nobody knows whether it is open, and says so', async () => {
    const { run } = await start('nat-pmp')
    const told = ['unmapped 80 UDP', 'deleted-unknown 80 UDP', 'unmapped 80 TCP', 'deleted-unknown 80 TCP']
    expect(await run('close', '80')).toEqual([...told, 0])
  })
})

describe('close over IPv6 beside IPv4', () => {
  async function opened(options: EmulatorOptions = {}) {
    const emulator = await startEmulator(options)
    closing.push(emulator)
    const files = memoryFiles()
    const run = async (...argv: string[]) => {
      const { stdout, stderr, exitCode } = await runCli(argv, { ...emulator.net, files })
      return `${stdout}${stderr.replace(/^(?=.)/gm, '! ')}= ${exitCode}`
    }
    await run('open', '25565')
    expect([emulator.mappings().length, emulator.pinholes().length]).toEqual([1, 1])
    return { emulator, files, run }
  }

  it('closes both', async () => {
    const { emulator, run } = await opened()
    expect(await run('close', '25565')).toBe('Port 25565 TCP is closed.\nOver IPv6 it is closed too.\n= 0')
    expect(emulator.pinholes()).toEqual([])
  })

  it('fails if that is refused', async () => {
    const { run } = await opened({ quirks: [{ name: 'refuse', operation: 'DeletePinhole', code: 501 }] })
    expect(await run('close', '25565')).toMatch(
      /^Port 25565 TCP is closed\.\n! Over IPv6 it could not be closed: .*\n= 2$/,
    )
  })

  it('is done if the router has forgotten it', async () => {
    const { emulator, files, run } = await opened()
    emulator.forget()
    expect(await run('close', '25565')).toContain('Over IPv6 it is closed too.\n= 0')
    expect((await files.list('')).filter((name) => name.startsWith('pinhole-'))).toEqual([])
  })
})

describe('what close says', () => {
  const interfaces = () => [{ name: 'lo', address: '127.0.0.1', netmask: '255.0.0.0', loopback: true }]
  const text = async (argv: readonly string[], { emulator, files }: { emulator: Emulator; files: PrivateFiles }) => {
    const { stdout, stderr, exitCode } = await runCli([...argv, '-u', emulator.descriptionUrl], { files, interfaces })
    return `${stdout}${stderr.replace(/^(?=.)/gm, '! ').replaceAll(emulator.descriptionUrl, 'URL')}= ${exitCode}`
  }
  async function atIgd() {
    const emulator = await startEmulator()
    closing.push(emulator)
    return { emulator, files: memoryFiles() }
  }

  it('says what is closed, and what was not open', async () => {
    const at = await atIgd()
    await text(['open', '27015-27017/udp', '53/both', '80'], at)
    expect(
      await text(['close', '27015-27017', '53', '80', '81', '82/udp'], at),
    ).toBe(`Ports 53 TCP and UDP, 80 TCP and 27015-27017 UDP are closed.
Ports 81 and 82 UDP were not open.
= 0`)
    expect(await text(['close', '2000-2099'], at)).toBe('Ports 2000-2099 were not open.\n= 0')
  })

  it('does not say that a port is closed if that is not known', async () => {
    const emulator = await startEmulator()
    closing.push(emulator)
    const where = ['--via', 'nat-pmp', '--gateway', `127.0.0.1:${emulator.portControl?.port}`]
    const { stdout, stderr, exitCode } = await runCli(['close', '80/tcp', ...where])
    expect([stdout, exitCode]).toEqual(['', 0])
    expect(stderr).toContain('Whether port 80 TCP was open is not known')
  })

  it('does not say that a port is closed if it is still open in another protocol', async () => {
    const invocation = parseInvocation(['close', '80'])
    if (invocation.kind !== 'gateway') throw new Error('not a command')
    const begin = () => closeTelling({ invocation, argv: ['close', '80'], nowMs: () => 0, columns: () => undefined })
    for (const notice of NOTICES.map(([, each]) => each)) {
      const telling = begin()
      telling.rows.unmapped?.({ type: 'unmapped', via: 'pcp', key: KEY })
      telling.rows.notice?.({ type: 'notice', ...notice })
      const isClosed = notice.kind === 'made-by-another'
      expect(telling.end(0).map(({ text }) => text)).toEqual(isClosed ? ['Port 80 TCP is closed.\n'] : [])
    }
    const telling = begin()
    const error = { code: 'NO_REPLY', message: 'no' } as const
    telling.rows.unmapped?.({ type: 'unmapped', via: 'pcp', key: KEY })
    telling.rows['unmap-failed']?.({ type: 'unmap-failed', via: 'igd', key: KEY, error })
    telling.rows.unmapped?.({ type: 'unmapped', via: 'nat-pmp', key: KEY })
    expect(telling.end(0)).toEqual([])
  })

  it('names the command that closes the port of another computer', async () => {
    const at = await atIgd()
    at.emulator.addMapping({ externalPort: 80, internalClient: '192.168.1.31', description: 'a web server' })
    expect(
      await text(['close', '80'], at),
    ).toBe(`! Port 80 TCP leads to another computer, 192.168.1.31 ('a web server'), and was left alone.
!   upnp-ts --delete 80 TCP --url URL   closes it all the same
= 2`)
  })

  it('says that a running --keep would open it again', async () => {
    const at = await atIgd()
    await text(['open', '80'], at)
    const keeper = new RunningKeeper(at.files, systemClock, 'test')
    keeper.hold('127.0.0.1', [{ externalPort: 80, protocol: 'TCP', remoteHost: '' }])
    expect(await text(['close', '80'], at)).toBe(
      '! Port 80 TCP is kept open by a running upnp-ts --keep, which would open it again: stop that one first, with Ctrl-C ' +
        'where it runs.\n= 2',
    )
    keeper.end()
  })

  it.each(NOTICES)('says in plain words that it is %s', async (_, notice, said) => {
    const invocation = parseInvocation(['close', '80'])
    if (invocation.kind !== 'gateway') throw new Error('not a command')
    const nowMs = (): number => new Date(2026, 10, 30, 9, 14).getTime()
    const occasion = { invocation, argv: ['close', '80'], nowMs, columns: () => undefined }
    const pieces = plainNotice(notice, occasion)
    expect(pieces.map(({ text }) => text).join('')).toBe(said)
    expect(new Set(pieces.map(({ stream }) => stream))).toEqual(new Set(['stderr']))
  })
})
