/** close --mine in plain words: whole answers at an emulated gateway. */
import { afterEach, describe, expect, it } from 'vitest'
import { type Emulator, startEmulator } from '../../../src/emulator.ts'
import { RunningKeeper } from '../../../src/library/keeping/running-keepers.ts'
import { systemClock } from '../../../src/net/clock.ts'
import { memoryFiles } from '../../../src/net/files/private-files.ts'
import type { Listener, Listeners } from '../../../src/net/tables/listeners.ts'
import { runCli } from '../../support/run-cli.ts'

const closing: Emulator[] = []
afterEach(async () => {
  for (const emulator of closing.splice(0)) await emulator.close()
})

interface Setting {
  readonly via?: 'igd' | 'pcp' | 'nat-pmp'
  /** What is typed at the terminal; undefined if there is none. */
  readonly typed?: string
  readonly listeners?: Listeners
}

async function start({ via = 'igd', typed, listeners }: Setting = {}) {
  const emulator = await startEmulator()
  closing.push(emulator)
  const files = memoryFiles()
  const where =
    via === 'igd'
      ? ['-u', emulator.descriptionUrl]
      : ['--via', via, '--gateway', `127.0.0.1:${emulator.portControl?.port}`]
  const run = async (...argv: string[]) => {
    const written: string[] = []
    const stream = (mark: string) => ({
      write: (text: string) => written.push(text.replace(/^(?=.)/gm, mark)),
      on: () => {},
      isTTY: typed !== undefined,
    })
    const { exitCode } = await runCli([...argv, ...where], {
      files,
      env: { NO_COLOR: '1' },
      stdout: stream(''),
      stderr: stream('! '),
      stdin: () =>
        Object.assign(
          (async function* () {
            yield typed ?? ''
          })(),
          { isTTY: typed !== undefined },
        ),
      listeners: async () => listeners ?? { listeners: [], areAll: false },
    })
    const text = written.join('').replaceAll(/\d{1,2} \w{3} \d\d:\d\d /g, (date) => 'DATE'.padEnd(date.length))
    return `${text.replaceAll(where.join(' '), 'WHERE')}= ${exitCode}`
  }
  const open = (): number[] =>
    emulator
      .mappings()
      .map(({ externalPort }) => externalPort)
      .toSorted((a, b) => a - b)
  return { emulator, files, run, open }
}

const TWO = `  Port       Leads to               Until         Opened by
     22 TCP  127.0.0.1:22           DATE          upnp-ts
  25565 TCP  127.0.0.1:25565        DATE          upnp-ts
`

describe('close --mine', () => {
  it('closes nothing without a terminal, and says how to', async () => {
    const { run, open } = await start()
    await run('open', '25565', '22')
    expect(await run('close', '--mine')).toBe(`${TWO}! Nothing was closed, because nobody can be asked here.
!   upnp-ts close --yes --mine WHERE   closes these 2 ports
= 1`)
    expect(open()).toEqual([22, 25565])
  })

  it('asks at a terminal, and closes nothing unless the answer is yes', async () => {
    for (const typed of ['n\n', '\n', '', 'yesterday\n']) {
      const { run, open } = await start({ typed })
      await run('open', '25565', '22')
      expect(await run('close', '--mine')).toBe(`${TWO}! Close these 2 ports? [y/N] Nothing was closed.\n= 1`)
      expect(open()).toEqual([22, 25565])
    }
  })

  it.each(['y\n', 'YES\n'])('closes all if the answer is yes', async (typed) => {
    const { run, open } = await start({ typed })
    await run('open', '25565', '22')
    expect(await run('close', '--mine')).toBe(
      `${TWO}! Close these 2 ports? [y/N] Ports 22 TCP and 25565 TCP are closed.\n= 0`,
    )
    expect(open()).toEqual([])
  })

  it.each(['igd', 'pcp', 'nat-pmp'] as const)('closes over %s what was opened, with --yes', async (via) => {
    const { run, open } = await start({ via })
    await run('open', '25565/both', '8080')
    expect(await run('close', '--mine', '--yes')).toMatch(/Ports? .*25565 TCP and UDP.* are closed\.\n= 0$/)
    expect(open()).toEqual([])
    expect(await run('close', '--mine', '--yes')).toBe('Nothing that upnp-ts has opened is open.\n= 0')
  })

  it('leaves what others have made, and says why of what looks like its own', async () => {
    const { emulator, run, open } = await start()
    await run('open', '25565')
    await run('open', '8080', '--description', 'my game')
    const others = { protocol: 'TCP', internalPort: 80 } as const
    emulator.addMapping({ ...others, externalPort: 80, internalClient: '192.168.1.31', description: 'upnp-ts' })
    emulator.addMapping({ ...others, externalPort: 81, internalClient: '192.168.1.31', description: 'a web server' })
    emulator.addMapping({ ...others, externalPort: 82, internalClient: '127.0.0.1', description: 'Transmission' })
    expect(await run('close', '--mine', '--yes')).toContain(`
Port 80 TCP stays open: it leads to another computer, 192.168.1.31 ('upnp-ts').
Ports 8080 TCP and 25565 TCP are closed.
= 0`)
    expect(open()).toEqual([80, 81, 82])
  })

  it('leaves a port that somebody else has now, whoever had it before', async () => {
    const { emulator, files, run, open } = await start()
    await run('open', '8080', '--description', 'my game')
    emulator.forget()
    emulator.addMapping({ externalPort: 8080, internalClient: '192.168.1.31', description: 'my game' })
    expect(await files.list('')).not.toEqual([])
    expect(await run('close', '--mine', '--yes')).toBe('Nothing that upnp-ts has opened is open.\n= 0')
    expect(open()).toEqual([8080])
  })

  it('leaves what a running --keep holds', async () => {
    const { files, run, open } = await start()
    await run('open', '25565', '22')
    const keeper = new RunningKeeper(files, systemClock, 'test')
    keeper.hold('127.0.0.1', [{ externalPort: 22, protocol: 'TCP', remoteHost: '' }])
    expect(await run('close', '--mine', '--yes')).toContain(`
Port 22 TCP stays open: a running upnp-ts --keep keeps it open.
Port 25565 TCP is closed.
= 0`)
    expect(open()).toEqual([22])
    keeper.end()
  })

  it('has 2 as its exit code if the router refuses', async () => {
    const emulator = await startEmulator({ quirks: [{ name: 'refuse', operation: 'DeletePortMapping', code: 501 }] })
    closing.push(emulator)
    const files = memoryFiles()
    const where = ['-u', emulator.descriptionUrl]
    await runCli(['open', '25565', ...where], { files })
    const { stderr, exitCode } = await runCli(['close', '--mine', '--yes', ...where], { files })
    expect(stderr).toMatch(/^Port 25565 TCP could not be closed: .*\n$/)
    expect(exitCode).toBe(2)
  })
})

describe('close --mine over IPv6', () => {
  it('shows the pinholes in the same table, and closes them too', async () => {
    const emulator = await startEmulator({ ipv6Address: '::1' })
    closing.push(emulator)
    const files = memoryFiles()
    const unicastTo = emulator.ssdp === undefined ? [] : [emulator.ssdp]
    const onlyRoute = { address: '127.0.0.1', netmask: '255.0.0.0', multicast: false, unicastTo }
    const run = async (onlyEndpoint: typeof emulator.portControl, ...argv: string[]) => {
      const { stdout, exitCode } = await runCli(argv, { files, onlyRoute, onlyEndpoint })
      return `${stdout.replaceAll(/\d{1,2} \w{3} \d\d:\d\d /g, (date) => 'DATE'.padEnd(date.length))}= ${exitCode}`
    }
    await run(emulator.portControlIPv6, 'open', '8333', '--ipv6', '--via', 'pcp')
    expect(emulator.pinholes()).toHaveLength(1)
    expect(await run(emulator.portControlIPv6, 'close', '--mine', '--yes', '--via', 'pcp')).toMatch(
      /\n {3}8333 TCP {2}over IPv6 {14}DATE {9,10}upnp-ts, to ::1\n.*What was open over IPv6 is closed\.\n= 0$/s,
    )
    expect(emulator.pinholes()).toEqual([])
  })
})

describe('close --mine --unused', () => {
  const listening = (port: number, address = '0.0.0.0'): Listener => ({ protocol: 'TCP', address, port })

  it('leaves the ports that a program listens on', async () => {
    const { run, open } = await start({ listeners: { listeners: [listening(22)], areAll: true } })
    await run('open', '25565', '2222:22')
    expect(await run('close', '--mine', '--unused', '--yes')).toContain(`
Port 2222 TCP stays open: a program listens on it.
Port 25565 TCP is closed.
= 0`)
    expect(open()).toEqual([2222])
  })

  it('leaves what was opened for another computer, of which nothing can be known here', async () => {
    const { run, open } = await start({ listeners: { listeners: [listening(22)], areAll: true } })
    await run('open', '8080', '--to', '192.168.1.50')
    expect(await run('close', '--mine', '--unused', '--yes')).toContain('cannot be known from here.')
    expect(open()).toEqual([8080])
  })

  it('leaves all if it cannot be known', async () => {
    const { run, open } = await start()
    await run('open', '25565')
    expect(
      await run('close', '--mine', '--unused', '--yes'),
    ).toBe(`Port 25565 TCP stays open: whether a program listens on it cannot be known from here.
There is nothing else to close.
= 0`)
    expect(open()).toEqual([25565])
  })
})

describe('the words of close --mine', () => {
  it.each([
    [['close', '--mine', '80'], '--mine closes all that upnp-ts has opened; for one port: upnp-ts close 80'],
    [['close', '--yes', '80'], '--yes goes with --mine'],
    [['open', '--mine', '80'], '--mine goes with close'],
    [['close', '--mine', '--ipv6'], 'over IPv4 and over IPv6: leave out --ipv6'],
  ])('%j', async (argv, message) => {
    const { stdout, stderr, exitCode } = await runCli(argv)
    expect(stdout + stderr).toContain(message)
    expect(exitCode).toBe(1)
  })
})
